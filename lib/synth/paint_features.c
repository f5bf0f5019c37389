/* The features of a face: wrinkles, nose, mouth, eyes, brows. */
#include <math.h>
#include <string.h>

#include "lib/synth/paint_io.h"

#define EYE_N 9
#define LIP_N 13

struct brush_ink paint_ink(float grey, float alpha)
{
	return (struct brush_ink){grey, alpha, 0, 0, 0};
}

void paint_mix(const float a[3], const float b[3], float t, float out[3])
{
	for (int i = 0; i < 3; i++)
		out[i] = a[i] + (b[i] - a[i]) * t;
}

void paint_project(const struct face_params *f, const float v[3], float out[2])
{
	face_params_project(&f->pose, v[0], v[1], v[2], out);
}

void paint_line(
	const struct face_params *f, struct brush *b, const float (*v)[3], int n, float wide0, float wide1, const struct brush_ink *k)
{
	float c[8][2], p[64][2];
	for (int i = 0; i < n; i++)
		paint_project(f, v[i], c[i]);
	int m = brush_curve(c, n, 0, 4, p);
	brush_line(b, p, m, wide0 * f->pose.scale, wide1 * f->pose.scale, k);
}

void paint_shape(const struct face_params *f, struct brush *b, const float (*v)[3], int n, float soft, const struct brush_ink *k)
{
	float c[24][2], p[24 * 4][2];
	for (int i = 0; i < n; i++)
		paint_project(f, v[i], c[i]);
	int m = brush_curve(c, n, 1, 4, p);
	brush_fill(b, p, m, soft * f->pose.scale, k);
}

void paint_oval(
	const struct face_params *f, struct brush *b, float x, float y, float z, float rx, float ry, float soft, const struct brush_ink *k)
{
	float p[2], s = f->pose.scale, angle = atan2f(f->pose.sr, f->pose.cr);
	face_params_project(&f->pose, x, y, z, p);
	brush_oval(b, p[0], p[1], rx * s, ry * s, angle, soft * s, k);
}

void paint_wrinkles(const struct face_params *f, struct brush *b)
{
	struct brush_ink k = paint_ink(f->skin * 0.5f, 0.1f + 0.4f * f->age);
	for (int i = -1; i <= 1; i += 2) {
		float corner = f->mouth[0][0] + 0.09f;
		const float fold[4][3] = {{0.24f * i, 0.6f, 0.18f}, {0.34f * i, 0.75f, 0.14f}, {(corner - 0.02f) * i, 0.95f, 0.05f},
			{corner * i, f->mouth[0][1] + 0.02f, 0.03f}};
		k.alpha = fminf(0.08f + 0.4f * f->age + 0.35f * fmaxf(f->smile, 0), 0.7f);
		paint_line(f, b, fold, 4, 0.03f, 0.02f, &k);
		const float bag[3][3] = {{0.3f * i, 0.13f, 0.02f}, {0.48f * i, 0.22f, 0.05f}, {0.66f * i, 0.15f, -0.06f}};
		k.alpha = 0.35f * f->age;
		paint_line(f, b, bag, 3, 0.03f, 0.02f, &k);
	}
	for (int i = 0; i < 3 && f->age > 0.45f; i++) {
		float y = -0.6f - 0.13f * i;
		const float v[3][3] = {{-0.55f, y + 0.03f, -0.05f}, {0, y, 0.1f}, {0.55f, y + 0.03f, -0.05f}};
		k.alpha = 0.5f * (f->age - 0.3f);
		paint_line(f, b, v, 3, 0.03f, 0.03f, &k);
	}
}

static void eye(const struct face_params *f, struct brush *b, int side)
{
	const struct face_params_eye *e = &f->eye[side];
	float up[EYE_N][2], low[EYE_N][2], p[2 * EYE_N][2], c[2], s = f->pose.scale;
	face_params_lid(f, side, 1, EYE_N, up);
	face_params_lid(f, side, 0, EYE_N, low);
	paint_project(f, e->pupil, c);
	if (f->makeup > 0.3f) {
		struct brush_ink k = paint_ink(f->skin * 0.5f, 0.5f * f->makeup);
		float x = 0.5f * (e->in[0] + e->out[0]);
		paint_oval(f, b, x, e->in[1] - e->up - 0.04f, 0.02f, 0.25f, 0.09f, 0.12f, &k);
	}
	for (int i = 0; i < EYE_N; i++) {
		memcpy(p[i], up[i], sizeof p[i]);
		memcpy(p[2 * EYE_N - 1 - i], low[i], sizeof p[i]);
	}
	struct brush_box box = brush_cover(b, p, 2 * EYE_N, 0);
	float white = fminf(0.75f * f->skin + 70, 225), ri = f->iris_r * s, rp = 0.42f * ri, lid = up[EYE_N / 2][1], span = 1 / (0.12f * s);
	for (int y = box.y0; y < box.y1; y++)
		for (int x = box.x0; x < box.x1; x++) {
			size_t i = (size_t)y * b->w + x;
			float a = b->mask[i], dx = x - c[0], dy = y - c[1], r = sqrtf(dx * dx + dy * dy), v = white;
			if (a <= 0)
				continue;
			v += (f->iris - v) * fminf(fmaxf(ri - r + 0.5f, 0), 1);
			v += (12 - v) * fminf(fmaxf(rp - r + 0.5f, 0), 1);
			v *= 0.62f + 0.38f * fminf(fmaxf((y - lid) * span, 0), 1); /* the lid's shadow */
			b->grey[i] += a * (v * fminf(b->light[i] + 0.1f, 1.2f) - b->grey[i]);
		}
	struct brush_ink glint = paint_ink(235, fminf(1, e->up * 10) * 0.8f),
			 lash = paint_ink(fminf(25 + 0.1f * f->skin, f->skin * 0.5f), 0.75f + 0.25f * f->makeup);
	if (e->up > 0.05f)
		brush_oval(b, c[0] - 0.3f * ri, c[1] - 0.35f * ri, 0.3f * ri, 0.3f * ri, 0, 0, &glint);
	brush_line(b, up, EYE_N, 0.03f * s, (0.05f + 0.03f * f->makeup) * s, &lash);
	struct brush_ink faint = paint_ink(f->skin * 0.55f, 0.5f), crease = paint_ink(f->skin * 0.6f, 0.55f);
	brush_line(b, low, EYE_N, 0.025f * s, 0.03f * s, &faint);
	for (int i = 0; i < EYE_N; i++) {
		float lift = (0.045f + 0.25f * fmaxf(0.1f - e->up, 0)) * s;
		up[i][0] += lift * f->pose.sr, up[i][1] -= lift * f->pose.cr;
	}
	brush_line(b, up + 1, EYE_N - 1, 0.02f * s, 0.03f * s, &crease);
}

