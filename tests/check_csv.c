#include <check.h>
#include <fcntl.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include <zlib.h>

#include "lib/base/err.h"
#include "lib/base/philox.h"
#include "lib/csv/csv.h"
#include "lib/csv/lines.h"
#include "lib/csv/pixels.h"

static const char *isas[3];
static int nisas;

static uint32_t draw(void)
{
	static uint32_t n;
	return philox(11, PHILOX_TEST, 0, 0, n++).v[0];
}

/* The values of KEYPIPE_ISA that this processor supports: the others end the program. */
static void find_isas(void)
{
	static const char *const all[] = {"plain", "avx2", "avx512"};
	for (int i = 0; i < 3; i++) {
		int status;
		pid_t pid = fork();
		if (!pid) {
			if (!freopen("/dev/null", "w", stderr))
				_exit(2);
			setenv("KEYPIPE_ISA", all[i], 1);
			pixels_best(NULL);
			_exit(0);
		}
		waitpid(pid, &status, 0);
		if (!status)
			isas[nisas++] = all[i];
		else
			printf("skipped: this processor has no %s\n", all[i]);
	}
}

/* ---- parsing ---- */

/* What the parser returns for a text, as one text: names, rows with every number, and the error. */
struct text {
	char *s;
	size_t n, capacity;
};

static void append(struct text *t, const void *s, size_t n)
{
	if (t->n + n + 1 > t->capacity) {
		t->capacity = 2 * (t->n + n + 1);
		t->s = xrealloc(t->s, t->capacity);
	}
	memcpy(t->s + t->n, s, n);
	t->n += n;
	t->s[t->n] = 0;
}

static struct text read_csv(struct csv *c)
{
	struct text t = {0};
	char line[1024];
	int r = csv_head(c);
	append(&t, "", 0);
	for (int i = 0; r == CSV_DONE && i < c->npoints; i++)
		append(&t, line, (size_t)snprintf(line, sizeof line, "%s,", c->points[i]));
	while (r != CSV_ERR && (r = csv_step(c)) == CSV_ROW) {
		append(&t, line, (size_t)snprintf(line, sizeof line, "\n%d %u %dx%d", (int)c->row, c->id, c->w, c->h));
		for (int i = 0; i < 2 * c->npoints; i++)
			append(&t, line, (size_t)snprintf(line, sizeof line, " %.9g", c->xy[i]));
		append(&t, " ", 1);
		for (int i = 0; i < c->w * c->h; i++)
			append(&t, line, (size_t)snprintf(line, sizeof line, "%d,", c->image[i]));
	}
	if (r == CSV_ERR)
		append(&t, line, (size_t)snprintf(line, sizeof line, "\nERROR %s", c->err));
	csv_free(c);
	return t;
}

/* Parsed by every ISA's code, which must agree. */
static char *reads_as(const void *data, size_t n, const char *name, int w, int h)
{
	struct text first = {0};
	for (int i = 0; i < nisas; i++) {
		setenv("KEYPIPE_ISA", isas[i], 1);
		struct text t = read_csv(csv_open_memory(data, n, name, w, h));
		if (i)
			ck_assert_msg(!strcmp(t.s, first.s), "%s and %s differ:\n%s\n%s", isas[0], isas[i], first.s, t.s);
		if (i)
			free(t.s);
		else
			first = t;
	}
	return first.s;
}

static void expect(const char *csv, const char *want)
{
	char *got = reads_as(csv, strlen(csv), "some.csv", 0, 0);
	ck_assert_msg(!strcmp(got, want), "%s\nreads as\n%s\nnot\n%s", csv, got, want);
	free(got);
}

#define GOOD "a,b,\n1 1 2x2 1.5 2 nan nan 0,9,10,255,\n2 2 2x2 3 4 5 6.25 1,2,3,4,"

