/* Batched inference: asynchronous forward passes of all models on images and mirror images, their averages, refinement by patches. */
#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/err.h"
#include "lib/labels/patch.h"
#include "lib/nn/decode.h"
#include "lib/nn/net.h"
#include "lib/predict/infer.h"
#include "lib/predict/infer_check.h"
#include "lib/predict/infer_memory.h"

/* Views of an image: for each shift the image, and with flip its mirror image. */
enum { VIEWS = 2 * INFER_SHIFTS };

static const int shifts[INFER_SHIFTS][2] = {{0, 0}, {INFER_SHIFT, INFER_SHIFT}, {-INFER_SHIFT, -INFER_SHIFT}, {INFER_SHIFT, -INFER_SHIFT},
	{-INFER_SHIFT, INFER_SHIFT}, {INFER_SHIFT, 0}, {-INFER_SHIFT, 0}, {0, INFER_SHIFT}, {0, -INFER_SHIFT}};

struct infer {
	const struct backend *be;
	struct model **m;
	int n, flip, views, values, *mirror; /* views: with flip every second one is mirrored */
	char **learned;			     /* (n), of models with points: (points) */
	int *counted;			     /* (points): estimates of a point that are averaged */
	struct net **net;
	struct decoder **decoder;		      /* (n), of models with points; else NULL */
	uint8_t *bytes[INFER_IN_FLIGHT][VIEWS];	      /* device: images, of a view that is used */
	uint8_t *moved, *flipped;		      /* host: shifted images; mirrored ones */
	uint32_t *rows;				      /* device: 0 to INFER_BATCH - 1, for load_batch */
	real *x;				      /* device: the input of a forward pass */
	real **z;				      /* host: (slot, view, model): downloaded outputs, allocated where needed */
	int *ticket;				      /* of each of these downloads */
	int B[INFER_IN_FLIGHT], submitted, completed; /* batches so far */
	float *row, *variance;			      /* (B, values), (B, points): one estimate, of a model and a view */
	double *sum, *square;			      /* (B, values): of estimates and of their squares */
	double *own_variance;			      /* (B, points): sum of the estimates' own variances */
	float *maps;				      /* the caller's, or NULL, see infer_set_maps */
	uint8_t *patch;				      /* infer_refine: (B, H, W) */
	float *refined;				      /* infer_refine: (B, values) */
};

/* 1: model i's estimate of point p, from the image (side 0) or its mirror image, is one that it learned. */
static int is_counted(const struct infer *f, int i, int side, int p)
{
	return f->learned[i][side ? f->mirror[p] : p];
}

static void add_views(struct infer *f, int views)
{
	size_t bytes = INFER_BATCH * (size_t)f->m[0]->W * (size_t)f->m[0]->H;
	for (int i = 0; i < INFER_IN_FLIGHT; i++)
		for (int v = f->views; v < views; v++)
			f->bytes[i][v] = f->be->alloc(f->be, bytes);
	f->views = views;
}

struct infer *infer_new(const struct backend *be, struct model **m, int n, int flip)
{
	struct infer *f = xcalloc(1, sizeof *f);
	size_t pixels = (size_t)m[0]->W * (size_t)m[0]->H, B = INFER_BATCH, P = (size_t)m[0]->points;
	uint32_t rows[INFER_BATCH];
	f->be = be, f->m = m, f->n = n, f->flip = flip;
	f->values = m[0]->points ? 2 * m[0]->points : m[0]->outputs;
	infer_check(m, n, flip);
	infer_require_memory(be, m, n, flip, INFER_BATCH);
	f->net = xcalloc((size_t)n, sizeof *f->net), f->decoder = xcalloc((size_t)n, sizeof *f->decoder);
	for (int i = 0; i < n; i++) {
		f->net[i] = net_new(be, &m[i]->d, INFER_BATCH, NET_INFER);
		net_map_params(f->net[i], m[i]->param, m[i]->stat);
		if (P)
			f->decoder[i] = decoder_new(be, m[i], INFER_BATCH);
	}
	add_views(f, 1 + flip);
	f->flipped = xmalloc(B * pixels), f->moved = xmalloc(B * pixels);
	f->rows = be->alloc(be, sizeof rows);
	for (uint32_t i = 0; i < INFER_BATCH; i++)
		rows[i] = i;
	be->upload(be, f->rows, rows, sizeof rows);
	f->x = be->alloc(be, B * pixels * sizeof(real));
	size_t out = (size_t)f->values;
	f->z = xcalloc(INFER_IN_FLIGHT * VIEWS * (size_t)n, sizeof *f->z),
	f->ticket = xcalloc(INFER_IN_FLIGHT * VIEWS * (size_t)n, sizeof *f->ticket);
	f->row = xcalloc(B * out, sizeof *f->row), f->variance = xcalloc(B * P + 1, sizeof *f->variance);
	f->sum = xcalloc(B * out, sizeof *f->sum), f->square = xcalloc(B * out, sizeof *f->square);
	f->own_variance = xcalloc(B * P + 1, sizeof *f->own_variance);
	if (P)
		f->mirror = model_partners(m[0]);
	f->learned = xcalloc((size_t)n, sizeof *f->learned), f->counted = xcalloc(P + 1, sizeof *f->counted);
	for (int i = 0; P && i < n; i++) {
		f->learned[i] = model_learned(m[i]);
		for (int side = 0; side <= flip; side++)
			for (int p = 0; p < (int)P; p++)
				f->counted[p] += is_counted(f, i, side, p);
	}
	return f;
}

