/* Made faces with their true points: a pure function of seed, set and row. Points are in pixels, x right, y down, 0,0 the centre
 * of the top left pixel; left and right are the person's, so left is at larger x. The proportions follow the means and spreads of
 * photographs cropped to the face at 96x96 (eyes near y 38, mouth near y 72); another size scales everything about the middle. */
#ifndef FACE_H
#define FACE_H

#include <stddef.h>
#include <stdint.h>

#define FACE_STANDARD 15 /* the competition's points, in its order */
#define FACE_NAMED 68	 /* with lids, brows, nose, lips and jaw; later points are numbered, around the contour */
#define FACE_POINTS 2000 /* most points */

struct face_style {
	int w, h;     /* size of the picture, from 8 to 4096 each */
	int points;   /* 1 to FACE_POINTS */
	double wild;  /* 0: plain passport pictures; 1: as various as photographs from the web; pose, light, blur, noise scale with it */
	double same;  /* chance that a row shows the person of the row before it */
	uint32_t set; /* faces of different sets have nothing in common (0 training, 1 test) */
};

/* Name of point k without _x and _y; k under FACE_NAMED gives a constant, else it is written into room. */
const char *face_name(int k, char room[32]);
/* The point on the other side that mirrors point k, or k itself on the middle line; n points in all. */
int face_mirror(int k, int n);

/* First row that shows the same person as row: the name of its group. */
uint32_t face_first(const struct face_style *s, uint64_t seed, uint32_t row);

/* Floats of scratch memory that face_draw needs. */
size_t face_room(const struct face_style *s);
/* Draw the face: image (H, W), points (N, 2) as x, y. A point may lie outside the picture if the pose puts it there. */
void face_draw(const struct face_style *s, uint64_t seed, uint32_t row, float *room, uint8_t *image, float *points);

#endif
