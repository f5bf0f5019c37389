/* Conditions: a parser by recursive descent into nodes, and their evaluation. */
#include <ctype.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/err.h"
#include "lib/base/num.h"
#include "lib/filter/expr.h"

enum op { OP_NUMBER, OP_NAME, OP_LESS, OP_LESS_EQUAL, OP_MORE, OP_MORE_EQUAL, OP_EQUAL, OP_UNEQUAL, OP_AND, OP_OR, OP_NOT };

struct expr_node {
	enum op op;
	int a, b; /* nodes; OP_NAME: a is the name's number */
	double number;
};

struct parser {
	struct expr *e;
	const char *text, *p;
	char *why;
	int depth;
};

enum { FAILED = -1 };

static int fail(struct parser *s, const char *at, const char *fmt, ...) PRINTF(3, 4);
static int parse_condition(struct parser *s);

/* The reason, the first one of several; FAILED. */
static int fail(struct parser *s, const char *at, const char *fmt, ...)
{
	va_list ap;
	if (s->why[0])
		return FAILED;
	int n = snprintf(s->why, EXPR_WHY, "at %ld: ", (long)(at - s->text) + 1);
	va_start(ap, fmt);
	vsnprintf(s->why + n, EXPR_WHY - (size_t)n, fmt, ap);
	va_end(ap);
	return FAILED;
}

static int add_node(struct parser *s, enum op op, int a, int b, double number)
{
	struct expr *e = s->e;
	if (a < 0 || b < 0)
		return FAILED;
	if (e->nnodes >= EXPR_NODES)
		return fail(s, s->p, "more than %d names, numbers and signs", EXPR_NODES);
	if (!(e->nnodes & (e->nnodes - 1)))
		e->node = xrealloc(e->node, (e->nnodes ? 2 * (size_t)e->nnodes : 1) * sizeof *e->node);
	e->node[e->nnodes] = (struct expr_node){op, a, b, number};
	return e->nnodes++;
}

static void skip_blanks(struct parser *s)
{
	s->p += strspn(s->p, " \t\n");
}

static int in_name(char c)
{
	return isalnum((unsigned char)c) || (c && strchr("._/-", c)) || (unsigned char)c >= 0x80;
}

/* Takes the sign, or the word, if it is next. */
static int accept(struct parser *s, const char *sign, const char *word)
{
	skip_blanks(s);
	size_t n = strlen(sign), k = word ? strlen(word) : 0;
	if (!strncmp(s->p, sign, n)) {
		s->p += n;
		return 1;
	}
	if (!word || strncmp(s->p, word, k) || in_name(s->p[k]))
		return 0;
	s->p += k;
	return 1;
}

static int add_name(struct parser *s, const char *at, const char *name, size_t len)
{
	struct expr *e = s->e;
	for (int i = 0; i < e->nnames; i++)
		if (strlen(e->name[i].name) == len && !memcmp(e->name[i].name, name, len))
			return add_node(s, OP_NAME, i, 0, 0);
	e->name = xrealloc(e->name, (size_t)(e->nnames + 1) * sizeof *e->name);
	e->name[e->nnames++] = (struct expr_name){xprintf("%.*s", (int)len, name), (int)(at - s->text) + 1};
	return add_node(s, OP_NAME, e->nnames - 1, 0, 0);
}

static int parse_number(struct parser *s)
{
	const char *at = s->p, *end = at + (*at == '-' || *at == '+');
	char digits[64];
	double v;
	while (in_name(*end) && (*end != '-' || tolower((unsigned char)end[-1]) == 'e'))
		end += 1 + (tolower((unsigned char)*end) == 'e' && end[1] == '+');
	size_t n = (size_t)(end - at) - (*at == '+');
	if (n < sizeof digits) {
		memcpy(digits, end - n, n);
		digits[n] = 0;
	}
	if (n >= sizeof digits || !num_real(digits, &v))
		return fail(s, at, "'%.*s' is no number (a name that begins so stands in quotes)", (int)(n < 40 ? n : 40), at);
	s->p = end;
	return add_node(s, OP_NUMBER, 0, 0, v);
}