START_TEST(tolerated)
{
	expect("a_x,a_y,b_x,b_y,Image\n1.5,2,,,0 9 10 255\n3,4,5,6.25,1 2 3 4\n", GOOD);
	expect("a_x,a_y,b_x,b_y,Image\n1.5,2,,,0 9 10 255\n3,4,5,6.25,1 2 3 4", GOOD);
	expect("a_x,a_y,b_x,b_y,Image\r\n1.5,2,,,0 9 10 255\r\n3,4,5,6.25,1 2 3 4\r\n", GOOD);
	expect("\xef\xbb\xbf"
	       "a_x,a_y,b_x,b_y,Image\n1.5,2,,,0 9 10 255\n3,4,5,6.25,1 2 3 4\n",
		GOOD);
	expect("\"a_x\",a_y,b_x,b_y,\"Image\"\n\"1.5\",2,\"\",,\"0 9 10 255\"\n3,4,5,\"6.25\",\"1 2 3 4\"\n", GOOD);
	expect("a_x,a_y,b_x,b_y,Image\n1.5e0,2.000,,, 000 009  10 255 \n3.,+4,5,.0625e2,1 2 3 4\n", GOOD);
	/* how spreadsheets and data frames write it */
	static const char *const missing[] = {
		"nan", "NaN", "NA", "N/A", "#N/A", "null", "NULL", "None", "none", ".", "?", " ", "<NA>", "-", "\"NA\""};
	for (size_t i = 0; i < sizeof missing / sizeof *missing; i++) {
		char *csv = xprintf("a_x,a_y,b_x,b_y,Image\n1.5,2,%s,%s,0 9 10 255\n3,4,5,6.25,1 2 3 4\n", missing[i], missing[i]);
		expect(csv, GOOD);
		free(csv);
	}
	expect("a_x,a_y,b_x,b_y,Image\n 1.5,2 ,\t,,0 9 10 255\n+3,4,+5.0, 6.25\t,1 2 3 4\n", GOOD);
	expect("a_x,a_y,b_x,b_y,Image\n1.5,2,,,0\t9\t10 255\n3,4,5,6.25,1.0 2. 3.000 4.0\n", GOOD);
	expect("a_x,a_y,b_x,b_y,Image\n1.5,2,,,\"[0, 9, 10, 255]\"\n3,4,5,6.25,\" [1. 2. 3.\t4.] \"\n", GOOD);
	expect(" a_x , a_y,b_x\t,b_y, Image\n1.5,2,,,0 9 10 255\n3,4,5,6.25,1 2 3 4\n", GOOD);
	expect("a_x,a_y,b_x,b_y,image\n1.5,2,,,0 9 10 255\n3,4,5,6.25,1 2 3 4\n", GOOD);
	expect("a_x,a_y,b_x,b_y,pixels\n1.5,2,,,0 9 10 255\n3,4,5,6.25,1 2 3 4\n", GOOD);
	expect("a.x,a.y,b.x,b.y,Image\n1.5,2,,,0 9 10 255\n3,4,5,6.25,1 2 3 4\n", GOOD);
	expect("a_X,a_Y,b_X,b_Y,IMAGE\n1.5,2,,,0 9 10 255\n3,4,5,6.25,1 2 3 4\n", GOOD);
	expect("x_a,y_a,x_b,y_b,Image\n1.5,2,,,0 9 10 255\n3,4,5,6.25,1 2 3 4\n", GOOD);
	expect("Unnamed: 0,a_x,a_y,b_x,b_y,Image\n0,1.5,2,,,0 9 10 255\n1,3,4,5,6.25,1 2 3 4\n", GOOD);
	expect(",a_x,a_y,filename,b_x,b_y,age,Image\n0,1.5,2,c.png,,,31,0 9 10 255\n1,3,4,\"d,e.png\",5,6.25,,1 2 3 4\n", GOOD);
	expect("# made by hand\n#\na_x,a_y,b_x,b_y,Image\n1.5,2,,,0 9 10 255\n3,4,5,6.25,1 2 3 4\n\n  \n\r\n", GOOD);
	expect("image_id,Image\n3,1 2 3 4\n", "\n1 3 2x2 1,2,3,4,");
	expect("id,Image,ImageId\nx, 1 2 3 4, 3 \n", "\n1 3 2x2 1,2,3,4,"); /* the better name */
	expect("id,Image\n3.0,1 2 3 4\n", "\n1 3 2x2 1,2,3,4,");
	/* other line ends and separators; a decimal comma beside semicolons */
	expect("a_x,a_y,b_x,b_y,Image\r1.5,2,,,0 9 10 255\r3,4,5,6.25,1 2 3 4\r", GOOD);
	expect("a_x,a_y,b_x,b_y,Image\r1.5,2,,,0 9 10 255\r3,4,5,6.25,1 2 3 4", GOOD);
	expect("a_x,a_y,b_x,b_y,Image\r\r\n1.5,2,,,0 9 10 255\r\r\n3,4,5,6.25,1 2 3 4\r\r\n", GOOD);
	expect("a_x;a_y;b_x;b_y;Image\n1.5;2;;;0 9 10 255\n3;4;5;6.25;1 2 3 4\n", GOOD);
	expect("a_x;a_y;b_x;b_y;Image\n1,5;2,0;;NA;0 9 10 255\n3;+4;\"5\"; 6,25 ;1 2 3 4\n", GOOD);
	expect("a_x\ta_y\tb_x\tb_y\tImage\n1.5\t2\t\t\t0 9 10 255\n3\t4\t\"5\"\t 6.25\t1 2 3 4\n", GOOD);
	/* any order of columns; ImageId */
	expect("b_y,Image,a_y,a_x,ImageId,b_x\n,0 9 10 255,2,1.5,7,\n6.25,1 2 3 4,4,3,4294967295,5\n",
		"a,b,\n1 7 2x2 1.5 2 nan nan 0,9,10,255,\n2 4294967295 2x2 3 4 5 6.25 1,2,3,4,");
	expect("ImageId,Image\n3,1 2 3 4\n", "\n1 3 2x2 1,2,3,4,");
	expect("Image\n255\n", "\n1 1 1x1 255,");
	expect("a_x,a_y,Image\n1,,9\n,-2.5,8\n", "a,\n1 1 1x1 1 nan 9,\n2 2 1x1 nan -2.5 8,");
	expect("Image\n", "");
}
END_TEST

