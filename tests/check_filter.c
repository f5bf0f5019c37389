/* tns-select and tns-cat on small streams that no program here would write: half labels, dots in names, steps of a cascade, METAs that
 * don't fit. */
#include <math.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "lib/stream/dataset_stream.h"
#include "tests/prog.h"

#define NO NAN
static const uint32_t ids[] = {1, 2, 3};
static const float xy[3][2][2] = {{{1, 2}, {3, 4}}, {{NO, 2}, {3, 4}}, {{NO, NO}, {3, NO}}};
static const float at[3][2][2] = {{{1, 2}, {3, 8}}, {{1, 2}, {NO, 4}}, {{1, 1}, {1, 1}}};

/* The ids of the rows of out, as text. */
static const char *taken(void)
{
	static char text[100];
	struct tns_table *b = tns_load("out");
	const struct tns *t = tns_table_head(b);
	int id = tns_find(t, "id");
	text[0] = 0;
	for (uint64_t i = 0; i < t->def[id].rows; i++)
		sprintf(text + strlen(text), "%s%u", i ? " " : "", *(const uint32_t *)tns_row(b, id, i));
	tns_unload(b);
	return text;
}

/* Row `row` of a tensor of out is the n values, bit by bit. */
static void holds(const char *tensor, uint64_t row, const void *want, size_t bytes)
{
	struct tns_table *b = tns_load("out");
	int id = tns_find(tns_table_head(b), tensor);
	ck_assert_msg(id >= 0, "no %s", tensor);
	ck_assert_uint_eq(tns_table_head(b)->def[id].row_bytes, bytes);
	ck_assert_msg(!memcmp(tns_row(b, id, row), want, bytes), "%s, row %llu", tensor, (unsigned long long)row);
	tns_unload(b);
}

static void has_meta(const char *key, const char *want)
{
	struct tns_table *b = tns_load("out");
	const char *s = tns_meta_value(tns_table_head(b), key);
	ck_assert_msg(!s == !want && (!s || !strcmp(s, want)), "META %s: %s", key, s ? s : "none");
	tns_unload(b);
}

