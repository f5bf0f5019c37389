/* Faces in an image by a net of two labels, the second of which is a face that fills its input as those it learned from filled theirs.
 *
 * First look: the net over each level of a pyramid (pyramid.h), at windows a stride apart: in one pass where it can be run so
 * (lib/nn/sliding.h), else in batches. Windows that are likelier than their neighbours, and than CANDIDATE, are thinned by overlap.
 * Second look: around each, windows moved by a part of their side and somewhat larger and smaller; their mean, weighted by what the net
 * makes of them and their mirror images, is where the face is; again, closer, from there. Its score is the mean probability of the last
 * ones: a face is one under small moves, too, while what only happens to look like one at a place is not. */
#ifndef FINDER_H
#define FINDER_H

#include "lib/find/boxes.h"
#include "lib/image/image.h"
#include "lib/predict/cascade.h"

struct finder_options {
	double threshold;	  /* least score, 0 to 1 */
	double smallest, largest; /* longer side of a box, pixels; largest 0: as large as fits in the image */
	double overlap;		  /* most that two boxes overlap (boxes_overlap) */
};

struct finder;

/* c: one level, of a model of two labels (dies where it is none), made with flip 1: mirror images count, too. be and c outlive it. */
struct finder *finder_new(const struct backend *be, const struct cascade *c, const struct finder_options *o);
/* The faces of im, grey and upright: their number, the likeliest first; boxes in pixels of im, which may lie partly outside of it. *faces
 * is valid until the next call. */
int finder_run(struct finder *f, const struct image *im, const struct scored_box **faces);
void finder_free(struct finder *f);

#endif
