/* A face is drawn in layers, from the background to what is in front, with the shapes of brush.h. */
#include <math.h>
#include <string.h>

#include "lib/base/rng.h"
#include "lib/synth/paint_io.h"

#define CONTOUR_PER 5

static void backdrop(const struct face_params *f, struct brush *b)
{
	struct rng rng = rng_init(f->seed, PHILOX_FACE, f->set, f->first, 1000);
	float a = rng_range(&rng, 0, 6.2831853f), gx = cosf(a) / b->w, gy = sinf(a) / b->h, size = (float)(b->w < b->h ? b->w : b->h);
	float rough = fmaxf(0, rng_range(&rng, -0.2f, 0.25f)), grain = rng_range(&rng, 3, 14) / size,
	      gradient = f->background[1] - f->background[0];
	for (int y = 0; y < b->h; y++) {
		float *g = b->grey + (size_t)y * b->w, *l = b->light + (size_t)y * b->w, v = gy * (y - b->h / 2) + 0.5f;
		if (rough > 0)
			brush_noise(b, 0, grain, y * grain, b->w, g);
		else
			memset(g, 0, sizeof(float) * (size_t)b->w);
		for (int x = 0; x < b->w; x++) {
			g[x] = (f->background[0] + gradient * (v + gx * (x - b->w / 2))) * (1 + rough * g[x]);
			l[x] = 1 + (f->slope[0] * (x - b->w / 2) + f->slope[1] * (y - b->h / 2)) * 2 / size;
		}
	}
	int objects = rng_chance(&rng, 0.6f) ? 1 + rng_below(&rng, 5) : 0;
	for (int i = 0; i < objects; i++) {
		float cx = rng_range(&rng, 0, (float)b->w), cy = rng_range(&rng, -0.2f, 0.9f) * b->h,
		      lx = rng_range(&rng, 0.03f, 0.3f) * size, ly = rng_range(&rng, 0.1f, 0.7f) * size,
		      angle = rng_range(&rng, -0.2f, 0.2f), c = cosf(angle), s = sinf(angle);
		const float p[4][2] = {{cx - lx * c + ly * s, cy - lx * s - ly * c}, {cx + lx * c + ly * s, cy + lx * s - ly * c},
			{cx + lx * c - ly * s, cy + lx * s + ly * c}, {cx - lx * c - ly * s, cy - lx * s + ly * c}};
		float grey = rng_range(&rng, 5, 240), alpha = rng_range(&rng, 0.3f, 0.9f);
		struct brush_ink k = paint_ink(grey, alpha);
		brush_fill(b, p, 4, 0, &k);
	}
	if (objects && rng_chance(&rng, 0.5f))
		brush_blur(b, rng_range(&rng, 0.5f, 2.5f) * size / 96);
}

static void middle_of(const struct face_params *f, float m[2])
{
	for (int k = 0; k < 2; k++)
		m[k] = 0.5f * (f->contour[0][k] + f->contour[9][k]);
}

/* Control points a to z of the contour, scaled about the head's centre. */
static int contour_part(const struct face_params *f, int a, int z, float factor, float (*out)[2])
{
	float m[2];
	int n = 0;
	middle_of(f, m);
	for (int i = a; i <= z; i++, n++)
		for (int k = 0; k < 2; k++)
			out[n][k] = m[k] + (f->contour[i % FACE_PARAMS_CONTOUR][k] - m[k]) * factor;
	return n;
}

