/* What is inside a gzip (RFC 1952); several members in a row are one text. Bytes come from a function of the caller's, text is asked for
 * piece by piece: the same bytes, and the same fault after them, whatever the pieces. */
#ifndef GUNZIP_H
#define GUNZIP_H

#include <stddef.h>

enum { GUNZIP_ERR = 256 }; /* bytes of a reason */

/* Up to n bytes to dst: how many, 0 at the end, or -1 and the reason in err. */
typedef long gunzip_from(void *arg, unsigned char *dst, size_t n, char err[GUNZIP_ERR]);

struct gunzip;

/* first: n bytes that come before those of from. NULL: no memory for inflating. */
struct gunzip *gunzip_new(gunzip_from *from, void *arg, const void *first, size_t n);
/* At least one byte of text and at most n to dst: how many, 0 at the end, or -1 and the reason (cut, damaged, or followed by something
 * else) in err, after which it says the same again. */
long gunzip_read(struct gunzip *g, unsigned char *dst, size_t n, char err[GUNZIP_ERR]);
void gunzip_free(struct gunzip *g);

#endif