#define FOR_FILES "; tables that name files are for tns-import --form table"
static const struct {
	const char *csv, *error;
} bad[] = {
	{"", "empty, not even a header"},
	{"Image", "header: the file ends in it"},
	{"\n", "header: no column is called Image (image, pixels; --image-column names another)" FOR_FILES},
	{"a_x,a_y\n1,2\n", "header: no column is called Image (image, pixels; --image-column names another)" FOR_FILES},
	{"a_x,a_y,a_x,Image\n", "header: two columns are called 'a_x'"},
	{"Image,Image\n", "header: two columns are called 'Image'"},
	{"a_x,b_y,Image\n", "header: 'a_x' without 'a_y'"},
	{"a_y,Image\n", "header: 'a_y' without 'a_x'"},
	{"a_x,a_y,image,Image\n", "header: 'image' and 'Image' may both be the image: --image-column says which"},
	{"a_x,a_y,a_X,Image\n", "header: 'a_x' and 'a_X' are the same"},
	{"a_x,a_y,a.x,a.y,Image\n", "header: two points are called 'a'"},
	{"id,id,Image\n", "header: two columns are called 'id'"},
	{"\"a,b_x\",\"a,b_y\",Image\n", "header: column 1: a space, comma or quote in 'a,b_x'"},
	{"\"a_x,a_y,Image\n1,2,3\n", "header: column 1: the quotes are not closed, or not at the field's ends"},
	{"a_x,a_y,Image\n1,2\n", "row 1: 2 columns instead of 3"},
	{"a_x,a_y,Image\n1,2,3,4\n", "row 1: 4 columns instead of 3"},
	{"Image,a_x,a_y\n1,2,3,4\n", "row 1: 4 columns instead of 3"},
	{"Image,a_x,a_y\n1,2,3,\n", "row 1: 4 columns instead of 3"},
	{"Image,a_x,a_y\n1,2\n", "row 1: 2 columns instead of 3"},
	{"a_x,a_y,Image\n1,2,3\n\n1,2,3\n", "row 2: an empty line"},
	{"a_x,a_y,Image\n1,2,3\n1,2", "row 2: 2 columns instead of 3; the file ends in this row"},
	{"a_x,a_y,Image\nx,2,3\n", "row 1: a_x is 'x', not a number"},
	{"a_x,a_y,Image\n1,2 3,3\n", "row 1: a_y is '2 3', not a number"},
	{"a_x,a_y,Image\n1,+-2,3\n", "row 1: a_y is '+-2', not a number"},
	{"a_x,a_y,Image\n1,nano,3\n", "row 1: a_y is 'nano', not a number"},
	{"a_x,a_y,Image\n1,1:5,3\n", "row 1: a_y is '1:5', not a number"}, /* what follows 9, and goes before 0 */
	{"a_x,a_y,Image\n1,1/5,3\n", "row 1: a_y is '1/5', not a number"},
	{"a_x,a_y,Image\n1,inf,3\n", "row 1: a_y is 'inf', not a number"},
	{"a_x,a_y,Image\n1,1e39,3\n", "row 1: a_y is 1e39: too large for a coordinate"},
	{"a_x,a_y,Image\n1,0x1,3\n", "row 1: a_y is '0x1', not a number"},
	{"a_x,a_y,Image\n1,1.2.3,3\n", "row 1: a_y is '1.2.3', not a number"},
	{"a_x,a_y,Image\n1,..,3\n", "row 1: a_y is '..', not a number"},
	{"a_x;a_y;Image\n1;1.234,5;3\n", "row 1: a_y is '1.234,5', not a number"},
	{"a_x;a_y;Image\n1;2,3\n", "row 1: 2 columns instead of 3"},
	{"a_x\ta_y\tImage\n1\t2,5\t3\n", "row 1: a_y is '2,5', not a number"},
	{"id,Image\n3.5,1\n", "row 1: id is '3.5', not a number from 0 to 4294967295"},
	{"id,Image\n.0,1\n", "row 1: id is '.0', not a number from 0 to 4294967295"},
	{"a_x,a_y,Image\n1,12345678901234567890123456789012345678901234567890x,3\n",
		"row 1: a_y is '1234567890123456789012345678901234567890...', not a number"},
	{"a_x,a_y,Image\n1,\"2,3\n", "row 1: column 2: the quotes are not closed, or not at the field's ends"},
	{"a_x,a_y,Image\n1,\"2\"3,3\n", "row 1: column 2: the quotes are not closed, or not at the field's ends"},
	{"a_x,a_y,Image\n1,\"\"\"2\",3\n", "row 1: a_y is '\"\"2', not a number"},
	{"ImageId,Image\n-1,3\n", "row 1: ImageId is '-1', not a number from 0 to 4294967295"},
	{"ImageId,Image\n4294967296,3\n", "row 1: ImageId is '4294967296', not a number from 0 to 4294967295"},
	{"ImageId,Image\n,3\n", "row 1: ImageId is '', not a number from 0 to 4294967295"},
	{"Image\n1 2 3\n", "row 1: 3 pixels, which is no square: --size WxH tells the shape"},
	{"Image\n1 2 3 4\n1 2 3\n", "row 2: 3 pixels instead of 4 (2 x 2)"},
	{"Image\n1 2 3 4\n1 2 3 4 5\n", "row 2: 5 pixels instead of 4 (2 x 2)"},
	{"Image\n1 2 3 4\n1 2 3", "row 2: 3 pixels instead of 4 (2 x 2); the file ends in this row"},
	{"Image\n\"\"\n", "row 1: 0 pixels, which is no square: --size WxH tells the shape"},
	{"Image\n1 2 3 256\n", "row 1: pixel 4 is 256, not 0 to 255"},
	{"Image\n1 2 300 4\n", "row 1: pixel 3 is 300, not 0 to 255"},
	{"Image\n1 2 999 4\n", "row 1: pixel 3 is 999, not 0 to 255"},
	{"Image\n1 2 0255 4\n", "row 1: pixel 3 is 0255, not 0 to 255"},
	{"Image\n1 2 99999999999999999999 4\n", "row 1: pixel 3 is 99999999999999999999, not 0 to 255"},
	{"Image\n1 2 -3 4\n", "row 1: pixel 3 is '-3', not a number from 0 to 255"},
	{"Image\n1 2 3.5 4\n", "row 1: pixel 3 is '3.5', not a number from 0 to 255"},
	{"Image\n1 2 0003.0 4\n", "row 1: pixel 3 is 0003.0, not 0 to 255"},
	{"Image\n1 2 300.0 4\n", "row 1: pixel 3 is 300.0, not 0 to 255"},
	{"Image\n1 2 .0 4\n", "row 1: pixel 3 is '.0', not a number from 0 to 255"},
	{"Image\n\"[1, 2, 3, 256]\"\n", "row 1: pixel 4 is 256, not 0 to 255"},
	{"Image\n\"[1, 2, 3]\"\n", "row 1: 3 pixels, which is no square: --size WxH tells the shape"},
	{"Image\n\"1, 2, 3, 4\"\n", "row 1: pixel 1 is '1,', not a number from 0 to 255"},
	{"Image\n\"[1, 2, 3, 4\"\n", "row 1: pixel 1 is '[1,', not a number from 0 to 255"},
	{"Image\n\"[[1, 2], [3, 4]]\"\n", "row 1: pixel 1 is '[1', not a number from 0 to 255"},
	{"Image\n[\n", "row 1: pixel 1 is '[', not a number from 0 to 255"},
	{"Image\n1 two 3 4\n", "row 1: pixel 2 is 'two', not a number from 0 to 255"},
	{"Image\n1\v2 3 4\n", "row 1: pixel 1 is '1?2', not a number from 0 to 255"},
	{"Image\n1 2 3 4\r5\n", "row 1: pixel 4 is '4?5', not a number from 0 to 255"},
	{"Image\n1 2 3,4\n", "row 1: 2 columns instead of 1"},
	{"a_x,a_y,Image\n1,2,3\n\"a_x\", a_y,Image\n",
		"row 2: the header again, of a second CSV: awk '$0 != h; NR == 1 {h = $0}' some.csv | keypipe"},
	{"id,a_x,a_y,Image\n4,1,2,3\nid,Image,a_x,a_y\n",
		"row 2: a header again, with columns in another order: clean each CSV alone, tns-cat puts them together"},
	{"a_x,a_y,Image\na_x,a_y\n", "row 1: 2 columns instead of 3"},
	{"a_x,a_y,Image\na_x,a_y,Imag\n", "row 1: a_x is 'a_x', not a number"},
	{"a_x,a_y,Image\na_x,a_y,Image,a_x\n", "row 1: 4 columns instead of 3"},
	{"a_x,a_y,Image\n1,-3.5e38,3\n", "row 1: a_y is -3.5e38: too large for a coordinate"},
	{"\xe9_x,\xe9_y,Image\n", "header: column 1: '\xe9_x' is not UTF-8; if it is Latin-1: iconv -f LATIN1 -t UTF-8 some.csv | keypipe"},
};

