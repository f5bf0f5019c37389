/* Unpacked text: the same bytes and the same fault after them, whatever the sizes of reads. */
#include <check.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "lib/base/err.h"
#include "lib/base/philox.h"
#include "lib/base/unpack.h"

/* Input of unpack: at most step bytes a read, and a fault after the last where not NULL. */
struct source {
	const unsigned char *p;
	size_t n, step;
	const char *fault;
	int reads;
};

static long source_read(void *arg, unsigned char *dst, size_t n, char err[UNPACK_ERR])
{
	struct source *s = arg;
	s->reads++;
	if (!s->n && s->fault) {
		snprintf(err, UNPACK_ERR, "%s", s->fault);
		return -1;
	}
	n = n < s->n ? n : s->n;
	n = n < s->step ? n : s->step;
	memcpy(dst, s->p, n);
	s->p += n, s->n -= n;
	return (long)n;
}

static unsigned char *text;
enum { TEXT = 2 << 20 };

/* Random pixels as text: compresses to about a third. */
static void make_text(void)
{
	text = xmalloc(TEXT + 8);
	for (size_t at = 0, k = 0; at < TEXT; k++)
		at += (size_t)sprintf((char *)text + at, "%u ", philox(5, PHILOX_TEST, 0, (uint32_t)k, 0).v[0] % 256);
}

/* Writes a gzip member of text[at, at + n) to z (capacity bytes); returns its length. flags: with name, comment, extra field, header CRC.
 */
static size_t member(unsigned char *z, size_t capacity, size_t at, size_t n, int flags)
{
	z_stream s = {0};
	gz_header h = {.extra = flags ? (Bytef *)"extra" : NULL,
		.extra_len = 5,
		.name = flags ? (Bytef *)"name.csv" : NULL,
		.comment = flags ? (Bytef *)"a comment" : NULL,
		.hcrc = flags};
	ck_assert_int_eq(deflateInit2(&s, n % 3 ? 1 : 6, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY), Z_OK);
	ck_assert_int_eq(deflateSetHeader(&s, &h), Z_OK);
	s.next_in = text + at, s.avail_in = (uInt)n;
	s.next_out = z, s.avail_out = (uInt)capacity;
	ck_assert_int_eq(deflate(&s, Z_FINISH), Z_STREAM_END);
	deflateEnd(&s);
	return s.total_out;
}

/* Unpacks z in reads of piece bytes to what (capacity bytes), of which step bytes at most come at once; err: the fault, or "". */
static size_t unpack_all(
	const unsigned char *z, size_t n, size_t step, size_t piece, unsigned char *what, size_t capacity, char err[UNPACK_ERR])
{
	struct source s = {z, n, step, NULL, 0};
	struct unpack *g = unpack_new(source_read, &s, "a file", NULL);
	size_t at = 0;
	long got;
	memset(err, 0, UNPACK_ERR);
	while ((got = unpack_read(g, what + at, piece < capacity - at ? piece : capacity - at, err)) > 0) {
		at += (size_t)got;
		if (at >= capacity) /* an assertion each time would be slow */
			ck_abort_msg("too much text");
	}
	ck_assert_int_eq(unpack_read(g, what + at, 1, err), got); /* repeats */
	ck_assert_int_eq(got < 0, *err != 0);
	unpack_free(g);
	return at;
}

START_TEST(whole)
{
	static const size_t steps[] = {101, 3000, 1 << 20}, pieces[] = {100, 5000, 300000, 1 << 22};
	unsigned char *z = xmalloc(TEXT), *got = xmalloc(TEXT + 100);
	char err[UNPACK_ERR];
	size_t a = member(z, TEXT, 0, 100, 0), b = a + member(z + a, TEXT - a, 100, 0, 1), c = b + member(z + b, TEXT - b, 100, 1500000, 1),
	       n = c + member(z + c, TEXT - c, 1500100, TEXT - 1500100, 0);
	for (int i = 0; i < 3; i++)
		for (int j = 0; j < 4; j++) {
			size_t len = unpack_all(z, n, steps[i], pieces[j], got, TEXT + 100, err);
			ck_assert_msg(!*err && len == TEXT, "step %zu, piece %zu: %zu bytes, '%s'", steps[i], pieces[j], len, err);
			ck_assert(!memcmp(got, text, TEXT));
		}
	free(z), free(got);
}
END_TEST

