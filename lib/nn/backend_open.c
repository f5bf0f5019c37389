/* Options --device, --precision and --threads to a backend. */
#include <string.h>

#include "lib/base/err.h"
#include "lib/nn/backend_open.h"

struct backend *backend_open(const char *device, int threads, const char *precision)
{
	int cuda = !strncmp(device, "cuda", 4);
	enum precision p = cuda ? PRECISION_TF32 : PRECISION_FP32;
	if (precision)
		p = !strcmp(precision, "tf32") ? PRECISION_TF32 : !strcmp(precision, "bf16") ? PRECISION_BF16 : PRECISION_FP32;
	if (!cuda && p != PRECISION_FP32 && (p == PRECISION_TF32 || strcmp(device, "cpu")))
		die_usage("--precision %s: the device %s does not have it, %s", precision, device,
			p == PRECISION_TF32 ? "only cuda" : "only cpu and cuda");
	struct backend *be = backend_init_by_name(device, threads, p);
	if (!be)
		die("--device %.*s: this build has no such backend (it has ref, cpu); make builds it where there is nvcc",
			(int)strcspn(device, ":"), device);
	return be;
}

void backend_tell(const struct backend *be)
{
	warn("computed by %s (%s)", be->name, be->kernel);
}
