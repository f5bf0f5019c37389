/* A tiny JSON writer: commas and quotes are put where they belong, one value after another. Numbers are shortest decimals that read back
 * as the same value; NaN and infinities, which JSON lacks, become null. Bytes that are no UTF-8 become U+FFFD. */
#ifndef JSON_H
#define JSON_H

#include <stddef.h>
#include <stdint.h>

#include "lib/base/out.h"

struct json {
	struct out *to;
	int depth;
	int begun[16]; /* something stands at this depth already */
	int keyed;     /* a key was written, its value follows */
};

void json_begin(struct json *j, struct out *to); /* opens the outermost object */
void json_finish(struct json *j);		 /* closes it, and the line */
void json_key(struct json *j, const char *key);
void json_key_text(struct json *j, const char *key, size_t n);
void json_open(struct json *j, char bracket);  /* '{' or '[', at most 15 deep (assert) */
void json_close(struct json *j, char bracket); /* '}' or ']' */
void json_text(struct json *j, const char *s, size_t n);
void json_string(struct json *j, const char *s); /* zero-terminated */
void json_real(struct json *j, double v);
void json_uint(struct json *j, uint64_t v);
void json_literal(struct json *j, const char *text); /* a number as the caller wrote it */

/* v in buf (32 bytes at least) with as few digits as read back as the same double, or as the same float where single. */
const char *json_digits(char *buf, double v, int single);

#endif
