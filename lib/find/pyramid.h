/* An image at several scales, in each of which a window of w x h pixels is a face of another size: level i shows the image scaled by 1 /
 * scale, from its top left corner on, and is as large as a grid of windows at a stride needs to cover the whole image, beyond which the
 * image's edge is repeated. */
#ifndef PYRAMID_H
#define PYRAMID_H

#include "lib/image/crop.h"
#include "lib/image/image.h"

#define PYRAMID_STEP 1.2 /* from one level's scale to the next; the last one is less where the image ends */
enum { PYRAMID_LEVELS = 64 };

struct pyramid_plan {
	int w, h, stride;	  /* of the windows */
	double smallest, largest; /* longer side of a face, pixels of the image; largest 0: as large as fits in the image */
};

struct pyramid_level {
	double scale;	 /* pixels of the image for one of the level */
	struct image im; /* grey; W = w + stride (nx - 1), H = h + stride (ny - 1) */
	int nx, ny;	 /* windows */
};

struct pyramid { /* zeroed before the first use */
	int n;	 /* levels; 0: no window of the smallest size fits in the image */
	struct pyramid_level level[PYRAMID_LEVELS];
	struct crop_buffer tmp;
};

/* The levels of im, grey; they use the memory of the last image's again. */
void pyramid_make(struct pyramid *p, const struct image *im, const struct pyramid_plan *plan);
/* The box of the image that is the w x h window at (x, y) of a level, its corner in pixels of the level. */
void pyramid_box(const struct pyramid_level *l, double x, double y, double w, double h, double box[4]);
void pyramid_free(struct pyramid *p);

#endif