START_TEST(refused)
{
	char *got = reads_as(bad[_i].csv, strlen(bad[_i].csv), "some.csv", 0, 0), *error = strstr(got, "ERROR ");
	ck_assert_msg(
		error && !strcmp(error + 6, bad[_i].error), "%s\ngives\n%s\nnot\n%s", bad[_i].csv, error ? error + 6 : got, bad[_i].error);
	free(got);
}
END_TEST

START_TEST(declared_size)
{
	char *got = reads_as("Image\n1 2 3 4 5 6\n", 18, "s", 3, 2);
	ck_assert_str_eq(got, "\n1 1 3x2 1,2,3,4,5,6,");
	free(got);
	got = reads_as("Image\n1 2 3 4\n", 14, "s", 3, 2);
	ck_assert_str_eq(got, "\nERROR row 1: 4 pixels instead of 6 (3 x 2)");
	free(got);
}
END_TEST

START_TEST(zero_bytes)
{
	char *got = reads_as("Im\0age\n1\n", 9, "s", 0, 0);
	ck_assert_str_eq(got, "\nERROR header: byte 3 is 0x00: this is no text, so no CSV");
	free(got);
	got = reads_as("a_x,a_y,Image\n1\0,2,3\n", 21, "s", 0, 0);
	ck_assert_str_eq(got, "a,\nERROR row 1: a_x is '1?', not a number");
	free(got);
	got = reads_as("Image\n1 2 \0 4\n", 14, "s", 0, 0);
	ck_assert_str_eq(got, "\nERROR row 1: pixel 3 is '?', not a number from 0 to 255");
	free(got);
}
END_TEST

