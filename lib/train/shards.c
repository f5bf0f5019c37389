/* Steps in shards: this rank's, and the exchange with the others'. */
#include "lib/train/shards.h"

#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/base/crc.h"
#include "lib/base/err.h"
#include "lib/nn/net_shards.h"

static int is_power(int64_t n)
{
	return n > 0 && !(n & (n - 1));
}

/* The processors that this rank may use, shared with the other ranks that may. */
static int threads_here(const struct ranks *r)
{
	cpu_set_t set;
	int mine = sched_getaffinity(0, sizeof set, &set) ? 1 : CPU_COUNT(&set) / r->local;
	return mine > 1 ? mine : 1;
}

void shards_command(const struct ranks *r, const struct shards_command *c)
{
	char text[16];
	const char *by = r && !opt_given("shards") ? ", as under ranks if not given" : "";
	if (*by) {
		int shards = SHARDS_BY_RANKS;
		while (shards > 1 && shards > c->batch)
			shards /= 2;
		while (shards < r->size)
			shards *= 2;
		snprintf(text, sizeof text, "%d", shards);
		opt_set("shards", text);
	}
	if (!is_power(*c->shards))
		die_usage("--shards %lld: is no power of two", (long long)*c->shards);
	if (*c->shards < ranks_size(r))
		die_usage("--shards %lld: there are %d ranks, and each needs one", (long long)*c->shards, ranks_size(r));
	if (*c->shards > c->batch)
		die_usage("--shards %lld%s: a batch has only %lld rows", (long long)*c->shards, by, (long long)c->batch);
	if (!r)
		return;
	if (!*c->threads)
		*c->threads = threads_here(r);
	if (r->rank)
		*c->quiet = 1, *c->log = NULL;
}

void shards_tell(const struct ranks *r, int64_t shards, int quiet)
{
	if (ranks_size(r) == 1 || quiet || !r->steps)
		return;
	warn("%d ranks, %lld shards: in each of %llu steps a rank sent %.0f bytes, %.0f of them gradients%s", r->size, (long long)shards,
		(unsigned long long)r->steps, (double)r->bytes / (double)r->steps, (double)r->sums / (double)r->steps,
		r->fast ? ", and others, not counted, by AllReduce" : "");
}

int shards_cut(int B, int most, int s, int *from)
{
	*from = s < B / most + 1 ? s * most : B;
	*from = *from < B ? *from : B;
	return B - *from < most ? B - *from : most;
}

int shards_of_rank(int B, int most, int n, int rank, int *from)
{
	int end;
	shards_cut(B, most, n * rank, from), shards_cut(B, most, n * (rank + 1), &end);
	return end - *from;
}

void shards_compare(struct ranks *r, const struct backend *be, const real *weights, size_t n, const char *when)
{
	if (ranks_size(r) == 1)
		return;
	const real *w = be->map_device(be, weights, n * sizeof *w);
	char *what = xprintf("its weights %s", when);
	ranks_compare(r, crc_add(0, w, n * sizeof *w), what);
	be->unmap_device(be, w);
	free(what);
}

void shards_compare_runs(struct ranks *r, const struct backend *be, const char *key, int epoch, const real *weights, size_t n)
{
	if (ranks_size(r) == 1)
		return;
	ranks_compare(r, crc_add(0, key, strlen(key)), "its options or its data");
	ranks_compare(r, (uint32_t)epoch, "the epoch that it goes on from");
	shards_compare(r, be, weights, n, "at the start");
}

int shards_rows(int batch, int shards)
{
	return (batch + shards - 1) / shards;
}

struct shards {
	const struct model *m;
	struct net *net;
	struct ranks *ranks;
	int first, n; /* of this rank: the first shard, and how many it has */
	struct net_exchange exchange;
	struct net_shards *pass;
	struct net_shard *shard; /* (n) */
};

static void sum(void *arg, double *v, size_t n)
{
	struct shards *s = arg;
	ranks_allreduce(s->ranks, v, n);
}

