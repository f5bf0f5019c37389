/* Sequential random numbers over Philox: one random stream for each (seed, purpose, epoch, row), in which the counter's element counts
 * blocks of 4 words. A number depends on its stream and its position in it alone. */
#ifndef RNG_H
#define RNG_H

#include "lib/base/philox.h"

struct rng {
	uint64_t seed;
	uint32_t purpose, epoch, row, at; /* at: words drawn */
	struct philox block;
};

/* The stream from block at on, of 4 words each. */
static inline struct rng rng_init(uint64_t seed, uint32_t purpose, uint32_t epoch, uint32_t row, uint32_t at)
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
	return philox_uniform(rng_word(rng));
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

/* Approximately standard normal, within 3 standard deviations (synthetic faces must stay plausible): a sum of three uniform numbers. */
static inline float rng_normal(struct rng *rng)
{
	float s = 0;
	for (int i = 0; i < 3; i++)
		s += rng_uniform(rng);
	return (s - 1.5f) * 2;
}

#endif
