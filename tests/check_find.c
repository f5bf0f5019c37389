/* Finding faces: overlaps and what stays of boxes against cases by hand, levels that cover their image, nets over whole images against the
 * same nets window by window, windows to learn from by ramps that tell where they were cut, and patterns that a net made by hand finds. */
#include <math.h>
#include <stdlib.h>

#include "lib/base/err.h"
#include "lib/base/philox.h"
#include "lib/find/finder.h"
#include "lib/find/pyramid.h"
#include "lib/find/window.h"
#include "lib/nn/sliding.h"
#include "tests/prog.h"

static double draw(void)
{
	static uint32_t n;
	return philox(5, PHILOX_TEST, 0, 0, n++).v[0] / 4294967296.0;
}

static struct image image_of(uint8_t *pixels, int W, int H)
{
	return (struct image){W, H, 1, 1, pixels, (size_t)W * (size_t)H};
}

START_TEST(overlaps)
{
	static const struct {
		double a[4], b[4], to_be;
	} by_hand[] = {
		{{3, 4, 5, 6}, {3, 4, 5, 6}, 1},
		{{0, 0, 2, 2}, {1, 0, 2, 2}, 2.0 / 6},
		{{0, 0, 4, 4}, {1, 1, 2, 2}, 4.0 / 16},
		{{0, 0, 2, 2}, {1, 1, 2, 2}, 1.0 / 7},
		{{0, 0, 2, 2}, {2, 0, 2, 2}, 0},
		{{0, 0, 2, 2}, {0, 9, 2, 2}, 0},
		{{-3, -2, 6, 4}, {0, 0, 6, 4}, 6.0 / 42},
		{{0, 0, 0, 2}, {0, 0, 0, 2}, 0},
	};
	for (size_t i = 0; i < sizeof by_hand / sizeof *by_hand; i++) {
		ck_assert(fabs(boxes_overlap(by_hand[i].a, by_hand[i].b) - by_hand[i].to_be) < 1e-12);
		ck_assert(boxes_overlap(by_hand[i].a, by_hand[i].b) == boxes_overlap(by_hand[i].b, by_hand[i].a));
	}
}
END_TEST

START_TEST(suppression)
{
	/* b overlaps a by 90/110 and c by 50/150, c overlaps a by 40/160: without a, b would take c away */
	static const struct scored_box a = {{0, 0, 10, 10}, 0.9, 0}, b = {{1, 0, 10, 10}, 0.8, 1}, c = {{6, 0, 10, 10}, 0.7, 2},
				       far_low = {{50, 9, 4, 4}, 0.1, 3}, far_left = {{49, 9, 5, 4}, 0.1, 4};
	struct scored_box v[4];
	for (int turn = 0; turn < 4; turn++) {
		const struct scored_box all[4] = {a, b, c, far_low};
		for (int i = 0; i < 4; i++)
			v[i] = all[(i + turn) % 4];
		ck_assert_int_eq(boxes_suppress(v, 4, 0.3), 3);
		ck_assert(v[0].level == 0 && v[1].level == 2 && v[2].level == 3);
		memcpy(v, all, sizeof v);
		ck_assert_int_eq(boxes_suppress(v, 4, 0.2), 2);
		memcpy(v, all, sizeof v);
		ck_assert_int_eq(boxes_suppress(v, 4, 0.82), 4);
	}
	for (int turn = 0; turn < 2; turn++) { /* of equal scores the left one, in any order */
		v[turn] = far_low, v[!turn] = far_left;
		ck_assert_int_eq(boxes_suppress(v, 2, 0.3), 1);
		ck_assert_int_eq(v[0].level, 4);
	}
	ck_assert_int_eq(boxes_suppress(v, 0, 0.3), 0);
}
END_TEST

