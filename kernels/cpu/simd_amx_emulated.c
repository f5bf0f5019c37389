/* AMX's tiles in memory: what simd_amx.inc makes of them can be tested on any processor. Products as Intel's manual describes TDPBF16PS:
 * sums of the even and of the odd factors apart, both added to the tile at the end; denormals are kept here, where the processor makes them
 * 0. */
#include "kernels/cpu/simd.h"

static _Thread_local float registers[8][16][16];

#define TILE_ZERO(t) memset(registers[t], 0, sizeof registers[t])
#define TILE_LOAD(t, from, floats) load_tile(registers[t], from, floats)
#define TILE_STORE(t, to, floats) store_tile(registers[t], to, floats)
#define TILE_DOT(c, a, b) dot_tile(registers[c], registers[a], registers[b])

static void load_tile(float (*tile)[16], const float *from, long step)
{
	for (int i = 0; i < 16; i++)
		__builtin_memcpy(tile[i], from + i * step, sizeof tile[i]);
}

static void store_tile(float (*tile)[16], float *to, long step)
{
	for (int i = 0; i < 16; i++)
		__builtin_memcpy(to + i * step, tile[i], sizeof tile[i]);
}

static void dot_tile(float (*c)[16], const float (*a)[16], const float (*b)[16])
{
	typedef float row __attribute__((vector_size(64)));
	typedef uint32_t words __attribute__((vector_size(64)));
	for (int i = 0; i < 16; i++) {
		row even = {0}, odd = {0}, sum;
		for (int k = 0; k < 16; k++) {
			words w, f;
			uint32_t word;
			__builtin_memcpy(&word, &a[i][k], sizeof word), __builtin_memcpy(&w, b[k], sizeof w);
			f = (words){0} + word;
			even += (row)(f << 16) * (row)(w << 16);
			odd += (row)(f & 0xFFFF0000u) * (row)(w & 0xFFFF0000u);
		}
		__builtin_memcpy(&sum, c[i], sizeof sum);
		sum += even + odd;
		__builtin_memcpy(c[i], &sum, sizeof sum);
	}
}

static inline void tiles_begin(void)
{
}

#include "kernels/cpu/simd_amx.inc"

const struct simd_tiles simd_amx_emulated = {
	tiles_multiply, {.conv_kernel = amx_conv_kernel, .gemm_tile = amx_gemm_tile}, amx_tile_sums, amx_transpose_tile};
