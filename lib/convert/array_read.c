/* Values of an array: copied or inflated, turned from Fortran's order, swapped. */
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "lib/base/buffers.h"
#include "lib/base/crc.h"
#include "lib/convert/array.h"

enum { PIECE = 1 << 30, BLOCK = BUFFER_KIB(4096) }; /* bytes: a piece that zlib is given; rows that are turned at once */

struct array_reader {
	const struct array *a;
	const struct tns_table *table;
	uint64_t at; /* bytes of the values so far */
	/* the member */
	uint64_t raw, in; /* bytes of it so far, unpacked and packed */
	uint32_t crc;
	z_stream z;
	int ended; /* the deflate data are */
	/* Fortran's order: all values, and a block of rows in C order, [rows_at, rows_end) of it not yet read */
	const unsigned char *all;
	unsigned char *inflated, *rows;
	uint64_t row;
	size_t rows_at, rows_end;
	char why[120];
};

static int fault(struct array_reader *r, const char *why)
{
	snprintf(r->why, sizeof r->why, "the zip data are damaged: %s", why);
	return -1;
}

static void begin_inflate(z_stream *z)
{
	if (inflateInit2(z, -15) != Z_OK) /* raw deflate */
		die("no memory to inflate");
}

/* Inflates up to n bytes: how many; fewer only where the data end, or are damaged: -1. */
static int64_t inflate_some(z_stream *z, const struct zip_member *m, uint64_t *in, int *ended, unsigned char *dst, size_t n)
{
	size_t got = 0;
	while (got < n && !*ended) {
		uint64_t left = m->packed - *in;
		if (!z->avail_in && left) {
			z->next_in = (unsigned char *)m->p + *in;
			z->avail_in = left < PIECE ? (uInt)left : PIECE;
			*in += z->avail_in;
		}
		z->next_out = dst + got;
		z->avail_out = n - got < PIECE ? (uInt)(n - got) : PIECE;
		size_t room = z->avail_out;
		int rc = inflate(z, Z_NO_FLUSH);
		got += room - z->avail_out;
		*ended = rc == Z_STREAM_END;
		if (rc != Z_OK && rc != Z_STREAM_END)
			return rc == Z_BUF_ERROR && !z->avail_in ? (int64_t)got : -1;
	}
	return (int64_t)got;
}

/* Bytes of the member, its npy header among them. */
static int read_member(struct array_reader *r, unsigned char *dst, size_t n)
{
	const struct zip_member *m = &r->a->member;
	if (!m->deflated) {
		memcpy(dst, m->p + r->raw, n);
	} else {
		int64_t got = inflate_some(&r->z, m, &r->in, &r->ended, dst, n);
		if (got != (int64_t)n)
			return fault(r, got < 0 ? (r->z.msg ? r->z.msg : "they can't be inflated") : "they end too early");
	}
	r->raw += n;
	if (m->checked)
		r->crc = crc_add(r->crc, dst, n);
	return 0;
}

/* The member was read: is it what the directory says? */
static int end_member(struct array_reader *r)
{
	const struct zip_member *m = &r->a->member;
	unsigned char more;
	if (m->deflated && (inflate_some(&r->z, m, &r->in, &r->ended, &more, 1) || !r->ended || r->z.avail_in || r->in != m->packed))
		return fault(r, "they do not end where they should");
	return m->checked && r->crc != m->crc ? fault(r, "incorrect checksum") : 0;
}

/* All of Fortran's order must be at hand: mapped, or inflated. */
static int take_all(struct array_reader *r)
{
	const struct array *a = r->a;
	const struct zip_member *m = &a->member;
	if (m->deflated) {
		r->inflated = xmalloc(a->bytes);
		if (read_member(r, r->inflated, a->bytes))
			return -1;
		r->all = r->inflated;
		return 0;
	}
	r->all = m->p + a->skip;
	if (m->checked)
		r->crc = crc_add(r->crc, r->all, a->bytes);
	return 0;
}

static void copy_elements(unsigned char *to, size_t stride, const unsigned char *from, size_t size, uint64_t n)
{
	for (uint64_t i = 0; i < n; i++, to += stride, from += size)
		switch (size) { /* known sizes are one instruction each */
		case 1:
			*to = *from;
			break;
		case 2:
			memcpy(to, from, 2);
			break;
		case 4:
			memcpy(to, from, 4);
			break;
		default:
			memcpy(to, from, 8);
			break;
		}
}

