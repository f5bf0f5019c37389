#include "lib/base/memory.h"

#include <math.h>
#include <stdio.h>
#include <sys/resource.h>
#include <unistd.h>

#include "lib/base/err.h"

/* MemAvailable of /proc/meminfo, or 0. */
static double free_bytes(void)
{
	char line[128];
	double kib = 0;
	FILE *f = fopen("/proc/meminfo", "re");
	while (f && !kib && fgets(line, sizeof line, f))
		if (sscanf(line, "MemAvailable: %lf kB", &kib) != 1)
			kib = 0;
	if (f)
		fclose(f);
	return 1024 * kib;
}

/* What a control group may have, as containers see theirs; or INFINITY. */
static double group_bytes(void)
{
	static const char *const files[] = {"/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes"};
	double most = INFINITY, v;
	for (int i = 0; i < 2; i++) {
		FILE *f = fopen(files[i], "re");
		if (f && fscanf(f, "%lf", &v) == 1 && v < most)
			most = v;
		if (f)
			fclose(f);
	}
	return most;
}

/* Bytes of the process's address space, resident ones and those of its data; 0 where the system does not say. */
static void used_bytes(double used[3])
{
	FILE *f = fopen("/proc/self/statm", "re");
	double page = (double)sysconf(_SC_PAGESIZE);
	if (!f || fscanf(f, "%lf %lf %*s %*s %*s %lf", &used[0], &used[1], &used[2]) != 3)
		used[0] = used[1] = used[2] = 0;
	if (f)
		fclose(f);
	for (int i = 0; i < 3; i++)
		used[i] *= page;
}

double memory_left(void)
{
	double used[3], most = memory_available(), group = group_bytes();
	used_bytes(used);
	const struct {
		int limit;
		double used;
	} limits[] = {{RLIMIT_AS, used[0]}, {RLIMIT_DATA, used[2]}};
	for (int i = 0; i < 2; i++) {
		struct rlimit r;
		if (!getrlimit(limits[i].limit, &r) && r.rlim_cur != RLIM_INFINITY)
			most = fmin(most, (double)r.rlim_cur - limits[i].used);
	}
	return fmax(0, fmin(most, group - used[1]));
}

double memory_available(void)
{
	static const int limits[] = {RLIMIT_AS, RLIMIT_DATA};
	double most = free_bytes();
	if (most <= 0)
		most = (double)sysconf(_SC_PHYS_PAGES) * (double)sysconf(_SC_PAGESIZE);
	for (int i = 0; i < 2; i++) {
		struct rlimit r;
		if (!getrlimit(limits[i], &r) && r.rlim_cur != RLIM_INFINITY && (double)r.rlim_cur < most)
			most = (double)r.rlim_cur;
	}
	return most;
}

void memory_require(double bytes, const char *what)
{
	double most = memory_left(), aside = fmin(most / 16, MEMORY_ASIDE);
	if (bytes > most - aside)
		die("%s needs %.3g GB of memory, %.3g GB are free", what, bytes / 1e9, most / 1e9);
}
