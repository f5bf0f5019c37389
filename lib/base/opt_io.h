/* Private to lib/base/opt*.c: shared by parsing, --help and opt_line. */
#ifndef OPT_IO_H
#define OPT_IO_H

#include "lib/base/err.h"
#include "lib/base/opt.h"

enum { OPT_MAX = 64 };

/* The shortest decimal that reads back as v, so that META history has the exact value; the caller frees. */
char *opt_real_text(double v);
/* a, between and b in one string (b alone where a is NULL); frees a, the caller frees the result. */
char *opt_join(char *a, const char *between, const char *b);
/* The current value, or NULL where there is none (a flag not set, NaN, no string, an empty list); the caller frees. */
char *opt_value_text(const struct opt *o);
int opt_is_named(const char *const *names, const char *name); /* names: NULL-terminated */
/* A value quoted for the shell, in one line; the caller frees. */
char *opt_quote(const char *value);
/* opt_line_difference; opts and defaults: of the program that wrote `is`, for the values of options that a line lacks; NULL: not known. */
char *opt_difference(const char *was, const char *is, const struct opt *opts, char *const *defaults);
const char *opt_argument(const struct opt *o); /* the argument's name in --help; NULL for a flag */
/* Ends the program over a word, such as --ephocs, that is no option's name: with those that it is short for, with what other
 * tools' name is here, or with the nearest name. */
void opt_unknown(const struct opt *opts, const char *word) NORETURN;
/* Ends the program where text is none of the words of an OPT_CHOICE, likewise. */
void opt_check_choice(const struct opt *o, const char *text);
/* Prints --help and exits 0; defaults: text of a value for each option, or NULL. */
void opt_help(const struct opt_prog *p, char *const *defaults) NORETURN;
/* Prints what --help is made of, for scripts that make man pages and completions, and exits 0. A line a field, with tabs between: name,
 * version, what, operands, or example (each as often as there are any) and its text; and for each option in --help's order: option LETTER
 * NAME flag|whole|real|text|choice|size|list ARGUMENT DEFAULT RANGE HELP, where LETTER, ARGUMENT, DEFAULT and RANGE ("0 to 1024", "at
 * least 1") may be empty. */
void opt_help_table(const struct opt_prog *p, char *const *defaults) NORETURN;

#endif
