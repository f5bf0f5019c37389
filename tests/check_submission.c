/* CSV side tables, the key lookup, and submit: every row answered, or an error that names the missing one. */
#include <math.h>
#include <zlib.h>

#include "lib/base/lookup.h"
#include "lib/base/philox.h"
#include "lib/base/table.h"
#include "lib/predict/submission.h"
#include "lib/stream/dataset_stream.h"
#include "tests/prog.h"

static const char *write_text(const char *path, const char *text)
{
	FILE *f = fopen(path, "w");
	ck_assert(f && fputs(text, f) >= 0 && !fclose(f));
	return path;
}

/* ---- tables ---- */

START_TEST(forms)
{
	static const char *const text[] = {"a,b\n1,x y\n2,\n", "a,b\n1,x y\n2,", "a,b\r\n1,x y\r\n2,\r\n", "a,b\n1,x y\n2,\n\n\r\n\n",
		"\"a\",\"b\"\n\"1\",\"x y\"\n\"2\",\"\"\n"};
	for (size_t i = 0; i < sizeof text / sizeof *text; i++) {
		struct table *t = table_read(write_text("t.csv", text[i]));
		ck_assert_int_eq(t->cols, 2);
		ck_assert_uint_eq(t->rows, 2);
		ck_assert_int_eq(table_col(t, "b"), 1);
		ck_assert_int_eq(table_col(t, "c"), -1);
		ck_assert_str_eq(table_cell(t, 0, 1), "x y");
		ck_assert_str_eq(table_cell(t, 1, 1), "");
		ck_assert_uint_eq(table_uint(t, 1, 0, 2), 2);
		ck_assert_uint_eq(t->crc, crc32(0, (const unsigned char *)text[i], (uInt)strlen(text[i])));
		table_free(t);
	}
	/* as other programs write them */
	static const char *const other[] = {("\xef\xbb\xbf"
					     "a,b\n1,x y\n2,\n"),
		"a,b\r1,x y\r2,\r", "a,b\r1,x y\r2,", "a,b\r\r\n1,x y\r\r\n2,\r\r\n", "a;b\n1;x y\n2;\n", "a\tb\n1\tx y\n2\t\n",
		"a,b\n1.0,x y\n2.000,\n", "a , b\n 1,x y \n2\t, \n", "a\tb\n 1 \t\"x y\"\n2.\t\n  \n"};
	for (size_t i = 0; i < sizeof other / sizeof *other; i++) {
		struct table *t = table_read(write_text("t.csv", other[i]));
		ck_assert_int_eq(t->cols, 2);
		ck_assert_uint_eq(t->rows, 2);
		ck_assert_int_eq(table_col(t, "b"), 1);
		ck_assert_str_eq(table_cell(t, 0, 1), "x y");
		ck_assert_str_eq(table_cell(t, 1, 1), "");
		ck_assert_uint_eq(table_uint(t, 0, 0, 2), 1);
		ck_assert_uint_eq(table_uint(t, 1, 0, 2), 2);
		table_free(t);
	}
	/* commas, quotes and line ends within quotes; a header alone; one column */
	struct table *t = table_read(write_text("q.csv", "n,v\n\"a,b\",\"say \"\"no\"\"\"\n\"two\nlines\",\n"));
	ck_assert_uint_eq(t->rows, 2);
	ck_assert_str_eq(table_cell(t, 0, 0), "a,b");
	ck_assert_str_eq(table_cell(t, 0, 1), "say \"no\"");
	ck_assert_str_eq(table_cell(t, 1, 0), "two\nlines");
	table_free(t);
	t = table_read(write_text("h.csv", "n,v\n"));
	ck_assert_uint_eq(t->rows, 0);
	table_free(t);
	t = table_read(write_text("1.csv", "n\n5\n6"));
	ck_assert_uint_eq(t->rows, 2);
	ck_assert_uint_eq(table_uint(t, 1, 0, UINT64_MAX), 6);
	table_free(t);
}
END_TEST

