#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/err.h"
#include "lib/base/rng.h"
#include "lib/synth/face.h"
#include "lib/synth/paint.h"
#include "lib/synth/photo.h"
#include "lib/synth/scene.h"

enum { SET_PHOTO = 2, SET_FILM = 3 };
/* Philox elements beyond those of faces */
enum { AT_PLAN = 4000, AT_SCENE = 6000 };

#define TRIES 60
#define GAP 0.15f     /* between boxes, in the larger one's longer side: hair and hats stand out that far */
#define PORTRAIT 0.3f /* share of the room around it that a single face moves in */
#define TURN 6.2831853f

struct photo {
	struct photo_style s;
	uint64_t seed;
	float *canvas, *cut; /* brushes' memory: of the image; of one face and its cover */
	size_t room;	     /* floats of cut */
};

struct bounds {
	float x0, y0, x1, y1;
};

struct photo *photo_new(const struct photo_style *s, uint64_t seed)
{
	struct photo *p = xcalloc(1, sizeof *p);
	p->s = *s, p->seed = seed;
	p->canvas = xcalloc(brush_size(s->w, s->h), sizeof(float));
	return p;
}

void photo_free(struct photo *p)
{
	free(p->canvas);
	free(p->cut);
	free(p);
}

static void widen(struct bounds *b, const float at[2])
{
	b->x0 = fminf(b->x0, at[0]), b->x1 = fmaxf(b->x1, at[0]);
	b->y0 = fminf(b->y0, at[1]), b->y1 = fmaxf(b->y1, at[1]);
}

/* Of the head's contour and all named points. */
static struct bounds bounds_of(const struct face_params *f)
{
	float points[FACE_NAMED][2], at[2];
	struct bounds b = {1e9f, 1e9f, -1e9f, -1e9f};
	face_points(f, FACE_NAMED, points[0]);
	for (int k = 0; k < FACE_NAMED; k++)
		widen(&b, points[k]);
	for (int i = 0; i < 16 * FACE_PARAMS_CONTOUR; i++) {
		face_params_contour(f, (float)i / 16, at);
		widen(&b, at);
	}
	return b;
}

static struct photo_face box_of(const struct bounds *b)
{
	int left = (int)floorf(b->x0), top = (int)floorf(b->y0);
	return (struct photo_face){left, top, (int)ceilf(b->x1) - left + 1, (int)ceilf(b->y1) - top + 1};
}

static int apart(const struct photo_face *a, const struct photo_face *b)
{
	int gap = (int)ceilf(GAP * fmaxf(fmaxf((float)a->width, (float)a->height), fmaxf((float)b->width, (float)b->height)));
	return a->left + a->width + gap <= b->left || b->left + b->width + gap <= a->left || a->top + a->height + gap <= b->top ||
	       b->top + b->height + gap <= a->top;
}

/* 0 to 1, of a portrait about the middle. */
static float spot(const struct photo_style *s, struct rng *rng)
{
	float u = rng_uniform(rng);
	return s->faces == 1 ? 0.5f + PORTRAIT * (u - 0.5f) : u;
}

/* Scales the face to a box of that longer side, and moves it to a place within the image. */
static struct photo_face place(struct face_params *f, const struct photo_style *s, float size, struct rng *rng)
{
	struct bounds b = bounds_of(f);
	float k = (size - 2) / fmaxf(b.x1 - b.x0, b.y1 - b.y0); /* rounding to whole pixels adds up to two */
	float x = spot(s, rng) * (float)fmax(s->w - 3 - k * (b.x1 - b.x0), 0),
	      y = spot(s, rng) * (float)fmax(s->h - 3 - k * (b.y1 - b.y0), 0);
	face_params_move(f, k, 1 + x - k * b.x0, 1 + y - k * b.y0);
	b = bounds_of(f);
	return box_of(&b);
}

/* The faces' parameters and boxes, from the highest chin down. */
static int plan(const struct photo *p, uint32_t row, struct face_params *f, struct photo_face *faces)
{
	const struct photo_style *s = &p->s;
	struct rng rng = rng_init(p->seed, PHILOX_FACE, SET_PHOTO, row, AT_PLAN);
	struct face_style style = {96, 96, FACE_NAMED, s->wild, 0, SET_PHOTO};
	float most = PHOTO_SHARE * (float)(s->w < s->h ? s->w : s->h), lo = fminf((float)s->smallest, most),
	      hi = fminf((float)s->largest, most);
	int n = 0, want = s->faces ? 1 + rng_below(&rng, s->faces) : 0;
	for (int i = 0; i < want; i++)
		for (int k = 0; k < TRIES; k++) {
			struct face_params face;
			face_sample(&face, &style, p->seed, row * PHOTO_FACES + (uint32_t)i, NULL);
			struct photo_face box = place(&face, s, lo * powf(hi / lo, rng_uniform(&rng)), &rng);
			int at = n, room = 1;
			for (int j = 0; j < n; j++)
				room &= apart(&box, &faces[j]);
			if (!room)
				continue;
			for (; at > 0 && faces[at - 1].top + faces[at - 1].height > box.top + box.height; at--)
				faces[at] = faces[at - 1], f[at] = f[at - 1];
			faces[at] = box, f[at] = face;
			n++;
			break;
		}
	return n;
}

