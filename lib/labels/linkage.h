/* Groups of vectors: average linkage (UPGMA: Sokal and Michener, University of Kansas Science Bulletin 38, 1958) of unit vectors by their
 * products, cut at a threshold that needs no labels. Unlike connected components it forms no chains: two groups are joined only if their
 * products are high on average. Time is quadratic in N, memory linear. */
#ifndef LINKAGE_H
#define LINKAGE_H

#include <stdint.h>

/* The product of two vectors of D values, a multiple of 8; the same for (a, b) and (b, a). */
float linkage_product(const float *a, const float *b, int D);
/* A threshold for linkage_average. Products of unrelated vectors scatter about zero to both sides, so that pairs at or below -t tell how
 * many of those at or above t chance made (as in knockoffs: Barber and Candes, Annals of Statistics 43, 2015, equation 1.9). Going down
 * from 1, t is accepted once the first, plus one, are at most `odds` times the second; returned is the last t before one that is not: a
 * multiple of 1/LINKAGE_STEPS, or 2, which no product reaches, if none was. x: (N, D). nearest (N): each vector's highest product with
 * another. */
enum { LINKAGE_STEPS = 1024 };
float linkage_threshold(const float *x, uint32_t n, int D, double odds, float *nearest);
/* Returns (N) the first vector of each one's group, freed by the caller: groups are joined, most alike first, while the mean product
 * between two is at least the threshold, more than 0. nearest: from linkage_threshold. */
uint32_t *linkage_average(const float *x, uint32_t n, int D, float threshold, const float *nearest);

#endif
