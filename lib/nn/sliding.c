#include "lib/nn/sliding.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/err.h"
#include "lib/base/memory.h"
#include "lib/nn/net.h"
#include "lib/nn/net_need.h"

/* sizes whose buffers are kept; bytes of a layer's word; a larger image is cut into tiles of so many pixels a side, if windows are smaller
 */
enum { KEPT = 32, WORD = 64, TILE = 512 };

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
	uint8_t *tile; /* of the image that runs */
	size_t room;   /* bytes of tile */
};

int sliding_stride(const struct netdesc *d)
{
	long stride = 1, at[NETDESC_LAYERS]; /* at: the stride of each layer's input */
	for (int i = 0; i < d->n; i++) {
		const struct layer *l = &d->layer[i];
		at[i] = stride;
		if (l->kind == LAYER_ADD && stride != at[l->skip]) /* in a larger image what it adds differs in size */
			return 0;
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
		snprintf(word, WORD, "conv%dx%dx%ds%dd%d ", l->KH, l->KW, l->OC, l->S, l->D);
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
	case LAYER_SKIP:
		snprintf(word, WORD, "( ");
		break;
	case LAYER_ADD:
		snprintf(word, WORD, ")+ ");
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
	memory_require(net_need(be, &z->d, 1), "the net over a tile of the image");
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

/* The windows of a tile of W x H pixels, rows of the image `step` bytes apart, out likewise. */
static void run_tile(struct sliding *s, const uint8_t *image, size_t step, int W, int H, float *out, size_t out_step)
{
	const struct backend *be = s->be;
	struct sized *z = sized_of(s, W, H);
	size_t w = (size_t)W, h = (size_t)H, n = (size_t)z->d.outputs, nx = (size_t)((W - s->m->W) / s->stride + 1);
	z->used = ++s->runs;
	if (w * h > s->room) {
		free(s->tile);
		s->tile = xmalloc(s->room = w * h);
	}
	for (size_t y = 0; y < h; y++)
		memcpy(s->tile + y * w, image + y * step, w);
	be->upload(be, z->bytes, s->tile, w * h);
	be->load_batch(be, z->x, z->bytes, s->rows, 1, 1, H, W, s->m->mul, s->m->add, NULL);
	const real *y = net_forward(z->net, z->x, 1, &(struct net_pass){0});
	const real *host = be->map_device(be, y, n * sizeof *y);
	for (size_t i = 0; i < n; i++)
		out[i / nx * out_step + i % nx] = (float)host[i];
	be->unmap_device(be, host);
}

/* Windows of a tile along an axis that has n of them: tiles are of one size; the last one begins where it ends with the axis. */
static int tile_windows(int n, int side, int stride)
{
	int most = side < TILE ? (TILE - side) / stride + 1 : 1, tiles = (n + most - 1) / most;
	return (n + tiles - 1) / tiles;
}

void sliding_run(struct sliding *s, const uint8_t *image, int W, int H, float *out)
{
	int w = s->m->W, h = s->m->H, S = s->stride, nx = (W - w) / S + 1, ny = (H - h) / S + 1;
	int tx = tile_windows(nx, w, S), ty = tile_windows(ny, h, S);
	assert(W >= w && H >= h && (W - w) % S == 0 && (H - h) % S == 0);
	for (int j = 0; j < ny; j += ty)
		for (int i = 0; i < nx; i += tx) {
			int x = i + tx > nx ? nx - tx : i, y = j + ty > ny ? ny - ty : j;
			run_tile(s, image + (size_t)(y * S) * (size_t)W + (size_t)(x * S), (size_t)W, w + S * (tx - 1), h + S * (ty - 1),
				out + (size_t)y * (size_t)nx + (size_t)x, (size_t)nx);
		}
}

void sliding_free(struct sliding *s)
{
	if (!s)
		return;
	for (int i = 0; i < KEPT; i++)
		sized_free(s->be, s->kept[i]);
	s->be->release(s->be, s->rows);
	free(s->text), free(s->tile), free(s);
}
