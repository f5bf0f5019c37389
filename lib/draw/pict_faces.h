/* Faces with their points: truth as dots of one colour, what was predicted as crosses of another, a line between the two.
 * A face's error is the root mean square over its labelled coordinates, in pixels, as score and the competition have it. */
#ifndef PICT_FACES_H
#define PICT_FACES_H

#include <stdint.h>

#include "lib/draw/pict.h"

struct pict_faces {
	struct pict_to to;
	int64_t count, first; /* how many, from which row on, from 1 */
	int64_t columns;      /* 0: chosen */
	double zoom;	      /* 0: chosen */
	int names, worst;     /* points' names beside them; the largest errors, largest first */
	int maps;	      /* heat over the face */
};

/* Reads the data set (NULL: stdin) to its verified end, holds the rows that are drawn and no more, then writes the picture. `image` u8
 * [N,H,W] must be there; `keypoints` and `predicted` f32 [N,K,2], `id` u32 [N], `steps` f32 [N,L,K,2] and `maps` f32 [N,C,h,w] may. */
void pict_faces(const char *data, const struct pict_faces *f);

/* Root mean square over the coordinates labelled in truth, K x 2; NAN if there are none, infinite where one has no prediction. */
double pict_face_error(const float *truth, const float *predicted, int k);

#endif
