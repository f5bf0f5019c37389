/* Decompressed text: the same bytes and the same fault after them, whatever the sizes of reads. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "lib/base/err.h"
#include "lib/base/philox.h"
#include "lib/csv/gunzip.h"

/* Input of gunzip: at most step bytes a read, and a fault after the last where not NULL. */
struct source {
	const unsigned char *p;
	size_t n, step;
	const char *fault;
	int reads;
};

static long source_read(void *arg, unsigned char *dst, size_t n, char err[GUNZIP_ERR])
{
	struct source *s = arg;
	s->reads++;
	if (!s->n && s->fault) {
		snprintf(err, GUNZIP_ERR, "%s", s->fault);
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

/* Decompresses z in reads of piece bytes to what (capacity bytes), the first bytes of z as already read; err: the fault, or "". */
static size_t gunzip_all(const unsigned char *z, size_t n, size_t first, size_t step, size_t piece, unsigned char *what, size_t capacity,
	char err[GUNZIP_ERR])
{
	first = first < n ? first : n;
	struct source s = {z + first, n - first, step, NULL, 0};
	struct gunzip *g = gunzip_new(source_read, &s, z, first);
	size_t at = 0;
	long got;
	memset(err, 0, GUNZIP_ERR);
	while ((got = gunzip_read(g, what + at, piece < capacity - at ? piece : capacity - at, err)) > 0) {
		at += (size_t)got;
		ck_assert_uint_lt(at, capacity);
	}
	ck_assert_int_eq(gunzip_read(g, what + at, 1, err), got); /* repeats */
	ck_assert_int_eq(got < 0, *err != 0);
	gunzip_free(g);
	return at;
}

START_TEST(whole)
{
	static const size_t steps[] = {101, 3000, 1 << 20}, pieces[] = {100, 5000, 300000, 1 << 22};
	unsigned char *z = xmalloc(TEXT), *got = xmalloc(TEXT + 100);
	char err[GUNZIP_ERR];
	size_t a = member(z, TEXT, 0, 100, 0), b = a + member(z + a, TEXT - a, 100, 0, 1), c = b + member(z + b, TEXT - b, 100, 1500000, 1),
	       n = c + member(z + c, TEXT - c, 1500100, TEXT - 1500100, 0);
	for (int i = 0; i < 3; i++)
		for (int j = 0; j < 4; j++) {
			size_t len = gunzip_all(z, n, 2 + 77 * (size_t)i, steps[i], pieces[j], got, TEXT + 100, err);
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

static void compare(const unsigned char *z, size_t n, size_t at)
{
	unsigned char one[8000], two[8000];
	char err1[GUNZIP_ERR], err2[GUNZIP_ERR];
	size_t n1 = gunzip_all(z, n, 2, 11, 99, one, sizeof one, err1), n2 = gunzip_all(z, n, 50, 1000, 5000, two, sizeof two, err2);
	ck_assert_msg(!strcmp(err1, err2), "%zu: '%s', '%s'", at, err1, err2);
	ck_assert_msg(n1 == n2 && !memcmp(one, two, n1), "%zu: %zu and %zu bytes", at, n1, n2);
	ck_assert_msg((*err1 == 0) == accepted(z, n), "%zu: '%s'", at, err1);
}

START_TEST(damaged)
{
	unsigned char z[8000], one[8000];
	char err[GUNZIP_ERR];
	size_t a = member(z, sizeof z, 0, 500, 1), n = a + member(z + a, sizeof z - a, 500, 400, 0);
	for (size_t cut = 2; cut < n; cut++) {
		size_t len = gunzip_all(z, cut, 2, 5, 100, one, sizeof one, err);
		ck_assert_msg(
			cut == a ? !*err : !strcmp(err, "the gzip data are cut: the file ends inside them"), "cut at %zu: '%s'", cut, err);
		ck_assert_msg(len <= 900 && !memcmp(one, text, len), "cut at %zu", cut);
		compare(z, cut, cut);
	}
	for (size_t bit = 16; bit < 8 * n; bit++) { /* the first two bytes have been looked at */
		z[bit / 8] ^= (unsigned char)(1 << bit % 8);
		compare(z, n, bit);
		z[bit / 8] ^= (unsigned char)(1 << bit % 8);
	}
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
	char err[GUNZIP_ERR];
	size_t n = member(z, 8000, 0, 2000, 0);
	for (int i = 0; i < 5; i++) {
		size_t at = cases[i].at < 0 ? n + (size_t)cases[i].at : (size_t)cases[i].at;
		z[at] ^= (unsigned char)cases[i].xor ;
		gunzip_all(z, n, 2, 100, 100, got, sizeof got, err);
		ck_assert_str_eq(err, cases[i].err);
		z[at] ^= (unsigned char)cases[i].xor ;
	}
	z[n] = 'x';
	ck_assert_uint_eq(gunzip_all(z, n + 1, 2, 100, 100, got, sizeof got, err), 2000);
	ck_assert_str_eq(err, "the gzip data are followed by something else (byte 0x78)");
}
END_TEST

/* The source's fault is returned after the text before it, and the source is not read again. */
START_TEST(source_fails)
{
	unsigned char *z = xmalloc(TEXT), *got = xmalloc(TEXT);
	size_t n = member(z, TEXT, 0, TEXT, 0);
	struct source s = {z, n / 2, 1000, "cannot read: the disk is on fire", 0};
	struct gunzip *g = gunzip_new(source_read, &s, z, 0);
	char err[GUNZIP_ERR] = "";
	size_t at = 0;
	long len;
	while ((len = gunzip_read(g, got + at, TEXT - at, err)) > 0)
		at += (size_t)len;
	ck_assert_int_eq(len, -1);
	ck_assert_str_eq(err, s.fault);
	ck_assert(at > TEXT / 3 && !memcmp(got, text, at));
	int reads = s.reads;
	ck_assert_int_eq(gunzip_read(g, got, 1, err), -1);
	ck_assert_int_eq(s.reads, reads);
	gunzip_free(g);
	free(z), free(got);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("gunzip");
	TCase *t = tcase_create("gunzip");
	make_text();
	tcase_add_test(t, whole);
	tcase_add_test(t, damaged);
	tcase_add_test(t, faults_have_names);
	tcase_add_test(t, source_fails);
	suite_add_tcase(suite, t);
	SRunner *r = srunner_create(suite);
	srunner_run_all(r, CK_ENV);
	int failed = srunner_ntests_failed(r);
	srunner_free(r);
	free(text);
	return failed != 0;
}
