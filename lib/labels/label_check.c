#include "lib/labels/label_check.h"

#include <stdlib.h>
#include <string.h>

#include "lib/base/err.h"

struct label_check_block {
	int k, *at, *mirror; /* numbers of its points; who mirrors whom, by number in the block */
	float *xy;	     /* (k, 2) of the row in backend */
	struct shape *shape;
	struct faults *faults;
};

struct label_check *label_check_new(int k, const int *mirror)
{
	struct label_check *j = xcalloc(1, sizeof *j);
	int *where = xcalloc((size_t)k + 1, sizeof *where);
	j->found = faults_new(k);
	j->nblocks = k ? (k + SHAPE_POINTS_MAX - 2) / (SHAPE_POINTS_MAX - 1) : 0; /* one to spare for the second of a pair */
	if (k == SHAPE_POINTS_MAX)
		j->nblocks = 1;
	j->block = xcalloc((size_t)j->nblocks + 1, sizeof *j->block);
	for (int b = 0; b < j->nblocks; b++) {
		j->block[b].at = xcalloc((size_t)k, sizeof(int));
		j->block[b].mirror = xcalloc((size_t)k, sizeof(int));
	}
	for (int i = 0, least = 0; i < k; i++) {
		if (mirror[i] < i)
			continue; /* came with its pair */
		for (int b = 0; b < j->nblocks; b++)
			if (j->block[b].k < j->block[least].k)
				least = b;
		struct label_check_block *b = &j->block[least];
		b->at[where[i] = b->k++] = i;
		if (mirror[i] > i)
			b->at[where[mirror[i]] = b->k++] = mirror[i];
	}
	for (int b = 0; b < j->nblocks; b++) {
		struct label_check_block *q = &j->block[b];
		for (int i = 0; i < q->k; i++)
			q->mirror[i] = where[mirror[q->at[i]]];
		q->xy = xcalloc(2 * (size_t)q->k, sizeof *q->xy);
		q->faults = faults_new(q->k);
	}
	free(where);
	return j;
}

void label_check_free(struct label_check *j)
{
	for (int b = 0; b < j->nblocks; b++) {
		free(j->block[b].at);
		free(j->block[b].mirror);
		free(j->block[b].xy);
		shape_free(j->block[b].shape);
		faults_free(j->block[b].faults);
	}
	faults_free(j->found);
	free(j->block);
	free(j);
}

static void gather(const struct label_check_block *b, const float *xy, float *to)
{
	for (int i = 0; i < b->k; i++)
		memcpy(to + 2 * i, xy + 2 * b->at[i], 2 * sizeof *to);
}

void label_check_fit(struct label_check *j, const float *xy, size_t n, int w, int h)
{
	int k = j->found->k;
	j->fitted = j->nblocks > 0;
	for (int b = 0; b < j->nblocks; b++) {
		struct label_check_block *q = &j->block[b];
		float *part = xmalloc(n * 2 * (size_t)q->k * sizeof *part);
		for (size_t i = 0; i < n; i++)
			gather(q, xy + i * 2 * (size_t)k, part + i * 2 * (size_t)q->k);
		shape_free(q->shape);
		q->shape = shape_fit(q->k, part, n, w, h);
		j->fitted &= q->shape != NULL;
		free(part);
	}
}

const struct faults *label_check_row(struct label_check *j, const float *xy, int w, int h)
{
	struct faults *all = j->found;
	unsigned told = 0;
	all->n = all->drop = 0;
	for (int b = 0; b < j->nblocks; b++) {
		struct label_check_block *q = &j->block[b];
		gather(q, xy, q->xy);
		faults_find(q->faults, q->shape, q->xy, q->mirror, w, h);
		all->drop |= q->faults->drop;
		for (int i = 0; i < q->k; i++)
			all->blank[q->at[i]] = q->faults->blank[i];
		for (int i = 0; i < q->faults->n; i++) {
			struct fault f = q->faults->list[i];
			if (f.point < 0 && told >> f.kind & 1)
				continue;
			told |= (unsigned)(f.point < 0) << f.kind;
			f.point = f.point < 0 ? f.point : q->at[f.point];
			f.other = f.other < 0 ? f.other : q->at[f.other];
			all->list[all->n++] = f;
		}
	}
	return all;
}