START_TEST(wrong_name)
{
	static const char text[] = "\3\4 this is nothing\n";
	char *got = reads_as(text, sizeof text - 1, "training.csv.gz", 0, 0);
	ck_assert_msg(strstr(got, "ERROR not gzip, though its name ends in .gz, and no such CSV either: header:"), "%s", got);
	free(got);
	got = reads_as("Image\n7\n", 8, "training.csv.gz", 0, 0);
	ck_assert_str_eq(got, "\n1 1 1x1 7,");
	free(got);
}
END_TEST

/* ---- pixels ---- */

/* Reference implementation of pixels.h. */
static long reference_pixels(const char *p, unsigned char *out)
{
	long n = 0;
	for (;;) {
		p += strspn(p, " ");
		if (!*p)
			return n;
		size_t len = strcspn(p, " ");
		if (len > 3 || strspn(p, "0123456789") < len || atoi(p) > 255)
			return -1;
		out[n++] = (unsigned char)atoi(p);
		p += len;
	}
}

/* Buffers have exactly the sizes that pixels.h requires, so that a sanitizer finds accesses beyond them. */
static void check_pixels(const char *text)
{
	size_t n = strlen(text), capacity = n / 2 + 1;
	unsigned char *want = xmalloc(capacity), *copy = xmalloc(n + 2 * PIXELS_PAD), *out = xmalloc(capacity + PIXELS_PAD);
	long count = reference_pixels(text, want);
	memset(copy, '7', n + 2 * PIXELS_PAD); /* digits before and behind the text must not matter */
	copy[PIXELS_PAD - 1] = draw() & 1 ? ',' : '"';
	memcpy(copy + PIXELS_PAD, text, n);
	for (int i = 0; i < nisas; i++) {
		setenv("KEYPIPE_ISA", isas[i], 1);
		pixels_fn *fn = pixels_best(NULL);
		long got = fn(copy + PIXELS_PAD, copy + PIXELS_PAD + n, out, capacity);
		ck_assert_msg(got == count, "%s: %ld numbers, not %ld, in '%s'", isas[i], got, count, text);
		ck_assert_msg(count <= 0 || !memcmp(out, want, (size_t)count), "%s: other numbers in '%s'", isas[i], text);
		if (count > 1)
			ck_assert_int_eq(fn(copy + PIXELS_PAD, copy + PIXELS_PAD + n, out, (size_t)count - 1), -1);
		if (count > 0)
			ck_assert_int_eq(fn(copy + PIXELS_PAD, copy + PIXELS_PAD + n, out, (size_t)count), count);
	}
	free(want), free(copy), free(out);
}

