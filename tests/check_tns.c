/* The writer against the reader, the specification and itself: data is read back, however it was written, from memory, files and pipes. */
#include <check.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>

#include "child.h"
#include "lib/base/err.h"
#include "wire.h"

static uint64_t state = 88172645463325252u;

static uint64_t next_random(void)
{
	state ^= state << 13, state ^= state >> 7, state ^= state << 17;
	return state;
}

static unsigned char *noise(size_t n)
{
	unsigned char *p = malloc(n + 8);
	for (size_t i = 0; i < n; i += 8) {
		uint64_t v = next_random();
		memcpy(p + i, &v, 8);
	}
	return p;
}

/* A stream's file and its bytes. */
struct file {
	char path[1024];
	unsigned char *p;
	size_t n;
};

static struct file slurp(const char *name)
{
	struct file f;
	snprintf(f.path, sizeof f.path, "%s", wire_path(name));
	f.p = wire_slurp(f.path, &f.n);
	return f;
}

/* Reads a stream chunk by chunk; to: each tensor's data, which the caller frees. Returns the number of chunks. */
static int read_tensors(struct tns *t, unsigned char **to)
{
	int rc, n = 0;
	size_t have[64] = {0};
	ck_assert_int_eq(tns_head(t), TNS_DONE);
	while ((rc = tns_step(t)) == TNS_DATA) {
		size_t bytes = t->rows * t->def[t->id].row_bytes;
		ck_assert_uint_eq(t->row * t->def[t->id].row_bytes, have[t->id]);
		to[t->id] = realloc(to[t->id], have[t->id] + bytes);
		memcpy(to[t->id] + have[t->id], t->data, bytes);
		have[t->id] += bytes;
		n++;
	}
	ck_assert_msg(rc == TNS_DONE, "%s", t->err);
	return n;
}

static const size_t sizes[] = {0, 1, 1, 2, 2, 4, 4, 4, 8, 8, 8, 2, 2, 1};

/* Tensors of every number of dimensions in one stream; tensor i has i rows. */
static void round_trip(int dtype, int open, int compress)
{
	static const uint64_t dims[8] = {0, 3, 1, 5, 2, 1, 7, 2};
	unsigned char *data[9], *got[9] = {0};
	size_t bytes[9];
	struct tns_writer *w = tns_create(wire_path("trip.tns"));
	if (compress)
		tns_compress(w);
	for (int n = 0; n <= 8; n++) {
		uint64_t dim[8], row = sizes[dtype], rows = n ? (uint64_t)(n - 1) * 3 : 1;
		char name[16];
		snprintf(name, sizeof name, "N.%d/a-b_Z", n);
		memcpy(dim, dims, sizeof dim);
		dim[0] = open ? TNS_UNLIMITED : rows;
		for (int k = 1; k < n; k++)
			row *= dim[k];
		bytes[n] = row * rows;
		data[n] = noise(bytes[n]);
		if (n == 5)
			memset(data[n], 0, bytes[n]);
		ck_assert_int_eq(tns_define(w, name, dtype, n, dim), n);
	}
	for (int n = 8; n >= 0; n--)
		tns_write(w, n, data[n], n ? (uint64_t)(n - 1) * 3 : 1);
	uint32_t print = tns_close(w);
	struct file f = slurp("trip.tns");
	for (int way = 0; way < 2; way++) {
		struct tns *t = way ? tns_open(f.path) : tns_open_memory(f.p, f.n, "memory");
		memset(got, 0, sizeof got);
		read_tensors(t, got);
		ck_assert_int_eq(t->ntensors, 9);
		ck_assert_uint_eq(t->fingerprint, print);
		for (int n = 0; n <= 8; n++) {
			const struct tns_def *d = &t->def[n];
			char name[16];
			snprintf(name, sizeof name, "N.%d/a-b_Z", n);
			ck_assert_str_eq(d->name, name);
			ck_assert_int_eq(tns_find(t, name), n);
			ck_assert_int_eq(d->dtype, dtype);
			ck_assert_int_eq(d->ndim, n);
			for (int k = 1; k < n; k++)
				ck_assert_uint_eq(d->dim[k], dims[k]);
			if (n)
				ck_assert_uint_eq(d->dim[0], open ? TNS_UNLIMITED : (uint64_t)(n - 1) * 3);
			ck_assert_uint_eq(d->rows * d->row_bytes, bytes[n]);
			ck_assert(!bytes[n] || !memcmp(data[n], got[n], bytes[n]));
			free(got[n]);
		}
		ck_assert_int_eq(tns_find(t, "none"), -1);
		tns_free(t);
	}
	free(f.p);
	for (int n = 0; n <= 8; n++)
		free(data[n]);
}

