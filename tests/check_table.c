/* tns-table there and back: every type, every bit of every number, METAs of odd characters; streams that are no tables. tns-join: keys of
 * all kinds, points in another order. */
#include "lib/table/columns.h"
#include "tests/prog.h"

enum { ROWS = 200, WIDE = 70 };

static uint64_t state = 1;

static uint64_t bits(void)
{
	state = state * 6364136223846793005u + 1442695040888963407u;
	return state >> 11 ^ state << 31;
}

/* Random bits; NaN is one of the two that arithmetic makes. */
static void fill(int dtype, unsigned char *to, size_t n)
{
	size_t size = tns_size(dtype);
	for (size_t i = 0; i < n; i++) {
		uint64_t v = bits(), exponent = dtype == TNS_F32 ? 0x7F800000u : 0x7FF0000000000000u, quiet = exponent | (exponent >> 1);
		if (dtype == TNS_F32)
			v &= 0xFFFFFFFFu;
		if (dtype == TNS_BOOL)
			v &= 1;
		if (i % 16 < 6) { /* what is rare: infinite, NaN, zero, denormal, the largest */
			uint64_t sign = i & 1 ? (dtype == TNS_F32 ? 0x80000000u : 1ull << 63) : 0, odd[3] = {exponent, quiet, 0};
			v = sign | odd[i % 16 / 2];
		} else if (i % 16 < 8) {
			v = i & 1 ? exponent - 1 : 1;
		}
		if ((dtype == TNS_F32 || dtype == TNS_F64) && (v & exponent) == exponent && v & (exponent - 1) & ~quiet)
			v = quiet;
		if (dtype == TNS_BOOL)
			v &= 1;
		memcpy(to + i * size, &v, size);
	}
}

static void same(const char *a, const char *b)
{
	char text[2][1 << 16];
	for (int i = 0; i < 2; i++) {
		struct child c = prog("tns-info", "--json", i ? b : a, NULL);
		prog_went(c);
		strcpy(text[i], c.out);
	}
	ck_assert_str_eq(text[0], text[1]);
}

START_TEST(every_type)
{
	static unsigned char data[2 * (TNS_BOOL + 1)][ROWS * WIDE * 8];
	static char names[2 * (TNS_BOOL + 1)][16];
	static const char *const meta[] = {"plain", "one line", "comma", "a,b,", "odd", "bell\x07 \x1b[31m \\n \\x41 \xC2\x9B \x7f",
		"lines", "first\nsecond\n", "empty", "", "k:e y\\", ": # a;", NULL};
	struct prog_col col[2 * (TNS_BOOL + 1)] = {{0}};
	int n = 0;
	for (int wide = 0; wide < 2; wide++)
		for (int t = TNS_U8; t <= TNS_BOOL; t++, n++) {
			snprintf(names[n], sizeof names[n], "%s.%s", tns_dtype_name(t), wide ? "wide" : "three");
			fill(t, data[n], ROWS * (wide ? WIDE : 3));
			col[n] = (struct prog_col){names[n], t, wide ? WIDE : 3, 0, data[n]};
		}
	prog_stream("all.tns", ROWS, col, meta);
	for (int tsv = 0; tsv < 2; tsv++) {
		prog_went(prog("tns-table", "-q", "--image", tsv ? "--tsv" : "-q", "-o", "all.csv", "all.tns", NULL));
		prog_went(prog("tns-table", "--read", "-o", "back.tns", "all.csv", NULL));
		same("all.tns", "back.tns");
	}
	/* one column; NaN is not an empty line */
	static const float f[3] = {1, NAN, 0.1f};
	prog_stream("one.tns", 3, (struct prog_col[]){{"one", TNS_F32, 0, 0, f}, {0}}, NULL);
	struct child c = prog("tns-table", "one.tns", NULL);
	prog_went(c);
	ck_assert_str_eq(c.out, "one\n1\n\"\"\n0.1\n");
	prog_went(prog("tns-table", "--notes", "yes", "-o", "one.csv", "one.tns", NULL));
	prog_went(prog("tns-table", "--read", "-o", "back.tns", "one.csv", NULL));
	same("one.tns", "back.tns");
}
END_TEST

