/* patch-extract on streams that no program of ours writes: rows in another order, labels missing or infinite, wrong types, huge patches. */
#include <math.h>

#include "lib/stream/dataset_stream.h"
#include "tests/prog.h"

enum { W = 30, H = 26, N = 40 };

static uint8_t images[N][H][W];
static float points[N][3][2];
static uint32_t ids[N];
static const char *const names[] = {"points", "left_eye,right_eye,nose", NULL};

/* Row `at` is face i: pixels and points depend on i, so that a patch identifies its face. */
static void face(int at, uint32_t i)
{
	ids[at] = 1000 + i;
	for (int y = 0; y < H; y++)
		for (int x = 0; x < W; x++)
			images[at][y][x] = (uint8_t)((i * 7 + (uint32_t)x * 31 + (uint32_t)y * 17) & 255);
	for (int k = 0; k < 3; k++)
		points[at][k][0] = (float)(6 + k * 8 + (int)i % 3), points[at][k][1] = (float)(8 + (int)i % 7);
}

static const char *faces(const char *path, uint64_t n)
{
	return prog_stream(path, n,
		(struct prog_col[]){{"image", TNS_U8, H, W, images}, {"keypoints", TNS_F32, 3, 2, points}, {"id", TNS_U32, 0, 0, ids}, {0}},
		names);
}

struct patches {
	uint64_t n;
	struct {
		uint32_t source;
		uint8_t label, pixel[35];
	} p[4096];
};

static void collect(const char *path, struct patches *to)
{
	struct tns_table *t = tns_load(path);
	const struct tns *h = tns_table_head(t);
	int image = dataset_stream_require(h, "image", TNS_U8, 3), label = dataset_stream_require(h, "label", TNS_U8, 1),
	    source = dataset_stream_require(h, "source", TNS_U32, 1);
	memset(to, 0, sizeof *to);
	to->n = h->def[image].rows;
	ck_assert_uint_le(to->n, 4096);
	ck_assert_uint_eq(h->def[image].row_bytes, 35);
	for (uint64_t i = 0; i < to->n; i++) {
		to->p[i].source = *(const uint32_t *)tns_row(t, source, i);
		to->p[i].label = *(const uint8_t *)tns_row(t, label, i);
		memcpy(to->p[i].pixel, tns_row(t, image, i), 35);
	}
	tns_unload(t);
}

#define EXTRACT "patch-extract", "-q", "--around", "nose", "--hard", "left_eye", "--size", "7x5"

/* Random positions and jitter depend on the face's id, not on its row. */
START_TEST(any_order)
{
	static struct patches a, b;
	for (int i = 0; i < N; i++)
		face(i, (uint32_t)i);
	prog_went(prog(EXTRACT, "--flip", "--jitter", "2", "--negatives", "3", "--random", "4", faces("a.tns", N), "-o", "a", NULL));
	for (int i = 0; i < N; i++)
		face(i, (uint32_t)(i * 23 + 5) % N);
	prog_went(prog(EXTRACT, "--flip", "--jitter", "2", "--negatives", "3", "--random", "4", faces("b.tns", N), "-o", "b", NULL));
	collect("a", &a), collect("b", &b);
	ck_assert_uint_eq(a.n, N * (2 + 2 + 3 + 4));
	ck_assert_uint_eq(b.n, a.n);
	for (uint64_t i = 0, k = 0; i < a.n; i++) { /* each face's patches are contiguous and in the same order */
		if (!i || a.p[i].source != a.p[i - 1].source)
			for (k = 0; k < b.n && b.p[k].source != a.p[i].source;)
				k++;
		ck_assert_mem_eq(&a.p[i], &b.p[k], sizeof a.p[i]);
		k++;
	}
}
END_TEST

/* A face with an unlabelled positive gives no random negatives; one whose positive is lost at the edge, or infinite, does. */
START_TEST(labels)
{
	static struct patches a;
	for (int i = 0; i < 4; i++)
		face(i, (uint32_t)i);
	points[1][2][0] = NAN;
	points[2][2][0] = 1;
	points[3][2][1] = INFINITY;
	struct child c = prog("patch-extract", "--around", "nose", "--size", "7x5", "--negatives", "2", faces("a.tns", 4), "-o", "a", NULL);
	prog_went(c);
	ck_assert_ptr_nonnull(strstr(c.err, "4 faces, 1 positives, 6 negatives; lost at the edge or for want of room: 2; "));
	collect("a", &a);
	int of[4] = {0};
	for (uint64_t i = 0; i < a.n; i++)
		of[a.p[i].source - 1000] += a.p[i].label ? 100 : 1;
	ck_assert_int_eq(of[0], 102);
	ck_assert_int_eq(of[1], 0);
	ck_assert_int_eq(of[2], 2);
	ck_assert_int_eq(of[3], 2);
	/* around the same places, told as predictions: of 12 points one is not labelled, one infinite, one predicted elsewhere */
	float guess[4][3][2];
	memcpy(guess, points, sizeof guess);
	guess[1][2][0] = guess[3][2][1] = 9, guess[0][1][1] = H - 1;
	prog_stream("p.tns", 4,
		(struct prog_col[]){{"image", TNS_U8, H, W, images}, {"keypoints", TNS_F32, 3, 2, points},
			{"predicted", TNS_F32, 3, 2, guess}, {"id", TNS_U32, 0, 0, ids}, {0}},
		names);
	c = prog("patch-extract", "--around", "predicted", "--size", "7x5", "p.tns", "-o", "p", NULL);
	prog_went(c);
	ck_assert_ptr_nonnull(
		strstr(c.err, "4 faces, 9 positives, 0 negatives; lost at the edge or for want of room: 2; not cut, since not "
			      "labelled: 1\n"));
}
END_TEST