START_TEST(values)
{
	unlink("out"); /* of the test before */
	static const struct {
		const char *where, *ids;
	} w[] = {{"labels==2", "1"}, {"labels==1", "2"}, {"labels==0", "3"}, {"error==2", "1 3"}, {"error>1e300", "2"}, {"error.q==4", "1"},
		{"error.q>1e300", "2"}, {"error.p==0", "1"}, {"p.y==2", "1 2"}, {"a.b.q==5", "1"}, {"a.b.q==6", "2"}, {"a.b.q==50", ""},
		{"a.q==50", "1"}, {"small==-3", "1"}, {"small<0", "1 2"}, {"small>0", "3"}, {"wide>=1e10", "3"}, {"real==0.1", "2"},
		{"yes==1", "1 3"}, {"word<0", "2"}, {"score.in>0.5", "2"}, {"score.out>0.5", "1"}, {"labels>p.x", "1"},
		{"id==row", "1 2 3"}, {"w16==65535", "1"}, {"w16<=1", "2 3"}, {"d32==-2147483648", "2"}, {"d32>2147483646.5", "3"},
		{"d64==-9007199254740992", "1"}, {"d64<0", "1 3"}, {"d64>9e15", "2"}, {"id>=3", "3"}};
	static const uint16_t w16[] = {65535, 0, 1};
	static const int32_t d32[] = {0, INT32_MIN, INT32_MAX};
	static const int64_t d64[] = {-9007199254740992, 9007199254740992, -1};
	static const float ab[3][2] = {{4, 5}, {5, 6}, {6, 7}}, a[3][2] = {{40, 50}, {50, 60}, {60, 70}},
			   score[3][2] = {{0, 1}, {1, 0}, {0, 0}};
	static const int8_t small[] = {-3, -1, 5};
	static const uint64_t wide[] = {1, 2, 10000000000};
	static const double real[] = {1, 0.1, 2};
	static const uint8_t yes[] = {1, 0, 1};
	static const int16_t word[] = {1, -1, 1};
	const struct prog_col cols[] = {{"id", TNS_U32, 0, 0, ids}, {"keypoints", TNS_F32, 2, 2, xy}, {"predicted", TNS_F32, 2, 2, at},
		{"a.b", TNS_F32, 2, 0, ab}, {"a", TNS_F32, 2, 0, a}, {"small", TNS_I8, 0, 0, small}, {"wide", TNS_U64, 0, 0, wide},
		{"real", TNS_F64, 0, 0, real}, {"yes", TNS_BOOL, 0, 0, yes}, {"word", TNS_I16, 0, 0, word}, {"score", TNS_F32, 2, 0, score},
		{"half", TNS_F16, 0, 0, word}, {"w16", TNS_U16, 0, 0, w16}, {"d32", TNS_I32, 0, 0, d32}, {"d64", TNS_I64, 0, 0, d64},
		{NULL, 0, 0, 0, NULL}};
	/* with a point named b.q too, a.b.q is of the tensor of the longer name */
	prog_stream("in", 3, cols, (const char *const[]){"points", "p,q", "classes", "in,out", NULL});
	for (size_t i = 0; i < sizeof w / sizeof *w; i++) {
		prog_went(prog("tns-select", "-q", "--where", w[i].where, "in", "-o", "out", NULL));
		ck_assert_msg(!strcmp(taken(), w[i].ids), "%s: %s", w[i].where, taken());
	}
	prog_stream("in", 3, cols, (const char *const[]){"points", "b.q,q", NULL});
	prog_went(prog("tns-select", "--where", "a.b.q==5", "in", "-o", "out", NULL));
	ck_assert_str_eq(taken(), "1");
	unlink("out");
	prog_refused(prog("tns-select", "--where", "half>1", "in", "-o", "out", NULL), 1,
		"in: --where: at 1: half is f16, which is not computed with");
	prog_stream("in", 3, cols, (const char *const[]){"points", "p", "unlearned", "q", NULL});
	prog_refused(prog("tns-select", "--where", "error>1", "in", "-o", "out", NULL), 1, "in: META points names 1, but there are 2");
	prog_stream("in", 3, cols, (const char *const[]){"points", "p,q", "unlearned", "q", NULL});
	prog_went(prog("tns-select", "--where", "error==0", "in", "-o", "out", NULL));
	ck_assert_str_eq(taken(), "1 2");
	/* tensors that are no points of keypoints */
	static const float three[3][2][3] = {{{0}}}, one[3][1][2] = {{{0}}};
	unlink("out");
	prog_stream("in", 3,
		(struct prog_col[]){
			{"keypoints", TNS_F32, 2, 2, xy}, {"predicted", TNS_F32, 2, 3, three}, {"few", TNS_F32, 1, 2, one}, {0}},
		(const char *const[]){"points", "p,q", NULL});
	prog_refused(prog("tns-select", "--where", "error>1", "in", "-o", "out", NULL), 1,
		"tns-select: in: predicted is (rows, 2, 3), not points as keypoints");
	prog_refused(prog("tns-select", "--where", "few.p.x>1", "in", "-o", "out", NULL), 1, "there is no value 'few.p.x' in a row");
	prog_refused(prog("tns-select", "--where", "p.z>1", "in", "-o", "out", NULL), 1, "there is no value 'p.z' in a row");
	prog_refused(
		prog("tns-select", "--where", "predicted.p>1", "in", "-o", "out", NULL), 1, "there is no value 'predicted.p' in a row");
	prog_refused(prog("tns-select", "--sort", "keypoints.x", "in", "-o", "out", NULL), 1, "there is no value 'keypoints.x' in a row");
	prog_stream("in", 3, (struct prog_col[]){{"keypoints", TNS_F32, 2, 2, xy}, {"predicted", TNS_F32, 1, 2, one}, {0}}, NULL);
	prog_refused(prog("tns-select", "--where", "error>1", "in", "-o", "out", NULL), 1,
		"tns-select: in: predicted is (rows, 1, 2), not points as keypoints");
	prog_stream("in", 3, (struct prog_col[]){{"keypoints", TNS_F32, 2, 3, three}, {0}}, (const char *const[]){"points", "p,q", NULL});
	prog_refused(prog("tns-select", "--where", "p.x>1", "in", "-o", "out", NULL), 1, "there is no value 'p.x' in a row");
	prog_refused(prog("tns-select", "--where", "labels>1", "in", "-o", "out", NULL), 1,
		"tns-select: in: keypoints is (rows, 2, 3), not points as keypoints");
	/* a stream of one tensor, whose rows are put in order */
	prog_stream("in", 3, (struct prog_col[]){{"id", TNS_U32, 0, 0, ids}, {0}}, NULL);
	prog_went(prog("tns-select", "--sort", "-id", "in", "-o", "out", NULL));
	ck_assert_str_eq(taken(), "3 2 1");
}
END_TEST

