/* libFuzzer target of what reads CSV: plain, gzip or zip, in any form that csv.h names. Pieces of all sizes must give the same text, each
 * parser of pixels the same rows, and one from a file what one from memory gives, or the same error. With FUZZ_SEEDS=DIR it writes seeds
 * there and exits. */
#include <math.h>
#include <zlib.h>

#include "lib/base/crc.h"
#include "lib/base/unpack.h"
#include "lib/csv/csv.h"
#include "tests/fuzz_die.h"

/* ---- seeds ---- */

/* A member of a zip: its text stored or deflated, sizes in the header, behind the data (8) or of 64 bits; what is wrong with it. */
struct member {
	const char *name, *text;
	int method, flags, big;
	enum { RIGHT, SIZE, EXTRA, EXTRA_CUT, NO_SIGN, BAD_CRC, METHOD, ONE_BIG } wrong;
};

static unsigned char *put(unsigned char *p, uint64_t v, int n)
{
	for (int i = 0; i < n; i++)
		*p++ = (unsigned char)(v >> 8 * i);
	return p;
}

static unsigned char *put_text(unsigned char *p, const void *text, size_t n)
{
	memcpy(p, text, n);
	return p + n;
}

static unsigned char *put_member(unsigned char *p, const struct member *m)
{
	unsigned char data[8192];
	uint32_t n = (uint32_t)strlen(m->text), packed = n,
		 crc = (uint32_t)crc32(0, (const unsigned char *)m->text, n) ^ (m->wrong == BAD_CRC);
	z_stream z = {.next_in = (unsigned char *)(uintptr_t)m->text, .avail_in = n, .next_out = data, .avail_out = sizeof data};
	memcpy(data, m->text, n < sizeof data ? n : 0);
	if (m->method == 8) {
		need(deflateInit2(&z, 9, Z_DEFLATED, -15, 9, Z_DEFAULT_STRATEGY) == Z_OK && deflate(&z, Z_FINISH) == Z_STREAM_END);
		packed = (uint32_t)z.total_out;
		deflateEnd(&z);
	}
	int behind = m->flags & 8, extra = m->big ? 20 : m->wrong == EXTRA ? 9 : m->wrong == EXTRA_CUT ? 3 : m->wrong == ONE_BIG ? 12 : 0;
	p = put(put(put(put(p, 0x04034b50, 4), 20, 2), (unsigned)m->flags, 2), m->wrong == METHOD ? 99 : (unsigned)m->method, 2);
	p = put(put(p, 0, 4), behind ? 0 : crc, 4);
	p = put(p, behind ? 0 : m->big ? UINT32_MAX : packed + (m->wrong == SIZE), 4);
	p = put(p, behind ? 0 : m->big || m->wrong == ONE_BIG ? UINT32_MAX : n, 4);
	p = put(put(p, strlen(m->name), 2), (unsigned)extra, 2);
	p = put_text(p, m->name, strlen(m->name));
	if (m->big)
		p = put(put(put(put(p, 1, 2), 16, 2), n, 8), packed, 8);
	else if (m->wrong == ONE_BIG)
		p = put(put(put(p, 1, 2), 8, 2), n, 8);
	else if (extra)
		p = put(put(p, 0x5455, 2), 9, 2), p = put(p, 0, extra - 4 > 0 ? extra - 4 : 0), p -= extra < 4;
	p = put_text(p, data, packed);
	if (behind) {
		p = m->wrong == NO_SIGN ? p : put(p, 0x08074b50, 4);
		p = put(put(put(p, crc, 4), packed, m->big ? 8 : 4), n, m->big ? 8 : 4);
	}
	return p;
}

