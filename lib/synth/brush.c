/* Polygons are rasterised by accumulating the signed areas of their edges; lines and ellipses are polygons. */
#include <assert.h>
#include <math.h>
#include <string.h>

#include "lib/synth/brush.h"

#define LINE_MAX 64

static float clampf(float v, float lo, float hi)
{
	return v < lo ? lo : v > hi ? hi : v;
}

static int clampi(int v, int lo, int hi)
{
	return v < lo ? lo : v > hi ? hi : v;
}

/* Accumulates one edge's signed area into rows of stride floats, whose running sums are the coverage of the pixels (as in Levien's
 * font-rs). Here pixel i spans i to i + 1. */
static void edge(float *area, int w, int h, int stride, float x0, float y0, float x1, float y1)
{
	float sign = 1;
	if (y0 == y1)
		return;
	if (y0 > y1) {
		float t = x0;
		x0 = x1, x1 = t, t = y0, y0 = y1, y1 = t, sign = -1;
	}
	if (y1 <= 0 || y0 >= h)
		return;
	float slope = (x1 - x0) / (y1 - y0), x = x0;
	if (y0 < 0)
		x -= y0 * slope, y0 = 0;
	if (y1 > h)
		y1 = h;
	for (int y = (int)y0; y < h && y < y1; y++) {
		float *a = area + (size_t)y * stride;
		float dy = (y + 1 < y1 ? y + 1 : y1) - (y > y0 ? y : y0), next = x + slope * dy, d = dy * sign;
		float l = clampf(x < next ? x : next, 0, w), r = clampf(x < next ? next : x, 0, w);
		x = next;
		int li = (int)l, ri = (int)ceilf(r);
		if (ri <= li + 1) {
			float mid = 0.5f * (l + r) - li;
			a[li] += d - d * mid, a[li + 1] += d * mid;
			continue;
		}
		float s = 1 / (r - l), lf = l - li, rf = r - ri + 1, first = 0.5f * s * (1 - lf) * (1 - lf), last = 0.5f * s * rf * rf;
		a[li] += d * first;
		if (ri == li + 2) {
			a[li + 1] += d * (1 - first - last);
		} else {
			float second = s * (1.5f - lf);
			a[li + 1] += d * (second - first);
			for (int i = li + 2; i < ri - 1; i++)
				a[i] += d * s;
			a[ri - 1] += d * (1 - (second + (ri - li - 3) * s) - last);
		}
		a[ri] += d * last;
	}
}

/* o += k * (a + c), n values, four at a time: gcc does not vectorise such loops at -O2. The results are the same either way. */
typedef float float4 __attribute__((vector_size(16)));

static void add_pair(float *o, const float *a, const float *c, float k, int n)
{
	int i = 0;
	for (; i + 4 <= n; i += 4) {
		float4 x, y, z;
		memcpy(&x, a + i, sizeof x);
		memcpy(&y, c + i, sizeof y);
		memcpy(&z, o + i, sizeof z);
		z += k * (x + y);
		memcpy(o + i, &z, sizeof z);
	}
	for (; i < n; i++)
		o[i] += k * (a[i] + c[i]);
}

/* Box filter of 2 r + 1 values along each row of in (h, w), transposed into out (w, h), so that two calls filter both axes. Padding: the
 * edge value where left or right says that this is the canvas's edge, else zero. */
static void box_mean_transposed(const float *in, int stride, int w, int h, int r, int left, int right, float *out)
{
	float norm = 1.0f / (2 * r + 1);
	for (int y = 0; y < h; y++) {
		const float *v = in + (size_t)y * stride;
		float before = left ? v[0] : 0, after = right ? v[w - 1] : 0, sum = before * (r + 1);
		for (int i = 0; i < r; i++)
			sum += i < w ? v[i] : after;
		for (int x = 0; x < w; x++) {
			sum += (x + r < w ? v[x + r] : after);
			sum -= (x - r - 1 >= 0 ? v[x - r - 1] : before);
			out[(size_t)x * h + y] = sum * norm;
		}
	}
}

size_t brush_size(int w, int h)
{
	return (size_t)w * h * 4 + 2 * (size_t)(w + 2) * h;
}

void brush_init(struct brush *b, int w, int h, float *buf)
{
	size_t n = (size_t)w * h;
	b->w = w, b->h = h;
	b->grey = buf, b->light = buf + n, b->mask = buf + 2 * n, b->field = buf + 3 * n, b->work = buf + 4 * n, b->cover = NULL;
}

