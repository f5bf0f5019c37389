/* Parses the competition's image text: decimal numbers 0 to 255 separated by spaces. The variants for all processors accept exactly the
 * same texts: numbers of 1 to 3 digits, at most 255, one or more spaces between them, spaces before and after allowed, nothing else. */
#ifndef PIXELS_H
#define PIXELS_H

#include <stddef.h>

#define PIXELS_PAD 64 /* bytes that must be readable before p and from e on, and writable after out[max] */

/* Parses the text [p, e) into out. Returns the number of pixels, or -1 if the text is not of the above form or has more than max; out is
 * then undefined. The caller finds the reason: programs end at the first error. */
typedef long pixels_fn(const unsigned char *p, const unsigned char *e, unsigned char *out, size_t max);

/* The fastest variant that this processor supports; the environment variable KEYPIPE_ISA=plain|avx2|avx512 forces one, and the program ends
 * if that is unknown or unsupported. *isa, if not NULL, is set to its name. */
pixels_fn *pixels_best(const char **isa);

#endif
