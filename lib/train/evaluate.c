/* Validation: batches forward, losses and errors summed in their order. */
#include "lib/train/evaluate.h"

#include <math.h>
#include <stdlib.h>

#include "lib/base/err.h"

double evaluate_mean(const struct backend *be, const double *device, uint32_t n, double by)
{
	double *loss = xcalloc(n, sizeof *loss), sum = 0;
	be->download(be, loss, device, n * sizeof *loss);
	for (uint32_t i = 0; i < n; i++)
		sum += loss[i];
	free(loss);
	return sum / by;
}

void evaluate_merge(const struct backend *be, struct ranks *r, void *device, size_t bytes)
{
	if (ranks_size(r) == 1)
		return;
	void *host = xmalloc(bytes);
	be->download(be, host, device, bytes);
	ranks_allreduce_or(r, host, bytes);
	be->upload(be, device, host, bytes);
	free(host);
}

static double wrong_labels(const struct model *m, const struct dataset *ds, uint32_t at, int B, const real *z)
{
	double sum = 0;
	for (int b = 0; b < B; b++, z += m->outputs) {
		int best = m->outputs == 1 ? z[0] > 0 : 0;
		for (int k = 1; k < m->outputs; k++)
			best = z[k] > z[best] ? k : best;
		sum += best != (int)ds->value[at + (uint32_t)b];
	}
	return sum;
}

static double squared_pixels(const struct dataset *ds, uint32_t at, int B, const float *xy)
{
	size_t k = (size_t)ds->k;
	double sum = 0;
	for (size_t i = 0; i < (size_t)B * k; i++) {
		double d = (double)xy[i] - (double)ds->value[at * k + i];
		sum += isnan(ds->value[at * k + i]) ? 0 : d * d;
	}
	return sum;
}

/* The error's sum over B rows of outputs (device), which buffers z or xy take. */
static double errors(const struct evaluation *e, const struct dataset *ds, uint32_t at, int B, const real *out, real *z, float *xy)
{
	const struct model *m = e->m;
	if (!m->points) {
		e->be->download(e->be, z, out, (size_t)B * (size_t)m->outputs * sizeof *z);
		return wrong_labels(m, ds, at, B, z);
	}
	decode(e->decoder, out, B, xy, NULL);
	model_add_asymmetry(m, xy, B);
	for (int b = 0; ds->from && b < B; b++)
		sources_add(m->sources, ds->from[at + (uint32_t)b], xy + b * ds->k);
	return squared_pixels(ds, at, B, xy);
}

struct train_score evaluate(const struct evaluation *e, const struct dataset *ds, struct feed *feed, struct targets *tg)
{
	const struct model *m = e->m;
	const struct backend *be = e->be;
	uint32_t size = (uint32_t)e->net->B, batches = (ds->n + size - 1) / size;
	double sum = 0, labels = 0, *part = xcalloc(batches, sizeof *part);
	real *z = xcalloc((size_t)size * (size_t)(m->points ? 1 : m->outputs), sizeof *z);
	float *xy = xcalloc((size_t)size * (size_t)ds->k + 1, sizeof *xy);
	for (uint32_t i = 0; i < ds->n; i++)
		e->order[i] = i;
	be->upload(be, e->rows, e->order, ds->n * sizeof *e->rows);
	if (ranks_size(e->ranks) > 1)
		be->zero(be, e->loss, ds->n * sizeof *e->loss);
	for (uint32_t i = 0; i < batches; i++) {
		uint32_t at = i * size;
		int B = ds->n - at < size ? (int)(ds->n - at) : (int)size, owner = (int)(i % (uint32_t)ranks_size(e->ranks));
		feed_scatter(feed, owner, e->order + at, B);
		if (owner != ranks_rank(e->ranks))
			continue;
		struct net_pass pass = {0};
		feed_load(feed, e->x, e->order + at, e->rows + at, B, ranks_size(e->ranks) > 1 ? 0 : ds->n - at - (uint32_t)B, m->mul,
			m->add, NULL);
		real *out = net_forward(e->net, e->x, B, &pass);
		targets_loss(tg, e->loss + at, NULL, out, e->rows + at, at, B, targets_count(tg, e->order + at, B));
		part[i] = errors(e, ds, at, B, out, z, xy);
	}
	ranks_allreduce_or(e->ranks, part, batches * sizeof *part);
	evaluate_merge(be, e->ranks, e->loss, ds->n * sizeof *e->loss);
	for (uint32_t i = 0; i < batches; i++)
		sum += part[i];
	for (size_t i = 0; m->points && i < (size_t)ds->n * (size_t)ds->k; i++)
		labels += !isnan(ds->value[i]);
	free(z), free(xy), free(part);
	return (struct train_score){evaluate_mean(be, e->loss, ds->n, targets_count(tg, NULL, (int)ds->n)),
		m->points ? sqrt(sum / (labels > 0 ? labels : 1)) : sum / ds->n};
}