/* Draws the face onto the image's canvas, by way of one that has room for the head, its hair and what of the body is in the image. */
static void paste(struct photo *p, const struct face_params *face, struct brush *to)
{
	struct face_params f = *face;
	struct brush b;
	float s = f.pose.scale;
	int x0 = (int)fmaxf(f.pose.x - 3.2f * s, 0), x1 = (int)fminf(f.pose.x + 3.2f * s, (float)to->w),
	    y0 = (int)fmaxf(f.pose.y - 2.8f * s, 0), y1 = to->h, w = x1 - x0, h = y1 - y0;
	size_t n = (size_t)w * (size_t)h, room = brush_size(w, h);
	if (room + n > p->room) {
		free(p->cut);
		p->room = room + n;
		p->cut = xmalloc(p->room * sizeof(float));
	}
	brush_init(&b, w, h, p->cut);
	b.cover = p->cut + room;
	face_params_move(&f, 1, (float)-x0, (float)-y0);
	f.ground = (float)h + 1;
	paint_cutout(&f, &b);
	for (int y = 0; y < h; y++) {
		float *g = to->grey + (size_t)(y0 + y) * (size_t)to->w + x0;
		const float *v = b.grey + (size_t)y * (size_t)w, *c = b.cover + (size_t)y * (size_t)w;
		for (int x = 0; x < w; x++)
			g[x] += v[x] - c[x] * g[x];
	}
}

int photo_draw(struct photo *p, uint32_t row, uint8_t *image, struct photo_face *faces, float *points)
{
	struct face_params f[PHOTO_FACES];
	struct brush b;
	struct rng rng = rng_init(p->seed, PHILOX_FACE, SET_PHOTO, row, AT_SCENE);
	int n = plan(p, row, f, faces);
	brush_init(&b, p->s.w, p->s.h, p->canvas);
	scene_draw(&b, &rng);
	for (int i = 0; i < n; i++) {
		paste(p, &f[i], &b);
		face_points(&f[i], p->s.points, points + 2 * (size_t)i * (size_t)p->s.points);
	}
	brush_tone(&b, 1, 0, 0, 0.7f + 3 * (float)p->s.wild * rng_uniform(&rng) * rng_uniform(&rng), p->seed, SET_PHOTO, row, image);
	return n;
}

/* -1 to 1: two sines of time, of periods of 4 to 9 and 2 to 4 seconds at 25 frames a second. */
static float swing(struct rng *rng, uint32_t frame)
{
	float slow = rng_range(rng, 100, 225), quick = rng_range(rng, 50, 100), a = rng_range(rng, 0, TURN), b = rng_range(rng, 0, TURN);
	return 0.75f * sinf(TURN * fmodf((float)frame, slow) / slow + a) + 0.25f * sinf(TURN * fmodf((float)frame, quick) / quick + b);
}

int photo_frame(struct photo *p, uint32_t row, uint8_t *image, struct photo_face *faces, float *points)
{
	const struct photo_style *s = &p->s;
	struct rng motion = rng_init(p->seed, PHILOX_FACE, SET_FILM, 0, AT_PLAN),
		   rng = rng_init(p->seed, PHILOX_FACE, SET_FILM, 0, AT_SCENE);
	struct face_style style = {96, 96, FACE_NAMED, s->wild, 0, SET_FILM};
	struct face_params f;
	struct brush b;
	float side = (float)(s->w < s->h ? s->w : s->h), wild = (float)s->wild;
	float turn[3] = {0.5f * wild * swing(&motion, row), 0.15f * wild * swing(&motion, row), 0.2f * wild * swing(&motion, row)};
	float unit = (float)PHOTO_FILM * side / 3.3f; /* pixels an eye distance: a head is about 3.3 of them high */
	float k = unit * (1 + 0.12f * swing(&motion, row)), x = 0.07f * side * swing(&motion, row), y = 0.06f * side * swing(&motion, row);
	face_sample(&f, &style, p->seed, 0, turn);
	k /= f.pose.scale;
	/* its middle, 0.23 eye distances below the eyes, about that of the image */
	face_params_move(
		&f, k, 0.5f * (float)(s->w - 1) + x - k * f.pose.x, 0.5f * (float)(s->h - 1) + y - k * (f.pose.y + 0.23f * f.pose.scale));
	struct bounds bounds = bounds_of(&f);
	*faces = box_of(&bounds);
	brush_init(&b, s->w, s->h, p->canvas);
	scene_draw(&b, &rng);
	paste(p, &f, &b);
	face_points(&f, s->points, points);
	brush_tone(&b, 1, 0, 0, f.noise, p->seed, SET_FILM, row, image);
	return 1;
}
