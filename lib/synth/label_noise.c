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
	struct label_noise d = {LABEL_NOISE_NONE, -1, row};
	struct philox r = philox(seed, PHILOX_LABEL_NOISE, 0, row, 0);
	float u = philox_unit(r.v[0]);
	for (int k = 1; k < LABEL_NOISE_KINDS && d.kind == LABEL_NOISE_NONE; k++) {
		if (u < rates[k])
			d.kind = (enum label_noise_kind)k;
		u -= rates[k];
	}
	if (d.kind == LABEL_NOISE_DUPLICATE && row == 0)
		d.kind = LABEL_NOISE_NONE;
	if (d.kind == LABEL_NOISE_DUPLICATE) {
		/* half of them near, as when frames of a film are taken twice; never the duplicate of a duplicate */
		uint32_t back = r.v[1] & 1 && row > 8 ? 1 + philox_below(r.v[2], 8) : 1 + philox_below(r.v[2], row);
		d.of = label_noise_plan(seed, row - back).of;
	}
	return d;
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

static void leave_out(struct rng *rng, int n, float *points)
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

void label_noise_plant(struct label_noise *d, uint64_t seed, uint32_t row, int w, int h, int n, float *points)
{
	struct rng rng = rng_for(seed, PHILOX_LABEL_NOISE, 1, row, 0);
	float size = (float)(w < h ? w : h), far, angle;
	int at[FACE_POINTS], m = 0, pairs = 0;
	leave_out(&rng, n, points);
	at[0] = 0; /* which is never left out */
	for (int k = 0; k < n; k++)
		if (!isnan(points[2 * k]))
			at[m++] = k;
	int one = at[rng_below(&rng, m)], whole = rng_chance(&rng, 0.5f), skip;
	float *p = points + 2 * one;
	switch (d->kind) {
	case LABEL_NOISE_SWAPPED:
		for (int pass = 0; pass < 2; pass++) {
			skip = whole || !pairs ? 0 : rng_below(&rng, pairs);
			for (int i = 0, seen = 0; i < m; i++) {
				int k = at[i], o = face_mirror(k, n);
				if (o <= k || isnan(points[2 * o]))
					continue;
				if (!pass) {
					pairs++;
				} else if (whole || seen++ == skip) {
					swap(points + 2 * k, points + 2 * o);
					d->point = whole ? -1 : k;
				}
			}
		}
		if (!pairs)
			d->kind = LABEL_NOISE_NONE;
		break;
	case LABEL_NOISE_FAR:
		d->point = one;
		do { /* towards somewhere within; the middle always is */
			far = rng_range(&rng, 0.3f, 0.6f) * size, angle = rng_range(&rng, 0, 6.2831853f);
		} while (p[0] + far * cosf(angle) < 0 || p[0] + far * cosf(angle) > w - 1 || p[1] + far * sinf(angle) < 0 ||
			 p[1] + far * sinf(angle) > h - 1);
		move(p, far * cosf(angle), far * sinf(angle));
		break;
	case LABEL_NOISE_SHIFTED:
		far = rng_range(&rng, 0.15f, 0.35f) * size, angle = rng_range(&rng, 0, 6.2831853f);
		for (int i = 0; i < m; i++)
			move(points + 2 * at[i], far * cosf(angle), far * sinf(angle));
		break;
	case LABEL_NOISE_SCRAMBLED:
		for (int i = m - 1; i > 0; i--) /* Sattolo's cycle: none stays */
			swap(points + 2 * at[i], points + 2 * at[rng_below(&rng, i)]);
		if (m < 2)
			d->kind = LABEL_NOISE_NONE;
		break;
	case LABEL_NOISE_OUTSIDE:
		d->point = one;
		far = rng_range(&rng, 0.05f, 0.5f) * size;
		switch (rng_below(&rng, 4)) {
		case 0:
			p[0] = -1 - far;
			break;
		case 1:
			p[0] = w + far;
			break;
		case 2:
			p[1] = -1 - far;
			break;
		default:
			p[1] = h + far;
		}
		break;
	default:
		break;
	}
}

void label_noise_asked(uint64_t seed, uint32_t row, int n, uint8_t *keep)
{
	int all = philox_unit(philox(seed, PHILOX_LABEL_NOISE, 2, row, 0).v[0]) < 0.667f;
	for (int k = 0; k < n; k++)
		keep[k] = all || is_four(k);
}
