#include "lib/nn/sliding.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/err.h"
#include "lib/nn/net.h"

enum { KEPT = 48, WORD = 64 }; /* sizes whose buffers are kept; bytes of a layer's word */

struct sized {
	int W, H;
	unsigned used; /* when it was used last */
	struct netdesc d;
	struct net *net;
	real *x;	/* device */
	uint8_t *bytes; /* device */
};

struct sliding {
	const struct backend *be;
	const struct model *m;
	int stride;
	char *text; /* the net of convolutions */
	uint32_t *rows;
	struct sized *kept[KEPT];
	unsigned runs;
};

int sliding_stride(const struct netdesc *d)
{
	long stride = 1;
	for (int i = 0; i < d->n; i++) {
		const struct layer *l = &d->layer[i];
		if (l->kind == LAYER_UP || (l->kind == LAYER_CONV && l->P))
			return 0;
		stride *= l->kind == LAYER_CONV ? l->S : l->kind == LAYER_POOL ? l->KH : 1;
		if (stride > 1 << 20)
			return 0;
	}
	return (int)stride;
}

/* The layer's word in the net of convolutions; "": it has none. */
static void word_of(char word[WORD], const struct layer *l)
{
	static const char *const acts[] = {[ACT_RELU] = "relu", [ACT_TANH] = "tanh", [ACT_SIGMOID] = "sigmoid"};
	*word = 0;
	switch (l->kind) {
	case LAYER_CONV:
		snprintf(word, WORD, "conv%dx%dx%ds%d ", l->KH, l->KW, l->OC, l->S);
		break;
	case LAYER_DENSE:
		snprintf(word, WORD, "conv%dx%dx%d ", l->H, l->W, l->OC);
		break;
	case LAYER_POOL:
		snprintf(word, WORD, "pool%d ", l->KH);
		break;
	case LAYER_BN:
		snprintf(word, WORD, "bn ");
		break;
	case LAYER_ACT:
		snprintf(word, WORD, "%s ", acts[l->act]);
		break;
	case LAYER_UP:
	case LAYER_DROPOUT:
		break;
	}
}

struct sliding *sliding_new(const struct backend *be, const struct model *m)
{
	struct sliding *s = xcalloc(1, sizeof *s);
	s->be = be, s->m = m, s->stride = sliding_stride(&m->d);
	assert(s->stride && m->outputs == 1);
	s->text = xcalloc((size_t)m->d.n * WORD + 1, 1);
	for (int i = 0; i < m->d.n; i++)
		word_of(s->text + strlen(s->text), &m->d.layer[i]);
	s->rows = be->alloc(be, sizeof *s->rows); /* its only row is 0 */
	return s;
}

static void sized_free(const struct backend *be, struct sized *z)
{
	if (!z)
		return;
	net_free(z->net);
	be->release(be, z->x), be->release(be, z->bytes);
	free(z);
}

static struct sized *sized_new(const struct sliding *s, int W, int H)
{
	const struct backend *be = s->be;
	struct sized *z = xcalloc(1, sizeof *z);
	int values = ((W - s->m->W) / s->stride + 1) * ((H - s->m->H) / s->stride + 1);
	size_t pixels = (size_t)W * (size_t)H;
	char err[256];
	z->W = W, z->H = H;
	if (netdesc_parse(&z->d, s->text, 1, H, W, (struct netdesc_target){values, 1}, err))
		die("the net over an image of %dx%d: %s", W, H, err);
	assert(z->d.outputs == values && z->d.nparam == s->m->d.nparam && z->d.nstat == s->m->d.nstat);
	z->net = net_new(be, &z->d, 1, NET_INFER);
	net_map_params(z->net, s->m->param, s->m->stat);
	z->x = be->alloc(be, pixels * sizeof *z->x);
	z->bytes = be->alloc(be, pixels);
	return z;
}

/* That of this size, or a new one in the place of the one that was not used for longest. */
static struct sized *sized_of(struct sliding *s, int W, int H)
{
	int at = 0;
	for (int i = 0; i < KEPT; i++) {
		struct sized *z = s->kept[i];
		if (z && z->W == W && z->H == H)
			return z;
		if (s->kept[at] && (!z || z->used < s->kept[at]->used))
			at = i;
	}
	sized_free(s->be, s->kept[at]);
	return s->kept[at] = sized_new(s, W, H);
}

void sliding_run(struct sliding *s, const uint8_t *image, int W, int H, float *out)
{
	const struct backend *be = s->be;
	assert(W >= s->m->W && H >= s->m->H && (W - s->m->W) % s->stride == 0 && (H - s->m->H) % s->stride == 0);
	struct sized *z = sized_of(s, W, H);
	size_t n = (size_t)z->d.outputs;
	z->used = ++s->runs;
	be->upload(be, z->bytes, image, (size_t)W * (size_t)H);
	be->load_batch(be, z->x, z->bytes, s->rows, 1, 1, H, W, s->m->mul, s->m->add, NULL);
	const real *y = net_forward(z->net, z->x, 1, &(struct net_pass){0});
	const real *host = be->map_device(be, y, n * sizeof *y);
	for (size_t i = 0; i < n; i++)
		out[i] = (float)host[i];
	be->unmap_device(be, host);
}

void sliding_free(struct sliding *s)
{
	if (!s)
		return;
	for (int i = 0; i < KEPT; i++)
		sized_free(s->be, s->kept[i]);
	s->be->release(s->be, s->rows);
	free(s->text), free(s);
}
