/* The competition's question table (RowId,ImageId,FeatureName,Location, columns in any order, Location let by): which coordinate of which
 * image each row asks for, and the answers as they come in. Faults end the program, naming row and value. */
#ifndef SUBMISSION_H
#define SUBMISSION_H

#include "lib/base/lookup.h"
#include "lib/base/out.h"
#include "lib/base/table.h"

struct submission {
	struct table *table;
	struct lookup by_image;	       /* of the table's rows */
	int row_id, image_id, feature; /* columns */
	int *coord;		       /* by table row: index into (K, 2) */
	float *value;		       /* by table row, px; NaN until answered */
};

/* names: the K points that can be asked for, as NAME_x and NAME_y. */
struct submission *submission_open(const char *path, char **names);
/* Predictions (K, 2) of an image, all finite; clipped into 0..w-1, 0..h-1. Returns the number of rows answered, or -1 if this image was
 * answered before. */
int submission_add(struct submission *a, uint32_t image, const float *predicted, int w, int h);
/* Writes `RowId,Location` in the table's order; ends the program over the first row without an answer. Frees a. */
void submission_close(struct submission *a, struct out *to);

#endif
