/* A work-stealing thread pool: threads draw numbered tasks of the current thread_pool_run. The caller waits for tasks, not for workers: a
 * worker that sleeps or is preempted before it draws a task delays nothing. Idle workers spin for a short time, then sleep; so does the
 * caller while the last tasks run on other threads. */
#include <malloc.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "kernels/cpu/thread_pool.h"
#include "lib/base/err.h"

/* Polls before sleep, some tens of microseconds: longer than the gap between two layers. */
enum { SPINS = 2000 };

/* A range of tasks in one atomic word: its end (upper half), the next task (lower half). One fetch_add draws a ticket and the end that it
 * is valid below. fn and arg belong to a valid ticket's run, which can't return before that task is done. */
struct range {
	_Alignas(64) atomic_ullong state;
};

struct thread_pool {
	int threads;
	pthread_t *thread;
	pthread_mutex_t lock;
	pthread_cond_t wake, done;
	/* Each thread has a range of the tasks, the same for the same number of tasks, so that its data are in its cache; a thread that
	 * is done with its own range steals from the others'. */
	struct range *range;
	atomic_int left, sleepers, waiting, quit;
	void (*fn)(void *arg, int task, int thread);
	void *arg;
	void (*seen)(int tasks, int done);
};

struct worker {
	struct thread_pool *p;
	int number;
};

static void spin_pause(void)
{
#if defined(__x86_64__) || defined(__i386__)
	__builtin_ia32_pause();
#endif
}

static int is_open(unsigned long long state)
{
	return (uint32_t)state < (uint32_t)(state >> 32);
}

static int any_open(struct thread_pool *p)
{
	for (int i = 0; i < p->threads; i++)
		if (is_open(atomic_load(&p->range[i].state)))
			return 1;
	return 0;
}

static void run_tasks(struct thread_pool *p, int thread)
{
	int done = 0;
	for (int i = 0; i < p->threads; i++) {
		atomic_ullong *state = &p->range[(thread + i) % p->threads].state;
		while (is_open(atomic_load(state))) {
			unsigned long long ticket = atomic_fetch_add(state, 1);
			if (!is_open(ticket))
				break;
			p->fn(p->arg, (int)(uint32_t)ticket, thread);
			done = 1;
			atomic_fetch_sub(&p->left, 1);
		}
	}
	if (done && !atomic_load(&p->left) && atomic_load(&p->waiting)) {
		pthread_mutex_lock(&p->lock);
		pthread_cond_signal(&p->done);
		pthread_mutex_unlock(&p->lock);
	}
}

static void *worker_main(void *arg)
{
	struct worker w = *(struct worker *)arg;
	struct thread_pool *p = w.p;
	free(arg);
	while (!atomic_load(&p->quit)) {
		for (int i = 0; i < SPINS && !any_open(p); i++)
			spin_pause();
		if (!any_open(p)) {
			pthread_mutex_lock(&p->lock);
			atomic_fetch_add(&p->sleepers, 1);
			while (!any_open(p) && !atomic_load(&p->quit))
				pthread_cond_wait(&p->wake, &p->lock);
			atomic_fetch_sub(&p->sleepers, 1);
			pthread_mutex_unlock(&p->lock);
		}
		run_tasks(p, w.number);
	}
	return NULL;
}

/* Memory of a thread's own costs 64 MiB of address space a thread (glibc): where that is limited (ulimit -v), all threads share one. */
static void share_memory(void)
{
#ifdef M_ARENA_MAX
	struct rlimit r;
	if (!getrlimit(RLIMIT_AS, &r) && r.rlim_cur != RLIM_INFINITY)
		mallopt(M_ARENA_MAX, 1);
#endif
}

struct thread_pool *thread_pool_open(int threads)
{
	cpu_set_t set;
	share_memory();
	struct thread_pool *p = xcalloc(1, sizeof *p);
	if (!threads)
		threads = sched_getaffinity(0, sizeof set, &set) ? 1 : CPU_COUNT(&set);
	p->threads = threads;
	p->thread = xcalloc((size_t)threads, sizeof *p->thread);
	if (posix_memalign((void **)&p->range, 64, (size_t)threads * sizeof *p->range))
		die("out of memory");
	memset(p->range, 0, (size_t)threads * sizeof *p->range);
	pthread_mutex_init(&p->lock, NULL);
	pthread_cond_init(&p->wake, NULL);
	pthread_cond_init(&p->done, NULL);
	sigset_t all, old; /* the main thread alone handles signals */
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	for (int i = 1; i < threads; i++) {
		struct worker *w = xmalloc(sizeof *w);
		*w = (struct worker){p, i};
		if (pthread_create(&p->thread[i], NULL, worker_main, w))
			die("a thread can't be started");
	}
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	return p;
}

int thread_pool_threads(const struct thread_pool *p)
{
	return p->threads;
}

static void run_and_wait(struct thread_pool *p, int tasks, void (*fn)(void *arg, int task, int thread), void *arg)
{
	if (p->threads == 1 || tasks <= 1) {
		for (int t = 0; t < tasks; t++)
			fn(arg, t, 0);
		return;
	}
	p->fn = fn, p->arg = arg;
	atomic_store(&p->left, tasks);
	for (int i = 0; i < p->threads; i++) {
		unsigned long long from = (unsigned long long)tasks * (unsigned)i / (unsigned)p->threads,
				   to = (unsigned long long)tasks * (unsigned)(i + 1) / (unsigned)p->threads;
		atomic_store(&p->range[i].state, to << 32 | from);
	}
	if (atomic_load(&p->sleepers)) {
		pthread_mutex_lock(&p->lock);
		pthread_cond_broadcast(&p->wake);
		pthread_mutex_unlock(&p->lock);
	}
	run_tasks(p, 0);
	for (int i = 0; i < SPINS && atomic_load(&p->left); i++)
		spin_pause();
	if (!atomic_load(&p->left))
		return;
	pthread_mutex_lock(&p->lock);
	atomic_store(&p->waiting, 1);
	while (atomic_load(&p->left))
		pthread_cond_wait(&p->done, &p->lock);
	atomic_store(&p->waiting, 0);
	pthread_mutex_unlock(&p->lock);
}

void thread_pool_run(struct thread_pool *p, int tasks, void (*fn)(void *arg, int task, int thread), void *arg)
{
	if (p->seen)
		p->seen(tasks, 0);
	run_and_wait(p, tasks, fn, arg);
	if (p->seen)
		p->seen(tasks, 1);
}

void thread_pool_watch(struct thread_pool *p, void (*seen)(int tasks, int done))
{
	p->seen = seen;
}

void thread_pool_close(struct thread_pool *p)
{
	pthread_mutex_lock(&p->lock);
	atomic_store(&p->quit, 1);
	pthread_cond_broadcast(&p->wake);
	pthread_mutex_unlock(&p->lock);
	for (int i = 1; i < p->threads; i++)
		pthread_join(p->thread[i], NULL);
	free(p->thread), free(p->range);
	free(p);
}
