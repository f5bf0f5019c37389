/* A cascade of models, as cmd/predict runs it: the first level predicts from whole images, each further one (whose input is a patch)
 * refines the points so far from the patches around them. A level is one model or several, averaged. */
#ifndef CASCADE_H
#define CASCADE_H

#include "lib/predict/infer.h"

struct cascade;

enum { CASCADE_LEVELS = 16, CASCADE_MODELS = 64 };

/* 1 if operand i of n of predict is a model: the file's header says so. A pipe can be read only once: it is a model unless it is the last
 * operand, which is the data where there are two. */
int cascade_is_model(const char *path, int i, int n);
/* model: the n files of the first level; refine: the further levels, each "FILE,FILE,..."; flip as in infer_new. Dies where models are
 * incompatible; wrong use exits 2. */
struct cascade *cascade_new(const struct backend *be, char **model, int n, const char *const *refine, int levels, int flip);
/* The first level, and its first model, which have the cascade's input and output shapes. */
struct infer *cascade_first(const struct cascade *c);
const struct model *cascade_model(const struct cascade *c);
/* Predictions are of this source's labels (lib/nn/sources.h). Wrong use: a model of the first level hasn't such a source. */
void cascade_set_source(struct cascade *c, const char *name);
/* What the first level's models say of an image (H, W), see trained.h: TRAINED_ON where one of them was trained on it. Only where
 * cascade_knows_trained: one of them holds its training images' hashes. Further levels saw patches, in which no image is known again. */
int cascade_knows_trained(const struct cascade *c);
int cascade_trained(const struct cascade *c, const uint8_t *image);
/* (points, 2): the mean over those models of the mean faces that they learned; NaN: no model says. To be freed. */
double *cascade_mean_face(const struct cascade *c);
/* From now on faces that lie otherwise than those learned from are estimated in the pose of the mean face (align.h), by further levels,
 * too. Each batch is waited for before the next is queued; models with points alone, not with infer_set_maps. A line on stderr where the
 * models don't know the mean places of two points: then none is. */
void cascade_set_align(struct cascade *c);
/* A batch in two steps, as infer_batch_async and infer_batch_wait; further levels run in cascade_batch_wait, which reads images again. out,
 * stddev as in infer_batch; steps (B, further levels, points, 2): the points before each further level; NULL where there is none (else
 * stddev must not be NULL). */
void cascade_batch_async(struct cascade *c, const uint8_t *images, int B);
void cascade_batch_wait(struct cascade *c, const uint8_t *images, int B, float *out, float *stddev, float *steps);
/* Writes the history of an output: that of the data in (NULL: none) and of every model. */
void cascade_history(const struct cascade *c, const struct tns *in, struct tns_writer *w);
void cascade_free(struct cascade *c);

#endif
