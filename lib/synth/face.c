/* Samples the parameters of a face and computes its points. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "lib/base/rng.h"
#include "lib/synth/face.h"
#include "lib/synth/paint.h"

static const char *const names[FACE_NAMED] = {"left_eye_center", "right_eye_center", "left_eye_inner_corner", "left_eye_outer_corner",
	"right_eye_inner_corner", "right_eye_outer_corner", "left_eyebrow_inner_end", "left_eyebrow_outer_end", "right_eyebrow_inner_end",
	"right_eyebrow_outer_end", "nose_tip", "mouth_left_corner", "mouth_right_corner", "mouth_center_top_lip", "mouth_center_bottom_lip",
	/* 15 */
	"left_eye_upper_lid_inner", "left_eye_upper_lid_outer", "left_eye_lower_lid_inner", "left_eye_lower_lid_outer",
	"right_eye_upper_lid_inner", "right_eye_upper_lid_outer", "right_eye_lower_lid_inner", "right_eye_lower_lid_outer",
	/* 23 */
	"left_eyebrow_inner_quarter", "left_eyebrow_middle", "left_eyebrow_outer_quarter", "right_eyebrow_inner_quarter",
	"right_eyebrow_middle", "right_eyebrow_outer_quarter",
	/* 29 */
	"nose_bridge_top", "nose_bridge_upper", "nose_bridge_lower", "nose_base", "nose_left_wing", "nose_right_wing", "nose_left_nostril",
	"nose_right_nostril",
	/* 37 */
	"mouth_left_peak", "mouth_right_peak", "mouth_top_lip_left", "mouth_top_lip_right", "mouth_bottom_lip_left",
	"mouth_bottom_lip_right", "mouth_inner_left", "mouth_inner_right", "mouth_inner_top", "mouth_inner_bottom",
	/* 47 */
	"chin", "left_jaw_1", "left_jaw_2", "left_jaw_3", "left_jaw_4", "left_jaw_5", "left_jaw_6", "left_jaw_7", "left_jaw_8",
	"right_jaw_1", "right_jaw_2", "right_jaw_3", "right_jaw_4", "right_jaw_5", "right_jaw_6", "right_jaw_7", "right_jaw_8",
	/* 64 */
	"left_temple", "right_temple", "forehead", "crown"};

const char *face_name(int k, char buf[32])
{
	if (k < FACE_NAMED)
		return names[k];
	snprintf(buf, 32, "contour_%d", k - FACE_NAMED + 1);
	return buf;
}

int face_mirror(int k, int n)
{
	if (k >= FACE_NAMED) /* numbered at even steps along the contour, from the chin */
		return k == FACE_NAMED ? k : n - (k - FACE_NAMED);
	const char *name = names[k], *at = strstr(name, "left"), *want = "right";
	size_t cut = 4;
	if (!at)
		at = strstr(name, "right"), want = "left", cut = 5;
	if (!at)
		return k;
	char other[40];
	snprintf(other, sizeof other, "%.*s%s%s", (int)(at - name), name, want, at + cut);
	for (int i = 0; i < n && i < FACE_NAMED; i++)
		if (!strcmp(names[i], other))
			return i;
	return k;
}

uint32_t face_first(const struct face_style *s, uint64_t seed, uint32_t row)
{
	while (row > 0 && philox_uniform(philox(seed, PHILOX_FACE, s->set, row, 0).v[0]) < s->same)
		row--;
	return row;
}

/* Constant over the images of a person. */
struct person {
	float wide, jaw, chin, forehead, nose_long, nose_wide, nose_deep, eye_in, eye_out, eye_up, eye_slant, eye_y;
	float brow_y, brow_arch, brow_slant, brow_dark, mouth_wide, mouth_y, lip_full, pitch, yaw;
};