/* ends: with the records of zips of over 4 GiB before the end of the directory; comment: behind it. */
static void seed_zip(const char *name, const struct member *m, int n, int ends, int listed, const char *comment)
{
	static unsigned char z[1 << 16];
	unsigned char *p = z;
	for (int i = 0; i < n; i++)
		p = put_member(p, &m[i]);
	for (int i = 0; i < listed; i++) {
		const char *of = m[i < n ? i : 0].name;
		memset(p, 0, 46);
		put(put(p, 0x02014b50, 4), 20, 2), put(p + 28, strlen(of), 2);
		p = put_text(p + 46, of, strlen(of));
	}
	if (ends)
		p = put(put(put(p, 0x06064b50, 4), 44, 8), 0, 8), memset(p, 0, 36), p = put(put(put(p + 36, 0x07064b50, 4), 0, 8), 0, 8);
	p = put(put(put(p, 0x06054b50, 4), 0, 4), (unsigned)listed, 2);
	p = put(put(put(put(p, ends ? 0xffff : (unsigned)n, 2), 0, 4), 0, 4), strlen(comment), 2);
	p = put_text(p, comment, strlen(comment));
	fuzz_seed(name, z, (size_t)(p - z));
	fuzz_seed((char[]){'c', name[0], name[1], name[2], 0}, z, (size_t)(p - z) * 2 / 3);
}

static const char *const texts[] = {"a_x,a_y,b_x,b_y,Image\n1.5,2,,,0 9 10 255\n3,4,5,6.25,1 2 3 4\n",
	"\xef\xbb\xbf# c\rImageId,a.x,a.y,Image\r7.0,NA,-1e3,\"[1, 2.0]\"\r", "id;x_a;y_a;pixels\r\n1;+1,5;2;1 2 3 4\r\n",
	"Image\tu\n1\t2\n", "x_min,x_max,y_min,y_max,Image\n1,2,3,4,5\n", "x_min,y_min,X_max,Y_max,Image\n", "x_max,y_max,Image\n",
	"x_min,y_min,x_mid,y_mid,x_max,y_max,Image\n", "x_mid,y_mid,Image\n1,2,3\n", "min_x,max_x,min_y,max_y,x_min,y_min,Image\n",
	"box_x,box_y,box_w,box_height,Image\n1,2,3,4,5\n", "b.x,b.y,b.width,b.h,image\n1,2,3,4,5\n", "Image,pixels\n", "Image,Image\n",
	"id,id,Image\n", "id,ImageId,image_id,Image\n1,2,3,4\n", "u,v\n", "pix,u\n", "a_x,a_x,a_y,Image\n", "a_x,A_X,Image\n",
	"a_x,a_X,a_y,Image\n", "a_x,Image\n", "a b_x,a b_y,Image\n", "a,b,_x\n", "\"a,_x\";\"a,_y\";Image\n", "a\"_x,a\"_y,Image\n",
	"\"a,_x\",\"a,_y\",Image\n", "\x7f_x,\x7f_y,Image\n", "\xe9_x,\xe9_y,Image\n", "a_x,a_y,a.x,a.y,Image\n",
	"a_x,a_y,x_a,y_a,Image\n1,2,3,4,5\n", "a_x,a_y,Image\na_x,a_y,Image\n", "a_x,a_y,Image\na_y,a_x,Image\n",
	"a_x,a_y,Image\na_x,a_y,Image,x\n", "a_x,a_y,Image\na_x,a_y\n", "a_x,a_y,Image\n1e39,2,3\n", "a_x,a_y,Image\n1,2\n",
	"a_x,a_y,Image\n1,2,3,4\n", "a_x,a_y,Image\n\"1,2,3\n", "Image\n1 2 3\n", "Image\n1 2 256 4\n", "Image\n1 2 1000 4\n",
	"Image\n1 2 x 4\n", "Image\n1 2.5 3 4\n", "Image\n1.0 2.00 3. 4.0x\n", "Image\n0001 1 1 1\n", "Image\n\n# c\n",
	"# c\nImage\n1\n\n# c\n\n", "# c\nImage\n1\n\n# c\n2\n", "Image\n1\n\n2\n", "# c\nImage\n1\n#c\n", "# c\nImage\n1\n#\n", "",
	"# c\n", "Image", "Image\n1 2", "\x01,Image\n", "\"Image\n", "Image\n[1,2]3\n", "Image\n[1, 2\t3.0 ,4]\n", "Image\n 1\t2\t3\t4 \n",
	"Image\n[\n", "id,Image\n4294967296,1\n", "id,Image\n99999999999999999999,1\n", "id,Image\nx,1\n", "id,Image\n 7.000 ,1\n",
	"id,Image\n7.5,1\n", "id,Image\n.,1\n", "a_x,a_y,Image\n1234567890123456,0.1234567890123456,1\n", "a_x,a_y,Image\n.,1.,1\n",
	"a_x,a_y,Image\n..5,1.2.3,1\n", "a_x,a_y,Image\n1e400,nan,1\n", "a_x,a_y,Image\n+-1,#N/A,1\n",
	"a_x,a_y,Image\n0000000000000001,999999999999999,1\n", "a_x|a_y|Image\n1|2|3\n",
	"pixels\n0 1 22 255 9 10 100 200 5 6 7 8 99 11 12 13 1 1 1 1 1 1 1 1 1 2 3 4 5 6 7 8 9 10 11 12\n",
	"pixels\n0 1 22 255 9 10 100 200 5 6 7 8 99 11 12 13 1 1 1 1 1 1 1 1 1 2 3 4 5 6 7 8 9 10 11 256\n"};
