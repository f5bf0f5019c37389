/* Principal components as weights. */
#include <cblas.h>
#undef I /* of complex.h; in backend.h it is the inputs of a layer */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/err.h"
#include "lib/pca/pca_model.h"
#include "lib/stream/history.h"

enum { PANEL = 64 };

/* Bias of the encoder: its weights w (outputs, P) applied to minus the mean. */
static double bias(const double *w, const double *mean, int pixels)
{
	return -cblas_ddot(pixels, w, 1, mean, 1) / 255;
}

/* w (P, P) = u' diag(scale) u, PANEL rows at a time; b (P), or NULL: see bias. */
static void symmetric(real *w, real *b, const struct pca *p, const double *scale)
{
	size_t P = (size_t)p->pixels;
	double *panel = xmalloc(PANEL * P * sizeof *panel), *u = xcalloc((size_t)p->k * P, sizeof *u);
	for (size_t k = 0; k < (size_t)p->k; k++)
		for (size_t i = 0; i < P; i++)
			u[k * P + i] = scale[k] * p->component[k * P + i];
	for (int at = 0; at < p->pixels; at += PANEL) {
		int n = p->pixels - at < PANEL ? p->pixels - at : PANEL;
		cblas_dgemm(CblasRowMajor, CblasTrans, CblasNoTrans, n, p->pixels, p->k, 1, p->component + at, p->pixels, u, p->pixels, 0,
			panel, p->pixels);
		for (size_t i = 0; i < (size_t)n * P; i++)
			w[(size_t)at * P + i] = (real)panel[i];
		for (int i = 0; b && i < n; i++)
			b[at + i] = (real)bias(panel + (size_t)i * P, p->mean, p->pixels);
	}
	free(panel), free(u);
}

struct model *pca_model(const struct pca *p, int W, int H, enum pca_whiten whiten)
{
	size_t P = (size_t)p->pixels, K = (size_t)p->k;
	char *text = xprintf("fc%d fc%d", whiten == PCA_ZCA ? p->pixels : p->k, p->pixels);
	struct model *m = model_new(text, TARGET_IMAGE, W, H, p->pixels, "");
	const struct layer *in = &m->d.layer[0], *out = &m->d.layer[1];
	double *down = xcalloc(K, sizeof *down), *up = xcalloc(K, sizeof *up);
	for (size_t k = 0; k < K; k++)
		up[k] = whiten == PCA_PLAIN ? 1 : sqrt(p->variance[k]) / 255, down[k] = 1 / up[k];
	if (whiten == PCA_ZCA) {
		symmetric(m->param + in->w, m->param + in->b, p, down);
		symmetric(m->param + out->w, NULL, p, up);
	} else {
		for (size_t k = 0; k < K; k++) {
			const double *u = p->component + k * P;
			for (size_t i = 0; i < P; i++) {
				m->param[in->w + k * P + i] = (real)(u[i] * down[k]);
				m->param[out->w + i * K + k] = (real)(u[i] * up[k]);
			}
			m->param[in->b + k] = (real)(bias(u, p->mean, p->pixels) * down[k]);
		}
	}
	for (size_t i = 0; i < P; i++)
		m->param[out->b + i] = (real)(p->mean[i] / 255);
	free(text), free(down), free(up);
	return m;
}

void pca_model_save(const struct model *m, const struct pca *p, const char *path, const struct tns *in)
{
	struct tns_writer *w = tns_create(path);
	float *share = xcalloc((size_t)p->k, sizeof *share);
	for (int k = 0; k < p->k; k++)
		share[k] = (float)(p->variance[k] / p->total);
	model_put_meta(m, w);
	int id = model_define(&m->d, w, "", 1), variance = tns_define(w, "variance", TNS_F32, 1, &(uint64_t){(uint64_t)p->k});
	model_write(&m->d, w, id, m->param, m->stat);
	tns_write(w, variance, share, (uint64_t)p->k);
	history_put(w, &in, 1, NULL);
	tns_close(w);
	free(share);
}
