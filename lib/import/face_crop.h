/* Which part of its image a face's row shows, and whether its labels are of that image. */
#ifndef FACE_CROP_H
#define FACE_CROP_H

#include "lib/import/annotation.h"

/* FACE_AUTO: the box where there is one, else points, else the whole image. */
enum face_crop { FACE_AUTO, FACE_BOX, FACE_POINTS, FACE_WHOLE };

struct face_frame {
	enum face_crop from;
	double margin; /* how much wider a crop is at each side, in shares: of the box's width and height, of the larger side of the points'
			  bounding box, of the image; below 0: 0 for boxes and images, FACE_MARGIN for points */
	int w, h;      /* of the crop */
};
#define FACE_MARGIN 0.25
#define FACE_LEAST 1e-3	 /* pixels of the image: spreads of points below it are faults, whose rows' points would be infinite */
#define FACE_BOX_LEAST 1 /* likewise: a smaller box shows nothing; it is a share of the image's size mostly */

enum { FACE_WHY = 256 };

/* The face's labels against its image of W x H pixels: 1, or 0 and the reason in why. outside: points outside of the image are labels, too,
 * else they may lie half a pixel beyond its edges (corner counts for centre). A box may lie partly outside; its sides are at least
 * FACE_BOX_LEAST. */
int face_within(const struct annotation *face, int K, char *const *names, int W, int H, int outside, char why[FACE_WHY]);
/* META crop: what rows show and by how much it was made wider, "box 0.2"; FACE_AUTO by what the faces have. To be freed. */
char *face_crop_text(const struct face_frame *f, int has_box, int K);
/* The crop (crop.h): 1, or 0 and the reason in why: no box or points to go by. */
int face_crop(float crop[6], const struct annotation *face, int K, int W, int H, const struct face_frame *f, char why[FACE_WHY]);

#endif
