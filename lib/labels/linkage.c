/* Average linkage by chains of nearest neighbours (Murtagh, The Computer Journal 26, 1983). The mean product between two groups of vectors
 * is the product of their mean vectors, so that no matrix of all pairs is kept. */
#include "lib/labels/linkage.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/err.h"

enum { NONE = UINT32_MAX };

float linkage_product(const float *a, const float *b, int D)
{
	float sum[8] = {0};
	for (int c = 0; c < D; c += 8)
		for (int k = 0; k < 8; k++)
			sum[k] += a[c + k] * b[c + k];
	return ((sum[0] + sum[1]) + (sum[2] + sum[3])) + ((sum[4] + sum[5]) + (sum[6] + sum[7]));
}

float linkage_threshold(const float *x, uint32_t n, int D, double odds, float *nearest)
{
	uint64_t above[LINKAGE_STEPS + 2] = {0}, below[LINKAGE_STEPS + 2] = {0}, a = 0, b = 0;
	float threshold = 2;
	for (uint32_t i = 0; i < n; i++)
		nearest[i] = -1;
	for (uint32_t i = 0; i < n; i++)
		for (uint32_t k = 0; k < i; k++) {
			float v = linkage_product(x + (size_t)i * (size_t)D, x + (size_t)k * (size_t)D, D);
			int step = (int)fminf(fabsf(v) * LINKAGE_STEPS, LINKAGE_STEPS);
			(v < 0 ? below : above)[step]++;
			nearest[i] = fmaxf(nearest[i], v), nearest[k] = fmaxf(nearest[k], v);
		}
	for (int s = LINKAGE_STEPS; s > 0; s--) {
		a += above[s], b += below[s];
		if ((double)(b + 1) <= odds * (double)a)
			threshold = (float)s / LINKAGE_STEPS;
		else if (threshold < 2)
			break;
	}
	return threshold;
}

/* Groups that may still be joined are listed without gaps; each has a chain's place or none. */
struct groups {
	int D;
	uint32_t n, *row; /* (n): the first row of each listed group */
	uint32_t *size;	  /* by first row */
	float *mean;	  /* (N, D), by first row: of its vectors */
	uint32_t *parent; /* by row: an earlier row of its group, or itself */
	float threshold;
};

/* The listed group nearest to this one, NONE if none reaches the threshold; of equal ones `prefer`, else the first in the list. */
static uint32_t nearest_group(const struct groups *g, uint32_t of, uint32_t prefer)
{
	uint32_t best = NONE;
	float high = g->threshold;
	const float *mean = g->mean + (size_t)of * (size_t)g->D;
	for (uint32_t i = 0; i < g->n; i++) {
		uint32_t row = g->row[i];
		float v = row == of ? -1 : linkage_product(mean, g->mean + (size_t)row * (size_t)g->D, g->D);
		if (v > high || (v == high && (best == NONE || row == prefer)))
			high = v, best = row;
	}
	return best;
}

static void drop_group(struct groups *g, uint32_t row)
{
	uint32_t i = 0;
	while (g->row[i] != row)
		i++;
	memmove(g->row + i, g->row + i + 1, (--g->n - i) * sizeof *g->row);
}

static void join_groups(struct groups *g, uint32_t a, uint32_t b)
{
	uint32_t to = a < b ? a : b, from = a < b ? b : a;
	float *mean = g->mean + (size_t)to * (size_t)g->D, *other = g->mean + (size_t)from * (size_t)g->D,
	      share = (float)g->size[from] / (float)(g->size[to] + g->size[from]);
	for (int k = 0; k < g->D; k++)
		mean[k] += share * (other[k] - mean[k]);
	g->size[to] += g->size[from], g->parent[from] = to;
	drop_group(g, from);
}

/* Follows nearest neighbours until two are each other's, and joins them. A chain's products rise, so that it ends; it begins anew after
 * each join, since by rounding alone a joined group may be nearer to one behind it than its parts were. But for that, average linkage is
 * reducible: joining others brings a group no nearer to them than the nearer one was, so one without a neighbour is complete. */
static void follow_chains(struct groups *g)
{
	while (g->n) {
		uint32_t before = NONE, last = g->row[0], next;
		while ((next = nearest_group(g, last, before)) != before && next != NONE)
			before = last, last = next;
		if (next == NONE)
			drop_group(g, last);
		else
			join_groups(g, last, before);
	}
}

uint32_t *linkage_average(const float *x, uint32_t n, int D, float threshold, const float *nearest)
{
	struct groups g = {.D = D, .threshold = threshold};
	size_t values = (size_t)n * (size_t)D;
	g.row = xcalloc(n, sizeof *g.row), g.size = xcalloc(n, sizeof *g.size), g.parent = xcalloc(n, sizeof *g.parent);
	g.mean = xmalloc(values * sizeof *g.mean);
	memcpy(g.mean, x, values * sizeof *x);
	for (uint32_t i = 0; i < n; i++) {
		g.parent[i] = i, g.size[i] = 1;
		if (nearest[i] >= threshold)
			g.row[g.n++] = i;
	}
	follow_chains(&g);
	for (uint32_t i = 0; i < n; i++) /* parents come first */
		g.parent[i] = g.parent[g.parent[i]];
	free(g.row), free(g.size), free(g.mean);
	return g.parent;
}