/* Larger than all buffers, plain and gzip. */
START_TEST(large)
{
	FILE *f = fopen("l.csv", "w");
	gzFile z = gzopen("l.csv.gz", "wb");
	fprintf(f, "id,twice\n"), gzprintf(z, "id,twice\n");
	for (unsigned i = 0; i < 50000; i++)
		fprintf(f, "%u,%u\n", i, 2 * i), gzprintf(z, "%u,%u\n", i, 2 * i);
	fclose(f), gzclose(z);
	uint32_t crc[2];
	for (int k = 0; k < 2; k++) {
		struct table *t = table_read(k ? "l.csv.gz" : "l.csv");
		ck_assert_uint_eq(t->rows, 50000);
		for (unsigned i = 0; i < 50000; i++)
			ck_assert_uint_eq(table_uint(t, i, 1, UINT64_MAX), 2 * i);
		crc[k] = t->crc;
		table_free(t);
	}
	ck_assert_uint_eq(crc[0], crc[1]);
}
END_TEST

static void read_it(void *arg)
{
	err_name("t");
	struct table *t = table_read(arg);
	int id = table_require(t, "id");
	for (size_t i = 0; i < t->rows; i++)
		table_uint(t, i, id, 99);
	printf("%08x", t->crc);
	fflush(stdout);
}

START_TEST(bad_tables)
{
	static const struct {
		const char *text, *why;
	} cases[] = {
		{"", "t: f.csv: empty\n"},
		{"\n\r\n\n", "t: f.csv: empty\n"},
		{"a,b\n1,2\n", "t: f.csv: no column id in the header (there are a, b)\n"},
		{"id,b\n1,2\n3\n", "t: f.csv: row 2: 1 fields where the header has 2\n"},
		{"id,b\n1,2,3\n", "t: f.csv: row 1: 3 fields where the header has 2\n"},
		{"id,b\n1,2\n\n3,4\n", "t: f.csv: row 2: 1 fields where the header has 2\n"},
		{"id\n1\n100\n", "t: f.csv: row 2: id '100' is no whole number from 0 to 99\n"},
		{"id\n-1\n", "t: f.csv: row 1: id '-1' is no whole number from 0 to 99\n"},
		{"id\n1.5\n", "t: f.csv: row 1: id '1.5' is no whole number from 0 to 99\n"},
		{"id\n100.0\n", "t: f.csv: row 1: id '100.0' is no whole number from 0 to 99\n"},
		{"id\n1.0x\n", "t: f.csv: row 1: id '1.0x' is no whole number from 0 to 99\n"},
		{"id\n.0\n", "t: f.csv: row 1: id '.0' is no whole number from 0 to 99\n"},
		{"id,b\n,1\n", "t: f.csv: row 1: id '' is no whole number from 0 to 99\n"},
		{"id\n1 1\n", "t: f.csv: row 1: id '1 1' is no whole number from 0 to 99\n"},
		{"\"id\"\n\" 1\"\n", "t: f.csv: row 1: id ' 1' is no whole number from 0 to 99\n"},
		{"id\tb\n1\t2\n3\n", "t: f.csv: row 2: 1 fields where the header has 2\n"},
		{"id;b\n1;2\n3,4\n", "t: f.csv: row 2: 1 fields where the header has 2\n"},
		{"\xff\xfei\n", "t: f.csv: this is UTF-16 text: iconv -f UTF-16 -t UTF-8 f.csv >FILE\n"},
		{"\x1f\x8b", "t: f.csv: the gzip data are cut: the file ends inside them\n"},
		{"id\n18446744073709551617\n", "id '18446744073709551617' is no whole number"},
		/* an unclosed quote must not swallow the rows after it */
		{"id,b\n1,\"\n2,3\n4,5\n", "t: f.csv: row 1: field 2: its quote is not closed\n"},
		{"id,b\n1,2\n\"3,4", "t: f.csv: row 2: field 1: its quote is not closed\n"},
		{"id,\"b\n1,2\n", "t: f.csv: row 0: field 2: its quote is not closed\n"},
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		write_text("f.csv", cases[i].text);
		prog_refused(child_run(read_it, (void *)(uintptr_t) "f.csv"), 1, cases[i].why);
	}
	FILE *f = fopen("f.csv", "w");
	fwrite("id\n1\0\n", 1, 6, f), fclose(f);
	prog_refused(child_run(read_it, (void *)(uintptr_t) "f.csv"), 1, "t: f.csv: holds a zero byte, it is no text");
	prog_refused(child_run(read_it, (void *)(uintptr_t) "gone.csv"), 1, "t: gone.csv: No such file or directory");
	prog_refused(child_run(read_it, (void *)(uintptr_t) "."), 1, "t: .: cannot read: Is a directory");
}
END_TEST