static void ready(void *arg, size_t from)
{
	struct shards *s = arg;
	ranks_allreduce_from(s->ranks, from);
}

static void poll(void *arg)
{
	struct shards *s = arg;
	ranks_allreduce_poll(s->ranks);
}

void shards_made_by(const struct ranks *r, char **ranks, int resumed)
{
	int fast = r && r->fast;
	char *before = *ranks || !fast || !resumed ? *ranks : xstrdup("1"), *now = xprintf("%d", ranks_size(r));
	const char *last = before && strrchr(before, ',') ? strrchr(before, ',') + 1 : before;
	*ranks = before;
	if (last && strcmp(last, now)) {
		warn("--fast: the checkpoint was made by %s rank%s, and goes on with %s: its bits are neither's", before,
			strcmp(before, "1") ? "s" : "", now);
		*ranks = xprintf("%s,%s", before, now);
		free(before);
	} else if (!before && fast) {
		*ranks = xstrdup(now);
	}
	free(now);
}

struct shards *shards_new(const struct model *m, struct net *net, struct ranks *r, int shards)
{
	struct shards *s = xcalloc(1, sizeof *s);
	const struct backend *be = net->be;
	size_t B = (size_t)net->B;
	s->m = m, s->net = net, s->ranks = r, s->n = shards / ranks_size(r), s->first = s->n * ranks_rank(r);
	s->exchange = (struct net_exchange){s, sum, ready, poll};
	s->pass = net_shards_new(net, s->n, ranks_size(r) > 1 ? &s->exchange : NULL);
	s->shard = xcalloc((size_t)s->n, sizeof *s->shard);
	for (int k = 0; k < s->n; k++) {
		s->shard[k].x = be->alloc(be, B * (size_t)(m->W * m->H) * sizeof(real));
		s->shard[k].dz = be->alloc(be, B * (size_t)m->outputs * sizeof(real));
	}
	return s;
}

void shards_free(struct shards *s)
{
	if (!s)
		return;
	const struct backend *be = s->net->be;
	for (int k = 0; k < s->n; k++)
		be->release(be, (real *)s->shard[k].x), be->release(be, s->shard[k].dz);
	net_shards_free(s->pass);
	free(s->shard), free(s);
}

void shards_step(struct shards *s, struct targets *tg, const struct shards_batch *b, const struct net_step *step)
{
	const struct backend *be = s->net->be;
	const struct model *m = s->m;
	double count = targets_count(tg, b->order, b->B);
	int from[RANKS_MOST];
	for (int k = 1, first; k < ranks_size(s->ranks); k++) {
		int rows = shards_of_rank(b->B, s->net->B, s->n, k, &first);
		feed_scatter(b->feed, k, b->order + first, rows);
	}
	for (int k = 0; k < s->n; k++) {
		struct net_shard *p = &s->shard[k];
		p->B = shards_cut(b->B, s->net->B, s->first + k, &from[k]);
		p->pass = (struct net_pass){1, b->rows + from[k], b->seed, b->epoch};
		if (p->B)
			feed_load(b->feed, (real *)p->x, b->order + from[k], p->pass.rows, p->B, 0, m->mul, m->add, b->augment);
	}
	net_shards_forward(s->pass, s->shard, b->B);
	for (int k = 0; k < s->n; k++)
		if (s->shard[k].B)
			targets_loss(tg, b->loss + from[k], s->shard[k].dz, s->shard[k].z, s->shard[k].pass.rows, b->at + (uint32_t)from[k],
				s->shard[k].B, count);
	ranks_allreduce_begin(s->ranks, s->net->grad, s->net->d->nparam);
	net_shards_backward(s->pass, s->shard, b->B);
	ranks_allreduce_wait(s->ranks);
	net_step(s->net, step);
	if (step->opt.step % SHARDS_COMPARED == 0) {
		char *when = xprintf("after step %d", step->opt.step);
		shards_compare(s->ranks, be, s->net->param, s->net->d->nparam, when);
		free(when);
	}
}