/* Cut anywhere, or a bit flipped anywhere: the result is a beginning of the text, and does not depend on the sizes of reads. zlib is the
 * reference of what is accepted. */
static int accepted(const unsigned char *z, size_t n)
{
	static unsigned char to[1 << 16];
	z_stream s = {.next_in = (Bytef *)z, .avail_in = (uInt)n, .next_out = to, .avail_out = sizeof to};
	int r = Z_STREAM_END;
	ck_assert_int_eq(inflateInit2(&s, 15 + 16), Z_OK);
	while (s.avail_in && r == Z_STREAM_END) {
		inflateReset(&s);
		r = inflate(&s, Z_FINISH);
	}
	inflateEnd(&s);
	return r == Z_STREAM_END;
}

static void compare(const unsigned char *z, size_t n, size_t at, int zlib_accepts)
{
	unsigned char one[8000], two[8000];
	char err1[UNPACK_ERR], err2[UNPACK_ERR];
	size_t n1 = unpack_all(z, n, 11, 99, one, sizeof one, err1), n2 = unpack_all(z, n, 1000, 5000, two, sizeof two, err2);
	ck_assert_msg(!strcmp(err1, err2), "%zu: '%s', '%s'", at, err1, err2);
	ck_assert_msg(n1 == n2 && !memcmp(one, two, n1), "%zu: %zu and %zu bytes", at, n1, n2);
	ck_assert_msg((*err1 == 0) == zlib_accepts, "%zu: '%s'", at, err1);
}

START_TEST(damaged)
{
	unsigned char z[8000], one[8000];
	char err[UNPACK_ERR];
	size_t a = member(z, sizeof z, 0, 500, 1), n = a + member(z + a, sizeof z - a, 500, 400, 0);
	for (size_t cut = 2; cut < n; cut++) {
		size_t len = unpack_all(z, cut, 5, 100, one, sizeof one, err);
		ck_assert_msg(
			cut == a ? !*err : !strcmp(err, "the gzip data are cut: the file ends inside them"), "cut at %zu: '%s'", cut, err);
		ck_assert_msg(len <= 900 && !memcmp(one, text, len), "cut at %zu", cut);
		compare(z, cut, cut, accepted(z, cut));
	}
	for (size_t bit = 16; bit < 8 * n; bit++) { /* the first two bytes have been looked at */
		z[bit / 8] ^= (unsigned char)(1 << bit % 8);
		compare(z, n, bit, accepted(z, n));
		z[bit / 8] ^= (unsigned char)(1 << bit % 8);
	}
}
END_TEST

/* Text that compresses so well that a few bytes of input are more than a read takes: what zlib holds back then is returned before the fault
 * of a cut file. */
START_TEST(cut_while_held_back)
{
	enum { N = 200000 };
	unsigned char *same = xmalloc(N), *z = xmalloc(N), *one = xmalloc(N + 1), *two = xmalloc(N + 1), *kept = text;
	char err1[UNPACK_ERR], err2[UNPACK_ERR];
	for (int i = 0; i < N; i++)
		same[i] = (unsigned char)"1 2 \n"[i % 5];
	text = same;
	size_t n = member(z, N, 0, N, 0);
	text = kept;
	for (size_t cut = 20; cut < n; cut += 3) {
		size_t n1 = unpack_all(z, cut, 11, 99, one, N + 1, err1), n2 = unpack_all(z, cut, N, N, two, N + 1, err2);
		ck_assert_msg(n1 == n2 && !memcmp(one, two, n1), "cut at %zu of %zu: %zu and %zu bytes", cut, n, n1, n2);
		ck_assert_str_eq(err1, err2);
	}
	free(same), free(z), free(one), free(two);
}
END_TEST