/* All tensors of points, of K points, cut and put in order; METAs that name points. */
START_TEST(points)
{
	unlink("out"); /* of the test before */
	static const float steps[2][2][3][2] = {{{{1, 2}, {3, 4}, {5, 6}}, {{11, 12}, {13, 14}, {15, 16}}}},
			   one[2][1][2] = {{{1, 2}}, {{3, 4}}};
	static const uint8_t sure[2][3] = {{1, 2, 3}, {4, 5, 6}};
	struct tns_writer *w = tns_create("in");
	tns_put_meta(w, "points", "p,q,r");
	tns_put_meta(w, "pairs", "p:r,q");
	tns_put_meta(w, "unlearned", "r,p");
	tns_define(w, "steps", TNS_F32, 4, (uint64_t[]){TNS_UNLIMITED, 2, 3, 2});
	tns_define(w, "confidence", TNS_U8, 2, (uint64_t[]){TNS_UNLIMITED, 3});
	tns_define(w, "maps", TNS_F32, 4, (uint64_t[]){TNS_UNLIMITED, 1, 1, 2});
	tns_write(w, 0, steps, 2), tns_write(w, 1, sure, 2), tns_write(w, 2, one, 2);
	tns_close(w);
	prog_went(prog("tns-select", "--points", "r,p", "--rename", "r=p,p=r", "in", "-o", "out", NULL));
	holds("steps", 0, (float[]){5, 6, 1, 2, 15, 16, 11, 12}, 32);
	holds("confidence", 1, (uint8_t[]){6, 4}, 2);
	holds("maps", 1, one[1], 8);
	has_meta("points", "p,r"), has_meta("pairs", "p:r"), has_meta("unlearned", "p,r");
	prog_went(prog("tns-select", "--rename", "q=p,p=q", "in", "-o", "out", NULL));
	has_meta("points", "q,p,r"), has_meta("pairs", "q:r,p"), has_meta("unlearned", "q,r");
	holds("steps", 0, steps[0], 48);
	prog_went(prog("tns-select", "--points", "q", "in", "-o", "out", NULL));
	has_meta("points", "q"), has_meta("pairs", "q"), has_meta("unlearned", NULL);
	/* joined: what has no NaN can't lack points; unlearned is not kept where nothing is predicted */
	prog_went(prog("tns-cat", "in", "in", "-o", "out", NULL));
	holds("steps", 2, steps[0], 48);
	has_meta("unlearned", NULL);
	unlink("out");
	prog_went(prog("tns-select", "--points", "q,p", "in", "-o", "two", NULL));
	prog_refused(
		prog("tns-cat", "in", "two", "-o", "out", NULL), 1, "two: confidence is u8, which has no NaN for the points that it lacks");
	prog_went(prog("tns-select", "--without", "confidence", "in", "-o", "three", NULL));
	prog_went(prog("tns-select", "--without", "confidence", "two", "-o", "two2", NULL));
	prog_went(prog("tns-cat", "two2", "three", "-o", "out", NULL));
	has_meta("points", "q,p,r");
	static const float nan = NAN; /* the bits that are written */
	holds("steps", 0, (float[]){3, 4, 1, 2, nan, nan, 13, 14, 11, 12, nan, nan}, 48);
	holds("steps", 2, (float[]){3, 4, 1, 2, 5, 6, 13, 14, 11, 12, 15, 16}, 48);
	/* the first two exchanged, the last in its place; one map of all is joined only to its like */
	prog_stream(
		"abc", 1, (struct prog_col[]){{"keypoints", TNS_F32, 3, 2, steps}, {0}}, (const char *const[]){"points", "p,q,r", NULL});
	prog_stream(
		"bac", 1, (struct prog_col[]){{"keypoints", TNS_F32, 3, 2, steps}, {0}}, (const char *const[]){"points", "q,p,r", NULL});
	prog_went(prog("tns-cat", "abc", "bac", "-o", "out", NULL));
	holds("keypoints", 0, (float[]){1, 2, 3, 4, 5, 6}, 24);
	holds("keypoints", 1, (float[]){3, 4, 1, 2, 5, 6}, 24);
	unlink("out");
	w = tns_create("each");
	tns_put_meta(w, "points", "p,q,r");
	tns_define(w, "maps", TNS_F32, 4, (uint64_t[]){TNS_UNLIMITED, 3, 1, 2});
	tns_write(w, 0, steps, 1);
	tns_close(w);
	prog_went(prog("tns-select", "--only", "maps", "in", "-o", "all", NULL));
	prog_refused(prog("tns-cat", "each", "all", "-o", "out", NULL), 1, "maps");
	prog_refused(prog("tns-cat", "all", "each", "-o", "out", NULL), 1, "maps");
	/* the number of points is not that of META points */
	unlink("out");
	prog_stream("in", 3, (const struct prog_col[]){{"keypoints", TNS_F32, 2, 2, xy}, {NULL, 0, 0, 0, NULL}},
		(const char *const[]){"points", "p,q,r", NULL});
	prog_refused(prog("tns-select", "--points", "q", "in", "-o", "out", NULL), 1, "in: META points names 3, but keypoints is of 2");
	prog_refused(prog("tns-cat", "in", "-o", "out", NULL), 1, "in: META points names 3, but keypoints is of 2");
	prog_stream("in", 3, (const struct prog_col[]){{"keypoints", TNS_F32, 2, 2, xy}, {NULL, 0, 0, 0, NULL}},
		(const char *const[]){"points", "p,p", NULL});
	prog_refused(prog("tns-cat", "in", "-o", "out", NULL), 1, "in: META points: two are named p");
	prog_stream("in2", 3, (const struct prog_col[]){{"keypoints", TNS_F32, 2, 2, xy}, {NULL, 0, 0, 0, NULL}}, NULL);
	prog_stream("in", 3, (const struct prog_col[]){{"keypoints", TNS_F32, 2, 2, xy}, {NULL, 0, 0, 0, NULL}},
		(const char *const[]){"points", "p,q", NULL});
	prog_refused(
		prog("tns-cat", "in", "in2", "-o", "out", NULL), 1, "in2: there is no META points, which in has, to match keypoints by");
	prog_refused(
		prog("tns-cat", "in2", "in", "-o", "out", NULL), 1, "in2: there is no META points, which in has, to match keypoints by");
	prog_went(prog("tns-cat", "in2", "in2", "-o", "out", NULL));
	has_meta("points", NULL);
}
END_TEST

