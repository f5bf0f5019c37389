/* Sums of floats, bucket by bucket, while the caller computes. A bucket's sum is a binary tree over the ranks: in step d = 1, 2, 4, ...
 * those whose numbers differ by d exchange what they have. Of a large bucket each keeps one half of what it had (recursive halving), so
 * that less travels, and at the end the parts are exchanged the other way; the order of every element's sum is the same either way. */
#include <stdlib.h>
#include <string.h>

#include "lib/base/err.h"
#include "lib/ranks/ranks_link.h"

enum { FLIGHT = 8, SMALL = 4096, FLOATS = RANKS_BUCKET / (int)sizeof(float), STEPS = 10 /* log2 RANKS_MOST */ };

struct bucket {
	float *v;
	size_t n, lo[STEPS + 1], hi[STEPS + 1]; /* what is this rank's before each step */
	int number, halves, step, phase;	/* phase 0: sums; 1: parts; 2: done */
	void *to, *from;			/* requests; NULL: none, or done */
	int begun;				/* 1: the step's requests were made */
	float *other;				/* (FLOATS): what came */
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
	size_t out[2] = {0, b->n}, in[2] = {0, b->n};
	if (b->halves) {
		half_of(r, b, b->step, 1, &in[0], &in[1]), half_of(r, b, b->step, 0, &out[0], &out[1]);
		if (b->phase) { /* the other way: this rank's half is complete */
			size_t t[2] = {in[0], in[1]};
			in[0] = out[0], in[1] = out[1], out[0] = t[0], out[1] = t[1];
		}
	}
	float *to = b->phase ? b->v + in[0] : b->other;
	b->from = r->link->receive(peer, tag, to, (in[1] - in[0]) * sizeof *to);
	b->to = r->link->send(peer, tag, b->v + out[0], (out[1] - out[0]) * sizeof *to);
	r->bytes += (out[1] - out[0]) * sizeof *to, r->sums += (out[1] - out[0]) * sizeof *to;
	b->begun = 1;
}

/* The exchange of b's step is done. */
static void end(struct ranks *r, struct bucket *b)
{
	b->begun = 0;
	if (b->phase) {
		b->phase = b->step-- ? 1 : 2;
		return;
	}
	size_t lo = 0, hi = b->n;
	if (b->halves)
		half_of(r, b, b->step, 1, &lo, &hi);
	for (size_t i = lo; i < hi; i++)
		b->v[i] += b->other[i - lo];
	b->step++;
	b->lo[b->step] = lo, b->hi[b->step] = hi;
	if (b->step == steps_of(r))
		b->phase = b->halves ? 1 : 2, b->step--;
}

static void advance(struct ranks *r, struct bucket *b)
{
	while (b->phase < 2) {
		if (!b->begun)
			begin(r, b);
		b->from = b->from && r->link->done(b->from) ? NULL : b->from;
		b->to = b->to && r->link->done(b->to) ? NULL : b->to;
		if (b->from || b->to)
			return;
		end(r, b);
	}
}

void ranks_sum_begin(struct ranks *r, float *v, size_t n)
{
	if (ranks_size(r) == 1)
		return;
	if (!r->buckets)
		r->buckets = xcalloc(1, sizeof *r->buckets);
	struct ranks_buckets *s = r->buckets;
	r->steps++;
	s->v = v, s->n = s->from = s->cut = n, s->made = s->first = 0;
}

/* Makes buckets while values and room are there: all: of what is left, too. */
static void make(struct ranks *r, int all)
{
	struct ranks_buckets *s = r->buckets;
	while (s->made - s->first < FLIGHT && s->cut > s->from && (all || s->cut - s->from >= FLOATS)) {
		struct bucket *b = &s->flight[s->made % FLIGHT];
		size_t n = s->cut - s->from < FLOATS ? s->cut - s->from : FLOATS;
		float *other = b->other ? b->other : xmalloc(FLOATS * sizeof *other);
		s->cut -= n;
		*b = (struct bucket){.v = s->v + s->cut, .n = n, .number = s->made++, .halves = n >= SMALL && r->size > 2, .other = other};
		b->hi[0] = n;
		advance(r, b);
	}
}

void ranks_sum_poll(struct ranks *r)
{
	if (ranks_size(r) == 1)
		return;
	struct ranks_buckets *s = r->buckets;
	for (int i = s->first; i < s->made; i++)
		advance(r, &s->flight[i % FLIGHT]);
	while (s->first < s->made && s->flight[s->first % FLIGHT].phase == 2)
		s->first++;
}

void ranks_sum_from(struct ranks *r, size_t from)
{
	if (ranks_size(r) == 1)
		return;
	r->buckets->from = from;
	ranks_sum_poll(r), make(r, 0);
}

void ranks_sum_wait(struct ranks *r)
{
	if (ranks_size(r) == 1)
		return;
	struct ranks_buckets *s = r->buckets;
	for (int tries = 0; make(r, 1), s->first < s->made; tries++) {
		int first = s->first;
		ranks_sum_poll(r);
		tries = s->first > first ? 0 : tries;
		if (s->first < s->made)
			ranks_pause(tries);
	}
}

void ranks_sum_free(struct ranks *r)
{
	for (int i = 0; r->buckets && i < FLIGHT; i++)
		free(r->buckets->flight[i].other);
	free(r->buckets);
	r->buckets = NULL;
}
