/* Sums of floats, bucket by bucket, while the caller computes. A bucket's sum is a binary tree over the ranks: in step d = 1, 2, 4, ...
 * those whose numbers differ by d exchange what they have. Of a large bucket each keeps one half of what it had (recursive halving), so
 * that less travels, and at the end the parts are exchanged the other way; the order of every element's sum is the same either way. A
 * device's floats are the transport's, or, without one of its own, are copied to the host's memory and back, a bucket at a time. */
#include <stdlib.h>
#include <string.h>

#include "lib/base/err.h"
#include "lib/ranks/ranks_link.h"

enum { FLIGHT = 8, SMALL = 4096, STEPS = 10 /* log2 RANKS_MOST */ };

struct bucket {
	float *v, *at;				/* its values, and where they come from and go to; the same but where they are copied */
	size_t n, lo[STEPS + 1], hi[STEPS + 1]; /* what is this rank's before each step */
	int number, halves, step, phase;	/* phase 0: sums; 1: parts; 2: done */
	struct ranks_request request;
	int begun;	     /* 1: the step's requests were made */
	float *other, *copy; /* (transport->floats): what came; where v is, if it is copied */
};

struct ranks_buckets {
	float *v;
	size_t n, from;	 /* v's values; those from `from` on are complete */
	int made, first; /* buckets made so far; the first not done */
	size_t cut;	 /* v from here on is in buckets */
	struct bucket flight[FLIGHT];
};

static int steps_of(const struct ranks *r)
{
	int steps = 0;
	while (1 << steps < r->size)
		steps++;
	return steps;
}

/* The half of the step that this rank keeps, or, kept 0, gives away. */
static void half_of(const struct ranks *r, const struct bucket *b, int step, int kept, size_t *lo, size_t *hi)
{
	size_t middle = b->lo[step] + (b->hi[step] - b->lo[step]) / 2;
	int upper = !!(r->rank & 1 << step) == kept;
	*lo = upper ? middle : b->lo[step], *hi = upper ? b->hi[step] : middle;
}

/* Begins the exchange of b's step. */
static void begin(struct ranks *r, struct bucket *b)
{
	int peer = r->rank ^ 1 << b->step, tag = RANKS_TAG_BUCKETS + b->number % 16384;
	b->begun = 1;
	if (r->fast) {
		r->transport->sum(r, &b->request, b->v, b->n);
		return;
	}
	size_t out[2] = {0, b->n}, in[2] = {0, b->n};
	if (b->halves) {
		half_of(r, b, b->step, 1, &in[0], &in[1]), half_of(r, b, b->step, 0, &out[0], &out[1]);
		if (b->phase) { /* the other way: this rank's half is complete */
			size_t t[2] = {in[0], in[1]};
			in[0] = out[0], in[1] = out[1], out[0] = t[0], out[1] = t[1];
		}
	}
	float *to = b->phase ? b->v + in[0] : b->other;
	r->transport->exchange(r, &b->request, peer, tag, b->v + out[0], out[1] - out[0], to, in[1] - in[0]);
	r->bytes += (out[1] - out[0]) * sizeof *to, r->sums += (out[1] - out[0]) * sizeof *to;
}

static int copied(const struct ranks *r)
{
	return r->device && r->transport == &ranks_allreduce_host;
}

static void complete(struct ranks *r, struct bucket *b)
{
	b->phase = 2;
	if (copied(r))
		r->device->upload(r->device->arg, b->at, b->v, b->n * sizeof *b->v);
}

/* The exchange of b's step is done. */
static void end(struct ranks *r, struct bucket *b)
{
	b->begun = 0;
	if (r->fast || (b->phase && !b->step)) {
		complete(r, b);
		return;
	}
	if (b->phase) {
		b->step--;
		return;
	}
	size_t lo = 0, hi = b->n;
	if (b->halves)
		half_of(r, b, b->step, 1, &lo, &hi);
	r->transport->add(r, b->v + lo, b->other, hi - lo);
	b->step++;
	b->lo[b->step] = lo, b->hi[b->step] = hi;
	if (b->step < steps_of(r))
		return;
	if (b->halves)
		b->phase = 1, b->step--;
	else
		complete(r, b);
}

static void advance(struct ranks *r, struct bucket *b)
{
	while (b->phase < 2) {
		if (!b->begun)
			begin(r, b);
		if (!r->transport->done(r, &b->request))
			return;
		end(r, b);
	}
}

void ranks_allreduce_begin(struct ranks *r, float *v, size_t n)
{
	if (ranks_size(r) == 1)
		return;
	if (!r->buckets)
		r->buckets = xcalloc(1, sizeof *r->buckets);
	struct ranks_buckets *s = r->buckets;
	r->steps++;
	s->v = v, s->n = s->from = s->cut = n, s->made = s->first = 0;
}

