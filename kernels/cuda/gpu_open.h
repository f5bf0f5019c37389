/* For gpu.cu: CUDA's declarations, the choice of a GPU, cuBLAS, checked calls. Declared by NVIDIA's headers under nvcc; a host compiler
 * takes host_runtime.h, on which tests run both files. */
#ifndef GPU_OPEN_H
#define GPU_OPEN_H

#include "kernels/cuda/device.h"
#include "kernels/cuda/launch.h"
#ifdef __CUDACC__
#include <cublas_v2.h>
#include <dlfcn.h>
#else
#include "kernels/cuda/host_runtime.h"
#endif

struct cublas {
	void *library;	 /* of dlopen; NULL: there is none that starts */
	void *workspace; /* on the GPU */
	cublasHandle_t handle;
	cublasStatus_t (*gemm)(cublasHandle_t, cublasOperation_t, cublasOperation_t, int, int, int, const void *, const void *,
		cudaDataType, int, const void *, cudaDataType, int, const void *, void *, cudaDataType, int, cublasComputeType_t,
		cublasGemmAlgo_t);
	cublasStatus_t (*destroy)(cublasHandle_t);
};

/* Chooses the GPU and makes it current: number `index`, or, where it is negative, KEYPIPE_GPU's, else -1 - index modulo their number, in
 * the order of the PCI bus unless CUDA_DEVICE_ORDER says otherwise. Ends the program, saying why, where there is none that can be used. */
struct gpu gpu_select(int index);
/* cuBLAS, which will launch in `stream`: of the files it can be, the first that starts. One that is found but does not start is a warning;
 * library is NULL where none does. */
struct cublas cublas_open(cudaStream_t stream);
void cublas_close(struct cublas *c);
/* Ends the program if e is an error: `GPU: what: error`. */
void gpu_check(cudaError_t e, const char *what);

#endif
