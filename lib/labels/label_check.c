#include "lib/labels/label_check.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/err.h"

struct label_check_block {
	int k, *point, *mirror; /* the block's points; their mirror points, as indices into the block */
	float *xy;		/* (k, 2) of the current row */
	struct shape *shape;
	struct faults *faults;
};

struct label_check *label_check_new(int k, const int *mirror)
{
	struct label_check *c = xcalloc(1, sizeof *c);
	int *index = xcalloc((size_t)k + 1, sizeof *index);
	c->found = faults_new(k);
	c->nblocks = k ? (k + SHAPE_POINTS_MAX - 2) / (SHAPE_POINTS_MAX - 1) : 0; /* the last pair may add one */
	if (k == SHAPE_POINTS_MAX)
		c->nblocks = 1;
	c->block = xcalloc((size_t)c->nblocks + 1, sizeof *c->block);
	for (int b = 0; b < c->nblocks; b++) {
		c->block[b].point = xcalloc((size_t)k, sizeof(int));
		c->block[b].mirror = xcalloc((size_t)k, sizeof(int));
	}
	for (int i = 0, least = 0; i < k; i++) {
		if (mirror[i] < i)
			continue; /* added with the other one of its pair */
		for (int b = 0; b < c->nblocks; b++)
			if (c->block[b].k < c->block[least].k)
				least = b;
		struct label_check_block *b = &c->block[least];
		b->point[index[i] = b->k++] = i;
		if (mirror[i] > i)
			b->point[index[mirror[i]] = b->k++] = mirror[i];
	}
	for (int b = 0; b < c->nblocks; b++) {
		struct label_check_block *q = &c->block[b];
		for (int i = 0; i < q->k; i++)
			q->mirror[i] = index[mirror[q->point[i]]];
		q->xy = xcalloc(2 * (size_t)q->k, sizeof *q->xy);
		q->faults = faults_new(q->k);
	}
	free(index);
	return c;
}

void label_check_free(struct label_check *c)
{
	for (int b = 0; b < c->nblocks; b++) {
		free(c->block[b].point);
		free(c->block[b].mirror);
		free(c->block[b].xy);
		shape_free(c->block[b].shape);
		faults_free(c->block[b].faults);
	}
	faults_free(c->found);
	free(c->block);
	free(c);
}

static void gather(const struct label_check_block *b, const float *xy, float *to)
{
	for (int i = 0; i < b->k; i++)
		memcpy(to + 2 * i, xy + 2 * b->point[i], 2 * sizeof *to);
}

void label_check_fit(struct label_check *c, const float *xy, size_t n, int w, int h)
{
	int k = c->found->k;
	c->fitted = c->nblocks > 0;
	c->rows = n;
	c->shrunk = 0;
	for (int b = 0; b < c->nblocks; b++) {
		struct label_check_block *q = &c->block[b];
		float *rows = xmalloc(n * 2 * (size_t)q->k * sizeof *rows);
		size_t labelled = 0;
		for (size_t i = 0; i < n; i++) {
			float *row = rows + i * 2 * (size_t)q->k;
			gather(q, xy + i * 2 * (size_t)k, row);
			labelled += shape_visible(q->k, row) != 0;
		}
		shape_free(q->shape);
		q->shape = shape_fit(q->k, rows, n, w, h);
		c->fitted &= q->shape != NULL;
		c->rows = labelled < c->rows ? labelled : c->rows;
		c->shrunk = q->shape && q->shape->shrunk > c->shrunk ? q->shape->shrunk : c->shrunk;
		free(rows);
	}
}

const struct faults *label_check_row(struct label_check *c, const float *xy, int w, int h)
{
	struct faults *all = c->found;
	unsigned reported = 0;
	int labels = 0, wrong = 0;
	all->n = all->unknown = 0;
	for (int b = 0; b < c->nblocks; b++) {
		struct label_check_block *q = &c->block[b];
		gather(q, xy, q->xy);
		faults_find(q->faults, q->shape, q->xy, q->mirror, w, h);
		all->unknown |= q->faults->unknown;
		for (int i = 0; i < q->k; i++) {
			all->blank[q->point[i]] = q->faults->blank[i];
			labels += !isnan(q->xy[2 * i]) || !isnan(q->xy[2 * i + 1]);
			wrong += q->faults->blank[i];
		}
		for (int i = 0; i < q->faults->n; i++) {
			struct fault f = q->faults->list[i];
			if (f.point < 0 && reported >> f.kind & 1)
				continue;
			reported |= (unsigned)(f.point < 0) << f.kind;
			f.point = f.point < 0 ? f.point : q->point[f.point];
			f.other = f.other < 0 ? f.other : q->point[f.other];
			all->list[all->n++] = f;
		}
	}
	all->drop = all->unknown || 2 * wrong > labels;
	return all;
}