START_TEST(faults_have_names)
{
	static const struct {
		int at, xor; /* from the end if negative */
		const char *err;
	} cases[] = {{2, 1, "the gzip data are damaged: unknown compression method"},
		{3, 0x80, "the gzip data are damaged: unknown header flags set"},
		{-8, 1, "the gzip data are damaged: incorrect data check"}, {-1, 1, "the gzip data are damaged: incorrect length check"},
		{-9, 0, ""}};
	unsigned char z[8001], got[8000];
	char err[UNPACK_ERR];
	size_t n = member(z, 8000, 0, 2000, 0);
	for (int i = 0; i < 5; i++) {
		size_t at = cases[i].at < 0 ? n + (size_t)cases[i].at : (size_t)cases[i].at;
		z[at] ^= (unsigned char)cases[i].xor ;
		unpack_all(z, n, 100, 100, got, sizeof got, err);
		ck_assert_str_eq(err, cases[i].err);
		z[at] ^= (unsigned char)cases[i].xor ;
	}
	z[n] = 'x';
	ck_assert_uint_eq(unpack_all(z, n + 1, 100, 100, got, sizeof got, err), 2000);
	ck_assert_str_eq(err, "the gzip data are followed by something else (byte 0x78)");
}
END_TEST

/* The source's fault is returned after the text before it, and the source is not read again. */
START_TEST(source_fails)
{
	unsigned char *z = xmalloc(TEXT), *got = xmalloc(TEXT);
	size_t n = member(z, TEXT, 0, TEXT, 0);
	struct source s = {z, n / 2, 1000, "cannot read: the disk is on fire", 0};
	struct unpack *g = unpack_new(source_read, &s, "a file", NULL);
	char err[UNPACK_ERR] = "";
	size_t at = 0;
	long len;
	while ((len = unpack_read(g, got + at, TEXT - at, err)) > 0)
		at += (size_t)len;
	ck_assert_int_eq(len, -1);
	ck_assert_str_eq(err, s.fault);
	ck_assert(at > TEXT / 3 && !memcmp(got, text, at));
	int reads = s.reads;
	ck_assert_int_eq(unpack_read(g, got, 1, err), -1);
	ck_assert_int_eq(s.reads, reads);
	unpack_free(g);
	free(z), free(got);
}
END_TEST

/* ---- zip ---- */

enum { DEFLATE = 1, DESCRIPTOR = 2, NO_SIGN = 4, BIG = 8, ENCRYPTED = 16, BZIP2 = 32 };

struct zip {
	unsigned char *p, directory[2000];
	size_t n, directory_n;
	unsigned files;
};

static void put(struct zip *z, uint64_t v, int bytes)
{
	for (int i = 0; i < bytes; i++)
		z->p[z->n++] = (unsigned char)(v >> 8 * i);
}

static void put_bytes(struct zip *z, const void *p, size_t n)
{
	memcpy(z->p + z->n, p, n);
	z->n += n;
}

