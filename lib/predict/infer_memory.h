/* What a batch of inference takes, before it is allocated: models come from anywhere. */
#ifndef INFER_MEMORY_H
#define INFER_MEMORY_H

#include "kernels/backend.h"
#include "lib/nn/model.h"

/* Ends the program where the host has not the memory for a batch of B rows of these models: nets, but parameters that they map, outputs
 * that are downloaded, estimates and their sums, images; or where a net takes absurdly many operations (net_need). A GPU says itself when
 * its memory ends. */
void infer_require_memory(const struct backend *be, struct model **m, int n, int flip, int B);

#endif
