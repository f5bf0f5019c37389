/* Faces of annotations cut out of their images, several images at a time. What comes out, in which order, does not depend on the number of
 * threads. */
#ifndef FACE_BATCH_H
#define FACE_BATCH_H

#include "lib/import/annotation.h"
#include "lib/import/face_crop.h"

enum face_exif { EXIF_AUTO, EXIF_OBEY, EXIF_IGNORE };

struct face_batch_options {
	struct annotation_options annotations;
	struct face_frame frame;
	enum face_exif exif; /* EXIF_AUTO: as the annotations' width and height say, else it is obeyed */
	int threads;	     /* that decode images, at least 1 */
};

struct face_slot {
	struct annotation face; /* its points in pixels of the image; valid where good */
	int good;
	char err[ANNOTATION_ERR]; /* why it is not, ready to print */
	float crop[6];
	int W, H;		     /* of the image that crop is of */
	int turn;		     /* EXIF orientation by which the image was turned; 1: as stored */
	uint8_t *image;		     /* (h, w) of the crop */
	double *points, *confidence; /* private: what face has */
};

struct face_batch;

/* o and a must last. */
struct face_batch *face_batch_new(const struct face_batch_options *o, struct annotations *a);
/* The next faces, at least one: *slot; returns how many, 0 at the end. They are valid until the next call. An image is decoded once for
 * consecutive faces of one. */
int face_batch_next(struct face_batch *b, const struct face_slot **slot);
uint64_t face_batch_images(const struct face_batch *b); /* read so far */
uint64_t face_batch_turned(const struct face_batch *b); /* of these, turned as their EXIF says */
uint64_t face_batch_left(const struct face_batch *b);	/* of these, not turned, as their annotations are of what is stored */
void face_batch_free(struct face_batch *b);

#endif
