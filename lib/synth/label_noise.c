#include <math.h>

#include "lib/base/rng.h"
#include "lib/synth/face.h"
#include "lib/synth/label_noise.h"

static const char *const kinds[LABEL_NOISE_KINDS] = {"none", "swapped", "far", "shifted", "scrambled", "outside", "duplicate"};
static const float rates[LABEL_NOISE_KINDS] = {0, 0.007f, 0.007f, 0.004f, 0.004f, 0.004f, 0.015f};

static int is_four(int k)
{
	return k == 0 || k == 1 || k == 10 || k == 14; /* eye centres, nose tip, bottom lip */
}

const char *label_noise_name(enum label_noise_kind kind)
{
	return kinds[kind];
}

struct label_noise label_noise_plan(uint64_t seed, uint32_t row)
{
	struct label_noise noise = {LABEL_NOISE_NONE, -1, row};
	struct philox r = philox(seed, PHILOX_LABEL_NOISE, 0, row, 0);
	float u = philox_uniform(r.v[0]);
	for (int k = 1; k < LABEL_NOISE_KINDS && noise.kind == LABEL_NOISE_NONE; k++) {
		if (u < rates[k])
			noise.kind = (enum label_noise_kind)k;
		u -= rates[k];
	}
	if (noise.kind == LABEL_NOISE_DUPLICATE && row == 0)
		noise.kind = LABEL_NOISE_NONE;
	if (noise.kind == LABEL_NOISE_DUPLICATE) {
		/* half of them within 8 rows, like neighbouring video frames; a duplicate of a duplicate refers to its original */
		uint32_t offset = r.v[1] & 1 && row > 8 ? 1 + philox_below(r.v[2], 8) : 1 + philox_below(r.v[2], row);
		noise.of = label_noise_plan(seed, row - offset).of;
	}
	return noise;
}

static void move(float *p, float x, float y)
{
	p[0] += x, p[1] += y;
}

static void swap(float *a, float *b)
{
	for (int k = 0; k < 2; k++) {
		float t = a[k];
		a[k] = b[k], b[k] = t;
	}
}

static void remove_labels(struct rng *rng, int n, float *points)
{
	float u = rng_uniform(rng);
	for (int k = 0; k < n; k++) {
		int keep = u < 0.3f || is_four(k);
		if (u >= 0.93f)
			keep = rng_chance(rng, 0.7f) || k == 0;
		if (!keep)
			points[2 * k] = points[2 * k + 1] = NAN;
	}
}

void label_noise_plant(struct label_noise *noise, uint64_t seed, uint32_t row, int w, int h, int n, float *points)
{
	struct rng rng = rng_init(seed, PHILOX_LABEL_NOISE, 1, row, 0);
	float size = (float)(w < h ? w : h), distance, angle;
	int labelled[FACE_POINTS], m = 0, pairs = 0;
	remove_labels(&rng, n, points);
	labelled[0] = 0; /* which is never removed */
	for (int k = 0; k < n; k++)
		if (!isnan(points[2 * k]))
			labelled[m++] = k;
	int one = labelled[rng_below(&rng, m)], whole = rng_chance(&rng, 0.5f), skip;
	float *p = points + 2 * one;
	switch (noise->kind) {
	case LABEL_NOISE_SWAPPED:
		for (int pass = 0; pass < 2; pass++) {
			skip = whole || !pairs ? 0 : rng_below(&rng, pairs);
			for (int i = 0, pair = 0; i < m; i++) {
				int k = labelled[i], o = face_mirror(k, n);
				if (o <= k || isnan(points[2 * o]))
					continue;
				if (!pass) {
					pairs++;
				} else if (whole || pair++ == skip) {
					swap(points + 2 * k, points + 2 * o);
					noise->point = whole ? -1 : k;
				}
			}
		}
		if (!pairs)
			noise->kind = LABEL_NOISE_NONE;
		break;
	case LABEL_NOISE_FAR:
		noise->point = one;
		do { /* rejection sampling: a target inside the image; towards the centre there always is one */
			distance = rng_range(&rng, 0.3f, 0.6f) * size, angle = rng_range(&rng, 0, 6.2831853f);
		} while (p[0] + distance * cosf(angle) < 0 || p[0] + distance * cosf(angle) > w - 1 || p[1] + distance * sinf(angle) < 0 ||
			 p[1] + distance * sinf(angle) > h - 1);
		move(p, distance * cosf(angle), distance * sinf(angle));
		break;
	case LABEL_NOISE_SHIFTED:
		distance = rng_range(&rng, 0.15f, 0.35f) * size, angle = rng_range(&rng, 0, 6.2831853f);
		for (int i = 0; i < m; i++)
			move(points + 2 * labelled[i], distance * cosf(angle), distance * sinf(angle));
		break;
	case LABEL_NOISE_SCRAMBLED:
		for (int i = m - 1; i > 0; i--) /* Sattolo's algorithm: a cyclic permutation, no label stays */
			swap(points + 2 * labelled[i], points + 2 * labelled[rng_below(&rng, i)]);
		if (m < 2)
			noise->kind = LABEL_NOISE_NONE;
		break;
	case LABEL_NOISE_OUTSIDE:
		noise->point = one;
		distance = rng_range(&rng, 0.05f, 0.5f) * size;
		switch (rng_below(&rng, 4)) {
		case 0:
			p[0] = -1 - distance;
			break;
		case 1:
			p[0] = w + distance;
			break;
		case 2:
			p[1] = -1 - distance;
			break;
		default:
			p[1] = h + distance;
		}
		break;
	default:
		break;
	}
}

void label_noise_requested(uint64_t seed, uint32_t row, int n, uint8_t *keep)
{
	int all = philox_uniform(philox(seed, PHILOX_LABEL_NOISE, 2, row, 0).v[0]) < 0.667f;
	for (int k = 0; k < n; k++)
		keep[k] = all || is_four(k);
}