START_TEST(every_number_at_every_position)
{
	char text[256];
	for (int v = 0; v < 1100; v += v < 300 ? 1 : 7)
		for (int at = 0; at < 66; at++) {
			sprintf(text, "%*s%d%s", at, "", v, at % 3 == 0 ? "" : at % 3 == 1 ? " " : " 12 255");
			check_pixels(text);
		}
	for (int c = 1; c < 256; c++) /* every byte at some positions */
		for (int at = 0; at < 140; at += 1 + at / 2) {
			memset(text, 0, sizeof text);
			for (int i = 0; i < 150; i++)
				text[i] = i % 3 == 2 ? ' ' : '1';
			text[at] = (char)c;
			check_pixels(text);
		}
}
END_TEST

START_TEST(random_pixels)
{
	static const char alphabet[] = "0123456789012345678901234567890123456789     -,.a\"\t";
	char text[400];
	for (int round = 0; round < 20000; round++) {
		size_t n = draw() % 300, at = 0;
		uint32_t wild = draw() % 3; /* 0: valid; 1: one byte changed; 2: random */
		while (at < n)
			at += (size_t)sprintf(text + at, "%u ", draw() % 256);
		text[at] = 0;
		if (wild == 1 && at)
			text[draw() % at] = alphabet[draw() % (sizeof alphabet - 1)];
		for (size_t i = 0; wild == 2 && i < at; i++)
			text[i] = alphabet[draw() % (i % 4 ? 45 : sizeof alphabet - 1)];
		check_pixels(text);
	}
}
END_TEST

/* ---- whole texts ---- */

static char *sample(size_t rows, int side, size_t *n)
{
	struct text t = {0};
	char s[64];
	append(&t, "a_x,a_y,ImageId,b_x,b_y,Image\n", 30);
	for (size_t r = 0; r < rows; r++) {
		append(&t, s, (size_t)sprintf(s, "%.7f,%.4f,%u,", draw() % 96000 / 1000.0, draw() % 96000 / 1000.0, draw()));
		append(&t, s, draw() % 2 ? (size_t)sprintf(s, "%.6f,%u", draw() / 4294967296.0, draw() % 96) : (size_t)sprintf(s, ","));
		for (int i = 0; i < side * side; i++)
			append(&t, s, (size_t)sprintf(s, "%c%u", i ? ' ' : ',', draw() % 256));
		append(&t, "\n", 1);
	}
	*n = t.n;
	return t.s;
}

START_TEST(numbers_as_strtod)
{
	char text[256], want[128];
	for (int i = 0; i < 20000; i++) {
		char a[64], b[64];
		snprintf(a, sizeof a, "%.*f", (int)(draw() % 12), draw() / 4294967296.0 * pow(10, (int)(draw() % 6)));
		snprintf(b, sizeof b, "%.*g", 1 + (int)(draw() % 17), (draw() / 4294967296.0 - 0.5) * pow(10, (int)(draw() % 9) - 3));
		snprintf(text, sizeof text, "a_x,a_y,Image\n%s,%s,1\n", a, b);
		snprintf(want, sizeof want, "a,\n1 1 1x1 %.9g %.9g 1,", (float)strtod(a, NULL), (float)strtod(b, NULL));
		setenv("KEYPIPE_ISA", "plain", 1);
		struct text t = read_csv(csv_open_memory(text, strlen(text), "s", 0, 0));
		ck_assert_str_eq(t.s, want);
		free(t.s);
	}
}
END_TEST

/* With a byte changed, all ISAs' code must still accept the same rows and report the same fault. */
START_TEST(mutations)
{
	static const char alphabet[] = "0123456789 ,.\"\n\r-xe\0\xff";
	size_t n;
	char *text = sample(3, 5, &n);
	int refused = 0;
	for (int i = 0; i < 20000; i++) {
		char *copy = memcpy(xmalloc(n), text, n);
		for (uint32_t k = 1 + draw() % 2; k; k--)
			copy[draw() % n] = alphabet[draw() % (sizeof alphabet - 1)];
		size_t cut = draw() % 4 ? n : draw() % n;
		char *got = reads_as(copy, cut, "s", 0, 0);
		refused += strstr(got, "ERROR") != NULL;
		free(got);
		free(copy);
	}
	ck_assert_int_gt(refused, 10000);
	free(text);
}
END_TEST

