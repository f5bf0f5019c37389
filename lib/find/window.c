#include "lib/find/window.h"

#include <math.h>
#include <string.h>

#include "lib/base/philox.h"
#include "lib/find/boxes.h"

enum { TRIES = 200 }; /* random windows drawn for one negative */
#define PART 0.2      /* the smallest negative of a face, of the largest window that fits in its image */

struct draws {
	uint64_t seed;
	uint32_t set, id, n;
};

static struct philox draw(struct draws *d)
{
	return philox(d->seed, PHILOX_PATCH, d->set, d->id, d->n++);
}

static double between(uint32_t word, double a, double b)
{
	return a + (b - a) * (double)philox_uniform(word);
}

static void mirror(uint8_t *window, int w, int h)
{
	for (int y = 0; y < h; y++, window += w)
		for (int x = 0; x < w / 2; x++) {
			uint8_t v = window[x];
			window[x] = window[w - 1 - x], window[w - 1 - x] = v;
		}
}

static void cut(struct window_cutter *k, const struct image *im, const double box[4], int mirrored, int label)
{
	const struct window_plan *p = k->plan;
	float crop[6];
	crop_of_box(crop, box, 0, p->w, p->h);
	crop_resample(k->window, p->w, p->h, im, crop, &k->tmp);
	if (mirrored)
		mirror(k->window, p->w, p->h);
	*(label ? &k->c.positive : &k->c.negative) += 1;
	k->emit(k->arg, k->window, label);
}

/* The face's window: the image without its margins, grown in one direction to the window's aspect. */
static void box_of_face(const struct window_plan *p, const struct image *im, double box[4])
{
	double w = im->W / (1 + 2 * p->margin), h = im->H / (1 + 2 * p->margin), a = fmax(w / p->w, h / p->h);
	box[2] = a * p->w, box[3] = a * p->h;
	box[0] = (im->W - box[2]) / 2, box[1] = (im->H - box[3]) / 2;
}

static void move(const struct window_plan *p, const double box[4], struct draws *d, double to[4])
{
	struct philox r = draw(d);
	double a = box[2] / p->w, side = p->w > p->h ? p->w : p->h, grow = 1 + 2 * between(r.v[2], -p->jitter, p->jitter) / side;
	to[2] = box[2] * grow, to[3] = box[3] * grow;
	to[0] = box[0] + (box[2] - to[2]) / 2 + a * between(r.v[0], -p->jitter, p->jitter);
	to[1] = box[1] + (box[3] - to[3]) / 2 + a * between(r.v[1], -p->jitter, p->jitter);
}

/* A window within the image, its scale drawn so that each octave is as likely, from `least` pixels of the image for one of its own on. */
static void anywhere(const struct window_plan *p, const struct image *im, double least, struct draws *d, double box[4])
{
	struct philox r = draw(d);
	double most = fmin((double)im->W / p->w, (double)im->H / p->h),
	       a = most * pow(fmin(least / most, 1), (double)philox_uniform(r.v[2]));
	box[2] = a * p->w, box[3] = a * p->h;
	box[0] = between(r.v[0], 0, im->W - box[2]), box[1] = between(r.v[1], 0, im->H - box[3]);
}

void window_face(struct window_cutter *k, const struct image *im, uint32_t id)
{
	const struct window_plan *p = k->plan;
	struct draws d = {p->seed, 0, id, 0};
	double face[4], box[4];
	box_of_face(p, im, face);
	for (int mirrored = 0; mirrored < 2; mirrored++) {
		move(p, face, &d, box);
		cut(k, im, box, mirrored, 1);
	}
	double most = fmin((double)im->W / p->w, (double)im->H / p->h);
	for (int i = 0; i < p->negatives; i++) {
		int tries = 0;
		do
			anywhere(p, im, PART * most, &d, box);
		while (boxes_overlap(box, face) >= WINDOW_OVERLAP && ++tries < TRIES);
		if (tries == TRIES)
			k->c.lost++;
		else
			cut(k, im, box, 0, 0);
	}
}

void window_other(struct window_cutter *k, const struct image *im, uint32_t set, uint32_t id)
{
	const struct window_plan *p = k->plan;
	struct draws d = {p->seed, set + 1, id, 0};
	double box[4] = {0, 0, im->W, im->H};
	if (im->W == p->w && im->H == p->h) {
		cut(k, im, box, 0, 0);
		return;
	}
	for (int i = 0; i < p->of_another; i++) {
		anywhere(p, im, 1, &d, box);
		cut(k, im, box, 0, 0);
	}
}