static void body(const struct face_params *f, struct brush *b)
{
	float p[64][2], c[32][2], s = f->pose.scale;
	struct brush_ink hair = {f->hair, 1, 0.22f, 9 / s, 2.5f / s}, neck = paint_ink(f->skin * 0.62f, 1),
			 cloth = {f->cloth, 1, 0.15f, 2 / s, 2 / s};
	if (f->style != HAIR_BALD) { /* behind the head */
		int longer = f->style == HAIR_LONG || f->style == HAIR_LONG_FRINGE,
		    n = contour_part(f, 5, 13, longer ? 1.02f + f->bulk : 1.015f, c);
		if (longer) {
			float wide = (1.15f + f->bulk) * s, low = f->length * s;
			c[n][0] = f->pose.x - wide, c[n++][1] = f->pose.y + low;
			c[n][0] = f->pose.x, c[n++][1] = f->pose.y + low + 0.3f * s;
			c[n][0] = f->pose.x + wide, c[n++][1] = f->pose.y + low;
		}
		brush_fill(b, p, brush_curve(c, n, longer, 4, p), 0.02f * s, &hair);
	}
	/* neck and shoulders follow the head's position but not its rotation */
	float x = 0.5f * (f->contour[0][0] + f->contour[9][0]), y = f->contour[0][1], w = 0.72f * s, end = fmaxf(y + 4 * s, f->ground);
	const float throat[6][2] = {{x - w, y - 0.9f * s}, {x + w, y - 0.9f * s}, {x + w, y + 0.3f * s}, {x + 1.1f * w, y + 2 * s},
		{x - 1.1f * w, y + 2 * s}, {x - w, y + 0.3f * s}};
	brush_fill(b, throat, 6, 0, &neck);
	const float coat[7][2] = {{x - 0.8f * w, y + 0.02f * s}, {x, y + 0.75f * s}, {x + 0.8f * w, y + 0.02f * s},
		{x + 2.2f * s, y + 0.75f * s}, {x + 2.6f * s, end}, {x - 2.6f * s, end}, {x - 2.2f * s, y + 0.75f * s}};
	brush_fill(b, coat, 7, 0, &cloth);
}

/* The face's height field, and its shading. */
static void relief(const struct face_params *f, struct brush *b)
{
	static const float bumps[][6] = {/* x, y, z, half axes, height; mirrored too where x isn't 0 */
		{0.47f, 0.0f, 0, 0.46f, 0.3f, -0.13f}, {0.5f, -0.27f, 0.1f, 0.55f, 0.2f, 0.06f}, {0, 0.0f, 0.1f, 0.22f, 0.42f, 0.09f},
		{0, 0.32f, 0.27f, 0.25f, 0.45f, 0.14f}, {0.2f, 0.62f, 0.22f, 0.18f, 0.17f, 0.09f}, {0.62f, 0.62f, 0, 0.55f, 0.48f, 0.09f},
		{0, 1.45f, 0.12f, 0.42f, 0.15f, -0.06f}, {0, 0.84f, 0.25f, 0.09f, 0.2f, -0.025f}, {0, 1.75f, 0.1f, 0.45f, 0.32f, 0.1f},
		{0.5f, -0.75f, 0, 0.6f, 0.4f, 0.03f}};
	float s = f->pose.scale, angle = atan2f(f->pose.sr, f->pose.cr), p[2], m[2];
	memset(b->field, 0, sizeof(float) * (size_t)b->w * b->h);
	for (size_t i = 0; i < sizeof bumps / sizeof *bumps; i++)
		for (int side = -1; side <= 1; side += 2) {
			const float *v = bumps[i];
			if (v[0] == 0 && side > 0)
				continue;
			face_params_project(&f->pose, v[0] * side, v[1], v[2], p);
			brush_bump(b, p[0], p[1], v[3] * s, v[4] * s, angle, v[5] * s);
		}
	paint_project(f, f->nose_tip, p);
	brush_bump(b, p[0], p[1], 0.26f * s, 0.24f * s, angle, 0.2f * f->nose_deep * s);
	const float *lips[2] = {f->lip_top, f->lip_low};
	for (int i = 0; i < 2; i++) {
		float v[3];
		paint_mix(lips[i], f->lip_line, 0.5f, v);
		v[1] += i * 0.5f * f->lip_gap;
		paint_project(f, v, p);
		brush_bump(b, p[0], p[1], 0.42f * s, (i ? 0.15f : 0.12f) * s, angle, 0.05f * s);
	}
	middle_of(f, m);
	float rx = 0.5f * hypotf(f->contour[5][0] - f->contour[13][0], f->contour[5][1] - f->contour[13][1]);
	float ry = 0.5f * hypotf(f->contour[0][0] - f->contour[9][0], f->contour[0][1] - f->contour[9][1]);
	brush_relief(b, m[0], m[1], rx * 1.04f, ry * 1.04f, angle, f->light, f->ambient, f->shine);
}

