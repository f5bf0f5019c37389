/* The machine that CUDA on the host is on (host_runtime.h); tests change it. */
#ifndef HOST_MACHINE_H
#define HOST_MACHINE_H

struct host_machine {
	int driver;	    /* CUDA's version that the driver is for, as 12040; 0: there is none */
	int gpus, sm;	    /* how many GPUs; their compute capability, times 10; their names are host-0, host-1, ... */
	int chosen;	    /* set by cudaSetDevice */
	const char *cublas; /* files of cuBLAS that start, separated by blanks */
	const char *broken; /* those that are found, but don't */
	const char *loaded; /* set: the file that was started last */
};
extern struct host_machine host_machine;

#endif