/* Every truncation of a gzip is refused; a flipped bit behind its header is too, or has no effect (deflate's last byte may have unused
 * bits). */
START_TEST(damaged_gzip)
{
	char bytes[512];
	gzFile z = gzopen("c.csv.gz", "wb");
	gzprintf(z, "id,b\n1,2\n3,4\n5,5\n7,8\n"), gzclose(z);
	FILE *f = fopen("c.csv.gz", "rb");
	size_t n = fread(bytes, 1, sizeof bytes, f);
	fclose(f);
	for (size_t cut = 0; cut <= n; cut++) {
		f = fopen("x.csv", "wb");
		fwrite(bytes, 1, cut, f), fclose(f);
		struct child c = child_run(read_it, (void *)(uintptr_t) "x.csv");
		ck_assert_msg(c.status == (cut == n ? 99 : 1), "cut at %zu of %zu: exit %d: %s", cut, n, c.status, c.err);
	}
	struct child whole = child_run(read_it, (void *)(uintptr_t) "x.csv");
	int spare = 0;
	for (size_t bit = 8 * 10; bit < 8 * n; bit++) {
		bytes[bit / 8] ^= (char)(1 << bit % 8);
		f = fopen("x.csv", "wb");
		fwrite(bytes, 1, n, f), fclose(f);
		struct child c = child_run(read_it, (void *)(uintptr_t) "x.csv");
		ck_assert_msg(c.status == 1 || !strcmp(c.out, whole.out), "bit %zu: exit %d", bit, c.status);
		spare += c.status != 1;
		bytes[bit / 8] ^= (char)(1 << bit % 8);
	}
	ck_assert_int_lt(spare, 8);
}
END_TEST

/* ---- lookup ---- */

START_TEST(found)
{
	for (uint32_t n = 0; n < 200; n += n < 5 ? 1 : 39) {
		uint64_t key[200];
		struct lookup l;
		for (uint32_t i = 0; i < n; i++)
			key[i] = philox(1, PHILOX_TEST, 0, i, n).v[0] % (_i ? 50 : 4000000000u) * (_i ? 1 : 5000000000ull);
		lookup_make(&l, key, n);
		int twice = 0;
		for (uint64_t k = 0; k < 200; k++) {
			uint64_t want = k < n ? key[k] : k;
			size_t at = lookup_first(&l, want), count = 0, really = 0;
			for (uint32_t i = 0; i < n; i++)
				really += key[i] == want;
			for (; at < n && l.by[at].key == want; at++, count++) {
				ck_assert_uint_eq(key[l.by[at].row], want);
				ck_assert(!count || l.by[at].row > l.by[at - 1].row);
			}
			ck_assert_uint_eq(count, really);
			twice |= count > 1;
		}
		ck_assert_int_eq(lookup_duplicate(&l) < n, twice);
		if (twice)
			ck_assert_uint_eq(l.by[lookup_duplicate(&l)].key, l.by[lookup_duplicate(&l) - 1].key);
		lookup_free(&l);
	}
}
END_TEST

/* ---- submit ---- */

#define FLOATS(...)                                                                                                                        \
	(const float[])                                                                                                                    \
	{                                                                                                                                  \
		__VA_ARGS__                                                                                                                \
	}
static const char *const points[] = {"points", "nose,left_y", NULL};
static const uint8_t pixels[4 * 6];
static const char table[] = "RowId,ImageId,FeatureName,Location\n1,5,nose_x,\n2,5,left_y_y,\n3,9,nose_y,\n";

