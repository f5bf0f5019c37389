/* Faces with their points: true ones as dots, predicted ones as crosses of another colour, a line between the two.
 * A face's error is the root mean square over its labelled coordinates, in pixels, as in score and the competition. */
#ifndef PICT_FACES_H
#define PICT_FACES_H

#include <stdint.h>

#include "lib/base/ranges.h"
#include "lib/draw/pict.h"

struct pict_faces {
	struct pict_output to;
	int64_t count, first; /* number of faces; the first row, counted from 1 */
	struct ranges *ids;   /* only rows with these ids, of which each range must have one; NULL: any */
	int64_t columns;      /* 0: chosen */
	double zoom;	      /* 0: chosen */
	int names, worst;     /* 1: points' names beside them; 1: the largest errors, largest first */
	int maps;	      /* 1: heat maps over the faces */
	const char *over;     /* folder of the images that the rows were cut from, to draw on; NULL: rows are drawn */
};

/* Reads the data set (NULL: stdin) to its verified end, keeps only the rows to draw, then writes the picture. `image` u8 [N,H,W] is
 * required; `keypoints` and `predicted` f32 [N,K,2], `id` u32 [N], `steps` f32 [N,L,K,2] and `maps` f32 [N,C,h,w], with META maps_scale,
 * are optional.
 *
 * over: each image that has a face to draw, turned as it was when its rows were cut, with the points of all its faces in its own pixels and
 * a line around each, the face's box or else its row; zoom 0 is 1. Required are `crop` f32 [N,6] and `source` u8 [N,n], optional `box` f32
 * [N,4] and `turn` u8 [N] (lib/stream/format.md). to.path with the suffix of a picture, or NULL, takes one image; else it is a folder, made
 * where it is not there, of pictures named as their images are, in PNG or by to.format. Ends the program, before anything is drawn, where
 * an image is not there or lies outside of over, where a picture would replace an image, and where two would have one name. */
void pict_faces(const char *data, const struct pict_faces *f);

#endif