void infer_set_shifts(struct infer *f, int n)
{
	assert(n >= 1 && n <= INFER_SHIFTS && f->m[0]->points && !f->maps);
	add_views(f, n * (1 + f->flip));
}

int infer_check_input(const struct infer *f, const struct tns *in)
{
	return infer_check_data(f->m, f->n, in);
}

int infer_learned(const struct infer *f, int point)
{
	return f->counted[point] > 0;
}

int infer_values(const struct infer *f)
{
	return f->values;
}

int infer_maps(const struct model *m)
{
	return m->target == TARGET_HEATMAP ? m->points : m->target == TARGET_MAP ? 1 : 0;
}

/* 1: cells of their maps lie at the same places, to a thousandth of a cell. */
static int same_cells(const struct model *a, const struct model *b)
{
	double x = (double)(a->ox - b->ox) + a->offset[0] * (double)a->sx - b->offset[0] * (double)b->sx,
	       y = (double)(a->oy - b->oy) + a->offset[1] * (double)a->sy - b->offset[1] * (double)b->sy;
	return fabs((double)(a->sx - b->sx)) * a->W < 1e-3 && fabs((double)(a->sy - b->sy)) * a->H < 1e-3 && fabs(x) < 1e-3 &&
	       fabs(y) < 1e-3;
}

void infer_set_maps(struct infer *f, float *maps)
{
	const struct model *m = f->m[0];
	for (int i = 0; i < f->n; i++)
		if (f->m[i]->target != m->target || f->m[i]->MH != m->MH || f->m[i]->MW != m->MW || !same_cells(f->m[i], m))
			die("model %d has no maps like those of model 1", i + 1);
	f->maps = maps;
}

void infer_free(struct infer *f)
{
	for (int i = 0; i < f->n; i++)
		net_free(f->net[i]), decoder_free(f->decoder[i]), free(f->learned[i]);
	for (int i = 0; i < INFER_IN_FLIGHT; i++)
		for (int v = 0; v < f->views; v++)
			f->be->release(f->be, f->bytes[i][v]);
	for (int i = 0; i < INFER_IN_FLIGHT * VIEWS * f->n; i++)
		free(f->z[i]);
	f->be->release(f->be, f->rows), f->be->release(f->be, f->x);
	free(f->ticket), free(f->learned), free(f->counted);
	free(f->net), free(f->decoder), free(f->flipped), free(f->moved), free(f->z), free(f->row), free(f->variance), free(f->sum),
		free(f->square);
	free(f->own_variance), free(f->patch), free(f->refined), free(f->mirror), free(f);
}

static void mirror_images(uint8_t *to, const uint8_t *from, size_t rows, int W)
{
	for (size_t r = 0; r < rows; r++)
		for (int x = 0; x < W; x++)
			to[r * (size_t)W + (size_t)x] = from[r * (size_t)W + (size_t)(W - 1 - x)];
}

static int clamped(int i, int n)
{
	return i < 0 ? 0 : i >= n ? n - 1 : i;
}

/* Images whose pixel (x, y) is the (x - dx, y - dy) of from, or the border's. */
static void shift_images(uint8_t *to, const uint8_t *from, int B, int W, int H, int dx, int dy)
{
	for (int b = 0; b < B; b++)
		for (int y = 0; y < H; y++)
			for (int x = 0; x < W; x++)
				*to++ = from[(b * H + clamped(y - dy, H)) * W + clamped(x - dx, W)];
}