/* Images of 3 wide and 2 high. */
static const char *predictions(const char *path, uint64_t rows, const uint32_t *id, const float *p)
{
	return prog_stream(path, rows,
		(struct prog_col[]){{"image", TNS_U8, 2, 3, pixels}, {"id", TNS_U32, 0, 0, id}, {"predicted", TNS_F32, 2, 2, p}, {0}},
		points);
}

static const uint32_t both[] = {9, 5};

START_TEST(answered)
{
	write_text("table.csv", table);
	predictions("p.tns", 2, both, FLOATS(0, 0.25f, 0, 0, 1.5f, 0, 0, 0.75f));
	struct child c = prog("submit", "--lookup", "table.csv", "p.tns", NULL);
	prog_went(c);
	ck_assert_str_eq(c.out, "RowId,Location\n1,1.50000\n2,0.75000\n3,0.25000\n");
	/* clipped to the image: 0 to 2 in x, 0 to 1 in y; an image not in the table is ignored */
	predictions("out-of.tns", 3, (const uint32_t[]){9, 77, 5}, FLOATS(9, 9, 9, 9, 0, 0, 0, 0, 1e30f, 9, 9, -1e-30f));
	c = prog("submit", "-l", "table.csv", "<out-of.tns", NULL);
	prog_went(c);
	ck_assert_str_eq(c.out, "RowId,Location\n1,2.00000\n2,0.00000\n3,1.00000\n");
	predictions("minus.tns", 2, both, FLOATS(0, -7, 0, 0, -0.0f, 0, 0, -0.0f));
	c = prog("submit", "-l", "table.csv", "minus.tns", NULL);
	ck_assert_str_eq(c.out, "RowId,Location\n1,0.00000\n2,0.00000\n3,0.00000\n");
	/* columns in another order, CRLF, ids with leading zeros, a coordinate in two rows */
	write_text("crlf.csv", "FeatureName,Usage,RowId,ImageId\r\nnose_x,Public,007,05\r\nnose_x,Private,4,5\r\n");
	c = prog("submit", "-l", "crlf.csv", "p.tns", NULL);
	prog_went(c);
	ck_assert_str_eq(c.out, "RowId,Location\n007,1.50000\n4,1.50000\n");
	/* an empty table */
	write_text("none.csv", "RowId,ImageId,FeatureName\n");
	c = prog("submit", "-l", "none.csv", "p.tns", NULL);
	ck_assert_str_eq(c.out, "RowId,Location\n");
}
END_TEST

static void refuse(const char *lookup, const char *stream, const char *why)
{
	prog_refused(prog("submit", "-l", write_text("l.csv", lookup), stream, "-o", "out", NULL), 1, why);
}