static void ear(const struct face_params *f, struct brush *b, int side)
{
	float x = side ? -1.06f : 1.06f;
	struct brush_ink skin = paint_ink(f->skin * 0.97f, 1), in = paint_ink(f->skin * 0.65f, 0.6f);
	paint_oval(f, b, x, 0.3f, -0.72f, 0.12f, 0.29f, 0, &skin);
	paint_oval(f, b, x, 0.28f, -0.70f, 0.05f, 0.17f, 0.05f, &in);
}

static void head(const struct face_params *f, struct brush *b)
{
	float p[FACE_PARAMS_CONTOUR * CONTOUR_PER][2], s = f->pose.scale;
	struct brush_ink skin = {f->skin, 1, 0.05f + 0.06f * f->age, 7 / s, 7 / s};
	int near = f->pose.sy > 0; /* side nearer to the viewer: the right one when the head turns to the image's right */
	ear(f, b, !near);
	if (fabsf(f->pose.sy) < 0.15f)
		ear(f, b, near);
	brush_fill(b, p, brush_curve(f->contour, FACE_PARAMS_CONTOUR, 1, CONTOUR_PER, p), 0, &skin);
	if (fabsf(f->pose.sy) >= 0.15f)
		ear(f, b, near);
}

static void beard(const struct face_params *f, struct brush *b)
{
	float s = f->pose.scale, top = 0.5f * (f->nose_tip[1] + 0.12f + f->lip_top[1]);
	float dark = fminf(f->hair, f->skin * 0.6f), corner = f->mouth[0][0], drop = f->lip_low[1];
	struct brush_ink k = {dark, 0.85f, 0.4f, 10 / s, 6 / s};
	if (f->beard == BEARD_STUBBLE || f->beard == BEARD_FULL) {
		float c[24][2], p[24 * 4][2];
		int n = contour_part(f, 14, 22, 1.0f, c); /* right ear, chin, left ear */
		const float in[5][3] = {
			{0.72f, 0.7f, -0.1f}, {0.5f, 0.98f, 0.05f}, {0, top, 0.25f}, {-0.5f, 0.98f, 0.05f}, {-0.72f, 0.7f, -0.1f}};
		for (int i = 0; i < 5; i++)
			paint_project(f, in[i], c[n++]);
		k.alpha = f->beard == BEARD_FULL ? 0.85f : 0.3f;
		brush_fill(b, p, brush_curve(c, n, 1, 4, p), 0.2f * s, &k);
	}
	if (f->beard == BEARD_MOUSTACHE || f->beard == BEARD_GOATEE) {
		const float v[6][3] = {{0, top - 0.05f, 0.28f}, {0.25f, top + 0.02f, 0.2f}, {corner + 0.06f, f->mouth[0][1], 0.06f},
			{0, f->lip_top[1] + 0.03f, 0.24f}, {-corner - 0.06f, f->mouth[1][1], 0.06f}, {-0.25f, top + 0.02f, 0.2f}};
		paint_shape(f, b, v, 6, 0.06f, &k);
	}
	if (f->beard == BEARD_GOATEE) {
		const float v[6][3] = {{-0.3f, drop + 0.1f, 0.15f}, {0, drop + 0.02f, 0.2f}, {0.3f, drop + 0.1f, 0.15f},
			{0.32f, drop + 0.45f, 0.08f}, {0, drop + 0.6f, 0.1f}, {-0.32f, drop + 0.45f, 0.08f}};
		paint_shape(f, b, v, 6, 0.1f, &k);
	}
}

/* Clamps a point of the hairline, which the rotation may have moved outside the head's contour, to it. */
static void clamp_to_contour(const struct face_params *f, float p[2])
{
	const float *l = f->contour[5], *r = f->contour[13];
	float c = f->pose.cr, s = f->pose.sr, at = p[0] * c + p[1] * s, left = l[0] * c + l[1] * s, right = r[0] * c + r[1] * s;
	float over = at > left ? left - at : at < right ? right - at : 0;
	p[0] += over * c, p[1] += over * s;
}

