/* Offsets of points from METAs. */
#include "lib/nn/point_offsets.h"

#include <math.h>
#include <stdlib.h>

#include "lib/base/err.h"
#include "lib/stream/named_points.h"

double *point_offsets_read(const struct tns *t, const char *key, char **points, int k)
{
	const char *text = tns_meta_value(t, key);
	int items = 1, known = 0;
	if (!text)
		return NULL;
	for (const char *c = text; *c; c++)
		items += *c == ',';
	double *xy = *text ? named_points_read(t, key, points, k) : NULL;
	for (int i = 0; xy && i < 2 * k; i++) {
		known += i % 2 && !isnan(xy[i]);
		if (fabs(xy[i]) > POINT_OFFSETS_MOST)
			die("%s: META %s: %g pixels are too many", t->name, key, xy[i]);
		xy[i] = isnan(xy[i]) ? 0 : (double)(float)xy[i];
	}
	if (known != items)
		die("%s: META %s: '%s' is not NAME X Y of its points, each once at most", t->name, key, text);
	return xy;
}