START_TEST(round_trips)
{
	ck_assert_uint_eq(tns_size(_i), sizes[_i]);
	for (int k = 0; k < 4; k++)
		round_trip(_i, k & 1, k >> 1);
}
END_TEST

START_TEST(types)
{
	static const char *const names[] = {
		"?", "u8", "i8", "u16", "i16", "u32", "i32", "f32", "u64", "i64", "f64", "f16", "bf16", "bool", "?"};
	for (int i = 0; i < 15; i++)
		ck_assert_str_eq(tns_dtype_name(i), names[i]);
	ck_assert_str_eq(tns_dtype_name(-1), "?");
	ck_assert_uint_eq(tns_size(0) + tns_size(14) + tns_size(-1) + tns_size(1 << 30), 0);
}
END_TEST

/* ---- chunking ---- */

enum { N = 1500 };
static const uint64_t image_dim[] = {TNS_UNLIMITED, 97, 31}, points_dim[] = {TNS_UNLIMITED, 15, 2}, id_dim[] = {TNS_UNLIMITED};
static const size_t row_bytes[3] = {97 * 31, 15 * 2 * 4, 4};

static struct tns_writer *set_begin(const char *name)
{
	struct tns_writer *w = tns_create(wire_path(name));
	tns_define(w, "image", TNS_U8, 3, image_dim);
	tns_define(w, "keypoints", TNS_F32, 3, points_dim);
	tns_define(w, "id", TNS_U32, 1, id_dim);
	return w;
}

/* Writes the rows in one of six orders. */
static void write_rows(struct tns_writer *w, int way, unsigned char *const data[3])
{
	uint64_t at[3] = {0};
	switch (way) {
	case 0: /* row by row */
		for (uint64_t i = 0; i < N; i++)
			for (int k = 0; k < 3; k++)
				tns_write(w, k, data[k] + i * row_bytes[k], 1);
		break;
	case 1: /* blocks */
	case 2:
		for (uint64_t i = 0, n = way == 1 ? 7 : 500; i < N; i += n)
			for (int k = 2; k >= 0; k--)
				tns_write(w, k, data[k] + i * row_bytes[k], N - i < n ? N - i : n);
		break;
	case 3: /* tensor by tensor */
		for (int k = 0; k < 3; k++)
			tns_write(w, k, data[k], N);
		break;
	case 4: /* the last first, its rows one by one */
		for (int k = 2; k >= 0; k--)
			for (uint64_t i = 0; i < N; i++)
				tns_write(w, k, data[k] + i * row_bytes[k], 1);
		break;
	case 5: /* pieces of random size, 0 included */
		while (at[0] + at[1] + at[2] < 3 * N) {
			int k = (int)(next_random() % 3);
			uint64_t n = next_random() % 900;
			n = n < N - at[k] ? n : N - at[k];
			tns_write(w, k, data[k] + at[k] * row_bytes[k], n);
			at[k] += n;
		}
		break;
	}
}

