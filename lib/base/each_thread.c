#include "lib/base/each_thread.h"

#include <pthread.h>
#include <sched.h>

int threads_wanted(int64_t asked)
{
	cpu_set_t set;
	if (asked > 0)
		return (int)asked;
	return sched_getaffinity(0, sizeof set, &set) ? 1 : CPU_COUNT(&set);
}

void each_thread(void *(*run)(void *part), void *parts, size_t size, int n)
{
	pthread_t id[EACH_THREAD_MAX];
	int started[EACH_THREAD_MAX] = {0};
	char *part = parts;
	for (int t = 1; t < n; t++)
		started[t] = !pthread_create(&id[t], NULL, run, part + (size_t)t * size);
	if (n > 0)
		run(part);
	for (int t = 1; t < n; t++)
		if (started[t])
			pthread_join(id[t], NULL);
		else
			run(part + (size_t)t * size);
}
