/* Points of a data set chosen, put in another order, renamed: in the tensors that have a value or more a point, and in METAs. */
#ifndef POINT_ORDER_H
#define POINT_ORDER_H

#include "lib/stream/tns.h"

/* The dimension of d that counts points (point_tensors.h); 0: it has none, or is one map of all points. Ends the program where that
 * dimension isn't k; t: for the message. */
int point_axis(const struct tns *t, const struct tns_def *d, int k);
/* A row of d in another order: to gets n points, the i-th is from's order[i], or NaN where that is -1 (d is of floats then). axis:
 * point_axis of d, whose dimension counts from's points. */
void point_gather(const struct tns_def *d, int axis, const int *order, int n, const void *from, void *to);
/* Bytes of a row with n points. */
size_t point_row_bytes(const struct tns_def *d, int axis, int n);
int point_has_nan(int dtype); /* 1: point_gather can write NaN */

struct point_order {
	int k, n;     /* points of the input, and of the output */
	int *order;   /* (n) */
	char **from;  /* (k) names in the input */
	char **names; /* (n) in the output */
};

/* Ends the program (2) unless each item of the lists is OLD=NEW. */
void point_renames_check(const char *const *lists, int n);
/* points: patterns (globs.h) of what is taken, in their order (NULL: all); drop: of what of these is not (NULL: none); lists: n lists of
 * OLD=NEW. Ends the program where a pattern matches no point, no point is left, or a new name is there twice. */
struct point_order *point_order_new(const struct tns *t, const char *points, const char *drop, const char *const *lists, int n);
/* What META key says of the points that are left, by their new names, to be freed: of points, pairs, unlearned and mean_face; NULL for
 * others, and where nothing is left to say. */
char *point_order_meta(const struct point_order *p, const struct tns *t, const char *key);
int point_order_is_meta(const char *key); /* 1: points, pairs, unlearned or mean_face */
void point_order_free(struct point_order *p);

#endif
