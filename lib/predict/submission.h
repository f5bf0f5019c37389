/* The competition's lookup table (RowId,ImageId,FeatureName,Location, columns in any order, Location ignored): each row names a coordinate
 * of an image, whose prediction is written under its RowId. Malformed tables end the program, naming row and value. */
#ifndef SUBMISSION_H
#define SUBMISSION_H

#include "lib/base/lookup.h"
#include "lib/base/out.h"
#include "lib/base/table.h"

struct submission {
	struct table *table;
	struct lookup by_image;	       /* table rows by ImageId */
	int row_id, image_id, feature; /* columns */
	int *coord;		       /* by table row: index into (K, 2) */
	float *value;		       /* by table row: prediction, px; NaN: none yet */
	int coords, filled;	       /* 2 K; 1: after submission_fill_mean */
	struct submission_mean {
		double sum;
		uint64_t n;
	} * mean, axis[2]; /* of all that was predicted: by coordinate (2 K); of x and y */
	float *around;	   /* by table row: the mean of what was predicted of its image, x or y; NaN: nothing */
};

/* names: the K predicted points; FeatureName is NAME_x or NAME_y. */
struct submission *submission_open(const char *path, char **names);
/* predicted (K, 2): an image's points, pixels, finite, or NaN where no model learned one; clamped to 0..w-1, 0..h-1. Returns the number of
 * table rows of the image, or -1 if they have another prediction already: the same one twice is the same image twice. */
int submission_add(struct submission *a, uint32_t image, const float *predicted, int w, int h);
/* Answers what is still open: a coordinate by its mean over the images that were added (one that comes again counts again where the table
 * asks nothing of it), or, where no model learned it, by the mean of the
 * other points, of this image, else of all. Returns how many it answered. */
size_t submission_fill_mean(struct submission *a);
/* Writes `RowId,Location` in the table's order; ends the program, naming the first, where rows are without a prediction. unlearned: the
 * points that no model learned, comma-joined, or NULL. Frees a. */
void submission_close(struct submission *a, struct out *to, const char *unlearned);

#endif
