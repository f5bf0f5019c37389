/* Data set streams: rows of all tensors in lockstep, however a foreign writer chunked them; names and mirrored points; what is passed
 * through; how histories are merged. */
#include <check.h>
#include <signal.h>
#include <time.h>

#include "child.h"
#include "lib/base/err.h"
#include "lib/base/opt.h"
#include "lib/stream/dataset_stream.h"
#include "lib/stream/history.h"
#include "lib/stream/names.h"
#include "lib/stream/passthrough.h"
#include "wire.h"

/* its line of history, where it is given that */
#define FILTER "filter " KEYPIPE_VERSION " --count 7"

static uint64_t state = 88172645463325252u;

static uint64_t next_random(void)
{
	state ^= state << 13, state ^= state >> 7, state ^= state << 17;
	return state >> 8;
}

static const uint64_t image_dim[] = {UINT64_MAX, 5, 3}, points_dim[] = {UINT64_MAX, 2, 2}, id_dim[] = {UINT64_MAX};
static const size_t row_bytes[3] = {15, 16, 4};

/* Row i of tensor k: a pattern that depends on both. */
static void row_of(int k, uint64_t i, unsigned char *to)
{
	for (size_t b = 0; b < row_bytes[k]; b++)
		to[b] = (unsigned char)((i * 31 + (uint64_t)k * 7 + b * 13) ^ i >> 8);
}

/* n rows of each tensor, the k-th in chunks of step[k] rows, 0: of random size. order 0: round robin, 1: one tensor after the other,
 * 2: the last one first, 3: random. given: rows as declared, or 0: an open number. */
static void write_chunks(struct wire *w, uint64_t n, const uint64_t step[3], int order, uint64_t given)
{
	uint64_t at[3] = {0}, rows[3] = {n, n, n}, dim[3] = {given, 5, 3}, dim1[3] = {given, 2, 2};
	unsigned char *p = malloc(n * 16 + 16);
	wire_begin(w);
	wire_tdef(w, 0, TNS_U8, 3, given ? dim : image_dim, "image");
	wire_tdef(w, 1, TNS_F32, 3, given ? dim1 : points_dim, "keypoints");
	wire_tdef(w, 2, TNS_U32, 1, given ? dim : id_dim, "id");
	for (int turn = 0; at[0] + at[1] + at[2] < 3 * n; turn++) {
		int k = order == 0   ? turn % 3
			: order == 1 ? (at[0] < n	   ? 0
					       : at[1] < n ? 1
							   : 2)
			: order == 2 ? (at[2] < n	   ? 2
					       : at[1] < n ? 1
							   : 0)
				     : (int)(next_random() % 3);
		uint64_t c = step[k] ? step[k] : 1 + next_random() % 50;
		c = c < n - at[k] ? c : n - at[k];
		if (!c)
			continue;
		for (uint64_t i = 0; i < c; i++)
			row_of(k, at[k] + i, p + i * row_bytes[k]);
		wire_data(w, (uint32_t)k, p, c * row_bytes[k]);
		at[k] += c;
	}
	wire_end(w, 3, rows);
	free(p);
}

static const char *save(const struct wire *w, const char *name)
{
	const char *path = wire_path(name);
	FILE *f = fopen(path, "wb");
	ck_assert(f && fwrite(w->p, 1, w->n, f) == w->n && !fclose(f));
	return path;
}

static void check_lockstep(const struct wire *w, uint64_t n)
{
	struct dataset_stream *d = dataset_stream_open(save(w, "step.tns"));
	uint64_t rows, all = 0;
	unsigned char want[16];
	while ((rows = dataset_stream_next(d))) {
		ck_assert_uint_eq(d->row, all);
		for (uint64_t i = 0; i < rows; i++)
			for (int k = 0; k < 3; k++) {
				const void *p = dataset_stream_at(d, k, i);
				row_of(k, all + i, want);
				ck_assert(!memcmp(p, want, row_bytes[k]));
				ck_assert(k == 0 || (uintptr_t)p % 4 == 0);
			}
		all += rows;
	}
	ck_assert_uint_eq(all, n);
	ck_assert_uint_eq(dataset_stream_next(d), 0); /* and stays at the end */
	dataset_stream_close(d);
}

