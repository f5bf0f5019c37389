/* A few threads that take numbered tasks. Which thread takes which task is chance; tasks are cut by shape, so results are not. */
#ifndef POOL_H
#define POOL_H

struct pool;
struct pool *pool_open(int threads); /* 0: one a processor that this process may use */
int pool_threads(const struct pool *p);
/* fn(arg, task, thread) for every task in [0, tasks), thread in [0, threads): returns when all are done. Not to be called from a task. */
void pool_run(struct pool *p, int tasks, void (*fn)(void *arg, int task, int thread), void *arg);
void pool_close(struct pool *p);

#endif
