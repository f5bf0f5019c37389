/* Decompresses gzip (RFC 1952); concatenated members are one text. Compressed bytes come from a callback; text is read in pieces of any
 * size: the same bytes, and the same error after them, whatever the sizes. */
#ifndef GUNZIP_H
#define GUNZIP_H

#include <stddef.h>

enum { GUNZIP_ERR = 256 }; /* bytes of an error message */

/* Reads up to n bytes into dst: how many, 0 at the end, or -1 and the reason in err. */
typedef long gunzip_from(void *arg, unsigned char *dst, size_t n, char err[GUNZIP_ERR]);

struct gunzip;

/* first: n bytes that precede those of from, copied. NULL: no memory for inflate. */
struct gunzip *gunzip_new(gunzip_from *from, void *arg, const void *first, size_t n);
/* Reads 1 to n bytes of text into dst: how many, 0 at the end, or -1 and the reason (truncated, damaged, or followed by other data) in
 * err; every later call returns the same error. */
long gunzip_read(struct gunzip *g, unsigned char *dst, size_t n, char err[GUNZIP_ERR]);
void gunzip_free(struct gunzip *g);

#endif
