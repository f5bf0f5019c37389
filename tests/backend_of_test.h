/* The backend that a test is about: HAND of the environment, else cpu; so one test serves the backend for GPUs too. */
#ifndef BACKEND_OF_TEST_H
#define BACKEND_OF_TEST_H

#include <stdlib.h>

#include "kernels/backend.h"

static inline const char *backend_name(void)
{
	const char *h = getenv("BACKEND");
	return h ? h : "cpu";
}

static inline struct backend *backend_here(void)
{
	return backend_init_by_name(backend_name(), 1, PRECISION_FP32);
}

#endif
