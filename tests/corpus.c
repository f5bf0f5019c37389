/* Runs a fuzzer's target on files, without libFuzzer and its sanitizers: for the coverage of a parser, its memory and its slowest input.
 * Linked in libFuzzer's place. usage: FUZZER FILE... ; prints `INPUTS SLOWEST-MS SLOWEST-FILE PEAK-KIB`, of the processor's time. An input
 * of over 10 ms is timed three times, of which the least counts: the machine does other work. */
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <time.h>

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size);
int LLVMFuzzerInitialize(int *argc, char ***argv);
size_t LLVMFuzzerMutate(unsigned char *data, size_t size, size_t max);
int __sanitizer_install_malloc_and_free_hooks(void (*on_malloc)(const volatile void *, size_t), void (*on_free)(const volatile void *));

/* ---- what the sanitizers offer fuzz_die.h ---- */

static void (*malloc_hook)(const volatile void *, size_t);
static void (*free_hook)(const volatile void *);

int __sanitizer_install_malloc_and_free_hooks(void (*on_malloc)(const volatile void *, size_t), void (*on_free)(const volatile void *))
{
	malloc_hook = on_malloc, free_hook = on_free;
	return 1;
}

void *__libc_malloc(size_t n);
void *__libc_calloc(size_t n, size_t size);
void *__libc_realloc(void *p, size_t n);
void *__libc_memalign(size_t align, size_t n);
void __libc_free(void *p);

static void *noted(void *p, size_t n)
{
	if (malloc_hook)
		malloc_hook(p, n);
	return p;
}

void *malloc(size_t n)
{
	return noted(__libc_malloc(n), n);
}
void *calloc(size_t n, size_t size)
{
	return noted(__libc_calloc(n, size), n * size);
}
void *realloc(void *p, size_t n)
{
	if (free_hook)
		free_hook(p);
	return noted(__libc_realloc(p, n), n);
}
void free(void *p)
{
	if (free_hook)
		free_hook(p);
	__libc_free(p);
}
int posix_memalign(void **p, size_t align, size_t n)
{
	*p = noted(__libc_memalign(align, n), n);
	return !*p;
}

/* Of a custom mutator, which nobody calls here. */
size_t LLVMFuzzerMutate(unsigned char *data, size_t size, size_t max)
{
	(void)data, (void)max;
	return size;
}

/* ---- one file after the other ---- */

static unsigned char *slurp(const char *path, size_t *n)
{
	FILE *f = fopen(path, "rb");
	if (!f || fseek(f, 0, SEEK_END))
		abort();
	*n = (size_t)ftell(f);
	unsigned char *p = malloc(*n + 1);
	rewind(f);
	if (!p || fread(p, 1, *n, f) != *n || fclose(f))
		abort();
	return p;
}

static double run(const unsigned char *data, size_t n)
{
	struct timespec a, b;
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &a);
	LLVMFuzzerTestOneInput(data, n);
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &b);
	return 1e3 * (double)(b.tv_sec - a.tv_sec) + 1e-6 * (double)(b.tv_nsec - a.tv_nsec);
}

int main(int argc, char **argv)
{
	double slowest = 0;
	const char *which = "-";
	struct rusage u;
	LLVMFuzzerInitialize(&argc, &argv);
	for (int i = 1; i < argc; i++) {
		size_t n;
		unsigned char *data = slurp(argv[i], &n);
		double ms = run(data, n);
		for (int k = 0; k < 2 && ms > 10; k++) {
			double again = run(data, n);
			ms = again < ms ? again : ms;
		}
		if (ms > slowest)
			slowest = ms, which = argv[i];
		free(data);
	}
	getrusage(RUSAGE_SELF, &u);
	printf("%d %.1f %s %ld\n", argc - 1, slowest, which, u.ru_maxrss);
	return 0;
}
