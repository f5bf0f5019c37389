#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/err.h"
#include "lib/stream/head.h"
#include "lib/stream/stat.h"

/* Of a tensor with few values: rows as they are. Of another: the range of each row. */
struct head_rows {
	uint64_t n, room;
	unsigned char *values;
	struct stat_range *range;
};

static size_t row_values(const struct tns_def *d)
{
	return d->row_bytes / tns_size(d->dtype);
}

/* `source` of an import: the name of an image, zeros behind it. */
static int is_text(const struct tns_def *d)
{
	return d->dtype == TNS_U8 && d->ndim == 2 && d->row_bytes <= HEAD_TEXT && !strcmp(d->name, "source");
}

static int is_small(const struct tns_def *d)
{
	return row_values(d) <= HEAD_VALUES || is_text(d);
}

void head_begin(struct head *h, const struct tns *t, uint64_t rows)
{
	h->rows = rows;
	h->kept = xcalloc((size_t)t->ntensors, sizeof *h->kept);
}

void head_add(struct head *h, const struct tns *t)
{
	const struct tns_def *d = &t->def[t->id];
	struct head_rows *k = &h->kept[t->id];
	uint64_t n = t->row >= h->rows ? 0 : h->rows - t->row < t->rows ? h->rows - t->row : t->rows;
	if (!n)
		return;
	if (k->n + n > k->room) {
		k->room = k->n + n > 2 * k->room ? k->n + n : 2 * k->room;
		if (is_small(d))
			k->values = xrealloc(k->values, (size_t)k->room * d->row_bytes);
		else
			k->range = xrealloc(k->range, (size_t)k->room * sizeof *k->range);
	}
	if (is_small(d))
		memcpy(k->values + (size_t)k->n * d->row_bytes, t->data, (size_t)n * d->row_bytes);
	for (uint64_t i = 0; i < n && !is_small(d); i++) {
		stat_begin(&k->range[k->n + i], d->dtype);
		stat_add(&k->range[k->n + i], t->data + (size_t)i * d->row_bytes, row_values(d));
	}
	k->n += n;
}

void head_row_text(struct out *to, const struct tns_def *d, uint64_t row, const void *values)
{
	char buf[40];
	out_printf(to, "%s[%" PRIu64 "]", d->name, row);
	if (is_text(d)) {
		char text[HEAD_TEXT + 1] = "";
		memcpy(text, values, d->row_bytes);
		for (char *c = text; *c; c++)
			*c = (unsigned char)*c < ' ' || *c == 127 ? '?' : *c;
		out_printf(to, " %s\n", text);
		return;
	}
	for (size_t i = 0; i < row_values(d); i++)
		out_printf(to, " %s", stat_text(buf, d->dtype, values, i));
	out_write(to, "\n", 1);
}

static void open_row(struct json *j, const struct tns_def *d, uint64_t row)
{
	json_open(j, '{');
	json_key(j, "tensor"), json_string(j, d->name);
	json_key(j, "row"), json_uint(j, row);
}

void head_row_json(struct json *j, const struct tns_def *d, uint64_t row, const void *values)
{
	char buf[40];
	open_row(j, d, row);
	if (is_text(d)) {
		json_key(j, "text"), json_text(j, values, strnlen(values, d->row_bytes));
		json_close(j, '}');
		return;
	}
	json_key(j, "values"), json_open(j, '[');
	for (size_t i = 0; i < row_values(d); i++) {
		const char *s = stat_text(buf, d->dtype, values, i);
		if (!stat_supported(d->dtype) && d->dtype != TNS_BOOL)
			json_string(j, s);
		else
			json_literal(j, strpbrk(s, "in") ? "null" : s);
	}
	json_close(j, ']'), json_close(j, '}');
}

static void range_text(struct out *to, const struct tns_def *d, uint64_t row, const struct stat_range *s)
{
	char lo[40], hi[40];
	out_printf(to, "%s[%" PRIu64 "] %zu values", d->name, row, row_values(d));
	if (stat_supported(d->dtype))
		out_printf(to, ": min %s, max %s", stat_min(lo, s), stat_max(hi, s));
	if (!isnan(stat_mean(s)))
		out_printf(to, ", mean %.6g", stat_mean(s));
	if (s->nan)
		out_printf(to, ", %" PRIu64 " nan", s->nan);
	out_write(to, "\n", 1);
}

static void range_json(struct json *j, const struct tns_def *d, uint64_t row, const struct stat_range *s)
{
	open_row(j, d, row);
	json_key(j, "count"), json_uint(j, row_values(d));
	stat_json(j, s);
	json_close(j, '}');
}

/* The tensor to be shown after that one (-1: the first): by values a row, equal ones in the stream's order; -1: none is left. */
static int next_tensor(const struct tns *t, int after)
{
	int next = -1;
	for (int i = 0; i < t->ntensors; i++) {
		size_t n = row_values(&t->def[i]), was = after < 0 ? 0 : row_values(&t->def[after]);
		if (after >= 0 && (n < was || (n == was && i <= after)))
			continue;
		if (next < 0 || n < row_values(&t->def[next]))
			next = i;
	}
	return next;
}

void head_text(const struct head *h, const struct tns *t, struct out *to)
{
	for (int i = -1; (i = next_tensor(t, i)) >= 0;)
		for (uint64_t r = 0; r < h->kept[i].n; r++)
			if (is_small(&t->def[i]))
				head_row_text(to, &t->def[i], r + 1, h->kept[i].values + (size_t)r * t->def[i].row_bytes);
			else
				range_text(to, &t->def[i], r + 1, &h->kept[i].range[r]);
}

void head_json(const struct head *h, const struct tns *t, struct json *j)
{
	for (int i = -1; (i = next_tensor(t, i)) >= 0;)
		for (uint64_t r = 0; r < h->kept[i].n; r++)
			if (is_small(&t->def[i]))
				head_row_json(j, &t->def[i], r + 1, h->kept[i].values + (size_t)r * t->def[i].row_bytes);
			else
				range_json(j, &t->def[i], r + 1, &h->kept[i].range[r]);
}

void head_end(struct head *h, const struct tns *t)
{
	for (int i = 0; i < t->ntensors; i++)
		free(h->kept[i].values), free(h->kept[i].range);
	free(h->kept);
}