START_TEST(numbers)
{
	static const struct {
		const char *type, *field, *says;
	} cases[] = {{"u8", "256", "'256', not a whole number of its type (u8)"}, {"u8", "7.0", NULL}, {"u8", "7.5", "not a whole number"},
		{"i8", "-128", NULL}, {"i8", "-129", "'-129'"}, {"i8", "128", "'128'"}, {"u64", "18446744073709551615", NULL},
		{"u64", "18446744073709551616", "'18446744073709551616'"}, {"i64", "-9223372036854775808", NULL},
		{"bool", "2", "not 0 or 1"}, {"f16", "0x3c00", NULL}, {"f16", "1.5", "not 0x and four hexadecimal digits"},
		{"f32", "1e39", "not a number"}, {"f32", "0x10", "not a number"}, {"f32", "+1", NULL}, {"f32", "+-1", "not a number"},
		{"f64", "1e308", NULL}, {"f32", "", NULL}, {"f32", "N/A", NULL}, {"u32", "", "not a whole number"},
		{"f32", "infinity", "not a number"}};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		FILE *f = fopen("x.csv", "w");
		ck_assert_ptr_nonnull(f);
		fprintf(f,
			"# keypipe table 1 (tns-table --read)\n# tensor x %s\n# tensor id u32\nid,x\n1,%s\n# end: text 00000000, stream "
			"00000000\n",
			cases[i].type, cases[i].field);
		fclose(f);
		struct child c = prog("tns-table", "--read", "-o", "out", "x.csv", NULL);
		if (cases[i].says)
			prog_refused(c, 1, cases[i].says);
		else
			prog_went(c);
		unlink("out");
	}
}
END_TEST

START_TEST(no_tables)
{
	static const unsigned char v[16] = {1, 2, 3};
	struct tns_writer *w = tns_create("mixed.tns");
	tns_define(w, "a", TNS_U8, 1, (const uint64_t[]){2});
	tns_define(w, "b", TNS_U8, 1, (const uint64_t[]){3});
	tns_write(w, 0, v, 2), tns_write(w, 1, v, 3);
	tns_close(w);
	prog_refused(prog("tns-table", "-o", "out", "mixed.tns", NULL), 1, "mixed.tns: a and b don't share their rows");
	w = tns_create("single.tns");
	tns_define(w, "a", TNS_U8, 0, NULL);
	tns_write(w, 0, v, 1);
	tns_close(w);
	prog_refused(prog("tns-table", "-o", "out", "single.tns", NULL), 1, "single.tns: a is a single value, not rows of a data set");
	w = tns_create("none.tns");
	tns_close(w);
	prog_refused(prog("tns-table", "-o", "out", "none.tns", NULL), 1, "none.tns: there are no tensors");
	prog_stream("names.tns", 1, (struct prog_col[]){{"a_1", TNS_U8, 0, 0, v}, {"a", TNS_U8, 2, 0, v}, {0}}, NULL);
	prog_refused(prog("tns-table", "-o", "out", "names.tns", NULL), 1, "names.tns: two columns would be called 'a_1'");
	/* 65 tensors of 64 values, which are 4160 columns; of 65 values, each is one */
	static const unsigned char wide[COLUMNS_VALUES + 1];
	static char name[66][8];
	struct prog_col col[66] = {{0}};
	for (int more = 0; more < 2; more++) {
		for (int i = 0; i < 65; i++) {
			snprintf(name[i], sizeof name[i], "t%d", i);
			col[i] = (struct prog_col){name[i], TNS_U8, COLUMNS_VALUES + (uint64_t)more, 0, wide};
		}
		prog_stream("many.tns", 1, col, NULL);
		struct child c = prog("tns-table", "-q", "--image", "-o", "out", "many.tns", NULL);
		if (more)
			prog_went(c);
		else
			prog_refused(c, 1, "many.tns: more than 4096 columns");
	}
	unlink("out");
}
END_TEST

