/* Patches: the bytes of the stated place, what the mirrored face shows, negatives that keep away, nothing from what is unknown. */
#include <math.h>
#include <stdlib.h>

#include "lib/labels/patch.h"
#include "tests/prog.h"

enum { W = 40, H = 30, MOST = 4000 };

static uint8_t image[H * W];
static float xy[8]; /* left eye, right eye, nose, mouth */

struct got {
	int n, w, h, label[MOST], x[MOST], y[MOST], mirrored[MOST];
};

/* Find where in the image the patch came from: every pixel of it is unique. */
static void take(void *arg, const uint8_t *p, int label)
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
	p.place[0] = (struct patch_place){.n = 1, .point = {0}, .mirror = {1}};
	p.place[1] = (struct patch_place){.n = 1, .point = {1}, .mirror = {0}};
	p.hard[0] = (struct patch_place){.n = 1, .point = {3}, .mirror = {3}};
	return p;
}

static struct got run(const struct patch_plan *p, uint32_t id, struct patch_counts *c)
{
	static uint8_t room[H * W];
	static struct got g;
	memset(&g, 0, sizeof g);
	memset(c, 0, sizeof *c);
	g.w = p->w, g.h = p->h;
	patch_cut(p, image, xy, id, room, c, take, &g);
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

/* Left column floor(cx - (w - 1) / 2 + 1/2), for odd and even sides, halves to the right. */
START_TEST(place)
{
	static const struct {
		float x;
		int w, left;
	} t[] = {{10, 5, 8}, {10.49f, 5, 8}, {10.5f, 5, 9}, {10, 4, 9}, {10.25f, 4, 9}, {10.5f, 4, 9}, {2, 5, 0}, {37, 5, 35}};
	for (size_t i = 0; i < sizeof t / sizeof *t; i++) {
		struct patch_plan p = plan(t[i].w, 5);
		struct patch_counts c;
		p.nplaces = 1;
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

/* One pixel further and the patch would leave the image: dropped and counted, no matter how far. */
START_TEST(outside)
{
	static const float x[] = {1.4f, 37.6f, -3, 1e9f, -1e30f};
	for (size_t i = 0; i < sizeof x / sizeof *x; i++) {
		struct patch_plan p = plan(5, 5);
		struct patch_counts c;
		p.nplaces = 1;
		xy[0] = x[i];
		ck_assert_int_eq(run(&p, 1, &c).n, 0);
		ck_assert_uint_eq(c.lost, 1);
		ck_assert_uint_eq(c.unknown, 0);
	}
}
END_TEST

/* Around the left eye alone, mirrored: the second patch is the right eye's, turned round, and never the left eye's. */
START_TEST(left_stays_left)
{
	struct patch_plan p = plan(5, 5);
	struct patch_counts c;
	p.nplaces = 1, p.flip = 1;
	struct got g = run(&p, 1, &c);
	ck_assert_int_eq(g.n, 2);
	ck_assert(g.x[0] == 26 && g.y[0] == 8 && !g.mirrored[0] && g.label[0] == 1);
	ck_assert(g.x[1] == 10 && g.y[1] == 9 && g.mirrored[1] && g.label[1] == 1);
}
END_TEST

START_TEST(negatives_keep_away)
{
	struct patch_plan p = plan(5, 7);
	struct patch_counts c;
	p.nplaces = 2, p.nhard = 1, p.flip = 1, p.negatives = 20, p.away = 9;
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
	p.away = 100; /* there is no such place */
	ck_assert_int_eq(run(&p, 1, &c).n, 6);
	ck_assert_uint_eq(c.lost, 20);
}
END_TEST

/* Random places are drawn evenly from all where a patch fits, the outermost among them. */
START_TEST(everywhere)
{
	struct patch_plan p = plan(37, 28);
	struct patch_counts c;
	int seen[4][3] = {{0}};
	p.random = 1200;
	struct got g = run(&p, 7, &c);
	ck_assert_int_eq(g.n, 1200);
	for (int i = 0; i < g.n; i++) {
		seen[g.x[i]][g.y[i]]++;
		ck_assert_int_eq(g.label[i], 0);
	}
	for (int i = 0; i < 12; i++)
		ck_assert(seen[i / 3][i % 3] > 60 && seen[i / 3][i % 3] < 140);
}
END_TEST

/* An unknown positive: what is known is cut, but no negatives, for the unknown one may lie there. */
START_TEST(unknown)
{
	struct patch_plan p = plan(5, 5);
	struct patch_counts c;
	p.nplaces = 2, p.nhard = 1, p.negatives = 3, p.away = 9;
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

/* Moved by at most the jitter, both ways, each patch for itself; by the face's id and the seed and nothing else. */
START_TEST(jitter)
{
	struct patch_plan p = plan(5, 5);
	struct patch_counts c;
	int least = 99, most = -99, differ = 0;
	p.nplaces = 1, p.flip = 1, p.jitter = 3;
	for (uint32_t id = 0; id < 200; id++) {
		struct got g = run(&p, id, &c), again = run(&p, id, &c);
		ck_assert(!memcmp(&g, &again, sizeof g));
		ck_assert_int_eq(g.n, 2);
		least = g.x[0] - 26 < least ? g.x[0] - 26 : least, most = g.x[0] - 26 > most ? g.x[0] - 26 : most;
		differ += g.x[0] - 26 != g.x[1] - 10;
	}
	ck_assert_int_eq(least, -3);
	ck_assert_int_eq(most, 3);
	ck_assert_int_gt(differ, 100);
	struct got a = run(&p, 1, &c);
	p.seed = 2;
	struct got b = run(&p, 1, &c);
	ck_assert(memcmp(&a, &b, sizeof a) != 0);
}
END_TEST

/* What the program does not know goes on, early and late; what patches can't have, points, does not. */
START_TEST(metas)
{
	static const uint64_t dim[3] = {TNS_OPEN, H, W}, points[3] = {TNS_OPEN, 1, 2};
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
	tcase_add_test(t, everywhere);
	tcase_add_test(t, unknown);
	tcase_add_test(t, jitter);
	tcase_add_test(t, metas);
	suite_add_tcase(s, t);
	return prog_end(s);
}