void brush_relief(struct brush *b, float cx, float cy, float rx, float ry, float angle, const float l[3], float ambient, float shine)
{
	float c = cosf(angle), s = sinf(angle), ix = 1 / rx, iy = 1 / ry, direct = (1 - ambient) * 1.15f;
	/* half vector between light and viewer, for the specular term (Blinn, 1977) */
	float hz = l[2] + 1, hn = 1 / sqrtf(l[0] * l[0] + l[1] * l[1] + hz * hz), h[3] = {l[0] * hn, l[1] * hn, hz * hn};
	for (int y = 0; y < b->h; y++) {
		const float *f = b->field + (size_t)y * b->w, *up = y ? f - b->w : f, *dn = y + 1 < b->h ? f + b->w : f;
		float *light = b->light + (size_t)y * b->w, dy = y - cy;
		for (int x = 0; x < b->w; x++) {
			float dx = x - cx, u = (dx * c + dy * s) * ix, v = (dy * c - dx * s) * iy, q = u * u + v * v;
			float k = q > 1 ? 1 / q : 1; /* outside the ellipse (hair, neck) the normal returns to the front */
			u *= 0.85f * k, v *= 0.6f * k, q = 1 - u * u - v * v;
			float nz = sqrtf(q > 0.05f ? q : 0.05f);
			float nx = u * c - v * s - 0.5f * (f[x + 1 < b->w ? x + 1 : x] - f[x ? x - 1 : x]),
			      ny = u * s + v * c - 0.5f * (dn[x] - up[x]);
			float n = 1 / sqrtf(nx * nx + ny * ny + nz * nz), d = (nx * l[0] + ny * l[1] + nz * l[2]) * n;
			float g = (nx * h[0] + ny * h[1] + nz * h[2]) * n;
			d = d > 0 ? d : 0, g = g > 0 ? g * g : 0, g *= g, g *= g, g *= g;
			light[x] *= ambient + direct * d + shine * g;
		}
	}
}

/* Blurs the mask within box: a box filter along both axes, twice. */
static void blur_mask(struct brush *b, struct brush_box box, int r)
{
	int w = box.x1 - box.x0, h = box.y1 - box.y0, l = box.x0 == 0, t = box.y0 == 0, rt = box.x1 == b->w, bt = box.y1 == b->h;
	float *m = b->mask + (size_t)box.y0 * b->w + box.x0, *one = b->work, *two = one + (size_t)w * h;
	box_mean_transposed(m, b->w, w, h, r, l, rt, one);
	box_mean_transposed(one, h, h, w, r, t, bt, two);
	box_mean_transposed(two, w, w, h, r, l, rt, one);
	box_mean_transposed(one, h, h, w, r, t, bt, two);
	for (int y = 0; y < h; y++)
		memcpy(m + (size_t)y * b->w, two + (size_t)y * w, sizeof(float) * (size_t)w);
}

struct brush_box brush_cover(struct brush *b, const float (*p)[2], int n, float soft)
{
	float x0 = 1e9f, y0 = 1e9f, x1 = -1e9f, y1 = -1e9f;
	for (int i = 0; i < n; i++) {
		x0 = fminf(x0, p[i][0]), x1 = fmaxf(x1, p[i][0]);
		y0 = fminf(y0, p[i][1]), y1 = fmaxf(y1, p[i][1]);
	}
	int r = soft > 0.9f ? (int)(soft * 0.5f + 0.7f) : 0, margin = 2 * r;
	struct brush_box box = {clampi((int)floorf(clampf(x0, -9999, 99999) + 0.5f) - margin, 0, b->w),
		clampi((int)floorf(clampf(y0, -9999, 99999) + 0.5f) - margin, 0, b->h),
		clampi((int)ceilf(clampf(x1, -9999, 99999) + 0.5f) + margin, 0, b->w),
		clampi((int)ceilf(clampf(y1, -9999, 99999) + 0.5f) + margin, 0, b->h)};
	int w = box.x1 - box.x0, h = box.y1 - box.y0, stride = w + 2;
	if (w <= 0 || h <= 0)
		return (struct brush_box){0, 0, 0, 0};
	memset(b->work, 0, (size_t)stride * h * sizeof(float));
	float dx = 0.5f - box.x0, dy = 0.5f - box.y0;
	for (int i = 0; i < n; i++) {
		int k = i + 1 < n ? i + 1 : 0;
		edge(b->work, w, h, stride, p[i][0] + dx, p[i][1] + dy, p[k][0] + dx, p[k][1] + dy);
	}
	for (int y = 0; y < h; y++) {
		const float *a = b->work + (size_t)y * stride;
		float *m = b->mask + (size_t)(box.y0 + y) * b->w + box.x0, sum = 0;
		for (int x = 0; x < w; x++) {
			sum += a[x];
			float c = fabsf(sum);
			m[x] = c > 1 ? 1 : c;
		}
	}
	if (r > 0)
		blur_mask(b, box, r);
	return box;
}