START_TEST(chunk_rows)
{
	unsigned char *data[3];
	struct file f[6];
	uint32_t print[6];
	for (int k = 0; k < 3; k++)
		data[k] = noise(N * row_bytes[k]);
	for (int way = 0; way < 6; way++) {
		char name[16];
		snprintf(name, sizeof name, "%d.tns", way);
		struct tns_writer *w = set_begin(name);
		write_rows(w, way, data);
		print[way] = tns_close(w);
		f[way] = slurp(name);
		ck_assert_uint_eq(print[way], print[0]);
		ck_assert_uint_eq(f[way].n, f[0].n);
		ck_assert_msg(!memcmp(f[way].p, f[0].p, f[0].n), "way %d", way);
	}
	/* the widest row sets the rows a chunk; chunks are in the order of tensor ids */
	struct tns *t = tns_open_memory(f[0].p, f[0].n, "memory");
	uint64_t cut = (1 << 20) / row_bytes[0], left = N;
	for (int i = 0; tns_step(t) == TNS_DATA; i++) {
		ck_assert_int_eq(t->id, i % 3);
		ck_assert_uint_eq(t->rows, left < cut ? left : cut);
		ck_assert_ptr_eq(t->data, f[0].p + (t->data - f[0].p) / 64 * 64);
		left -= i % 3 == 2 ? t->rows : 0;
	}
	ck_assert_str_eq(t->err, "");
	ck_assert_uint_eq(left, 0);
	tns_free(t);
	for (int way = 0; way < 6; way++)
		free(f[way].p);
	for (int k = 0; k < 3; k++)
		free(data[k]);
}
END_TEST

/* One tensor, rows of so many bytes: chunks of max(1, 1 MiB / bytes) rows, with an open or a given number of rows. */
START_TEST(chunk_rows_of_one)
{
	static const size_t rows_of[] = {1, 3, 1000, (1 << 20) - 1, 1 << 20, (1 << 20) + 1, 3 << 20};
	size_t bytes = rows_of[_i / 2], cut = bytes < 1 << 20 ? (1 << 20) / bytes : 1, n = 2 * cut + (cut > 1);
	uint64_t dim[2] = {_i % 2 ? n : TNS_UNLIMITED, bytes};
	unsigned char *p = calloc(n, bytes), *q = p;
	struct tns_writer *w = tns_create(wire_path("alone.tns"));
	tns_define(w, "t", TNS_U8, 2, dim);
	for (size_t i = 0; i < n; q += bytes * (n - i < 100000 ? n - i : 100000), i += 100000)
		tns_write(w, 0, q, n - i < 100000 ? n - i : 100000);
	tns_close(w);
	struct file f = slurp("alone.tns");
	struct tns *t = tns_open_memory(f.p, f.n, "memory");
	size_t left = n;
	while (tns_step(t) == TNS_DATA) {
		ck_assert_uint_eq(t->rows, left < cut ? left : cut);
		left -= t->rows;
	}
	ck_assert_msg(!left && !t->err[0], "%s", t->err);
	tns_free(t);
	free(f.p);
	free(p);
}
END_TEST

/* Tensors of different lengths: the longer ones continue when others have ended; the bytes don't depend on the order of writes. */
START_TEST(different_lengths)
{
	static const uint64_t counts[3] = {800, 400, 1100};
	unsigned char *data[3];
	struct file f[2];
	for (int k = 0; k < 3; k++)
		data[k] = noise(counts[k] * row_bytes[k]);
	for (int way = 0; way < 2; way++) {
		struct tns_writer *w = set_begin("unlike.tns");
		for (int k = 0; way && k < 3; k++)
			tns_write(w, k, data[k], counts[k]);
		for (uint64_t i = 0; !way && i < 1100; i++)
			for (int k = 0; k < 3; k++)
				if (i < counts[k])
					tns_write(w, k, data[k] + i * row_bytes[k], 1);
		tns_close(w);
		f[way] = slurp("unlike.tns");
	}
	ck_assert_uint_eq(f[0].n, f[1].n);
	ck_assert_mem_eq(f[0].p, f[1].p, f[0].n);
	unsigned char *got[3] = {0};
	struct tns *t = tns_open_memory(f[0].p, f[0].n, "memory");
	read_tensors(t, got);
	for (int k = 0; k < 3; k++) {
		ck_assert_uint_eq(t->def[k].rows, counts[k]);
		ck_assert_mem_eq(got[k], data[k], counts[k] * row_bytes[k]);
		free(got[k]), free(data[k]);
	}
	tns_free(t);
	free(f[0].p), free(f[1].p);
}
END_TEST

