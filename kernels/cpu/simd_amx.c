/* AMX (Sapphire Rapids and later): the processor's tiles. Linux gives a process their state if it asks for it. */
#include "kernels/cpu/simd.h"

#if ((defined(__AMX_TILE__) && defined(__AMX_BF16__)) || (defined(__AMXTILE__) && defined(__AMXBF16__))) &&                                \
	defined(__linux__) /* gcc, clang 14 */
#include <cpuid.h>
#include <immintrin.h>
#include <sys/syscall.h>
#include <unistd.h>

#define TILE_ZERO(t) _tile_zero(t)
#define TILE_LOAD(t, from, floats) _tile_loadd(t, from, (size_t)(floats) * sizeof(float))
#define TILE_STORE(t, to, floats) _tile_stored(t, to, (size_t)(floats) * sizeof(float))
#define TILE_DOT(c, a, b) _tile_dpbf16ps(c, a, b)

enum { CONFIG_STATE = 17, DATA_STATE = 18, REQUEST_PERMISSION = 0x1023 }; /* of XCR0; of arch_prctl */

/* Configures the tiles, all 16 rows of 64 bytes, where this thread's are not. */
static inline void tiles_begin(void)
{
	static const struct {
		uint8_t palette, start, zero[14];
		uint16_t bytes[16];
		uint8_t rows[16];
	} config = {1, 0, {0}, {64, 64, 64, 64, 64, 64, 64, 64}, {16, 16, 16, 16, 16, 16, 16, 16}};
	if (!(_xgetbv(1) >> CONFIG_STATE & 1))
		_tile_loadconfig(&config);
}

#include "kernels/cpu/simd_amx.inc"

static int have(void)
{
	unsigned a, b, c, d;
	const unsigned osxsave = 1u << 27, tile_and_bf16 = 1u << 24 | 1u << 22, xgetbv_1 = 1u << 2;
	if (!__get_cpuid(1, &a, &b, &c, &d) || !(c & osxsave) || (_xgetbv(0) >> CONFIG_STATE & 3) != 3)
		return 0;
	if (!__get_cpuid_count(7, 0, &a, &b, &c, &d) || (d & tile_and_bf16) != tile_and_bf16)
		return 0;
	if (!__get_cpuid_count(13, 1, &a, &b, &c, &d) || !(a & xgetbv_1))
		return 0;
	return !syscall(SYS_arch_prctl, REQUEST_PERMISSION, DATA_STATE) && tiles_multiply();
}

const struct simd_tiles simd_amx = {have, {.conv_kernel = amx_conv_kernel, .gemm_tile = amx_gemm_tile}, amx_tile_sums, amx_transpose_tile};
#else
static int have(void)
{
	return 0;
}

const struct simd_tiles simd_amx = {have, {0}, NULL, NULL};
#endif
