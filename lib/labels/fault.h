/* What is wrong with the labels of a row, by geometry alone: found with the shape model (shape.h), explained by whichever of these makes
 * the labels likeliest: a pair or all pairs of left and right swapped, some points put anywhere, the whole row moved, or every point put
 * anywhere. "Anywhere" has the density of one over the image's area; where "nothing is wrong" is likelier still, nothing is said. */
#ifndef FAULT_H
#define FAULT_H

#include "lib/labels/shape.h"

enum fault_kind {
	FAULT_NONE,
	FAULT_HALF,
	FAULT_OUTSIDE,
	FAULT_SWAPPED,
	FAULT_FAR,
	FAULT_SHIFTED,
	FAULT_SCRAMBLED,
	FAULT_ODD,
	FAULT_SUSPECT,
	FAULT_KINDS
};

/* half: x without y or y without x. outside: more than FAULT_MARGIN pixels beyond the image. odd: an unlikely set that no story explains;
 * nothing is blanked for it. suspect: not found here: a net stayed far from it (suspects.h). The others as above. */
#define FAULT_MARGIN 1.0 /* sets that count from pixels' corners and from their centres differ by half a pixel */

struct fault {
	enum fault_kind kind;
	int point;	  /* or -1: the whole row */
	int other;	  /* swapped: the point it changed places with, or -1: all pairs */
	float at[2];	  /* where it is; shifted: by what vector */
	double expect[2]; /* far: where the others put it */
};

struct faults {
	int k, n;
	struct fault *list; /* n of them, at most 2 K + 1 */
	char *blank;	    /* (K): this label is wrong */
	int drop;	    /* more than half of the labels are wrong, or which ones can't be told */
	float *work;	    /* private */
};

const char *fault_name(enum fault_kind kind);
struct faults *faults_new(int k);
void faults_free(struct faults *f);
/* Judge one row xy (K, 2) of a w x h image. s NULL: only what needs no model. mirror as from names_mirror. Fills f. */
void faults_find(struct faults *f, const struct shape *s, const float *xy, const int *mirror, int w, int h);

#endif
