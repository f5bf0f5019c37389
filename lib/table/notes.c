#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/err.h"
#include "lib/base/num.h"
#include "lib/table/notes.h"

#define BEGIN "# keypipe table 1 (tns-table --read)"
#define TENSOR "# tensor "
#define META "# meta "
#define END "# end: text "

/* ---- writing ---- */

static void escape(struct out *to, const char *s, size_t n, int key)
{
	for (size_t i = 0; i < n; i++) {
		unsigned char c = (unsigned char)s[i];
		if (c == '\n')
			out_write(to, "\\n", 2);
		else if (c == '\\')
			out_write(to, "\\\\", 2);
		else if (c < ' ' || c == 127 || (key && c == ':') || (i + 1 == n && !key && (c == ',' || c == ';')))
			out_printf(to, "\\x%02x", c);
		else
			out_write(to, &s[i], 1);
	}
}

void notes_begin(struct out *to)
{
	out_printf(to, "%s\n", BEGIN);
}

void notes_tensor(struct out *to, const struct tns_def *d)
{
	out_printf(to, TENSOR "%s %s", d->name, tns_dtype_name(d->dtype));
	for (int i = 1; i < d->ndim; i++)
		out_printf(to, "%c%" PRIu64, i > 1 ? ',' : ' ', d->dim[i]);
	out_write(to, "\n", 1);
}

void notes_meta(struct out *to, const struct tns_meta *m)
{
	out_printf(to, META);
	escape(to, m->key, m->key_len, 1);
	out_write(to, ": ", 2);
	escape(to, m->value, m->value_len, 0);
	out_write(to, "\n", 1);
}

void notes_end(struct out *to, uint32_t text, uint32_t stream, int part)
{
	out_printf(to, END "%08" PRIx32 ", %sstream %08" PRIx32 "\n", text, part ? "part of " : "", stream);
}

/* ---- reading ---- */

static enum notes_kind bad(struct notes_line *l, const char *what, const char *p, size_t n)
{
	char text[44];
	size_t k = n < 40 ? n : 40;
	for (size_t i = 0; i < k; i++)
		text[i] = (unsigned char)p[i] < ' ' || p[i] == 127 ? '?' : p[i];
	strcpy(text + k, n > 40 ? "..." : "");
	snprintf(l->err, sizeof l->err, "%s: '%s'", what, text);
	return NOTES_BAD;
}

static int hex(char c)
{
	return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* [p, e) without its escapes, zero-terminated, *n bytes; NULL where an escape is none. */
static char *unescape(const char *p, const char *e, size_t *n)
{
	char *text = xcalloc((size_t)(e - p) + 1, 1), *to = text;
	for (; p < e; p++) {
		if (*p != '\\') {
			*to++ = *p;
			continue;
		}
		if (e - p >= 2 && (p[1] == 'n' || p[1] == '\\')) {
			*to++ = *++p == 'n' ? '\n' : '\\';
		} else if (e - p >= 4 && p[1] == 'x' && hex(p[2]) >= 0 && hex(p[3]) >= 0) {
			*to++ = (char)(hex(p[2]) * 16 + hex(p[3]));
			p += 3;
		} else {
			free(text);
			return NULL;
		}
	}
	*n = (size_t)(to - text);
	return text;
}

static enum notes_kind parse_meta(struct notes_line *l, const char *p, const char *e)
{
	const char *colon = memchr(p, ':', (size_t)(e - p));
	struct tns_meta *m = &l->meta;
	*m = (struct tns_meta){NULL, NULL, 0, 0, 0};
	if (!colon || colon + 1 == e || colon[1] != ' ')
		return bad(l, "no 'key: value'", p, (size_t)(e - p));
	m->key = unescape(p, colon, &m->key_len);
	m->value = unescape(colon + 2, e, &m->value_len);
	if (m->key && m->value && m->key_len && m->key_len < 65536 && !memchr(m->key, 0, m->key_len))
		return NOTES_META;
	free(m->key), free(m->value);
	return bad(l, "no META", p, (size_t)(e - p));
}

static int parse_dims(struct tns_def *d, char *dims)
{
	for (char *next = dims; next;) {
		char *s = strsep(&next, ",");
		if (d->ndim == 8 || !num_uint(s, &d->dim[d->ndim]) || !d->dim[d->ndim] ||
			__builtin_mul_overflow(d->row_bytes, d->dim[d->ndim], &d->row_bytes) || d->row_bytes > TNS_CHUNK_MAX)
			return -1;
		d->ndim++;
	}
	return 0;
}

static enum notes_kind parse_tensor(struct notes_line *l, const char *p, const char *e)
{
	static const char valid[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._/-";
	char text[512], *next = text;
	struct tns_def *d = &l->def;
	size_t n = (size_t)(e - p);
	if (n >= sizeof text || memchr(p, 0, n))
		return bad(l, "no tensor", p, n);
	memcpy(text, p, n);
	text[n] = 0;
	const char *name = strsep(&next, " "), *type = strsep(&next, " ");
	*d = (struct tns_def){.ndim = 1, .dim = {TNS_UNLIMITED}};
	if (!*name || strlen(name) > 255 || name[strspn(name, valid)])
		return bad(l, "no name of a tensor", p, n);
	strcpy(d->name, name);
	for (int t = TNS_U8; type && t <= TNS_BOOL; t++)
		if (!strcmp(type, tns_dtype_name(t)))
			d->dtype = t;
	d->row_bytes = tns_size(d->dtype);
	if (!d->dtype || (next && parse_dims(d, next) < 0))
		return bad(l, "no type and dimensions of a tensor", p, n);
	return NOTES_TENSOR;
}

/* Eight hexadecimal digits; moves *p behind them. */
static int parse_crc(const char **p, const char *e, uint32_t *to)
{
	*to = 0;
	for (int i = 0; i < 8; i++, (*p)++) {
		if (*p == e || hex(**p) < 0)
			return 0;
		*to = *to << 4 | (uint32_t)hex(**p);
	}
	return 1;
}

static int starts(const char **p, const char *e, const char *word)
{
	size_t n = strlen(word);
	if ((size_t)(e - *p) < n || memcmp(*p, word, n))
		return 0;
	*p += n;
	return 1;
}

enum notes_kind notes_parse(struct notes_line *l, const unsigned char *line, const unsigned char *end)
{
	const char *p = (const char *)line, *e = (const char *)end;
	while (e > p && (e[-1] == ',' || e[-1] == ';' || e[-1] == '\t')) /* of a spreadsheet, which writes as many fields as rows have */
		e--;
	if ((size_t)(e - p) == strlen(BEGIN) && !memcmp(p, BEGIN, strlen(BEGIN)))
		return NOTES_BEGIN;
	if (starts(&p, e, TENSOR))
		return parse_tensor(l, p, e);
	if (starts(&p, e, META))
		return parse_meta(l, p, e);
	if (!starts(&p, e, END))
		return NOTES_OTHER;
	int good = parse_crc(&p, e, &l->text) && starts(&p, e, ", ");
	l->part = starts(&p, e, "part of ");
	if (good && starts(&p, e, "stream ") && parse_crc(&p, e, &l->stream) && p == e)
		return NOTES_END;
	return bad(l, "no end", (const char *)line, (size_t)(end - line));
}
