/* Confidence intervals of differences between models by the paired bootstrap (Efron and Tibshirani, 1993, chapters 13 and 16): groups of
 * rows are drawn with replacement, as many as there are, the same ones for all models, and each measure is computed of the groups drawn. */
#ifndef BOOTSTRAP_H
#define BOOTSTRAP_H

#include <stddef.h>
#include <stdint.h>

enum { BOOTSTRAP_RESAMPLES = 2000 };

/* A measure of a model is the sum of its numerators over groups by the sum of the denominators, or the root of that. */
struct bootstrap {
	uint32_t groups;
	int models, measures;
	const double *num; /* (groups, models, measures) */
	const double *den; /* (groups, measures): the models are measured on the same rows */
	const char *root;  /* (measures) 1: the root */
};

struct bootstrap_result {
	double value;	   /* of all groups once; NaN where the denominator is 0 */
	double difference; /* to model 0's */
	double low,
		high; /* the difference's 2.5% and 97.5% quantiles over resamples, interpolated; NaN: fewer than two groups, or no value */
};

/* out (models, measures). Resample r draws its groups by Philox (seed, PHILOX_BOOTSTRAP, 0, r, .), four to an element: the same bits
 * wherever it runs. resamples: at least 2. Resamples without a denominator don't count. */
void bootstrap(const struct bootstrap *b, int resamples, uint64_t seed, struct bootstrap_result *out);

#endif
