/* A program's options as one table, for parsing, range checks, --help (with the defaults out of the program's struct) and the program's
 * line in META history; man pages and completions are made of it too (--help=table, for pipelines/install.sh). -h/--help and -V/--version
 * are always there. */
#ifndef OPT_H
#define OPT_H

#include <stdint.h>

#define KEYPIPE_VERSION "0.2.0"

enum opt_kind {
	OPT_FLAG,   /* int: set to 1 */
	OPT_INT,    /* int64_t in [min, max] */
	OPT_SEED,   /* uint64_t, any */
	OPT_REAL,   /* double in [min, max] */
	OPT_STR,    /* const char * */
	OPT_CHOICE, /* const char *, one of arg's words: "ref|cpu|cuda" */
	OPT_SIZE,   /* struct opt_size, "WxH" */
	OPT_LIST,   /* struct opt_list: may be repeated */
	OPT_WAS,    /* another spelling of the option that arg names, which --help does not list; see OPT_RENAMED */
};

struct opt_size {
	int w, h;
};

struct opt_list {
	int n;
	const char *v[64];
};

struct opt {
	char letter;	  /* 0: none */
	const char *name; /* long name */
	enum opt_kind kind;
	void *to;	  /* where the default is read and the value stored */
	double min, max;  /* OPT_INT and OPT_REAL; both 0: any (OPT_INT: not negative) */
	const char *arg;  /* name of the argument in --help; with a comma in it, "NAME,...", it is a list, whose items are not empty */
	const char *help; /* what it does, without the default */
	int no_history;	  /* 1: does not affect the result, so it is left out of META history (paths, threads, display) */
};

#define OPT_END                                                                                                                            \
	{                                                                                                                                  \
		0, 0, OPT_FLAG, 0, 0, 0, 0, 0, 0                                                                                           \
	}
#define OPT_OUTPUT(to)                                                                                                                     \
	{                                                                                                                                  \
		'o', "output", OPT_STR, to, 0, 0, "FILE", "write to FILE, which appears whole or not at all, instead of stdout", 1         \
	}
#define OPT_THREADS(to)                                                                                                                    \
	{                                                                                                                                  \
		't', "threads", OPT_INT, to, 0, 1024, "N", "threads; 0: one a processor", 1                                                \
	}
#define OPT_THREADS_ONE(to)                                                                                                                \
	{                                                                                                                                  \
		't', "threads", OPT_INT, to, 0, 1024, "N", "for likeness with the other programs: this one uses one", 1                    \
	}
#define OPT_QUIET(to)                                                                                                                      \
	{                                                                                                                                  \
		'q', "quiet", OPT_FLAG, to, 0, 0, 0, "no progress and no summary on stderr", 1                                             \
	}
#define OPT_SEEDED(to)                                                                                                                     \
	{                                                                                                                                  \
		's', "seed", OPT_SEED, to, 0, 0, "N", "seed of all random numbers", 0                                                      \
	}
#define OPT_DEVICE(to)                                                                                                                     \
	{                                                                                                                                  \
		'd', "device", OPT_CHOICE, to, 0, 0, "ref|cpu|cuda", "which backend computes; cuda:N: on GPU N", 1                         \
	}

#define OPT_PATCHES(to)                                                                                                                    \
	{                                                                                                                                  \
		0, "patches", OPT_CHOICE, to, 0, 0, "all|positive", "learn from all patches, or from those whose label is not 0", 0        \
	}

#define OPT_PRECISION(to)                                                                                                                  \
	{                                                                                                                                  \
		0, "precision", OPT_CHOICE, to, 0, 0, "fp32|tf32|bf16",                                                                    \
			"what factors of products are rounded to; sums and weights stay fp32. cuda: tf32 by default; cpu: fp32 by "        \
			"default, or bf16, faster where the processor has it",                                                             \
			0                                                                                                                  \
	}

/* What was called old goes on working as now. */
#define OPT_RENAMED(old, now)                                                                                                              \
	{                                                                                                                                  \
		0, old, OPT_WAS, 0, 0, 0, now, 0, 1                                                                                        \
	}

struct opt_prog {
	const char *name;	 /* program */
	const char *what;	 /* one line: what it makes of its input */
	const char *operands;	 /* as in usage: "[CSV]"; "" for none */
	int min, max;		 /* number of operands */
	const struct opt *opts;	 /* ends with OPT_END */
	const char *examples[5]; /* pipelines, NULL after the last */
};

/* Parses argv, or prints --help or --version and exits 0, or ends in die_usage. Returns the operands (NULL-terminated, *n of them),
 * which point into argv. Calls err_name. */
char **opt_parse(const struct opt_prog *p, int argc, char **argv, int *n);

/* Index in argv of the first operand, where options are those of the table, 0 if there is none: for programs whose first operand says which
 * table it is. */
int opt_first_operand(const struct opt *table, int argc, char **argv);

/* "name version --opt value ...": every option that affects the result and differs from its default, in table order.
 * After opt_parse; valid until the next call, not to be freed. */
const char *opt_line(void);
/* The same without the options of these names (NULL-terminated): what a run that goes on must agree with. */
const char *opt_line_without(const char *const *names);
/* How many times the command line gave the option of this long name; after opt_parse. */
int opt_given(const char *name);
/* After opt_parse: for the sake of this option a file is written whose name the program makes: ends the program where it is an input or
 * another option's file, or can't be written, as opt_parse does for --output, --report and others. */
void opt_writes(const char *name, const char *path);
/* Sets an option as if the command line gave it; for presets, of which opt_line then tells every value. Ends the program like opt_parse. */
void opt_set(const char *name, const char *value);
/* The value of this option as text, as opt_line would have it; NULL: none; to be freed. */
char *opt_setting(const char *name);
/* The command as it was given, quoted for the shell; after opt_parse, not to be freed. */
const char *opt_command(void);
/* For err_set_then, to be freed: "| PROGRAM --name value --opt ... -", options as given (name NULL: only these); >OTHER if too long. */
char *opt_piped(const char *name, const char *value);
/* How two such lines differ, the second this program's: "--batch is 51, was 64, the default; other data", for a message; the caller frees.
 * Before opt_parse, and of another version, defaults are not known: "was default". */
char *opt_line_difference(const char *was, const char *is);

#endif