static void sample_person(struct face_params *f, struct person *p, struct rng *rng)
{
	int woman = rng_chance(rng, 0.4f);
	f->skin = rng_chance(rng, 0.2f) ? rng_range(rng, 70, 120) : rng_range(rng, 125, 205);
	f->age = rng_uniform(rng) * rng_uniform(rng) * (woman ? 0.6f : 1.1f);
	f->hair = rng_chance(rng, 0.6f) ? rng_range(rng, 12, 60) : rng_range(rng, 50, 170);
	if (f->age > 0.45f && rng_chance(rng, 0.6f))
		f->hair = rng_range(rng, 130, 220);
	if (f->skin < 120)
		f->hair = fminf(f->hair, f->skin * rng_range(rng, 0.3f, 0.8f));
	f->iris = rng_chance(rng, 0.7f) ? rng_range(rng, 25, 60) : rng_range(rng, 70, 130);
	f->cloth = rng_range(rng, 10, 220);
	f->makeup = woman && rng_chance(rng, 0.6f) ? rng_range(rng, 0.3f, 1) : 0;
	f->lip = f->skin * (woman ? rng_range(rng, 0.42f, 0.72f) : rng_range(rng, 0.66f, 0.86f));
	f->brow = fminf(f->hair * 0.8f + 10, f->skin * 0.6f);
	static const uint8_t hers[8] = {
		HAIR_LONG, HAIR_LONG, HAIR_LONG, HAIR_LONG_FRINGE, HAIR_LONG_FRINGE, HAIR_SHORT, HAIR_FRINGE, HAIR_HAT};
	static const uint8_t his[8] = {HAIR_BALD, HAIR_SHORT, HAIR_SHORT, HAIR_SHORT, HAIR_SHORT, HAIR_FRINGE, HAIR_SHORT, HAIR_SHORT};
	f->style = (woman ? hers : his)[rng_below(rng, 8)];
	if (rng_chance(rng, 0.05f))
		f->style = HAIR_HAT;
	static const uint8_t beards[10] = {BEARD_STUBBLE, BEARD_STUBBLE, BEARD_MOUSTACHE, BEARD_GOATEE, BEARD_FULL, BEARD_FULL, 0, 0, 0, 0};
	f->beard = woman ? BEARD_NONE : beards[rng_below(rng, 10)];
	static const uint8_t kinds[20] = {GLASSES_THIN, GLASSES_THICK, GLASSES_THIN, GLASSES_THICK};
	f->glasses = rng_chance(rng, 0.025f) ? GLASSES_SUN : kinds[rng_below(rng, 20)];
	f->frame[0] = rng_range(rng, 0.32f, 0.4f), f->frame[1] = rng_range(rng, 0.2f, 0.3f),
	f->rim = f->glasses == GLASSES_THIN ? 0.03f : rng_range(rng, 0.04f, 0.08f);
	f->hairline = rng_range(rng, -0.12f, 0.12f) + (woman ? 0 : 0.15f * f->age), f->part = rng_range(rng, -0.3f, 0.3f);
	f->wave = fmaxf(0, rng_range(rng, -0.05f, 0.08f));
	f->length = rng_range(rng, 1.2f, 2.6f), f->bulk = woman ? rng_range(rng, 0.04f, 0.28f) : rng_range(rng, 0.02f, 0.13f);
	f->iris_r = 0.095f + 0.005f * rng_normal(rng);
	p->wide = 1.04f + 0.06f * rng_normal(rng), p->jaw = (woman ? 0.9f : 0.98f) + 0.07f * rng_normal(rng);
	p->chin = 1.88f + 0.09f * rng_normal(rng), p->forehead = 1.42f + 0.08f * rng_normal(rng);
	p->nose_long = 0.55f + 0.06f * rng_normal(rng), p->nose_wide = (f->skin < 120 ? 0.25f : 0.21f) + 0.025f * rng_normal(rng);
	p->nose_deep = 0.95f + 0.2f * rng_normal(rng);
	p->eye_in = 0.3f + 0.02f * rng_normal(rng), p->eye_out = 0.69f + 0.03f * rng_normal(rng);
	p->eye_up = 0.105f + 0.015f * rng_normal(rng), p->eye_slant = 0.02f * rng_normal(rng);
	p->brow_y = -0.36f + 0.05f * rng_normal(rng) - 0.03f * woman, p->brow_arch = 0.06f + 0.03f * rng_normal(rng);
	p->brow_slant = 0.04f * rng_normal(rng);
	f->brow_thick = (woman ? 0.09f : 0.14f) + 0.025f * rng_normal(rng);
	p->mouth_wide = 0.38f + 0.035f * rng_normal(rng), p->mouth_y = 1.045f + 0.06f * rng_normal(rng);
	p->lip_full = (woman ? 1.1f : 0.9f) + 0.15f * rng_normal(rng);
	p->yaw = rng_normal(rng), p->pitch = rng_normal(rng);
	f->background[0] = rng_range(rng, 5, 235), f->background[1] = rng_range(rng, 5, 235);
}

