/* Near-duplicates, by all pairs of thumbnails, and groups of likeness are joined by union-find. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/err.h"
#include "lib/base/num.h"
#include "lib/base/philox.h"
#include "lib/labels/likeness.h"
#include "lib/labels/linkage.h"
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

void split_put_meta(struct tns_writer *w, const struct tns *in, const char *by)
{
	const char *before = tns_meta_value(in, "split"), *known = !by			 ? "groups"
								   : !strcmp(by, "row")	 ? "rows"
								   : !strcmp(by, "near") ? by
											 : NULL;
	char *all = xprintf("%s%s%s%s", before ? before : "", before ? "," : "", known ? "" : "tensor ", known ? known : by);
	tns_put_meta(w, "split", all);
	free(all);
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

static uint32_t find_root(uint32_t *parent, uint32_t i)
{
	while (parent[i] != i)
		i = parent[i] = parent[parent[i]];
	return i;
}

static void join_rows(uint32_t *parent, uint32_t i, uint32_t k)
{
	uint32_t a = find_root(parent, i), b = find_root(parent, k);
	parent[a > b ? a : b] = a > b ? b : a;
}

static void join_duplicates(uint32_t *parent, const struct tns_table *t, int image)
{
	const struct tns_def *d = &tns_table_head(t)->def[image];
	float *thumb = xcalloc((size_t)d->rows * CELLS, sizeof *thumb);
	for (uint32_t i = 0; i < d->rows; i++) {
		thumbnail(thumb + (size_t)i * CELLS, tns_row(t, image, i), (int)d->dim[2], (int)d->dim[1]);
		for (uint32_t k = 0; k < i; k++)
			if (linkage_product(thumb + (size_t)i * CELLS, thumb + (size_t)k * CELLS, CELLS) >= SPLIT_NEAR)
				join_rows(parent, i, k);
	}
	free(thumb);
}

static int points_tensor(const struct tns *t, uint64_t rows)
{
	int id = tns_find(t, "keypoints");
	const struct tns_def *d = &t->def[id >= 0 ? id : 0];
	return id >= 0 && d->dtype == TNS_F32 && d->ndim == 3 && d->dim[2] == 2 && d->rows == rows ? id : -1;
}

static void join_alike(uint32_t *parent, uint32_t n, const struct tns_table *t, int image)
{
	float *x = likeness(t, image, points_tensor(tns_table_head(t), n));
	if (!x)
		return;
	float *nearest = xcalloc(n, sizeof *nearest), threshold = linkage_threshold(x, n, LIKENESS_DIM, SPLIT_ODDS, nearest);
	uint32_t *group = linkage_average(x, n, LIKENESS_DIM, threshold, nearest);
	for (uint32_t i = 0; i < n; i++)
		join_rows(parent, i, group[i]);
	free(group), free(nearest), free(x);
}

uint32_t *split_near(const struct tns_table *t, int image)
{
	uint32_t n = (uint32_t)tns_table_head(t)->def[image].rows, *parent = xcalloc(n, sizeof *parent);
	for (uint32_t i = 0; i < n; i++)
		parent[i] = i;
	join_duplicates(parent, t, image);
	join_alike(parent, n, t, image);
	for (uint32_t i = 0; i < n; i++)
		parent[i] = find_root(parent, i);
	return parent;
}
