/* A layer that learns without labels: memory, initial weights, epochs; steps are its kind's. */
#include "lib/train/pretrain.h"

#include <math.h>
#include <stdlib.h>

#include "lib/base/err.h"
#include "lib/base/philox.h"
#include "lib/base/shuffle.h"

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
	return l;
}

/* The rows of an epoch from at on. */
static void load(struct pretrain_layer *l, const uint8_t *bytes, const real *codes, uint32_t at, int B)
{
	const uint32_t *rows = l->rows + at;
	if (l->load)
		l->load(l, l->host_rows + at, rows, B, l->N - at - (uint32_t)B);
	else if (bytes)
		l->be->load_batch(l->be, l->x, bytes, rows, B, 1, 1, l->V, l->mul, l->add, NULL);
	else
		l->be->gather(l->be, l->x, codes, rows, B, l->V);
}

double pretrain_epoch(struct pretrain_layer *l, const uint8_t *bytes, const real *codes, uint32_t epoch)
{
	const struct backend *be = l->be;
	uint32_t size = (uint32_t)l->B, count = (epoch - 1) * ((l->N + size - 1) / size);
	shuffle(l->host_rows, l->N, l->a->seed, epoch);
	be->upload(be, l->rows, l->host_rows, l->N * sizeof(uint32_t));
	for (uint32_t at = 0; at < l->N; at += size) {
		int B = l->N - at < size ? (int)(l->N - at) : l->B;
		load(l, bytes, codes, at, B);
		l->kind->step(l, at, B, epoch, count++);
	}
	if (!l->kind->losses)
		return NAN;
	double *loss = xcalloc(l->N, sizeof *loss), sum = 0;
	be->download(be, loss, l->loss, l->N * sizeof *loss);
	for (uint32_t i = 0; i < l->N; i++)
		sum += loss[i];
	free(loss);
	return sum / l->N;
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

void pretrain_encode(struct pretrain_layer *l, const uint8_t *bytes, const real *codes, real *out, struct rows *to)
{
	real *some = out ? NULL : l->be->alloc(l->be, (size_t)l->B * (size_t)l->H * sizeof *some);
	for (uint32_t i = 0; i < l->N; i++)
		l->host_rows[i] = i;
	l->be->upload(l->be, l->rows, l->host_rows, l->N * sizeof(uint32_t));
	for (uint32_t at = 0; at < l->N; at += (uint32_t)l->B) {
		int B = l->N - at < (uint32_t)l->B ? (int)(l->N - at) : l->B;
		load(l, bytes, codes, at, B);
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

void pretrain_free(struct pretrain_layer *l)
{
	const struct backend *be = l->be;
	l->kind->close(l);
	be->release(be, l->param), be->release(be, l->x - (l->kind->before ? (size_t)l->B * (size_t)l->V : 0)), be->release(be, l->loss),
		be->release(be, l->rows);
	free(l->host_rows), free(l);
}
