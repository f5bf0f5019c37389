/* AVX2 with FMA: 16 registers of 8, of which a tile's sums take 12. */
#include "kernels/cpu/micro.h"

#if defined(__AVX2__) && defined(__FMA__)
#define MICRO_NAME "avx2"
#define LANES 8
#define MR 6
#define NV 2
#define TAPS 6
#include "kernels/cpu/micro_body.inc"

const struct micro *const micro_avx2 = &table;
#else
const struct micro *const micro_avx2 = NULL;
#endif
