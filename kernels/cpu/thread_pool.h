/* A few threads that take numbered tasks. Which thread takes which task is chance; tasks are cut by shape, so results are not. */
#ifndef THREAD_POOL_H
#define THREAD_POOL_H

struct thread_pool;
struct thread_pool *thread_pool_open(int threads); /* 0: one a processor that this process may use */
int thread_pool_threads(const struct thread_pool *p);
/* fn(arg, task, thread) for every task in [0, tasks), thread in [0, threads): returns when all are done. Not to be called from a task. */
void thread_pool_run(struct thread_pool *p, int tasks, void (*fn)(void *arg, int task, int thread), void *arg);
void thread_pool_close(struct thread_pool *p);

#endif
