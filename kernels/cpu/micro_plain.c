/* Any processor: what the compiler makes of vectors of 4. */
#include "kernels/cpu/micro.h"

#define MICRO_NAME "plain"
#define LANES 4
#define MR 2
#define NV 4
#define TAPS 2
#include "kernels/cpu/micro_body.inc"

const struct micro *const micro_plain = &table;
