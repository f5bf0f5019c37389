#include "lib/base/memory.h"

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
	double most = memory_available();
	if (bytes > most)
		die("%s needs %.3g GB of memory, %.3g GB are free", what, bytes / 1e9, most / 1e9);
}
