/* Each patch is copied into the caller's buffer and passed to the callback; each random draw is one Philox block. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/err.h"
#include "lib/base/philox.h"
#include "lib/labels/patch.h"
#include "lib/stream/names.h"

enum { TRIES = 200 }; /* random positions drawn for one negative */

struct cutter {
	const struct patch_plan *p;
	const uint8_t *image;
	uint32_t id, draws;
	uint8_t *buf;
	struct patch_counts *c;
	void (*emit)(void *arg, const uint8_t *patch, int label);
	void *arg;
};

NORETURN static void die_none(const char *option, const char *word, char **names)
{
	struct nearest n = names_nearest(names, word);
	die_usage("--%s: there is no point '%s' in the data%s", option, word, nearest_or_all(&n));
}

void patch_features(struct patch_feature *to, int *n, const char *const *lists, int count, const char *option, int flip, char **names,
	const int *partner)
{
	for (int i = 0; i < count; i++, (*n)++) {
		const char *list = lists[i];
		if (!*list || *list == ',' || strstr(list, ",,") || list[strlen(list) - 1] == ',')
			die_usage("--%s: '%s' has an empty name", option, list);
		struct patch_feature *place = &to[*n];
		int words;
		char **word = names_split(list, &words);
		if (words > PATCH_NAMES || *n >= PATCH_FEATURES)
			die_usage("--%s: '%s' is too many", option, list);
		*place = (struct patch_feature){.n = words};
		for (int k = 0; k < words; k++) {
			int at = place->point[k] = names_index(names, word[k]);
			if (at < 0)
				die_none(option, word[k], names);
			place->mirror[k] = partner[at] < 0 ? at : partner[at];
			if (flip && partner[at] < 0)
				die_usage("--%s: --flip needs the point of the other side of '%s' (csv-clean --pairs and tns-import "
					  "--pairs state pairs)",
					option, word[k]);
		}
		names_free(word);
	}
}

static int top_left(double centre, int side)
{
	return (int)floor(centre - (side - 1) / 2.0 + 0.5);
}

static double clamp_centre(double v, int n)
{
	return v > -n ? v < 2 * n ? v : 2 * n : -n; /* NaN too */
}

static int clamp(int v, int n)
{
	return v < 0 ? 0 : v < n ? v : n - 1;
}

void patch_window(uint8_t *to, int w, int h, const uint8_t *image, int W, int H, double x, double y, int corner[2])
{
	corner[0] = top_left(clamp_centre(x, W), w), corner[1] = top_left(clamp_centre(y, H), h);
	for (int i = 0; i < h; i++) {
		const uint8_t *from = image + (size_t)clamp(corner[1] + i, H) * (size_t)W;
		for (int k = 0; k < w; k++)
			*to++ = from[clamp(corner[0] + k, W)];
	}
}

/* Mean of a feature's points; 0 where one has no label. */
static int centre(const int *point, int n, const float *points, double xy[2])
{
	xy[0] = xy[1] = 0;
	for (int i = 0; i < n; i++)
		xy[0] += (double)points[2 * point[i]] / n, xy[1] += (double)points[2 * point[i] + 1] / n;
	return !isnan(xy[0]) && !isnan(xy[1]);
}

/* Copies the patch, flipped if mirrored, and emits it. */
static void cut(struct cutter *k, const double xy[2], int mirrored, int label)
{
	const struct patch_plan *p = k->p;
	if (!(fabs(xy[0]) < 1e6 && fabs(xy[1]) < 1e6)) {
		k->c->lost++;
		return;
	}
	/* of a tie between two columns the mirrored face has the other */
	int x0 = mirrored ? p->W - p->w - top_left(p->W - 1 - xy[0], p->w) : top_left(xy[0], p->w), y0 = top_left(xy[1], p->h);
	if (x0 < 0 || y0 < 0 || x0 + p->w > p->W || y0 + p->h > p->H) {
		k->c->lost++;
		return;
	}
	for (int y = 0; y < p->h; y++) {
		const uint8_t *from = k->image + (size_t)(y0 + y) * (size_t)p->W + (size_t)x0;
		uint8_t *to = k->buf + (size_t)y * (size_t)p->w;
		for (int x = 0; x < p->w; x++)
			to[x] = from[mirrored ? p->w - 1 - x : x];
	}
	*(label ? &k->c->positive : &k->c->negative) += 1;
	k->emit(k->arg, k->buf, label);
}

static struct philox draw(struct cutter *k)
{
	return philox(k->p->seed, PHILOX_PATCH, 0, k->id, k->draws++);
}

