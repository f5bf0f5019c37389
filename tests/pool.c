/* The thread pool under the race detector (make analyze): pools of 1 to 8 threads, 0 to 199 tasks, each run once. */
#include <stdio.h>
#include <string.h>

#include "kernels/cpu/thread_pool.h"

enum { TASKS = 200 };
static unsigned done[TASKS];

static void count(void *arg, int task, int thread)
{
	(void)arg, (void)thread;
	done[task]++;
}

int main(void)
{
	for (int k = 0; k < 20; k++) {
		struct thread_pool *p = thread_pool_open(1 + k % 8);
		memset(done, 0, sizeof done);
		for (int n = 0; n < TASKS; n++)
			thread_pool_run(p, n, count, NULL);
		for (int t = 0; t < TASKS; t++)
			if (done[t] != (unsigned)(TASKS - 1 - t))
				return printf("task %d was run %u times\n", t, done[t]), 1;
		thread_pool_close(p);
	}
	return 0;
}
