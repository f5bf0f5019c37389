#include <math.h>

#include "lib/synth/scene.h"

#define TURN 6.2831853f

/* Where a thing is, and how large: half axes; c and s are of its angle. */
struct place {
	float x, y, rx, ry, c, s;
};

static void corner(const struct place *p, float u, float v, float out[2])
{
	out[0] = p->x + u * p->rx * p->c - v * p->ry * p->s;
	out[1] = p->y + u * p->rx * p->s + v * p->ry * p->c;
}

/* The part of the thing's rectangle from u0, v0 to u1, v1, which are -1 to 1 at its sides. */
static void rectangle(struct brush *b, const struct place *p, float u0, float v0, float u1, float v1, const struct brush_ink *ink)
{
	float q[4][2];
	corner(p, u0, v0, q[0]), corner(p, u1, v0, q[1]), corner(p, u1, v1, q[2]), corner(p, u0, v1, q[3]);
	brush_fill(b, q, 4, 0, ink);
}

static struct brush_ink sample_ink(struct rng *rng, float size)
{
	struct brush_ink k = {rng_range(rng, 5, 245), rng_range(rng, 0.5f, 1), 0, 0, 0};
	if (rng_chance(rng, 0.4f))
		k.rough = rng_range(rng, 0.05f, 0.5f), k.fx = rng_range(rng, 4, 90) / size, k.fy = rng_range(rng, 4, 90) / size;
	return k;
}

static void window(struct brush *b, const struct place *p, const struct brush_ink *ink, struct rng *rng)
{
	struct brush_ink pane = *ink;
	int nx = 1 + rng_below(rng, 4), ny = 1 + rng_below(rng, 4);
	float bar = rng_range(rng, 0.05f, 0.3f);
	pane.grey = rng_range(rng, 5, 245);
	rectangle(b, p, -1, -1, 1, 1, ink);
	for (int i = 0; i < nx * ny; i++) {
		float u = (float)(i % nx), v = (float)(i / nx), w = 2.0f / (float)nx, h = 2.0f / (float)ny;
		rectangle(b, p, -1 + w * (u + bar), -1 + h * (v + bar), -1 + w * (u + 1 - bar), -1 + h * (v + 1 - bar), &pane);
	}
}

static void stripes(struct brush *b, const struct place *p, const struct brush_ink *ink, struct rng *rng)
{
	int n = 2 + rng_below(rng, 9);
	float share = rng_range(rng, 0.2f, 0.8f), w = 2.0f / (float)n;
	for (int i = 0; i < n; i++)
		rectangle(b, p, -1 + w * (float)i, -1, -1 + w * ((float)i + share), 1, ink);
}

/* Rings about a place beside its middle, each brighter or darker than the one around it: a ball, a lamp, a wheel. */
static void ball(struct brush *b, const struct place *p, const struct brush_ink *ink, struct rng *rng)
{
	struct brush_ink k = *ink;
	int n = 1 + rng_below(rng, 6);
	float step = rng_range(rng, -25, 25), dx = rng_range(rng, -0.4f, 0.4f) * p->rx, dy = rng_range(rng, -0.4f, 0.4f) * p->ry,
	      angle = atan2f(p->s, p->c);
	for (int i = 0; i < n; i++) {
		float t = (float)i / (float)n;
		brush_oval(b, p->x + dx * t, p->y + dy * t, p->rx * (1 - t), p->ry * (1 - t), angle, 0, &k);
		k.grey = fminf(fmaxf(k.grey + step, 0), 250);
	}
}

static void polygon(struct brush *b, const struct place *p, const struct brush_ink *ink, struct rng *rng)
{
	float q[8][2];
	int n = 3 + rng_below(rng, 6);
	for (int i = 0; i < n; i++) {
		float t = TURN * (float)i / (float)n, r = rng_range(rng, 0.4f, 1);
		corner(p, r * cosf(t), r * sinf(t), q[i]);
	}
	brush_fill(b, q, n, 0, ink);
}

static void stroke(struct brush *b, const struct place *p, const struct brush_ink *ink, struct rng *rng)
{
	float c[4][2], q[64][2], wide = rng_range(rng, 0.01f, 0.2f) * p->rx;
	for (int i = 0; i < 4; i++)
		corner(p, rng_range(rng, -2, 2), rng_range(rng, -2, 2), c[i]);
	brush_line(b, q, brush_curve(c, 4, 0, 12, q), wide, wide * rng_range(rng, 0.3f, 1), ink);
}

static void ground(struct brush *b, struct rng *rng)
{
	float angle = rng_range(rng, 0, TURN), gx = cosf(angle) / (float)b->w, gy = sinf(angle) / (float)b->h,
	      size = (float)(b->w < b->h ? b->w : b->h);
	float from = rng_range(rng, 5, 240), to = rng_range(rng, 5, 240);
	float coarse = rng_range(rng, 0, 0.3f), fine = rng_range(rng, -0.1f, 0.2f), step = rng_range(rng, 2, 12) / size,
	      grain = rng_range(rng, 15, 80) / size, tall = rng_range(rng, 0.3f, 3);
	float *one = b->field, *two = b->field + b->w; /* a canvas has two rows at least */
	for (int y = 0; y < b->h; y++) {
		float *g = b->grey + (size_t)y * (size_t)b->w, v = gy * ((float)y - 0.5f * (float)b->h) + 0.5f;
		brush_noise(b, 0, step, (float)y * step, b->w, one);
		brush_noise(b, 0, grain, (float)y * grain * tall, b->w, two);
		for (int x = 0; x < b->w; x++)
			g[x] = (from + (to - from) * (v + gx * ((float)x - 0.5f * (float)b->w))) *
			       (1 + coarse * one[x] + fmaxf(fine, 0) * two[x]);
	}
}

void scene_draw(struct brush *b, struct rng *rng)
{
	float size = (float)(b->w < b->h ? b->w : b->h);
	for (int i = 0; i < 64; i++) {
		uint32_t v = rng_word(rng);
		for (int k = 0; k < 4; k++)
			b->grain[4 * i + k] = (uint8_t)(v >> (8 * k));
	}
	for (size_t i = 0; i < (size_t)b->w * (size_t)b->h; i++)
		b->light[i] = 1;
	ground(b, rng);
	for (int n = 4 + rng_below(rng, 16); n > 0; n--) {
		float angle = rng_chance(rng, 0.6f) ? rng_range(rng, -0.1f, 0.1f) : rng_range(rng, 0, TURN);
		struct place p = {rng_range(rng, 0, (float)b->w), rng_range(rng, 0, (float)b->h), rng_range(rng, 0.02f, 0.25f) * size,
			rng_range(rng, 0.02f, 0.4f) * size, cosf(angle), sinf(angle)};
		struct brush_ink ink = sample_ink(rng, size);
		switch (rng_below(rng, 6)) {
		case 0:
			window(b, &p, &ink, rng);
			break;
		case 1:
			stripes(b, &p, &ink, rng);
			break;
		case 2:
			ball(b, &p, &ink, rng);
			break;
		case 3:
			polygon(b, &p, &ink, rng);
			break;
		case 4:
			stroke(b, &p, &ink, rng);
			break;
		default:
			rectangle(b, &p, -1, -1, 1, 1, &ink);
			break;
		}
	}
	brush_blur(b, rng_range(rng, 0, 2) * fminf(size / 240, 4));
}
