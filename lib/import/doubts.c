#include "lib/import/doubts.h"

#include <math.h>
#include <stdlib.h>

#include "lib/base/err.h"

#define SHARE_MAX 1.5 /* what lies outside of the image a little is a share, too */

static void count(struct doubts *d, const double xy[2])
{
	int i = 0;
	while (i < d->pairs && (d->pair[i].xy[0] != xy[0] || d->pair[i].xy[1] != xy[1]))
		i++;
	if (i == DOUBTS_PAIRS)
		return;
	if (i == d->pairs) {
		d->pairs++;
		d->pair[i].xy[0] = xy[0] + 0, d->pair[i].xy[1] = xy[1] + 0; /* 0 for -0 */
	}
	d->pair[i].n++;
}

void doubts_add(struct doubts *d, const double *points, const double *confidence, int K)
{
	for (int k = 0; k < K; k++) {
		const double *p = points + 2 * k;
		if (isnan(p[0]) || isnan(p[1]))
			continue;
		d->rated += confidence && !isnan(confidence[k]);
		d->unsure += confidence && confidence[k] < DOUBTS_SURE;
		for (int i = 0; i < 2; i++) {
			d->low = d->coordinates ? fmin(d->low, p[i]) : p[i];
			d->high = d->coordinates++ ? fmax(d->high, p[i]) : p[i];
			d->fractions |= p[i] != floor(p[i]);
		}
		if (!d->told && p[0] <= 0 && p[1] <= 0)
			count(d, p);
	}
}

char *doubts_repeated(const struct doubts *d)
{
	char *list = NULL;
	for (int i = 0; i < d->pairs; i++) {
		if (d->pair[i].n < DOUBTS_REPEATS)
			continue;
		char *longer = xprintf("%s%s%g,%g (%llu%s)", list ? list : "", list ? ", " : "", d->pair[i].xy[0], d->pair[i].xy[1],
			(unsigned long long)d->pair[i].n, list ? "" : " labels");
		free(list);
		list = longer;
	}
	return list;
}

char *doubts_numbers(const struct doubts *d)
{
	char *list = xstrdup("");
	double number[2 * DOUBTS_PAIRS];
	int n = 0;
	for (int i = 0; i < 2 * d->pairs; i++) {
		int k = 0;
		number[n] = d->pair[i / 2].xy[i % 2];
		while (number[k] != number[n])
			k++;
		if (k < n || d->pair[i / 2].n < DOUBTS_REPEATS)
			continue;
		char *longer = xprintf("%s%s%g", list, n++ ? "," : "", number[k]);
		free(list);
		list = longer;
	}
	return list;
}

int doubts_are_shares(const struct doubts *d)
{
	return d->fractions && d->low >= -SHARE_MAX && d->high <= SHARE_MAX;
}
