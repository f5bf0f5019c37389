/* Near-duplicates are grouped by union-find over all pairs of thumbnails. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/err.h"
#include "lib/base/num.h"
#include "lib/base/philox.h"
#include "lib/labels/split.h"
#include "lib/stream/names.h"

enum { THUMB = 12, CELLS = THUMB * THUMB };

int split_parse(struct split *s, const char *text, int n)
{
	int count = 0, good;
	double sum = 0;
	if (!*text || text[0] == ',' || text[strlen(text) - 1] == ',' || strstr(text, ",,"))
		return -1;
	char **words = names_split(text, &count);
	good = count == n && n <= SPLIT_PARTS;
	for (int i = 0; good && i < n; i++) {
		good = num_real(words[i], &s->share[i]) && s->share[i] > 0 && s->share[i] < 1;
		sum += s->share[i];
	}
	names_free(words);
	if (!good || fabs(sum - 1) > 1e-6)
		return -1;
	for (int i = 0; i < n; i++)
		s->share[i] /= sum;
	s->n = n;
	return 0;
}

int split_part(const struct split *s, uint64_t group)
{
	double u = (double)philox_uniform(philox(s->seed, PHILOX_SPLIT, (uint32_t)(group >> 32), (uint32_t)group, 0).v[0]), cumulative = 0;
	for (int i = 0; i < s->n - 1; i++)
		if (u < (cumulative += s->share[i]))
			return i;
	return s->n - 1;
}

/* Means over a grid of cells; for images smaller than the grid, cells repeat pixels. */
static void thumbnail(float *to, const uint8_t *image, int W, int H)
{
	double mean = 0, norm = 0;
	for (int c = 0; c < CELLS; c++) {
		int x0 = c % THUMB * W / THUMB, x1 = (c % THUMB + 1) * W / THUMB, y0 = c / THUMB * H / THUMB,
		    y1 = (c / THUMB + 1) * H / THUMB;
		uint64_t sum = 0;
		x1 = x1 > x0 ? x1 : x0 + 1, y1 = y1 > y0 ? y1 : y0 + 1;
		for (int y = y0; y < y1; y++)
			for (int x = x0; x < x1; x++)
				sum += image[(size_t)y * (size_t)W + (size_t)x];
		to[c] = (float)((double)sum / ((double)(x1 - x0) * (y1 - y0)));
		mean += (double)to[c] / CELLS;
	}
	for (int c = 0; c < CELLS; c++) {
		to[c] -= (float)mean;
		norm += (double)to[c] * (double)to[c];
	}
	for (int c = 0; c < CELLS; c++) /* flat ones have no direction: all get the same one */
		to[c] = norm > 1e-6 ? to[c] / (float)sqrt(norm) : 1.0f / THUMB;
}

static float dot(const float *a, const float *b)
{
	float sum[8] = {0};
	for (int c = 0; c < CELLS; c += 8)
		for (int k = 0; k < 8; k++)
			sum[k] += a[c + k] * b[c + k];
	return ((sum[0] + sum[1]) + (sum[2] + sum[3])) + ((sum[4] + sum[5]) + (sum[6] + sum[7]));
}

static uint32_t find_root(uint32_t *parent, uint32_t i)
{
	while (parent[i] != i)
		i = parent[i] = parent[parent[i]];
	return i;
}

uint32_t *split_near(const struct tns_table *t, int image)
{
	const struct tns_def *d = &tns_table_head(t)->def[image];
	uint32_t n = (uint32_t)d->rows, *parent = xcalloc(n, sizeof *parent);
	float *thumb = xcalloc((size_t)n * CELLS, sizeof *thumb);
	for (uint32_t i = 0; i < n; i++) {
		thumbnail(thumb + (size_t)i * CELLS, tns_row(t, image, i), (int)d->dim[2], (int)d->dim[1]);
		parent[i] = i;
		for (uint32_t k = 0; k < i; k++)
			if (dot(thumb + (size_t)i * CELLS, thumb + (size_t)k * CELLS) >= SPLIT_NEAR) {
				uint32_t a = find_root(parent, i), b = find_root(parent, k);
				parent[a > b ? a : b] = a > b ? b : a;
			}
	}
	for (uint32_t i = 0; i < n; i++)
		parent[i] = find_root(parent, i);
	free(thumb);
	return parent;
}
