/* A small JSON writer: it inserts commas and quotes itself. Numbers are written as the shortest decimals that read back as the same value;
 * NaN and infinities, which JSON lacks, become null. Bytes that are not UTF-8 become U+FFFD. */
#ifndef JSON_H
#define JSON_H

#include <stddef.h>
#include <stdint.h>

#include "lib/base/out.h"

struct json {
	struct out *to;
	int depth;
	int begun[16]; /* a value was written at this depth already */
	int keyed;     /* a key was written, its value follows */
};

void json_begin(struct json *j, struct out *to); /* opens the outermost object */
void json_finish(struct json *j);		 /* closes it and ends the line */
void json_key(struct json *j, const char *key);
void json_key_text(struct json *j, const char *key, size_t n);
void json_open(struct json *j, char bracket);  /* '{' or '[', at most 15 deep (assert) */
void json_close(struct json *j, char bracket); /* '}' or ']' */
void json_text(struct json *j, const char *s, size_t n);
void json_string(struct json *j, const char *s); /* zero-terminated */
void json_real(struct json *j, double v);
void json_uint(struct json *j, uint64_t v);
void json_literal(struct json *j, const char *text); /* a number that the caller has formatted */

/* Formats v into buf (32 bytes at least) with the fewest digits that read back as the same double, single: the same float. Returns buf. */
const char *json_digits(char *buf, double v, int single);

#endif
