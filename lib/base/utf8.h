/* Is a text UTF-8? Names and METAs of streams are. */
#ifndef UTF8_H
#define UTF8_H

#include <stddef.h>

int utf8_valid(const unsigned char *s, size_t n); /* 1 or 0; control characters and zeros count as text */

#endif
