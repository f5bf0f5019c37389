#include "lib/convert/npy.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/bytes.h"

#define MAGIC "\x93NUMPY"
enum { MAGIC_LEN = 8, ALIGN = 64, GROWTH = 21 }; /* of the first dimension, which may get digits in place */

/* What stands behind the byte order. */
static const struct {
	int dtype;
	char text[3];
} types[] = {{TNS_U8, "u1"}, {TNS_I8, "i1"}, {TNS_U16, "u2"}, {TNS_I16, "i2"}, {TNS_U32, "u4"}, {TNS_I32, "i4"}, {TNS_F32, "f4"},
	{TNS_U64, "u8"}, {TNS_I64, "i8"}, {TNS_F64, "f8"}, {TNS_F16, "f2"}, {TNS_BOOL, "b1"}};

static const char *type_of(int dtype)
{
	for (size_t i = 0; i < sizeof types / sizeof *types; i++)
		if (types[i].dtype == dtype)
			return types[i].text;
	return NULL;
}

int npy_has(int dtype)
{
	return type_of(dtype) != NULL;
}

int npy_is(const unsigned char *p, size_t n)
{
	return n >= 6 && !memcmp(p, MAGIC, 6);
}

/* ---- reading: the dict's text ---- */

struct dict {
	const char *p, *e;
	char *err;
};

static int fault(char *err, const char *fmt, ...) PRINTF(2, 3);
static int fault(char *err, const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	vsnprintf(err, ARRAY_ERR, fmt, ap);
	va_end(ap);
	return -1;
}

static int is(struct dict *d, const char *word)
{
	size_t n = strlen(word);
	while (d->p < d->e && (*d->p == ' ' || *d->p == '\n' || *d->p == '\t' || *d->p == '\r'))
		d->p++;
	if ((size_t)(d->e - d->p) < n || memcmp(d->p, word, n))
		return 0;
	d->p += n;
	return 1;
}

static int need(struct dict *d, const char *word)
{
	return is(d, word) ? 0 : fault(d->err, "the header is no dict of descr, fortran_order and shape: there is no %s", word);
}

/* A text in single or double quotes, into to (32). */
static int read_string(struct dict *d, char to[32])
{
	char quote = is(d, "'") ? '\'' : is(d, "\"") ? '"' : 0;
	size_t n = 0;
	for (; quote && d->p < d->e && *d->p != quote && *d->p != '\\' && n < 31; d->p++)
		to[n++] = *d->p;
	to[n] = 0;
	if (!quote || d->p == d->e || *d->p != quote)
		return fault(d->err, "the header is no dict of descr, fortran_order and shape: a text does not end");
	d->p++;
	return 0;
}

static int read_type(struct dict *d, struct array *a)
{
	if (!is(d, "'") && !is(d, "\"")) {
		snprintf(a->type, sizeof a->type, "%s", "of several fields");
		return 0;
	}
	d->p--;
	if (read_string(d, a->type))
		return -1;
	const char *t = a->type + (*a->type && strchr("<>|=", *a->type) != NULL);
	for (size_t i = 0; i < sizeof types / sizeof *types; i++)
		if (!strcmp(types[i].text, t))
			a->dtype = types[i].dtype;
	a->swapped = *a->type == '>' && tns_size(a->dtype) > 1;
	return 0;
}

static int read_bool(struct dict *d, int *to)
{
	*to = is(d, "True");
	return *to || is(d, "False") ? 0 : fault(d->err, "fortran_order is neither True nor False");
}

static int read_shape(struct dict *d, struct array *a)
{
	int comma = 0;
	if (!is(d, "("))
		return fault(d->err, "shape is no tuple of whole numbers");
	while (!is(d, ")")) {
		const char *first = d->p;
		uint64_t v = 0;
		int bad = a->ndim && !comma, large = 0;
		for (; d->p < d->e && *d->p >= '0' && *d->p <= '9'; d->p++)
			large |= __builtin_mul_overflow(v, (uint64_t)10, &v) || __builtin_add_overflow(v, (uint64_t)(*d->p - '0'), &v);
		if (bad || d->p == first || (*first == '0' && d->p - first > 1) || large)
			return fault(d->err, large ? "shape has a number that is too large" : "shape is no tuple of whole numbers");
		if (a->ndim == ARRAY_DIMS)
			return fault(d->err, "shape has more than %d dimensions", ARRAY_DIMS);
		a->dim[a->ndim++] = v;
		if (d->p < d->e && *d->p == 'L') /* a long of Python 2 */
			d->p++;
		comma = is(d, ",");
	}
	return a->ndim == 1 && !comma ? fault(d->err, "shape is no tuple of whole numbers") : 0;
}

