/* Forward passes, put together. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "lib/ds.h"
#include "lib/err.h"
#include "lib/infer.h"
#include "lib/net.h"

struct infer {
	const struct ops *o;
	struct model **m;
	int n, flip, *mirror;
	struct net **net;
	uint8_t *bytes, *flipped; /* device, host */
	uint32_t *rows;		  /* device: 0, 1, ... */
	real *x, *z;		  /* device, host */
	double *sum, *square;	  /* (B, outputs) */
};

struct infer *infer_new(const struct ops *o, struct model **m, int n, int flip)
{
	struct infer *f = xcalloc(1, sizeof *f);
	size_t pixels = (size_t)m[0]->W * (size_t)m[0]->H, B = INFER_BATCH, out = (size_t)m[0]->outputs;
	uint32_t rows[INFER_BATCH];
	int k;
	f->o = o, f->m = m, f->n = n, f->flip = flip;
	for (int i = 1; i < n; i++)
		if (m[i]->target != m[0]->target || m[i]->W != m[0]->W || m[i]->H != m[0]->H || strcmp(m[i]->names, m[0]->names))
			die("models 1 and %d differ in target, input or names: they can't be averaged", i + 1);
	f->net = xcalloc((size_t)n, sizeof *f->net);
	for (int i = 0; i < n; i++) {
		f->net[i] = net_new(o, &m[i]->d, INFER_BATCH, NET_INFER);
		net_borrow(f->net[i], m[i]->param, m[i]->stat);
	}
	f->bytes = o->alloc(o, B * pixels), f->flipped = xmalloc(B * pixels);
	f->rows = o->alloc(o, sizeof rows);
	for (uint32_t i = 0; i < INFER_BATCH; i++)
		rows[i] = i;
	o->put(o, f->rows, rows, sizeof rows);
	f->x = o->alloc(o, B * pixels * sizeof(real));
	f->z = xcalloc(B * out, sizeof *f->z);
	f->sum = xcalloc(B * out, sizeof *f->sum), f->square = xcalloc(B * out, sizeof *f->square);
	if (m[0]->target == TARGET_COORDS) {
		char **names = ds_split_names(m[0]->names, &k);
		f->mirror = ds_mirror(names);
		ds_free_names(names);
	}
	return f;
}

void infer_free(struct infer *f)
{
	for (int i = 0; i < f->n; i++)
		net_free(f->net[i]);
	f->o->release(f->o, f->bytes), f->o->release(f->o, f->rows), f->o->release(f->o, f->x);
	free(f->net), free(f->flipped), free(f->z), free(f->sum), free(f->square), free(f->mirror), free(f);
}

static void mirror_images(uint8_t *to, const uint8_t *from, size_t rows, int W)
{
	for (size_t r = 0; r < rows; r++)
		for (int x = 0; x < W; x++)
			to[r * (size_t)W + (size_t)x] = from[r * (size_t)W + (size_t)(W - 1 - x)];
}

/* Outputs of one row to what users see, in place. */
static void finish_row(const struct model *m, real *z)
{
	int K = m->outputs;
	if (m->target == TARGET_COORDS) {
		for (int k = 0; k < K; k += 2)
			z[k] = (z[k] - (real)m->ox) / (real)m->sx, z[k + 1] = (z[k + 1] - (real)m->oy) / (real)m->sy;
	} else if (m->target == TARGET_LABEL && K == 1) {
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

/* The outputs of a mirror image as the image's own. */
static void unmirror_row(const struct infer *f, real *z, real *copy)
{
	const struct model *m = f->m[0];
	memcpy(copy, z, (size_t)m->outputs * sizeof *z);
	for (int k = 0; m->target == TARGET_COORDS && k < m->outputs / 2; k++) {
		z[2 * k] = (real)(m->W - 1) - copy[2 * f->mirror[k]];
		z[2 * k + 1] = copy[2 * f->mirror[k] + 1];
	}
	for (int y = 0; m->target == TARGET_IMAGE && y < m->H; y++)
		for (int x = 0; x < m->W; x++)
			z[y * m->W + x] = copy[y * m->W + m->W - 1 - x];
}

void infer_batch(struct infer *f, const uint8_t *images, int B, float *out, float *spread)
{
	const struct model *m = f->m[0];
	const struct ops *o = f->o;
	size_t K = (size_t)m->outputs, all = (size_t)B * K, pixels = (size_t)m->W * (size_t)m->H;
	int estimates = f->n * (f->flip ? 2 : 1);
	real *copy = xcalloc(K, sizeof *copy);
	memset(f->sum, 0, all * sizeof *f->sum);
	memset(f->square, 0, all * sizeof *f->square);
	for (int side = 0; side <= f->flip; side++) {
		if (side)
			mirror_images(f->flipped, images, (size_t)B * (size_t)m->H, m->W);
		o->put(o, f->bytes, side ? f->flipped : images, (size_t)B * pixels);
		for (int i = 0; i < f->n; i++) {
			const struct model *mi = f->m[i];
			struct net_pass pass = {0};
			o->images(o, f->x, f->bytes, f->rows, B, 1, m->H, m->W, mi->mul, mi->add, NULL);
			o->get(o, f->z, net_forward(f->net[i], f->x, B, &pass), all * sizeof *f->z);
			for (int b = 0; b < B; b++) {
				finish_row(mi, f->z + (size_t)b * K);
				if (side)
					unmirror_row(f, f->z + (size_t)b * K, copy);
			}
			for (size_t k = 0; k < all; k++)
				f->sum[k] += (double)f->z[k], f->square[k] += (double)f->z[k] * (double)f->z[k];
		}
	}
	for (size_t k = 0; k < all; k++)
		out[k] = (float)(f->sum[k] / estimates);
	for (size_t k = 0; spread && k < all / 2; k++) {
		double v = 0;
		for (int xy = 0; xy < 2; xy++) {
			double mean = f->sum[2 * k + (size_t)xy] / estimates;
			v += f->square[2 * k + (size_t)xy] / estimates - mean * mean;
		}
		spread[k] = estimates > 1 ? (float)sqrt(v > 0 ? v : 0) : NAN;
	}
	free(copy);
}
