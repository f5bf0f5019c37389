#include "lib/labels/similarity.h"

#include <math.h>
#include <stddef.h>

static int counts(const double *a, const double *b, int p)
{
	return isfinite(a[2 * p]) && isfinite(a[2 * p + 1]) && isfinite(b[2 * p]) && isfinite(b[2 * p + 1]);
}

int similarity_fit(struct similarity *s, const double *xy, const double *onto, int points, double most)
{
	double a[2] = {0}, b[2] = {0}, dot = 0, cross = 0, square = 0;
	int n = 0;
	for (int i = 0; i < points; i++)
		for (int k = 0; k < 2 && counts(xy, onto, i); k++)
			a[k] += xy[2 * i + k], b[k] += onto[2 * i + k], n += k;
	if (n < 2)
		return 0;
	for (int k = 0; k < 2; k++)
		a[k] /= n, b[k] /= n;
	for (int i = 0; i < points; i++)
		if (counts(xy, onto, i)) {
			double ax = xy[2 * i] - a[0], ay = xy[2 * i + 1] - a[1], bx = onto[2 * i] - b[0], by = onto[2 * i + 1] - b[1];
			dot += ax * bx + ay * by, cross += ax * by - ay * bx, square += ax * ax + ay * ay;
		}
	if (!(hypot(dot, cross) > square / most && hypot(dot, cross) < square * most))
		return 0;
	*s = (struct similarity){{dot / square, cross / square}, {a[0], a[1]}, {b[0], b[1]}};
	return 1;
}

void similarity_into(const struct similarity *s, double xy[2])
{
	double x = xy[0] - s->from[0], y = xy[1] - s->from[1];
	xy[0] = s->to[0] + s->turn[0] * x - s->turn[1] * y, xy[1] = s->to[1] + s->turn[1] * x + s->turn[0] * y;
}

void similarity_back(const struct similarity *s, double xy[2])
{
	double x = xy[0] - s->to[0], y = xy[1] - s->to[1], square = s->turn[0] * s->turn[0] + s->turn[1] * s->turn[1];
	xy[0] = s->from[0] + (s->turn[0] * x + s->turn[1] * y) / square, xy[1] = s->from[1] + (s->turn[0] * y - s->turn[1] * x) / square;
}

double similarity_scale(const struct similarity *s)
{
	return sqrt(s->turn[0] * s->turn[0] + s->turn[1] * s->turn[1]);
}

double similarity_sample(const uint8_t *image, int W, int H, double x, double y)
{
	x = fmin(fmax(x, 0), W - 1), y = fmin(fmax(y, 0), H - 1);
	int x0 = (int)x, y0 = (int)y, x1 = x0 + (x0 < W - 1), y1 = y0 + (y0 < H - 1);
	const uint8_t *a = image + (size_t)y0 * (size_t)W, *b = image + (size_t)y1 * (size_t)W;
	double top = a[x0] + (x - x0) * (a[x1] - a[x0]), bottom = b[x0] + (x - x0) * (b[x1] - b[x0]);
	return top + (y - y0) * (bottom - top);
}
