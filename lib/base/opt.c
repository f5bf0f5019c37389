#include "lib/base/opt.h"

#include <assert.h>
#include <fcntl.h>
#include <getopt.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/base/err.h"
#include "lib/base/num.h"
#include "lib/base/out.h"

enum { OPTS_MAX = 64, WIDE = 80, LIST_MAX = sizeof((struct opt_list *)0)->v / sizeof(char *) };

static const struct opt *table; /* of the program that was parsed, for opt_line */
static const char *program;
static char *defaults[OPTS_MAX]; /* value texts before parsing; NULL: nothing to show */
static char *line;

/* The shortest decimal that reads back as v, so that a line of history says exactly what was used. */
static char *real_text(double v)
{
	char s[40];
	if (v == floor(v) && fabs(v) < 1e15)
		return xprintf("%.0f", v);
	for (int digits = 1; digits <= 17; digits++) {
		snprintf(s, sizeof s, "%.*g", digits, v);
		if (strtod(s, NULL) == v)
			break;
	}
	return xstrdup(s);
}

static char *join(char *a, const char *between, const char *b)
{
	char *s = a ? xprintf("%s%s%s", a, between, b) : xstrdup(b);
	free(a);
	return s;
}

/* The value that the option has now, or NULL where there is none (a flag not set, no string, an empty list); to be freed. */
static char *value_text(const struct opt *o)
{
	char *s = NULL;
	switch (o->kind) {
	case OPT_FLAG:
		return *(const int *)o->to ? xstrdup("") : NULL;
	case OPT_INT:
		return xprintf("%lld", (long long)*(const int64_t *)o->to);
	case OPT_SEED:
		return xprintf("%llu", (unsigned long long)*(const uint64_t *)o->to);
	case OPT_REAL:
		return isnan(*(const double *)o->to) ? NULL : real_text(*(const double *)o->to);
	case OPT_STR:
	case OPT_CHOICE:
		return *(const char *const *)o->to ? xstrdup(*(const char *const *)o->to) : NULL;
	case OPT_SIZE: {
		const struct opt_size *z = o->to;
		return z->w || z->h ? xprintf("%dx%d", z->w, z->h) : NULL;
	}
	case OPT_LIST: {
		const struct opt_list *l = o->to;
		for (int i = 0; i < l->n; i++)
			s = join(s, ", ", l->v[i]);
		return s;
	}
	}
	return NULL;
}

/* ---- --help ---- */

/* Words of text from column at on, wrapped before WIDE and continued at column indent. */
static void wrap(const char *text, int at, int indent)
{
	int fresh = 1;
	while (*text) {
		int n = (int)strcspn(text, " ");
		if (!fresh && at + 1 + n > WIDE) {
			printf("\n%*s", indent, "");
			at = indent, fresh = 1;
		}
		at += printf("%s%.*s", fresh ? "" : " ", n, text);
		fresh = 0;
		text += n;
		text += strspn(text, " ");
	}
	putchar('\n');
}

static char *option_text(char letter, const char *name, const char *arg)
{
	char *s = letter ? xprintf("  -%c, --%s", letter, name) : xprintf("      --%s", name);
	return arg ? join(s, " ", arg) : s;
}

static void help_option(char letter, const char *name, const char *arg, const char *help, const char *shown, int column)
{
	char *left = option_text(letter, name, arg);
	char *text = shown && *shown ? xprintf("%s [%s]", help, shown) : xstrdup(help);
	int n = printf("%s", left);
	if (n + 2 > column) {
		putchar('\n');
		n = 0;
	}
	printf("%*s", column - n, "");
	wrap(text, column, column);
	free(text);
	free(left);
}

static const char *argument(const struct opt *o)
{
	return o->kind == OPT_FLAG ? NULL : o->arg ? o->arg : "VALUE";
}

