/* Parsing of the option table by getopt_long, and the program's line in META history. */
#include <assert.h>
#include <ctype.h>
#include <fcntl.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/base/num.h"
#include "lib/base/opt_files.h"
#include "lib/base/opt_io.h"
#include "lib/base/out.h"

enum { PIPED_MAX = 200, LIST_MAX = sizeof((struct opt_list *)0)->v / sizeof(char *) };

static const struct opt *table; /* as parsed, for opt_line */
static const char *program;
static char *defaults[OPT_MAX]; /* values before parsing, as text; NULL: none */
static char *line, *command;
static int given[OPT_MAX];
static char **operands;
static char **words; /* as given, options before operands */
static int noperands, nwords;

/* ---- parsing ---- */

static void check_range(const struct opt *o, const char *text, double v)
{
	if (!o->min && !o->max) {
		if (o->kind == OPT_INT && v < 0)
			die_usage("--%s: %s is below 0", o->name, text);
		return;
	}
	if (v < o->min || v > o->max) {
		char *min = opt_real_text(o->min), *max = opt_real_text(o->max);
		die_usage("--%s: %s is outside %s to %s", o->name, text, min, max);
	}
}

static int only_digits(const char *s)
{
	s += *s == '-';
	return *s && !s[strspn(s, "0123456789")];
}

/* A list, by its argument's name, has no empty items; it may be empty where that is its default. */
static void check_list(const struct opt *o, const char *text)
{
	size_t n = strlen(text);
	const char *empty = defaults[o - table];
	if (!o->arg || !strchr(o->arg, ',') || (!n && empty && !*empty))
		return;
	if (!n || *text == ',' || text[n - 1] == ',' || strstr(text, ",,"))
		die_usage("--%s: '%s': an empty item", o->name, text);
}

/* An empty name of a file, as of a variable of the shell that is not set. */
static void check_file(const struct opt *o, const char *text)
{
	static const char *const kinds[] = {"FILE", "TABLE", "MODEL", "DIR", "OUT"};
	for (size_t i = 0; o->arg && !*text && i < sizeof kinds / sizeof *kinds; i++)
		if (!strcmp(o->arg, kinds[i]))
			die_usage("--%s: the name of a file is empty", o->name);
}

/* before: how many times the option came already. The first value of a list replaces its default. */
static void store(const struct opt *o, char *text, int before)
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
		check_list(o, text), check_file(o, text);
		*(const char **)o->to = text;
		break;
	case OPT_CHOICE:
		opt_check_choice(o, text);
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
		check_list(o, text), check_file(o, text);
		if (!before)
			l->n = 0;
		if (l->n == LIST_MAX)
			die_usage("--%s: given more than %d times", o->name, LIST_MAX);
		l->v[l->n++] = text;
		break;
	}
	case OPT_WAS:
		break; /* opt_parse stores into the option that it is now */
	}
}

/* Opens closed descriptors 0 to 2: the first file opened would get one, and messages would be written into it. The access mode is the
 * wrong one on purpose, so that reading stdin or writing stdout is an error. */
static void reserve_std_fds(void)
{
	for (int fd = 0; fd < 3; fd++)
		if (fcntl(fd, F_GETFD) < 0)
			(void)!open("/dev/null", fd == STDOUT_FILENO ? O_RDONLY : O_WRONLY);
}

/* Ends the program over a letter that is no option; the other case of it may be one. */
NORETURN static void die_letter(const struct opt_prog *p, int letter)
{
	for (const struct opt *o = p->opts; o->name; o++)
		if (o->letter && (o->letter ^ 0x20) == letter && isalpha(letter))
			die_usage("unknown option '-%c' (did you mean -%c, --%s?)", letter, o->letter, o->name);
	if (letter == 'v' || letter == 'H')
		die_usage("unknown option '-%c' (did you mean -%s?)", letter, letter == 'v' ? "V, --version" : "h, --help");
	die_usage("unknown option '-%c'", letter);
}

/* Ends the program over an option that getopt_long rejected; what: its return value, word: the argument as given. */
NORETURN static void die_rejected(const struct opt_prog *p, int n, int what, const char *word)
{
	const struct opt *o = NULL;
	for (int i = 0; i < n; i++)
		if (optopt && (optopt == p->opts[i].letter || optopt == 256 + i))
			o = &p->opts[i];
	assert(o || what != ':');
	if (what == ':')
		die_usage("--%s needs %s", o->name, opt_argument(o));
	if (optopt == 'h' || optopt == 'V' || (o && optopt >= 256))
		die_usage("--%s takes no value", o ? o->name : optopt == 'h' ? "help" : "version");
	if (optopt)
		die_letter(p, optopt);
	opt_unknown(p->opts, word);
}

/* A value quoted for the shell, so that the line can be run again; control characters escaped, so that it stays one line. */
char *opt_quote(const char *v)
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

static void set_command(const char *name, int argc, char **argv)
{
	free(command);
	command = xstrdup(name);
	for (int i = 1; i < argc; i++) {
		char *word = opt_quote(argv[i]);
		command = opt_join(command, " ", word);
		free(word);
	}
}

const char *opt_command(void)
{
	return command;
}

char *opt_piped(const char *name, const char *value)
{
	char *word = name ? opt_quote(value) : NULL,
	     *text = xprintf("| %s%s%s%s%s", program, name ? " --" : "", name ? name : "", name ? " " : "", name ? word : "");
	for (int i = 1; i < nwords; i++) {
		free(word);
		word = opt_quote(words[i]);
		text = opt_join(text, " ", word);
	}
	free(word);
	text = opt_join(text, " -", "");
	if (strlen(text) <= PIPED_MAX)
		return text;
	free(text);
	return xstrdup(">OTHER");
}

