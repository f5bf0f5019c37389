/* NumPy's arrays in a file (the pages of numpy.lib.format, versions 1.0 to 3.0): magic, length, a Python dict of type, order and shape,
 * then the values. What is written is version 1.0 as numpy.save writes it, byte for byte. */
#ifndef NPY_H
#define NPY_H

#include "lib/convert/array.h"

/* Bytes in which a header that is read here ends; longer ones are of types with many fields. */
enum { NPY_HEADER = 12 + 65535 };

int npy_is(const unsigned char *p, size_t n); /* the magic */
/* Sets type, order, shape and skip of a from the header in a file's first n bytes, of NPY_HEADER where there are so many; size: of the
 * whole file. A type that streams lack is no fault (dtype 0). 0, or -1 and the reason in err. */
int npy_parse(struct array *a, const unsigned char *p, size_t n, uint64_t size, char err[ARRAY_ERR]);
/* The header of an array in C order. Only for types that NumPy has: npy_has. */
void npy_header(struct buffer *to, const struct array *a);
int npy_has(int dtype);

#endif
