/* Finds wrong labels of a row by geometry alone: a row that the shape model (shape.h) rejects is explained by the most likely hypothesis:
 * left and right swapped in some or all pairs, some points uniform over the image, the whole row translated, or every point uniform over
 * the image (density: 1 / its area). Where "no fault" is more likely still, nothing is blanked. */
#ifndef FAULT_H
#define FAULT_H

#include "lib/labels/shape.h"

enum fault_kind {
	FAULT_NONE,
	FAULT_HALF,	 /* x without y or y without x */
	FAULT_OUTSIDE,	 /* more than FAULT_MARGIN pixels outside the image */
	FAULT_SWAPPED,	 /* left and right of a pair exchanged, or of all pairs */
	FAULT_FAR,	 /* an outlier: a single point, uniform over the image */
	FAULT_SHIFTED,	 /* all points translated by one vector */
	FAULT_SCRAMBLED, /* every point uniform over the image */
	FAULT_ODD,	 /* an unlikely row that no hypothesis explains; nothing is blanked for it */
	FAULT_SENTINEL,	 /* not found here: a missing label written as a number (sentinel.h) */
	FAULT_SUSPECT,	 /* not found here: the label was far from a net's predictions in training (suspects.h) */
	FAULT_KINDS
};

#define FAULT_MARGIN 1.0 /* data sets that count from pixels' corners and from their centres differ by half a pixel */

struct fault {
	enum fault_kind kind;
	int point;	  /* or -1: the whole row */
	int other;	  /* swapped: the point it was exchanged with, or -1: all pairs */
	float at[2];	  /* the label; shifted: the translation */
	double expect[2]; /* far: its mean given the other points */
};

struct faults {
	int k, n;
	struct fault *list; /* n of them, at most 2 K + 1 */
	char *blank;	    /* (K) 1: this label is wrong */
	int unknown;	    /* 1: it is unknown which labels are wrong: shifted or scrambled */
	int drop;	    /* 1: more than half of the labels are wrong, or it is unknown which */
	float *work;	    /* private */
};

/* 1: more than FAULT_MARGIN pixels outside a w x h image; NaN is not. */
int fault_outside(const float xy[2], int w, int h);
const char *fault_name(enum fault_kind kind);
struct faults *faults_new(int k);
void faults_free(struct faults *f);
/* Checks one row xy (K, 2) of a w x h image and fills f. s NULL: only the checks that need no model. mirror (K): names_partners. */
void faults_find(struct faults *f, const struct shape *s, const float *xy, const int *mirror, int w, int h);

#endif