/* What varies between images of a person: pose, light, camera. */
static void sample_image(struct face_params *f, const struct person *p, const struct face_style *s, struct rng *rng, const float turn[3])
{
	struct face_params_pose *q = &f->pose;
	float wild = (float)s->wild, size = (s->w < s->h ? s->w : s->h) / 96.0f, limit = 0.7f;
	float yaw = wild * 0.37f * (0.75f * p->yaw + 0.65f * rng_normal(rng)),
	      pitch = wild * 0.14f * (0.6f * p->pitch + 0.8f * rng_normal(rng));
	float roll = wild * 0.14f * rng_normal(rng);
	yaw = yaw > limit ? limit : yaw < -limit ? -limit : yaw;
	if (turn)
		yaw = turn[0], pitch = turn[1], roll = turn[2];
	q->cr = cosf(roll), q->sr = sinf(roll), q->cy = cosf(yaw), q->sy = sinf(yaw), q->cp = cosf(pitch), q->sp = sinf(pitch);
	q->scale = size * (31.6f + wild * 2.5f * rng_normal(rng));
	/* pixels of a 96x96 image, from its centre; roll is about the centre of the face, not of the eyes */
	float x = wild * 2.4f * rng_normal(rng) + 22 * q->sr * 0.8f, y = 38.7f - 47.5f + wild * 2.2f * rng_normal(rng) + 4 * (1 - q->cr);
	q->x = 0.5f * (s->w - 1) + size * x, q->y = 0.5f * (s->h - 1) + size * y;
	float side = 0.5f * wild * rng_normal(rng), above = -0.35f + 0.3f * rng_normal(rng), n = 1 / sqrtf(side * side + above * above + 1);
	f->light[0] = side * n, f->light[1] = above * n, f->light[2] = n;
	f->ambient = rng_range(rng, 0.2f, 0.6f), f->shine = rng_uniform(rng) < 0.3f ? rng_range(rng, 0.05f, 0.25f) : 0.03f;
	f->slope[0] = 0.09f * wild * rng_normal(rng), f->slope[1] = 0.07f * wild * rng_normal(rng);
	f->contrast = 1.0f + 0.2f * wild * rng_normal(rng), f->middle = 110;
	f->bright = -8 + 27 * wild * rng_normal(rng);
	f->blur = rng_chance(rng, 0.25f * wild) ? rng_range(rng, 0.8f, 2.0f) : rng_range(rng, 0.45f, 0.9f);
	f->noise = rng_chance(rng, 0.2f) ? wild * rng_range(rng, 1.0f, 5) : 0.7f;
	f->occluder = rng_chance(rng, 0.04f * wild) ? 1 + rng_below(rng, 2) : 0;
	f->occluder_x = rng_range(rng, -0.5f, 0.5f), f->occluder_y = rng_range(rng, 1.3f, 1.9f);
}

