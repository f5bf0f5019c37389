/* A text that grows in memory, where a file says how long its header is before the header itself. Begins as {0}; text_free ends it.
 *   struct text t = {0};
 *   text_printf(&t, "%d,", 7);
 *   text_json(&t, key, strlen(key));
 */
#ifndef TEXT_H
#define TEXT_H

#include <stddef.h>

#include "lib/base/err.h"

struct text {
	char *p; /* zero-terminated once something was added */
	size_t n, room;
};

void text_add(struct text *t, const void *bytes, size_t n);
void text_printf(struct text *t, const char *fmt, ...) PRINTF(2, 3);
/* n bytes of UTF-8, quoted and escaped as JSON has it. */
void text_json(struct text *t, const char *s, size_t n);
void text_free(struct text *t);

#endif
