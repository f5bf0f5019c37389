/* A kernel's grid run on the host, each thread a fiber (fiber.cc); host_gpu.cc, which answers gpu.h for tests, is its only caller. What CUDA
 * declares for kernels is in host_cuda.h. One GPU a process, and so one state in the file: fiber_open comes before all that runs, fiber_close
 * when nothing does. */
#ifndef FIBER_H
#define FIBER_H

#include "kernels/cuda/launch.h"

enum { LANES = 32, THREADS = 1024 }; /* of a warp; of a block, at most */

/* reverse: see gpu_open. 0, and errno, where there is no room for shared memory. */
int fiber_open(int reverse);
void fiber_close(void);
/* A kernel's whole grid; gpu_run has checked that there is such a launch. */
void fiber_run(const struct launch *c);
/* For the handler: what runs (NULL: nothing); the kernel, block and, if asked, thread in words, until the next such call; and what p is,
 * in words, to the call that runs, 0 where it is neither its shared memory nor the end of a stack. */
const struct launch *fiber_launch(void);
const char *fiber_where(int thread);
int fiber_tell(char *to, size_t size, const char *p);

#endif
