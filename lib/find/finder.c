#include "lib/find/finder.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/err.h"
#include "lib/find/pyramid.h"
#include "lib/nn/sliding.h"

#define CANDIDATE 0.3  /* least probability in the first look */
#define THIN 0.3       /* most that its windows overlap, unless faces may overlap by more */
#define LOOKED_ON 0.02 /* least mean probability around a candidate that is looked at again */
/* the second look: moves in shares of the window's side, and factors of its size, in two rounds */
enum { ROUNDS = 2, MOVES = 3, SIZES = 3, AROUND = SIZES * MOVES * MOVES, AT_ONCE = INFER_BATCH / AROUND };
static const double moves[ROUNDS] = {1.0 / 10, 1.0 / 16}, sizes[ROUNDS] = {1.12, 1.07};

struct finder {
	struct finder_options o;
	struct infer *infer;
	struct sliding *sliding; /* NULL: windows in batches */
	int w, h, stride;
	struct pyramid pyramid;
	struct scored_box *box; /* candidates, then faces; corners and sizes in pixels of the level until the second look is over */
	size_t n, room;
	float *map; /* (ny, nx): of a level, the probability of each window */
	size_t map_room;
	uint8_t *windows; /* (INFER_BATCH, h, w) */
	float out[INFER_BATCH];
};

struct finder *finder_new(const struct backend *be, const struct cascade *c, const struct finder_options *o)
{
	const struct model *m = cascade_model(c);
	struct finder *f = xcalloc(1, sizeof *f);
	if (m->target != TARGET_LABEL || m->outputs != 1)
		die("the model is no finder of faces: it tells %s, not two classes (window-extract cuts what a finder learns from)",
			m->target == TARGET_LABEL ? m->names
			: m->points		  ? "points"
						  : "images");
	if (!strncmp(m->names, "face,", 5))
		die("the model is no finder of faces: of its classes %s the second is what is found (window-extract cuts what a finder "
		    "learns "
		    "from)",
			m->names);
	f->o = *o, f->w = m->W, f->h = m->H;
	f->infer = cascade_first(c);
	f->stride = sliding_stride(&m->d);
	int side = m->W < m->H ? m->W : m->H;
	if (f->stride && f->stride <= side / 4)
		f->sliding = sliding_new(be, m);
	else
		f->stride = side / 6 ? side / 6 : 1;
	f->windows = xmalloc(INFER_BATCH * (size_t)m->W * (size_t)m->H);
	return f;
}

void finder_free(struct finder *f)
{
	sliding_free(f->sliding);
	pyramid_free(&f->pyramid);
	free(f->box), free(f->map), free(f->windows), free(f);
}

/* ---- the first look ---- */

static void look_in_batches(struct finder *f, const struct pyramid_level *l)
{
	int all = l->nx * l->ny;
	size_t w = (size_t)f->w, h = (size_t)f->h;
	for (int at = 0; at < all; at += INFER_BATCH) {
		int n = all - at < INFER_BATCH ? all - at : INFER_BATCH;
		for (int i = 0; i < n; i++) {
			size_t x = (size_t)((at + i) % l->nx * f->stride), y = (size_t)((at + i) / l->nx * f->stride);
			for (size_t r = 0; r < h; r++)
				memcpy(f->windows + ((size_t)i * h + r) * w, l->im.pixels + (y + r) * (size_t)l->im.W + x, w);
		}
		infer_batch(f->infer, f->windows, n, f->map + at, NULL);
	}
}

/* Fills map. */
static void look(struct finder *f, const struct pyramid_level *l)
{
	size_t all = (size_t)l->nx * (size_t)l->ny;
	if (all > f->map_room) {
		free(f->map);
		f->map = xcalloc(f->map_room = all, sizeof *f->map);
	}
	if (!f->sliding) {
		look_in_batches(f, l);
		return;
	}
	sliding_run(f->sliding, l->im.pixels, l->im.W, l->im.H, f->map);
	for (size_t i = 0; i < all; i++)
		f->map[i] = 1 / (1 + expf(-f->map[i]));
}

/* Whether no neighbour is likelier; of equals the first counts. */
static int is_peak(const struct finder *f, const struct pyramid_level *l, int x, int y)
{
	float p = f->map[y * l->nx + x];
	for (int j = y - 1; j <= y + 1; j++)
		for (int i = x - 1; i <= x + 1; i++) {
			if (i < 0 || j < 0 || i >= l->nx || j >= l->ny || (i == x && j == y))
				continue;
			float q = f->map[j * l->nx + i];
			if (q > p || (q == p && (j < y || (j == y && i < x))))
				return 0;
		}
	return 1;
}

