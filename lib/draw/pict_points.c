#include <math.h>

#include "lib/base/err.h"
#include "lib/draw/pict_points.h"
#include "lib/stream/dataset_stream.h"

int pict_points_find(const struct tns *t, const char *name, int *k)
{
	if (tns_find(t, name) < 0)
		return -1;
	int id = dataset_stream_require(t, name, TNS_F32, 3);
	const struct tns_def *def = &t->def[id];
	if (def->dim[2] != 2)
		die("%s: %s: %llu numbers a point, where x and y are needed", t->name, name, (unsigned long long)def->dim[2]);
	if (*k && def->dim[1] != (uint64_t)*k)
		die("%s: %d points in keypoints, %llu in predicted", t->name, *k, (unsigned long long)def->dim[1]);
	*k = (int)def->dim[1];
	return id;
}

double pict_points_radius(double w, double h)
{
	return fmin(fmax(fmin(w, h) / 85, 1.3), 4);
}

int pict_points_at(const float *points, int k, int w, int h, double *x, double *y)
{
	if (!points || !isfinite(points[2 * k]) || !isfinite(points[2 * k + 1]))
		return 0;
	*x = points[2 * k], *y = points[2 * k + 1];
	return fabs(*x) <= 4.0 * w + 1000 && fabs(*y) <= 4.0 * h + 1000;
}
