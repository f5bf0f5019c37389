/* The choice of the instruction set. */
#include <stdlib.h>
#include <string.h>

#include "kernels/cpu/simd.h"
#include "lib/base/err.h"

static int supported(const struct simd *simd)
{
	if (!simd)
		return 0;
#if defined(__x86_64__)
	if (simd == simd_avx512 || simd == simd_avx512_bf16)
		return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512bw") &&
		       __builtin_cpu_supports("avx512vl") && (simd == simd_avx512 || __builtin_cpu_supports("avx512bf16"));
	if (simd == simd_avx2)
		return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
#endif
	return 1;
}

/* A table whose products in bf16 are tiles'. */
static const struct simd *with_tiles(const char *name, const struct simd *base, const struct simd_tiles *tiles)
{
	static struct simd table;
	table = *base;
	table.name = name, table.mr = table.nr = 32, table.words_along_k = 1;
	table.bf16.conv_kernel = tiles->products.conv_kernel;
	table.bf16.gemm_tile = tiles->products.gemm_tile;
	table.tile_sums = tiles->tile_sums, table.transpose_tile = tiles->transpose_tile;
	return &table;
}

const struct simd *simd_choose(int bf16)
{
	const struct simd *all[] = {simd_avx512_bf16, simd_avx512, simd_avx2, simd_plain}, *best = NULL;
	const char *names[] = {"avx512_bf16", "avx512", "avx2", "plain"}, *want = getenv("KEYPIPE_ISA");
	int any = !want || !*want, amx = any || !strcmp(want, "amx"), emulated = !any && !strcmp(want, "amx_emulated");
	for (int i = 0; i < 4 && !best; i++)
		if (any || amx || emulated || !strcmp(want, names[i])) {
			if (supported(all[i]))
				best = all[i] == simd_avx512_bf16 && !bf16 ? simd_avx512 : all[i];
			else if (!any && !amx && !emulated)
				die("KEYPIPE_ISA=%s: this processor has no %s", want, want);
		}
	if (!best)
		die("KEYPIPE_ISA=%s: plain, avx2, avx512, avx512_bf16 and amx are known", want);
	if (amx && (bf16 || !any) && supported(simd_avx512_bf16) && simd_amx.have())
		return bf16 ? with_tiles("amx", best, &simd_amx) : best;
	if (amx && !any)
		die("KEYPIPE_ISA=%s: this processor has no %s", want, want);
	return emulated && bf16 ? with_tiles("amx_emulated", best, &simd_amx_emulated) : best;
}
