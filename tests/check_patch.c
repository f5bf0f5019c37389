/* Patches: pixels at the stated position, mirrored faces, negatives' distance, nothing from unlabelled points. */
#include <math.h>
#include <stdlib.h>

#include "lib/labels/patch.h"
#include "tests/prog.h"

enum { W = 40, H = 30, PATCHES = 4000 };

static uint8_t image[H * W];
static float xy[8]; /* left eye, right eye, nose, mouth */

struct got {
	int n, w, h, label[PATCHES], x[PATCHES], y[PATCHES], mirrored[PATCHES];
};

/* Records a patch and its position in the image, which is unique. */
static void record(void *arg, const uint8_t *p, int label)
{
	struct got *g = arg;
	int found = 0;
	for (int m = 0; m < 2; m++)
		for (int y = 0; y + g->h <= H; y++)
			for (int x = 0; x + g->w <= W; x++) {
				int same = 1;
				for (int i = 0; same && i < g->h * g->w; i++) {
					int c = i % g->w, from = m ? g->w - 1 - c : c;
					same = p[i] == image[(y + i / g->w) * W + x + from];
				}
				if (same)
					g->x[g->n] = x, g->y[g->n] = y, g->mirrored[g->n] = m, found++;
			}
	ck_assert_int_eq(found, 1);
	g->label[g->n++] = label;
}

static struct patch_plan plan(int w, int h)
{
	struct patch_plan p = {.W = W, .H = H, .w = w, .h = h, .seed = 1};
	p.positive[0] = (struct patch_feature){.n = 1, .point = {0}, .mirror = {1}};
	p.positive[1] = (struct patch_feature){.n = 1, .point = {1}, .mirror = {0}};
	p.hard[0] = (struct patch_feature){.n = 1, .point = {3}, .mirror = {3}};
	return p;
}

static struct got run(const struct patch_plan *p, uint32_t id, struct patch_counts *c)
{
	static uint8_t scratch[H * W];
	static struct got g;
	memset(&g, 0, sizeof g);
	memset(c, 0, sizeof *c);
	g.w = p->w, g.h = p->h;
	patch_crop(p, image, xy, id, scratch, c, record, &g);
	return g;
}

static void setup(void)
{
	static const float at[8] = {28, 10, 12, 11, 20, 16, 20, 22};
	uint32_t v = 1;
	for (int i = 0; i < H * W; i++)
		image[i] = (uint8_t)((v = v * 1664525u + 1013904223u) >> 24);
	memcpy(xy, at, sizeof xy);
}

/* Left column floor(cx - (w - 1) / 2 + 1/2), for odd and even sides; halves round to the right. */
START_TEST(place)
{
	static const struct {
		float x;
		int w, left;
	} t[] = {{10, 5, 8}, {10.49f, 5, 8}, {10.5f, 5, 9}, {10, 4, 9}, {10.25f, 4, 9}, {10.5f, 4, 9}, {2, 5, 0}, {37, 5, 35}};
	for (size_t i = 0; i < sizeof t / sizeof *t; i++) {
		struct patch_plan p = plan(t[i].w, 5);
		struct patch_counts c;
		p.nfeatures = 1;
		xy[0] = t[i].x;
		struct got g = run(&p, 1, &c);
		ck_assert_int_eq(g.n, 1);
		ck_assert_int_eq(g.x[0], t[i].left);
		ck_assert_int_eq(g.y[0], 8);
		ck_assert_int_eq(g.label[0], 1);
		ck_assert_int_eq(g.mirrored[0], 0);
	}
}
END_TEST

/* A patch that leaves the image, by a pixel or more, is dropped and counted. */
START_TEST(outside)
{
	static const float x[] = {1.4f, 37.6f, -3, 1e9f, -1e30f, 10, 10, 10, 10}, y[] = {10, 10, 10, 10, 10, 1.4f, 27.6f, 33, -3};
	for (size_t i = 0; i < sizeof x / sizeof *x; i++) {
		struct patch_plan p = plan(5, 5);
		struct patch_counts c;
		p.nfeatures = 1;
		xy[0] = x[i], xy[1] = y[i];
		ck_assert_int_eq(run(&p, 1, &c).n, 0);
		ck_assert_uint_eq(c.lost, 1);
		ck_assert_uint_eq(c.unknown, 0);
	}
}
END_TEST

