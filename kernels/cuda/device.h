/* A GPU as the backend knows it, and what the environment says of its use. */
#ifndef CUDA_DEVICE_H
#define CUDA_DEVICE_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The environment variable KEYPIPE_GPU_name, else KEYPIPE_CARD_old, its former name; NULL where neither is set. Settings are for tests. */
static inline const char *gpu_setting(const char *name, const char *old)
{
	char text[64];
	snprintf(text, sizeof text, "KEYPIPE_GPU_%s", name);
	const char *value = getenv(text);
	snprintf(text, sizeof text, "KEYPIPE_CARD_%s", old);
	return value ? value : getenv(text);
}

/* KEYPIPE_CUDA_SYNC=1: each launch is waited for, so that a fault is said of the kernel that it is in; slow. */
static inline int gpu_waits_each(void)
{
	const char *value = getenv("KEYPIPE_CUDA_SYNC");
	return value && *value && strcmp(value, "0");
}

struct gpu {
	char name[64];	     /* "NVIDIA H100 80GB HBM3" */
	int major, minor;    /* of the compute capability */
	int multiprocessors; /* streaming multiprocessors (SMs) */
	int cublas;	     /* 1: cuBLAS is available */
	int index, count;    /* the GPU's number from 0, and how many there are; count is 0 on the host */
	char id[40];	     /* its UUID, in hexadecimal */
};

#endif
