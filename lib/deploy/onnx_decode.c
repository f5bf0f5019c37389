/* Outputs to points in pixels, inside the graph, as lib/nn/decode.c does it. */
#include <math.h>
#include <stdlib.h>

#include "lib/base/err.h"
#include "lib/deploy/onnx_graph.h"
#include "lib/nn/decode.h"
#include "lib/nn/model.h"

static const char *binary(struct onnx_graph *g, const char *op, const char *a, const char *b)
{
	return onnx_node(g, op, ONNX_IN(a, b), NULL);
}

static const char *unary(struct onnx_graph *g, const char *op, const char *a)
{
	return onnx_node(g, op, ONNX_IN(a), NULL);
}

static const char *sum(struct onnx_graph *g, const char *x, int axis, int keep)
{
	return onnx_node(g, "ReduceSum", ONNX_IN(x, onnx_ints(g, &(int64_t){axis}, 1)), ONNX_ATTRIBUTES({.name = "keepdims", .i = keep}));
}

static const char *reshape(struct onnx_graph *g, const char *x, int n, const int64_t *dim)
{
	return binary(g, "Reshape", x, onnx_ints(g, dim, n));
}

/* (batch, K, 2) of coordinates less `from`, to pixels. */
static const char *pixels(struct onnx_graph *g, const struct model *m, const char *v, double from_x, double from_y)
{
	double sx = (double)m->sx, sy = (double)m->sy;
	v = binary(g, "Mul", v, onnx_pair(g, 1 / sx, 1 / sy));
	return binary(g, "Add", v, onnx_pair(g, (from_x - (double)m->ox) / sx, (from_y - (double)m->oy) / sy));
}

/* Soft-argmax. Cells are counted from the middle of the map, so that rounding matters least. */
static const char *decode_heatmaps(struct onnx_graph *g, const struct model *m, const char *z, const char **variance)
{
	int W = m->MW, H = m->MH;
	double middle_x = (W - 1) / 2.0, middle_y = (H - 1) / 2.0;
	float *cell = xcalloc((size_t)W * (size_t)H * 2, sizeof *cell), *square = xcalloc((size_t)W * (size_t)H * 2, sizeof *square);
	for (int i = 0; i < W * H; i++) {
		cell[2 * i] = (float)(i % W - middle_x), cell[2 * i + 1] = (float)(i / W - middle_y);
		square[2 * i] = cell[2 * i] * cell[2 * i], square[2 * i + 1] = cell[2 * i + 1] * cell[2 * i + 1];
	}
	const int64_t *dim = ONNX_INTS(W * H, 2);
	const char *p = onnx_node(
		g, "Softmax", ONNX_IN(reshape(g, z, 3, ONNX_INTS(-1, m->points, W * H))), ONNX_ATTRIBUTES({.name = "axis", .i = 2}));
	const char *mean = binary(g, "MatMul", p, onnx_floats(g, "cells", cell, 2, dim));
	const char *v = binary(g, "MatMul", p, onnx_floats(g, "cells_squared", square, 2, dim));
	v = unary(g, "Relu", binary(g, "Sub", v, binary(g, "Mul", mean, mean)));
	v = binary(g, "Mul", v, onnx_pair(g, 1 / ((double)m->sx * (double)m->sx), 1 / ((double)m->sy * (double)m->sy)));
	*variance = sum(g, v, 2, 0);
	free(cell), free(square);
	return pixels(g, m, mean, middle_x, middle_y);
}

/* ---- one map of all points ---- */

struct centroid { /* values' names: mean (batch, K, 2) in pixels of the map, variance (batch, K) */
	const char *mean, *variance;
};

/* x, y: (1, 1, H W) constants; map: probabilities (batch, 1, H W). About the peak of map times weight (batch or 1, K, H W); where nothing
 * is near it, the prior's mean (batch or 1, K, 2). */
static struct centroid centroids(
	struct onnx_graph *g, const struct model *m, const char *x, const char *y, const char *map, const char *weight, const char *prior)
{
	const char *peak = onnx_node(g, "ArgMax", ONNX_IN(binary(g, "Mul", map, weight)),
		ONNX_ATTRIBUTES({.name = "axis", .i = 2}, {.name = "keepdims", .i = 1}));
	const char *width = onnx_ints(g, &(int64_t){m->W}, 1);
	const struct onnx_attribute *to_float = ONNX_ATTRIBUTES({.name = "to", .i = ONNX_FLOAT});
	const char *px = onnx_node(g, "Cast", ONNX_IN(binary(g, "Mod", peak, width)), to_float),
		   *py = onnx_node(g, "Cast", ONNX_IN(binary(g, "Div", peak, width)), to_float);
	const char *dx = binary(g, "Sub", x, px), *dy = binary(g, "Sub", y, py);
	const char *square = binary(g, "Add", binary(g, "Mul", dx, dx), binary(g, "Mul", dy, dy));
	const char *near = binary(g, "LessOrEqual", square, onnx_number(g, DECODE_RADIUS * DECODE_RADIUS));
	const char *w = binary(g, "Mul", map, onnx_node(g, "Cast", ONNX_IN(near), to_float)), *all = sum(g, w, 2, 1);
	const char *some = binary(g, "Greater", all, onnx_number(g, 0));
	const char *mx = binary(g, "Div", sum(g, binary(g, "Mul", w, dx), 2, 1), all),
		   *my = binary(g, "Div", sum(g, binary(g, "Mul", w, dy), 2, 1), all);
	const char *v = binary(g, "Div", sum(g, binary(g, "Mul", w, square), 2, 1), all);
	v = binary(g, "Sub", v, binary(g, "Add", binary(g, "Mul", mx, mx), binary(g, "Mul", my, my)));
	const char *mean = onnx_node(
		g, "Concat", ONNX_IN(binary(g, "Add", px, mx), binary(g, "Add", py, my)), ONNX_ATTRIBUTES({.name = "axis", .i = 2}));
	return (struct centroid){
		onnx_node(g, "Where", ONNX_IN(some, mean, prior), NULL), reshape(g, unary(g, "Relu", v), 2, ONNX_INTS(-1, m->points))};
}

