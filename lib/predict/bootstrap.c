/* Sums over groups drawn at random. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/ascending.h"
#include "lib/base/err.h"
#include "lib/base/rng.h"
#include "lib/predict/bootstrap.h"

static void add(const struct bootstrap *b, uint32_t g, double *num, double *den)
{
	size_t n = (size_t)b->models * (size_t)b->measures, m = (size_t)b->measures;
	for (size_t i = 0; i < n; i++)
		num[i] += b->num[g * n + i];
	for (size_t i = 0; i < m; i++)
		den[i] += b->den[g * m + i];
}

static double value(const struct bootstrap *b, const double *num, const double *den, int model, int measure)
{
	double v = den[measure] > 0 ? num[model * b->measures + measure] / den[measure] : NAN;
	return b->root[measure] ? sqrt(v) : v;
}

static double quantile(const double *sorted, size_t n, double q)
{
	double at = q * (double)(n - 1);
	size_t i = (size_t)at;
	return i + 1 < n ? sorted[i] + (at - (double)i) * (sorted[i + 1] - sorted[i]) : sorted[n - 1];
}

void bootstrap(const struct bootstrap *b, int resamples, uint64_t seed, struct bootstrap_result *out)
{
	size_t n = (size_t)b->models * (size_t)b->measures, R = (size_t)resamples;
	double *num = xcalloc(n, sizeof *num), *den = xcalloc((size_t)b->measures, sizeof *den);
	double *difference = xcalloc(n * R, sizeof *difference); /* (models, measures, resamples) */
	for (uint32_t g = 0; g < b->groups; g++)
		add(b, g, num, den);
	for (int i = 0; i < b->models; i++)
		for (int k = 0; k < b->measures; k++) {
			double v = value(b, num, den, i, k);
			out[i * b->measures + k] = (struct bootstrap_result){v, v - value(b, num, den, 0, k), NAN, NAN};
		}
	for (size_t r = 0; b->groups > 1 && r < R; r++) {
		struct rng rng = rng_init(seed, PHILOX_BOOTSTRAP, 0, (uint32_t)r, 0);
		memset(num, 0, n * sizeof *num), memset(den, 0, (size_t)b->measures * sizeof *den);
		for (uint32_t g = 0; g < b->groups; g++)
			add(b, philox_below(rng_word(&rng), b->groups), num, den);
		for (int i = 0; i < b->models; i++)
			for (int k = 0; k < b->measures; k++)
				difference[((size_t)i * (size_t)b->measures + (size_t)k) * R + r] =
					value(b, num, den, i, k) - value(b, num, den, 0, k);
	}
	for (size_t i = 0; b->groups > 1 && i < n; i++) {
		double *d = difference + i * R;
		size_t good = 0;
		for (size_t r = 0; r < R; r++)
			if (!isnan(d[r]))
				d[good++] = d[r];
		if (!good || isnan(out[i].value))
			continue;
		qsort(d, good, sizeof *d, ascending_double);
		out[i].low = quantile(d, good, 0.025), out[i].high = quantile(d, good, 0.975);
	}
	free(num), free(den), free(difference);
}