START_TEST(levels)
{
	struct pyramid p = {0};
	for (int k = 0; k < 60; k++) {
		int W = 20 + (int)(draw() * 230), H = 20 + (int)(draw() * 230);
		uint8_t *pixels = xmalloc((size_t)W * (size_t)H);
		for (int i = 0; i < W * H; i++)
			pixels[i] = (uint8_t)(k % 2 ? i / W : i % W);
		struct image im = image_of(pixels, W, H);
		struct pyramid_plan plan = {8 + (int)(draw() * 20), 8 + (int)(draw() * 20), 1 + (int)(draw() * 5), 8 + draw() * 60,
			k % 3 ? 0 : 60 + draw() * 60};
		pyramid_make(&p, &im, &plan);
		double side = fmax(plan.w, plan.h), fits = fmin((double)W / plan.w, (double)H / plan.h),
		       last = plan.largest > 0 ? fmin(fits, plan.largest / side) : fits, scale = plan.smallest / side;
		ck_assert_int_eq(p.n > 0, scale <= last);
		for (int i = 0; i < p.n; i++) {
			const struct pyramid_level *l = &p.level[i];
			double box[4];
			ck_assert(i ? l->scale > scale && l->scale <= 1.2001 * scale : l->scale == scale);
			scale = l->scale;
			ck_assert(scale <= last * 1.0001);
			ck_assert(l->im.W == plan.w + plan.stride * (l->nx - 1) && l->im.H == plan.h + plan.stride * (l->ny - 1));
			/* the last windows reach the image's edges, those before don't */
			pyramid_box(l, plan.stride * (l->nx - 1), plan.stride * (l->ny - 1), plan.w, plan.h, box);
			ck_assert(box[0] + box[2] >= W - 1e-4 && box[1] + box[3] >= H - 1e-4);
			ck_assert(l->nx == 1 || box[0] + box[2] - scale * plan.stride < W);
			ck_assert(l->ny == 1 || box[1] + box[3] - scale * plan.stride < H);
			int off = 0;
			for (int i = 0; i < l->im.W * l->im.H; i++) {
				double at = scale * ((k % 2 ? i / l->im.W : i % l->im.W) + 0.5) - 0.5, edge = (k % 2 ? H : W) - 1,
				       is = l->im.pixels[i];
				/* half a grey level is rounded away each time, three times at most; near an edge it counts, too, and so
				 * does the last pixel of the level that this one is made of */
				off += at > 2 * scale && at < edge - 2 * scale && fabs(is - at) >= 1.6;
				off += at > edge + 2 * scale && fabs(is - edge) >= 1 + scale / 2;
			}
			ck_assert_msg(!off, "%d pixels of the level of scale %g of %dx%d", off, scale, W, H);
		}
		if (p.n)
			ck_assert(scale >= 0.97 * last);
		free(pixels);
	}
	pyramid_free(&p);
}
END_TEST

/* A model of two labels with random numbers in all its tensors. */
static struct model *random_model(const char *net, int W, int H)
{
	struct model *m = model_new(net, TARGET_LABEL, W, H, 1, "other,face");
	netdesc_init_params(&m->d, 3, m->param, m->stat);
	for (size_t i = 0; i < m->d.nparam; i++)
		m->param[i] += (real)(0.2 * draw() - 0.1);
	for (size_t i = 0; i < m->d.nstat; i++)
		m->stat[i] += (real)(0.3 * draw());
	return m;
}

