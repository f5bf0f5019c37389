#include "lib/predict/align.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/err.h"

struct aligner {
	struct infer *f;
	int points, W, H;
	double *mean, size, offset[2]; /* mean: in pixels from the first one's centre; size: root mean square distance from its centre */
	struct similarity pose[INFER_BATCH];
	char aligned[INFER_BATCH];
	double misfit[INFER_BATCH]; /* least of the estimates so far */
	double first[INFER_BATCH];  /* distance of the first estimates' pose */
	double moved[INFER_BATCH];  /* distance between the last pass's pose and the one that it says */
	uint8_t *again;		    /* (INFER_BATCH, H, W): aligned images */
	float *xy, *stddev;	    /* of a pass */
	double *at;		    /* (points, 2): of one row */
};

static const struct similarity as_it_is = {{1, 0}, {0, 0}, {0, 0}};

static int is_known(const double *points, int p)
{
	return isfinite(points[2 * p]) && isfinite(points[2 * p + 1]);
}

void align_image(const struct similarity *p, uint8_t *to, const uint8_t *from, int W, int H)
{
	for (int y = 0; y < H; y++)
		for (int x = 0; x < W; x++) {
			double at[2] = {x, y};
			similarity_back(p, at);
			*to++ = (uint8_t)lrint(similarity_sample(from, W, H, at[0], at[1]));
		}
}

/* Root mean square distance between where two poses have the mean face in the image, in sizes of the mean face. */
static double distance(const struct aligner *a, const struct similarity *p, const struct similarity *q)
{
	double sum = 0;
	int n = 0;
	for (int i = 0; i < a->points; i++)
		if (is_known(a->mean, i)) {
			double x[2] = {a->mean[2 * i], a->mean[2 * i + 1]}, y[2] = {x[0], x[1]};
			similarity_back(p, x), similarity_back(q, y);
			sum += (x[0] - y[0]) * (x[0] - y[0]) + (x[1] - y[1]) * (x[1] - y[1]), n++;
		}
	return sqrt(sum / n) / a->size;
}

struct aligner *aligner_new(struct infer *f, const double *mean, int points, int W, int H, const double offset[2])
{
	struct aligner *a = xcalloc(1, sizeof *a);
	size_t P = (size_t)points, pixels = (size_t)W * (size_t)H;
	*a = (struct aligner){.f = f, .points = points, .W = W, .H = H, .offset = {offset[0], offset[1]}};
	a->mean = xcalloc(2 * P, sizeof *a->mean), a->at = xcalloc(2 * P, sizeof *a->at);
	double centre[2] = {0};
	int n = 0;
	for (int i = 0; i < 2 * points; i++)
		a->mean[i] = mean[i] - offset[i % 2];
	for (int i = 0; i < points; i++)
		for (int k = 0; k < 2 && is_known(a->mean, i); k++)
			centre[k] += a->mean[2 * i + k], n += k;
	for (int i = 0; i < 2 * points; i++)
		if (is_known(a->mean, i / 2))
			a->size += (a->mean[i] - centre[i % 2] / n) * (a->mean[i] - centre[i % 2] / n) / n;
	a->size = sqrt(a->size);
	if (n < 2 || !(a->size > 0)) {
		aligner_free(a);
		return NULL;
	}
	a->again = xmalloc(INFER_BATCH * pixels);
	a->xy = xcalloc(INFER_BATCH * 2 * P, sizeof *a->xy), a->stddev = xcalloc(INFER_BATCH * P, sizeof *a->stddev);
	return a;
}

/* The pose that estimates xy of a face say, and their misfit: the root mean square distance of the points under it from the mean face, in
 * sizes of that. 0 where they say none. */
static int estimated(struct aligner *a, const float *xy, struct similarity *p, double *misfit)
{
	double sum = 0;
	int n = 0;
	for (int i = 0; i < 2 * a->points; i++)
		a->at[i] = (double)xy[i] - a->offset[i % 2];
	if (!similarity_fit(p, a->at, a->mean, a->points, ALIGN_SCALE))
		return 0;
	for (int i = 0; i < a->points; i++)
		if (is_known(a->at, i) && is_known(a->mean, i)) {
			similarity_into(p, a->at + 2 * i);
			double x = a->at[2 * i] - a->mean[2 * i], y = a->at[2 * i + 1] - a->mean[2 * i + 1];
			sum += x * x + y * y, n++;
		}
	*misfit = sqrt(sum / n) / a->size;
	return 1;
}

static void move(const struct aligner *a, const struct similarity *p, void by(const struct similarity *, double[2]), float *xy, int points)
{
	for (int i = 0; i < points; i++) {
		double at[2] = {(double)xy[2 * i] - a->offset[0], (double)xy[2 * i + 1] - a->offset[1]};
		by(p, at);
		xy[2 * i] = (float)(at[0] + a->offset[0]), xy[2 * i + 1] = (float)(at[1] + a->offset[1]);
	}
}

static void scale_by(float *stddev, double factor, int points)
{
	for (int i = 0; stddev && i < points; i++)
		stddev[i] = (float)((double)stddev[i] * factor);
}

/* One pass over the n rows that go on, in poses next, from which come their next ones; xy, deviation: the estimates so far of all rows.
 * Returns how many go on. A pass that makes a face much less like a face than the best before is not taken, and ends it; two points fit
 * always. */
