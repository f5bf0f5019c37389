/* Images, then codes. */
#include "lib/train/pretrain_input.h"

#include <stdlib.h>

#include "lib/base/err.h"
#include "lib/train/feed.h"

struct pretrain_input {
	const struct backend *be;
	const char *near;
	struct feed *images; /* of the first layer */
	real *codes;	     /* device: (N, V); NULL: */
	struct rows *rows;   /* the same here, or images */
	real *batch;	     /* (B, V), host: of rows */
	int B;
};

struct pretrain_input *pretrain_input_new(const struct backend *be, const struct dataset *data, int B, const char *near)
{
	struct pretrain_input *in = xcalloc(1, sizeof *in);
	*in = (struct pretrain_input){.be = be, .near = near, .images = feed_new(be, data, B), .B = B};
	return in;
}

static void load(struct pretrain_layer *l, const uint32_t *order, const uint32_t *rows, int B, uint32_t more)
{
	struct pretrain_input *in = l->from;
	if (in->images) {
		feed_load(in->images, l->x, order, rows, B, more, l->mul, l->add, NULL);
	} else if (in->codes) {
		in->be->gather(in->be, l->x, in->codes, rows, B, l->V);
	} else {
		rows_gather(in->rows, in->batch, order, B);
		in->be->upload(in->be, l->x, in->batch, (size_t)B * (size_t)l->V * sizeof *in->batch);
	}
}

static void scatter(struct pretrain_layer *l, int to, const uint32_t *order, int B)
{
	struct pretrain_input *in = l->from;
	if (in->images)
		feed_scatter(in->images, to, order, B);
}

void pretrain_input_attach(struct pretrain_input *in, struct pretrain_layer *l)
{
	l->load = load, l->scatter = scatter, l->from = in;
}

void pretrain_input_encode(struct pretrain_input *in, struct pretrain_layer *l)
{
	const struct backend *be = in->be;
	int in_file = be->load_images && !rows_fit(l->N, l->H);
	real *codes = in_file ? NULL : be->alloc(be, (size_t)l->N * (size_t)l->H * sizeof *codes);
	struct rows *rows = in_file ? rows_new(l->N, l->H, in->near) : NULL;
	pretrain_encode(l, codes, rows);
	be->release(be, in->codes), rows_free(in->rows), feed_free(in->images);
	in->codes = codes, in->rows = rows, in->images = NULL;
	in->batch = xrealloc(in->batch, (size_t)in->B * (size_t)l->H * sizeof *in->batch);
}

void pretrain_input_free(struct pretrain_input *in)
{
	in->be->release(in->be, in->codes), rows_free(in->rows), feed_free(in->images);
	free(in->batch), free(in);
}