/* Control points with an expression, in eye distances; the contour in image points. */
static void sample_anatomy(struct face_params *f, const struct person *p, const struct face_style *s, struct rng *rng)
{
	float wild = (float)s->wild, smile = rng_chance(rng, 0.5f) ? rng_range(rng, 0.2f, 1) * wild : rng_range(rng, -0.3f, 0.2f);
	float talk = rng_chance(rng, 0.45f) ? wild * rng_uniform(rng) : 0,
	      wink = rng_chance(rng, 0.08f) ? rng_range(rng, 0.05f, 0.4f) : rng_range(rng, 0.75f, 1.15f);
	float lift = 0.05f * wild * rng_normal(rng), gx = 0.035f * wild * rng_normal(rng), gy = 0.015f * wild * rng_normal(rng),
	      tilt = 0.012f * rng_normal(rng);
	wink = wild > 0 ? wink : 1;
	f->smile = smile;
	for (int i = 0; i < 2; i++) {
		float g = i ? -1 : 1, asymmetry = 0.01f * rng_normal(rng);
		struct face_params_eye *e = &f->eye[i];
		e->in[0] = g * p->eye_in, e->in[1] = -0.012f + p->eye_slant * 0.5f, e->in[2] = 0;
		e->out[0] = g * p->eye_out, e->out[1] = -0.033f - p->eye_slant, e->out[2] = -0.13f;
		e->up = p->eye_up * wink - 0.015f * fmaxf(smile, 0), e->low = 0.06f - 0.03f * fmaxf(smile, 0);
		e->up = fmaxf(e->up, -0.02f);
		e->pupil[0] = g * 0.5f * (p->eye_in + p->eye_out) + gx, e->pupil[1] = -0.032f + gy, e->pupil[2] = -0.02f;
		float y = p->brow_y + lift * -1 + asymmetry;
		f->brow_in[i][0] = g * (0.26f + 0.02f * rng_normal(rng)), f->brow_in[i][1] = y + p->brow_slant + tilt * g,
		f->brow_in[i][2] = 0.12f;
		f->brow_out[i][0] = g * (p->eye_out + 0.2f), f->brow_out[i][1] = y + 0.06f - p->brow_slant, f->brow_out[i][2] = -0.22f;
		f->brow_mid[i][0] = g * 0.6f, f->brow_mid[i][1] = y - p->brow_arch, f->brow_mid[i][2] = 0.03f;
		f->mouth[i][0] = g * (p->mouth_wide + 0.09f * smile - 0.04f * talk),
		f->mouth[i][1] = p->mouth_y - 0.07f * smile + 0.03f * talk + asymmetry;
		f->mouth[i][2] = 0.05f;
	}
	f->nose_tip[0] = 0.01f * rng_normal(rng), f->nose_tip[1] = p->nose_long - 0.02f * smile,
	f->nose_tip[2] = 0.36f + 0.1f * p->nose_deep;
	f->nose_wide = p->nose_wide * (1 + 0.08f * fmaxf(smile, 0)), f->nose_deep = p->nose_deep;
	float full = p->lip_full * (1 - 0.2f * fmaxf(smile, 0)), gap = 0.3f * talk + (rng_chance(rng, 0.6f) ? 0.13f * fmaxf(smile, 0) : 0);
	f->lip_gap = gap < 0.025f ? 0 : gap;
	f->teeth = f->lip_gap > 0 ? fminf(1, (0.04f + 0.14f * fmaxf(smile, 0)) * rng_range(rng, 0.3f, 1.3f) / f->lip_gap) : 0;
	float lip_y = p->mouth_y - 0.01f - 0.02f * fmaxf(smile, 0);
	f->lip_line[0] = 0, f->lip_line[1] = lip_y, f->lip_line[2] = 0.22f;
	f->lip_top[0] = 0, f->lip_top[1] = lip_y - 0.1f * full, f->lip_top[2] = 0.24f;
	for (int i = 0; i < 2; i++)
		f->lip_peak[i][0] = (i ? -0.1f : 0.1f), f->lip_peak[i][1] = f->lip_top[1] - 0.025f, f->lip_peak[i][2] = 0.23f;
	f->lip_low[0] = 0, f->lip_low[1] = lip_y + f->lip_gap + 0.14f * full, f->lip_low[2] = 0.2f;
	/* contour: x, y, depth, and the weight of the rotated point against the silhouette's, which is not rotated */
	float drop = 0.7f * f->lip_gap, j = p->jaw;
	const float profile[10][4] = {{0, p->chin + drop, 0.08f, 1}, {0.38f * j, p->chin - 0.07f + drop, 0.02f, 0.95f},
		{0.72f * j, p->chin - 0.33f + drop, -0.2f, 0.75f}, {0.94f * j, p->chin - 0.75f + 0.5f * drop, -0.5f, 0.45f},
		{p->wide * 0.98f, 0.7f, -0.7f, 0.15f}, {p->wide * 1.03f, 0.2f, -0.75f, 0}, {p->wide * 1.01f, -0.35f, -0.75f, 0},
		{p->wide * 0.9f, -0.85f, -0.75f, 0}, {p->wide * 0.55f, -p->forehead + 0.14f, -0.75f, 0}, {0, -p->forehead, -0.75f, 0}};
	for (int i = 0; i < FACE_PARAMS_CONTOUR; i++) {
		const float *r = profile[i < 10 ? i : FACE_PARAMS_CONTOUR - i];
		float x = i < 10 ? r[0] : -r[0], flat[2], rotated[2];
		struct face_params_pose unrotated = f->pose;
		face_params_project(&f->pose, x, r[1], r[2], rotated);
		unrotated.cy = 1; /* shifted by depth, but not foreshortened */
		face_params_project(&unrotated, x, r[1], r[2], flat);
		for (int k = 0; k < 2; k++)
			f->contour[i][k] = flat[k] + (rotated[k] - flat[k]) * r[3];
	}
}

static void set_point(float (*to)[2], int k, const float from[2])
{
	to[k][0] = from[0], to[k][1] = from[1];
}