/* Points without names are matched with none; METAs of predictions come with these, and A's stale ones go. */
START_TEST(joined)
{
	static const uint32_t id[] = {1, 2};
	static const float xy[] = {1, 2, 3, 4, 5, 6, 7, 8};
	const struct prog_col a[] = {{"id", TNS_U32, 0, 0, id}, {"keypoints", TNS_F32, 2, 2, xy}, {NULL, 0, 0, 0, NULL}},
			      b[] = {{"id", TNS_U32, 0, 0, id}, {"predicted", TNS_F32, 2, 2, xy}, {NULL, 0, 0, 0, NULL}};
	prog_stream("a", 2, a, NULL);
	prog_stream("b", 2, b, (const char *const[]){"points", "p,q", NULL});
	unlink("out");
	prog_refused(prog("tns-join", "a", "b", "-o", "out", NULL), 1,
		"tns-join: a: there is no META points to match those of b by, so its predicted is not joined");
	prog_stream("a", 2, a, (const char *const[]){"points", "p,q", "unlearned", "q", "mean_face", "p 9 9", NULL});
	prog_stream("b", 2, b, (const char *const[]){"points", "p,q", "mean_face", "p 1 2,q 3 4", NULL});
	prog_went(prog("tns-join", "a", "b", "-o", "out", NULL));
	has_meta("unlearned", NULL);
	has_meta("mean_face", "p 1 2,q 3 4");
}
END_TEST

/* A stream of as many tensors as one can have has no room for one more. */
START_TEST(no_room)
{
	struct tns_writer *w = tns_create("in");
	char name[16];
	for (int i = 0; i < TNS_TENSORS_MAX; i++) {
		snprintf(name, sizeof name, "t%d", i);
		tns_define(w, name, TNS_U8, 1, (uint64_t[]){TNS_UNLIMITED});
	}
	tns_close(w);
	unlink("out");
	prog_refused(prog("tns-cat", "--source", "in", "in", "-o", "out", NULL), 1,
		"tns-cat: out: file is one tensor more than the 4096 that a stream can have");
}
END_TEST