START_TEST(sliding)
{
	static const struct {
		const char *net;
		int W, H, stride;
	} nets[] = {
		{"conv3x3x4 relu pool2 conv3x3x5s2 bn relu fc6 tanh dropout0.2 fc", 17, 15, 4},
		{"fc3 bn sigmoid fc4 relu fc", 9, 12, 1},
		{"conv5x4x3s3 bn relu pool2 fc", 21, 20, 6},
		{"conv3x3x3 relu pool2 sigmoid conv3x3x2 pool3 bn conv1x1x4 relu fc5 relu conv1x1", 20, 26, 6},
		{"conv6x6x2s2 relu conv3x3", 10, 10, 2},
		{"conv3x3x4s2d2 bn ( conv1x1x3 relu ( pool1 )+ conv1x1x4 bn )+ relu pool2 ( tanh )+ fc5 ( dropout0.2 fc5 relu )+ sigmoid "
		 "fc",
			15, 11, 4},
	};
	for (size_t k = 0; k < 2 * sizeof nets / sizeof *nets; k++) {
		struct backend *be = backend_init_by_name(k % 2 ? "ref" : "cpu", 2, PRECISION_FP32);
		struct model *m = random_model(nets[k / 2].net, nets[k / 2].W, nets[k / 2].H);
		int S = sliding_stride(&m->d);
		ck_assert_int_eq(S, nets[k / 2].stride);
		struct sliding *s = sliding_new(be, m);
		struct infer *f = infer_new(be, &m, 1, 0);
		for (int size = 0; size < (k < 2 ? 6 : 4); size++) { /* the last ones are cut into tiles */
			static const int columns[] = {1, 4, 7, 7, 301, 2}, rows[] = {1, 5, 1, 3, 2, 149};
			int nx = columns[size], ny = rows[size], W = m->W + S * (nx - 1), H = m->H + S * (ny - 1);
			uint8_t *image = xmalloc((size_t)W * (size_t)H), *window = xmalloc((size_t)m->W * (size_t)m->H);
			float *logit = xcalloc((size_t)(nx * ny), sizeof *logit), p;
			for (int i = 0; i < W * H; i++)
				image[i] = (uint8_t)(256 * draw());
			sliding_run(s, image, W, H, logit);
			for (int i = 0; i < nx * ny; i++) {
				for (int r = 0; r < m->H; r++)
					memcpy(window + r * m->W, image + (i / nx * S + r) * W + i % nx * S, (size_t)m->W);
				infer_batch(f, window, 1, &p, NULL);
				ck_assert_msg(fabs(p - 1 / (1 + exp(-(double)logit[i]))) < 1e-5, "%s: window %d of %dx%d: %g, not %g",
					m->net, i, nx, ny, 1 / (1 + exp(-(double)logit[i])), (double)p);
			}
			free(image), free(window), free(logit);
		}
		sliding_free(s), infer_free(f), model_free(m), be->close(be);
	}
	struct model *padded = random_model("conv3x3x4p1 relu fc", 8, 8), *up = random_model("conv3x3x4s2 up2 conv3x3x1s2 fc", 8, 8),
		     *apart = random_model("conv8x8x4 ( conv1x1x4s2 )+ fc", 8, 8);
	ck_assert_int_eq(sliding_stride(&padded->d), 0);
	ck_assert_int_eq(sliding_stride(&up->d), 0);
	ck_assert_int_eq(sliding_stride(&apart->d), 0);
	model_free(padded), model_free(up), model_free(apart);
}
END_TEST

/* ---- windows to learn from ---- */

enum { W = 120, H = 100, ID = 7 };

struct got {
	int n, label[4096];
	double from[4096][2], to[4096][2]; /* along x or y (second index), by a ramp: the first and the last pixel's value */
	int axis, w, h;
};

static void record(void *arg, const uint8_t *window, int label)
{
	struct got *g = arg;
	g->label[g->n] = label;
	g->from[g->n][g->axis] = window[0];
	g->to[g->n++][g->axis] = window[g->w * g->h - 1];
}

static struct window_counts cut(struct got *g, struct window_plan *p, int other)
{
	static uint8_t ramp[2][W * H];
	struct window_counts c = {0};
	for (g->axis = 0; g->axis < 2; g->axis++) {
		struct image im = image_of(ramp[g->axis], W, H);
		for (int i = 0; i < W * H; i++)
			ramp[g->axis][i] = (uint8_t)(2 * (g->axis ? i / W : i % W));
		struct window_cutter k = {.plan = p, .window = xmalloc((size_t)p->w * (size_t)p->h), .emit = record, .arg = g};
		g->n = 0, g->w = p->w, g->h = p->h;
		if (other < 0)
			window_face(&k, &im, ID);
		else
			window_other(&k, &im, (uint32_t)other, ID);
		c = k.c;
		free(k.window), crop_buffer_free(&k.tmp);
	}
	return c;
}

