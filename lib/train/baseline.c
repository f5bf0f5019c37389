/* Means and frequencies. */
#include <math.h>
#include <stdlib.h>

#include "lib/base/err.h"
#include "lib/train/baseline.h"

double *baseline_mean(const struct dataset *train)
{
	size_t K = (size_t)train->k;
	double *mean = xcalloc(K + 1, sizeof *mean);
	for (size_t k = 0; k < K; k++) {
		double sum = 0, n = 0;
		for (uint32_t i = 0; i < train->n; i++) {
			float v = train->value[i * K + k];
			double w = train->weight ? (double)train->weight[(i * K + k) / 2] : 1;
			if (!isnan(v))
				sum += w * (double)v, n += w;
		}
		mean[k] = n > 0 ? sum / n : 0.5 * ((k % 2 ? train->H : train->W) - 1);
	}
	return mean;
}

struct baseline baseline_points(const struct dataset *train, const struct dataset *ds)
{
	size_t K = (size_t)train->k;
	double *mean = baseline_mean(train), square = 0, count = 0;
	for (size_t i = 0; i < (size_t)ds->n * K; i++)
		if (!isnan(ds->value[i])) {
			double d = (double)ds->value[i] - mean[i % K];
			square += d * d, count++;
		}
	free(mean);
	return (struct baseline){sqrt(square / count), NAN};
}

struct baseline baseline_classes(const struct dataset *train, const struct dataset *ds)
{
	int classes = train->values == 1 ? 2 : train->values, most = 0;
	double *share = xcalloc((size_t)classes, sizeof *share), wrong = 0, loss = 0;
	for (uint32_t i = 0; i < train->n; i++)
		share[(int)train->value[i]]++;
	for (int c = 1; c < classes; c++)
		most = share[c] > share[most] ? c : most;
	for (uint32_t i = 0; i < ds->n; i++) {
		int label = (int)ds->value[i];
		wrong += label != most;
		loss -= log((share[label] + 1) / (train->n + (double)classes));
	}
	free(share);
	return (struct baseline){wrong / ds->n, loss / ds->n};
}

double baseline_row(struct rows *train, struct rows *x, int squared)
{
	size_t V = (size_t)train->V;
	double *mean = xcalloc(V, sizeof *mean), sum = 0;
	for (uint32_t i = 0; i < train->n; i++) {
		const real *row = rows_get(train, i, 1);
		for (size_t v = 0; v < V; v++)
			mean[v] += (double)row[v];
	}
	for (size_t v = 0; v < V; v++)
		mean[v] = squared ? mean[v] / train->n : (mean[v] + 0.5) / (train->n + 1.0);
	for (uint32_t i = 0; i < x->n; i++) {
		const real *row = rows_get(x, i, 1);
		for (size_t v = 0; v < V; v++) {
			double m = mean[v], value = (double)row[v];
			sum += squared ? (value - m) * (value - m) / 2 : -value * log(m) - (1 - value) * log1p(-m);
		}
	}
	free(mean);
	return sum / x->n;
}