/* ---- the specification, byte by byte ---- */

static uint32_t get32(const unsigned char *p)
{
	uint32_t v;
	memcpy(&v, p, 4);
	return v;
}

/* Parses a stream by the specification, without the reader; counts records by their type's first letter. */
static void walk(const unsigned char *p, size_t n, int count[256])
{
	static const unsigned char magic[12] = {0x89, 0x54, 0x4E, 0x53, 0x0D, 0x0A, 0x1A, 0x0A, 1, 0, 0, 0}, zeros[64];
	uint32_t chain = get32(p + 28), seq = 0;
	size_t at = 32;
	ck_assert_mem_eq(p, magic, 12);
	ck_assert_mem_eq(p + 12, zeros, 16);
	ck_assert_uint_eq(chain, crc32(0, p, 28));
	ck_assert_uint_eq(n % 64, 0);
	for (int last = 0; !last; seq++) {
		const unsigned char *h = p + at;
		uint32_t id = get32(h + 8), flags = get32(h + 12), stored = get32(h + 16), raw = get32(h + 20);
		ck_assert_uint_eq(at % 64, 32);
		ck_assert_uint_le(at + 32, n);
		last = !memcmp(h, "END\0", 4);
		ck_assert(last || !memcmp(h, "TDEF", 4) || !memcmp(h, "META", 4) || !memcmp(h, "DATA", 4));
		ck_assert_uint_eq(get32(h + 4), seq);
		ck_assert((id == 0xFFFFFFFF) == (h[0] == 'M' || h[0] == 'E'));
		ck_assert_uint_le(flags, 1);
		ck_assert(flags ? stored < raw : stored == raw);
		chain = (uint32_t)crc32(chain, h, 28);
		ck_assert_uint_eq(get32(h + 28), chain);
		at += 32;
		size_t end = at + stored;
		while (end % 64 != (last ? 0 : 32))
			end++;
		ck_assert_uint_le(end, n);
		ck_assert_uint_eq(get32(h + 24), crc32(0, p + at, (uInt)(end - at)));
		ck_assert(!memcmp(p + at + stored, zeros, end - at - stored));
		count[h[0]]++;
		if (last) {
			ck_assert_int_eq((int)get32(p + at), count['T']);
			ck_assert_uint_eq(get32(p + at + 4), 0);
		}
		at = end;
	}
	ck_assert_uint_eq(at, n);
}

START_TEST(specification)
{
	for (int compress = 0; compress < 2; compress++) {
		int count[256] = {0};
		struct tns_writer *w = set_begin("page.tns");
		uint64_t given = 3;
		char *text = malloc(1000);
		memset(text, 't', 1000);
		text[999] = 0;
		if (compress)
			tns_compress(w);
		tns_put_meta(w, "points", "a,b");
		tns_define(w, "single", TNS_F64, 0, NULL);
		tns_define(w, "given", TNS_F32, 1, &given);
		tns_put_meta(w, "text", text);
		tns_put_meta(w, "empty", "");
		unsigned char *p = calloc(1000, row_bytes[0]);
		for (int k = 0; k < 3; k++)
			tns_write(w, k, p, 1000);
		tns_write(w, 3, p, 1);
		tns_put_meta(w, "late", text);
		tns_write(w, 4, p, 3);
		ck_assert(tns_has_meta(w, "late") && tns_has_meta(w, "empty") && !tns_has_meta(w, "none"));
		tns_put_meta(w, "later", "\xC3\xA9");
		tns_close(w);
		struct file f = slurp("page.tns");
		walk(f.p, f.n, count);
		ck_assert_int_eq(count['T'], 5);
		ck_assert_int_eq(count['M'], 5);
		ck_assert_int_eq(count['D'], 3 * 3 + 2);
		ck_assert_int_eq(count['E'], 1);
		struct tns *t = tns_open(f.path);
		ck_assert_int_eq(t->nmeta, 3);
		ck_assert_ptr_null(tns_meta_value(t, "late"));
		while (tns_next(t))
			;
		ck_assert_int_eq(t->nmeta, 5);
		ck_assert_str_eq(t->meta[3].key, "late");
		ck_assert_str_eq(tns_meta_value(t, "late"), text);
		ck_assert_str_eq(tns_meta_value(t, "later"), "\xC3\xA9");
		ck_assert_str_eq(tns_meta_value(t, "empty"), "");
		for (int i = 0; i < 5; i++)
			ck_assert_int_eq(t->meta[i].late, i > 2);
		ck_assert(compress ? f.n < 100000 : f.n > 3000000);
		tns_free(t);
		free(f.p), free(p), free(text);
	}
}
END_TEST