/* The box that window i showed: values at two pixels' centres w - 1 apart, of a ramp of 2 a pixel. */
static void box_of(const struct got *g, int i, double box[4])
{
	for (int k = 0; k < 2; k++) {
		int side = k ? g->h : g->w;
		double a = (g->to[i][k] - g->from[i][k]) / 2 / (side - 1);
		box[k] = g->from[i][k] / 2 + 0.5 - fabs(a) / 2, box[k + 2] = fabs(a) * side;
		if (a < 0) /* mirrored */
			box[k] = g->to[i][k] / 2 + 0.5 - fabs(a) / 2;
	}
}

START_TEST(windows)
{
	static struct got g, again;
	static const double margins[] = {0, 0.25};
	double box[4];
	for (int k = 0; k < 2; k++) {
		/* the image without its margins: 120x100 or 80x66.7, grown to the aspect of the window, 2:1, about the middle */
		double w = k ? 400.0 / 3 : 200, face[4] = {60 - w / 2, 50 - w / 4, w, w / 2};
		struct window_plan p = {.w = 24, .h = 12, .margin = margins[k], .negatives = 200, .of_another = 500, .seed = 1};
		struct window_counts c = cut(&g, &p, -1);
		ck_assert(c.positive == 2 && c.negative + c.lost == 200 && c.negative > 150);
		if (k) { /* else wider than the image: at its ends the edge is repeated */
			ck_assert(fabs(g.to[0][1] - 2 * (face[1] + face[3] - 0.5 - face[3] / 24)) < 1.1);
			ck_assert(fabs(g.from[0][1] - 2 * (face[1] - 0.5 + face[3] / 24)) < 1.1);
		}
		ck_assert(g.label[0] == 1 && g.label[1] == 1 && g.from[0][0] == g.to[1][0] && g.from[0][0] < g.from[1][0]);
		double smallest = 1e9, largest = 0;
		for (int i = 2; i < g.n; i++) {
			box_of(&g, i, box);
			ck_assert_int_eq(g.label[i], 0);
			ck_assert_msg(boxes_overlap(box, face) < WINDOW_OVERLAP + 0.03, "%g", boxes_overlap(box, face));
			ck_assert(box[0] > -1.5 && box[1] > -1.5 && box[0] + box[2] < W + 1.5 && box[1] + box[3] < H + 1.5);
			smallest = fmin(smallest, box[2]), largest = fmax(largest, box[2]);
		}
		ck_assert(smallest < 30 && largest > 50);
		c = cut(&again, &p, 0);
		ck_assert(c.positive == 0 && c.negative == 500 && again.n == 500 && again.label[0] == 0);
		for (int i = 0; i < again.n; i++) {
			box_of(&again, i, box);
			ck_assert(box[2] > 22 && box[0] > -1.5 && box[1] > -1.5 && box[0] + box[2] < W + 1.5 && box[1] + box[3] < H + 1.5);
		}
		double first = again.from[3][0];
		cut(&again, &p, 1);
		ck_assert(again.from[3][0] != first);
		cut(&again, &p, 0);
		ck_assert(again.from[3][0] == first);
	}
	/* moved by two pixels of the window, each of which is 1.5 of the image, at most, as are its sides */
	double least[4] = {1e9, 1e9, 1e9, 1e9}, most[4] = {-1e9, -1e9, -1e9, -1e9};
	for (uint64_t seed = 0; seed < 200; seed++) {
		struct window_plan p = {.w = 40, .h = 40, .margin = 1.0 / 3, .jitter = 2, .seed = seed};
		cut(&g, &p, -1);
		for (int i = 0; i < 2; i++) {
			box_of(&g, i, box);
			double v[4] = {box[0] + box[2] / 2 - 60, box[1] + box[3] / 2 - 50, box[2] - 72, box[3] - 72};
			for (int k = 0; k < 4; k++)
				least[k] = fmin(least[k], v[k]), most[k] = fmax(most[k], v[k]);
		}
	}
	for (int k = 0; k < 4; k++) {
		double by = k < 2 ? 2 * 72.0 / 40 : 2 * 2 * 72.0 / 40;
		ck_assert_msg(least[k] > -by - 1 && least[k] < -0.85 * by && most[k] < by + 1 && most[k] > 0.85 * by, "%d: %g to %g", k,
			least[k], most[k]);
	}
	/* an image of the window's size is one negative as a whole */
	struct window_plan p = {.w = W, .h = H, .of_another = 5, .seed = 1};
	struct window_counts c = cut(&g, &p, 0);
	ck_assert(c.negative == 1 && g.n == 1 && g.from[0][0] == 0 && g.to[0][0] == 2 * (W - 1) && g.to[0][1] == 2 * (H - 1));
}
END_TEST

