/* gpu.cu's streams on a GPU, by nvcc (make gpu-check): what check_gpu.cc runs on the host. */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "kernels/cuda/cuda.h"

extern "C" {
#include "lib/base/err.h"
}

enum { CUBLAS_IS_THERE = 0 };
#include "tests/gpu_streams.h"

int main(void)
{
	Suite *suite = suite_create("device");
	TCase *t = tcase_create("device");
	add_streams(t, 1, 1);
	suite_add_tcase(suite, t);
	SRunner *r = srunner_create(suite);
	srunner_run_all(r, CK_ENV);
	int failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed != 0;
}
