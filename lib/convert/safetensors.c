#include "lib/convert/safetensors.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/bytes.h"
#include "lib/convert/json_in.h"
#include "lib/convert/metas.h"

enum { LENGTH = 8 };

static const struct {
	int dtype;
	char text[5];
} types[] = {{TNS_U8, "U8"}, {TNS_I8, "I8"}, {TNS_U16, "U16"}, {TNS_I16, "I16"}, {TNS_U32, "U32"}, {TNS_I32, "I32"}, {TNS_F32, "F32"},
	{TNS_U64, "U64"}, {TNS_I64, "I64"}, {TNS_F64, "F64"}, {TNS_F16, "F16"}, {TNS_BF16, "BF16"}, {TNS_BOOL, "BOOL"}};

int safetensors_is(const unsigned char *p, size_t n)
{
	int text = 1;
	for (size_t i = 0; i < LENGTH && i < n; i++)
		text &= p[i] >= ' ' || p[i] == '\n' || p[i] == '\r' || p[i] == '\t';
	return n > LENGTH && p[LENGTH] == '{' && !text;
}

static int read_list(struct json_in *j, uint64_t *to, int *n, int max)
{
	if (json_in_need(j, '['))
		return -1;
	int more;
	for (*n = 0; (more = json_in_more(j, ']')) > 0;) {
		if (*n == max)
			return json_in_fault(j, "a list of more than %d numbers", max);
		if (json_in_uint(j, &to[(*n)++]))
			return -1;
	}
	return more;
}

static int read_type(struct json_in *j, struct array *a)
{
	size_t n;
	char *type = json_in_text(j, &n);
	if (!type)
		return -1;
	snprintf(a->type, sizeof a->type, "%s", type);
	for (size_t i = 0; i < sizeof types / sizeof *types; i++)
		if (!strcmp(types[i].text, type))
			a->dtype = types[i].dtype;
	free(type);
	return 0;
}

/* {"dtype": ..., "shape": [...], "data_offsets": [begin, end]}, of values in n bytes at p. */
static int read_tensor(struct json_in *j, struct array *a, const unsigned char *p, uint64_t n)
{
	static const char *const keys[] = {"dtype", "shape", "data_offsets"};
	uint64_t place[2];
	int seen[3] = {0}, places = 0, more;
	if (json_in_need(j, '{'))
		return -1;
	while ((more = json_in_more(j, '}')) > 0) {
		size_t len;
		int k = 0;
		char *key = json_in_text(j, &len);
		if (!key)
			return -1;
		while (k < 3 && strcmp(key, keys[k]))
			k++;
		int bad = k == 3 || seen[k]++ ? json_in_fault(j, "the key '%.40s' does not belong here", key) : 0;
		free(key);
		if (bad || (k == 0	    ? read_type(j, a)
				   : k == 1 ? read_list(j, a->dim, &a->ndim, ARRAY_DIMS)
					    : read_list(j, place, &places, 2)))
			return -1;
	}
	if (more < 0)
		return -1;
	if (!seen[0] || !seen[1] || places != 2)
		return json_in_fault(j, "a tensor without dtype, shape or two data_offsets");
	if (place[0] > place[1] || place[1] > n)
		return json_in_fault(j, "data_offsets are %llu and %llu, of %llu bytes", (unsigned long long)place[0],
			(unsigned long long)place[1], (unsigned long long)n);
	a->member = (struct zip_member){.p = p + place[0], .packed = place[1] - place[0], .size = place[1] - place[0]};
	if (a->dtype && (array_measure(a) || a->bytes != a->member.size))
		return json_in_fault(j, "its shape is not that of %llu bytes", (unsigned long long)a->member.size);
	return 0;
}

static int by_place(const void *a, const void *b)
{
	const struct array *const *x = a, *const *y = b;
	if ((*x)->member.p != (*y)->member.p)
		return (*x)->member.p < (*y)->member.p ? -1 : 1;
	return ((*x)->member.size > (*y)->member.size) - ((*x)->member.size < (*y)->member.size);
}

