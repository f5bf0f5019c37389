/* Random numbers one after another for one thing: the element of Philox's counter counts them, so what is drawn depends on
 * the thing (seed, purpose, epoch, row) and on the order within it alone. */
#ifndef DICE_H
#define DICE_H

#include "lib/base/philox.h"

struct dice {
	uint64_t seed;
	uint32_t purpose, epoch, row, at; /* at: words drawn */
	struct philox block;
};

static inline struct dice dice_for(uint64_t seed, uint32_t purpose, uint32_t epoch, uint32_t row, uint32_t at)
{
	struct dice d = {seed, purpose, epoch, row, at * 4, {{0, 0, 0, 0}}};
	return d;
}

static inline uint32_t dice_word(struct dice *d)
{
	if (d->at % 4 == 0)
		d->block = philox(d->seed, d->purpose, d->epoch, d->row, d->at / 4);
	return d->block.v[d->at++ % 4];
}

/* Uniform in [0, 1). */
static inline float dice_unit(struct dice *d)
{
	return philox_unit(dice_word(d));
}

static inline float dice_from(struct dice *d, float lo, float hi)
{
	return lo + (hi - lo) * dice_unit(d);
}

static inline int dice_below(struct dice *d, int n)
{
	return (int)philox_below(dice_word(d), (uint32_t)n);
}

static inline int dice_chance(struct dice *d, float p)
{
	return dice_unit(d) < p;
}

/* Nearly normal, never beyond 3 deviations (made faces must stay faces): three uniform numbers, summed. */
static inline float dice_normal(struct dice *d)
{
	float s = 0;
	for (int i = 0; i < 3; i++)
		s += dice_unit(d);
	return (s - 1.5f) * 2;
}

#endif