/* Around the left eye, with flip: the second patch is the right eye's, mirrored, never the left eye's. */
START_TEST(left_stays_left)
{
	struct patch_plan p = plan(5, 5);
	struct patch_counts c;
	p.nfeatures = 1, p.flip = 1;
	struct got g = run(&p, 1, &c);
	ck_assert_int_eq(g.n, 2);
	ck_assert(g.x[0] == 26 && g.y[0] == 8 && !g.mirrored[0] && g.label[0] == 1);
	ck_assert(g.x[1] == 10 && g.y[1] == 9 && g.mirrored[1] && g.label[1] == 1);
	p = plan(6, 5), p.nfeatures = 1, p.flip = 1; /* the middle of an even patch lies between columns: the tie is the mirrored face's */
	g = run(&p, 1, &c);
	ck_assert_int_eq(g.x[0], 26);
	ck_assert_int_eq(g.x[1], 9);
}
END_TEST

START_TEST(negatives_keep_away)
{
	struct patch_plan p = plan(5, 7);
	struct patch_counts c;
	p.nfeatures = 2, p.nhard = 1, p.flip = 1, p.negatives = 20, p.away = 9;
	for (uint32_t id = 0; id < 50; id++) {
		struct got g = run(&p, id, &c);
		ck_assert_int_eq(g.n, 4 + 2 + 20);
		ck_assert_uint_eq(c.positive, 4);
		ck_assert_uint_eq(c.negative, 22);
		for (int i = 0; i < g.n; i++) {
			ck_assert_int_eq(g.label[i], i < 4);
			for (int k = 0; k < 2 && i >= 6; k++)
				ck_assert_double_ge(hypot(g.x[i] + 2 - xy[2 * k], g.y[i] + 3 - xy[2 * k + 1]), 9);
		}
	}
	p.nfeatures = 1, p.nhard = 0; /* the mirrored patch of a point that is named alone is a positive, too */
	for (uint32_t id = 0; id < 50; id++) {
		struct got g = run(&p, id, &c);
		ck_assert_int_eq(g.n, 2 + 20);
		for (int i = 2; i < g.n; i++)
			for (int k = 0; k < 2; k++)
				ck_assert_double_ge(hypot(g.x[i] + 2 - xy[2 * k], g.y[i] + 3 - xy[2 * k + 1]), 9);
	}
	p.nfeatures = 2, p.nhard = 1;
	p.away = 100; /* no such position */
	ck_assert_int_eq(run(&p, 1, &c).n, 6);
	ck_assert_uint_eq(c.lost, 20);
}
END_TEST

/* Random positions are uniform over all where the patch fits, the outermost included. */
START_TEST(random_positions)
{
	struct patch_plan p = plan(37, 28);
	struct patch_counts c;
	int drawn[4][3] = {{0}};
	p.random = 1200;
	struct got g = run(&p, 7, &c);
	ck_assert_int_eq(g.n, 1200);
	for (int i = 0; i < g.n; i++) {
		drawn[g.x[i]][g.y[i]]++;
		ck_assert_int_eq(g.label[i], 0);
	}
	for (int i = 0; i < 12; i++)
		ck_assert(drawn[i / 3][i % 3] > 60 && drawn[i / 3][i % 3] < 140);
}
END_TEST

/* A positive without a label: the labelled ones are cut, but no negatives, which might show the unlabelled one. */
START_TEST(unknown)
{
	struct patch_plan p = plan(5, 5);
	struct patch_counts c;
	p.nfeatures = 2, p.nhard = 1, p.negatives = 3, p.away = 9;
	xy[3] = NAN;
	struct got g = run(&p, 1, &c);
	ck_assert_int_eq(g.n, 2);
	ck_assert(g.label[0] == 1 && g.label[1] == 0);
	ck_assert_uint_eq(c.unknown, 1);
	xy[6] = NAN;
	ck_assert_int_eq(run(&p, 1, &c).n, 1);
	ck_assert_uint_eq(c.unknown, 2);
}
END_TEST

