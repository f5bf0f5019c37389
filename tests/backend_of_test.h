/* The backend that a test runs on: the environment's BACKEND, else cpu; so the same tests run on cuda. */
#ifndef BACKEND_OF_TEST_H
#define BACKEND_OF_TEST_H

#include <stdlib.h>

#include "kernels/backend.h"

static inline const char *backend_name(void)
{
	const char *name = getenv("BACKEND");
	return name ? name : "cpu";
}

static inline struct backend *backend_here(void)
{
	return backend_init_by_name(backend_name(), 1, PRECISION_FP32);
}

#endif