START_TEST(lockstep)
{
	static const uint64_t step[][3] = {{1, 1, 1}, {7, 7, 7}, {1, 100, 13}, {100, 1, 3}, {5, 3, 1000}, {0, 0, 0}, {1000, 1000, 1}};
	static const uint64_t rows[] = {0, 1, 2, 99, 500};
	for (size_t r = 0; r < 5; r++)
		for (int order = 0; order < 4; order++)
			for (int given = 0; given < 2; given++) {
				struct wire w;
				write_chunks(&w, rows[r], step[_i], order, given && rows[r] ? rows[r] : 0);
				check_lockstep(&w, rows[r]);
				free(w.p);
			}
}
END_TEST

/* One tensor far ahead of the other, then both a row at a time: buffered rows must not be copied again for each row. */
START_TEST(far_ahead)
{
	enum { AHEAD = 40000, N = 2 * AHEAD, ROW = 256 };
	struct wire w;
	uint64_t rows[2] = {N, N};
	unsigned char *p = calloc(AHEAD, ROW);
	static const uint64_t wide[2] = {UINT64_MAX, ROW};
	wire_begin(&w);
	wire_tdef(&w, 0, TNS_U8, 2, wide, "wide");
	wire_tdef(&w, 1, TNS_U8, 1, id_dim, "thin");
	wire_data(&w, 0, p, AHEAD * ROW);
	for (int i = 0; i < N; i++) {
		wire_data(&w, 1, p, 1);
		if (i < N - AHEAD)
			wire_data(&w, 0, p, ROW);
	}
	wire_end(&w, 2, rows);
	struct dataset_stream *d = dataset_stream_open(save(&w, "ahead.tns"));
	clock_t t0 = clock();
	uint64_t n, all = 0;
	while ((n = dataset_stream_next(d)))
		all += n;
	ck_assert_uint_eq(all, N);
	ck_assert_msg((double)(clock() - t0) / CLOCKS_PER_SEC < 5, "%.1f s", (double)(clock() - t0) / CLOCKS_PER_SEC);
	dataset_stream_close(d);
	free(w.p), free(p);
}
END_TEST

/* ---- what ends a program ---- */

static char path[1024];

static void open_all(void *arg)
{
	err_name("prog");
	struct dataset_stream *d = dataset_stream_open(arg);
	while (dataset_stream_next(d))
		;
}

static void dies(struct wire *w, const char *why)
{
	char want[2048];
	snprintf(path, sizeof path, "%s", save(w, "bad.tns"));
	struct child c = child_run(open_all, path);
	snprintf(want, sizeof want, "prog: %s: %s\n", path, why);
	ck_assert_str_eq(c.err, want);
	ck_assert_int_eq(c.status, 1);
	free(w->p);
}

