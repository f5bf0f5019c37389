/* Faces that are turned, moved or of another size than those learned from: brought to the pose of the mean face, estimated there once more,
 * and their points taken back ("align" as in face alignment before recognition). A pose is the similarity transform of the
 * image's pixels that does so.
 *
 * The first estimates, which are rough where a face lies unusually, say how it lies: the least-squares similarity that takes them to the
 * mean face (similarity.h). The image is resampled under it and estimated again, up to ALIGN_PASSES times, until
 * the pose moves by no more than ALIGN_STAYS. Distances between poses are in sizes of the mean face.
 *
 * Where the first pose is nearer than ALIGN_NEAR nothing is done; from ALIGN_FAR on the aligned image's estimate counts alone; between,
 * both do. A pass is not taken where its points, aligned, are further from the mean face than ALIGN_WORSE times the best before it; where
 * the pose has not come to rest, the aligned estimate counts less, and from twice ALIGN_STAYS on nothing: bad estimates, of images that a
 * net can make nothing of, would lead further astray. What that brings: pipelines/README.md. */
#ifndef ALIGN_H
#define ALIGN_H

#include "lib/labels/similarity.h"
#include "lib/predict/infer.h"

enum { ALIGN_PASSES = 4 };
#define ALIGN_NEAR 0.2
#define ALIGN_FAR 0.4
#define ALIGN_STAYS 0.1
#define ALIGN_WORSE 1.5
#define ALIGN_SCALE 4.0 /* a face is enlarged or made smaller by at most so much */

/* to (H, W): from under p, bilinear, rounded; what comes from beyond the edge repeats the edge. */
void align_image(const struct similarity *p, uint8_t *to, const uint8_t *from, int W, int H);

struct aligner;

/* For estimates of f. mean (points, 2): the mean face, NaN where it is not known; offset: labels' coordinates minus those from the first
 * pixel's centre. Both are copied. NULL where the mean face has fewer than two points at different places. */
struct aligner *aligner_new(struct infer *f, const double *mean, int points, int W, int H, const double offset[2]);
/* out (B, points, 2) and, unless NULL, stddev (B, points): f's estimates of images (B, H, W), are replaced. No batch of f is in flight. */
void aligner_estimate(struct aligner *a, const uint8_t *images, int B, float *out, float *stddev);
/* The images (B, H, W) that aligner_estimate was last given, aligned, until it is called again; and points and their deviations of the
 * images in these, and back. */
const uint8_t *aligner_images(struct aligner *a, const uint8_t *images, int B);
void aligner_into(const struct aligner *a, int B, float *xy, float *stddev);
void aligner_back(const struct aligner *a, int B, int per_row, float *xy, float *stddev); /* xy (B, per_row, 2); stddev or NULL */
void aligner_free(struct aligner *a);

#endif
