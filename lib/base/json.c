#include <assert.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/json.h"
#include "lib/base/utf8.h"

static void separate(struct json *j)
{
	if (j->keyed)
		j->keyed = 0;
	else if (j->begun[j->depth]++)
		out_write(j->to, ", ", 2);
}

void json_begin(struct json *j, struct out *to)
{
	memset(j, 0, sizeof *j);
	j->to = to;
	out_write(to, "{", 1);
}

void json_finish(struct json *j)
{
	assert(j->depth == 0 && !j->keyed);
	out_write(j->to, "}\n", 2);
}

void json_key(struct json *j, const char *key)
{
	json_key_text(j, key, strlen(key));
}

void json_key_text(struct json *j, const char *key, size_t n)
{
	json_text(j, key, n);
	out_write(j->to, ": ", 2);
	j->keyed = 1;
}

void json_open(struct json *j, char bracket)
{
	assert(j->depth < 15);
	separate(j);
	out_write(j->to, &bracket, 1);
	j->begun[++j->depth] = 0;
}

void json_close(struct json *j, char bracket)
{
	assert(j->depth > 0 && !j->keyed);
	j->depth--;
	out_write(j->to, &bracket, 1);
}

void json_text(struct json *j, const char *s, size_t n)
{
	separate(j);
	out_write(j->to, "\"", 1);
	for (size_t i = 0; i < n;) {
		unsigned char c = (unsigned char)s[i];
		size_t len = utf8_length((const unsigned char *)s + i, n - i);
		if (c == '"' || c == '\\')
			out_printf(j->to, "\\%c", c);
		else if (c == '\n')
			out_write(j->to, "\\n", 2);
		else if (c < 0x20 || c == 0x7F)
			out_printf(j->to, "\\u%04x", c);
		else if (!len)
			out_write(j->to, "\\ufffd", 6);
		else if (c == 0xC2 && (unsigned char)s[i + 1] < 0xA0) /* U+0080 to U+009F: control characters to some terminals */
			out_printf(j->to, "\\u%04x", (unsigned char)s[i + 1]);
		else
			out_write(j->to, s + i, len);
		i += len ? len : 1;
	}
	out_write(j->to, "\"", 1);
}

void json_string(struct json *j, const char *s)
{
	json_text(j, s, strlen(s));
}

void json_real(struct json *j, double v)
{
	char buf[32];
	separate(j);
	out_printf(j->to, "%s", isfinite(v) ? json_digits(buf, v, 0) : "null");
}

void json_uint(struct json *j, uint64_t v)
{
	separate(j);
	out_printf(j->to, "%" PRIu64, v);
}

void json_literal(struct json *j, const char *text)
{
	separate(j);
	out_printf(j->to, "%s", text);
}

const char *json_digits(char *buf, double v, int single)
{
	for (int p = single ? 6 : 15; p <= 17; p++) {
		snprintf(buf, 32, "%.*g", p, v);
		if (!isfinite(v) || (single ? strtof(buf, NULL) == (float)v : strtod(buf, NULL) == v))
			break;
	}
	return buf;
}