/* Adds a file of text[at, at + n). */
static void zip_add(struct zip *z, const char *name, size_t at, size_t n, int how)
{
	uint32_t crc = (uint32_t)crc32(0, text + at, (uInt)n);
	size_t cap = compressBound(n), size = n;
	unsigned char *data = xmalloc(cap);
	if (how & DEFLATE) {
		z_stream s = {.next_in = text + at, .avail_in = (uInt)n, .next_out = data, .avail_out = (uInt)cap};
		ck_assert_int_eq(deflateInit2(&s, 6, Z_DEFLATED, -15, 8, Z_DEFAULT_STRATEGY), Z_OK);
		ck_assert_int_eq(deflate(&s, Z_FINISH), Z_STREAM_END);
		size = s.total_out;
		deflateEnd(&s);
	} else {
		memcpy(data, text + at, n);
	}
	int later = how & DESCRIPTOR, big = how & BIG, method = how & BZIP2 ? 12 : how & DEFLATE ? 8 : 0;
	unsigned flags = (how & ENCRYPTED ? 1u : 0) | (later ? 8u : 0);
	size_t head = z->n;
	put(z, 0x04034b50, 4), put(z, 20, 2), put(z, flags, 2), put(z, (unsigned)method, 2), put(z, 0x12345678, 4);
	put(z, later ? 0 : crc, 4);
	put(z, big ? UINT32_MAX : later ? 0 : size, 4), put(z, big ? UINT32_MAX : later ? 0 : n, 4);
	put(z, strlen(name), 2), put(z, big ? 29 : 9, 2);
	put_bytes(z, name, strlen(name));
	put(z, 0x5455, 2), put(z, 5, 2), put(z, 0x0123456789, 5); /* a time, as zip writes it */
	if (big)
		put(z, 1, 2), put(z, 16, 2), put(z, later ? 0 : n, 8), put(z, later ? 0 : size, 8);
	put_bytes(z, data, size);
	if (later && !(how & NO_SIGN))
		put(z, 0x08074b50, 4);
	if (later)
		put(z, crc, 4), put(z, size, big ? 8 : 4), put(z, n, big ? 8 : 4);
	struct zip d = {.p = z->directory, .n = z->directory_n};
	put(&d, 0x02014b50, 4), put(&d, 20, 2), put(&d, 20, 2), put(&d, flags, 2), put(&d, (unsigned)method, 2), put(&d, 0, 4);
	put(&d, crc, 4), put(&d, size, 4), put(&d, n, 4), put(&d, strlen(name), 2), put(&d, 0, 2), put(&d, 2, 2), put(&d, 0, 8);
	put(&d, head, 4);
	put_bytes(&d, name, strlen(name)), put_bytes(&d, "ok", 2);
	z->directory_n = d.n;
	z->files++;
	free(data);
}

static void zip_end(struct zip *z, int big)
{
	size_t at = z->n;
	put_bytes(z, z->directory, z->directory_n);
	if (big) {
		put(z, 0x06064b50, 4), put(z, 44, 8), put(z, 0x2d002d, 4), put(z, 0, 8), put(z, z->files, 8), put(z, z->files, 8);
		put(z, z->directory_n, 8), put(z, at, 8);
		put(z, 0x07064b50, 4), put(z, 0, 4), put(z, z->n, 8), put(z, 1, 4);
	}
	put(z, 0x06054b50, 4), put(z, 0, 4), put(z, z->files, 2), put(z, z->files, 2), put(z, z->directory_n, 4), put(z, at, 4);
	put(z, 7, 2), put_bytes(z, "comment", 7);
}

static const int hows[] = {
	0, DEFLATE, DEFLATE | DESCRIPTOR, DEFLATE | DESCRIPTOR | NO_SIGN, DEFLATE | BIG, DEFLATE | BIG | DESCRIPTOR, BIG};

/* One CSV among what is passed by. */
static size_t zip_make(unsigned char *to, size_t n, int how)
{
	struct zip z = {.p = to};
	zip_add(&z, "data/", 0, 0, 0);
	zip_add(&z, "read me.md", 3, 90, how);
	zip_add(&z, "data/training.csv", 0, n, how);
	zip_add(&z, "__MACOSX/data/._training.csv", 9, 100, how);
	zip_add(&z, "data/.DS_Store", 0, 20, how);
	zip_end(&z, how & BIG);
	return z.n;
}

START_TEST(zip_whole)
{
	static const size_t steps[] = {1, 101, 1 << 20}, pieces[] = {100, 5000, 1 << 22};
	unsigned char *z = xmalloc(2 * TEXT), *got = xmalloc(TEXT + 100);
	char err[UNPACK_ERR];
	for (size_t h = 0; h < sizeof hows / sizeof *hows; h++)
		for (int big = 0; big < 2; big++) {
			size_t size = big ? 300000 : 70, n = zip_make(z, size, hows[h]);
			for (int i = big; i < 3; i++)
				for (int j = 0; j < 3; j++) {
					size_t len = unpack_all(z, n, steps[i], pieces[j], got, TEXT + 100, err);
					ck_assert_msg(!*err && len == size, "how %d, step %zu, piece %zu: %zu bytes, '%s'", hows[h],
						steps[i], pieces[j], len, err);
					ck_assert(!memcmp(got, text, size));
				}
		}
	free(z), free(got);
}
END_TEST