/* Jitter: up to its limit in both directions, independent for each patch, a function of face id and seed alone. */
START_TEST(jitter)
{
	struct patch_plan p = plan(5, 5);
	struct patch_counts c;
	int smallest = 99, largest = -99, differ = 0;
	p.nfeatures = 1, p.flip = 1, p.jitter = 3;
	for (uint32_t id = 0; id < 200; id++) {
		struct got g = run(&p, id, &c), again = run(&p, id, &c);
		ck_assert(!memcmp(&g, &again, sizeof g));
		ck_assert_int_eq(g.n, 2);
		smallest = g.x[0] - 26 < smallest ? g.x[0] - 26 : smallest, largest = g.x[0] - 26 > largest ? g.x[0] - 26 : largest;
		differ += g.x[0] - 26 != g.x[1] - 10;
	}
	ck_assert_int_eq(smallest, -3);
	ck_assert_int_eq(largest, 3);
	ck_assert_int_gt(differ, 100);
	struct got a = run(&p, 1, &c);
	p.seed = 2;
	struct got b = run(&p, 1, &c);
	ck_assert(memcmp(&a, &b, sizeof a) != 0);
}
END_TEST

/* Unknown METAs are passed through, before and after rows; META points is not. */
START_TEST(metas)
{
	static const uint64_t dim[3] = {TNS_UNLIMITED, H, W}, points[3] = {TNS_UNLIMITED, 1, 2};
	static const uint32_t id = 77;
	struct tns_writer *w = tns_create("in.tns");
	int image_id = tns_define(w, "image", TNS_U8, 3, dim), xy_id = tns_define(w, "keypoints", TNS_F32, 3, points);
	int id_id = tns_define(w, "id", TNS_U32, 1, dim);
	tns_put_meta(w, "points", "left_eye");
	tns_put_meta(w, "classes", "no,yes");
	tns_put_meta(w, "camera", "old");
	tns_write(w, image_id, image, 1);
	tns_write(w, xy_id, xy, 1);
	tns_write(w, id_id, &id, 1);
	tns_put_meta(w, "counted", "1");
	tns_close(w);
	struct child c = prog("patch-extract", "-q", "--around", "left_eye", "--size", "5x3", "-o", "out.tns", "in.tns", NULL);
	ck_assert_msg(c.status == 0, "%s", c.err);
	struct tns_table *t = tns_load("out.tns");
	const struct tns *head = tns_table_head(t);
	ck_assert_str_eq(tns_meta_value(head, "camera"), "old");
	ck_assert_str_eq(tns_meta_value(head, "counted"), "1");
	ck_assert_str_eq(tns_meta_value(head, "classes"), "other,part");
	ck_assert_ptr_null(tns_meta_value(head, "points"));
	ck_assert_int_eq(head->ntensors, 3);
	for (int y = 0; y < 3; y++)
		ck_assert(!memcmp((const uint8_t *)tns_row(t, tns_find(head, "image"), 0) + 5 * y, image + (9 + y) * W + 26, 5));
	ck_assert_uint_eq(*(const uint32_t *)tns_row(t, tns_find(head, "source"), 0), 77);
	tns_unload(t);
	prog_refused(prog("patch-extract", "-o", "out", "--flip", "--around", "left_eye", "--size", "5x3", "in.tns", NULL), 2,
		"other side of 'left_eye'");
}
END_TEST

int main(void)
{
	prog_begin();
	Suite *s = suite_create("patch");
	TCase *t = tcase_create("patch");
	tcase_add_checked_fixture(t, setup, NULL);
	tcase_add_test(t, place);
	tcase_add_test(t, outside);
	tcase_add_test(t, left_stays_left);
	tcase_add_test(t, negatives_keep_away);
	tcase_add_test(t, random_positions);
	tcase_add_test(t, unknown);
	tcase_add_test(t, jitter);
	tcase_add_test(t, metas);
	suite_add_tcase(s, t);
	return prog_end(s);
}
