/* Strict parsing of numbers: the whole string is a number, or it is rejected. */
#ifndef NUM_H
#define NUM_H

#include <stdint.h>

/* 1 and *to set, or 0 and *to untouched: decimal, nothing before or after it, in range of the type. */
int num_int(const char *s, int64_t *to);
int num_uint(const char *s, uint64_t *to);
/* The same for a finite decimal number (no hexadecimal, no inf, no nan). */
int num_real(const char *s, double *to);
/* "WxH", both 1 to 65535. */
int num_size(const char *s, int *w, int *h);

#endif
