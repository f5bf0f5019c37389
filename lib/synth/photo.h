/* Photographs: one to several faces, each drawn at its own size, before a background of things that are none; and frames of a film, in
 * which one face moves smoothly. A pure function of seed and row, with the true boxes and points. Faces' boxes lie within the image and
 * apart from one another, so that no person hides another's face. */
#ifndef PHOTO_H
#define PHOTO_H

#include <stddef.h>
#include <stdint.h>

#define PHOTO_FACES 32 /* most faces */
#define PHOTO_MIN 48   /* sides of an image */
#define PHOTO_MAX 2048
#define PHOTO_FACE_MIN 16 /* of a face's box, the longer side */
#define PHOTO_SHARE 0.9	  /* and this share of the image's shorter side at most */

struct photo_style {
	int w, h;	       /* of the image */
	int faces;	       /* one to so many of them; 1: portraits, the face about the middle; 0: none */
	int smallest, largest; /* longer side of a face's box, pixels; what is over PHOTO_SHARE of the shorter side is that */
	int points;	       /* as face.h has them */
	double wild;
};

/* Box: what the head's contour and the named points take, in whole pixels: columns left to left + width - 1. */
struct photo_face {
	int left, top, width, height;
};

struct photo;

struct photo *photo_new(const struct photo_style *s, uint64_t seed);
void photo_free(struct photo *p);

/* The photograph of that row, rows below 1 << 27: image (H, W), faces (PHOTO_FACES), from the highest chin down, points
 * (PHOTO_FACES, N, 2) as x, y: pixel indices. Returns the number of faces, 1 to s->faces (0 of 0); there are fewer where they find no room.
 */
int photo_draw(struct photo *p, uint32_t row, uint8_t *image, struct photo_face *faces, float *points);
/* Frame `row` of the film: likewise, with one face, about PHOTO_FILM of the image's shorter side; s->faces, smallest and largest are not
 * used. */
#define PHOTO_FILM 0.68
int photo_frame(struct photo *p, uint32_t row, uint8_t *image, struct photo_face *faces, float *points);

#endif
