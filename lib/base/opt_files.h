/* Part of opt_parse: the files that options name. */
#ifndef OPT_FILES_H
#define OPT_FILES_H

#include "lib/base/opt.h"

/* Before any work: each file that is to be written can be, and is no input and no other one; one alone goes to stdout. Ends the program. */
void opt_files_check(const struct opt *table, char *const *operand, int n);
/* Ends the program where path, which option w writes, is also an operand or another option's file: an input would be replaced, or two
 * outputs be one. */
void opt_files_check_one(const struct opt *table, const struct opt *w, const char *path, char *const *operand, int n);

#endif