/* ---- the finder ---- */

enum { SIDE = 20 };

/* A bright ring in a dark window: what the net is made to find. */
static double pattern(double u, double v)
{
	double r = hypot(u, v); /* -1 to 1 within the window */
	return r > 0.35 && r < 0.75 ? 220 : 40;
}

/* One dense layer that correlates with the pattern, behind `before`. */
static void save_finder(const char *path, const char *before)
{
	char net[64];
	snprintf(net, sizeof net, "%sfc", before);
	struct model *m = model_new(net, TARGET_LABEL, SIDE, SIDE, 1, "other,face");
	double t[SIDE * SIDE], mean = 0, square = 0;
	for (int i = 0; i < SIDE * SIDE; i++)
		t[i] = pattern((i % SIDE + 0.5) / SIDE * 2 - 1, (i / SIDE + 0.5) / SIDE * 2 - 1), mean += t[i] / SIDE / SIDE;
	for (int i = 0; i < SIDE * SIDE; i++)
		square += (t[i] - mean) * (t[i] - mean);
	const struct layer *fc = &m->d.layer[m->d.n - 1];
	for (int i = 0; i < SIDE * SIDE; i++) /* 1 for the pattern itself, 0 for what is flat */
		m->param[fc->w + (size_t)i] = (real)(40 * 255 * (t[i] - mean) / square);
	m->param[fc->b] = -40 * 0.55f;
	if (*before) /* a convolution that copies its middle */
		m->param[m->d.layer[0].w + 4] = 1;
	struct tns_writer *w = tns_create(path);
	model_put_meta(m, w);
	int id = model_define(&m->d, w, "", 1);
	model_write(&m->d, w, id, m->param, m->stat);
	tns_close(w), model_free(m);
}