/* Names that a table must quote; lists that don't name every point once; errors only of points alike. */
START_TEST(headers)
{
	static const float xy[1][4][2] = {{{1, 2}, {3, 4}, {5, 6}, {7, 8}}};
	static const double real[1][4][2] = {{{1, 2}}};
	static const uint8_t score[1][2] = {{1, 2}};
	struct prog_col cols[] = {
		{"keypoints", TNS_F32, 4, 2, xy}, {"predicted", TNS_F32, 4, 2, xy}, {"confidence", TNS_F32, 4, 0, xy}, {0}};
	prog_stream("q.tns", 1, cols, (const char *const[]){"points", "le\"ft, a,#d,b;c ", NULL});
	struct child c = prog("tns-table", "--fields", "*_x,error", "q.tns", NULL);
	prog_went(c);
	ck_assert_str_eq(c.out, "\"le\"\"ft_x\",\" a_x\",\"#d_x\",\"b;c _x\",\"predicted_le\"\"ft_x\",predicted_ a_x,predicted_#d_x,"
				"\"predicted_b;c _x\",error\n1,3,5,7,1,3,5,7,0\n");
	prog_went(prog("tns-table", "-q", "--image", "-o", "q.csv", "q.tns", NULL));
	prog_went(prog("tns-table", "--read", "-o", "back.tns", "q.csv", NULL));
	same("q.tns", "back.tns");
	prog_stream("line.tns", 1, cols, (const char *const[]){"points", "a,b\nc,d,e", NULL});
	prog_refused(
		prog("tns-table", "-o", "out", "line.tns", NULL), 1, "line.tns: 'b\\nc_x': a column's name in a table holds no line end");
	prog_went(prog("tns-table", "-q", "--fields", "a_*", "-o", "out", "line.tns", NULL));
	unlink("out");
	static const char *const lists[] = {"", "a,,b,c", ",a,b,c", "a,b,c,", "a,b,c"};
	for (size_t i = 0; i < sizeof lists / sizeof *lists; i++) { /* numbers, then */
		prog_stream("n.tns", 1, cols, (const char *const[]){"points", lists[i], NULL});
		c = prog("tns-table", "-q", "n.tns", NULL);
		prog_went(c);
		ck_assert_msg(!strncmp(c.out, "keypoints_1,keypoints_2,", 24), "%s: %s", lists[i], c.out);
	}
	struct prog_col others[] = {{"keypoints", TNS_F32, 4, 2, xy}, {"predicted", TNS_F64, 4, 2, real},
		{"best.score", TNS_U8, 2, 0, score}, {"a.confidence", TNS_F32, 4, 0, xy}, {"pair", TNS_U8, 2, 0, score}, {0}};
	prog_stream("o.tns", 1, others, (const char *const[]){"points", "a,b,c,d", "classes", "no,yes", NULL});
	c = prog("tns-table", "-q", "o.tns", NULL);
	prog_went(c);
	ck_assert_str_eq(c.out, "a_x,a_y,b_x,b_y,c_x,c_y,d_x,d_y,predicted_a_x,predicted_a_y,predicted_b_x,predicted_b_y,predicted_c_x,"
				"predicted_c_y,predicted_d_x,predicted_d_y,best.score_no,best.score_yes,a.confidence_a,a.confidence_b,"
				"a.confidence_c,a.confidence_d,pair_1,pair_2\n1,2,3,4,5,6,7,8,1,2,0,0,0,0,0,0,1,2,1,2,3,4,1,2\n");
}
END_TEST

/* ---- tns-join: keys of all kinds ---- */

START_TEST(keys)
{
	static const int8_t a[3] = {-1, 5, -128};
	static const int64_t b[3] = {-128, -1, 5};
	static const uint64_t big[3] = {UINT64_MAX, 5, 7};
	static const float value[3] = {1, 2, 3};
	prog_stream("a.tns", 3, (struct prog_col[]){{"k", TNS_I8, 0, 0, a}, {0}}, NULL);
	prog_stream("b.tns", 3, (struct prog_col[]){{"k", TNS_I64, 0, 0, b}, {"v", TNS_F32, 0, 0, value}, {0}}, NULL);
	prog_stream("big.tns", 3, (struct prog_col[]){{"k", TNS_U64, 0, 0, big}, {"v", TNS_F32, 0, 0, value}, {0}}, NULL);
	prog_went(prog("tns-join", "--by", "k", "-o", "joined.tns", "a.tns", "b.tns", NULL));
	struct child c = prog("tns-table", "joined.tns", NULL);
	prog_went(c);
	ck_assert_str_eq(c.out, "k,v\n-1,2\n5,3\n-128,1\n");
	prog_refused(prog("tns-join", "--by", "k", "-o", "out", "a.tns", "big.tns", NULL), 1, "a.tns: k is i8, in big.tns u64");
	prog_refused(prog("tns-join", "--by", "v", "-o", "out", "b.tns", "b.tns", NULL), 1, "b.tns: v is not one whole number a row");
	prog_stream("twice.tns", 2, (struct prog_col[]){{"k", TNS_I8, 0, 0, (const int8_t[]){-1, -1}}, {0}}, NULL);
	prog_refused(prog("tns-join", "--by", "k", "-o", "out", "a.tns", "twice.tns", NULL), 1,
		"twice.tns: row 2 (k -1) stands in row 1 already");
}
END_TEST