static void pass_done(const struct ranks *r)
{
	struct ranks_buckets *s = r->buckets;
	while (s->first < s->made && s->flight[s->first % r->transport->flight].phase == 2)
		s->first++;
}

/* Makes buckets while values and room are there: all: of what is left, too. */
static void make(struct ranks *r, int all)
{
	struct ranks_buckets *s = r->buckets;
	const struct ranks_transport *t = r->transport;
	while (s->made - s->first < t->flight && s->cut > s->from && (all || s->cut - s->from >= t->floats)) {
		struct bucket *b = &s->flight[s->made % t->flight];
		size_t n = s->cut - s->from < t->floats ? s->cut - s->from : t->floats;
		float *other = b->other || r->fast ? b->other : t->alloc(r, t->floats), *copy = b->copy;
		if (copied(r) && !copy)
			copy = t->alloc(r, t->floats);
		s->cut -= n;
		*b = (struct bucket){.at = s->v + s->cut, .n = n, .number = s->made++, .halves = n >= SMALL && r->size > 2};
		b->hi[0] = n, b->other = other, b->copy = copy, b->v = copy ? copy : b->at;
		if (copy)
			r->device->download(r->device->arg, copy, b->at, n * sizeof *copy);
		advance(r, b), pass_done(r);
	}
}

void ranks_allreduce_poll(struct ranks *r)
{
	if (ranks_size(r) == 1)
		return;
	struct ranks_buckets *s = r->buckets;
	for (int i = s->first; i < s->made; i++)
		advance(r, &s->flight[i % r->transport->flight]);
	pass_done(r);
}

void ranks_allreduce_from(struct ranks *r, size_t from)
{
	if (ranks_size(r) == 1)
		return;
	r->buckets->from = from;
	ranks_allreduce_poll(r), make(r, 0);
}

void ranks_allreduce_wait(struct ranks *r)
{
	if (ranks_size(r) == 1)
		return;
	struct ranks_buckets *s = r->buckets;
	for (int tries = 0; make(r, 1), s->first < s->made; tries++) {
		int first = s->first;
		ranks_allreduce_poll(r);
		tries = s->first > first ? 0 : tries;
		if (s->first < s->made)
			ranks_pause(tries);
	}
}

/* The host's memory: both halves of an exchange are requests of the link. */

static void exchange(struct ranks *r, struct ranks_request *q, int peer, int tag, const float *out, size_t sent, float *in, size_t received)
{
	q->from = r->link->receive(peer, tag, in, received * sizeof *in);
	q->to = r->link->send(peer, tag, out, sent * sizeof *out);
}

static void sum(struct ranks *r, struct ranks_request *q, float *v, size_t n)
{
	*q = (struct ranks_request){.from = r->link->sum(v, n)};
}

static int done(struct ranks *r, struct ranks_request *q)
{
	q->from = q->from && r->link->done(q->from) ? NULL : q->from;
	q->to = q->to && r->link->done(q->to) ? NULL : q->to;
	return !q->from && !q->to;
}

static void add(struct ranks *r, float *y, const float *x, size_t n)
{
	(void)r;
	for (size_t i = 0; i < n; i++)
		y[i] += x[i];
}

static float *alloc(struct ranks *r, size_t n)
{
	(void)r;
	return xcalloc(n, sizeof(float));
}

static void release(struct ranks *r, float *v)
{
	(void)r;
	free(v);
}

const struct ranks_transport ranks_allreduce_host = {.floats = RANKS_BUCKET / sizeof(float),
	.flight = FLIGHT,
	.exchange = exchange,
	.sum = sum,
	.done = done,
	.add = add,
	.alloc = alloc,
	.release = release};

void ranks_allreduce_open(struct ranks *r, const struct ranks_device *d)
{
	if (ranks_size(r) == 1)
		return;
	r->device = d;
	const struct ranks_transport *nccl = ranks_nccl_open(r);
	r->transport = nccl ? nccl : &ranks_allreduce_host;
}

void ranks_allreduce_close(struct ranks *r)
{
	if (ranks_size(r) == 1)
		return;
	for (int i = 0; r->buckets && i < FLIGHT; i++)
		r->transport->release(r, r->buckets->flight[i].other), r->transport->release(r, r->buckets->flight[i].copy);
	free(r->buckets);
	if (r->transport->close)
		r->transport->close(r);
	r->buckets = NULL, r->device = NULL, r->transport = &ranks_allreduce_host;
}

const char *ranks_allreduce_by(const struct ranks *r)
{
	return r->transport == &ranks_allreduce_host ? "MPI" : ranks_nccl_name();
}