/* All named points, from the curves that paint.c draws. */
static void landmarks(const struct face_params *f, float (*p)[2])
{
	const struct face_params_pose *q = &f->pose;
	float c[17][2];
	for (int i = 0; i < 2; i++) {
		const struct face_params_eye *e = &f->eye[i];
		face_params_project(q, e->pupil[0], e->pupil[1], e->pupil[2], p[i]);
		face_params_project(q, e->in[0], e->in[1], e->in[2], p[2 + 2 * i]);
		face_params_project(q, e->out[0], e->out[1], e->out[2], p[3 + 2 * i]);
		for (int lid = 0; lid < 2; lid++) {
			face_params_lid(f, i, !lid, 4, c);
			set_point(p, 15 + 4 * i + 2 * lid, c[1]);
			set_point(p, 16 + 4 * i + 2 * lid, c[2]);
		}
		face_params_brow(f, i, 5, c);
		set_point(p, 6 + 2 * i, c[0]);
		set_point(p, 7 + 2 * i, c[4]);
		for (int k = 0; k < 3; k++)
			set_point(p, 23 + 3 * i + k, c[1 + k]);
	}
	const float *n = f->nose_tip;
	float w = f->nose_wide;
	face_params_project(q, n[0], n[1], n[2], p[10]);
	face_params_project(q, 0, 0, 0.1f, p[29]);
	face_params_project(q, n[0] * 0.33f, n[1] * 0.33f, 0.1f + (n[2] - 0.1f) * 0.33f, p[30]);
	face_params_project(q, n[0] * 0.67f, n[1] * 0.67f, 0.1f + (n[2] - 0.1f) * 0.67f, p[31]);
	face_params_project(q, n[0], n[1] + 0.15f, n[2] - 0.15f, p[32]);
	for (int i = 0; i < 2; i++) {
		float g = i ? -1 : 1;
		face_params_project(q, n[0] + 1.05f * w * g, n[1] + 0.04f, n[2] - 0.3f, p[33 + i]);
		face_params_project(q, n[0] + 0.48f * w * g, n[1] + 0.1f, n[2] - 0.15f, p[35 + i]);
	}
	face_params_lip(f, LIP_TOP, 17, c); /* from right to left, control points at 0, 4, 8, 12, 16 */
	set_point(p, 11, c[16]), set_point(p, 12, c[0]), set_point(p, 13, c[8]), set_point(p, 37, c[12]), set_point(p, 38, c[4]),
		set_point(p, 39, c[14]), set_point(p, 40, c[2]);
	face_params_lip(f, LIP_LOW, 17, c);
	set_point(p, 14, c[8]), set_point(p, 41, c[12]), set_point(p, 42, c[4]);
	face_params_lip(f, LIP_LINE_UP, 17, c);
	set_point(p, 43, c[14]), set_point(p, 44, c[2]), set_point(p, 45, c[8]);
	face_params_lip(f, LIP_LINE_LOW, 17, c);
	set_point(p, 46, c[8]);
	face_params_contour(f, 0, p[47]);
	for (int k = 1; k <= 8; k++) {
		face_params_contour(f, k * 0.66f, p[47 + k]);
		face_params_contour(f, FACE_PARAMS_CONTOUR - k * 0.66f, p[55 + k]);
	}
	face_params_contour(f, 6.3f, p[64]);
	face_params_contour(f, FACE_PARAMS_CONTOUR - 6.3f, p[65]);
	face_params_project(q, 0, -0.75f, 0.08f, p[66]);
	face_params_contour(f, 9, p[67]);
}

size_t face_size(const struct face_style *s)
{
	return brush_size(s->w, s->h);
}

void face_sample(struct face_params *f, const struct face_style *s, uint64_t seed, uint32_t row, const float turn[3])
{
	struct person p;
	memset(f, 0, sizeof *f);
	f->seed = seed, f->set = s->set, f->row = row, f->first = face_first(s, seed, row);
	/* Philox elements: 0: whether the person is new; from 1: person; from 500: image; from 1000: background; from 2000: texture */
	struct rng person_rng = rng_init(seed, PHILOX_FACE, s->set, f->first, 1), image_rng = rng_init(seed, PHILOX_FACE, s->set, row, 500);
	sample_person(f, &p, &person_rng);
	sample_image(f, &p, s, &image_rng, turn);
	sample_anatomy(f, &p, s, &image_rng);
}

void face_points(const struct face_params *f, int n, float *points)
{
	float all[FACE_NAMED][2];
	landmarks(f, all);
	for (int k = 0; k < n; k++) {
		float at[2];
		if (k < FACE_NAMED)
			set_point(&at, 0, all[k]);
		else
			face_params_contour(f, (float)FACE_PARAMS_CONTOUR * (k - FACE_NAMED) / (n - FACE_NAMED), at);
		points[2 * k] = at[0], points[2 * k + 1] = at[1];
	}
}

void face_draw(const struct face_style *s, uint64_t seed, uint32_t row, float *buf, uint8_t *image, float *points)
{
	struct face_params f;
	struct brush b;
	face_sample(&f, s, seed, row, NULL);
	face_points(&f, s->points, points);
	brush_init(&b, s->w, s->h, buf);
	paint_face(&f, &b, image);
}