START_TEST(zip_damaged)
{
	unsigned char z[8000], one[8000];
	char err[UNPACK_ERR];
	size_t n = zip_make(z, 500, hows[_i]);
	for (size_t cut = 4; cut < n; cut++) {
		size_t len = unpack_all(z, cut, 5, 100, one, sizeof one, err);
		ck_assert_msg(!strcmp(err, "the zip data are cut: the file ends inside them"), "cut at %zu of %zu: '%s'", cut, n, err);
		ck_assert_msg(len <= 500 && !memcmp(one, text, len), "cut at %zu", cut);
		compare(z, cut, cut, 0);
	}
	int accepted = 0;
	for (size_t bit = 32; bit < 8 * n; bit += _i == 2 ? 1 : 5) {
		z[bit / 8] ^= (unsigned char)(1 << bit % 8);
		size_t len = unpack_all(z, n, 5, 100, one, sizeof one, err);
		compare(z, n, bit, !*err);
		ck_assert_msg(*err || (len == 500 && !memcmp(one, text, len)), "bit %zu is another text", bit);
		accepted += !*err;
		z[bit / 8] ^= (unsigned char)(1 << bit % 8);
	}
	ck_assert_int_gt(accepted, 30); /* in what is passed by */
	z[n] = 'x';
	ck_assert_uint_eq(unpack_all(z, n + 1, 100, 100, one, sizeof one, err), 500);
	ck_assert_str_eq(err, "the zip data are followed by something else (byte 0x78)");
}
END_TEST

/* What a zip of these files gives: 0 ends the list. */
static void zip_gives(const char *want, ...)
{
	static unsigned char z[20000], got[20000];
	struct zip zip = {.p = z};
	char err[UNPACK_ERR];
	va_list ap;
	va_start(ap, want);
	for (const char *name; (name = va_arg(ap, const char *));)
		zip_add(&zip, name, 0, 300, va_arg(ap, int));
	va_end(ap);
	zip_end(&zip, 0);
	unpack_all(z, zip.n, 1000, 1000, got, sizeof got, err);
	ck_assert_str_eq(err, want);
}

START_TEST(zip_files)
{
	err_name("csv-clean");
	zip_gives("", "-", 0, NULL);
	zip_gives("", "a.md", DEFLATE, "A.CSV", DEFLATE, "b.png", DEFLATE, "c/", 0, NULL);
	zip_gives(
		"the zip holds several files, a.csv, b/c.csv: unzip -p 'a file' MEMBER | csv-clean", "a.csv", DEFLATE, "b/c.csv", 0, NULL);
	zip_gives("the zip holds no CSV but a.png, b.md: unzip -p 'a file' MEMBER | csv-clean", "a.png", 0, "b.md", DEFLATE | DESCRIPTOR,
		NULL);
	zip_gives("the zip holds several files, a.zip, b.csv.gz: unzip -p 'a file' MEMBER | csv-clean", "a.zip", 0, "b.csv.gz", 0, NULL);
	zip_gives("the zip holds no files", ".DS_Store", DEFLATE, NULL);
	zip_gives("the zip holds no files", NULL);
	zip_gives("the zip is encrypted, this command asks for the password: unzip -p 'a file' a.csv | csv-clean", "a.csv",
		DEFLATE | ENCRYPTED, NULL);
	zip_gives("the zip's compression (method 12) is not read here: unzip -p 'a file' 'a b.csv' | csv-clean", "a b.csv", BZIP2, NULL);
	zip_gives("the zip does not say how long a stored file is: unzip -p 'a file' a.csv | csv-clean", "a.csv", DESCRIPTOR, NULL);
	zip_gives(
		"this is a file of NumPy arrays (npz): tns-convert makes a tensor stream of it", "a.npy", DEFLATE, "b.npy", DEFLATE, NULL);
	char name[100] = "";
	memset(name, 'n', 90);
	char *want = xprintf("the zip holds several files, %s, %s, ...: unzip -p 'a file' MEMBER | csv-clean", name, name);
	zip_gives(want, name, 0, name, 0, name, 0, name, 0, NULL);
	free(want);
}
END_TEST