void brush_noise(const struct brush *b, float x, float step, float y, int n, float *out)
{
	float fy = floorf(y), v = y - fy;
	int iy = (int)fy;
	const uint8_t *g = b->grain;
	unsigned r0 = g[iy & 255], r1 = g[(iy + 1) & 255];
	v = v * v * (3 - 2 * v) * (1.0f / 128);
	float w0 = 1.0f / 128 - v;
	unsigned cell = ~0u;
	float l = 0, slope = 0;
	for (int i = 0; i < n; i++) {
		float at = x + i * step; /* not negative */
		unsigned ix = (unsigned)(int)at;
		float u = at - (float)(int)ix;
		if (ix != cell) {
			cell = ix;
			l = g[(ix + r0) & 255] * w0 + g[(ix + r1) & 255] * v;
			slope = g[(ix + 1 + r0) & 255] * w0 + g[(ix + 1 + r1) & 255] * v - l;
			l -= 1;
		}
		out[i] = l + slope * (u * u * (3 - 2 * u));
	}
}

void brush_blend(struct brush *b, struct brush_box box, const struct brush_ink *ink)
{
	float *rough = b->work;
	for (int y = box.y0; y < box.y1; y++) {
		size_t at = (size_t)y * b->w;
		float *g = b->grey + at;
		const float *m = b->mask + at, *l = b->light + at;
		int x0 = box.x0, x1 = box.x1;
		while (x0 < x1 && m[x0] <= 0)
			x0++;
		while (x0 < x1 && m[x1 - 1] <= 0)
			x1--;
		if (ink->rough > 0) {
			brush_noise(b, x0 * ink->fx, ink->fx, y * ink->fy, x1 - x0, rough);
			for (int x = x0; x < x1; x++)
				g[x] += m[x] * ink->alpha * (ink->grey * (1 + ink->rough * rough[x - x0]) * l[x] - g[x]);
		} else {
			for (int x = x0; x < x1; x++)
				g[x] += m[x] * ink->alpha * (ink->grey * l[x] - g[x]);
		}
		for (int x = x0; b->cover && x < x1; x++)
			b->cover[at + (size_t)x] += m[x] * ink->alpha * (1 - b->cover[at + (size_t)x]);
	}
}

void brush_fill(struct brush *b, const float (*p)[2], int n, float soft, const struct brush_ink *ink)
{
	brush_blend(b, brush_cover(b, p, n, soft), ink);
}

void brush_line(struct brush *b, const float (*p)[2], int n, float wide0, float wide1, const struct brush_ink *ink)
{
	float q[2 * LINE_MAX][2], fade = 1, widest = fmaxf(wide0, wide1);
	assert(n >= 2 && n <= LINE_MAX);
	if (widest < 0.5f)
		fade = widest * 2, wide0 *= 0.5f / widest, wide1 *= 0.5f / widest;
	for (int i = 0; i < n; i++) {
		const float *l = p[i ? i - 1 : 0], *r = p[i + 1 < n ? i + 1 : i];
		float dx = r[0] - l[0], dy = r[1] - l[1], len = sqrtf(dx * dx + dy * dy) + 1e-6f;
		float half = 0.5f * (wide0 + (wide1 - wide0) * i / (n - 1)) / len;
		q[i][0] = p[i][0] - dy * half, q[i][1] = p[i][1] + dx * half;
		q[2 * n - 1 - i][0] = p[i][0] + dy * half, q[2 * n - 1 - i][1] = p[i][1] - dx * half;
	}
	struct brush_ink thin = *ink;
	thin.alpha *= fade;
	brush_fill(b, q, 2 * n, 0, &thin);
}

void brush_oval(struct brush *b, float x, float y, float rx, float ry, float angle, float soft, const struct brush_ink *ink)
{
	enum { N = 24 };
	float p[N][2], c = cosf(angle), s = sinf(angle);
	for (int i = 0; i < N; i++) {
		float t = i * (6.2831853f / N), u = rx * cosf(t), v = ry * sinf(t);
		p[i][0] = x + u * c - v * s, p[i][1] = y + u * s + v * c;
	}
	brush_fill(b, p, N, soft, ink);
}