static void hair(const struct face_params *f, struct brush *b)
{
	float c[40][2], p[40 * 4][2], s = f->pose.scale, h = f->hairline, m = f->part;
	struct brush_ink k = {f->hair, 1, 0.22f, 9 / s, 2.5f / s};
	int n, longer = f->style == HAIR_LONG || f->style == HAIR_LONG_FRINGE,
	       fringe = f->style == HAIR_FRINGE || f->style == HAIR_LONG_FRINGE;
	if (f->style == HAIR_BALD)
		return;
	n = contour_part(f, 6, 12, 1.02f, c);	 /* from the left temple over the crown to the right */
	for (int i = 0; i < n && !longer; i++) { /* volume at the top, none at the temples */
		float t = (float)i / (n - 1), up = f->bulk * 4 * t * (1 - t);
		c[i][0] += up * (c[i][0] - f->pose.x), c[i][1] += up * (c[i][1] - f->pose.y);
	}
	if (longer)
		n = contour_part(f, 6, 12, 1.03f + f->bulk, c);
	float front = fringe ? -0.55f : -1.05f - h;
	const float v[9][3] = {{-1.03f, 0.08f, -0.75f}, {-0.97f, -0.25f, -0.6f}, {-0.85f, fringe ? -0.3f : -0.75f - h, -0.3f},
		{-0.45f + m * 0.3f, front + 0.1f, 0}, {m, front, 0.1f}, {0.45f + m * 0.3f, front + 0.1f, 0},
		{0.85f, fringe ? -0.3f : -0.75f - h, -0.3f}, {0.97f, -0.25f, -0.6f}, {1.03f, 0.08f, -0.75f}};
	/* two open curves: one closed one would bulge at the temples */
	int m1 = brush_curve(c, n, 0, 4, p);
	for (int i = 0; i < 9; i++) {
		paint_project(f, v[i], c[i]);
		clamp_to_contour(f, c[i]);
	}
	int m2 = brush_curve(c, 9, 0, 4, p + m1);
	for (int i = m1 + 8; i < m1 + m2 - 8; i++) /* strands on the forehead */
		p[i][1] += f->wave * s * sinf(2.1f * i + 20 * m);
	brush_fill(b, p, m1 + m2, 0.02f * s, &k);
	for (int i = -1; i <= 1 && longer; i += 2) { /* locks in front of the ears */
		const float l[7][3] = {{0.75f * i, -1.0f, -0.3f}, {0.98f * i, -0.5f, -0.45f}, {0.97f * i, 0.4f, -0.5f},
			{0.95f * i, f->length, -0.5f}, {1.35f * i, f->length, -0.9f}, {1.3f * i, 0.2f, -0.9f}, {1.15f * i, -0.7f, -0.7f}};
		paint_shape(f, b, l, 7, 0.02f, &k);
	}
	if (f->style == HAIR_HAT) {
		struct brush_ink felt = {f->cloth, 1, 0.15f, 3 / s, 3 / s}, brim = paint_ink(f->cloth * 0.6f, 1);
		n = contour_part(f, 6, 12, 1.12f, c);
		const float e[3][3] = {{-1.02f, -0.5f, -0.5f}, {0, -0.68f, 0.3f}, {1.02f, -0.5f, -0.5f}};
		for (int i = 0; i < 3; i++)
			paint_project(f, e[i], c[n++]);
		brush_fill(b, p, brush_curve(c, n, 1, 4, p), 0, &felt);
		paint_line(f, b, e, 3, 0.1f, 0.1f, &brim);
	}
}

