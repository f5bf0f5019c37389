/* Random numbers one after another for one thing: the element of Philox's counter counts them, so what is drawn depends on
 * the thing (seed, purpose, epoch, row) and on the order within it alone. */
#ifndef RNG_H
#define RNG_H

#include "lib/base/philox.h"

struct rng {
	uint64_t seed;
	uint32_t purpose, epoch, row, at; /* at: words drawn */
	struct philox block;
};

static inline struct rng rng_for(uint64_t seed, uint32_t purpose, uint32_t epoch, uint32_t row, uint32_t at)
{
	struct rng rng = {seed, purpose, epoch, row, at * 4, {{0, 0, 0, 0}}};
	return rng;
}

static inline uint32_t rng_word(struct rng *rng)
{
	if (rng->at % 4 == 0)
		rng->block = philox(rng->seed, rng->purpose, rng->epoch, rng->row, rng->at / 4);
	return rng->block.v[rng->at++ % 4];
}

/* Uniform in [0, 1). */
static inline float rng_uniform(struct rng *rng)
{
	return philox_unit(rng_word(rng));
}

static inline float rng_range(struct rng *rng, float lo, float hi)
{
	return lo + (hi - lo) * rng_uniform(rng);
}

static inline int rng_below(struct rng *rng, int n)
{
	return (int)philox_below(rng_word(rng), (uint32_t)n);
}

static inline int rng_chance(struct rng *rng, float p)
{
	return rng_uniform(rng) < p;
}

/* Nearly normal, never beyond 3 deviations (made faces must stay faces): three uniform numbers, summed. */
static inline float rng_normal(struct rng *rng)
{
	float s = 0;
	for (int i = 0; i < 3; i++)
		s += rng_uniform(rng);
	return (s - 1.5f) * 2;
}

#endif