START_TEST(nothing)
{
	int count[256] = {0};
	uint32_t print = tns_close(tns_create(wire_path("nothing.tns")));
	struct file f = slurp("nothing.tns");
	walk(f.p, f.n, count);
	ck_assert_uint_eq(f.n, 128);
	struct tns_table *b = tns_load(f.path);
	ck_assert_int_eq(tns_table_head(b)->ntensors, 0);
	ck_assert_uint_eq(tns_table_head(b)->fingerprint, print);
	tns_unload(b);
	free(f.p);
}
END_TEST

/* zlib's best ratio, for 16 MiB of zeros, is just below the reader's limit. */
START_TEST(best_compression)
{
	uint64_t dim[2] = {TNS_UNLIMITED, TNS_CHUNK_MAX};
	void *p = calloc(TNS_CHUNK_MAX, 1);
	struct tns_writer *w = tns_create(wire_path("squeezed.tns"));
	tns_compress(w);
	tns_define(w, "t", TNS_U8, 2, dim);
	tns_write(w, 0, p, 1);
	tns_close(w);
	struct file f = slurp("squeezed.tns");
	ck_assert_uint_lt(f.n, 20000);
	char why[512];
	ck_assert_msg(wire_read(f.p, f.n, why), "%s", why);
	free(f.p), free(p);
}
END_TEST

/* ---- whole streams ---- */

/* A foreign writer's stream: chunks of random size, tensors in random order, some compressed. */
static void foreign(struct wire *w, unsigned char *const data[3])
{
	uint64_t at[3] = {0}, n3[3] = {N, N, N};
	wire_begin(w);
	wire_tdef(w, 0, TNS_U8, 3, image_dim, "image");
	wire_tdef(w, 1, TNS_F32, 3, points_dim, "keypoints");
	wire_tdef(w, 2, TNS_U32, 1, id_dim, "id");
	while (at[0] + at[1] + at[2] < 3 * N) {
		uint32_t k = (uint32_t)(next_random() % 3);
		uint64_t n = 1 + next_random() % 90;
		n = n < N - at[k] ? n : N - at[k];
		if (!n)
			continue;
		if (next_random() % 4)
			wire_data(w, k, data[k] + at[k] * row_bytes[k], n * row_bytes[k]);
		else
			wire_zlib(w, "DATA", k, data[k] + at[k] * row_bytes[k], n * row_bytes[k]);
		at[k] += n;
	}
	wire_end(w, 3, n3);
}