static void add(struct finder *f, const struct scored_box *b)
{
	if (f->n == f->room)
		f->box = xrealloc(f->box, (f->room = f->room ? 2 * f->room : 64) * sizeof *f->box);
	f->box[f->n++] = *b;
}

static void candidates(struct finder *f)
{
	f->n = 0;
	for (int k = 0; k < f->pyramid.n; k++) {
		const struct pyramid_level *l = &f->pyramid.level[k];
		look(f, l);
		for (int y = 0; y < l->ny; y++)
			for (int x = 0; x < l->nx; x++) {
				float p = f->map[y * l->nx + x];
				struct scored_box b = {.score = (double)p, .level = k};
				if (!((double)p >= CANDIDATE) || !is_peak(f, l, x, y))
					continue;
				pyramid_box(l, x * f->stride, y * f->stride, f->w, f->h, b.box);
				add(f, &b);
			}
	}
	f->n = (size_t)boxes_suppress(f->box, (int)f->n, fmax(THIN, f->o.overlap));
}

/* ---- the second look ---- */

/* Window i of those around b in a round: a box of its level. */
static void window_at(const struct finder *f, const struct scored_box *b, int round, int i, double box[4])
{
	const struct pyramid_level *l = &f->pyramid.level[b->level];
	double factor = pow(sizes[round], i / (MOVES * MOVES) - 1), w = b->box[2] / l->scale, h = b->box[3] / l->scale;
	double x = b->box[0] / l->scale + w / 2 + (i % MOVES - 1) * moves[round] * w,
	       y = b->box[1] / l->scale + h / 2 + (i / MOVES % MOVES - 1) * moves[round] * h;
	box[0] = x - factor * w / 2, box[1] = y - factor * h / 2, box[2] = factor * w, box[3] = factor * h;
}

/* Moves b to the mean of its windows, weighted by their probabilities p, whose mean becomes its score. */
static void settle(struct finder *f, struct scored_box *b, int round, const float *p)
{
	double sum = 0, mean[3] = {0}, box[4], scale = f->pyramid.level[b->level].scale, side = 0;
	for (int i = 0; i < AROUND; i++) {
		window_at(f, b, round, i, box);
		sum += (double)p[i];
		mean[0] += (double)p[i] * (box[0] + box[2] / 2), mean[1] += (double)p[i] * (box[1] + box[3] / 2);
		mean[2] += (double)p[i] * log(box[2]);
	}
	b->score = sum / AROUND;
	if (!(sum > 0))
		return;
	side = exp(mean[2] / sum);
	double w = side, h = side * f->h / f->w;
	b->box[0] = scale * (mean[0] / sum - w / 2), b->box[1] = scale * (mean[1] / sum - h / 2);
	b->box[2] = scale * w, b->box[3] = scale * h;
}

static void look_again(struct finder *f, int round)
{
	size_t pixels = (size_t)f->w * (size_t)f->h;
	for (size_t at = 0; at < f->n; at += AT_ONCE) {
		int n = f->n - at < AT_ONCE ? (int)(f->n - at) : AT_ONCE;
		for (int i = 0; i < n * AROUND; i++) {
			const struct scored_box *b = &f->box[at + (size_t)(i / AROUND)];
			double box[4];
			float crop[6];
			window_at(f, b, round, i % AROUND, box);
			crop_of_box(crop, box, 0, f->w, f->h);
			crop_resample(f->windows + (size_t)i * pixels, f->w, f->h, &f->pyramid.level[b->level].im, crop, &f->pyramid.tmp);
		}
		infer_batch(f->infer, f->windows, n * AROUND, f->out, NULL);
		for (int i = 0; i < n; i++)
			settle(f, &f->box[at + (size_t)i], round, f->out + i * AROUND);
	}
}

/* Leaves those of at least this score. */
static void leave(struct finder *f, double least)
{
	size_t n = 0;
	for (size_t i = 0; i < f->n; i++)
		if (f->box[i].score >= least)
			f->box[n++] = f->box[i];
	f->n = n;
}

int finder_run(struct finder *f, const struct image *im, const struct scored_box **faces)
{
	struct pyramid_plan plan = {f->w, f->h, f->stride, f->o.smallest, f->o.largest};
	pyramid_make(&f->pyramid, im, &plan);
	candidates(f);
	for (int round = 0; round < ROUNDS; round++) {
		look_again(f, round);
		leave(f, round + 1 < ROUNDS ? LOOKED_ON : f->o.threshold);
	}
	f->n = (size_t)boxes_suppress(f->box, (int)f->n, f->o.overlap);
	*faces = f->box;
	return (int)f->n;
}
