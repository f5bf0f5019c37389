/* One step of work by several threads: each does its part, whose results the caller then uses in order. */
#ifndef EACH_THREAD_H
#define EACH_THREAD_H

#include <stddef.h>
#include <stdint.h>

enum { EACH_THREAD_MAX = 256 };

/* Threads to use where `asked` are: 0: one for each processor that this process may run on. At least 1. */
int threads_wanted(int64_t asked);

/* Calls run with each of n parts (size bytes apart, at most EACH_THREAD_MAX of them), the first on this thread, each other on its own, or
 * here too where none can be created; returns when all are done. */
void each_thread(void *(*run)(void *part), void *parts, size_t size, int n);

#endif
