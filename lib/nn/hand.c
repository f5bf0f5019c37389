/* Names to hands. */
#include <string.h>

#include "lib/base/err.h"
#include "lib/nn/hand.h"

struct ops *hand_open(const char *device, int threads, const char *precision)
{
	int cuda = !strcmp(device, "cuda");
	enum precision p = cuda ? PRECISION_TF32 : PRECISION_FP32;
	if (precision)
		p = !strcmp(precision, "tf32") ? PRECISION_TF32 : !strcmp(precision, "bf16") ? PRECISION_BF16 : PRECISION_FP32;
	if (!cuda && p != PRECISION_FP32)
		die_usage("--precision %s: only the device cuda has it", precision);
	struct ops *o = ops_open(device, threads, p);
	if (!o)
		die("--device %s: this build has no such hand", device);
	return o;
}