static void check_table(const char *path, unsigned char *const data[3], uint32_t print)
{
	struct tns_table *b = tns_load(path);
	const struct tns *t = tns_table_head(b);
	ck_assert_uint_eq(t->fingerprint, print);
	for (int k = 0; k < 3; k++) {
		ck_assert_uint_eq(t->def[k].rows, N);
		unsigned char *copy = malloc(N * row_bytes[k]);
		tns_copy(b, k, copy);
		ck_assert_mem_eq(copy, data[k], N * row_bytes[k]);
		free(copy);
		for (int i = 0; i < 3 * N; i++) { /* in order, then at random */
			uint64_t row = i < N ? (uint64_t)i : next_random() % N, run = tns_contiguous_rows(b, k, row);
			ck_assert_uint_ge(run, 1);
			ck_assert_uint_le(row + run, N);
			ck_assert_mem_eq(tns_row(b, k, row), data[k] + row * row_bytes[k], run * row_bytes[k]);
			ck_assert_uint_eq((uintptr_t)tns_row(b, k, row) % (k ? 4 : 1), 0);
		}
	}
	tns_unload(b);
}

/* Rows of 64 bytes or more that are not packed stay in the file, and are the same, one by one, all at once, or from then on in memory. */
static void check_in_file(const char *path, unsigned char *const data[3], uint32_t print)
{
	struct tns_table *b = tns_load_within(path, 1e5);
	lseek(0, 0, SEEK_SET); /* stdin, if that is it, was read */
	struct tns_table *small = tns_load_within(path, 1e8);
	ck_assert_uint_eq(tns_table_head(b)->fingerprint, print);
	for (int k = 0; k < 3; k++) {
		unsigned char *copy = malloc(N * row_bytes[k]);
		ck_assert_int_eq(tns_in_file(b, k), k < 2);
		ck_assert_int_eq(tns_in_file(small, k), 0);
		size_t read = 0;
		for (int i = 0; i < N; i++) {
			uint64_t row = next_random() % N;
			const void *p = tns_read_row(b, k, row, copy);
			tns_will_read(b, k, row);
			read += p == copy;
			ck_assert_mem_eq(p, data[k] + row * row_bytes[k], row_bytes[k]);
			ck_assert_mem_eq(tns_read_row(small, k, row, NULL), p, row_bytes[k]);
		}
		ck_assert(k < 2 ? read > N / 2 && read < N : !read);
		tns_copy(b, k, copy);
		ck_assert_mem_eq(copy, data[k], N * row_bytes[k]);
		for (uint64_t row = 0; row < N; row++)
			ck_assert_mem_eq(tns_row(b, k, row), data[k] + row * row_bytes[k], row_bytes[k]);
		ck_assert_int_eq(tns_in_file(b, k), 0);
		free(copy);
	}
	tns_unload(b), tns_unload(small);
}

static void read_last(void *arg)
{
	const char *const *w = arg;
	unsigned char row[97 * 31];
	err_name("reader");
	struct tns_table *b = tns_load_within(w[0], 0);
	int fd = open(w[0], O_RDWR);
	off_t end = lseek(fd, 0, SEEK_END);
	unsigned char c = 0;
	if (!strcmp(w[1], "cut") ? ftruncate(fd, end / 2)
				 : pread(fd, &c, 1, end - 2000) != 1 || (c ^= 1, pwrite(fd, &c, 1, end - 2000) != 1))
		abort();
	tns_read_row(b, 0, 0, row);
	tns_read_row(b, 0, 9, row);
}

/* A file that is cut or changed while it is in use ends the program with one line, not by a signal. */
START_TEST(changed)
{
	for (int i = 0; i < 2; i++) {
		uint64_t dim[3] = {TNS_UNLIMITED, 97, 31};
		const char *w[2] = {wire_path("changed.tns"), i ? "change" : "cut"};
		unsigned char *rows = noise(10 * row_bytes[0]);
		struct tns_writer *t = tns_create(w[0]);
		tns_define(t, "image", TNS_U8, 3, dim);
		tns_write(t, 0, rows, 10);
		tns_close(t);
		struct child c = child_run(read_last, w);
		ck_assert_msg(c.status == 1 && !c.signal, "exit %d, signal %d", c.status, c.signal);
		ck_assert_ptr_nonnull(
			strstr(c.err, i ? "changed.tns: image: row 10 is not as it was: the file was changed while it was in use\n"
					: "changed.tns: image: row 10 is gone: the file was cut while it was in use\n"));
		free(rows);
	}
}
END_TEST

