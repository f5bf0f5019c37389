/* A layer that learns without labels: memory, initial weights, epochs; steps are its kind's. */
#include "lib/train/pretrain.h"

#include <math.h>
#include <stdlib.h>

#include "lib/base/err.h"
#include "lib/base/philox.h"
#include "lib/base/shuffle.h"
#include "lib/train/evaluate.h"
#include "lib/train/shards.h"

static void initial_weights(struct pretrain_layer *l)
{
	size_t V = (size_t)l->V, n = V * (size_t)l->H;
	double range = l->a->init > 0 ? (double)l->a->init : l->kind->range * sqrt(6.0 / ((double)l->V + l->H));
	real *w = xcalloc(l->states, sizeof *w);
	for (size_t i = 0; i < n; i++) {
		struct philox p = philox(l->a->seed, PHILOX_INIT, 1000u + (uint32_t)l->layer, (uint32_t)(i / V), (uint32_t)(i % V) / 4);
		w[i] = (real)(range * (2 * (double)philox_uniform(p.v[i % V % 4]) - 1));
	}
	l->be->upload(l->be, l->param, w, l->states * sizeof *w);
	free(w);
}

/* Sets the sizes. */
static struct pretrain_layer sized(const struct pretrain_kind *kind, const struct pretrain_options *a, int V, int H, uint32_t N)
{
	struct pretrain_layer l = {.kind = kind, .a = a, .V = V, .H = H, .N = N};
	l.B = (uint32_t)a->batch < N ? a->batch : (int)N;
	l.params = l.states = (size_t)V * (size_t)H + (size_t)H + (size_t)V;
	if (kind->extra)
		l.states += kind->extra(&l);
	return l;
}

size_t pretrain_states(const struct pretrain_kind *kind, const struct pretrain_options *a, int V, int H, uint32_t N)
{
	return sized(kind, a, V, H, N).states;
}

struct pretrain_layer *pretrain_new(
	const struct pretrain_kind *kind, const struct backend *be, int V, int H, uint32_t N, int layer, const struct pretrain_options *a)
{
	struct pretrain_layer *l = xcalloc(1, sizeof *l);
	*l = sized(kind, a, V, H, N);
	l->be = be, l->layer = layer, l->mul = 1.0f / 255;
	l->param = be->alloc(be, l->states * sizeof(real));
	size_t x = (size_t)l->B * (size_t)V, before = kind->before ? x : 0;
	l->x = (real *)be->alloc(be, (before + x) * sizeof(real)) + before;
	l->loss = be->alloc(be, N * sizeof(double)), l->rows = be->alloc(be, N * sizeof(uint32_t));
	l->host_rows = xcalloc(N, sizeof *l->host_rows);
	initial_weights(l);
	kind->open(l);
	if (a->shards > 1) {
		size_t n = kind->gradients(l);
		l->sum = be->alloc(be, n * sizeof(real));
		tree_open(&l->tree, be, a->shards / ranks_size(a->ranks), n);
		tree_begin(&l->tree, l->sum, n);
	}
	return l;
}

static void load_arrays(struct pretrain_layer *l, const uint32_t *order, const uint32_t *rows, int B, uint32_t more)
{
	(void)order, (void)more;
	if (l->bytes)
		l->be->load_batch(l->be, l->x, l->bytes, rows, B, 1, 1, l->V, l->mul, l->add, NULL);
	else
		l->be->gather(l->be, l->x, l->codes, rows, B, l->V);
}

void pretrain_from(struct pretrain_layer *l, const uint8_t *bytes, const real *codes)
{
	l->load = load_arrays, l->scatter = NULL, l->bytes = bytes, l->codes = codes;
}

/* The rows of an epoch from at on. */
static void load(struct pretrain_layer *l, uint32_t at, int B)
{
	l->load(l, l->host_rows + at, l->rows + at, B, l->N - at - (uint32_t)B);
}

/* A batch of B rows, at position `at` of the epoch. */
static void sharded_step(struct pretrain_layer *l, uint32_t at, int B, uint32_t epoch, uint32_t count)
{
	const struct backend *be = l->be;
	struct ranks *r = l->a->ranks;
	int n = l->a->shards / ranks_size(r), most = shards_rows(l->B, l->a->shards);
	for (int k = 1, from; l->scatter && k < ranks_size(r); k++) {
		int rows = shards_of_rank(B, most, n, k, &from);
		l->scatter(l, k, l->host_rows + at + from, rows);
	}
	for (int k = 0; k < n; k++) {
		struct pretrain_shard s = {.at = at, .epoch = epoch, .count = count, .whole = B};
		s.B = shards_cut(B, most, n * ranks_rank(r) + k, &s.from);
		real *to = tree_place(&l->tree, k);
		if (s.B) {
			load(l, at + (uint32_t)s.from, s.B);
			l->kind->gradient(l, &s, to);
		} else
			be->zero(be, to, l->tree.n * sizeof *to);
		tree_add(&l->tree, k);
	}
	ranks_allreduce_begin(r, l->sum, l->tree.n), ranks_allreduce_from(r, 0), ranks_allreduce_wait(r);
	l->kind->update(l, l->sum, B);
	if ((count + 1) % SHARDS_COMPARED == 0) {
		char *when = xprintf("after step %u of layer %d", count + 1, l->layer + 1);
		shards_compare(r, be, l->param, l->params, when);
		free(when);
	}
}