START_TEST(not_data_sets)
{
	struct wire w;
	uint64_t rows[2] = {3, 2}, three = 3, two = 2;
	wire_begin(&w);
	wire_end(&w, 0, NULL);
	dies(&w, "there are no tensors");
	wire_begin(&w);
	wire_tdef(&w, 0, TNS_U8, 1, id_dim, "a");
	wire_tdef(&w, 1, TNS_U8, 1, id_dim, "b");
	wire_data(&w, 0, "abc", 3);
	wire_data(&w, 1, "ab", 2);
	wire_end(&w, 2, rows);
	dies(&w, "a has 3 rows, b has 2");
	wire_begin(&w);
	wire_tdef(&w, 0, TNS_U8, 1, &three, "a");
	wire_tdef(&w, 1, TNS_U8, 1, &two, "b");
	wire_data(&w, 0, "abc", 3);
	wire_data(&w, 1, "ab", 2);
	wire_end(&w, 2, rows);
	dies(&w, "a and b don't share their rows");
	wire_begin(&w);
	wire_tdef(&w, 0, TNS_U8, 1, &three, "a");
	wire_tdef(&w, 1, TNS_U8, 1, id_dim, "b");
	wire_data(&w, 0, "abc", 3);
	wire_data(&w, 1, "abc", 3);
	rows[1] = 3;
	wire_end(&w, 2, rows);
	dies(&w, "a and b don't share their rows");
	wire_begin(&w);
	wire_tdef(&w, 0, TNS_U8, 0, NULL, "one");
	wire_data(&w, 0, "a", 1);
	rows[0] = 1;
	wire_end(&w, 1, rows);
	dies(&w, "one is a single value, not rows of a data set");
	/* truncation is reported at the end, after rows were returned */
	write_chunks(&w, 50, (const uint64_t[]){7, 7, 7}, 0, 0);
	w.n -= 64;
	dies(&w, "record 27: the input ends after 0 of 64 bytes of a payload");
}
END_TEST

static struct wire three;

static void need_what(void *arg)
{
	struct tns *t = tns_open_memory(three.p, three.n, "t.tns");
	const char *what = arg;
	int n;
	err_name("prog");
	tns_head(t);
	if (!strcmp(what, "none") || !strcmp(what, "imgae"))
		dataset_stream_require(t, what, TNS_U8, 1);
	else if (!strcmp(what, "type"))
		dataset_stream_require(t, "image", TNS_F32, 3);
	else if (!strcmp(what, "ndim"))
		dataset_stream_require(t, "image", TNS_U8, 2);
	else if (!strcmp(what, "points"))
		names_points(t, 2);
	else
		names_split(what, &n);
}

START_TEST(needs)
{
	static const char *const messages[][2] = {{"none", "t.tns: there is no tensor none (there are image, keypoints, id)"},
		{"imgae", "t.tns: there is no tensor imgae (did you mean image?)"},
		{"type", "t.tns: image is u8 with 3 dimensions, not f32 with 3"},
		{"ndim", "t.tns: image is u8 with 3 dimensions, not u8 with 2"},
		{"points", "t.tns: there is no META points, the names of its points (tns-convert --help: how arrays have it)"},
		{"", "'': an empty name"}, {"a,", "'a,': an empty name"}, {",a", "',a': an empty name"}, {"a,,b", "'a,,b': an empty name"}};
	write_chunks(&three, 3, (const uint64_t[]){1, 1, 1}, 0, 0);
	struct tns *t = tns_open_memory(three.p, three.n, "t.tns");
	tns_head(t);
	ck_assert_int_eq(dataset_stream_require(t, "keypoints", TNS_F32, 3), 1);
	tns_free(t);
	for (size_t i = 0; i < sizeof messages / sizeof *messages; i++) {
		char want[200];
		struct child c = child_run(need_what, (void *)(uintptr_t)messages[i][0]);
		snprintf(want, sizeof want, "prog: %s\n", messages[i][1]);
		ck_assert_str_eq(c.err, want);
		ck_assert_int_eq(c.status, 1);
	}
	free(three.p);
}
END_TEST

static void points_of(void *arg)
{
	err_name("prog");
	names_points(tns_open(path), *(int *)arg);
}

START_TEST(points)
{
	struct wire w;
	wire_begin(&w);
	wire_meta(&w, "points", "left_eye_center,nose");
	wire_end(&w, 0, NULL);
	snprintf(path, sizeof path, "%s", save(&w, "points.tns"));
	struct tns *t = tns_open(path);
	char **names = names_points(t, 2);
	ck_assert_str_eq(names[0], "left_eye_center");
	ck_assert_str_eq(names[1], "nose");
	ck_assert_ptr_null(names[2]);
	ck_assert_int_eq(names_index(names, "nose"), 1);
	ck_assert_int_eq(names_index(names, "nos"), -1);
	names_free(names);
	names_free(NULL);
	tns_free(t);
	struct child c = child_run(points_of, &(int){3});
	ck_assert_ptr_nonnull(strstr(c.err, "META points names 2, but there are 3"));
	free(w.p);
}
END_TEST

