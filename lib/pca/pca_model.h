/* Principal components as a model of target image, whose net is two linear layers, fcC and fcP of P pixels: encoder and decoder. With x the
 * bytes divided by 255, mean m, components u (k, P) and standard deviations d (k) along them, all in that unit:
 *   PCA_PLAIN     C = k: code = u (x - m), x ~ u' code + m
 *   PCA_WHITE     C = k: code = (u (x - m)) / d, each of variance 1, x ~ u' (d code) + m
 *   PCA_ZCA       C = P: code = u' ((u (x - m)) / d), the whitening that is nearest to x (Bell and Sejnowski, 1997); x ~ u' (d (u code)) +
 * m The output is not between 0 and 1 by itself; predict clips it. */
#ifndef PCA_MODEL_H
#define PCA_MODEL_H

#include "lib/nn/model.h"
#include "lib/pca/pca.h"

enum pca_whiten { PCA_PLAIN, PCA_WHITE, PCA_ZCA };

/* Images of W x H pixels, as many as p has; dies where the net would be too large. */
struct model *pca_model(const struct pca *p, int W, int H, enum pca_whiten whiten);
/* Writes the model, with tensor `variance` f32 (k): the share of the variance that each component explains; in: the data set's head. */
void pca_model_save(const struct model *m, const struct pca *p, const char *path, const struct tns *in);

#endif