static void brow(const struct face_params *f, struct brush *b, int side)
{
	enum { N = 9 };
	float p[N][2], q[2 * N][2], s = f->pose.scale;
	struct brush_ink k = {f->brow, 0.8f, 0.35f, 12 / s, 5 / s};
	face_params_brow(f, side, N, p);
	for (int i = 0; i < N; i++) { /* blunt at the nose, full at a third, thin at the temple */
		const float *l = p[i ? i - 1 : 0], *r = p[i + 1 < N ? i + 1 : i];
		float t = (float)i / (N - 1), dx = r[0] - l[0], dy = r[1] - l[1], len = sqrtf(dx * dx + dy * dy) + 1e-6f;
		float half = 0.5f * f->brow_thick * s * (0.7f + 1.2f * t - 1.65f * t * t) / len;
		q[i][0] = p[i][0] - dy * half, q[i][1] = p[i][1] + dx * half;
		q[2 * N - 1 - i][0] = p[i][0] + dy * half, q[2 * N - 1 - i][1] = p[i][1] - dx * half;
	}
	brush_fill(b, q, 2 * N, 0.015f * s, &k);
}

static void nose(const struct face_params *f, struct brush *b)
{
	const float *t = f->nose_tip;
	float w = f->nose_wide;
	struct brush_ink hole = paint_ink(f->skin * 0.22f, 0.85f), wing = paint_ink(f->skin * 0.5f, 0.5f),
			 under = paint_ink(f->skin * 0.6f, 0.45f);
	paint_oval(f, b, t[0], t[1] + 0.17f, t[2] - 0.2f, 0.2f, 0.05f, 0.1f, &under);
	for (int i = -1; i <= 1; i += 2) {
		const float v[3][3] = {{t[0] + 0.85f * w * i, t[1] - 0.09f, t[2] - 0.25f},
			{t[0] + 1.05f * w * i, t[1] + 0.04f, t[2] - 0.3f}, {t[0] + 0.8f * w * i, t[1] + 0.12f, t[2] - 0.25f}};
		paint_line(f, b, v, 3, 0.025f, 0.04f, &wing);
		paint_oval(f, b, t[0] + 0.48f * w * i, t[1] + 0.1f, t[2] - 0.15f, 0.28f * w, 0.035f, 0.02f, &hole);
	}
}

static int join(const float (*a)[2], const float (*c)[2], int n, float (*out)[2])
{
	memcpy(out, a, sizeof(float) * 2 * (size_t)n);
	for (int i = 0; i < n; i++)
		memcpy(out[n + i], c[n - 1 - i], sizeof out[0]);
	return 2 * n;
}

static void mouth(const struct face_params *f, struct brush *b)
{
	float top[LIP_N][2], su[LIP_N][2], sl[LIP_N][2], low[LIP_N][2], p[2 * LIP_N][2], s = f->pose.scale;
	face_params_lip(f, LIP_TOP, LIP_N, top);
	face_params_lip(f, LIP_LINE_UP, LIP_N, su);
	face_params_lip(f, LIP_LINE_LOW, LIP_N, sl);
	face_params_lip(f, LIP_LOW, LIP_N, low);
	struct brush_ink upper = paint_ink(f->lip * 0.85f, 0.9f), lower = paint_ink(f->lip, 0.9f), dark = paint_ink(16, 0.95f),
			 teeth = paint_ink(205, 0.9f), line = paint_ink(f->lip * 0.3f, 0.75f);
	brush_fill(b, p, join(top, su, LIP_N, p), 0.02f * s, &upper);
	brush_fill(b, p, join(sl, low, LIP_N, p), 0.02f * s, &lower);
	if (f->lip_gap > 0.02f) {
		brush_fill(b, p, join(su, sl, LIP_N, p), 0, &dark);
		if (f->teeth > 0.05f) {
			float edge[LIP_N][2];
			for (int i = 0; i < LIP_N; i++)
				for (int k = 0; k < 2; k++)
					edge[i][k] = su[i][k] + (sl[i][k] - su[i][k]) * f->teeth;
			brush_fill(b, p, join(su + 2, edge + 2, LIP_N - 4, p), 0.02f * s, &teeth);
		}
		line.alpha = 0.4f;
	}
	brush_line(b, su, LIP_N, 0.035f * s, 0.035f * s, &line);
}

void paint_features(const struct face_params *f, struct brush *b)
{
	nose(f, b);
	mouth(f, b);
	for (int side = 0; side < 2; side++)
		eye(f, b, side);
	for (int side = 0; side < 2; side++)
		brow(f, b, side);
}