START_TEST(mirrors)
{
	static const struct {
		const char *names;
		int swap[15];
	} cases[] = {
		{"left_eye,right_eye,nose", {1, 0, 2}},
		{"a,b", {NAMES_NO_PARTNER, NAMES_NO_PARTNER}},
		{"a", {0}},
		{"left_eye,nose", {NAMES_NO_PARTNER, 1}},
		{"mouth_left_corner,nose_tip,mouth_right_corner", {2, 1, 0}},
		{"left,right", {1, 0}},
		{"inner_left_of_right,inner_right_of_left", {1, 0}}, /* both words in one name */
		{"bright,bleft,leftmost,rightmost", {1, 0, 3, 2}},
		{"left_eye_center,right_eye_center,left_eye_inner_corner,left_eye_outer_corner,right_eye_inner_corner,right_eye_outer_"
		 "corner,"
		 "left_eyebrow_inner_end,left_eyebrow_outer_end,right_eyebrow_inner_end,right_eyebrow_outer_end,nose_tip,mouth_left_corner,"
		 "mouth_right_corner,mouth_center_top_lip,mouth_center_bottom_lip",
			{1, 0, 4, 5, 2, 3, 8, 9, 6, 7, 10, 12, 11, 13, 14}},
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		int n;
		char **names = names_split(cases[i].names, &n);
		int *swap = names_partners(names, NULL);
		for (int k = 0; k < n; k++) {
			ck_assert_msg(swap[k] == cases[i].swap[k], "%s: %d is %d", cases[i].names, k, swap[k]);
			ck_assert(swap[k] < 0 || swap[swap[k]] == k);
		}
		free(swap);
		names_free(names);
	}
}
END_TEST

/* ---- passing through ---- */

static struct {
	int64_t n;
	const char *output;
} o = {.n = 1};
static const struct opt opts[] = {{'n', "count", OPT_INT, &o.n, 0, 99, "N", "how many", 0}, OPT_OUTPUT(&o.output), OPT_END};
static const struct opt_prog prog = {"filter", "pass on", "", 0, 0, opts, {"filter", NULL}};

static void parse(void)
{
	char *argv[] = {"filter", "-n", "7", "-o", "x", NULL};
	int n;
	opt_parse(&prog, 5, argv, &n);
}

static void make_input(struct wire *w)
{
	uint64_t rows[4] = {2, 2, 2, 2};
	float at[8] = {1, 2, 3, 4, 5, 6, 7, 8};
	uint16_t half[2] = {0x3C00, 0x7E01};
	wire_begin(w);
	wire_meta(w, "points", "a,b");
	wire_tdef(w, 0, TNS_U8, 3, image_dim, "image");
	wire_tdef(w, 1, TNS_F32, 3, points_dim, "keypoints");
	wire_tdef(w, 2, TNS_F16, 1, id_dim, "unknown/x");
	wire_tdef(w, 3, TNS_BOOL, 1, id_dim, "ok");
	wire_meta_raw(w, "odd", 3, "a\0b", 3);
	wire_meta(w, "scale", "1");
	wire_data(w, 0, "123456789012345abcdefghijklmno", 30);
	wire_data(w, 1, at, 32);
	wire_data(w, 2, half, 4);
	wire_data(w, 3, "\1\0", 2);
	wire_meta(w, "history", "maker 0.1.0 --n 2\n");
	wire_meta(w, "rows.read", "2");
	wire_meta(w, "seen", "early here, late there");
	wire_end(w, 4, rows);
}

