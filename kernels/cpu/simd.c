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

const struct simd *simd_choose(int bf16)
{
	const struct simd *all[] = {simd_avx512_bf16, simd_avx512, simd_avx2, simd_plain};
	const char *names[] = {"avx512_bf16", "avx512", "avx2", "plain"}, *want = getenv("KEYPIPE_ISA");
	for (int i = 0; i < 4; i++) {
		if (want && *want && strcmp(want, names[i]))
			continue;
		if (supported(all[i]))
			return all[i] == simd_avx512_bf16 && !bf16 ? simd_avx512 : all[i];
		if (want && *want)
			die("KEYPIPE_ISA=%s: this processor has no %s", want, want);
	}
	die("KEYPIPE_ISA=%s: plain, avx2, avx512 and avx512_bf16 are known", want);
}
