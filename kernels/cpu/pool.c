/* Workers wait for a new round: shortly by looking, then asleep, so that neither a busy machine nor a short layer suffers. */
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "kernels/cpu/pool.h"
#include "lib/err.h"

struct pool {
	int threads;
	pthread_t *thread;
	pthread_mutex_t lock;
	pthread_cond_t wake, done;
	atomic_uint round;
	int quit;
	void (*fn)(void *arg, int task, int thread);
	void *arg;
	int tasks;
	atomic_int next, busy;
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

static void take(struct pool *p, int thread)
{
	for (int t; (t = atomic_fetch_add(&p->next, 1)) < p->tasks;)
		p->fn(p->arg, t, thread);
}

static void *work(void *arg)
{
	struct worker w = *(struct worker *)arg;
	struct pool *p = w.p;
	unsigned seen = 0;
	free(arg);
	for (;;) {
		for (int i = 0; i < 2000 && atomic_load(&p->round) == seen; i++)
			pause_a_little();
		pthread_mutex_lock(&p->lock);
		while (atomic_load(&p->round) == seen && !p->quit)
			pthread_cond_wait(&p->wake, &p->lock);
		seen = atomic_load(&p->round);
		int quit = p->quit;
		pthread_mutex_unlock(&p->lock);
		if (quit)
			return NULL;
		take(p, w.number);
		if (atomic_fetch_sub(&p->busy, 1) == 1) {
			pthread_mutex_lock(&p->lock);
			pthread_cond_signal(&p->done);
			pthread_mutex_unlock(&p->lock);
		}
	}
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
	if (p->threads == 1 || tasks == 1) {
		for (int t = 0; t < tasks; t++)
			fn(arg, t, 0);
		return;
	}
	p->fn = fn, p->arg = arg, p->tasks = tasks;
	atomic_store(&p->next, 0);
	atomic_store(&p->busy, p->threads - 1);
	pthread_mutex_lock(&p->lock);
	atomic_fetch_add(&p->round, 1);
	pthread_cond_broadcast(&p->wake);
	pthread_mutex_unlock(&p->lock);
	take(p, 0);
	for (int i = 0; i < 2000 && atomic_load(&p->busy); i++)
		pause_a_little();
	pthread_mutex_lock(&p->lock);
	while (atomic_load(&p->busy))
		pthread_cond_wait(&p->done, &p->lock);
	pthread_mutex_unlock(&p->lock);
}

void pool_close(struct pool *p)
{
	pthread_mutex_lock(&p->lock);
	p->quit = 1;
	pthread_cond_broadcast(&p->wake);
	pthread_mutex_unlock(&p->lock);
	for (int i = 1; i < p->threads; i++)
		pthread_join(p->thread[i], NULL);
	free(p->thread);
	free(p);
}
