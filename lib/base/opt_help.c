/* Option values as text, and --help, for people and for scripts, with the defaults out of the program's struct. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/opt_io.h"
#include "lib/base/out.h"

enum { WIDTH = 80 };

static const char HELP[] = "print this text", VERSION[] = "print name and version";

char *opt_real_text(double v)
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

char *opt_join(char *a, const char *between, const char *b)
{
	char *s = a ? xprintf("%s%s%s", a, between, b) : xstrdup(b);
	free(a);
	return s;
}

char *opt_value_text(const struct opt *o)
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
		return isnan(*(const double *)o->to) ? NULL : opt_real_text(*(const double *)o->to);
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
			s = opt_join(s, ", ", l->v[i]);
		return s;
	}
	case OPT_WAS:
		break;
	}
	return NULL;
}

const char *opt_argument(const struct opt *o)
{
	return o->kind == OPT_FLAG ? NULL : o->arg ? o->arg : "VALUE";
}

/* Prints text from column at on, wrapped between words at WIDTH columns; further lines begin at column indent. */
static void wrap(const char *text, int at, int indent)
{
	int line_start = 1;
	while (*text) {
		int n = (int)strcspn(text, " ");
		if (!line_start && at + 1 + n > WIDTH) {
			printf("\n%*s", indent, "");
			at = indent, line_start = 1;
		}
		at += printf("%s%.*s", line_start ? "" : " ", n, text);
		line_start = 0;
		text += n;
		text += strspn(text, " ");
	}
	putchar('\n');
}

static char *option_text(char letter, const char *name, const char *arg)
{
	char *s = letter ? xprintf("  -%c, --%s", letter, name) : xprintf("      --%s", name);
	return arg ? opt_join(s, " ", arg) : s;
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

void opt_help(const struct opt_prog *p, char *const *defaults)
{
	printf("usage: %s [options]%s%s\n", p->name, *p->operands ? " " : "", p->operands);
	wrap(p->what, 0, 0);
	printf("\noptions:\n");
	int column = 0;
	for (const struct opt *o = p->opts; o->name; o++) {
		if (o->kind == OPT_WAS)
			continue;
		char *left = option_text(o->letter, o->name, opt_argument(o));
		int n = (int)strlen(left) + 2;
		if (n <= 32 && n > column)
			column = n;
		free(left);
	}
	if (column < 17) /* as wide as --version */
		column = 17;
	for (const struct opt *o = p->opts; o->name; o++)
		if (o->kind != OPT_WAS)
			help_option(o->letter, o->name, opt_argument(o), o->help, defaults[o - p->opts], column);
	help_option('h', "help", NULL, HELP, NULL, column);
	help_option('V', "version", NULL, VERSION, NULL, column);
	for (int i = 0; i < 5 && p->examples[i]; i++)
		printf("%s  %s\n", i ? "" : "\nexamples:\n", p->examples[i]);
	exit(finish());
}

/* ---- for scripts ---- */

static const char *kind_text(enum opt_kind kind)
{
	static const char *const names[] = {"flag", "whole", "whole", "real", "text", "choice", "size", "list"};
	return kind < sizeof names / sizeof *names ? names[kind] : "";
}

/* "0 to 1024", or "at least 1" where there is no end to speak of; "": any; the caller frees. */
static char *range_text(const struct opt *o)
{
	if ((!o->min && !o->max) || (o->kind != OPT_INT && o->kind != OPT_REAL))
		return xstrdup("");
	char *min = opt_real_text(o->min), *max = opt_real_text(o->max);
	char *s = o->max >= 1e9 ? xprintf("at least %s", min) : xprintf("%s to %s", min, max);
	free(min), free(max);
	return s;
}

void opt_help_table(const struct opt_prog *p, char *const *defaults)
{
	printf("name\t%s\nversion\t%s\nwhat\t%s\noperands\t%s\n", p->name, KEYPIPE_VERSION, p->what, p->operands);
	for (const struct opt *o = p->opts; o->name; o++) {
		const char *arg = opt_argument(o), *shown = defaults[o - p->opts];
		char letter[] = {o->letter, 0}, *range = range_text(o);
		if (o->kind != OPT_WAS)
			printf("option\t%s\t%s\t%s\t%s\t%s\t%s\t%s\n", letter, o->name, kind_text(o->kind), arg ? arg : "",
				shown ? shown : "", range, o->help);
		free(range);
	}
	printf("option\th\thelp\tflag\t\t\t\t%s\noption\tV\tversion\tflag\t\t\t\t%s\n", HELP, VERSION);
	for (int i = 0; i < 5 && p->examples[i]; i++)
		printf("example\t%s\n", p->examples[i]);
	exit(finish());
}