enum { TEXTS = sizeof texts / sizeof *texts };

static void seed_gzip(const char *name, const char *text, int times)
{
	char path[1024];
	snprintf(path, sizeof path, "%s/%s", fuzz_seeds_dir(), name);
	gzFile z = gzopen(path, "wb9");
	need(z != NULL);
	for (int i = 0; i < times; i++)
		need(gzputs(z, text) > 0);
	need(gzclose(z) == Z_OK);
}

/* Members with all that a header may have: extra fields, a name, a comment, its checksum, right or wrong. */
static void seed_headers(void)
{
	for (int wrong = 0; wrong < 9; wrong++) {
		unsigned char b[256] = {0x1f, 0x8b, 8, 2 | 4 | 8 | 16, 0, 0, 0, 0, 0, 3}, *p = b + 10;
		p = put_text(put(p, 3, 2), "abc", 3), p = put_text(p, "name\0comment\0", 13);
		p = put(p, crc32(0, b, (uInt)(p - b)) ^ (wrong == 1), 2);
		p = put_text(p, "\1\6\0\371\377Image\n", 11);
		p = put(put(p, crc32(0, (const unsigned char *)"Image\n", 6) ^ (wrong == 2), 4), 6 + (wrong == 3), 4);
		b[3] |= wrong == 4 ? 0x20 : 0, b[2] = wrong == 5 ? 7 : 8;
		b[wrong == 6 ? 33 : 255] = 7; /* no type of block */
		if (wrong == 7)
			memcpy(p, b, (size_t)(p - b)), p += p - b; /* twice */
		if (wrong == 8)
			p = put(p, 0x8c1f, 2); /* nearly */
		fuzz_seed((char[]){'h', (char)('0' + wrong), 0}, b, (size_t)(p - b));
	}
}

