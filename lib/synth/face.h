/* Synthetic faces with exact points: a pure function of seed, set and row. Points are in pixels, x right, y down, 0,0 the centre of the
 * top left pixel; left and right are the person's, so left is at larger x. Proportions have the means and standard deviations of
 * photographs cropped to the face at 96x96 (eyes near y 38, mouth near y 72); another size scales everything about the centre. */
#ifndef FACE_H
#define FACE_H

#include <stddef.h>
#include <stdint.h>

#define FACE_STANDARD 15 /* the competition's points, in its order */
#define FACE_NAMED 68	 /* also lids, brows, nose, lips and jaw; further points are numbered along the contour */
#define FACE_POINTS 2000 /* most points */

struct face_style {
	int w, h;     /* size of the image, from 8 to 2048 each */
	int points;   /* 1 to FACE_POINTS */
	double wild;  /* 0: passport photographs; 1: as varied as photographs from the web; pose, light, blur, noise scale with it */
	double same;  /* probability that a row shows the same person as the row before */
	uint32_t set; /* faces of different sets are independent (0 training, 1 test) */
};

/* Name of point k without _x and _y: a constant for k under FACE_NAMED, else written into buf. */
const char *face_name(int k, char buf[32]);
/* The mirror point of point k, k itself on the midline; n points in all. */
int face_mirror(int k, int n);

/* First row of the person that row shows: the number of its group. */
uint32_t face_first(const struct face_style *s, uint64_t seed, uint32_t row);

/* Size of face_draw's scratch buffer, in floats. */
size_t face_size(const struct face_style *s);
/* Renders the face: image (H, W), points (N, 2) as x, y. Points may be outside the image. */
void face_draw(const struct face_style *s, uint64_t seed, uint32_t row, float *buf, uint8_t *image, float *points);

/* The two halves of it, for those who paint a face into more than its own image: its parameters (face_params.h), and n points of them, (N,
 * 2). turn: yaw (to the image's right), pitch (down) and roll (clockwise on the screen) of the head in radians, NULL: as face_draw has
 * them. */
struct face_params;
void face_sample(struct face_params *f, const struct face_style *s, uint64_t seed, uint32_t row, const float turn[3]);
void face_points(const struct face_params *f, int n, float *points);

#endif