START_TEST(patterns)
{
	/* middle, side; the last one's window overlaps the first's by 2 of 30 columns: 0.03 */
	static const double places[4][3] = {{60.5, 50, 30}, {200, 120.3, 96}, {110, 180, 47}, {88.5, 50, 30}};
	enum { BW = 280, BH = 230 };
	static uint8_t pixels[BW * BH];
	for (int i = 0; i < BW * BH; i++) {
		double x = i % BW + 0.5, y = i / BW + 0.5;
		pixels[i] = (uint8_t)(60 + 60 * draw());
		for (int k = 0; k < 4; k++) {
			double u = (x - places[k][0]) / places[k][2] * 2, v = (y - places[k][1]) / places[k][2] * 2;
			if (fabs(u) < 1 && fabs(v) < 1)
				pixels[i] = (uint8_t)pattern(u, v);
		}
	}
	struct image im = image_of(pixels, BW, BH);
	const struct scored_box *face;
	struct scored_box first[4];
	for (int k = 0; k < 4; k++) { /* over whole images, and in batches of windows; with one thread, and with three */
		char *path = k < 2 ? "sliding.tns" : "padded.tns";
		save_finder(path, k < 2 ? "" : "conv3x3x1p1 ");
		struct backend *be = backend_init_by_name("cpu", k % 2 ? 3 : 1, PRECISION_FP32);
		struct cascade *c = cascade_new(be, &path, 1, NULL, 0, 1);
		struct finder_options o = {0.5, 24, 0, 0.3};
		struct finder *f = finder_new(be, c, &o);
		ck_assert_int_eq(finder_run(f, &im, &face), 4);
		for (int i = 0; i < 4; i++) {
			double best = 0;
			for (int j = 0; j < 4; j++) {
				double s = places[i][2], box[4] = {places[i][0] - s / 2, places[i][1] - s / 2, s, s};
				best = fmax(best, boxes_overlap(box, face[j].box));
			}
			ck_assert_msg(best > 0.75, "pattern %d overlaps %g", i, best);
			ck_assert(face[i].score >= 0.5 && face[i].score <= 1 && (!i || face[i].score <= face[i - 1].score));
		}
		for (int i = 0; k % 2 && i < 4; i++)
			for (int j = 0; j < 4; j++)
				ck_assert(first[i].box[j] == face[i].box[j] && first[i].score == face[i].score);
		memcpy(first, face, sizeof first);
		finder_free(f);
		o.largest = 60; /* the largest of the four is not looked for */
		f = finder_new(be, c, &o);
		ck_assert_int_eq(finder_run(f, &im, &face), 3);
		struct image small = image_of(pixels, BW, 20);
		ck_assert_int_eq(finder_run(f, &small, &face), 0);
		finder_free(f);
		if (k) {
			cascade_free(c), be->close(be);
			continue;
		}
		o.overlap = 0.01; /* of the two that overlap one stays */
		f = finder_new(be, c, &o);
		ck_assert_int_eq(finder_run(f, &im, &face), 2);
		finder_free(f);
		o.threshold = 1;
		f = finder_new(be, c, &o);
		ck_assert_int_eq(finder_run(f, &im, &face), 0);
		finder_free(f), cascade_free(c), be->close(be);
	}
}
END_TEST

/* Two whose windows overlap by 0.48, more than candidates do where nothing else is asked for. */
START_TEST(overlapping)
{
	enum { BW = 120, BH = 90 };
	static const double middle[2] = {40, 54};
	static const struct {
		double most;
		int found;
	} by_hand[] = {{0.3, 1}, {0.6, 2}};
	static uint8_t pixels[BW * BH];
	for (int i = 0; i < BW * BH; i++) {
		double most = 40;
		for (int k = 0; k < 2; k++)
			most = fmax(most, pattern((i % BW + 0.5 - middle[k]) / 20, (i / BW + 0.5 - 45) / 20));
		pixels[i] = (uint8_t)most;
	}
	struct image im = image_of(pixels, BW, BH);
	char *path = "overlapping.tns";
	save_finder(path, "");
	struct backend *be = backend_init_by_name("cpu", 1, PRECISION_FP32);
	struct cascade *c = cascade_new(be, &path, 1, NULL, 0, 1);
	for (size_t i = 0; i < sizeof by_hand / sizeof *by_hand; i++) {
		const struct scored_box *face;
		struct finder_options o = {0.2, 24, 0, by_hand[i].most};
		struct finder *f = finder_new(be, c, &o);
		int n = finder_run(f, &im, &face);
		ck_assert_int_eq(n, by_hand[i].found);
		for (int j = 0; j < n; j++)
			ck_assert(fmin(fabs(face[j].box[0] - 20), fabs(face[j].box[0] - 34)) < 2 && fabs(face[j].box[1] - 25) < 2);
		finder_free(f);
	}
	cascade_free(c), be->close(be);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("find");
	TCase *c = tcase_create("find");
	prog_begin();
	tcase_add_test(c, overlaps);
	tcase_add_test(c, suppression);
	tcase_add_test(c, levels);
	tcase_add_test(c, sliding);
	tcase_add_test(c, windows);
	tcase_add_test(c, patterns);
	tcase_add_test(c, overlapping);
	suite_add_tcase(s, c);
	return prog_end(s);
}
