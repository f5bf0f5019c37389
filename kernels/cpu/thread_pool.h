/* A thread pool for numbered tasks. Which thread runs which task varies; tasks are divided by shape alone, so results do not. */
#ifndef THREAD_POOL_H
#define THREAD_POOL_H

struct thread_pool;
struct thread_pool *thread_pool_open(int threads); /* 0: one per processor that this process may use */
int thread_pool_threads(const struct thread_pool *p);
/* Runs fn(arg, task, thread) for each task in [0, tasks), thread in [0, threads), and waits for all. Not to be called from a task. */
void thread_pool_run(struct thread_pool *p, int tasks, void (*fn)(void *arg, int task, int thread), void *arg);
/* From now on seen is called before each thread_pool_run, with its number of tasks, and after it (done 1); NULL: no more. */
void thread_pool_watch(struct thread_pool *p, void (*seen)(int tasks, int done));
void thread_pool_close(struct thread_pool *p);

#endif
