/* Which points are each other's mirror images, found from labels: the mean shape, mirrored about its vertical axis, falls onto itself, each
 * point onto its partner. Names are a hint: where they name a partner that the geometry allows, it is taken.
 * A partner is a number: of another point, of the point itself where it lies on the axis, NAMES_NO_PARTNER where it has none (labels of one
 * side only), so that a mirror image can't be labelled.
 * Where rows don't agree on the direction from one of a pair to the other, as of hands, left and right, or of animals that turn at will,
 * labels tell nothing.
 * A point's mean is its median, or, where there are under SHAPE_ROWS_MANY rows of up to SHAPE_POINTS_MAX points, the centre of a shape
 * model. */
#ifndef PAIRS_H
#define PAIRS_H

#include <stddef.h>

#define PAIRS_ROWS_MIN 5 /* labels that a point needs to have a mean position */

/* partner (K), to be freed, from n rows of labels (n, K, 2) in pixels of images w wide, NaN where missing. Where fewer than half of the
 * points have PAIRS_ROWS_MIN labels, by names alone (names_partners). rather (K) or NULL: where names contradict the labels, the point that
 * p falls onto, which isn't where its own name says either; else NAMES_NO_PARTNER: columns may have been exchanged. Time grows with K^2: a
 * tenth of a second for 478 points. */
int *pairs_find(int k, const float *xy, size_t n, int w, int h, char **names, int *rather);

/* names_partners, and by labels what names leave open: points that they put on the axis for want of a side, or give no partner. Pairs that
 * names tell stand, whatever labels say (faces off the middle, turned ones). */
int *pairs_complete(int k, const float *xy, size_t n, int w, int h, char **names);
/* Pairs that the user states (as META pairs) overrule those found; whose partner is taken away by that has none. Dies where no such point
 * is. */
void pairs_state(int *partner, char **names, const char *stated);

#endif