static void seed_zips(void)
{
	const char *t = texts[0];
	struct member one[] = {{"a.csv", t, 0, 0, 0, RIGHT}}, deflated[] = {{"d/a.csv", t, 8, 0, 0, RIGHT}},
		      behind[] = {{"a.csv", t, 8, 8, 0, RIGHT}}, big[] = {{"a.TSV", t, 8, 0, 1, RIGHT}},
		      big_behind[] = {{"a", t, 8, 8, 1, RIGHT}}, no_sign[] = {{"a.txt", t, 8, 8, 0, NO_SIGN}},
		      stored_behind[] = {{"a.csv", "", 0, 8, 0, RIGHT}}, stored_none[] = {{"a.csv", "", 0, 8, 0, NO_SIGN}},
		      noise[] = {{"d/", "", 0, 0, 0, RIGHT}, {"__MACOSX/a.csv", "x", 0, 0, 0, RIGHT}, {"d/.b.csv", "y", 8, 8, 0, RIGHT},
			      {"Thumbs.db", "z", 0, 0, 0, RIGHT}, {"desktop.ini", "z", 0, 0, 0, RIGHT}, {"read.me", "r", 8, 8, 0, RIGHT},
			      {"a.csv", t, 8, 0, 0, RIGHT}},
		      several[] = {{"a.csv", t, 0, 0, 0, RIGHT}, {"b.csv", t, 8, 0, 0, RIGHT}},
		      several_bad[] = {{"a.csv", "\x89PNG\r\n\x1a\n", 0, 0, 0, RIGHT}, {"b.csv", t, 8, 8, 0, RIGHT}},
		      none[] = {{"a.png", "x", 0, 0, 0, RIGHT}}, secret[] = {{"a.csv", t, 8, 1, 0, RIGHT}},
		      method[] = {{"a.csv", t, 8, 0, 0, METHOD}}, deflate64[] = {{"a.csv", t, 9, 0, 0, RIGHT}},
		      crc[] = {{"a.csv", t, 8, 0, 0, BAD_CRC}}, size[] = {{"a.csv", t, 8, 0, 0, SIZE}},
		      extra[] = {{"a.csv", t, 8, 0, 0, EXTRA}}, extra_cut[] = {{"a.csv", t, 8, 0, 0, EXTRA_CUT}},
		      one_big[] = {{"a.csv", t, 8, 0, 0, ONE_BIG}}, packed[] = {{"a.csv", "\x1f\x8b\x08", 0, 0, 0, RIGHT}},
		      bad_second[] = {{"a.csv", "Image\1\n", 0, 0, 0, RIGHT}, {"b.csv", t, 8, 0, 0, BAD_CRC}};
	static char names[4][200];
	struct member many[4];
	for (int i = 0; i < 4; i++) {
		memset(names[i], 'a' + i, 90), strcpy(names[i] + 90, i ? ".csv" : ".csv's");
		many[i] = (struct member){names[i], "x", 0, 0, 0, RIGHT};
	}
#define SEED(m, ends) seed_zip(#m, m, (int)(sizeof m / sizeof *m), ends, (int)(sizeof m / sizeof *m), "")
	SEED(one, 0), SEED(deflated, 0), SEED(behind, 0), SEED(big, 1), SEED(big_behind, 1), SEED(no_sign, 0), SEED(stored_behind, 0);
	SEED(stored_none, 0), SEED(noise, 0), SEED(several, 0), SEED(several_bad, 0), SEED(none, 0), SEED(secret, 0), SEED(method, 0);
	SEED(deflate64, 0), SEED(crc, 0), SEED(size, 0), SEED(extra, 0), SEED(extra_cut, 0), SEED(one_big, 0), SEED(packed, 0),
		SEED(many, 0);
	SEED(bad_second, 0);
	seed_zip("empty", one, 0, 0, 0, ""), seed_zip("unlisted", one, 1, 0, 0, ""), seed_zip("listed", one, 1, 0, 2, "");
	seed_zip("comment", one, 1, 0, 1, "a comment");
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	(void)argc, (void)argv;
	if (!fuzz_seeds_dir())
		return 0;
	fuzz_seed_texts("", texts, TEXTS);
	for (int i = 0; i < 4; i++)
		seed_gzip((char[]){'z', (char)('0' + i), 0}, texts[i], 1);
	char wide[20000] = "", name[3000];
	strcpy(wide, "Image");
	for (int i = 0; i < 4096; i++)
		memcpy(wide + 5 + 2 * i, ",u", 3);
	fuzz_seed("large-wide", strcat(wide, "\n"), strlen(wide) + 1);
	memset(name, 'n', sizeof name), memcpy(name + 250, ",Image\n", 7);
	fuzz_seed("name", name, 257);
	memset(name, '1', sizeof name), memcpy(name, "a_x,a_y,Image\n", 14), memcpy(name + 800, ",2,3\n", 5);
	fuzz_seed("digits", name, 805);
	memset(name, ' ', sizeof name), name[2999] = '\n', memcpy(name, "Image\n1 1 1 1", 13);
	fuzz_seed("blanks", name, sizeof name); /* a line that the first buffer does not hold */
	memset(name, 'a', sizeof name), name[2998] = 0;
	seed_gzip("large-header", name, 30), memset(name, '1', 2998), seed_gzip("large-number", name, 200);
	char path[1024];
	snprintf(path, sizeof path, "%s/large-line", fuzz_seeds_dir());
	gzFile z = gzopen(path, "wb9");
	need(z && gzputs(z, "Image\n") > 0);
	for (int i = 0; i < 220; i++)
		need(gzputs(z, name) > 0);
	need(gzclose(z) == Z_OK);
	seed_headers(), seed_zips();
	exit(0);
}