/* A text cut in a row is refused, but for cuts in the row's last number, which may leave a valid one. */
START_TEST(every_cut)
{
	size_t n, accepted = 0;
	char *text = sample(2, 4, &n);
	for (size_t cut = 0; cut < n; cut++) {
		char *got = reads_as(text, cut, "s", 4, 4);
		if (!strstr(got, "ERROR")) {
			accepted++;
			const char *rest = text + cut; /* only digits are lost from the line */
			ck_assert_msg((cut && text[cut - 1] == '\n') || rest[strspn(rest, "0123456789")] == '\n', "cut at %zu of %zu: %s",
				cut, n, got);
		}
		free(got);
	}
	ck_assert_uint_lt(accepted, 12);
	free(text);
}
END_TEST

static unsigned char *gzip(const char *text, size_t n, size_t *size)
{
	z_stream z = {0};
	size_t capacity = compressBound(n) + 64;
	unsigned char *out = xmalloc(capacity);
	ck_assert(deflateInit2(&z, 6, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY) == Z_OK);
	z.next_in = (void *)(uintptr_t)text;
	z.avail_in = (uInt)n;
	z.next_out = out;
	z.avail_out = (uInt)capacity;
	ck_assert(deflate(&z, Z_FINISH) == Z_STREAM_END);
	*size = capacity - z.avail_out;
	deflateEnd(&z);
	return out;
}

START_TEST(gzip_is_the_same)
{
	size_t n, a, b, half;
	char *text = sample(200, 30, &n);
	half = n / 3;
	unsigned char *whole = gzip(text, n, &a), *two = gzip(text, half, &a), *rest = gzip(text + half, n - half, &b);
	char *plain = reads_as(text, n, "s", 0, 0);
	two = xrealloc(two, a + b + 1);
	memcpy(two + a, rest, b);
	char *members = reads_as(two, a + b, "s", 0, 0);
	ck_assert_msg(!strcmp(plain, members), "two members differ");
	two[a + b] = 'x';
	char *tail = reads_as(two, a + b + 1, "s", 0, 0);
	ck_assert_msg(strstr(tail, "followed by something else (byte 0x78)"), "%s", tail + strlen(tail) - 100);
	free(whole);
	whole = gzip(text, n, &a);
	char *one = reads_as(whole, a, "s", 0, 0);
	ck_assert_msg(!strcmp(plain, one), "gzip differs");
	free(text), free(whole), free(two), free(rest), free(plain), free(members), free(tail), free(one);
	/* behind an empty line, which may end a file, the archive's fault is told, not that line */
	static const char empty_line[] = "Image\n7\n\n";
	whole = gzip(empty_line, sizeof empty_line - 1, &a);
	whole = xrealloc(whole, a + 1);
	whole[a] = 'x';
	one = reads_as(whole, a + 1, "s", 0, 0);
	ck_assert_msg(strstr(one, "\nERROR row 2: ") && strstr(one, "followed by something else (byte 0x78)"), "%s", one);
	free(whole), free(one);
}
END_TEST

/* Cut anywhere: refused. A bit flipped anywhere: refused, or it changed nothing (time, system and such in gzip's header). */
START_TEST(gzip_damaged)
{
	size_t n, size;
	char *text = sample(3, 6, &n), *plain = reads_as(text, n, "s", 0, 0);
	unsigned char *gz = gzip(text, n, &size);
	setenv("KEYPIPE_ISA", "plain", 1);
	for (size_t cut = 0; cut < size; cut++) {
		struct text t = read_csv(csv_open_memory(gz, cut, "s", 0, 0));
		ck_assert_msg(strstr(t.s, "ERROR"), "cut at %zu is accepted", cut);
		free(t.s);
	}
	for (size_t bit = 0; bit < 8 * size; bit++) {
		gz[bit / 8] ^= (unsigned char)(1 << bit % 8);
		struct text t = read_csv(csv_open_memory(gz, size, "s", 0, 0));
		ck_assert_msg(strstr(t.s, "ERROR") || !strcmp(t.s, plain), "bit %zu is another text", bit);
		free(t.s);
		gz[bit / 8] ^= (unsigned char)(1 << bit % 8);
	}
	free(text), free(plain), free(gz);
}
END_TEST