/* Passes row 1 through twice, from a dataset_stream or from a table. */
static uint32_t pass(const char *from, const char *to, int table, const char *const *skip, const char *const *skip_meta, uint32_t *print)
{
	struct tns_writer *w = tns_create(to);
	static struct passthrough p;
	uint32_t out;
	if (table) {
		struct tns_table *b = tns_load(from);
		passthrough_begin(&p, tns_table_head(b), w, skip, skip_meta);
		passthrough_table_row(&p, b, 1, w);
		passthrough_table_row(&p, b, 1, w);
		*print = tns_table_head(b)->fingerprint;
		passthrough_end(tns_table_head(b), w, 1);
		out = tns_close(w);
		tns_unload(b);
	} else {
		struct dataset_stream *d = dataset_stream_open(from);
		passthrough_begin(&p, d->in, w, skip, skip_meta);
		tns_put_meta(w, "seen", "mine");
		ck_assert_uint_eq(dataset_stream_next(d), 2);
		passthrough_row(&p, d, 1, w);
		passthrough_row(&p, d, 1, w);
		ck_assert_uint_eq(dataset_stream_next(d), 0);
		*print = d->in->fingerprint;
		passthrough_end(d->in, w, 1);
		out = tns_close(w);
		dataset_stream_close(d);
	}
	return out;
}

START_TEST(passes)
{
	static const char *const skip[] = {"keypoints", "ok", NULL}, *const skip_meta[] = {"points", NULL};
	struct wire w;
	char from[1024], to[1024], want[200];
	uint32_t print;
	parse();
	make_input(&w);
	snprintf(from, sizeof from, "%s", save(&w, "from.tns"));
	snprintf(to, sizeof to, "%s", wire_path("to.tns"));
	ck_assert(pass(from, to, _i, skip, skip_meta, &print));
	ck_assert_uint_eq(print, w.chain);
	struct tns_table *b = tns_load(to);
	const struct tns *t = tns_table_head(b);
	ck_assert_int_eq(t->ntensors, 2);
	ck_assert_str_eq(t->def[0].name, "image");
	ck_assert_str_eq(t->def[1].name, "unknown/x");
	ck_assert_int_eq(t->def[1].dtype, TNS_F16);
	ck_assert_uint_eq(t->def[0].dim[1] * 10 + t->def[0].dim[2], 53);
	for (uint64_t i = 0; i < 2; i++) {
		ck_assert_mem_eq(tns_row(b, 0, i), "abcdefghijklmno", 15);
		ck_assert_mem_eq(tns_row(b, 1, i), "\x01\x7E", 2);
	}
	ck_assert_ptr_null(tns_meta_value(t, "points"));
	ck_assert_str_eq(tns_meta_value(t, "scale"), "1");
	ck_assert_str_eq(tns_meta_value(t, "rows.read"), "2");
	ck_assert_str_eq(tns_meta_value(t, "seen"), _i ? "early here, late there" : "mine");
	ck_assert_uint_eq(t->meta[0].value_len, 3);
	ck_assert_mem_eq(t->meta[0].value, "a\0b", 3);
	snprintf(want, sizeof want, "maker 0.1.0 --n 2\n" FILTER " < %08x\n", w.chain);
	ck_assert_str_eq(tns_meta_value(t, "history"), want);
	tns_unload(b);
	/* nothing skipped: all tensors and METAs */
	pass(from, to, _i, NULL, NULL, &print);
	b = tns_load(to);
	ck_assert_int_eq(tns_table_head(b)->ntensors, 4);
	ck_assert_str_eq(tns_meta_value(tns_table_head(b), "points"), "a,b");
	ck_assert_mem_eq(tns_row(b, 1, 0), ((const float[]){5, 6, 7, 8}), 16);
	ck_assert_mem_eq(tns_row(b, 3, 1), "\0", 1);
	tns_unload(b);
	free(w.p);
}
END_TEST

