/* Inference of an ensemble: the mean over models, and with flip over image and mirror image (test-time augmentation), in batches. */
#ifndef INFER_H
#define INFER_H

#include "kernels/backend.h"
#include "lib/nn/model.h"

struct infer;

enum { INFER_BATCH = 128 };

/* The models must have the same input size, names and target, but all targets with points are compatible (dies, naming two that aren't).
 * flip: average with the mirror image's estimate (coordinates flipped back, left and right points swapped; label: of probabilities). All
 * arguments outlive the infer; models must not change. */
struct infer *infer_new(const struct backend *be, struct model **m, int n, int flip);
/* From now on each image is estimated n times, 1 to INFER_SHIFTS: as it is, then shifted by whole pixels, by up to INFER_SHIFT in x and y
 * with the border repeated; and so is its mirror image with flip. Models with points only; not with infer_set_maps. */
enum { INFER_SHIFTS = 9, INFER_SHIFT = 2 };
void infer_set_shifts(struct infer *f, int n);
int infer_check_input(const struct infer *f, const struct tns *in); /* infer_check_data of its models */
/* 1: one of the models at least learned the point (of a mirror image: its partner). */
int infer_learned(const struct infer *f, int point);
/* Values a row of infer_batch's out: 2 a point, classes (1 for two), or the image's pixels. */
int infer_values(const struct infer *f);
/* images (B, H, W), host. out (B, values): points: pixels; label: probabilities (two classes: of the second); image: 0..1. stddev (B,
 * points): standard deviation of a point, pixels, x and y together: root of the mean of the estimates' own variances plus the variance of
 * the estimates about their mean; NaN where the only estimate has no variance; may be NULL. A point is the mean of the models that learned
 * it, NaN where none did. B at most INFER_BATCH. */
void infer_batch(struct infer *f, const uint8_t *images, int B, float *out, float *stddev);
/* The same in two steps, so that a GPU computes a batch while the host writes the last one and reads the next. After infer_batch_async the
 * caller may overwrite images; infer_batch_wait returns the oldest batch in flight, of which there are at most INFER_IN_FLIGHT. */
enum { INFER_IN_FLIGHT = 2 };
void infer_batch_async(struct infer *f, const uint8_t *images, int B);
void infer_batch_wait(struct infer *f, float *out, float *stddev);
/* Number of maps a row: heatmap: one a point; map: 1; else 0. */
int infer_maps(const struct model *m);
/* From now on infer_batch also fills maps (B, infer_maps, MH, MW), host, with probabilities averaged over the estimates that a point is the
 * mean of: heatmap: a distribution over cells, 0 everywhere where no model learned the point; map: of each pixel to be near a point. Dies
 * where the models differ in target, in the size of maps or in where their cells lie. */
void infer_set_maps(struct infer *f, float *maps);
/* Root mean square of its models' validation errors, pixels; 0: one is not known. */
double infer_rmse(const struct infer *f);
/* A further level of a cascade: for each point of xy (B, points, 2) in images (B, H, W), f's estimate from the patch around it (f's input,
 * see patch_window) is combined with xy, in place, weighted by inverse squared errors, which are taken as independent: *rmse of xy (0: not
 * known) and infer_rmse of f; *rmse becomes that of the combination. Where one of them is not known, the weights are by each point's
 * stddev; where one of these is 0 or NaN, f's estimate replaces xy. A point that is NaN, or that f did not learn, is left as it is. stddev
 * (B, points) becomes that of the combination. */
void infer_refine(struct infer *f, const uint8_t *images, int W, int H, int B, float *xy, float *stddev, double *rmse);
void infer_free(struct infer *f);

#endif
