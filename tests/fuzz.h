/* What fuzzers share: seeds, written by LLVMFuzzerInitialize where FUZZ_SEEDS names a folder; a file in memory, for parsers that take a
 * path or a descriptor; the sanitizers' settings. */
#ifndef FUZZ_H
#define FUZZ_H

#include <fcntl.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size);
int LLVMFuzzerInitialize(int *argc, char ***argv);

/* Freed memory is kept back for 16 MiB, not 256, and four callers of an allocation are noted: half of a run's time otherwise. */
const char *__asan_default_options(void);
const char *__asan_default_options(void)
{
	return "quarantine_size_mb=16:malloc_context_size=4";
}

static inline void need(int good)
{
	if (!good)
		abort();
}

/* The folder for seeds, or NULL: this is no run that writes them. */
static inline const char *fuzz_seeds_dir(void)
{
	return getenv("FUZZ_SEEDS");
}

static inline void fuzz_seed(const char *name, const void *p, size_t n)
{
	char path[1024];
	snprintf(path, sizeof path, "%s/%s", fuzz_seeds_dir(), name);
	FILE *f = fopen(path, "wb");
	need(f && fwrite(p, 1, n, f) == n && !fclose(f));
}

/* Each text as a seed, by number; PREFIX before the number. */
static inline void fuzz_seed_texts(const char *prefix, const char *const *text, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		char name[64];
		snprintf(name, sizeof name, "%s%zu", prefix, i);
		fuzz_seed(name, text[i], strlen(text[i]));
	}
}

/* A file in memory, the same one at each call. */
static inline int fuzz_fd(void)
{
	static int fd = -1;
	if (fd < 0)
		fd = memfd_create("fuzz", MFD_CLOEXEC);
	need(fd >= 0);
	return fd;
}

/* Its contents from now on, and its name. */
static inline void fuzz_file(const void *data, size_t size)
{
	need(!ftruncate(fuzz_fd(), 0) && pwrite(fuzz_fd(), data, size, 0) == (ssize_t)size);
}

static inline const char *fuzz_path(void)
{
	static char path[32];
	if (!*path)
		snprintf(path, sizeof path, "/proc/self/fd/%d", fuzz_fd());
	return path;
}

/* ---- mappings of the parsers, whose calls are linked to these ---- */

void *__real_mmap(void *at, size_t n, int protection, int flags, int fd, off_t offset);
int __real_munmap(void *p, size_t n);
void *__wrap_mmap(void *at, size_t n, int protection, int flags, int fd, off_t offset);
int __wrap_munmap(void *p, size_t n);

enum { FUZZ_MAPS = 16 };
static struct fuzz_map {
	void *p;
	size_t n;
} fuzz_map[FUZZ_MAPS];

void *__wrap_mmap(void *at, size_t n, int protection, int flags, int fd, off_t offset)
{
	void *p = __real_mmap(at, n, protection, flags, fd, offset);
	int i = 0;
	while (i < FUZZ_MAPS && fuzz_map[i].p)
		i++;
	need(i < FUZZ_MAPS); /* else mappings are left from run to run */
	if (p != MAP_FAILED)
		fuzz_map[i] = (struct fuzz_map){p, n};
	return p;
}

int __wrap_munmap(void *p, size_t n)
{
	for (int i = 0; i < FUZZ_MAPS; i++)
		if (fuzz_map[i].p == p)
			fuzz_map[i].p = NULL;
	return __real_munmap(p, n);
}

/* Unmaps what is left; how many there were. */
static inline int fuzz_unmap(void)
{
	int left = 0;
	for (int i = 0; i < FUZZ_MAPS; i++)
		if (fuzz_map[i].p)
			left++, __wrap_munmap(fuzz_map[i].p, fuzz_map[i].n);
	return left;
}

#endif
