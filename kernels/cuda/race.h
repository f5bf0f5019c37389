/* Race detector for kernels that run on the host. Two accesses of a byte by two threads, one of them a write, are a race unless something
 * orders them: __syncthreads within a block, __syncwarp within a warp (shuffles and votes order no memory), the end of a launch. A race
 * ends the program with a line that names kernel, both threads, both source lines and the byte. It sees races of the accesses that a run
 * makes whatever the order in which fibers run, not only those that change a result.
 * Kernels are compiled with -fsanitize=thread, whose calls (__tsan_read4, ...) race.cc answers; no such kernels: nothing happens here. */
#ifndef RACE_H
#define RACE_H

#include <stddef.h>

struct launch;

/* Of the running thread; + RACE_WARP: of several lanes of its warp. */
enum { RACE_WARP = 32 };
extern unsigned char race_lane;

/* Memory to be watched, whole pages from first to end; offsets are counted from at. shared: another block's accesses before are none of
 * this memory. */
void race_map(const char *first, const char *end, const char *at);
void race_unmap(const char *first, const char *end);
void race_shared(const char *first);
/* What begins: a launch (returns 1 where race_skip names it); a block; what follows a barrier; a warp's part of that; what follows a
 * __syncwarp. */
int race_launch(const struct launch *c);
void race_block(size_t block);
void race_barrier(void);
void race_warp(int warp);
void race_syncwarp(void);
void race_end(void); /* of a launch */
/* The host has waited for all launches, or a graph begins. */
void race_host(void);
/* KEYPIPE_GPU_SKIP=KERNEL: its launches, and what follows them, don't wait for what is before them, up to race_host. */
void race_skip(const char *kernel);
/* An access that no instruction of a kernel makes, but GEMMs by cuBLAS and instructions by inline PTX, at `code` (NULL: the caller). */
void race_access(const void *p, size_t bytes, int write, const void *code = NULL);
/* An asynchronous write (cp.async) of the running thread begins, and has ended: any access between, the thread's own too, is a race. */
void race_async(const void *p, size_t bytes, const void *code);
void race_landed(const void *p, size_t bytes, const void *code);

#endif
