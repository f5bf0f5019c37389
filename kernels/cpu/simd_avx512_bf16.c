/* AVX-512 with products of pairs in bf16 (vdpbf16ps: Cooper Lake, Sapphire Rapids, Zen 4). */
#include "kernels/cpu/simd.h"

#if defined(__AVX512F__) && defined(__AVX512DQ__) && defined(__AVX512BW__) && defined(__AVX512VL__) && defined(__AVX512BF16__)
#include <immintrin.h>
#define SIMD_NAME "avx512_bf16"
#define LANES 16
#define MR 14
#define NV 2
#define DW_MR 9
#include "kernels/cpu/simd_body.inc"

const struct simd *const simd_avx512_bf16 = &table;
#else
const struct simd *const simd_avx512_bf16 = NULL;
#endif