/* The next rows in C order: for each place in a row, the values of all rows of the block, which lie side by side. */
static void turn_rows(struct array_reader *r)
{
	const struct array *a = r->a;
	size_t size = tns_size(a->dtype), row = (size_t)array_row_bytes(a);
	uint64_t n = row < BLOCK ? BLOCK / row : 1, index[ARRAY_DIMS] = {0}, stride[ARRAY_DIMS], at = r->row;
	n = n < a->dim[0] - r->row ? n : a->dim[0] - r->row;
	if (!r->rows)
		r->rows = xmalloc((size_t)n * row);
	stride[0] = 1;
	for (int k = 1; k < a->ndim; k++)
		stride[k] = stride[k - 1] * a->dim[k - 1];
	for (size_t i = 0; i < row; i += size) {
		copy_elements(r->rows + i, row, r->all + at * size, size, n);
		for (int k = a->ndim - 1; k > 0; k--) { /* the next place: its last index is the fastest */
			at += stride[k];
			if (++index[k] < a->dim[k])
				break;
			at -= stride[k] * a->dim[k], index[k] = 0;
		}
	}
	r->row += n, r->rows_at = 0, r->rows_end = (size_t)n * row;
}

static void read_turned(struct array_reader *r, unsigned char *dst, size_t n)
{
	while (n) {
		if (r->rows_at == r->rows_end)
			turn_rows(r);
		size_t some = r->rows_end - r->rows_at < n ? r->rows_end - r->rows_at : n;
		memcpy(dst, r->rows + r->rows_at, some);
		dst += some, r->rows_at += some, n -= some;
	}
}

static void read_tensor(struct array_reader *r, unsigned char *dst, size_t n)
{
	size_t row_bytes = tns_table_head(r->table)->def[r->a->id].row_bytes;
	for (uint64_t at = r->at; n;) {
		uint64_t row = at / row_bytes, into = at % row_bytes;
		size_t some = (size_t)(tns_contiguous_rows(r->table, r->a->id, row) * row_bytes - into);
		some = some < n ? some : n;
		memcpy(dst, (const unsigned char *)tns_row(r->table, r->a->id, row) + into, some);
		dst += some, at += some, n -= some;
	}
}

static void swap(unsigned char *p, size_t size, size_t n)
{
	for (unsigned char *e = p + n; p < e; p += size)
		for (size_t i = 0; i < size / 2; i++) {
			unsigned char c = p[i];
			p[i] = p[size - 1 - i], p[size - 1 - i] = c;
		}
}

static int is_turned(const struct array *a)
{
	return a->fortran && a->ndim > 1 && a->bytes;
}

struct array_reader *array_open(const struct arrays *s, const struct array *a)
{
	unsigned char some[4096];
	struct array_reader *r = xcalloc(1, sizeof *r);
	r->a = a, r->table = s->table;
	if (r->table)
		return r;
	if (a->member.deflated)
		begin_inflate(&r->z);
	for (uint64_t left = a->skip; left && !*r->why;) {
		size_t n = left < sizeof some ? (size_t)left : sizeof some;
		read_member(r, some, n);
		left -= n;
	}
	if (!*r->why && is_turned(a))
		take_all(r);
	if (!*r->why && !a->bytes)
		end_member(r);
	return r;
}

int array_read(struct array_reader *r, void *dst, size_t n)
{
	assert(n <= r->a->bytes - r->at);
	if (*r->why)
		return -1;
	if (r->table)
		read_tensor(r, dst, n);
	else if (is_turned(r->a))
		read_turned(r, dst, n);
	else if (read_member(r, dst, n))
		return -1;
	if (r->a->swapped)
		swap(dst, tns_size(r->a->dtype), n);
	r->at += n;
	return n && r->at == r->a->bytes && !r->table ? end_member(r) : 0;
}

const char *array_why(const struct array_reader *r)
{
	return r->why;
}

void array_close(struct array_reader *r)
{
	if (r->a->member.deflated && !r->table)
		inflateEnd(&r->z);
	free(r->inflated), free(r->rows);
	free(r);
}

size_t array_peek(const struct zip_member *m, unsigned char *dst, size_t n)
{
	n = n < m->size ? n : (size_t)m->size;
	if (!m->deflated) {
		memcpy(dst, m->p, n);
		return n;
	}
	z_stream z = {0};
	uint64_t in = 0;
	int ended = 0;
	begin_inflate(&z);
	int64_t got = inflate_some(&z, m, &in, &ended, dst, n);
	inflateEnd(&z);
	return got < 0 ? 0 : (size_t)got;
}