/* Checks the history of a stream whose inputs had these histories. */
static void merged(int n, const char *const *histories, const char *more, const char *want)
{
	struct wire w[4];
	struct tns *in[4];
	for (int i = 0; i < n; i++) {
		wire_begin(&w[i]);
		if (histories[i])
			wire_meta(&w[i], "history", histories[i]);
		wire_end(&w[i], 0, NULL);
		in[i] = tns_open_memory(w[i].p, w[i].n, "memory");
		ck_assert_int_eq(tns_step(in[i]), TNS_DONE);
		in[i]->fingerprint = (uint32_t)i + 0xA0;
	}
	struct tns_writer *o2 = tns_create(wire_path("merged.tns"));
	history_put(o2, (const struct tns *const *)in, n, more);
	tns_close(o2);
	struct tns *t = tns_open(wire_path("merged.tns"));
	ck_assert_str_eq(tns_meta_value(t, "history"), want);
	tns_free(t);
	for (int i = 0; i < n; i++)
		tns_free(in[i]), free(w[i].p);
}

START_TEST(histories)
{
	parse();
	merged(0, NULL, NULL, FILTER "\n");
	merged(1, (const char *[]){NULL}, NULL, FILTER " < 000000a0\n");
	merged(1, (const char *[]){""}, "csv 12", FILTER " [csv 12] < 000000a0\n");
	merged(1, (const char *[]){"a"}, NULL, "a\n" FILTER " < 000000a0\n");
	merged(2, (const char *[]){"a\nb\n", "a\nc\n"}, NULL, "a\nb\nc\n" FILTER " < 000000a0 000000a1\n");
	merged(3, (const char *[]){"ab\n", "a\n\nb\n", "ab\na\nabc"}, NULL, "ab\na\nb\nabc\n" FILTER " < 000000a0 000000a1 000000a2\n");
	/* a program that reads its own output */
	merged(1, (const char *[]){FILTER " < 000000a0\n"}, NULL, FILTER " < 000000a0\n" FILTER " < 000000a0\n");
}
END_TEST

/* Adversarial histories: very many lines. */
static void long_history(void *arg)
{
	size_t lines = *(size_t *)arg;
	char *s = malloc(8 * lines + 1), *to = s;
	struct wire w;
	parse();
	for (size_t i = 0; i < lines; i++)
		to += sprintf(to, "%zx\n", i);
	wire_begin(&w);
	wire_meta(&w, "history", s);
	wire_end(&w, 0, NULL);
	struct tns *in = tns_open_memory(w.p, w.n, "long.tns");
	tns_step(in);
	struct tns_writer *o2 = tns_create(wire_path("long.tns"));
	history_put(o2, (const struct tns *const *)&in, 1, NULL);
	tns_close(o2);
}

START_TEST(long_histories)
{
	time_t t0 = time(NULL);
	struct child c = child_run(long_history, &(size_t){10000});
	ck_assert_int_eq(c.status, 99);
	c = child_run(long_history, &(size_t){180000});
	ck_assert_int_eq(c.status, 1);
	ck_assert_str_eq(c.err, "filter: long.tns: a history of more than 10000 lines\n");
	ck_assert_int_lt(time(NULL) - t0, 20);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("dataset_stream");
	TCase *t = tcase_create("dataset_stream");
	suite_add_tcase(s, t);
	tcase_add_loop_test(t, lockstep, 0, 7);
	tcase_add_test(t, far_ahead);
	tcase_add_test(t, not_data_sets);
	tcase_add_test(t, needs);
	tcase_add_test(t, points);
	tcase_add_test(t, mirrors);
	tcase_add_loop_test(t, passes, 0, 2);
	tcase_add_test(t, histories);
	tcase_add_test(t, long_histories);
	SRunner *r = srunner_create(s);
	srunner_run_all(r, CK_NORMAL);
	int failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed != 0;
}