void brush_bump(struct brush *b, float x, float y, float rx, float ry, float angle, float height)
{
	float c = cosf(angle), s = sinf(angle), ex = sqrtf(rx * rx * c * c + ry * ry * s * s),
	      ey = sqrtf(rx * rx * s * s + ry * ry * c * c);
	int x0 = clampi((int)ceilf(x - ex), 0, b->w), x1 = clampi((int)floorf(x + ex) + 1, 0, b->w);
	int y0 = clampi((int)ceilf(y - ey), 0, b->h), y1 = clampi((int)floorf(y + ey) + 1, 0, b->h);
	for (int iy = y0; iy < y1; iy++) {
		float *f = b->field + (size_t)iy * b->w, dy = iy - y;
		for (int ix = x0; ix < x1; ix++) {
			float dx = ix - x, u = (dx * c + dy * s) / rx, v = (dy * c - dx * s) / ry, q = 1 - u * u - v * v;
			if (q > 0)
				f[ix] += height * q * q * q;
		}
	}
}

int brush_curve(const float (*c)[2], int n, int closed, int per, float (*out)[2])
{
	int pieces = closed ? n : n - 1, k = 0;
	for (int i = 0; i < pieces; i++) {
		const float *p1 = c[i], *p2 = c[(i + 1) % n];
		const float *p0 = i > 0 ? c[i - 1] : closed ? c[n - 1] : p1, *p3 = i + 2 < n ? c[i + 2] : closed ? c[(i + 2) % n] : p2;
		for (int j = 0; j < per; j++, k++) {
			float t = (float)j / per, t2 = t * t, t3 = t2 * t;
			for (int d = 0; d < 2; d++)
				out[k][d] = 0.5f * (2 * p1[d] + (p2[d] - p0[d]) * t + (2 * p0[d] - 5 * p1[d] + 4 * p2[d] - p3[d]) * t2 +
							   (3 * p1[d] - p0[d] - 3 * p2[d] + p3[d]) * t3);
		}
	}
	if (!closed) {
		out[k][0] = c[n - 1][0], out[k][1] = c[n - 1][1];
		k++;
	}
	return k;
}

void brush_blur(struct brush *b, float sigma)
{
	enum { R = 64 };
	float k[R + 1], sum = 1;
	if (sigma < 0.2f)
		return;
	int r = clampi((int)ceilf(2.6f * sigma), 1, R), w = b->w, h = b->h;
	k[0] = 1;
	for (int i = 1; i <= r; i++)
		k[i] = expf(-0.5f * i * i / (sigma * sigma)), sum += 2 * k[i];
	for (int i = 0; i <= r; i++)
		k[i] /= sum;
	float *t = b->work;
	for (int y = 0; y < h; y++) {
		const float *g = b->grey + (size_t)y * w;
		float *o = t + (size_t)y * w;
		for (int x = 0; x < w; x++)
			o[x] = k[0] * g[x];
		for (int i = 1; i <= r; i++) {
			const float *up = b->grey + (size_t)clampi(y - i, 0, h - 1) * w,
				    *dn = b->grey + (size_t)clampi(y + i, 0, h - 1) * w;
			add_pair(o, up, dn, k[i], w);
		}
	}
	for (int y = 0; y < h; y++) {
		const float *g = t + (size_t)y * w;
		float *o = b->grey + (size_t)y * w;
		for (int x = 0; x < w; x++)
			o[x] = k[0] * g[x];
		for (int i = 1; i <= r; i++) {
			float ki = k[i];
			int a = i < w ? i : w, z = w - i > a ? w - i : a;
			for (int x = 0; x < a; x++)
				o[x] += ki * (g[0] + g[clampi(x + i, 0, w - 1)]);
			if (z > a)
				add_pair(o + a, g + a - i, g + a + i, ki, z - a);
			for (int x = z; x < w; x++)
				o[x] += ki * (g[clampi(x - i, 0, w - 1)] + g[w - 1]);
		}
	}
}

void brush_tone(const struct brush *b, float contrast, float middle, float bright, float noise, uint64_t seed, uint32_t epoch, uint32_t row,
	uint8_t *image)
{
	size_t n = (size_t)b->w * b->h;
	float base = middle + bright - contrast * middle + 0.5f, unit = noise / 147.8f; /* standard deviation of a sum of four bytes */
	for (size_t i = 0; i < n; i += 4) {
		struct philox r = philox(seed, PHILOX_PIXEL, epoch, row, (uint32_t)(i / 4));
		for (size_t j = i; j < n && j < i + 4; j++) {
			uint32_t v = r.v[j - i];
			int s = (int)((v & 255) + (v >> 8 & 255) + (v >> 16 & 255) + (v >> 24)) - 510;
			image[j] = (uint8_t)clampf(base + contrast * b->grey[j] + unit * s, 0, 255);
		}
	}
}
