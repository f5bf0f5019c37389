/* Annotated images, folders and streams of frames into a data set of crops (lib/stream/format.md says what its tensors hold). */
#ifndef IMPORT_H
#define IMPORT_H

#include "lib/import/face_batch.h"
#include "lib/stream/tns.h"

enum { IMPORT_NAMED = 10 }; /* faces passed by that are named */

struct import_options {
	struct face_batch_options from;
	const char *pairs; /* as the user states them (META pairs), or NULL */
	int keep_going;	   /* 1: a bad face is passed by, counted and named; 0: it ends the program */
	int quiet;
};

struct import_counts {
	uint64_t faces, images, turned, left;	  /* in w; images that were read; of these, turned as EXIF says; not, as annotated */
	uint64_t bad, crowd, ignored, unlabelled; /* passed by; the last: images */
};

/* All faces of o->from into w, whose tensors and METAs it defines; ends the program where there are none. Images are decoded once
 * for consecutive faces of one. */
struct import_counts import_faces(const struct import_options *o, struct tns_writer *w);
void import_summary(const struct import_counts *c); /* a line on stderr */

struct import_frames {
	int W, H, channels; /* of frames without headers (1 grey, 3 RGB); W 0: PGM and PPM */
	int w, h;	    /* of the rows: frames are shown whole */
	int live;	    /* 1: each row goes on at once (tns.h) */
	int quiet;
};

/* Frames from stdin to its end, in constant memory: how many. Ends the program where there are none, or the last one is cut short. */
uint64_t import_frames(const struct import_frames *o, struct tns_writer *w);

#endif