START_TEST(odd_streams)
{
	static const double f64[6];
	struct prog_col c[] = {{"image", TNS_U8, H, W, images}, {"keypoints", TNS_F32, 3, 2, points}, {"id", TNS_U32, 0, 0, ids}, {0}};
	prog_stream("names.tns", 1, c, NULL);
	prog_refused(prog(EXTRACT, "names.tns", "-o", "out", NULL), 1, "patch-extract: names.tns: there is no META points");
	prog_stream("two.tns", 1, c, (const char *const[]){"points", "nose,left_eye", NULL});
	prog_refused(prog(EXTRACT, "two.tns", "-o", "out", NULL), 1, "patch-extract: two.tns: META points names 2, but there are 3");
	c[1] = (struct prog_col){"keypoints", TNS_F64, 3, 2, f64};
	prog_stream("f64.tns", 1, c, names);
	prog_refused(prog(EXTRACT, "f64.tns", "-o", "out", NULL), 1, "keypoints is f64 with 3 dimensions, not f32 with 3");
	c[1] = (struct prog_col){"keypoints", TNS_F32, 3, 3, points};
	prog_stream("3.tns", 1, c, names);
	prog_refused(prog(EXTRACT, "3.tns", "-o", "out", NULL), 1, "patch-extract: 3.tns: keypoints has 3 values a point, not 2");
	c[1] = (struct prog_col){"other", TNS_F32, 3, 2, points};
	prog_stream("none.tns", 1, c, names);
	prog_refused(prog(EXTRACT, "none.tns", "-o", "out", NULL), 1, "patch-extract: none.tns: there is no tensor keypoints");
	prog_went(prog("patch-extract", "-q", "--random", "2", "--size", "7x5", "none.tns", "-o", "random", NULL)); /* needs no keypoints */
	c[2].dtype = TNS_I32;
	prog_stream("i32.tns", 1, c, names);
	prog_refused(prog(EXTRACT, "i32.tns", "-o", "out", NULL), 1, "id is i32 with 1 dimensions, not u32 with 1");
	c[0] = (struct prog_col){"image", TNS_F32, 2, 3, f64};
	prog_stream("f32.tns", 1, c, names);
	prog_refused(prog(EXTRACT, "f32.tns", "-o", "out", NULL), 1, "image is f32 with 3 dimensions, not u8 with 3");
	prog_stream("bare.tns", 1, c + 1, names);
	prog_refused(prog(EXTRACT, "bare.tns", "-o", "out", NULL), 1, "patch-extract: bare.tns: there is no tensor image");
	/* no faces give no patches; --flip needs the points of both sides */
	prog_went(prog(EXTRACT, faces("empty.tns", 0), "-o", "empty", NULL));
	prog_stream("one.tns", 1,
		(struct prog_col[]){{"image", TNS_U8, H, W, images}, {"keypoints", TNS_F32, 1, 2, points}, {"id", TNS_U32, 0, 0, ids}, {0}},
		(const char *const[]){"points", "left_eye", NULL});
	prog_refused(prog("patch-extract", "--around", "left_eye", "--flip", "--size", "3x3", "one.tns", "-o", "out", NULL), 2,
		"--around: --flip needs the point of the other side of 'left_eye'");
}
END_TEST

/* A patch larger than the stack, as large as its image: equals the image. */
START_TEST(huge)
{
	enum { SIDE = 4000 };
	uint8_t *p = malloc(SIDE * SIDE);
	for (size_t i = 0; i < SIDE * SIDE; i++)
		p[i] = (uint8_t)(i * 2654435761u >> 24);
	prog_stream("huge.tns", 1, (struct prog_col[]){{"image", TNS_U8, SIDE, SIDE, p}, {"id", TNS_U32, 0, 0, ids}, {0}}, NULL);
	prog_went(prog("patch-extract", "-q", "--random", "1", "--size", "4000x4000", "huge.tns", "-o", "huge", NULL));
	struct tns_table *t = tns_load("huge");
	ck_assert(!memcmp(tns_row(t, 0, 0), p, SIDE * SIDE));
	tns_unload(t);
	free(p);
}
END_TEST

int main(void)
{
	prog_begin();
	Suite *s = suite_create("extract");
	TCase *t = tcase_create("extract");
	suite_add_tcase(s, t);
	tcase_add_test(t, any_order);
	tcase_add_test(t, labels);
	tcase_add_test(t, odd_streams);
	tcase_add_test(t, huge);
	return prog_end(s);
}