/* One patch of a feature, mirrored or not; 0 where it is not labelled (a draw is counted all the same). */
static int cut_feature(struct cutter *k, const struct patch_feature *feature, const float *points, int mirrored, int label)
{
	struct philox r = draw(k);
	double xy[2];
	if (!centre(mirrored ? feature->mirror : feature->point, feature->n, points, xy))
		return 0;
	for (int i = 0; i < 2; i++)
		xy[i] += (2 * (double)philox_uniform(r.v[i]) - 1) * k->p->jitter;
	cut(k, xy, mirrored, label);
	return 1;
}

/* Uniform over the centres whose patch is inside the image. */
static void random_centre(struct cutter *k, double xy[2])
{
	const struct patch_plan *p = k->p;
	struct philox r = draw(k);
	xy[0] = philox_below(r.v[0], (uint32_t)(p->W - p->w + 1)) + (p->w - 1) / 2.0;
	xy[1] = philox_below(r.v[1], (uint32_t)(p->H - p->h + 1)) + (p->h - 1) / 2.0;
}

static void cut_negatives(struct cutter *k, double positive[][2], int n)
{
	for (int i = 0; i < k->p->negatives; i++) {
		int tries = 0, near = 1;
		double xy[2];
		while (near && tries++ < TRIES) {
			random_centre(k, xy);
			near = 0;
			for (int j = 0; j < n; j++)
				near |= hypot(xy[0] - positive[j][0], xy[1] - positive[j][1]) < k->p->away;
		}
		if (near)
			k->c->lost++;
		else
			cut(k, xy, 0, 0);
	}
}

void patch_crop(const struct patch_plan *p, const uint8_t *image, const float *points, uint32_t id, uint8_t *buf, struct patch_counts *c,
	void (*emit)(void *arg, const uint8_t *patch, int label), void *arg)
{
	struct cutter k = {p, image, id, 0, buf, c, emit, arg};
	double positive[2 * PATCH_FEATURES][2], xy[2];
	int known = 0;
	for (int i = 0; i < p->nfeatures; i++) /* whose mirror image is a positive, too, where the other side's point is */
		for (int m = 0; m <= p->flip; m++)
			known += centre(m ? p->positive[i].mirror : p->positive[i].point, p->positive[i].n, points, positive[known]);
	for (int i = 0; i < p->nfeatures; i++)
		for (int m = 0; m <= p->flip; m++)
			c->unknown += !cut_feature(&k, &p->positive[i], points, m, 1);
	for (int i = 0; i < p->nhard; i++)
		for (int m = 0; m <= p->flip; m++)
			c->unknown += !cut_feature(&k, &p->hard[i], points, m, 0);
	if (known == p->nfeatures * (1 + p->flip) && p->nfeatures)
		cut_negatives(&k, positive, known);
	for (int i = 0; i < p->random; i++) {
		random_centre(&k, xy);
		cut(&k, xy, 0, 0);
	}
}

static int inside(const float *xy, const struct patch_plan *p)
{
	return xy[0] >= 0 && xy[1] >= 0 && xy[0] <= (float)(p->w - 1) && xy[1] <= (float)(p->h - 1); /* NaN is not */
}

void patch_predicted(const struct patch_plan *p, const uint8_t *image, const float *predicted, const float *points, int K, int copies,
	uint32_t id, uint8_t *buf, float *label, struct patch_counts *c, void (*emit)(void *arg, const uint8_t *patch, const float *label),
	void *arg)
{
	struct cutter k = {.p = p, .id = id};
	for (int i = 0; i < K * copies; i++) {
		int q = i % K, corner[2];
		struct philox r = draw(&k);
		double jitter[2];
		for (int xy = 0; xy < 2; xy++)
			jitter[xy] = (2 * (double)philox_uniform(r.v[xy]) - 1) * p->jitter;
		if (isnan(points[2 * q]) || isnan(points[2 * q + 1])) {
			c->unknown++;
			continue;
		}
		patch_window(buf, p->w, p->h, image, p->W, p->H, (double)predicted[2 * q] + jitter[0],
			(double)predicted[2 * q + 1] + jitter[1], corner);
		for (int j = 0; j < K; j++) {
			float xy[2] = {points[2 * j] - (float)corner[0], points[2 * j + 1] - (float)corner[1]};
			label[2 * j] = inside(xy, p) ? xy[0] : NAN, label[2 * j + 1] = inside(xy, p) ? xy[1] : NAN;
		}
		if (isnan(label[2 * q])) {
			c->lost++;
			continue;
		}
		c->positive++;
		emit(arg, buf, label);
	}
}