START_TEST(zip_faults)
{
	static const struct {
		size_t at;
		int how;
		const char *err;
	} cases[] = {{14, DEFLATE, "the zip data are damaged: incorrect data check"},
		{22, DEFLATE, "the zip data are damaged: incorrect length check"},
		{18, DEFLATE, "the zip data are damaged: incorrect length check"},
		{22, 0, "the zip data are damaged: incorrect length check"},
		{0, DEFLATE, "the zip data are damaged: its directory lists other files than it has"},
		{8, DEFLATE | DESCRIPTOR, "the zip's compression (method 9) is not read here: unzip -p 'a file' a.csv | t"},
		{46, DEFLATE | BIG, "the zip data are damaged: an extra field that does not add up"}};
	unsigned char z[3000], got[3000];
	char err[UNPACK_ERR];
	err_name("t");
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct zip zip = {.p = z};
		zip_add(&zip, "a.csv", 0, 500, cases[i].how);
		if (cases[i].at)
			z[cases[i].at] ^= 1;
		else
			zip.directory_n = 0;
		zip_end(&zip, 0);
		unpack_all(z, zip.n, 100, 100, got, sizeof got, err);
		ck_assert_str_eq(err, cases[i].err);
	}
}
END_TEST

/* ---- the beginning of a text ---- */

static void reads_as(const char *from, size_t n, const char *want)
{
	unsigned char got[300];
	char err[UNPACK_ERR];
	for (size_t step = 1; step < 40; step += 1 + step / 4)
		for (size_t piece = 1; piece < 40; piece += 1 + piece / 4) {
			size_t len = unpack_all((const unsigned char *)from, n, step, piece, got, sizeof got, err);
			ck_assert_msg(len == strlen(want) && !memcmp(got, want, len), "%zu, %zu: %.*s", step, piece, (int)len, got);
			ck_assert_str_eq(err, "");
		}
}

START_TEST(line_ends)
{
	static const char *const cases[][2] = {{"", ""}, {"a", "a"}, {"a\n", "a\n"}, {"a\r\nb\r\n", "a\r\nb\r\n"}, {"a\rb\r", "a\nb\n"},
		{"a\r", "a\n"}, {"a\r\r", "a\n\n"}, {"a\r\rb\n", "a\n\nb\n"}, {"a\r\r\nb\r\r\n", "a\r\r\nb\r\r\n"}, {"a\nb\rc", "a\nb\rc"},
		{"\rb", "\nb"},
		{"\xef\xbb\xbf"
		 "a\rb",
			"a\nb"},
		{"\xef\xbb\xbf", ""}, {"\xef\xbb", "\xef\xbb"}};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
		reads_as(cases[i][0], strlen(cases[i][0]), cases[i][1]);
}
END_TEST

/* A line end beyond what is looked at leaves CR as they are. */
START_TEST(long_first_line)
{
	size_t n = 1 << 20;
	unsigned char *line = xmalloc(n), *got = xmalloc(n + 1);
	char err[UNPACK_ERR];
	for (int late = 0; late < 2; late++) {
		memset(line, 'a', n);
		line[late ? 70000 : 60000] = line[n - 1] = '\r';
		ck_assert_uint_eq(unpack_all(line, n, n, n, got, n + 1, err), n);
		ck_assert_int_eq(got[n - 1], late ? '\r' : '\n');
	}
	free(line), free(got);
}
END_TEST

