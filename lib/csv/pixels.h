/* The competition's way to write an image: decimal numbers 0 to 255 between spaces. All processors accept exactly the same texts:
 * numbers of 1 to 3 digits, at most 255, one or more spaces between them, spaces before and after allowed, nothing else. */
#ifndef PIXELS_H
#define PIXELS_H

#include <stddef.h>

#define PIXELS_PAD 64 /* bytes that must be readable before p and from e on, and writable after out[max] */

/* Numbers of the text [p, e) to out. Returns how many, or -1 when the text is not of the above form or holds more than max of them;
 * out then holds anything. Why it was refused is for the caller to find: it happens once in a program's life. */
typedef long pixels_fn(const unsigned char *p, const unsigned char *e, unsigned char *out, size_t max);

/* The fastest way this processor has; the environment's KEYPIPE_ISA=plain|avx2|avx512 forces one, and ends the program where that is
 * unknown, or the processor lacks it. *isa, if not NULL, gets the name. */
pixels_fn *pixels_best(const char **isa);

#endif
