/* Annotations of photographs in forms that others have: COCO's JSON, dlib's imglab XML, a table (CSV). Points are pixel indices with three
 * decimals, in XML whole numbers, as dlib reads them. */
#ifndef PHOTO_LABELS_H
#define PHOTO_LABELS_H

#include "lib/base/out.h"
#include "lib/synth/photo.h"

#define PHOTO_FORMS "coco|imglab|table"

struct photo_labels;

/* form: one of PHOTO_FORMS; w, h: of every image; points: how many of a face's. */
struct photo_labels *photo_labels_begin(struct out *to, const char *form, int w, int h, int points);
/* The suffix of the form's files: "json", "xml", "csv". */
const char *photo_labels_suffix(const char *form);
/* An image's n faces and their points (n, N, 2), in the order of the images. */
void photo_labels_image(struct photo_labels *l, const char *file, int n, const struct photo_face *faces, const float *points);
/* Ends the text, not the file; frees l. */
void photo_labels_end(struct photo_labels *l);

#endif
