/* What is odd about all labels of an import, in the file's own numbers: missing ones written as numbers, and shares of the image's size in
 * place of pixels, and predictions in place of labels. None can be told by one label: the end of a run says it. */
#ifndef DOUBTS_H
#define DOUBTS_H

#include <stdint.h>

#define DOUBTS_SURE 0.5
enum { DOUBTS_PAIRS = 16, DOUBTS_REPEATS = 3 };

struct doubts { /* all zero at the beginning */
	struct {
		double xy[2];
		uint64_t n;
	} pair[DOUBTS_PAIRS]; /* the first different pairs of which neither number is above 0 */
	int pairs;
	double low, high; /* of all coordinates */
	uint64_t coordinates;
	int fractions;		/* 1: not all coordinates are whole numbers */
	uint64_t rated, unsure; /* labels of which it is known how sure they are; of these, less than DOUBTS_SURE */
	int told;		/* set by the caller: 1: how missing labels look is known, pairs are not counted */
};

/* K labels (K, 2), NaN where missing; confidence (K), NaN where unknown, or NULL. */
void doubts_add(struct doubts *d, const double *points, const double *confidence, int K);
/* "0,0 (12 labels), -1,-1 (5)": pairs that stand in DOUBTS_REPEATS labels or more, to be freed; NULL: there are none. */
char *doubts_repeated(const struct doubts *d);
char *doubts_numbers(const struct doubts *d); /* what --missing would take for none of them, to be freed: "0,-1" */
/* 1: no label is further from 0 than shares are, as in csv-clean, and not all are whole numbers. */
int doubts_are_shares(const struct doubts *d);

#endif