/* Predictions of models that learned different points: what measures them leaves out those that any did not learn. */
START_TEST(unlearned)
{
	unlink("out"); /* of the test before */
	const struct prog_col cols[] = {{"predicted", TNS_F32, 2, 2, at}, {NULL, 0, 0, 0, NULL}};
	prog_stream("a", 3, cols, (const char *const[]){"points", "p,q", "unlearned", "q", NULL});
	prog_stream("b", 3, cols, (const char *const[]){"points", "q,r", "unlearned", "r", NULL});
	prog_went(prog("tns-cat", "a", "b", "-o", "out", NULL));
	has_meta("points", "p,q,r"), has_meta("unlearned", "q,r");
}
END_TEST

static char *numbers(int n)
{
	char *text = calloc((size_t)n + 1, 8), *to = text;
	for (int i = 0; i < n; i++)
		to += sprintf(to, "%sc%d", i ? "," : "", i);
	return text;
}

START_TEST(classes)
{
	unlink("out"); /* of the test before */
	static const uint8_t label[] = {0, 1, 3};
	static const float score[] = {0.1f, 0.2f, 0.3f};
	const struct prog_col all[] = {{"label", TNS_U8, 0, 0, label}, {"score", TNS_F32, 0, 0, score}, {NULL, 0, 0, 0, NULL}}, *two = all,
			      one[] = {all[0], {NULL, 0, 0, 0, NULL}};
	prog_stream("a", 2, two, (const char *const[]){"classes", "no,yes", NULL});
	prog_stream("b", 2, two, (const char *const[]){"classes", "yes,no", NULL});
	prog_refused(prog("tns-cat", "a", "b", "-o", "out", NULL), 1, "b: META classes is not that of a, and score is by classes");
	prog_went(prog("tns-cat", "a", "a", "-o", "out", NULL));
	unlink("out");
	prog_stream("a", 2, one, (const char *const[]){"classes", "no,yes", NULL});
	prog_stream("b", 2, one, NULL);
	prog_refused(prog("tns-cat", "a", "b", "-o", "out", NULL), 1, "b: there is no META classes, which a has, to match label by");
	prog_refused(prog("tns-cat", "b", "a", "-o", "out", NULL), 1, "b: there is no META classes, which a has, to match label by");
	prog_went(prog("tns-cat", "b", "b", "-o", "out", NULL));
	holds("label", 3, &label[1], 1);
	unlink("out");
	prog_stream("b", 3, one, (const char *const[]){"classes", "maybe,yes", NULL});
	prog_refused(prog("tns-cat", "a", "b", "-o", "out", NULL), 1, "b: row 3: label 3, but META classes has 2 names");
	prog_stream("b", 2, one, (const char *const[]){"classes", "maybe,yes", NULL});
	prog_went(prog("tns-cat", "a", "b", "-o", "out", NULL));
	has_meta("classes", "no,yes,maybe");
	holds("label", 2, (uint8_t[]){2}, 1), holds("label", 3, (uint8_t[]){1}, 1);
	unlink("out");
	char *many = numbers(255);
	prog_stream("b", 2, one, (const char *const[]){"classes", many, NULL});
	prog_refused(prog("tns-cat", "a", "b", "-o", "out", NULL), 1, "b: 257 classes in all, but labels have 256 values");
	prog_went(prog("tns-cat", "b", "b", "-o", "out", NULL));
	free(many);
}
END_TEST

/* METAs that programs here don't know: kept where all have them alike, and dropped elsewhere; numbers are counts only after the rows. */
START_TEST(metas)
{
	unlink("out"); /* of the test before */
	const struct prog_col cols[] = {{"id", TNS_U32, 0, 0, ids}, {NULL, 0, 0, 0, NULL}};
	prog_stream("a", 3, cols, (const char *const[]){"shift", "1", "same", "x", "only", "y", "differs", "a", NULL});
	prog_stream("b", 3, cols, (const char *const[]){"differs", "b", "shift", "2", "same", "x", NULL});
	prog_went(prog("tns-cat", "-q", "a", "b", "-o", "out", NULL));
	has_meta("same", "x"), has_meta("shift", NULL), has_meta("only", NULL), has_meta("differs", NULL);
	for (int i = 0; i < 2; i++) {
		struct tns_writer *w = tns_create(i ? "b" : "a");
		tns_define(w, "id", TNS_U32, 1, (uint64_t[]){3});
		tns_write(w, 0, ids, 3);
		tns_put_meta(w, "n", i ? "40" : "2");
		tns_put_meta(w, "huge", i ? "18446744073709551615" : "1");
		tns_put_meta(w, "late", "z");
		tns_put_meta(w, "words", i ? "b" : "a");
		tns_close(w);
	}
	prog_went(prog("tns-cat", "-q", "a", "b", "-o", "out", NULL));
	has_meta("n", "42"), has_meta("huge", NULL), has_meta("late", "z"), has_meta("words", NULL);
	prog_went(prog("tns-cat", "-q", "a", "-o", "out", NULL));
	has_meta("n", "2"), has_meta("huge", "1"), has_meta("words", "a");
}
END_TEST