NORETURN static void help(const struct opt_prog *p)
{
	printf("usage: %s [options]%s%s\n", p->name, *p->operands ? " " : "", p->operands);
	wrap(p->what, 0, 0);
	printf("\noptions:\n");
	int column = 0;
	for (const struct opt *o = p->opts; o->name; o++) {
		char *left = option_text(o->letter, o->name, argument(o));
		int n = (int)strlen(left) + 2;
		if (n <= 32 && n > column)
			column = n;
		free(left);
	}
	if (column < 17) /* as wide as --version */
		column = 17;
	for (const struct opt *o = p->opts; o->name; o++)
		help_option(o->letter, o->name, argument(o), o->help, defaults[o - p->opts], column);
	help_option('h', "help", NULL, "print this text", NULL, column);
	help_option('V', "version", NULL, "print name and version", NULL, column);
	for (int i = 0; i < 5 && p->examples[i]; i++)
		printf("%s  %s\n", i ? "" : "\nexamples:\n", p->examples[i]);
	exit(finish());
}

/* ---- parsing ---- */

static void check_range(const struct opt *o, const char *text, double v)
{
	if (!o->min && !o->max) {
		if (o->kind == OPT_INT && v < 0)
			die_usage("--%s: %s is below 0", o->name, text);
		return;
	}
	if (v < o->min || v > o->max) {
		char *min = real_text(o->min), *max = real_text(o->max);
		die_usage("--%s: %s is outside %s to %s", o->name, text, min, max);
	}
}

static int only_digits(const char *s)
{
	s += *s == '-';
	return *s && !s[strspn(s, "0123456789")];
}

static int is_choice(const char *words, const char *s)
{
	size_t n = strlen(s);
	for (;;) {
		size_t len = strcspn(words, "|");
		if (len == n && !memcmp(words, s, n))
			return 1;
		if (!words[len])
			return 0;
		words += len + 1;
	}
}

/* given: how many times it was given before. A list's default goes when the first of its own comes. */
static void store(const struct opt *o, char *text, int given)
{
	switch (o->kind) {
	case OPT_FLAG:
		*(int *)o->to = 1;
		break;
	case OPT_INT: {
		int64_t v;
		if (!num_int(text, &v))
			die_usage("--%s: '%s' %s", o->name, text, only_digits(text) ? "is too large a number" : "is not a whole number");
		check_range(o, text, (double)v);
		*(int64_t *)o->to = v;
		break;
	}
	case OPT_SEED:
		if (!num_uint(text, o->to))
			die_usage("--%s: '%s' is not a whole number from 0 to 18446744073709551615", o->name, text);
		break;
	case OPT_REAL: {
		double v;
		if (!num_real(text, &v))
			die_usage("--%s: '%s' is not a number", o->name, text);
		check_range(o, text, v);
		*(double *)o->to = v;
		break;
	}
	case OPT_STR:
		*(const char **)o->to = text;
		break;
	case OPT_CHOICE:
		if (!is_choice(o->arg, text))
			die_usage("--%s: '%s' is not one of %s", o->name, text, o->arg);
		*(const char **)o->to = text;
		break;
	case OPT_SIZE: {
		struct opt_size *z = o->to;
		if (!num_size(text, &z->w, &z->h))
			die_usage("--%s: '%s' is not WxH, each 1 to 65535", o->name, text);
		break;
	}
	case OPT_LIST: {
		struct opt_list *l = o->to;
		if (!given)
			l->n = 0;
		if (l->n == LIST_MAX)
			die_usage("--%s: given more than %d times", o->name, LIST_MAX);
		l->v[l->n++] = text;
		break;
	}
	}
}

/* A closed descriptor would be taken by the first file opened, and messages would land in it. Opened the wrong way round, it gives
 * an error to whoever uses it. */
static void hold_std(void)
{
	for (int fd = 0; fd < 3; fd++)
		if (fcntl(fd, F_GETFD) < 0)
			(void)!open("/dev/null", fd == STDOUT_FILENO ? O_RDONLY : O_WRONLY);
}

/* The option that getopt_long refused, as the user wrote it. */
NORETURN static void refuse(const struct opt_prog *p, int n, int what, const char *word)
{
	const struct opt *o = NULL;
	for (int i = 0; i < n; i++)
		if (optopt && (optopt == p->opts[i].letter || optopt == 256 + i))
			o = &p->opts[i];
	assert(o || what != ':');
	if (what == ':')
		die_usage("--%s needs %s", o->name, argument(o));
	if (optopt == 'h' || optopt == 'V' || (o && optopt >= 256))
		die_usage("--%s takes no value", o ? o->name : optopt == 'h' ? "help" : "version");
	if (optopt)
		die_usage("unknown option '-%c'", optopt);
	char *bare = xprintf("%.*s", (int)strcspn(word, "="), word);
	die_usage("unknown option '%s'", bare);
}