static int pass(struct aligner *a, const uint8_t *images, int *row, struct similarity *next, int n, float *xy, float *deviation)
{
	size_t P = (size_t)a->points, pixels = (size_t)a->W * (size_t)a->H;
	int more = 0;
	for (int i = 0; i < n; i++)
		align_image(&next[i], a->again + (size_t)i * pixels, images + (size_t)row[i] * pixels, a->W, a->H);
	infer_batch(a->f, a->again, n, a->xy, a->stddev);
	for (int i = 0; i < n; i++) {
		int b = row[i];
		struct similarity now = next[i], p;
		float *at = a->xy + (size_t)i * 2 * P, *stddev = a->stddev + (size_t)i * P;
		double misfit;
		move(a, &now, similarity_back, at, a->points);
		scale_by(stddev, 1 / similarity_scale(&now), a->points);
		if (!estimated(a, at, &p, &misfit) || !(misfit < ALIGN_WORSE * a->misfit[b] + 1e-6))
			continue;
		a->pose[b] = now, a->aligned[b] = 1, a->moved[b] = distance(a, &p, &now);
		a->misfit[b] = fmin(misfit, a->misfit[b]);
		memcpy(xy + (size_t)b * 2 * P, at, 2 * P * sizeof *xy);
		memcpy(deviation + (size_t)b * P, stddev, P * sizeof *stddev);
		if (a->moved[b] > ALIGN_STAYS)
			row[more] = b, next[more++] = p;
	}
	return more;
}

/* What the aligned estimate of a row counts, 0 to 1: all where the first estimates and the last pass find the face far from the mean one,
 * and the pose has come to rest; nothing where one of these is not so at all. */
static double trust(const struct aligner *a, int b)
{
	double least = fmin(a->first[b], distance(a, &a->pose[b], &as_it_is));
	double far = (least - ALIGN_NEAR) / (ALIGN_FAR - ALIGN_NEAR), rest = 2 - a->moved[b] / ALIGN_STAYS;
	return fmax(fmin(far, 1), 0) * fmax(fmin(rest, 1), 0);
}

void aligner_estimate(struct aligner *a, const uint8_t *images, int B, float *out, float *stddev)
{
	size_t P = (size_t)a->points;
	int row[INFER_BATCH], n = 0;
	struct similarity next[INFER_BATCH];
	float *xy = xcalloc((size_t)B * 2 * P, sizeof *xy), *deviation = xcalloc((size_t)B * P, sizeof *deviation);
	memcpy(xy, out, (size_t)B * 2 * P * sizeof *xy);
	for (int b = 0; b < B; b++) {
		a->pose[b] = as_it_is, a->aligned[b] = 0;
		if (!estimated(a, out + (size_t)b * 2 * P, &next[n], &a->misfit[b]))
			continue;
		a->first[b] = distance(a, &next[n], &as_it_is);
		if (a->first[b] > ALIGN_NEAR)
			row[n++] = b;
	}
	for (int i = 0; i < ALIGN_PASSES && n; i++)
		n = pass(a, images, row, next, n, xy, deviation);
	for (size_t b = 0; b < (size_t)B; b++) {
		if (!a->aligned[b])
			continue;
		double share = trust(a, (int)b);
		a->aligned[b] = share > 0;
		for (size_t k = b * 2 * P; a->aligned[b] && k < (b + 1) * 2 * P; k++)
			out[k] = (float)(share * (double)xy[k] + (1 - share) * (double)out[k]);
		for (size_t k = b * P; a->aligned[b] && stddev && k < (b + 1) * P; k++)
			stddev[k] = (float)(share * (double)deviation[k] + (1 - share) * (double)stddev[k]);
	}
	free(xy), free(deviation);
}

const uint8_t *aligner_images(struct aligner *a, const uint8_t *images, int B)
{
	size_t pixels = (size_t)a->W * (size_t)a->H;
	for (int b = 0; b < B; b++) {
		uint8_t *to = a->again + (size_t)b * pixels;
		if (a->aligned[b])
			align_image(&a->pose[b], to, images + (size_t)b * pixels, a->W, a->H);
		else
			memcpy(to, images + (size_t)b * pixels, pixels);
	}
	return a->again;
}

void aligner_into(const struct aligner *a, int B, float *xy, float *stddev)
{
	for (int b = 0; b < B; b++)
		if (a->aligned[b]) {
			move(a, &a->pose[b], similarity_into, xy + (size_t)b * 2 * (size_t)a->points, a->points);
			scale_by(stddev + b * a->points, similarity_scale(&a->pose[b]), a->points);
		}
}

void aligner_back(const struct aligner *a, int B, int per_row, float *xy, float *stddev)
{
	for (int b = 0; b < B; b++)
		if (a->aligned[b]) {
			move(a, &a->pose[b], similarity_back, xy + (size_t)b * 2 * (size_t)per_row, per_row);
			scale_by(stddev ? stddev + b * per_row : NULL, 1 / similarity_scale(&a->pose[b]), per_row);
		}
}

void aligner_free(struct aligner *a)
{
	if (!a)
		return;
	free(a->mean), free(a->at), free(a->again), free(a->xy), free(a->stddev), free(a);
}
