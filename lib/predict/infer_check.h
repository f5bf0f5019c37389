/* What models must have in common to be averaged, and with the data. */
#ifndef INFER_CHECK_H
#define INFER_CHECK_H

#include "lib/nn/model.h"
#include "lib/stream/tns.h"

/* Dies where the n models differ in target, input or names; with flip where one can't be mirrored, or they differ in what a mirror image
 * is. */
void infer_check(struct model **m, int n, int flip);
/* The data against the n models: returns tensor image; dies where there is none of the model's size. A line on stderr where faces were cut
 * out of photographs otherwise than those that one of them learned from (META crop), unless either are whole images. */
int infer_check_data(struct model *const *models, int n, const struct tns *in);

#endif
