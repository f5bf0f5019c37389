/* Points of a data set into the forms of other programs, in pixels of the original images.
 *
 * From: `predicted` f32 [N,K,2], or `keypoints` where it is absent, and META `points`; without both, `box`es alone, with their `face_score`
 * f32 [N] where it is there, into all forms but pts. Where they are there: `crop` f32 [N,6] (a b c d e f:
 * image x = a u + b v + c, y = d u + e v + f, of pixel indices; absent: rows are the images themselves), `source` u8 [N,n] (names of
 * images, zero-padded; absent, or an empty name: the id as text), `image_size` u32 [N,2] (width, height of the image that crop is of), `id`
 * u32 [N] (absent: the row's number, from 1), `image_id` i64 [N], `box` f32 [N,4] (x y width height, corner; NaN: none), and of predicted
 * `confidence` f32 [N,K], of keypoints `label_confidence`, else `confidence`.
 *
 * An image that its EXIF turned (`turn`) is the one that is turned: points, boxes and sizes are what programs see that obey EXIF.
 *
 * Forms, and what a point that is missing becomes; the first pixel's centre is 0, in pts 1:
 * - coco: a whole data set: images (width and height where they are known: by image_size, or rows are the images themselves), annotations,
 * categories; 0,0,0. Rows without points and box: the image alone. The visibility of a point is 2 or 0: a stream does not hold 1, labelled
 * but not visible.
 * - coco-results: a list of results: image_id, category_id, keypoints (x, y, confidence or 1), score (mean confidence or 1); 0,0,0. Boxes
 * alone: bbox, score (or 1).
 * - csv: filename, NAME_x, NAME_y, and NAME_confidence if there is one; empty. Boxes alone: filename, left, top, right, bottom, and score.
 * - imglab: dlib's XML: numbers rounded to whole ones, half up, as its reader takes no others; part absent.
 * - pts: a file a row in a folder, named as its image, further rows of it NAME_2, NAME_3, ...; `nan nan`. Rows without points: no file.
 * - jsonl: an object a row: file, id, points {NAME: [x, y, confidence]}; null. Boxes alone: box [x, y, width, height] and score for points.
 *
 * A box is `box`, else the smallest one of whole pixels that the points lie in. Without `image_id` an image's number is its
 * row's id where there is no `source`; else images are numbered from 1, by name, in the order of the rows, of which coco-results warns,
 * since no file of the original data set has these numbers. Numbers have the fewest digits that read back as the same float. */
#ifndef EXPORT_H
#define EXPORT_H

#include "lib/stream/dataset_stream.h"

#define EXPORT_FORMS "coco|coco-results|csv|imglab|pts|jsonl"

struct export_options {
	const char *form;    /* one of EXPORT_FORMS */
	double origin;	     /* of the first pixel's centre: 0, 0.5, 1; NaN: the form's own */
	int64_t category_id; /* coco, coco-results; 0: META category_id, or 1; its name: META category, or face */
	int quiet;	     /* 1: no warnings */
	const char *output;  /* file, NULL: stdout; pts: folder, which is made where it is not there */
};

/* Writes all rows. Returns how many were left out: pts, rows without points. Ends the program on what can't be exported, naming row and
 * value: no points at all in d, coordinates that are infinite or beyond 1e7, a name that the form can't hold. A file appears whole or not
 * at all; of pts each file does. */
uint64_t export_run(struct dataset_stream *d, const struct export_options *o);

#endif
