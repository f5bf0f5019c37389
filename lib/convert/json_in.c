/* yajl is fed piece by piece, when a token is asked for: no more of them are in memory than a piece has bytes. A token that is longer than
 * a piece is read by yajl from its beginning again with each: hence pieces that are not small, and a limit (all METAs of a stream have 1
 * MiB, of which JSON makes 6 where each byte is escaped). */
#include "lib/convert/json_in.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <yajl/yajl_parse.h>

#include "lib/base/num.h"
#include "lib/base/utf8.h"

enum { PIECE = 64 << 10, TOKEN_MAX = 8 << 20 };
enum { TEXT = '"', DIGITS = '0', WORD = 'a' }; /* kinds of tokens beside brackets */

struct json_token {
	char kind;
	size_t at; /* the byte behind it */
	char *text;
	size_t n;
};

static int fault_at(struct json_in *j, size_t at, const char *why)
{
	if (!*j->err)
		snprintf(j->err, sizeof j->err, "byte %zu: %s", at, why);
	return -1;
}

int json_in_fault(struct json_in *j, const char *fmt, ...)
{
	char why[JSON_IN_ERR - 32];
	va_list ap;
	va_start(ap, fmt);
	vsnprintf(why, sizeof why, fmt, ap);
	va_end(ap);
	return fault_at(j, j->at, why);
}

/* ---- tokens ---- */

static int add(struct json_in *j, char kind, const void *text, size_t n)
{
	if (j->end == j->room)
		j->token = xrealloc(j->token, (j->room = 2 * j->room + 64) * sizeof *j->token);
	struct json_token *t = &j->token[j->end++];
	*t = (struct json_token){kind, j->fed + yajl_get_bytes_consumed(j->yajl), xmalloc(n + 1), n};
	if (n)
		memcpy(t->text, text, n);
	t->text[n] = 0;
	return 1;
}

static int on_null(void *j)
{
	return add(j, WORD, NULL, 0);
}

static int on_boolean(void *j, int v)
{
	(void)v;
	return add(j, WORD, NULL, 0);
}

static int on_number(void *j, const char *s, size_t n)
{
	return add(j, DIGITS, s, n);
}

static int on_text(void *j, const unsigned char *s, size_t n)
{
	return add(j, TEXT, s, n);
}

static int on_object(void *j)
{
	return add(j, '{', NULL, 0);
}

static int on_object_end(void *j)
{
	return add(j, '}', NULL, 0);
}

static int on_list(void *j)
{
	return add(j, '[', NULL, 0);
}

static int on_list_end(void *j)
{
	return add(j, ']', NULL, 0);
}

static void *get(void *arg, size_t n)
{
	(void)arg;
	return xmalloc(n);
}

static void *get_more(void *arg, void *p, size_t n)
{
	(void)arg;
	return xrealloc(p, n);
}

static void give_back(void *arg, void *p)
{
	(void)arg;
	free(p);
}

static int broken(struct json_in *j)
{
	char *why = (char *)yajl_get_error(j->yajl, 0, NULL, 0);
	why[strcspn(why, "\n")] = 0;
	fault_at(j, j->fed + yajl_get_bytes_consumed(j->yajl), why);
	yajl_free_error(j->yajl, (unsigned char *)why);
	return -1;
}

/* The next token; NULL: there is none, or a fault. */
static struct json_token *peek(struct json_in *j)
{
	size_t from = j->fed;
	while (j->next == j->end && j->yajl && !*j->err) {
		size_t n = j->n - j->fed < PIECE ? j->n - j->fed : PIECE;
		j->next = j->end = 0;
		if ((n ? yajl_parse(j->yajl, j->text + j->fed, n) : yajl_complete_parse(j->yajl)) != yajl_status_ok) {
			broken(j);
		} else if (n && j->fed - from >= TOKEN_MAX && j->next == j->end) {
			fault_at(j, j->at, "a text or number of more than 8 MiB");
		} else if (n) {
			j->fed += n;
		} else {
			break;
		}
	}
	return j->next < j->end ? &j->token[j->next] : NULL;
}

/* The next token if it is of this kind: taken, its text the caller's; else NULL. */
static char *take(struct json_in *j, char kind, size_t *n)
{
	struct json_token *t = peek(j);
	if (!t || t->kind != kind || *j->err)
		return NULL;
	j->next++;
	j->at = t->at;
	*n = t->n;
	return t->text;
}

/* ---- halves of pairs of UTF-16, of which yajl makes other characters ---- */

static unsigned escaped(const unsigned char *p, const unsigned char *e)
{
	char digits[5] = "";
	if (e - p < 6 || p[0] != '\\' || p[1] != 'u')
		return 0;
	memcpy(digits, p + 2, 4);
	return (unsigned)strtoul(digits, NULL, 16);
}

static void check_pairs(struct json_in *j)
{
	const unsigned char *p = j->text, *e = p + j->n;
	while ((p = memchr(p, '\\', (size_t)(e - p)))) {
		unsigned c = escaped(p, e);
		int high = c >= 0xd800 && c < 0xdc00;
		if (high ? (escaped(p + 6, e) & 0xfc00) != 0xdc00 : (c & 0xfc00) == 0xdc00) {
			fault_at(j, (size_t)(p - j->text), "half of a surrogate pair");
			return;
		}
		p += high ? 12 : e - p < 2 ? 1 : 2;
	}
}

/* ---- what callers ask for ---- */

void json_in_begin(struct json_in *j, const void *text, size_t n)
{
	static const yajl_callbacks callbacks = {
		on_null, on_boolean, NULL, NULL, on_number, on_text, on_object, on_text, on_object_end, on_list, on_list_end};
	static yajl_alloc_funcs memory = {get, get_more, give_back, NULL};
	*j = (struct json_in){.text = text, .n = n};
	j->yajl = yajl_alloc(&callbacks, &memory, j);
	check_pairs(j);
}

void json_in_free(struct json_in *j)
{
	for (; j->next < j->end; j->next++)
		free(j->token[j->next].text);
	free(j->token);
	yajl_free(j->yajl);
	j->token = NULL, j->yajl = NULL;
}

int json_in_is(struct json_in *j, char bracket)
{
	size_t n;
	char *text = take(j, bracket, &n);
	free(text);
	return text != NULL;
}

int json_in_need(struct json_in *j, char bracket)
{
	return json_in_is(j, bracket) ? 0 : json_in_fault(j, "not the '%c' that belongs here", bracket);
}

int json_in_more(struct json_in *j, char bracket)
{
	if (json_in_is(j, bracket))
		return 0;
	return peek(j) ? 1 : json_in_need(j, bracket);
}

char *json_in_text(struct json_in *j, size_t *n)
{
	char *s = take(j, TEXT, n);
	if (!s)
		return json_in_need(j, TEXT), NULL;
	if (utf8_valid((unsigned char *)s, *n)) /* yajl takes longer forms, too */
		return s;
	json_in_fault(j, "a text that is not UTF-8");
	free(s);
	return NULL;
}

int json_in_uint(struct json_in *j, uint64_t *to)
{
	size_t n;
	char *digits = take(j, DIGITS, &n);
	int good = digits && num_uint(digits, to);
	free(digits);
	return good ? 0 : json_in_fault(j, "no whole number of 64 bits");
}

int json_in_end(struct json_in *j)
{
	return peek(j) || *j->err ? json_in_fault(j, "something follows") : 0;
}
