/* Crops patches of a face image: around named points, the same of the mirrored face, and at random positions away from them. A w x h patch
 * with its centre at (x, y) has its top left pixel at (floor(x - (w - 1) / 2 + 1/2), the same of y): whole pixels, no interpolation. A
 * patch that would extend beyond the image is skipped and counted as lost. A mirrored patch is the patch at that feature of the mirrored
 * face: for the left eye, the patch around the right eye, flipped horizontally, so that the class stays the same. Random positions are
 * drawn by Philox (seed, PHILOX_PATCH, 0, id of the face, number of the draw). */
#ifndef PATCH_H
#define PATCH_H

#include <stdint.h>

enum { PATCH_FEATURES = 64, PATCH_NAMES = 16 };

struct patch_feature { /* a feature: the mean of some points */
	int n, point[PATCH_NAMES];
	int mirror[PATCH_NAMES]; /* their mirror points */
};

struct patch_plan {
	int W, H, w, h; /* image, patch */
	int nfeatures, nhard;
	struct patch_feature positive[PATCH_FEATURES], hard[PATCH_FEATURES]; /* positives; other features, as negatives */
	int flip;							     /* 1: of each also the mirrored patch */
	int negatives; /* random patches a face, at least `away` pixels (centre to centre, before jitter) from every positive, mirrored ones
			* too; none if one is unlabelled */
	int random;    /* random patches a face, anywhere, on every face: for training without labels */
	double away, jitter; /* jitter: uniform in +- that many pixels, both axes, for positives and hard negatives */
	uint64_t seed;
};

/* Appends count features, each a list of comma-joined points, to the n of to; option: its name in messages; partner as
 * of names_partners; flip: each point must have one. Wrong use exits 2. */
void patch_features(struct patch_feature *to, int *n, const char *const *lists, int count, const char *option, int flip, char **names,
	const int *partner);

/* The w x h window of an image (H, W) with its centre at (x, y): whole pixels as above, edge pixels replicated outside the image. corner:
 * position of its top left pixel. The centre is clamped to the image's size beyond each edge; NaN counts as the least coordinate. */
void patch_window(uint8_t *to, int w, int h, const uint8_t *image, int W, int H, double x, double y, int corner[2]);

struct patch_counts {
	uint64_t positive, negative, lost, unknown; /* unknown: patches of features with unlabelled points */
};

/* Crops the patches of one face: image (H, W), points (K, 2) in pixels, NaN where unlabelled; emit is called with each patch, (h, w) bytes
 * in buf, valid during the call, and its label, 1 for positives. */
void patch_crop(const struct patch_plan *p, const uint8_t *image, const float *points, uint32_t id, uint8_t *buf, struct patch_counts *c,
	void (*emit)(void *arg, const uint8_t *patch, int label), void *arg);

/* For a level of a cascade: emit is called with the window around each predicted point (K, 2), moved by the plan's jitter, in buf, and all
 * labels (K, 2) in label, in pixels of the window, NaN outside it. Skipped: points without a label (unknown) and those whose label is
 * outside their window (lost). copies: windows a point, each with its own jitter. */
void patch_predicted(const struct patch_plan *p, const uint8_t *image, const float *predicted, const float *points, int K, int copies,
	uint32_t id, uint8_t *buf, float *label, struct patch_counts *c, void (*emit)(void *arg, const uint8_t *patch, const float *label),
	void *arg);

#endif
