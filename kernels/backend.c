/* Backends by name, so that programs know none of them. */
#include <stdlib.h>
#include <string.h>

#include "kernels/backend.h"

struct backend *backend_init_by_name(const char *name, int threads, enum precision precision)
{
	if (!strcmp(name, "ref"))
		return backend_ref_init();
#ifndef REAL_DOUBLE
	if (!strcmp(name, "cpu"))
		return backend_cpu_init(threads, precision);
	if (!strncmp(name, "cuda", 4) && (!name[4] || name[4] == ':') && backend_cuda_init)
		return backend_cuda_init(precision, name[4] ? atoi(name + 5) : -1);
#endif
	(void)threads, (void)precision;
	return 0;
}