/* ---- one input ---- */

struct source {
	const unsigned char *p;
	size_t n, step;
};

static long take(void *arg, unsigned char *dst, size_t n, char err[UNPACK_ERR])
{
	struct source *s = arg;
	(void)err;
	n = n < s->n ? n : s->n;
	n = n < s->step ? n : s->step;
	memcpy(dst, s->p, n);
	s->p += n, s->n -= n;
	return (long)n;
}

/* The checksum of the text and the error that follows it. */
static uint32_t unpacked(const unsigned char *data, size_t size, size_t step, size_t piece)
{
	unsigned char text[4096];
	char err[UNPACK_ERR] = "";
	struct source s = {data, size, step};
	struct unpack *u = unpack_new(take, &s, "x", NULL);
	uint32_t crc = 0;
	long n;
	for (size_t left = 1 << 18; left && (n = unpack_read(u, text, piece < left ? piece : left, err)) > 0; left -= (size_t)n)
		crc = crc_add(crc, text, (size_t)n);
	unpack_free(u);
	return crc_add(crc, err, strlen(err));
}

/* A checksum of the rows and of the error. */
static uint32_t rows_of(struct csv *c, const char *image_column)
{
	uint32_t crc = 0;
	c->image_column = image_column;
	int r = csv_head(c), rows = 0;
	while (r != CSV_ERR && rows++ < 1000 && (r = csv_step(c)) == CSV_ROW) {
		need(c->w >= 1 && c->h >= 1);
		crc = crc_add(crc, c->image, (size_t)c->w * (size_t)c->h);
		crc = crc_add(crc, c->xy, 2 * (size_t)c->npoints * sizeof *c->xy);
	}
	need(r != CSV_ERR || *c->err);
	crc = crc_add(crc, c->err, r == CSV_ERR ? strlen(c->err) : 0);
	csv_free(c);
	return crc;
}

static const char *column;

static void open_file(void *arg)
{
	struct csv *c = csv_open(fuzz_path(), *(int *)arg, *(int *)arg, column);
	while (csv_next(c) == CSV_ROW)
		need(c->w >= 1);
	csv_free(c);
}

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size)
{
	/* what this processor has */
	const char *fast = size % 2 && __builtin_cpu_supports("avx512vbmi2") ? "avx512" : __builtin_cpu_supports("bmi2") ? "avx2" : "plain";
	const char *name = size % 4 == 1 ? "x.csv.gz" : "x";
	need(unpacked(data, size, 1 + size % 7, 1 + size % 97) == unpacked(data, size, size + 1, 4096));
	for (int w = 0; w < 3; w += 2) {
		uint32_t crc[2];
		for (int i = 0; i < 2; i++) {
			need(!setenv("KEYPIPE_ISA", i ? fast : "plain", 1));
			crc[i] = rows_of(csv_open_memory(data, size, name, w, w), size % 8 ? NULL : "pix");
		}
		need(crc[0] == crc[1]);
	}
	unsetenv("KEYPIPE_ISA");
	if (size % 8 < 2) {
		fuzz_file(data, size);
		column = size % 8 ? NULL : "u";
		fuzz_died(open_file, &(int){0});
	}
	return 0;
}
