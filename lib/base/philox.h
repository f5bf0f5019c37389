/* Counter-based random numbers: a number is a function of seed and counter, never of the order of drawing.
 * Philox4x32-10, Salmon et al., "Parallel random numbers: as easy as 1, 2, 3", SC 2011.
 * One inline header for C, C++ and CUDA, so that lib and every backend draw the same bits. */
#ifndef PHILOX_H
#define PHILOX_H

#include <math.h>
#include <stdint.h>

#ifdef __CUDACC__
#define PHILOX_FN __host__ __device__ static inline
#else
#define PHILOX_FN static inline
#endif

/* What a number is for; part of the counter, so that two uses never share a random stream. Append only: the values affect results. */
enum philox_purpose {
	PHILOX_INIT,	/* initial weights */
	PHILOX_SHUFFLE, /* order of rows in an epoch */
	PHILOX_MASK,	/* masking noise of the autoencoder */
	PHILOX_DROPOUT,
	PHILOX_AUGMENT,
	PHILOX_NOISE, /* pixel noise of augmentation */
	PHILOX_SPLIT,
	PHILOX_PATCH,
	PHILOX_FACE,
	PHILOX_LABEL_NOISE,
	PHILOX_PIXEL, /* pixel noise of synthetic faces */
	PHILOX_TEST,
	PHILOX_SAMPLE, /* sample of rows */
	PHILOX_BOOTSTRAP,
	PHILOX_GIBBS, /* units of Boltzmann machines */
	PHILOX_FLIP,  /* the value of a row that a pseudo-likelihood is of */
};

struct philox {
	uint32_t v[4];
};

/* Of Philox4x32: multipliers, and steps of the key between rounds; for those who compute blocks in vectors. */
#define PHILOX_M0 0xD2511F53u
#define PHILOX_M1 0xCD9E8D57u
#define PHILOX_W0 0x9E3779B9u
#define PHILOX_W1 0xBB67AE85u
#define PHILOX_ROUNDS 10

/* Philox of the counter (element, row, epoch, purpose) with a 64-bit seed as key: four independent uniform 32-bit words. */
PHILOX_FN struct philox philox(uint64_t seed, uint32_t purpose, uint32_t epoch, uint32_t row, uint32_t element)
{
	struct philox c;
	uint32_t k0 = (uint32_t)seed, k1 = (uint32_t)(seed >> 32);
	c.v[0] = element, c.v[1] = row, c.v[2] = epoch, c.v[3] = purpose;
	for (int r = 0; r < PHILOX_ROUNDS; r++) {
		uint64_t p0 = (uint64_t)PHILOX_M0 * c.v[0], p1 = (uint64_t)PHILOX_M1 * c.v[2];
		uint32_t n0 = (uint32_t)(p1 >> 32) ^ c.v[1] ^ k0, n2 = (uint32_t)(p0 >> 32) ^ c.v[3] ^ k1;
		c.v[0] = n0, c.v[1] = (uint32_t)p1, c.v[2] = n2, c.v[3] = (uint32_t)p0;
		k0 += PHILOX_W0, k1 += PHILOX_W1;
	}
	return c;
}

/* A word as a uniform number in [0, 1), a multiple of 2^-24, exact in float. */
PHILOX_FN float philox_uniform(uint32_t v)
{
	return (float)(v >> 8) * (1.0f / 16777216.0f);
}

/* A word as an integer in [0, n), n > 0; biased by less than n / 2^32. */
PHILOX_FN uint32_t philox_below(uint32_t v, uint32_t n)
{
	return (uint32_t)(((uint64_t)v * n) >> 32);
}

/* Two words as a standard normal number (Box and Muller, 1958); the logarithm's argument is in (0, 1]. */
PHILOX_FN float philox_normal(uint32_t a, uint32_t b)
{
	double u = ((double)a + 1.0) / 4294967296.0, v = (double)b / 4294967296.0;
	return (float)(sqrt(-2.0 * log(u)) * cos(6.283185307179586 * v));
}

#endif