/* A view of the images, on the host: themselves, or buffers that the next call overwrites. */
static const uint8_t *view_images(struct infer *f, const uint8_t *images, int B, int view)
{
	const struct model *m = f->m[0];
	const int *shift = shifts[view / (1 + f->flip)];
	if (shift[0] || shift[1])
		shift_images(f->moved, images, B, m->W, m->H, shift[0], shift[1]), images = f->moved;
	if (!f->flip || !(view & 1))
		return images;
	mirror_images(f->flipped, images, (size_t)B * (size_t)m->H, m->W);
	return f->flipped;
}

/* Label targets: one row's logits to probabilities (sigmoid or softmax), in place; others unchanged. */
static void label_probabilities(const struct model *m, real *z)
{
	int K = m->outputs;
	if (m->target == TARGET_LABEL && K == 1) {
		z[0] = (real)(1 / (1 + exp(-(double)z[0])));
	} else if (m->target == TARGET_LABEL) {
		double max = (double)z[0], sum = 0;
		for (int k = 1; k < K; k++)
			max = (double)z[k] > max ? (double)z[k] : max;
		for (int k = 0; k < K; k++)
			sum += exp((double)z[k] - max);
		for (int k = 0; k < K; k++)
			z[k] = (real)(exp((double)z[k] - max) / sum);
	}
}

/* One row of a mirror image's estimates as the image's own, in place; copy: buffer. */
static void unmirror_row(const struct infer *f, const struct model *m, float *z, float *variance, float *copy)
{
	float twice_axis = (float)(m->W - 1 + 2 * m->offset[0]);
	memcpy(copy, z, (size_t)f->values * sizeof *z);
	for (int k = 0; k < m->points; k++) {
		z[2 * k] = twice_axis - copy[2 * f->mirror[k]];
		z[2 * k + 1] = copy[2 * f->mirror[k] + 1];
	}
	for (int y = 0; m->target == TARGET_IMAGE && y < m->H; y++)
		for (int x = 0; x < m->W; x++)
			z[y * m->W + x] = copy[y * m->W + m->W - 1 - x];
	memcpy(copy, variance, (size_t)m->points * sizeof *copy);
	for (int k = 0; k < m->points; k++)
		variance[k] = copy[f->mirror[k]];
}

/* A map's n logits to probabilities: heatmap: softmax over cells; map: sigmoid of each pixel. */
static void map_probabilities(const struct model *m, double *to, const real *z, size_t n)
{
	double max_z = (double)z[0], sum = 0;
	for (size_t k = 1; k < n; k++)
		max_z = (double)z[k] > max_z ? (double)z[k] : max_z;
	for (size_t k = 0; k < n && m->target == TARGET_HEATMAP; k++)
		sum += exp((double)z[k] - max_z);
	for (size_t k = 0; k < n; k++)
		to[k] = m->target == TARGET_HEATMAP ? exp((double)z[k] - max_z) / sum : 1 / (1 + exp(-(double)z[k]));
}

/* What a row of a mirror image's map has where cell x of the image's own map lies: linear between two cells where they are not aligned. */
static double mirrored_cell(const struct model *m, const double *row, int x)
{
	double ox = (double)m->ox + m->offset[0] * (double)m->sx, at = (m->W - 1) * (double)m->sx + 2 * ox - x, whole = floor(at + 1e-4);
	double part = at - whole > 1e-4 ? at - whole : 0, sum = 0;
	int k = (int)whole;
	if (k >= 0 && k < m->MW)
		sum += (1 - part) * row[k];
	if (part > 0 && k + 1 >= 0 && k + 1 < m->MW)
		sum += part * row[k + 1];
	return sum;
}

/* Adds the probabilities of model k's maps z (B, maps, MH, MW) to f->maps, each divided by the number of those that are averaged; side 1:
 * of mirror images, flipped back. */
static void add_maps(const struct infer *f, int k, const real *z, int B, int side)
{
	const struct model *m = f->m[0];
	size_t n = (size_t)m->MH * (size_t)m->MW;
	int maps = infer_maps(m);
	double *p = xmalloc(n * sizeof *p);
	for (int i = 0; i < B * maps; i++) {
		int map = i % maps, from = side && maps > 1 ? f->mirror[map] : map;
		float *to = f->maps + (size_t)i * n;
		if (maps > 1 && !is_counted(f, k, side, map))
			continue;
		double weight = 1.0 / (maps > 1 ? f->counted[map] : f->n * f->views);
		map_probabilities(m, p, z + (size_t)(i - map + from) * n, n);
		for (int y = 0; y < m->MH; y++)
			for (int x = 0; x < m->MW; x++)
				to[y * m->MW + x] += (float)((side ? mirrored_cell(m, p + y * m->MW, x) : p[y * m->MW + x]) * weight);
	}
	free(p);
}