/* The place of --source is taken by something else; a number beyond META sources. */
/* A file whose META has another name once its rows are read, the value being the same, is another. */
START_TEST(renamed_meta)
{
	const struct prog_col cols[] = {{"id", TNS_U32, 0, 0, ids}, {NULL, 0, 0, 0, NULL}};
	unlink("out");
	prog_stream("a", 3, cols, (const char *const[]){"one", "x", "two", "y", NULL});
	prog_stream("other", 3, cols, (const char *const[]){"one", "x", "three", "y", NULL});
	prog_stream("b", 3, cols, (const char *const[]){"one", "x", "two", "y", NULL});
	ck_assert(!mkfifo("fifo", 0666));
	pid_t pid = fork();
	if (!pid) { /* the file's head was read when the FIFO is opened */
		int fd = open("fifo", O_WRONLY), from = open("b", O_RDONLY);
		char text[4096];
		ssize_t n = rename("other", "a") ? 0 : read(from, text, sizeof text);
		_exit(n > 0 && write(fd, text, (size_t)n) == n ? 0 : 1);
	}
	prog_refused(prog("tns-cat", "a", "fifo", "-o", "out", NULL), 1, "tns-cat: a: changed while it was read");
	int status;
	ck_assert(waitpid(pid, &status, 0) == pid && !status);
	unlink("fifo");
}
END_TEST

START_TEST(sources)
{
	unlink("out"); /* of the test before */
	const struct prog_col real[] = {{"file", TNS_F32, 0, 0, xy}, {"id", TNS_U32, 0, 0, ids}, {NULL, 0, 0, 0, NULL}},
			      number[] = {{"file", TNS_U32, 0, 0, ids}, {"id", TNS_U32, 0, 0, ids}, {NULL, 0, 0, 0, NULL}};
	prog_stream("a", 2, real, NULL);
	prog_refused(
		prog("tns-cat", "--source", "a", "-o", "out", NULL), 1, "a: tensor file is not u32 with META sources: its place is taken");
	prog_stream("b", 2, number, NULL);
	prog_refused(
		prog("tns-cat", "--source", "b", "-o", "out", NULL), 1, "b: tensor file is not u32 with META sources: its place is taken");
	prog_stream("b", 2, number, (const char *const[]){"sources", "x,y", NULL});
	prog_refused(prog("tns-cat", "--source", "b", "-o", "out", NULL), 1, "b: row 2: file 2, but META sources has 2 names");
	prog_stream("b", 2, number, (const char *const[]){"sources", "x,y,z", NULL});
	prog_went(prog("tns-cat", "b", "-o", "out", NULL));
	holds("file", 1, (uint32_t[]){2}, 4);
	prog_stream("c,d", 2, (const struct prog_col[]){{"id", TNS_U32, 0, 0, ids}, {NULL, 0, 0, 0, NULL}}, NULL);
	prog_went(prog("tns-cat", "--source", "c,d", "-o", "out", NULL));
	has_meta("sources", "c_d");
}
END_TEST

int main(void)
{
	prog_begin();
	Suite *s = suite_create("filter");
	TCase *t = tcase_create("filter");
	tcase_set_timeout(t, 60);
	tcase_add_test(t, values);
	tcase_add_test(t, points);
	tcase_add_test(t, joined);
	tcase_add_test(t, no_room);
	tcase_add_test(t, unlearned);
	tcase_add_test(t, classes);
	tcase_add_test(t, metas);
	tcase_add_test(t, renamed_meta);
	tcase_add_test(t, sources);
	suite_add_tcase(s, t);
	return prog_end(s);
}
