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
struct cascade *cascade_new(const struct ops *o, char **model, int n, const char *const *refine, int levels, int flip);
/* The first level, and the first of its models: what the cascade takes and gives. */
struct infer *cascade_first(const struct cascade *c);
const struct model *cascade_model(const struct cascade *c);
/* out, spread as infer_batch has them; steps (B, levels, points, 2): where the points were before each further level; NULL where there is
 * none (else spread must be there). */
void cascade_batch(struct cascade *c, const uint8_t *images, int B, float *out, float *spread, float *steps);
/* The same in two steps, as infer_ask and infer_take; the further levels, which look at images again, get them in take. */
void cascade_ask(struct cascade *c, const uint8_t *images, int B);
void cascade_take(struct cascade *c, const uint8_t *images, int B, float *out, float *spread, float *steps);
/* Provenance of what is written: the data's and every model's. */
void cascade_history(const struct cascade *c, const struct tns *in, struct tns_writer *w);
void cascade_free(struct cascade *c);

#endif