static void glasses(const struct face_params *f, struct brush *b)
{
	enum { N = 20 };
	float p[N + 1][2], s = f->pose.scale, w = f->frame[0], h = f->frame[1];
	struct brush_ink rim = paint_ink(f->glasses == GLASSES_THIN ? 70 : 20, f->glasses == GLASSES_THIN ? 0.75f : 0.95f),
			 lens = paint_ink(25, 0.9f), glare = paint_ink(230, 0.1f);
	if (f->glasses == GLASSES_NONE)
		return;
	for (int side = -1; side <= 1; side += 2) {
		for (int i = 0; i <= N; i++) {
			float t = i * (6.2831853f / N), c = cosf(t), q = sinf(t), e = 0.6f; /* a rounded rectangle */
			float x = copysignf(powf(fabsf(c), e), c) * w, y = copysignf(powf(fabsf(q), e), q) * h;
			face_params_project(&f->pose, 0.5f * side + x, 0.05f + y, 0.22f - 0.25f * fabsf(0.5f + x * side), p[i]);
		}
		brush_fill(b, p, N, 0, f->glasses == GLASSES_SUN ? &lens : &glare);
		brush_line(b, p, N + 1, f->rim * s, f->rim * s, &rim);
		const float arm[2][3] = {{(0.5f + w) * side, -0.04f, 0}, {1.06f * side, 0.08f, -0.75f}};
		paint_line(f, b, arm, 2, f->rim, f->rim, &rim);
	}
	const float bridge[3][3] = {{w - 0.5f, 0, 0.2f}, {0, -0.05f, 0.27f}, {0.5f - w, 0, 0.2f}};
	paint_line(f, b, bridge, 3, f->rim, f->rim, &rim);
}

/* A microphone or hand in front of the mouth or chin. */
static void occluder(const struct face_params *f, struct brush *b)
{
	float p[2], s = f->pose.scale, x = f->occluder_x;
	if (!f->occluder)
		return;
	face_params_project(&f->pose, x, f->occluder_y, 0.6f, p);
	struct brush_ink k = {f->occluder == 1 ? 30 : f->skin * 0.9f, 1, 0.4f, 14 / s, 14 / s};
	const float stick[4][2] = {{p[0] - 0.12f * s, p[1]}, {p[0] + 0.12f * s, p[1]}, {p[0] + (0.2f + x) * s, p[1] + 2 * s},
		{p[0] + (x - 0.2f) * s, p[1] + 2 * s}};
	brush_fill(b, stick, 4, 0, &k);
	brush_oval(b, p[0], p[1] + 0.2f * s, (f->occluder == 1 ? 0.32f : 0.5f) * s, 0.36f * s, x, 0, &k);
}

static void grain(const struct face_params *f, struct brush *b)
{
	for (int i = 0; i < 16; i++) {
		struct philox g = philox(f->seed, PHILOX_FACE, f->set, f->first, 2000u + (uint32_t)i);
		for (int k = 0; k < 16; k++)
			b->grain[16 * i + k] = (uint8_t)(g.v[k / 4] >> (k % 4 * 8));
	}
}

static void layers(const struct face_params *f, struct brush *b)
{
	body(f, b);
	relief(f, b);
	head(f, b);
	paint_wrinkles(f, b);
	if (f->beard != BEARD_NONE)
		beard(f, b);
	paint_features(f, b);
	hair(f, b);
	glasses(f, b);
	occluder(f, b);
}

void paint_face(const struct face_params *f, struct brush *b, uint8_t *image)
{
	grain(f, b);
	backdrop(f, b);
	layers(f, b);
	brush_blur(b, f->blur * (b->w < b->h ? b->w : b->h) / 96);
	brush_tone(b, f->contrast, f->middle, f->bright, f->noise, f->seed, f->set, f->row, image);
}

void paint_cutout(const struct face_params *f, struct brush *b)
{
	size_t n = (size_t)b->w * (size_t)b->h;
	float unit = f->pose.scale / 31.6f, m[2]; /* size of what is a pixel at 96x96 */
	grain(f, b);
	middle_of(f, m);
	for (int y = 0; y < b->h; y++)
		for (int x = 0; x < b->w; x++) {
			float k = f->slope[0] * ((float)x - m[0]) + f->slope[1] * ((float)y - m[1]);
			b->light[(size_t)y * (size_t)b->w + (size_t)x] = 1 + fminf(fmaxf(k / (48 * unit), -0.5f), 0.5f);
		}
	memset(b->grey, 0, n * sizeof(float));
	memset(b->cover, 0, n * sizeof(float));
	layers(f, b);
	struct brush cover = *b;
	cover.grey = b->cover;
	brush_blur(b, f->blur * unit);
	brush_blur(&cover, f->blur * unit);
	float base = f->middle + f->bright - f->contrast * f->middle;
	for (size_t i = 0; i < n; i++)
		b->grey[i] = fminf(fmaxf(f->contrast * b->grey[i] + base * b->cover[i], 0), 255 * b->cover[i]);
}