double pretrain_epoch(struct pretrain_layer *l, uint32_t epoch)
{
	const struct backend *be = l->be;
	uint32_t size = (uint32_t)l->B, count = (epoch - 1) * ((l->N + size - 1) / size);
	shuffle(l->host_rows, l->N, l->a->seed, epoch);
	be->upload(be, l->rows, l->host_rows, l->N * sizeof(uint32_t));
	if (ranks_size(l->a->ranks) > 1)
		be->zero(be, l->loss, l->N * sizeof *l->loss);
	for (uint32_t at = 0; at < l->N; at += size) {
		int B = l->N - at < size ? (int)(l->N - at) : l->B;
		if (l->sum) {
			sharded_step(l, at, B, epoch, count++);
			continue;
		}
		load(l, at, B);
		l->kind->step(l, at, B, epoch, count++);
	}
	if (!l->kind->losses)
		return NAN;
	evaluate_merge(be, l->a->ranks, l->loss, l->N * sizeof *l->loss);
	return evaluate_mean(be, l->loss, l->N, l->N);
}

/* Whole inputs are scaled to the mean of corrupted ones (dae.h). */
void pretrain_whole(const struct pretrain_layer *l, real *to, int B)
{
	l->be->dropout(l->be, to, l->x, l->rows, B, l->V, 0, 1 - l->a->corruption, 0, 0, 0);
}

static void encode(struct pretrain_layer *l, real *out, int B)
{
	if (l->a->corruption > 0)
		pretrain_whole(l, l->x, B);
	l->be->dense(l->be, out, l->x, l->param, l->param + (size_t)l->V * (size_t)l->H, ACT_SIGMOID, 0, B, l->V, l->H);
}

/* Codes of the batch into rows from at on; out (B, H), device. */
static void encode_to(struct pretrain_layer *l, struct rows *to, uint32_t at, real *out, int B)
{
	size_t bytes = (size_t)B * (size_t)l->H * sizeof *out;
	encode(l, out, B);
	const real *codes = l->be->map_device(l->be, out, bytes);
	rows_put(to, at, codes, (uint32_t)B);
	l->be->unmap_device(l->be, codes);
}

void pretrain_encode(struct pretrain_layer *l, real *out, struct rows *to)
{
	real *some = out ? NULL : l->be->alloc(l->be, (size_t)l->B * (size_t)l->H * sizeof *some);
	for (uint32_t i = 0; i < l->N; i++)
		l->host_rows[i] = i;
	l->be->upload(l->be, l->rows, l->host_rows, l->N * sizeof(uint32_t));
	for (uint32_t at = 0; at < l->N; at += (uint32_t)l->B) {
		int B = l->N - at < (uint32_t)l->B ? (int)(l->N - at) : l->B;
		load(l, at, B);
		if (out)
			encode(l, out + (size_t)at * (size_t)l->H, B);
		else
			encode_to(l, to, at, some, B);
	}
	l->be->release(l->be, some);
}

/* Rows of x from at on into the layer's batch, *B of them; returns them on the host. */
static const real *upload(struct pretrain_layer *l, struct rows *x, uint32_t at, uint32_t *B)
{
	*B = x->n - at < (uint32_t)l->B ? x->n - at : (uint32_t)l->B;
	const real *host = rows_get(x, at, *B);
	l->be->upload(l->be, l->x, host, *B * (size_t)l->V * sizeof *host);
	return host;
}

void pretrain_measure(struct pretrain_layer *l, struct rows *x, uint32_t epoch, double figure[PRETRAIN_FIGURES])
{
	for (int i = 0; i < PRETRAIN_FIGURES; i++)
		figure[i] = 0;
	for (uint32_t at = 0, B; at < x->n; at += B) {
		const real *host = upload(l, x, at, &B);
		l->kind->measure(l, host, (int)B, at, epoch, figure);
	}
	for (int i = 0; i < PRETRAIN_FIGURES; i++)
		figure[i] /= x->n;
}

void pretrain_codes(struct pretrain_layer *l, struct rows *x, struct rows *to)
{
	real *out = l->be->alloc(l->be, (size_t)l->B * (size_t)l->H * sizeof *out);
	for (uint32_t at = 0, B; at < x->n; at += B) {
		upload(l, x, at, &B);
		encode_to(l, to, at, out, (int)B);
	}
	l->be->release(l->be, out);
}

int pretrain_share(struct pretrain_layer *l, int due)
{
	struct ranks *r = l->a->ranks;
	const struct backend *be = l->be;
	size_t H = (size_t)l->H, B = (size_t)l->B;
	ranks_broadcast(r, &due, sizeof due);
	if (ranks_size(r) == 1 || !l->a->persistent || !due)
		return due;
	int n = l->a->shards / ranks_size(r), from, rows = shards_of_rank(l->B, shards_rows(l->B, l->a->shards), n, ranks_rank(r), &from);
	real *device = l->param + l->states - B * H, *host = xcalloc(B * H, sizeof *host);
	size_t own = (size_t)from * H;
	be->download(be, host + own, device + own, (size_t)rows * H * sizeof *host);
	ranks_allreduce_or(r, host, B * H * sizeof *host);
	be->upload(be, device, host, B * H * sizeof *host);
	free(host);
	return due;
}

void pretrain_free(struct pretrain_layer *l)
{
	const struct backend *be = l->be;
	if (l->sum)
		tree_close(&l->tree), be->release(be, l->sum);
	l->kind->close(l);
	be->release(be, l->param), be->release(be, l->x - (l->kind->before ? (size_t)l->B * (size_t)l->V : 0)), be->release(be, l->loss),
		be->release(be, l->rows);
	free(l->host_rows), free(l);
}
