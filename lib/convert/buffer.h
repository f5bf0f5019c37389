/* A text that grows in memory, where a file says how long its header is before the header itself. Begins as {0}; buffer_free ends it.
 *   struct buffer t = {0};
 *   buffer_printf(&t, "%d,", 7);
 *   buffer_json(&t, key, strlen(key));
 */
#ifndef BUFFER_H
#define BUFFER_H

#include <stddef.h>

#include "lib/base/err.h"

struct buffer {
	char *p; /* zero-terminated once something was added */
	size_t n, room;
};

void buffer_add(struct buffer *t, const void *bytes, size_t n);
void buffer_printf(struct buffer *t, const char *fmt, ...) PRINTF(2, 3);
/* n bytes of UTF-8, quoted and escaped as JSON has it. */
void buffer_json(struct buffer *t, const char *s, size_t n);
void buffer_free(struct buffer *t);

#endif
