/* The order of rows in an epoch: a random permutation of 0..n-1 by Fisher-Yates, random numbers by Philox (seed, PHILOX_SHUFFLE, epoch). */
#ifndef SHUFFLE_H
#define SHUFFLE_H

#include "lib/base/philox.h"

static inline void shuffle(uint32_t *rows, uint32_t n, uint64_t seed, uint32_t epoch)
{
	for (uint32_t i = 0; i < n; i++)
		rows[i] = i;
	for (uint32_t i = n; i > 1; i--) {
		uint32_t k = philox_below(philox(seed, PHILOX_SHUFFLE, epoch, i, 0).v[0], i), t = rows[k];
		rows[k] = rows[i - 1], rows[i - 1] = t;
	}
}

#endif
