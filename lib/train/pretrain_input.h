/* What the layer being trained learns from: the data set's images, then codes of the layer below: on the device, or, where the device has
 * the host's memory and they would not fit there (rows.h), in a file. */
#ifndef PRETRAIN_INPUT_H
#define PRETRAIN_INPUT_H

#include "lib/train/dataset.h"
#include "lib/train/pretrain.h"

struct pretrain_input;

/* The images, by batches of at most B. data outlives it. near: of rows_new. */
struct pretrain_input *pretrain_input_new(const struct backend *be, const struct dataset *data, int B, const char *near);
/* l, the next layer, loads its rows from here. */
void pretrain_input_attach(struct pretrain_input *in, struct pretrain_layer *l);
/* From now on codes of l, to which it was attached. */
void pretrain_input_encode(struct pretrain_input *in, struct pretrain_layer *l);
void pretrain_input_free(struct pretrain_input *in);

#endif
