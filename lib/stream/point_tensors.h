/* Tensors that hold a value or more a point, and how far predicted points are from labelled ones. */
#ifndef POINT_TENSORS_H
#define POINT_TENSORS_H

#include "lib/stream/tns.h"

/* The dimension of d that counts points, by the end of its name (other.predicted is predicted): of keypoints, predicted (N,K,2),
 * confidence, label_confidence (N,K), steps (N,levels,K,2) and maps (N,K,h,w, or N,1,h,w: one map of all points); and of any tensor
 * (N,k,2). 0: d has none. k: points of META points, 0 where there is none. */
int points_axis(const struct tns_def *d, int k);
/* 1: by its name, not by its shape alone. */
int points_named(const struct tns_def *d);
/* 1: d is the one map of all points, which no order of points changes. */
int points_one_map(const struct tns_def *d, int k);
/* Names of the tensors of t that tell of its images as they are, but keypoints and label_confidence: those of points (points_axis), and by
 * their names, perhaps behind a prefix as "other.", all else that predict adds. NULL-terminated, to be freed; the names are t's. */
const char **points_beside(const struct tns *t, int k);
/* The tensor that META key tells of and goes with: predicted of unlearned and mean_face, maps of maps_scale; else NULL. */
const char *points_meta_of(const char *key);
/* Root of the mean square of predicted - truth (k,2), pixels, over the labelled coordinates of points that are not marked in unlearned (k;
 * NULL: none); infinite where one of them is not predicted, NaN where none is labelled. */
double points_error(const float *truth, const float *predicted, int k, const char *unlearned);

#endif
