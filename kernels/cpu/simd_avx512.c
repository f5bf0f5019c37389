/* AVX-512: 32 registers of 16 floats; a tile's accumulators use 28. */
#include "kernels/cpu/simd.h"

#if defined(__AVX512F__) && defined(__AVX512DQ__) && defined(__AVX512BW__) && defined(__AVX512VL__)
#include <immintrin.h>
#define SIMD_NAME "avx512"
#define LANES 16
#define MR 14
#define NV 2
#define DW_MR 9
#include "kernels/cpu/simd_body.inc"

const struct simd *const simd_avx512 = &table;
#else
const struct simd *const simd_avx512 = NULL;
#endif