static size_t z_index(const struct infer *f, int slot, int view, int i)
{
	return (size_t)((slot * VIEWS + view) * f->n + i);
}

static int decode_slot(int slot, int view)
{
	static_assert(INFER_IN_FLIGHT * VIEWS <= DECODE_SLOTS, "a slot for each view in flight");
	return slot * VIEWS + view;
}

void infer_batch_async(struct infer *f, const uint8_t *images, int B)
{
	const struct backend *be = f->be;
	const struct model *first = f->m[0];
	size_t pixels = (size_t)first->W * (size_t)first->H;
	int slot = f->submitted++ % INFER_IN_FLIGHT;
	assert(f->submitted - f->completed <= INFER_IN_FLIGHT);
	f->B[slot] = B;
	for (int view = 0; view < f->views; view++) {
		be->upload_async(be, f->bytes[slot][view], view_images(f, images, B, view), (size_t)B * pixels);
		for (int i = 0; i < f->n; i++) {
			const struct model *m = f->m[i];
			size_t at = z_index(f, slot, view, i);
			be->load_batch(be, f->x, f->bytes[slot][view], f->rows, B, 1, m->H, m->W, m->mul, m->add, NULL);
			const real *z = net_forward(f->net[i], f->x, B, &(struct net_pass){0});
			if (m->points)
				decode_async(f->decoder[i], z, B, decode_slot(slot, view));
			if (m->points && !f->maps)
				continue;
			if (!f->z[at])
				f->z[at] = xcalloc((size_t)INFER_BATCH * (size_t)m->outputs, sizeof *f->z[at]);
			f->ticket[at] = be->download_async(be, f->z[at], z, (size_t)B * (size_t)m->outputs * sizeof *z);
		}
	}
}

/* Waits for model i's estimate of a batch, and stores it in row and variance. */
static void estimate(struct infer *f, int slot, int i, int view)
{
	const struct model *m = f->m[i];
	size_t at = z_index(f, slot, view, i);
	int B = f->B[slot];
	if (m->points)
		decode_wait(f->decoder[i], decode_slot(slot, view), f->row, f->variance);
	if (!m->points || f->maps)
		f->be->wait(f->be, f->ticket[at]);
	if (f->maps)
		add_maps(f, i, f->z[at], B, view);
	for (int b = 0; !m->points && b < B; b++) {
		real *row = f->z[at] + (size_t)b * (size_t)m->outputs;
		label_probabilities(m, row);
		for (int k = 0; k < m->outputs; k++)
			f->row[b * m->outputs + k] = (float)row[k];
	}
}

void infer_batch_wait(struct infer *f, float *out, float *stddev)
{
	const struct model *m = f->m[0];
	int slot = f->completed++ % INFER_IN_FLIGHT, B = f->B[slot];
	assert(f->completed <= f->submitted);
	size_t K = (size_t)f->values, P = (size_t)m->points, all = (size_t)B * K;
	int all_estimates = f->n * f->views, has_variance = 0;
	float *copy = xcalloc(K, sizeof *copy);
	memset(f->sum, 0, all * sizeof *f->sum);
	memset(f->square, 0, all * sizeof *f->square);
	memset(f->own_variance, 0, (size_t)B * P * sizeof *f->own_variance);
	if (f->maps)
		memset(f->maps, 0, (size_t)B * (size_t)m->outputs * sizeof *f->maps);
	for (int view = 0; view < f->views; view++)
		for (int i = 0; i < f->n; i++) {
			const int side = f->flip ? view & 1 : 0;
			estimate(f, slot, i, view);
			has_variance |= f->m[i]->points && f->m[i]->target != TARGET_COORDS;
			for (int b = 0; side && b < B; b++)
				unmirror_row(f, f->m[i], f->row + (size_t)b * K, f->variance + (size_t)b * P, copy);
			model_add_asymmetry(f->m[i], f->row, B);
			for (size_t k = 0; k < (P ? all : 0); k++)
				f->row[k] -= (float)shifts[view / (1 + f->flip)][k % 2];
			for (size_t k = 0; k < all; k++)
				if (!P || is_counted(f, i, side, (int)(k % K / 2)))
					f->sum[k] += (double)f->row[k], f->square[k] += (double)f->row[k] * (double)f->row[k];
			for (size_t k = 0; k < (size_t)B * P; k++)
				if (is_counted(f, i, side, (int)(k % P)))
					f->own_variance[k] += (double)f->variance[k];
		}
	for (size_t k = 0; k < all; k++) {
		int estimates = P ? f->counted[k % K / 2] * (f->views / (1 + f->flip)) : all_estimates;
		out[k] = estimates ? (float)(f->sum[k] / estimates) : NAN;
	}
	for (size_t k = 0; stddev && k < (size_t)B * P; k++) {
		int estimates = f->counted[k % P] * (f->views / (1 + f->flip));
		stddev[k] = NAN;
		if (!estimates || (estimates < 2 && !has_variance))
			continue;
		double v = f->own_variance[k] / estimates;
		for (int xy = 0; xy < 2; xy++) {
			double mean = f->sum[2 * k + (size_t)xy] / estimates;
			v += f->square[2 * k + (size_t)xy] / estimates - mean * mean;
		}
		stddev[k] = (float)sqrt(v > 0 ? v : 0);
	}
	free(copy);
}