int opt_is_named(const char *const *names, const char *name)
{
	for (; names && *names; names++)
		if (!strcmp(*names, name))
			return 1;
	return 0;
}

static const struct opt *find(const char *name)
{
	const struct opt *o = table;
	while (strcmp(o->name, name))
		o++;
	assert(o->kind != OPT_WAS); /* an older name has no value */
	return o;
}

int opt_given(const char *name)
{
	return given[find(name) - table];
}

char *opt_setting(const char *name)
{
	return opt_value_text(find(name));
}

void opt_set(const char *name, const char *value)
{
	store(find(name), xstrdup(value), 0); /* kept: the option may point into it */
}

void opt_writes(const char *name, const char *path)
{
	opt_files_check_one(table, find(name), path, operands, noperands);
	out_check(path, 0);
}

/* word: of a letter and its value in one, "epochs" of -epochs: which would be -e with the value pochs. */
static void check_dashes(const char *word)
{
	for (const struct opt *o = table; o->name; o++)
		if (!strcmp(word, o->name))
			die_usage("'-%s' is -%c with the value '%s'; the long name has two dashes: --%s", word, word[0], word + 1, word);
}

char **opt_parse(const struct opt_prog *p, int argc, char **argv, int *n)
{
	struct option longs[OPT_MAX + 3] = {0};
	char shorts[2 * OPT_MAX + 4] = ":hV"; /* the colon: ':' is returned for a missing argument, nothing is printed */
	int nopts = 0, c;
	memset(given, 0, sizeof given);
	char *s = shorts + strlen(shorts);
	err_name(p->name);
	reserve_std_fds();
	signal(SIGXFSZ, SIG_IGN); /* stdout at a file size limit, too, is an error of write (EFBIG) */
	set_command(p->name, argc, argv);
	table = p->opts;
	program = p->name;
	for (const struct opt *o = p->opts; o->name; o++, nopts++) {
		assert(nopts < OPT_MAX && o->letter != 'h' && o->letter != 'V');
		const struct opt *now = o->kind == OPT_WAS ? find(o->arg) : o;
		int has = now->kind != OPT_FLAG;
		longs[nopts] = (struct option){o->name, has, NULL, 256 + (int)(now - p->opts)};
		if (o->letter) {
			*s++ = o->letter;
			if (has)
				*s++ = ':';
		}
		free(defaults[nopts]);
		defaults[nopts] = opt_value_text(o);
	}
	*s = 0;
	longs[nopts] = (struct option){"help", no_argument, NULL, 'h'};
	longs[nopts + 1] = (struct option){"version", no_argument, NULL, 'V'};
	if (argc == 2 && !strcmp(argv[1], "--help=table"))
		opt_help_table(p, defaults);
	optind = 0; /* glibc: reinitialise */
	while ((c = getopt_long(argc, argv, shorts, longs, NULL)) != -1) {
		if (c == 'h')
			opt_help(p, defaults);
		if (c == 'V') {
			printf("%s %s\n", p->name, KEYPIPE_VERSION);
			exit(finish());
		}
		if (c == '?' || c == ':')
			die_rejected(p, nopts, c, argv[optind - 1]);
		int i = c - 256;
		if (c < 256)
			for (i = 0; p->opts[i].letter != c;)
				i++;
		if (c < 256 && optarg && optarg == argv[optind - 1] + 2)
			check_dashes(argv[optind - 1] + 1);
		store(&p->opts[i], optarg, given[i]++);
	}
	*n = argc - optind;
	operands = argv + optind, noperands = *n;
	words = argv, nwords = optind > 1 && !strcmp(argv[optind - 1], "--") ? optind - 1 : optind;
	opt_files_check(p->opts, operands, *n);
	if (*n < p->min)
		die_usage("too few operands: %d given, at least %d needed", *n, p->min);
	if (*n > p->max)
		die_usage("unexpected operand '%s'", argv[optind + p->max]);
	for (int i = 0; i < *n; i++)
		if (!*operands[i])
			die_usage("operand %d is empty, as that of a shell variable without a value", i + 1);
	return argv + optind;
}

/* Whether the word is an option of the table whose value is the next word. */
static int takes_next(const struct opt *table, const char *word)
{
	for (const struct opt *o = table; word[1] == '-' && o->name; o++)
		if (!strncmp(o->name, word + 2, strlen(word + 2)))
			return o->kind != OPT_FLAG;
	for (const char *c = word + 1; *c && word[1] != '-'; c++)
		for (const struct opt *o = table; o->name; o++)
			if (o->letter == *c && o->kind != OPT_FLAG)
				return !c[1];
	return 0;
}

int opt_first_operand(const struct opt *table, int argc, char **argv)
{
	for (int i = 1; i < argc; i++) {
		if (!strcmp(argv[i], "--"))
			return i + 1 < argc ? i + 1 : 0;
		if (argv[i][0] != '-' || !argv[i][1])
			return i;
		i += takes_next(table, argv[i]);
	}
	return 0;
}

/* ---- the line in META history ---- */

static void add(const char *name, const char *value)
{
	line = opt_join(line, " --", name);
	if (value) {
		char *q = opt_quote(value);
		line = opt_join(line, " ", q);
		free(q);
	}
}

const char *opt_line(void)
{
	return opt_line_without(NULL);
}

const char *opt_line_without(const char *const *names)
{
	free(line);
	line = xprintf("%s %s", program, KEYPIPE_VERSION);
	for (const struct opt *o = table; o->name; o++) {
		const char *was = defaults[o - table];
		char *is = o->no_history || opt_is_named(names, o->name) ? NULL : opt_value_text(o);
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

char *opt_line_difference(const char *was, const char *is)
{
	return opt_difference(was, is, table, defaults);
}
