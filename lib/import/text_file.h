/* A text that is read several times from its beginning: a regular file, plain or gzip (lib/base/unpack.h). Pipes, devices and folders are
 * refused, as is what its first bytes show to be of another kind. Errors are ready to print: FILE: REASON. */
#ifndef TEXT_FILE_H
#define TEXT_FILE_H

#include <stddef.h>

#include "lib/import/annotation.h"

struct text_file;

/* form: "JSON" or "XML". path is not copied. NULL: the reason is in err. */
struct text_file *text_file_open(const char *path, const char *form, char err[ANNOTATION_ERR]);
/* Reads 1 to n bytes: how many; 0 at the end; -1: the reason is in err. */
long text_file_read(struct text_file *f, void *dst, size_t n, char err[ANNOTATION_ERR]);
/* Back to the beginning. 0, or -1 and err. */
int text_file_rewind(struct text_file *f, char err[ANNOTATION_ERR]);
void text_file_free(struct text_file *f); /* f may be NULL */

#endif
