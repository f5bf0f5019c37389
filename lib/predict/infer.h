/* Models applied to images: several are averaged, each image and its mirror image too where asked; batches through the backend interface. */
#ifndef INFER_H
#define INFER_H

#include "kernels/backend.h"
#include "lib/nn/model.h"

struct infer;

enum { INFER_BATCH = 128 };

/* The models must agree in input and names, and in target but that all with points go together (dies, naming two that don't). flip: average
 * with the mirror image (points swapped back; label: probabilities). All outlive the infer, and models stay as they are. */
struct infer *infer_new(const struct backend *be, struct model **m, int n, int flip);
/* Values a row of what infer_batch gives: 2 a point, classes (1 for two), or the image's. */
int infer_values(const struct infer *f);
/* out (B, values): points: pixels; label: probabilities (one: of the second class); image: 0..1. stddev (B, points): root of the mean
 * squared distance in pixels from its mean of where a point may be: each estimate's own variance and the estimates' about their mean, NaN
 * where the only estimate has none; may be NULL. B at most INFER_BATCH. */
void infer_batch(struct infer *f, const uint8_t *images, int B, float *out, float *stddev);
/* The same in two steps, so that a GPU computes a batch while the host writes the last one and reads the next: ask leaves images free; take
 * gives what was asked longest ago. At most INFER_IN_FLIGHT batches may be asked for and not taken. */
enum { INFER_IN_FLIGHT = 2 };
void infer_batch_async(struct infer *f, const uint8_t *images, int B);
void infer_batch_wait(struct infer *f, float *out, float *stddev);
/* Maps a row of a model: heatmap: one a point; map: 1; else 0. */
int infer_maps(const struct model *m);
/* Keep maps from now on: the models must all have the first one's target and size of maps (dies). After infer_batch, maps holds (B,
 * infer_maps, MH, MW), averaged over all estimates: heatmap: probabilities of places; map: of each pixel to be near a point. */
void infer_keep_maps(struct infer *f, float *maps);
/* Root mean square of its models' errors where they were validated, pixels; 0: not known of all. */
double infer_rmse(const struct infer *f);
/* A level of a cascade: what f, whose input is a patch, makes of the patch around each point of xy (B, points, 2) in images (B, H, W), see
 * patch_window, and what was there, as one estimate: each counts by the inverse of its squared error: rmse is what xy's is (0: not known) and
 * becomes that of the two together, as of independent errors; f's is infer_rmse. Where one of them is not known, each point's spreads stand
 * in; where these are no numbers, f alone decides. stddev (B, points) becomes that of the two together. */
void infer_refine(struct infer *f, const uint8_t *images, int W, int H, int B, float *xy, float *stddev, double *rmse);
void infer_free(struct infer *f);

#endif
