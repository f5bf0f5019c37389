/* Models put to work as `predict` has it: the first level is applied to whole images, each further one (whose input is a patch) to the
 * patches around the points found so far. A level is one model or several, averaged. */
#ifndef CASCADE_H
#define CASCADE_H

#include "lib/predict/infer.h"

struct cascade;

enum { CASCADE_LEVELS = 16, CASCADE_MODELS = 64 };

/* 1 if the file's first records say that it is a model; a pipe, which can be read only once, is data: 0. */
int cascade_is_model(const char *path);
/* n files of the first level; refine: the further levels, each "FILE,FILE,...". Dies where they do not go together; wrong use exits 2. */
struct cascade *cascade_new(const struct backend *be, char **model, int n, const char *const *refine, int levels, int flip);
/* The first level, and the first of its models: what the cascade takes and gives. */
struct infer *cascade_first(const struct cascade *c);
const struct model *cascade_model(const struct cascade *c);
/* out, stddev as infer_batch has them; steps (B, levels, points, 2): where the points were before each further level; NULL where there is
 * none (else stddev must be there). */
void cascade_batch(struct cascade *c, const uint8_t *images, int B, float *out, float *stddev, float *steps);
/* The same in two steps, as infer_batch_async and infer_batch_wait; the further levels, which look at images again, get them in take. */
void cascade_batch_async(struct cascade *c, const uint8_t *images, int B);
void cascade_batch_wait(struct cascade *c, const uint8_t *images, int B, float *out, float *stddev, float *steps);
/* Provenance of what is written: the data's and every model's. */
void cascade_history(const struct cascade *c, const struct tns *in, struct tns_writer *w);
void cascade_free(struct cascade *c);

#endif
