/* A sample of n rows, uniform, without replacement: those with the n smallest random keys, a row's key by Philox (seed, PHILOX_SAMPLE, high
 * half of its number, low half, 0). So the same rows are drawn whether they stream by or are all at hand. Memory: of n rows. */
#ifndef ROW_SAMPLE_H
#define ROW_SAMPLE_H

#include <stddef.h>
#include <stdint.h>

struct row_drawn {
	uint64_t key, row;
	size_t slot; /* below n: a place for the row's content, which no other of the sample has */
};

struct row_sample {
	uint64_t n, seed;
	size_t count;		 /* rows in the sample so far */
	struct row_drawn *drawn; /* a heap, the largest key first; after row_sample_end by row */
};

void row_sample_begin(struct row_sample *s, uint64_t n, uint64_t seed); /* n is at least 1 */
/* Offers a row, each once. 1: it is in the sample, in *slot, which may have been that of a row that leaves it; 0: it is not. */
int row_sample_offer(struct row_sample *s, uint64_t row, size_t *slot);
void row_sample_end(struct row_sample *s); /* sorts by row */
void row_sample_free(struct row_sample *s);

#endif