/* A pipe's reads return pieces of any length. */
START_TEST(pieces)
{
	size_t n;
	char *text = sample(20, 20, &n), *plain = reads_as(text, n, "s", 0, 0);
	for (size_t piece = 1; piece < 5000; piece = piece * 3 + 1) {
		int fd[2], status;
		ck_assert(!pipe(fd));
		pid_t pid = fork();
		if (!pid) {
			close(fd[0]);
			for (size_t at = 0; at < n; at += piece)
				if (write(fd[1], text + at, piece < n - at ? piece : n - at) < 0)
					_exit(1);
			_exit(0);
		}
		close(fd[1]);
		struct text t = read_csv(csv_open_fd(fd[0], "s", 0, 0));
		ck_assert_msg(!strcmp(t.s, plain), "pieces of %zu", piece);
		free(t.s);
		waitpid(pid, &status, 0);
		ck_assert_int_eq(status, 0);
	}
	free(text), free(plain);
}
END_TEST

START_TEST(large_rows)
{
	size_t n;
	char *text = sample(3, 700, &n); /* 1.7 MB a row, more than the buffer's initial size */
	char *got = reads_as(text, n, "s", 0, 0);
	ck_assert_ptr_nonnull(strstr(got, "\n3 "));
	ck_assert_ptr_nonnull(strstr(got, "700x700"));
	ck_assert_ptr_null(strstr(got, "ERROR"));
	free(text), free(got);
}
END_TEST

/* The line before the end, or before a fault, is gone with the buffer that held it: after either there is none. */
START_TEST(no_line_at_the_end)
{
	for (int cut = 0; cut < 2; cut++) {
		size_t n = 1 << 20, z = 4096;
		char *text = xmalloc(n), *packed = xmalloc(z);
		memset(text, '1', n), memcpy(text + 10, "\n", 1), text[n - 1] = '\n';
		z_stream s = {.next_in = (Bytef *)text, .avail_in = (uInt)n, .next_out = (Bytef *)packed, .avail_out = (uInt)z};
		ck_assert_int_eq(deflateInit2(&s, 9, Z_DEFLATED, 15 + 16, 9, Z_DEFAULT_STRATEGY), Z_OK);
		ck_assert_int_eq(deflate(&s, Z_FINISH), Z_STREAM_END);
		deflateEnd(&s);
		struct lines *l = lines_open_memory(packed, s.total_out - (cut ? 100 : 0), "s");
		int r, lines = 0;
		while ((r = lines_next(l)) == LINES_ONE)
			lines++;
		ck_assert_int_eq(r, cut ? LINES_ERR : LINES_DONE);
		ck_assert_int_eq(lines, cut ? 1 : 2);
		ck_assert(l->line.p == l->line.e);
		lines_free(l), free(text), free(packed);
	}
}
END_TEST

/* As many columns as there may be, points and columns that are passed by, cost no square of their number: 0.01 s of a processor for 0.25.
 */
START_TEST(wide_header)
{
#ifdef __SANITIZE_ADDRESS__ /* which takes time itself */
	const double most = 0.5;
#else
	const double most = 0.1;
#endif
	char *text = xmalloc(CSV_COLUMNS_MAX * 64), *to = text;
	for (int i = 0; i < CSV_COLUMNS_MAX - 1; i++)
		to += sprintf(to, i < CSV_COLUMNS_MAX / 2 ? "p%055d.%c," : "u%056d%c,", i / 2, "xy"[i % 2]);
	strcpy(to, "Image\n");
	clock_t before = clock();
	struct csv *c = csv_open_memory(text, strlen(text), "s", 0, 0);
	ck_assert_int_eq(csv_head(c), CSV_DONE);
	double seconds = (double)(clock() - before) / CLOCKS_PER_SEC;
	ck_assert_int_eq(c->npoints, CSV_COLUMNS_MAX / 4);
	ck_assert_uint_gt(strlen(c->ignored), CSV_COLUMNS_MAX / 2 * 50);
	ck_assert_msg(seconds < most, "%g s", seconds);
	csv_free(c), free(text);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("csv");
	TCase *t = tcase_create("csv");
	find_isas();
	tcase_add_test(t, tolerated);
	tcase_add_loop_test(t, refused, 0, (int)(sizeof bad / sizeof *bad));
	tcase_add_test(t, declared_size);
	tcase_add_test(t, zero_bytes);
	tcase_add_test(t, wrong_name);
	tcase_add_test(t, every_number_at_every_position);
	tcase_add_test(t, random_pixels);
	tcase_add_test(t, numbers_as_strtod);
	tcase_add_test(t, mutations);
	tcase_add_test(t, every_cut);
	tcase_add_test(t, gzip_is_the_same);
	tcase_add_test(t, gzip_damaged);
	tcase_add_test(t, pieces);
	tcase_add_test(t, large_rows);
	tcase_add_test(t, wide_header);
	tcase_add_test(t, no_line_at_the_end);
	suite_add_tcase(s, t);
	SRunner *r = srunner_create(s);
	srunner_run_all(r, CK_ENV);
	int failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed != 0;
}
