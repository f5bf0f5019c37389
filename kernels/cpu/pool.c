/* Workers take numbered tasks of the round that is open. Nobody waits for a worker that took none: one that sleeps, or whose core another
 * process has, costs what it would have done and no more. Idle workers look for work shortly, then sleep, and so does the caller while
 * the last tasks are done elsewhere. */
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>

#include "kernels/cpu/pool.h"
#include "lib/err.h"

/* Looks before sleep, some tens of microseconds: longer than between two layers. */
enum { LOOKS = 2000 };

struct pool {
	int threads;
	pthread_t *thread;
	pthread_mutex_t lock;
	pthread_cond_t wake, done;
	/* One word, so that a ticket says whether it is good: tasks of the round (upper half), the next of them (lower). Who draws a good
	 * one finds fn and arg of its round, which can't end before that task has. */
	atomic_ullong state;
	atomic_int finished, sleepers, waiting, quit;
	void (*fn)(void *arg, int task, int thread);
	void *arg;
};

struct worker {
	struct pool *p;
	int number;
};

static void pause_a_little(void)
{
#if defined(__x86_64__) || defined(__i386__)
	__builtin_ia32_pause();
#endif
}

static int open_tasks(unsigned long long state)
{
	return (uint32_t)state < (uint32_t)(state >> 32);
}

static void take(struct pool *p, int thread)
{
	for (;;) {
		if (!open_tasks(atomic_load(&p->state)))
			return;
		unsigned long long ticket = atomic_fetch_add(&p->state, 1);
		if (!open_tasks(ticket))
			return;
		p->fn(p->arg, (int)(uint32_t)ticket, thread);
		if (atomic_fetch_add(&p->finished, 1) + 1 == (int)(ticket >> 32) && atomic_load(&p->waiting)) {
			pthread_mutex_lock(&p->lock);
			pthread_cond_signal(&p->done);
			pthread_mutex_unlock(&p->lock);
		}
	}
}

static void *work(void *arg)
{
	struct worker w = *(struct worker *)arg;
	struct pool *p = w.p;
	free(arg);
	while (!atomic_load(&p->quit)) {
		for (int i = 0; i < LOOKS && !open_tasks(atomic_load(&p->state)); i++)
			pause_a_little();
		if (!open_tasks(atomic_load(&p->state))) {
			pthread_mutex_lock(&p->lock);
			atomic_fetch_add(&p->sleepers, 1);
			while (!open_tasks(atomic_load(&p->state)) && !atomic_load(&p->quit))
				pthread_cond_wait(&p->wake, &p->lock);
			atomic_fetch_sub(&p->sleepers, 1);
			pthread_mutex_unlock(&p->lock);
		}
		take(p, w.number);
	}
	return NULL;
}

struct pool *pool_open(int threads)
{
	cpu_set_t set;
	struct pool *p = xcalloc(1, sizeof *p);
	if (!threads)
		threads = sched_getaffinity(0, sizeof set, &set) ? 1 : CPU_COUNT(&set);
	p->threads = threads;
	p->thread = xcalloc((size_t)threads, sizeof *p->thread);
	pthread_mutex_init(&p->lock, NULL);
	pthread_cond_init(&p->wake, NULL);
	pthread_cond_init(&p->done, NULL);
	sigset_t all, old; /* signals are the main thread's */
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	for (int i = 1; i < threads; i++) {
		struct worker *w = xmalloc(sizeof *w);
		*w = (struct worker){p, i};
		if (pthread_create(&p->thread[i], NULL, work, w))
			die("a thread can't be started");
	}
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	return p;
}

int pool_threads(const struct pool *p)
{
	return p->threads;
}

void pool_run(struct pool *p, int tasks, void (*fn)(void *arg, int task, int thread), void *arg)
{
	if (p->threads == 1 || tasks <= 1) {
		for (int t = 0; t < tasks; t++)
			fn(arg, t, 0);
		return;
	}
	p->fn = fn, p->arg = arg;
	atomic_store(&p->finished, 0);
	atomic_store(&p->state, (unsigned long long)tasks << 32);
	if (atomic_load(&p->sleepers)) {
		pthread_mutex_lock(&p->lock);
		pthread_cond_broadcast(&p->wake);
		pthread_mutex_unlock(&p->lock);
	}
	take(p, 0);
	for (int i = 0; i < LOOKS && atomic_load(&p->finished) < tasks; i++)
		pause_a_little();
	if (atomic_load(&p->finished) == tasks)
		return;
	pthread_mutex_lock(&p->lock);
	atomic_store(&p->waiting, 1);
	while (atomic_load(&p->finished) < tasks)
		pthread_cond_wait(&p->done, &p->lock);
	atomic_store(&p->waiting, 0);
	pthread_mutex_unlock(&p->lock);
}

void pool_close(struct pool *p)
{
	pthread_mutex_lock(&p->lock);
	atomic_store(&p->quit, 1);
	pthread_cond_broadcast(&p->wake);
	pthread_mutex_unlock(&p->lock);
	for (int i = 1; i < p->threads; i++)
		pthread_join(p->thread[i], NULL);
	free(p->thread);
	free(p);
}
