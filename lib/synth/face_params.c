#include <math.h>
#include <string.h>

#include "lib/synth/brush.h"
#include "lib/synth/face_params.h"

static const float NECK = -0.75f; /* depth of the axis about which the head rotates */

static void mix(const float a[3], const float b[3], float t, float out[3])
{
	for (int i = 0; i < 3; i++)
		out[i] = a[i] + (b[i] - a[i]) * t;
}

void face_params_project(const struct face_params_pose *p, float x, float y, float z, float out[2])
{
	float d = z - NECK, yc = y - 0.5f;
	float x1 = x * p->cy + d * p->sy, z1 = d * p->cy - x * p->sy;
	float y1 = yc * p->cp + z1 * p->sp + 0.5f;
	/* the crop is centred on the face, so most of the displacement by the rotation is undone */
	x1 -= 0.62f * p->sy, y1 -= 0.7f * p->sp;
	x1 *= p->scale, y1 *= p->scale;
	out[0] = p->x + x1 * p->cr - y1 * p->sr;
	out[1] = p->y + x1 * p->sr + y1 * p->cr;
}

void face_params_move(struct face_params *f, float k, float x, float y)
{
	f->pose.scale *= k;
	f->pose.x = k * f->pose.x + x, f->pose.y = k * f->pose.y + y;
	for (int i = 0; i < FACE_PARAMS_CONTOUR; i++)
		f->contour[i][0] = k * f->contour[i][0] + x, f->contour[i][1] = k * f->contour[i][1] + y;
	f->ground = k * f->ground + y;
}

static void project(const struct face_params *f, const float v[3], float out[2])
{
	face_params_project(&f->pose, v[0], v[1], v[2], out);
}

void face_params_lid(const struct face_params *f, int side, int upper, int n, float (*out)[2])
{
	const struct face_params_eye *e = &f->eye[side];
	for (int i = 0; i < n; i++) {
		float t = (float)i / (n - 1), a = 4 * t * (1 - t), skew = upper ? t - 0.12f * a : t + 0.1f * a, v[3];
		mix(e->in, e->out, skew, v);
		v[1] += upper ? -e->up * a * (1.15f - 0.15f * a) : e->low * a;
		v[2] += 0.05f * a;
		project(f, v, out[i]);
	}
}

void face_params_brow(const struct face_params *f, int side, int n, float (*out)[2])
{
	for (int i = 0; i < n; i++) {
		/* a parabola through the middle point at t = 1/2 */
		float t = (float)i / (n - 1), a = (1 - t) * (1 - 2 * t), m = 4 * t * (1 - t), o = t * (2 * t - 1), v[3];
		for (int k = 0; k < 3; k++)
			v[k] = a * f->brow_in[side][k] + m * f->brow_mid[side][k] + o * f->brow_out[side][k];
		project(f, v, out[i]);
	}
}

void face_params_lip(const struct face_params *f, enum face_params_lip which, int n, float (*out)[2])
{
	float c[5][3], projected[5][2], all[64][2];
	memcpy(c[0], f->mouth[1], sizeof c[0]);
	memcpy(c[4], f->mouth[0], sizeof c[4]);
	if (which == LIP_TOP) {
		memcpy(c[1], f->lip_peak[1], sizeof c[1]);
		memcpy(c[2], f->lip_top, sizeof c[2]);
		memcpy(c[3], f->lip_peak[0], sizeof c[3]);
	} else {
		memcpy(c[2], which == LIP_LOW ? f->lip_low : f->lip_line, sizeof c[2]);
		if (which == LIP_LINE_LOW)
			c[2][1] += f->lip_gap;
		for (int i = 0; i < 2; i++) {
			mix(c[i * 4], c[2], 0.5f, c[1 + 2 * i]);
			c[1 + 2 * i][1] += (c[2][1] - c[i * 4][1]) * 0.25f;
			c[1 + 2 * i][2] += 0.03f;
		}
	}
	for (int i = 0; i < 5; i++)
		project(f, c[i], projected[i]);
	/* n is 4 k + 1, so that the control points are among those returned */
	int per = (n - 1) / 4;
	brush_curve(projected, 5, 0, per < 15 ? per : 15, all);
	memcpy(out, all, sizeof(float) * 2 * (size_t)n);
}

void face_params_contour(const struct face_params *f, float t, float out[2])
{
	int i = (int)t % FACE_PARAMS_CONTOUR;
	float u = t - floorf(t), c[4][2];
	for (int k = 0; k < 4; k++)
		memcpy(c[k], f->contour[(i + k + FACE_PARAMS_CONTOUR - 1) % FACE_PARAMS_CONTOUR], sizeof c[k]);
	for (int d = 0; d < 2; d++) /* the spline segment of brush_curve, at any t */
		out[d] = 0.5f * (2 * c[1][d] + (c[2][d] - c[0][d]) * u + (2 * c[0][d] - 5 * c[1][d] + 4 * c[2][d] - c[3][d]) * u * u +
					(3 * c[1][d] - c[0][d] - 3 * c[2][d] + c[3][d]) * u * u * u);
}