static int read_dict(struct dict *d, struct array *a)
{
	static const char *const keys[] = {"descr", "fortran_order", "shape"};
	int seen[3] = {0};
	if (need(d, "{"))
		return -1;
	while (!is(d, "}")) {
		char key[32];
		int k = 0;
		if (read_string(d, key) || need(d, ":"))
			return -1;
		while (k < 3 && strcmp(key, keys[k]))
			k++;
		if (k == 3 || seen[k]++)
			return fault(d->err, "the header has %s key '%s'", k == 3 ? "an unknown" : "twice the", key);
		if (k == 0 ? read_type(d, a) : k == 1 ? read_bool(d, &a->fortran) : read_shape(d, a))
			return -1;
		if (k == 0 && !strcmp(a->type, "of several fields"))
			return 0;
		if (!is(d, ",")) {
			if (need(d, "}"))
				return -1;
			break;
		}
	}
	for (int k = 0; k < 3; k++)
		if (!seen[k])
			return fault(d->err, "the header lacks %s", keys[k]);
	is(d, "");
	return d->p == d->e ? 0 : fault(d->err, "something follows the header's dict");
}

int npy_parse(struct array *a, const unsigned char *p, size_t n, uint64_t size, char err[ARRAY_ERR])
{
	if (!npy_is(p, n) || n < MAGIC_LEN)
		return fault(err, "it does not begin as a NumPy array (npy)");
	int major = p[6], minor = p[7], width = major == 1 ? 2 : 4;
	if (major < 1 || major > 3 || minor)
		return fault(err, "it is npy of version %d.%d, not 1.0, 2.0 or 3.0", major, minor);
	size_t head = MAGIC_LEN + (size_t)width;
	uint64_t len = n < head ? 0 : bytes_get(p + MAGIC_LEN, (size_t)width);
	if (n < head || len > size - head)
		return fault(err, "its header would have %llu bytes, the file has %llu", (unsigned long long)len, (unsigned long long)size);
	if (len > n - head)
		return fault(err, "its header has %llu bytes: more than of any type that is read here", (unsigned long long)len);
	struct dict d = {(const char *)p + head, (const char *)p + head + len, err};
	a->skip = head + len;
	if (read_dict(&d, a))
		return -1;
	if (!a->dtype)
		return 0;
	if (array_measure(a))
		return fault(err, "its shape has more values than can be");
	if (a->bytes != size - a->skip)
		return fault(err, "its header speaks of %llu bytes of values, there are %llu", (unsigned long long)a->bytes,
			(unsigned long long)(size - a->skip));
	return 0;
}

/* ---- writing ---- */

void npy_header(struct buffer *to, const struct array *a)
{
	struct buffer t = {0};
	unsigned char head[MAGIC_LEN + 2] = MAGIC "\1";
	size_t first = 0;
	buffer_printf(&t, "{'descr': '%s%s', 'fortran_order': False, 'shape': (", tns_size(a->dtype) > 1 ? "<" : "|", type_of(a->dtype));
	for (int i = 0; i < a->ndim; i++) {
		size_t before = t.n;
		buffer_printf(&t, i ? " %llu" : "%llu", (unsigned long long)a->dim[i]);
		first = i ? first : t.n - before;
		if (i + 1 < a->ndim || !i)
			buffer_add(&t, ",", 1);
	}
	buffer_printf(&t, "), }%*s", a->ndim && first < GROWTH ? (int)(GROWTH - first) : 0, "");
	buffer_printf(&t, "%*s\n", ALIGN - (int)((sizeof head + t.n + 1) % ALIGN), "");
	bytes_set(head + MAGIC_LEN, t.n, 2);
	buffer_add(to, head, sizeof head);
	buffer_add(to, t.p, t.n);
	buffer_free(&t);
}