struct named {
	const char *path;
	const void *p;
	size_t n;
};

static void write_named(void *arg)
{
	const struct named *f = arg;
	int fd = open(f->path, O_WRONLY);
	usleep(20000); /* a reader that opens the pipe twice has closed it by now */
	for (size_t at = 0; at < f->n; at += 50000)
		if (write(fd, (const char *)f->p + at, f->n - at < 50000 ? f->n - at : 50000) < 0)
			_exit(1);
	_exit(0);
}

START_TEST(tables)
{
	unsigned char *data[3];
	struct wire w;
	char path[1024], fifo[1024];
	for (int k = 0; k < 3; k++)
		data[k] = noise(N * row_bytes[k]);
	foreign(&w, data);
	snprintf(path, sizeof path, "%s", wire_path("foreign.tns"));
	snprintf(fifo, sizeof fifo, "%s", wire_path("fifo"));
	FILE *f = fopen(path, "wb");
	ck_assert(f && fwrite(w.p, 1, w.n, f) == w.n && !fclose(f));
	check_table(path, data, w.chain);
	/* a file on stdin is mapped too */
	int fd = open(path, O_RDONLY);
	dup2(fd, 0), close(fd);
	check_table("-", data, w.chain);
	check_in_file("-", data, w.chain);
	check_in_file(path, data, w.chain);
	/* a named pipe, opened once */
	ck_assert(!mkfifo(fifo, 0600));
	pid_t pid = fork();
	struct named named = {fifo, w.p, w.n};
	if (!pid)
		write_named(&named);
	check_table(fifo, data, w.chain);
	int status;
	waitpid(pid, &status, 0);
	ck_assert_int_eq(status, 0);
	for (int k = 0; k < 3; k++)
		free(data[k]);
	free(w.p);
}
END_TEST

/* ---- ends ---- */

static void give_up(void *arg)
{
	const char *path = arg;
	err_name("maker");
	struct tns_writer *w = tns_create(path);
	tns_define(w, "id", TNS_U32, 1, id_dim);
	uint32_t v = 7;
	tns_write(w, 0, &v, 1);
	die("row 8: no luck\n\x01");
}

START_TEST(gives_up)
{
	char path[1024];
	struct child c = child_run(give_up, NULL);
	ck_assert_str_eq(c.err, "maker: row 8: no luck\\n\\x01\n");
	ck_assert_int_eq(c.status, 1);
	struct tns *t = tns_open_memory(
		c.out, sizeof c.out, "memory"); /* zeros behind it: after ABRT the reader does not check for trailing bytes */
	ck_assert_int_eq(tns_step(t), TNS_ERR);
	ck_assert(t->aborted);
	ck_assert_str_eq(t->err, "record 1: its producer gave up: row 8: no luck\\n\\x01");
	tns_free(t);
	snprintf(path, sizeof path, "%s", wire_path("given-up.tns"));
	c = child_run(give_up, path);
	ck_assert_int_eq(c.status, 1);
	ck_assert_str_eq(c.out, "");
	ck_assert_int_eq(access(path, F_OK), -1);
	ck_assert_int_eq(access(wire_path(".given-up.tns.tmp"), F_OK), -1);
}
END_TEST