/* Points of B in A's order, where they are the first, the second or the third dimension; METAs of points. */
START_TEST(points)
{
	static const float a[2] = {0, 0}, k[6] = {1, 2, 3, 4, 5, 6}, sure[3] = {0.1f, 0.2f, 0.3f},
			   steps[12] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12};
	prog_stream("a.tns", 1, (struct prog_col[]){{"a", TNS_F32, 0, 0, a}, {0}}, (const char *const[]){"points", "x,y,z", NULL});
	struct tns_writer *w = tns_create("b.tns");
	tns_put_meta(w, "points", "z,x,y");
	tns_put_meta(w, "pairs", "z:x,y");
	tns_define(w, "predicted", TNS_F32, 3, (const uint64_t[]){TNS_UNLIMITED, 3, 2});
	tns_define(w, "confidence", TNS_F32, 2, (const uint64_t[]){TNS_UNLIMITED, 3});
	tns_define(w, "steps", TNS_F32, 4, (const uint64_t[]){TNS_UNLIMITED, 2, 3, 2});
	tns_write(w, 0, k, 1), tns_write(w, 1, sure, 1), tns_write(w, 2, steps, 1);
	tns_close(w);
	prog_went(prog("tns-join", "--by", "row", "-o", "joined.tns", "a.tns", "b.tns", NULL));
	struct child c = prog("tns-info", "--head", "1", "joined.tns", NULL);
	prog_went(c);
	ck_assert_ptr_nonnull(strstr(c.out, "predicted[1] 3 4 5 6 1 2\n"));
	ck_assert_ptr_nonnull(strstr(c.out, "confidence[1] 0.2 0.3 0.1\n"));
	ck_assert_ptr_nonnull(strstr(c.out, "steps[1] 3 4 5 6 1 2 9 10 11 12 7 8\n"));
	ck_assert_ptr_nonnull(strstr(c.out, "\npoints: x,y,z\npairs: z:x,y\n"));
	/* A without points takes B's as they are */
	prog_stream("a.tns", 1, (struct prog_col[]){{"a", TNS_F32, 0, 0, a}, {0}}, NULL);
	prog_went(prog("tns-join", "--by", "row", "-o", "joined.tns", "a.tns", "b.tns", NULL));
	c = prog("tns-info", "--head", "1", "joined.tns", NULL);
	ck_assert_ptr_nonnull(strstr(c.out, "predicted[1] 1 2 3 4 5 6\n"));
	ck_assert_ptr_nonnull(strstr(c.out, "\npoints: z,x,y\npairs: z:x,y\n"));
	/* of other points neither tensors nor METAs */
	prog_stream("a.tns", 1, (struct prog_col[]){{"a", TNS_F32, 0, 0, a}, {0}}, (const char *const[]){"points", "x,y,w", NULL});
	prog_refused(prog("tns-join", "--by", "row", "-o", "out", "a.tns", "b.tns", NULL), 1, "b.tns: its points are not those of a.tns");
	prog_stream("b.tns", 1, (struct prog_col[]){{"v", TNS_F32, 0, 0, sure}, {0}},
		(const char *const[]){"points", "x,y", "pairs", "x:y", "note", "kept", NULL});
	prog_went(prog("tns-join", "--by", "row", "-o", "joined.tns", "a.tns", "b.tns", NULL));
	c = prog("tns-info", "joined.tns", NULL);
	ck_assert_ptr_nonnull(strstr(c.out, "\npoints: x,y,w\nnote: kept\nhistory:"));
}
END_TEST

int main(void)
{
	prog_begin();
	Suite *s = suite_create("table");
	TCase *t = tcase_create("table");
	suite_add_tcase(s, t);
	tcase_add_test(t, every_type);
	tcase_add_test(t, numbers);
	tcase_add_test(t, no_tables);
	tcase_add_test(t, headers);
	tcase_add_test(t, keys);
	tcase_add_test(t, points);
	return prog_end(s);
}
