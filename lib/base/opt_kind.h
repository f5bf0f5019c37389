/* A program whose first operand says which of several kinds of work it does, each with a table of options: `render faces ...`. */
#ifndef OPT_KIND_H
#define OPT_KIND_H

#include "lib/base/opt.h"

/* Which of n kinds, by the first operand, which is taken out of argv: argc - 1 arguments are left for opt_parse of that kind.
 * kinds[i]->name is "PROGRAM KIND"; words: the kinds, "a|b|c". Where none is named: --help and --version are those of prog, else wrong use,
 * told with missing ("what to draw is missing: ...") or what may have been meant. */
int opt_kind(const struct opt_prog *prog, const struct opt_prog *const *kinds, int n, const char *words, const char *missing, int argc,
	char **argv);

#endif
