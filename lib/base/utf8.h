/* Is a text UTF-8? Names and METAs of streams are. */
#ifndef UTF8_H
#define UTF8_H

#include <stddef.h>

/* Length of the character at s, of n bytes at least 1 (RFC 3629: shortest forms only, no surrogates), or 0 if there is none. */
size_t utf8_length(const unsigned char *s, size_t n);
int utf8_valid(const unsigned char *s, size_t n); /* 1 or 0; control characters and zeros count as text */

#endif