void infer_batch(struct infer *f, const uint8_t *images, int B, float *out, float *stddev)
{
	infer_batch_async(f, images, B);
	infer_batch_wait(f, out, stddev);
}

double infer_rmse(const struct infer *f)
{
	double sum = 0;
	for (int i = 0; i < f->n; i++) {
		if (!(f->m[i]->rmse > 0))
			return 0;
		sum += f->m[i]->rmse * f->m[i]->rmse;
	}
	return sqrt(sum / f->n);
}

/* The weighted mean of two estimates of a point, in place. weight: of the second, 0 to 1; below 0: by inverse variances. */
static void combine(float xy[2], float *stddev, const float other[2], float other_stddev, double weight)
{
	double wa = 1 / ((double)*stddev * (double)*stddev), wb = 1 / ((double)other_stddev * (double)other_stddev);
	int known = isfinite(wa) && isfinite(wb);
	if (weight < 0)
		weight = known ? wb / (wa + wb) : 1;
	for (int k = 0; k < 2; k++)
		xy[k] = (float)((1 - weight) * (double)xy[k] + weight * (double)other[k]);
	*stddev = known ? (float)sqrt(1 / (wa + wb)) : other_stddev;
}

void infer_refine(struct infer *f, const uint8_t *images, int W, int H, int B, float *xy, float *stddev, double *rmse)
{
	const struct model *m = f->m[0];
	double a = *rmse, b = infer_rmse(f), weight = a > 0 && b > 0 ? a * a / (a * a + b * b) : -1;
	*rmse = weight < 0 ? 0 : sqrt(weight) * b;
	int P = m->points, all = B * P, corner[INFER_BATCH][2];
	size_t pixels = (size_t)m->W * (size_t)m->H;
	float *patch_stddev = xcalloc((size_t)INFER_BATCH * (size_t)P, sizeof *patch_stddev);
	if (!f->patch) {
		f->patch = xmalloc(INFER_BATCH * pixels);
		f->refined = xcalloc((size_t)INFER_BATCH * (size_t)f->values, sizeof *f->refined);
	}
	for (int at = 0; at < all; at += INFER_BATCH) {
		int n = all - at < INFER_BATCH ? all - at : INFER_BATCH;
		for (int i = 0; i < n; i++) {
			const float *p = xy + 2 * (at + i);
			const uint8_t *image = images + (size_t)((at + i) / P) * (size_t)W * (size_t)H;
			int known = !isnan(p[0]) && !isnan(p[1]); /* else any patch: its estimate is not used */
			patch_window(f->patch + (size_t)i * pixels, m->W, m->H, image, W, H, known ? (double)p[0] : 0,
				known ? (double)p[1] : 0, corner[i]);
		}
		infer_batch(f, f->patch, n, f->refined, patch_stddev);
		for (int i = 0; i < n; i++) {
			int p = (at + i) % P;
			if (isnan(xy[2 * (at + i)]) || isnan(xy[2 * (at + i) + 1]) || !infer_learned(f, p))
				continue;
			const float *other = f->refined + (size_t)i * (size_t)f->values + 2 * p;
			combine(xy + 2 * (at + i), &stddev[at + i],
				(float[]){other[0] + (float)corner[i][0], other[1] + (float)corner[i][1]}, patch_stddev[i * P + p], weight);
		}
	}
	free(patch_stddev);
}
