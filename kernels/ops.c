/* Which hand: by name, so that programs know none of them. */
#include <string.h>

#include "kernels/ops.h"

struct ops *ops_open(const char *name, int threads, enum precision precision)
{
	if (!strcmp(name, "ref"))
		return ops_ref();
#ifndef REAL_DOUBLE
	if (!strcmp(name, "cpu"))
		return ops_cpu(threads);
	if (!strcmp(name, "cuda") && ops_cuda)
		return ops_cuda(precision);
#endif
	(void)threads, (void)precision;
	return 0;
}
