/* What models must have in common to be averaged. */
#ifndef INFER_CHECK_H
#define INFER_CHECK_H

#include "lib/nn/model.h"

/* Dies where the n models differ in target, input or names; with flip where one can't be mirrored, or they differ in what a mirror image
 * is. */
void infer_check(struct model **m, int n, int flip);

#endif
