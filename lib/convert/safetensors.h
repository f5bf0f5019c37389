/* Tensors as Hugging Face's safetensors has them: a length of 64 bits, a JSON object of types, shapes and places, and of texts
 * (`__metadata__`), then the values. As its own reader does, a file is refused whose tensors overlap or leave bytes between them. */
#ifndef SAFETENSORS_H
#define SAFETENSORS_H

#include "lib/convert/array.h"

enum { SAFETENSORS_HEADER = 100000000 }; /* bytes of a header, at most, as there */

int safetensors_is(const unsigned char *p, size_t n);
/* Adds the tensors and METAs of the file in n bytes at p, not copied. A type that streams lack is no fault (dtype 0). 0, or -1 and s->err.
 */
int safetensors_parse(struct arrays *s, const unsigned char *p, size_t n);
/* Length and header, with METAs and what metas_note says of the stream (NULL: nothing). order (s->n): the arrays in the order in which
 * their values follow, wider types first, so that each lies at a multiple of its size. */
void safetensors_header(struct buffer *to, const struct arrays *s, const char *note, int *order);

#endif