/* Every byte of the values is one tensor's. */
static int check_places(struct arrays *s, const unsigned char *p, const unsigned char *e)
{
	const struct array **a = xcalloc((size_t)s->n + 1, sizeof *a);
	int bad = 0;
	for (int i = 0; i < s->n; i++)
		a[i] = &s->array[i];
	qsort(a, (size_t)s->n, sizeof *a, by_place);
	for (int i = 0; i < s->n && !bad; p = a[i]->member.p + a[i]->member.size, i++)
		if (a[i]->member.p < p)
			bad = array_fault(s, "%s and %s lie in the same bytes", a[i - 1]->name, a[i]->name);
		else if (a[i]->member.p > p)
			bad = array_fault(s, "%lld bytes before those of %s are no tensor's", (long long)(a[i]->member.p - p), a[i]->name);
	if (!bad && p != e)
		bad = array_fault(s, "the last %lld bytes are no tensor's", (long long)(e - p));
	free(a);
	return bad;
}

/* The header's object: -1 and s->err, or the fault is j's. */
static int read_header(struct arrays *s, struct json_in *j, const unsigned char *values, size_t n)
{
	int metas = 0, more;
	if (json_in_need(j, '{'))
		return 0;
	while ((more = json_in_more(j, '}')) > 0) {
		size_t name_len;
		char *name = json_in_text(j, &name_len);
		if (!name)
			return 0;
		if (strlen(name) != name_len) {
			free(name);
			json_in_fault(j, "a name that holds a zero byte");
			return 0;
		}
		if (!strcmp(name, "__metadata__")) {
			free(name);
			if (metas++)
				return array_fault(s, "header: two keys __metadata__");
			if (metas_parse(s, j))
				return -1;
			continue;
		}
		struct array *a = array_add(s, name);
		if (!a)
			return -1;
		if (read_tensor(j, a, values, n))
			return array_fault(s, "header: %s: %s", a->name, j->err);
	}
	if (!more)
		json_in_end(j);
	return 0;
}

int safetensors_parse(struct arrays *s, const unsigned char *p, size_t n)
{
	struct json_in j;
	uint64_t len = n < LENGTH ? 0 : bytes_get(p, LENGTH);
	if (n < LENGTH || len > n - LENGTH || len > SAFETENSORS_HEADER)
		return array_fault(s, "its header would have %llu bytes, the file has %zu", (unsigned long long)len, n);
	const unsigned char *values = p + LENGTH + len;
	json_in_begin(&j, p + LENGTH, len);
	int bad = read_header(s, &j, values, n - LENGTH - len) || (*j.err && array_fault(s, "header: %s", j.err));
	json_in_free(&j);
	return bad ? -1 : check_places(s, values, p + n);
}

void safetensors_header(struct buffer *to, const struct arrays *s, const char *note, int *order)
{
	struct buffer t = {0};
	unsigned char length[LENGTH];
	uint64_t *place = xcalloc((size_t)s->n + 1, sizeof *place), at = 0;
	int k = 0;
	for (size_t size = 8; size; size /= 2)
		for (int i = 0; i < s->n; i++)
			if (tns_size(s->array[i].dtype) == size) {
				order[k++] = i;
				place[i] = at, at += s->array[i].bytes;
			}
	buffer_add(&t, "{", 1);
	if (s->nmeta || note) {
		buffer_printf(&t, "\"__metadata__\":");
		metas_text(&t, s, note);
	}
	for (int i = 0; i < s->n; i++) {
		const struct array *a = &s->array[i];
		const char *type = "";
		for (size_t y = 0; y < sizeof types / sizeof *types; y++)
			type = types[y].dtype == a->dtype ? types[y].text : type;
		if (t.n > 1)
			buffer_add(&t, ",", 1);
		buffer_json(&t, a->name, strlen(a->name));
		buffer_printf(&t, ":{\"dtype\":\"%s\",\"shape\":[", type);
		for (int d = 0; d < a->ndim; d++)
			buffer_printf(&t, d ? ",%llu" : "%llu", (unsigned long long)a->dim[d]);
		buffer_printf(
			&t, "],\"data_offsets\":[%llu,%llu]}", (unsigned long long)place[i], (unsigned long long)(place[i] + a->bytes));
	}
	buffer_add(&t, "}", 1);
	buffer_add(&t, "       ", (LENGTH - t.n % LENGTH) % LENGTH);
	bytes_set(length, t.n, LENGTH);
	buffer_add(to, length, LENGTH);
	buffer_add(to, t.p, t.n);
	buffer_free(&t), free(place);
}
