/* Private to lib/draw/pict_faces*.c: which faces are drawn, and how the points of one are. */
#ifndef PICT_FACES_IO_H
#define PICT_FACES_IO_H

#include "lib/draw/pict_faces.h"
#include "lib/draw/pict_maps.h"
#include "lib/stream/dataset_stream.h"

#define PICT_FACES_STEP 0x7CFC8AFF

struct face {
	uint64_t id;
	uint64_t row;
	double error;
	unsigned char *image;
	float *truth, *predicted; /* K x 2, NULL if the stream has none */
	float *steps;		  /* levels x K x 2: the points before each further level of a cascade */
	float *maps;		  /* heat.channels x heat.h x heat.w */
	/* of faces in their original images: */
	float *crop, *box;
	char *source;	     /* the image's name */
	unsigned char *turn; /* NULL: not told */
};

/* The data set's tensors, and the faces selected to draw. */
struct selection {
	struct dataset_stream *d;
	int image, truth, predicted, id, steps, maps, crop, box, source, turn; /* tensor ids or -1 */
	int w, h, k, levels;
	struct pict_maps heat;
	char **names, *unlearned; /* unlearned (K) 1: no model learned the point, its prediction is NaN */
	struct face *face;
	size_t n;
	uint64_t total; /* rows of the data set; of --worst those that ids and first leave */
	size_t least;	/* with --worst: index of the selected face to be replaced next */
};

/* Reads the data set to its verified end. Ends the program where it has not what f asks for, or no face is left. */
void pict_faces_select(struct selection *b, const char *data, const struct pict_faces *f);
void pict_faces_free(struct selection *b);

struct rect {
	double x, y, w, h;
};

/* Where the points of a face are drawn: (u, v) at x = m[0] u + m[1] v + m[2], y = m[3] u + m[4] v + m[5] of the canvas. */
struct placement {
	double m[6];
	struct rect cell; /* what names stay in */
	double radius;	  /* of a dot */
	double text;	  /* size of names */
};

/* Steps, lines, crosses, dots and names. */
void pict_faces_points(struct pict *p, const struct selection *b, const struct face *f, const struct placement *at);

/* pict_faces, where f->over is given. */
void pict_faces_over(const char *data, const struct pict_faces *f);

#endif
