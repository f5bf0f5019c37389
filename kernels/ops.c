/* Which hand: by name, so that programs know none of them. */
#include <string.h>

#include "kernels/ops.h"

struct ops *ops_open(const char *name, int threads)
{
	if (!strcmp(name, "ref"))
		return ops_ref();
#ifndef REAL_DOUBLE
	if (!strcmp(name, "cpu"))
		return ops_cpu(threads);
#endif
	(void)threads;
	return 0;
}