char **opt_parse(const struct opt_prog *p, int argc, char **argv, int *n)
{
	struct option longs[OPTS_MAX + 3] = {0};
	char shorts[2 * OPTS_MAX + 4] = ":hV"; /* the colon tells a missing argument from an unknown option */
	int given[OPTS_MAX] = {0}, nopts = 0, c;
	char *s = shorts + strlen(shorts);
	err_name(p->name);
	hold_std();
	table = p->opts;
	program = p->name;
	for (const struct opt *o = p->opts; o->name; o++, nopts++) {
		assert(nopts < OPTS_MAX && o->letter != 'h' && o->letter != 'V');
		int has = o->kind != OPT_FLAG;
		longs[nopts] = (struct option){o->name, has, NULL, 256 + nopts};
		if (o->letter) {
			*s++ = o->letter;
			if (has)
				*s++ = ':';
		}
		free(defaults[nopts]);
		defaults[nopts] = value_text(o);
	}
	*s = 0;
	longs[nopts] = (struct option){"help", no_argument, NULL, 'h'};
	longs[nopts + 1] = (struct option){"version", no_argument, NULL, 'V'};
	opterr = 0;
	optind = 0; /* glibc: begin anew */
	while ((c = getopt_long(argc, argv, shorts, longs, NULL)) != -1) {
		if (c == 'h')
			help(p);
		if (c == 'V') {
			printf("%s %s\n", p->name, KEYPIPE_VERSION);
			exit(finish());
		}
		if (c == '?' || c == ':')
			refuse(p, nopts, c, argv[optind - 1]);
		int i = c - 256;
		if (c < 256)
			for (i = 0; p->opts[i].letter != c;)
				i++;
		store(&p->opts[i], optarg, given[i]++);
	}
	*n = argc - optind;
	if (*n < p->min)
		die_usage("too few operands: %d given, at least %d needed", *n, p->min);
	if (*n > p->max)
		die_usage("unexpected operand '%s'", argv[optind + p->max]);
	return argv + optind;
}

/* ---- the line of history ---- */

/* A value as a shell reads it, so that the line can be run again; control characters by escapes, so that it stays a line. */
static char *quote(const char *v)
{
	static const char plain[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-+=.,:/@%^";
	int control = 0;
	for (const char *s = v; *s; s++)
		control |= (unsigned char)*s < 0x20 || *s == 0x7f;
	if (*v && !v[strspn(v, plain)])
		return xstrdup(v);
	char *q = xmalloc(4 * strlen(v) + 4), *to = q;
	to += sprintf(to, control ? "$'" : "'");
	for (; *v; v++) {
		if ((unsigned char)*v < 0x20 || *v == 0x7f)
			to += sprintf(to, "\\%03o", (unsigned)*v);
		else if (*v == '\'' || (control && *v == '\\'))
			to += sprintf(to, control ? "\\%c" : "'\\%c'", *v);
		else
			*to++ = *v;
	}
	strcpy(to, "'");
	return q;
}

static void add(const char *name, const char *value)
{
	line = join(line, " --", name);
	if (value) {
		char *q = quote(value);
		line = join(line, " ", q);
		free(q);
	}
}

const char *opt_line(void)
{
	free(line);
	line = xprintf("%s %s", program, KEYPIPE_VERSION);
	for (const struct opt *o = table; o->name; o++) {
		const char *was = defaults[o - table];
		char *is = o->aside ? NULL : value_text(o);
		if (is && (!was || strcmp(is, was))) {
			const struct opt_list *l = o->to;
			if (o->kind == OPT_LIST)
				for (int i = 0; i < l->n; i++)
					add(o->name, l->v[i]);
			else
				add(o->name, o->kind == OPT_FLAG ? NULL : is);
		}
		free(is);
	}
	return line;
}
