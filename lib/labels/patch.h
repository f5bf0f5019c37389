/* Patches of a face: around named points, mirrored, at random places away from them. A patch of w x h whose centre is (x, y) has its top
 * left pixel at (floor(x - (w - 1) / 2 + 1/2), the same of y): whole pixels, so that bytes are copied as they are. A patch that would leave
 * the image is not cut and counted as lost. A mirrored patch is what the mirrored face shows in that place: around the left eye it is the
 * right one turned round, so that left stays left, whatever the classes are. Random places are drawn by Philox (seed, PHILOX_PATCH, 0, id
 * of the face, number of the draw). */
#ifndef PATCH_H
#define PATCH_H

#include <stdint.h>

enum { PATCH_PLACES = 64, PATCH_NAMES = 16 };

struct patch_place { /* the mean of some points */
	int n, point[PATCH_NAMES];
	int mirror[PATCH_NAMES]; /* the points that take their names when the face is mirrored */
};

struct patch_plan {
	int W, H, w, h; /* image, patch */
	int nplaces, nhard;
	struct patch_place place[PATCH_PLACES], hard[PATCH_PLACES]; /* positives; other features, as negatives */
	int flip;						    /* mirror image of each of those too */
	int negatives; /* random places a face, at least `away` pixels (centre to centre) from every positive; none where one is unknown */
	int random;    /* random places a face, anywhere, on every face: for learning without labels */
	double away, jitter; /* jitter: uniform in +- that many pixels, both axes, for positives and hard negatives */
	uint64_t seed;
};

/* Append n lists of comma-joined points to the n places of to; option names them in messages; flip: each point of one side must have one on
 * the other. Wrong use exits 2. */
void patch_places(struct patch_place *to, int *n, const char *const *list, int lists, const char *option, int flip, char **names);

/* The w x h window of an image (H, W) whose centre is (x, y): whole pixels as above, edges repeated where it leaves the image. corner:
 * where its top left pixel is; a centre that is no number or beyond the image by more than its size counts as the nearest place within
 * that. */
void patch_window(uint8_t *to, int w, int h, const uint8_t *image, int W, int H, double x, double y, int corner[2]);

struct patch_counts {
	uint64_t positive, negative, lost, unknown; /* unknown: patches of features whose points are not all labelled */
};

/* Cut one face: image (H, W), points (K, 2) in pixels, NaN where unknown; emit takes each patch, (h, w) bytes valid
 * during the call, written to room, which holds as many. */
void patch_cut(const struct patch_plan *p, const uint8_t *image, const float *points, uint32_t id, uint8_t *room, struct patch_counts *c,
	void (*emit)(void *arg, const uint8_t *patch, int label), void *arg);

/* For a level of a cascade: the window around each predicted point (K, 2), moved by the plan's jitter, with all labels that lie in it, in
 * its own pixels; the others are NaN. Points without a label have none cut (unknown), nor those whose label lies outside the window (lost).
 * copies: how many of each, each with its own jitter. label (K, 2) is room for them. */
void patch_predicted(const struct patch_plan *p, const uint8_t *image, const float *predicted, const float *points, int K, int copies,
	uint32_t id, uint8_t *room, float *label, struct patch_counts *c, void (*emit)(void *arg, const uint8_t *patch, const float *label),
	void *arg);

#endif