START_TEST(refused)
{
	const float *p = FLOATS(0, 0.25f, 0, 0, 1.5f, 0, 0, 0.75f);
	predictions("p.tns", 2, both, p);
	prog_refused(prog("submit", "p.tns", "-o", "out", NULL), 2,
		"submit: --lookup TABLE is needed: it says what is asked; try submit --help");
	prog_refused(prog("submit", "-l", "gone.csv", "p.tns", "-o", "out", NULL), 1, "submit: gone.csv: No such file");
	refuse("RowId,ImageId,FeatureName\n1,5,nose_x\n2,6,nose_y\n", "p.tns",
		"submit: l.csv: row 2: no prediction for RowId 2: image 6, nose_y");
	refuse("RowId,ImageId,FeatureName\n1,5,nose\n", "p.tns",
		"submit: l.csv: row 1: FeatureName 'nose' is none of the predicted points' coordinates");
	for (int i = 0; i < 6; i++) {
		static const char *const name[] = {"", "_x", "nose_z", "nosex", "Nose_x", "left_x"};
		char text[100];
		snprintf(text, sizeof text, "RowId,ImageId,FeatureName\n1,5,nose_x\n2,5,%s\n", name[i]);
		refuse(text, "p.tns", "submit: l.csv: row 2: FeatureName '");
	}
	refuse("RowId,ImageId,FeatureName\n1,5,nose_x\n3,9,nose_x\n1,9,nose_y\n", "p.tns",
		"submit: l.csv: row 3: RowId 1 stands in row 1 already");
	refuse("RowId,ImageId\n1,5\n", "p.tns", "submit: l.csv: no column FeatureName in the header");
	refuse("ImageId,FeatureName\n1,5\n", "p.tns", "submit: l.csv: no column RowId in the header");
	refuse("RowId,FeatureName\n1,5\n", "p.tns", "submit: l.csv: no column ImageId in the header");
	refuse("RowId,ImageId,FeatureName\n1,4294967296,nose_x\n", "p.tns",
		"submit: l.csv: row 1: ImageId '4294967296' is no whole number from 0 to 4294967295");
	refuse("RowId,ImageId,FeatureName\nx,5,nose_x\n", "p.tns", "submit: l.csv: row 1: RowId 'x' is no whole number");
	refuse("RowId,ImageId,FeatureName,Location\n1,5,nose_x,\"\n2,6,nose_x,\n", "p.tns", "its quote is not closed");

	predictions("twice.tns", 2, (const uint32_t[]){5, 5}, p);
	refuse(table, "twice.tns", "submit: twice.tns: row 2: image 5 comes a second time");
	predictions("nan.tns", 2, both, FLOATS(0, 0.25f, 0, 0, 1.5f, 0, 0, NAN));
	refuse(table, "nan.tns", "submit: nan.tns: row 2 (image 5): predicted left_y_y is nan");
	predictions("inf.tns", 2, both, FLOATS(-INFINITY, 0.25f, 0, 0, 1.5f, 0, 0, 0));
	refuse(table, "inf.tns", "submit: inf.tns: row 1 (image 9): predicted nose_x is -inf");

	struct prog_col c[] = {{"image", TNS_U8, 2, 3, pixels}, {"id", TNS_U32, 0, 0, both}, {"predicted", TNS_F32, 2, 2, p}, {0}};
	prog_stream("names.tns", 2, c, NULL);
	refuse(table, "names.tns", "submit: names.tns: there is no META points");
	prog_stream("bare.tns", 2, (struct prog_col[]){c[0], c[1], {0}}, points);
	refuse(table, "bare.tns", "submit: bare.tns: there is no tensor predicted");
	prog_stream("id.tns", 2, (struct prog_col[]){c[0], c[2], {0}}, points);
	refuse(table, "id.tns", "submit: id.tns: there is no tensor id");
	prog_stream("image.tns", 2, (struct prog_col[]){c[1], c[2], {0}}, points);
	refuse(table, "image.tns", "submit: image.tns: there is no tensor image");
	c[1].dtype = TNS_I32;
	prog_stream("i32.tns", 2, c, points);
	refuse(table, "i32.tns", "submit: i32.tns: id is i32 with 1 dimensions, not u32 with 1");
	c[1].dtype = TNS_U32, c[2].a = 1, c[2].b = 4;
	prog_stream("four.tns", 2, c, (const char *const[]){"points", "nose", NULL});
	refuse("RowId,ImageId,FeatureName\n1,5,nose_x\n", "four.tns", "submit: four.tns: tensor predicted has 4 numbers a point, not 2");
	/* a stream truncated after the last row needed */
	FILE *f = fopen("p.tns", "rb");
	char bytes[4096];
	size_t n = fread(bytes, 1, sizeof bytes, f);
	fclose(f), f = fopen("cut.tns", "wb"), fwrite(bytes, 1, n - 64, f), fclose(f);
	refuse(table, "cut.tns", "submit: cut.tns: record ");
}
END_TEST

int main(void)
{
	prog_begin();
	Suite *s = suite_create("submission");
	TCase *t = tcase_create("submission");
	suite_add_tcase(s, t);
	tcase_add_test(t, forms);
	tcase_add_test(t, large);
	tcase_add_test(t, bad_tables);
	tcase_add_test(t, damaged_gzip);
	tcase_add_loop_test(t, found, 0, 2);
	tcase_add_test(t, answered);
	tcase_add_test(t, refused);
	return prog_end(s);
}
