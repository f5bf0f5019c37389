/* Emulation of a GPU on the host: runs a kernel's grid, each thread a fiber. Called by host_gpu.cc, which implements gpu.h on the host for
 * tests; the CUDA declarations that kernels use are in host_cuda.h. One GPU a process, hence one static state: fiber_open before the first
 * launch, fiber_close after the last. */
#ifndef FIBER_H
#define FIBER_H

#include "kernels/cuda/launch.h"

enum { LANES = 32, THREADS = 1024 }; /* of a warp; of a block, at most */

/* reverse: see gpu_open. Returns 0 with errno set where memory for shared memory is lacking. For tests: KEYPIPE_GPU_ORDER=N, from 1 on,
 * draws the order of blocks, of a block's warps and of a warp's lanes, another one for each block and launch; KEYPIPE_GPU_SKIP=FILE:LINE
 * leaves out the barrier, fence or warp operation there (each lane goes on, with its own value), =KERNEL what makes its launches wait for
 * those before (race.h); how often that was, is said at the end. */
int fiber_open(int reverse);
void fiber_close(void);
extern int fiber_truncates; /* KEYPIPE_GPU_SUMS=truncated: see mma.cc */
/* Runs a kernel's whole grid; gpu_run has checked the launch's limits. */
void fiber_run(const struct launch *c);
/* Checks that no copy of the thread is under way (copy.cc). */
void fiber_thread_end(void);
/* For the signal handler. fiber_launch: the running launch, or NULL. fiber_where: its kernel, block and, if thread, thread as text, valid
 * until the next call. fiber_describe: writes what p is to the running launch; 0 where it is neither its shared memory nor the end of a
 * stack. */
const struct launch *fiber_launch(void);
const char *fiber_where(int thread);
int fiber_describe(char *to, size_t size, const char *p);

#endif
