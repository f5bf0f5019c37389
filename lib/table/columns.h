/* Which columns a data set's tensors are in a table, and in which order (K points by META points, C classes by META classes):
 *
 *   id                                     id
 *   keypoints [N,K,2]                      POINT_x, POINT_y
 *   predicted, then confidence, of points  predicted_POINT_x, predicted_POINT_y; confidence_POINT
 *   label, score                           label; score, or score_CLASS where there is one for each class
 *   other tensors                          NAME where a row has one value, else NAME_POINT_x, NAME_POINT_y where it is [N,K,2], else
 *                                          NAME_1, NAME_2, ...
 *   keypoints and predicted                error: of points_error (lib/stream/point_tensors.h), unless there is a tensor error
 *   of more than 64 values a row           NAME: one field, the values between blanks
 *   image                                  Image: likewise, as the competition writes it */
#ifndef COLUMNS_H
#define COLUMNS_H

#include "lib/stream/tns.h"

enum { COLUMNS_MAX = 4096, COLUMNS_VALUES = 64, COLUMNS_ERR = 512 };
enum { COLUMNS_ERROR = -1 }; /* in place of a tensor: the column error */

struct column {
	char *name;
	int tensor;	 /* its number, or COLUMNS_ERROR */
	size_t first, n; /* values of the tensor's row; n > 1 only in lists */
	int list;	 /* 1: one field, values between blanks */
};

struct columns {
	int n;
	struct column *col;
};

/* points, classes: METAs, or NULL. 0, or -1 and one line in err: too many columns, two of one name. */
int columns_make(
	struct columns *c, const struct tns_def *def, int ntensors, const char *points, const char *classes, char err[COLUMNS_ERR]);
int columns_find(const struct columns *c, const char *name); /* or -1 */
void columns_free(struct columns *c);

/* 1: the tensor's rows are text with zeros behind it: `source` of imported rows, their photographs' names. */
int columns_is_text(const struct tns_def *d);

#endif