static void bad_use(void *arg)
{
	int how = *(int *)arg;
	uint64_t dim[2] = {TNS_UNLIMITED, 1 << 20};
	uint32_t v[2] = {0};
	err_name("maker");
	char *big = calloc(TNS_META_MAX, 1);
	memset(big, 'x', TNS_META_MAX - 100);
	struct tns_writer *w = tns_create(wire_path("bad.tns"));
	tns_define(w, "t", TNS_U32, how == 5 ? 0 : 1, how == 4 ? &(uint64_t){2} : dim);
	tns_put_meta(w, "k", "v");
	switch (how) {
	case 0:
		tns_define(w, "t", TNS_U32, 1, dim);
		break;
	case 1:
		tns_define(w, "a b", TNS_U32, 1, dim);
		break;
	case 2:
		tns_put_meta(w, "k", "w");
		break;
	case 3:
		tns_write(w, 0, v, 1);
		tns_define(w, "u", TNS_U32, 1, dim);
		break;
	case 4:
		tns_write(w, 0, v, 1);
		tns_close(w);
		break;
	case 5:
		tns_write(w, 0, v, 2);
		tns_close(w);
		break;
	case 6:
		tns_write(w, 1, v, 1);
		break;
	case 7:
		tns_define(w, "d", 14, 1, dim);
		break;
	case 8:
		tns_put_meta(w, "latin", "caf\xE9");
		break;
	case 9:
		tns_put_meta(w, "a", big);
		tns_put_meta(w, "b", big);
		break;
	case 10:
		tns_define(w, "u", TNS_F64, 2, (uint64_t[]){TNS_UNLIMITED, (2 << 20) + 1});
		break;
	case 11:
		tns_define(w, "u", TNS_F64, 3, (uint64_t[]){TNS_UNLIMITED, 1ull << 32, 1ull << 32});
		break;
	case 12:
		tns_define(w, "u", TNS_F64, 2, (uint64_t[]){TNS_UNLIMITED, 0});
		break;
	}
}

START_TEST(bad_uses)
{
	struct child c = child_run(bad_use, &_i);
	if (_i < 8) { /* wrong calls: assert */
		ck_assert_int_eq(c.signal, SIGABRT);
		ck_assert_ptr_nonnull(strstr(c.err, "Assertion"));
	} else {
		ck_assert_int_eq(c.status, 1);
		ck_assert_ptr_nonnull(strstr(c.err, _i == 8   ? "META latin is not UTF-8"
						    : _i == 9 ? "META b: more than 1048576 bytes"
							      : "u: a row must have 1 to 16777216 bytes"));
	}
}
END_TEST

/* METAs are passed through whole, zero bytes included; the writer's limit is the reader's. */
START_TEST(metas)
{
	struct wire w;
	char why[512], *big = calloc(TNS_META_MAX, 1);
	wire_begin(&w);
	wire_meta_raw(&w, "z", 1, "a\0b", 3);
	wire_end(&w, 0, NULL);
	struct tns *t = tns_open_memory(w.p, w.n, "memory");
	ck_assert_int_eq(tns_step(t), TNS_DONE);
	struct tns_writer *o = tns_create(wire_path("metas.tns"));
	tns_copy_meta(o, &t->meta[0]);
	memset(big, 'x', TNS_META_MAX - 5);
	tns_put_meta(o, "b", big);
	tns_close(o);
	tns_free(t);
	struct file f = slurp("metas.tns");
	ck_assert_msg(wire_read(f.p, f.n, why), "%s", why);
	t = tns_open(f.path);
	ck_assert_uint_eq(t->meta[0].value_len, 3);
	ck_assert_mem_eq(t->meta[0].value, "a\0b", 4);
	tns_free(t);
	free(f.p), free(w.p), free(big);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("tns");
	TCase *t = tcase_create("tns");
	suite_add_tcase(s, t);
	tcase_add_loop_test(t, round_trips, 1, 14);
	tcase_add_test(t, types);
	tcase_add_test(t, chunk_rows);
	tcase_add_loop_test(t, chunk_rows_of_one, 0, 14);
	tcase_add_test(t, different_lengths);
	tcase_add_test(t, specification);
	tcase_add_test(t, nothing);
	tcase_add_test(t, best_compression);
	tcase_add_test(t, tables);
	tcase_add_test(t, changed);
	tcase_add_test(t, gives_up);
	tcase_add_loop_test(t, bad_uses, 0, 13);
	tcase_add_test(t, metas);
	SRunner *r = srunner_create(s);
	srunner_run_all(r, CK_NORMAL);
	int failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed != 0;
}