/* Gaussians (batch or 1, K, H W) about prior (batch or 1, K, 2), of two_variance (K). */
static const char *gaussians(
	struct onnx_graph *g, const struct model *m, const char *x, const char *y, const char *prior, const float *two_variance)
{
	const struct onnx_attribute *last = ONNX_ATTRIBUTES({.name = "axis", .i = 2});
	const char *dx = binary(g, "Sub", x, onnx_node(g, "Gather", ONNX_IN(prior, onnx_ints(g, ONNX_INTS(0), 1)), last)),
		   *dy = binary(g, "Sub", y, onnx_node(g, "Gather", ONNX_IN(prior, onnx_ints(g, ONNX_INTS(1), 1)), last));
	const char *square = binary(g, "Add", binary(g, "Mul", dx, dx), binary(g, "Mul", dy, dy));
	const char *v = onnx_floats(g, NULL, two_variance, 3, ONNX_INTS(1, m->points, 1));
	return unary(g, "Exp", unary(g, "Neg", binary(g, "Div", square, v)));
}

static const char *decode_map(struct onnx_graph *g, const struct model *m, const char *z, const char **variance)
{
	int K = m->points, n = m->W * m->H;
	float *xs = xcalloc((size_t)n, sizeof *xs), *ys = xcalloc((size_t)n, sizeof *ys);
	for (int i = 0; i < n; i++)
		xs[i] = (float)(i % m->W), ys[i] = (float)(i / m->W);
	const char *x = onnx_floats(g, "x", xs, 3, ONNX_INTS(1, 1, n)), *y = onnx_floats(g, "y", ys, 3, ONNX_INTS(1, 1, n));
	/* means (K, 2), less their own mean, and that turned by a right angle */
	float *mean = xcalloc((size_t)K * 2, sizeof *mean), *centred = xcalloc((size_t)K * 2, sizeof *mean),
	      *turned = xcalloc((size_t)K * 2, sizeof *mean), *v1 = xcalloc((size_t)K, sizeof *mean),
	      *v2 = xcalloc((size_t)K, sizeof *mean);
	double middle[2] = {0}, square = 0;
	for (int p = 0; p < K; p++) {
		const real *prior = m->prior + MODEL_PRIOR * p;
		mean[2 * p] = prior[0] * m->sx + m->ox, mean[2 * p + 1] = prior[1] * m->sy + m->oy;
		middle[0] += (double)mean[2 * p] / K, middle[1] += (double)mean[2 * p + 1] / K;
		v1[p] = 2 * prior[2] * prior[2], v2[p] = v1[p] / 4; /* the second pass halves the deviation */
	}
	for (int p = 0; p < K; p++) {
		double a = (double)mean[2 * p] - middle[0], b = (double)mean[2 * p + 1] - middle[1];
		centred[2 * p] = turned[2 * p + 1] = (float)a, centred[2 * p + 1] = (float)b, turned[2 * p] = (float)-b;
		square += a * a + b * b;
	}
	const int64_t *dim = ONNX_INTS(1, K, 2);
	const char *prior = onnx_floats(g, "prior", mean, 3, dim), *A = onnx_floats(g, NULL, centred, 3, dim),
		   *R = onnx_floats(g, NULL, turned, 3, dim);
	const char *map = unary(g, "Sigmoid", reshape(g, z, 3, ONNX_INTS(-1, 1, n)));
	const char *first = centroids(g, m, x, y, map, gaussians(g, m, x, y, prior, v1), prior).mean;
	/* the similarity transform that fits the means to the centroids */
	const char *b = onnx_node(g, "ReduceMean", ONNX_IN(first),
		ONNX_ATTRIBUTES({.name = "axes", .ints = ONNX_INTS(1), .n = 1}, {.name = "keepdims", .i = 1}));
	const char *c = binary(g, "Sub", first, b), *aligned;
	if (square > 0) {
		const char *scale = onnx_number(g, 1 / square);
		const char *cosine = binary(g, "Mul", sum(g, sum(g, binary(g, "Mul", c, A), 2, 1), 1, 1), scale);
		const char *sine = binary(g, "Mul", sum(g, sum(g, binary(g, "Mul", c, R), 2, 1), 1, 1), scale);
		aligned = binary(g, "Add", binary(g, "Add", b, binary(g, "Mul", cosine, A)), binary(g, "Mul", sine, R));
	} else {
		aligned = binary(g, "Add", b, A);
	}
	struct centroid second = centroids(g, m, x, y, map, gaussians(g, m, x, y, aligned, v2), aligned);
	*variance = second.variance;
	free(xs), free(ys), free(mean), free(centred), free(turned), free(v1), free(v2);
	return pixels(g, m, second.mean, 0, 0);
}

const char *onnx_decode(struct onnx_graph *g, const struct model *m, const char *z, const char **variance)
{
	*variance = NULL;
	if (m->target == TARGET_HEATMAP)
		return decode_heatmaps(g, m, z, variance);
	if (m->target == TARGET_MAP)
		return decode_map(g, m, z, variance);
	return pixels(g, m, reshape(g, z, 3, ONNX_INTS(-1, m->points, 2)), 0, 0);
}
