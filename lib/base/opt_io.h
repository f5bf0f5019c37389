/* Private to lib/base/opt*.c: what parsing, --help and the line of history share. */
#ifndef OPT_IO_H
#define OPT_IO_H

#include "lib/base/err.h"
#include "lib/base/opt.h"

enum { OPT_MAX = 64 };

/* The shortest decimal that reads back as v, so that a line of history says exactly what was used; to be freed. */
char *opt_real_text(double v);
/* a, between, b in one string; a may be NULL and is freed. */
char *opt_join(char *a, const char *between, const char *b);
/* The value that the option has now, or NULL where there is none (a flag not set, no string, an empty list); to be freed. */
char *opt_value_text(const struct opt *o);
const char *opt_argument(const struct opt *o); /* its name in --help; NULL for a flag */
/* Print --help and exit 0; defaults: a value text an option, or NULL. */
void opt_help(const struct opt_prog *p, char *const *defaults) NORETURN;

#endif
