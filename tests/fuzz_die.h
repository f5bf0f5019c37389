/* In the place of lib/base/err.c, for parsers that end the program: die comes back to fuzz_died, and what the parser left, memory,
 * mappings and descriptors, is freed, so that a run begins as the one before it did. Memory is what was allocated in the run and not freed
 * in it, by the thread that runs: each free is noted, since the address may have another owner later. A parser that comes back by itself
 * must have closed its descriptors and mappings; its memory is the leak detector's. Two things must not be open in a run: a stream of stdio
 * where the parser dies, since libc keeps a list of them; and what libFuzzer itself opens in the midst, the pipes to the symbolizer that
 * names new functions
 * (-print_funcs=0), since descriptors above those of the first run are closed. */
#ifndef FUZZ_DIE_H
#define FUZZ_DIE_H

#include <setjmp.h>
#include <stdarg.h>

#include "lib/base/err.h"
#include "tests/fuzz.h"

/* The sanitizers'; of a build without them tests/corpus.c's. */
int __sanitizer_install_malloc_and_free_hooks(void (*on_malloc)(const volatile void *, size_t), void (*on_free)(const volatile void *));

enum { FUZZ_BUCKETS = 4096 };
static struct fuzz_block {
	void *p; /* NULL: freed */
	unsigned next;
} * fuzz_block;
static unsigned fuzz_bucket[FUZZ_BUCKETS], fuzz_blocks, fuzz_room; /* 0 ends a bucket: blocks count from 1 */
static _Thread_local int fuzz_running;
static jmp_buf fuzz_back;
static char fuzz_why[4096]; /* what die said */
static const char *fuzz_name = "fuzz";

static unsigned *fuzz_bucket_of(const volatile void *p)
{
	return &fuzz_bucket[(uintptr_t)p / 16 % FUZZ_BUCKETS];
}

static void fuzz_on_malloc(const volatile void *p, size_t n)
{
	(void)n;
	if (!fuzz_running || !p)
		return;
	if (fuzz_blocks + 1 >= fuzz_room) { /* not by malloc, in which we are */
		size_t old = fuzz_room * sizeof *fuzz_block, bytes = old ? 2 * old : 1 << 20;
		void *m = old ? mremap(fuzz_block, old, bytes, MREMAP_MAYMOVE)
			      : __real_mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		need(m != MAP_FAILED);
		fuzz_block = m, fuzz_room = (unsigned)(bytes / sizeof *fuzz_block);
	}
	unsigned *first = fuzz_bucket_of(p);
	fuzz_block[++fuzz_blocks] = (struct fuzz_block){(void *)(uintptr_t)p, *first};
	*first = fuzz_blocks;
}

static void fuzz_on_free(const volatile void *p)
{
	if (!fuzz_running || !p)
		return;
	for (unsigned i = *fuzz_bucket_of(p); i; i = fuzz_block[i].next)
		if (fuzz_block[i].p == p) {
			fuzz_block[i].p = NULL;
			return;
		}
}

/* Forgets the run's blocks, or frees those that are left. */
static void fuzz_forget(int and_free)
{
	fuzz_running = 0;
	for (unsigned i = 1; and_free && i <= fuzz_blocks; i++)
		free(fuzz_block[i].p);
	if (fuzz_blocks)
		memset(fuzz_bucket, 0, sizeof fuzz_bucket);
	fuzz_blocks = 0;
}

/* The first descriptor that a run gets: those below are all taken. */
static int fuzz_first_fd(void)
{
	int top = 2;
	for (int fd = 3; fd < 1024; fd++)
		top = fcntl(fd, F_GETFD) >= 0 ? fd : top;
	for (int fd = 3; fd < top; fd++)
		if (fcntl(fd, F_GETFD) < 0)
			need(dup2(2, fd) == fd);
	return top + 1;
}

/* 1: run ended the program, fuzz_why has its words. */
static int fuzz_died(void (*run)(void *arg), void *arg)
{
	static int first_fd;
	if (!first_fd) { /* at the first run: what libFuzzer and the fuzzer keep open is open by now */
		need(__sanitizer_install_malloc_and_free_hooks(fuzz_on_malloc, fuzz_on_free));
		(void)fuzz_fd();
		first_fd = fuzz_first_fd();
	}
	*fuzz_why = 0;
	int died = setjmp(fuzz_back);
	if (!died) {
		fuzz_running = 1;
		run(arg);
	}
	fuzz_forget(died);
	int maps = fuzz_unmap();
	if (died) {
		closefrom(first_fd);
		need(*fuzz_why); /* it has a reason */
		return 1;
	}
	int fd = dup(2);
	need(fd == first_fd && !close(fd)); /* else one is open that was not before */
	need(!maps);
	return 0;
}

NORETURN static void fuzz_end(const char *fmt, va_list ap)
{
	vsnprintf(fuzz_why, sizeof fuzz_why, fmt, ap);
	need(fuzz_running);
	longjmp(fuzz_back, 1);
}

#define FUZZ_END(name)                                                                                                                     \
	void name(const char *fmt, ...)                                                                                                    \
	{                                                                                                                                  \
		va_list ap;                                                                                                                \
		va_start(ap, fmt);                                                                                                         \
		fuzz_end(fmt, ap);                                                                                                         \
	}
FUZZ_END(die)
FUZZ_END(die_errno)
FUZZ_END(die_usage)

void warn(const char *fmt, ...)
{
	char text[4096];
	va_list ap;
	va_start(ap, fmt);
	need(vsnprintf(text, sizeof text, fmt, ap) > 0);
	va_end(ap);
}

void err_name(const char *program)
{
	fuzz_name = program;
}
const char *err_program(void)
{
	return fuzz_name;
}
void err_set_then(const char *then)
{
	(void)then;
}
const char *err_then(void)
{
	return "| fuzz";
}
void err_add_hook(void (*fn)(void *arg, const char *reason), void *arg)
{
	(void)fn, (void)arg;
}
void err_remove_hook(void *arg)
{
	(void)arg;
}
void err_instead(void (*fn)(const char *reason))
{
	(void)fn;
}
void err_unless_ending(void)
{
}

static void *fuzz_sure(void *p)
{
	need(p != NULL);
	return p;
}
void *xmalloc(size_t n)
{
	return fuzz_sure(malloc(n ? n : 1));
}
void *xlarge(size_t n)
{
	return xmalloc(n);
}
void *xcalloc(size_t n, size_t size)
{
	return fuzz_sure(calloc(n ? n : 1, size ? size : 1));
}
void *xrealloc(void *p, size_t n)
{
	return fuzz_sure(realloc(p, n ? n : 1));
}
char *xstrdup(const char *s)
{
	return fuzz_sure(strdup(s));
}
char *xprintf(const char *fmt, ...)
{
	char *s;
	va_list ap;
	va_start(ap, fmt);
	need(vasprintf(&s, fmt, ap) >= 0);
	va_end(ap);
	return s;
}

#endif
