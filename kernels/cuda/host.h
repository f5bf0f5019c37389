/* Inside the GPU on the host: host.cc answers gpu.h and keeps the memory, fiber.cc runs launches; nobody else includes this. One GPU a
 * process, and so one state in each file: fiber_open comes before all that runs, fiber_close when nothing does. An area's bytes end where
 * its pages do, but for alignment; guards that nobody may touch lie before and behind, and a handler of signals tells who did. */
#ifndef HOST_H
#define HOST_H

#include "kernels/cuda/gpu.h"

enum { LANES = 32, THREADS = 1024 }; /* of a warp; of a block, at most */
enum { AREA_ALIGN = 32, AREA_POISON = 0xff };

struct area { /* of memory: bytes from `at` on; guards around the pages from `first` to `end` */
	char *at, *first, *end;
	size_t bytes;
};

/* All of it, and what fills its pages, is AREA_POISON at first. at is NULL where there is no room. */
struct area area_new(size_t bytes);
void area_free(struct area a);
/* How far p is outside of the bytes, in words; 0 where it is neither in the area nor in its guards. */
int area_tell(char *to, size_t size, const struct area *a, const char *kind, const char *p);
/* [from, end) is AREA_POISON still. */
int area_poisoned(const char *from, const char *end);
/* bytes, rounded up to whole pages. */
size_t area_pages(size_t bytes);

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