START_TEST(foreign)
{
	static const struct {
		const char *bytes;
		size_t n;
		const char *err;
	} cases[] = {
#define CASE(bytes, err) {bytes, sizeof bytes - 1, err}
		CASE("\xfd"
		     "7zXZ\0\0",
			"this is an xz file: xz -dc 'a file' | csv-clean"),
		CASE("BZh91AY&SY..", "this is a bzip2 file: bzip2 -dc 'a file' | csv-clean"),
		CASE("\x28\xb5\x2f\xfd...", "this is a zstd file: zstd -dc 'a file' | csv-clean"),
		CASE("7z\xbc\xaf\x27\x1c", "this is a 7-Zip archive: 7z x -so 'a file' | csv-clean"),
		CASE("\xff\xfei\0d\0", "this is UTF-16 text: iconv -f UTF-16 -t UTF-8 'a file' | csv-clean"),
		CASE("i\0d\0\n\0", "this is UTF-16 text: iconv -f UTF-16LE -t UTF-8 'a file' | csv-clean"),
		CASE("\0i\0d\0\n", "this is UTF-16 text: iconv -f UTF-16BE -t UTF-8 'a file' | csv-clean"),
		CASE("\xff\xfe\0\0i\0\0\0", "this is UTF-32 text: iconv -f UTF-32 -t UTF-8 'a file' | csv-clean"),
		CASE("\x89PNG\r\n\x1a\n\0\0\0\rIHDR", "this is a PNG picture: tns-import makes a data set of pictures"),
		CASE("\xff\xd8\xff\xe0..JFIF", "this is a JPEG picture: tns-import makes a data set of pictures"),
		CASE("\x93NUMPY\1\0v\0{'descr'", "this is a NumPy array (npy): tns-convert makes a tensor stream of it"),
		CASE("\x89HDF\r\n\x1a\n", "this is an HDF5 file, not a CSV"),
		CASE("\x08\x07\x12\x07pytorch", "this is an ONNX model, not a CSV"),
		CASE("\x80\4\x95\0\0", "this is a Python pickle, not a CSV"),
		CASE("<?xml version='1.0'?>", "this is XML: tns-import --form imglab makes a data set of dlib's annotations"),
		CASE("{ \"info\": {", "this is JSON: tns-import --form coco makes a data set of COCO's annotations"),
		CASE("{\"images\":[", "this is JSON: tns-import --form coco makes a data set of COCO's annotations"),
		CASE("\n<!DOCTYPE html>", "this is an HTML page: perhaps the site's login: download the file again, signed in"),
		CASE("version https://git-lfs.github.com/spec/v1\n", "this is a Git LFS pointer: git lfs pull fetches the file itself"),
		CASE("\x89TNS\r\n\x1a\n\1\0", "this is a tensor stream: tns-info shows what is in it, and the other programs read it"),
		CASE("SQLite format 3\0",
			"this is an SQLite database: echo 'SELECT * FROM TABLE' | sqlite3 -header -csv 'a file' | csv-clean"),
		CASE(" [\n {\"a\": 1}]",
			"this is JSON: python3 -c 'import pandas,sys; pandas.read_json(sys.argv[1]).to_csv(sys.stdout,index=False)' 'a "
			"file' | csv-clean"),
		/* what could be a CSV is read as one */
		CASE("BZh,PAR1,GIF8,BM\n", ""), CASE("P5,P6\n", ""), CASE("{a},[b]\n", ""), CASE("PK,Rar!\n", ""), CASE("<a>,id\n", ""),
		CASE("version,7z\n", ""), CASE("MATLAB,%PDF\n", ""), CASE("ustar,1AY\n", "")};
	err_name("csv-clean");
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		unsigned char got[300];
		char err[UNPACK_ERR];
		for (size_t step = 1; step < 80; step += 13) {
			size_t len = unpack_all((const unsigned char *)cases[i].bytes, cases[i].n, step, 100, got, sizeof got, err);
			ck_assert_str_eq(err, cases[i].err);
			ck_assert_uint_eq(len, *err ? 0 : cases[i].n);
		}
	}
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("unpack");
	TCase *t = tcase_create("unpack");
	make_text();
	tcase_add_test(t, whole);
	tcase_add_test(t, damaged);
	tcase_add_test(t, cut_while_held_back);
	tcase_add_test(t, faults_have_names);
	tcase_add_test(t, source_fails);
	tcase_add_test(t, zip_whole);
	tcase_add_loop_test(t, zip_damaged, 0, (int)(sizeof hows / sizeof *hows));
	tcase_add_test(t, zip_files);
	tcase_add_test(t, zip_faults);
	tcase_add_test(t, line_ends);
	tcase_add_test(t, long_first_line);
	tcase_add_test(t, foreign);
	suite_add_tcase(suite, t);
	SRunner *r = srunner_create(suite);
	srunner_run_all(r, CK_ENV);
	int failed = srunner_ntests_failed(r);
	srunner_free(r);
	free(text);
	return failed != 0;
}
