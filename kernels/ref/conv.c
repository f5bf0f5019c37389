/* Convolution as nets have it (cross-correlation), with stride and zero padding. */
#include "kernels/act.h"
#include "kernels/ref/ref.h"

static size_t at4(int a, int b, int c, int d, int B, int C, int D)
{
	return (((size_t)a * (size_t)B + (size_t)b) * (size_t)C + (size_t)c) * (size_t)D + (size_t)d;
}

void ref_conv(const struct ops *o, real *y, const real *x, const real *w, const real *b, enum act act, const struct conv *s)
{
	(void)o;
	for (int n = 0; n < s->B; n++)
		for (int f = 0; f < s->F; f++)
			for (int oy = 0; oy < s->OH; oy++)
				for (int ox = 0; ox < s->OW; ox++) {
					double sum = b ? (double)b[f] : 0;
					for (int c = 0; c < s->C; c++)
						for (int ky = 0; ky < s->KH; ky++)
							for (int kx = 0; kx < s->KW; kx++) {
								int iy = oy * s->S + ky - s->P, ix = ox * s->S + kx - s->P;
								if (iy >= 0 && iy < s->H && ix >= 0 && ix < s->W)
									sum += (double)x[at4(n, c, iy, ix, s->C, s->H, s->W)] *
									       (double)w[at4(f, c, ky, kx, s->C, s->KH, s->KW)];
							}
					y[at4(n, f, oy, ox, s->F, s->OH, s->OW)] = act_value((real)sum, act);
				}
}

void ref_conv_dx(const struct ops *o, real *dx, const real *dy, const real *w, const struct conv *s)
{
	(void)o;
	for (int n = 0; n < s->B; n++)
		for (int c = 0; c < s->C; c++)
			for (int iy = 0; iy < s->H; iy++)
				for (int ix = 0; ix < s->W; ix++) {
					double sum = 0;
					for (int f = 0; f < s->F; f++)
						for (int ky = 0; ky < s->KH; ky++)
							for (int kx = 0; kx < s->KW; kx++) {
								int oy = iy + s->P - ky, ox = ix + s->P - kx;
								if (oy < 0 || ox < 0 || oy % s->S || ox % s->S)
									continue;
								oy /= s->S, ox /= s->S;
								if (oy < s->OH && ox < s->OW)
									sum += (double)dy[at4(n, f, oy, ox, s->F, s->OH, s->OW)] *
									       (double)w[at4(f, c, ky, kx, s->C, s->KH, s->KW)];
							}
					dx[at4(n, c, iy, ix, s->C, s->H, s->W)] = (real)sum;
				}
}

void ref_conv_dw(const struct ops *o, real *dw, real *db, const real *dy, const real *x, const struct conv *s)
{
	(void)o;
	for (int f = 0; f < s->F; f++) {
		for (int c = 0; c < s->C; c++)
			for (int ky = 0; ky < s->KH; ky++)
				for (int kx = 0; kx < s->KW; kx++) {
					double sum = 0;
					for (int n = 0; n < s->B; n++)
						for (int oy = 0; oy < s->OH; oy++)
							for (int ox = 0; ox < s->OW; ox++) {
								int iy = oy * s->S + ky - s->P, ix = ox * s->S + kx - s->P;
								if (iy >= 0 && iy < s->H && ix >= 0 && ix < s->W)
									sum += (double)dy[at4(n, f, oy, ox, s->F, s->OH, s->OW)] *
									       (double)x[at4(n, c, iy, ix, s->C, s->H, s->W)];
							}
					dw[at4(f, c, ky, kx, s->C, s->KH, s->KW)] = (real)sum;
				}
		double sum = 0;
		for (int n = 0; db && n < s->B; n++)
			for (int i = 0; i < s->OH * s->OW; i++)
				sum += (double)dy[at4(n, f, 0, i, s->F, 1, s->OH * s->OW)];
		if (db)
			db[f] = (real)sum;
	}
}
