/* Boxes with scores: x y width height, corner and sizes in pixels, x = 0 the left edge of the first pixel. */
#ifndef BOXES_H
#define BOXES_H

struct scored_box {
	double box[4];
	double score;
	int level; /* of the pyramid, where it was found */
};

/* Area of what both have over area of what either has (intersection over union): 0 to 1; 0 where one has no area. */
double boxes_overlap(const double a[4], const double b[4]);
/* Non-maximum suppression: from the highest score down a box stays unless it overlaps one that stays by more than most. Those that stay are
 * moved to the front, the highest first; returns how many. Equal scores are ordered by y, x, width, height, so that the result does not
 * depend on the order of the boxes. */
int boxes_suppress(struct scored_box *b, int n, double most);

#endif
