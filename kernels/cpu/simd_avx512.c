/* AVX-512: 32 registers of 16, of which a tile's sums take 28. */
#include "kernels/cpu/simd.h"

#if defined(__AVX512F__) && defined(__AVX512DQ__) && defined(__AVX512BW__) && defined(__AVX512VL__)
#define SIMD_NAME "avx512"
#define LANES 16
#define MR 14
#define NV 2
#define TAPS 9
#include "kernels/cpu/simd_body.inc"

const struct simd *const simd_avx512 = &table;
#else
const struct simd *const simd_avx512 = NULL;
#endif
