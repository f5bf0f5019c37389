/* AVX2 with FMA: 16 registers of 8 floats; a tile's accumulators use 12. */
#include "kernels/cpu/simd.h"

#if defined(__AVX2__) && defined(__FMA__)
#define SIMD_NAME "avx2"
#define LANES 8
#define MR 6
#define NV 2
#define DW_MR 6
#include "kernels/cpu/simd_body.inc"

const struct simd *const simd_avx2 = &table;
#else
const struct simd *const simd_avx2 = NULL;
#endif
