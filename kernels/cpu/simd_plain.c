/* Any processor: vectors of 4 floats, lowered by the compiler. */
#include "kernels/cpu/simd.h"

#define SIMD_NAME "plain"
#define LANES 4
#define MR 2
#define NV 4
#define DW_MR 2
#include "kernels/cpu/simd_body.inc"

const struct simd *const simd_plain = &table;