static int parse_value(struct parser *s)
{
	skip_blanks(s);
	const char *at = s->p;
	if (isdigit((unsigned char)*at) || (*at && strchr("+-.", *at)))
		return parse_number(s);
	if (*at == '"' || *at == '\'') {
		const char *end = strchr(at + 1, *at);
		if (!end || end == at + 1)
			return fail(s, at, end ? "an empty name" : "the quote is not closed");
		s->p = end + 1;
		return add_name(s, at, at + 1, (size_t)(end - at - 1));
	}
	while (in_name(*s->p))
		s->p++;
	if (s->p == at || *at == '/')
		return fail(s, at, "a number or a name is missing");
	return add_name(s, at, at, (size_t)(s->p - at));
}

static int parse_comparison(struct parser *s)
{
	static const struct {
		const char *sign;
		enum op op;
	} ops[] = {{"<=", OP_LESS_EQUAL}, {">=", OP_MORE_EQUAL}, {"==", OP_EQUAL}, {"!=", OP_UNEQUAL}, {"<", OP_LESS}, {">", OP_MORE}};
	int a = parse_value(s);
	if (a < 0)
		return FAILED;
	for (size_t i = 0; i < sizeof ops / sizeof *ops; i++)
		if (accept(s, ops[i].sign, NULL))
			return add_node(s, ops[i].op, a, parse_value(s), 0);
	if (*s->p == '=')
		return fail(s, s->p, "equal is ==");
	return fail(s, s->p, "a comparison (< <= > >= == !=) is missing");
}

/* `!` of what follows, a condition in parentheses, or a comparison. */
static int parse_one(struct parser *s)
{
	skip_blanks(s);
	const char *at = s->p;
	int node;
	if (s->depth >= EXPR_DEPTH)
		return fail(s, at, "more than %d parentheses in one another", EXPR_DEPTH);
	s->depth++;
	if (accept(s, "!", "not"))
		node = add_node(s, OP_NOT, parse_one(s), 0, 0);
	else if (accept(s, "(", NULL)) {
		node = parse_condition(s);
		if (node >= 0 && !accept(s, ")", NULL))
			node = fail(s, s->p, "the '(' at %ld is not closed", (long)(at - s->text) + 1);
	} else
		node = parse_comparison(s);
	s->depth--;
	return node;
}

static int parse_and(struct parser *s)
{
	int a = parse_one(s);
	while (a >= 0 && accept(s, "&&", "and"))
		a = add_node(s, OP_AND, a, parse_one(s), 0);
	return a;
}

static int parse_condition(struct parser *s)
{
	int a = parse_and(s);
	while (a >= 0 && accept(s, "||", "or"))
		a = add_node(s, OP_OR, a, parse_and(s), 0);
	return a;
}

struct expr *expr_parse(const char *text, char why[EXPR_WHY])
{
	struct parser s = {xcalloc(1, sizeof *s.e), text, text, why, 0};
	why[0] = 0;
	s.e->root = parse_condition(&s);
	skip_blanks(&s);
	if (s.e->root >= 0 && *s.p)
		s.e->root = fail(&s, s.p, "'%.20s' is too much: && or || is missing, or there is one ')' too many", s.p);
	if (s.e->root >= 0)
		return s.e;
	expr_free(s.e);
	return NULL;
}

static double value_of(const struct expr *e, int i, const double *value)
{
	return e->node[i].op == OP_NUMBER ? e->node[i].number : value[e->node[i].a];
}

static int is_true(const struct expr *e, int i, const double *value)
{
	const struct expr_node *n = &e->node[i];
	if (n->op == OP_NOT)
		return !is_true(e, n->a, value);
	if (n->op == OP_AND)
		return is_true(e, n->a, value) && is_true(e, n->b, value);
	if (n->op == OP_OR)
		return is_true(e, n->a, value) || is_true(e, n->b, value);
	double a = value_of(e, n->a, value), b = value_of(e, n->b, value);
	if (isnan(a) || isnan(b))
		return 0;
	return n->op == OP_LESS		? a < b
	       : n->op == OP_LESS_EQUAL ? a <= b
	       : n->op == OP_MORE	? a > b
	       : n->op == OP_MORE_EQUAL ? a >= b
	       : n->op == OP_EQUAL	? a == b
					: a != b;
}

int expr_true(const struct expr *e, const double *value)
{
	return is_true(e, e->root, value);
}

void expr_free(struct expr *e)
{
	if (!e)
		return;
	for (int i = 0; i < e->nnames; i++)
		free(e->name[i].name);
	free(e->name), free(e->node), free(e);
}
