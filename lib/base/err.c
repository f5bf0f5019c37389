#ifndef _GNU_SOURCE
#define _GNU_SOURCE /* vasprintf */
#endif
#include "lib/base/err.h"

#include <assert.h>
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum { HOOKS = 64, RAW = 4096, LINE = 1000 };

struct hook {
	void (*fn)(void *arg, const char *reason);
	void *arg;
};

static const char *program = "keypipe", *then; /* then NULL: a pipe to the program */
static char piped[64] = "| keypipe";
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER; /* guards all below */
static struct hook hooks[HOOKS];
static int nhooks;
static void (*instead)(const char *reason); /* NULL: reasons are printed, and warnings */
static int dying;
static pthread_t dying_thread; /* valid if dying */

void err_name(const char *name)
{
	program = name;
	snprintf(piped, sizeof piped, "| %s", name);
}

const char *err_program(void)
{
	return program;
}

void err_set_then(const char *text)
{
	then = text;
}

const char *err_then(void)
{
	return then ? then : piped;
}

/* Length in bytes of the printable UTF-8 character at s, or 0. U+0080 to U+009F are control characters. */
static int printable(const unsigned char *s)
{
	if (*s >= 0x20 && *s < 0x7f)
		return 1;
	int n = *s >= 0xc2 && *s < 0xe0 ? 2 : *s >= 0xe0 && *s < 0xf0 ? 3 : *s >= 0xf0 && *s < 0xf5 ? 4 : 0;
	for (int i = 1; i < n; i++)
		if ((s[i] & 0xc0) != 0x80)
			return 0;
	return n == 2 && s[0] == 0xc2 && s[1] < 0xa0 ? 0 : n;
}

/* Escapes control characters and invalid UTF-8, which values from files may hold: they would break the line or control the terminal.
 * to has 4 strlen(from) + 1 bytes. Returns the length. */
static size_t escape(char *to, const char *from)
{
	size_t n = 0;
	for (const unsigned char *s = (const unsigned char *)from; *s;) {
		int len = printable(s);
		if (len) {
			memcpy(to + n, s, (size_t)len);
			n += (size_t)len, s += len;
		} else {
			const char *plain = *s == '\n' ? "\\n" : *s == '\t' ? "\\t" : *s == '\r' ? "\\r" : NULL;
			n += (size_t)(plain ? sprintf(to + n, "%s", plain) : sprintf(to + n, "\\x%02x", *s));
			s++;
		}
	}
	to[n] = 0;
	return n;
}

/* The reason in at most LINE bytes. A longer one loses its middle: the value is at the beginning, what is wrong with it at the end. */
static void reason_text(char to[static LINE + 1], const char *fmt, va_list ap, const char *tail)
{
	char raw[RAW], all[4 * RAW + 1];
	int got = vsnprintf(raw, sizeof raw, fmt, ap);
	if (got < 0)
		raw[0] = 0;
	size_t tail_len = strlen(tail), len = strlen(raw);
	if (len + tail_len >= sizeof raw)
		len = sizeof raw - 1 - tail_len;
	memcpy(raw + len, tail, tail_len + 1);
	size_t n = escape(all, raw);
	if (n <= LINE) {
		memcpy(to, all, n + 1);
		return;
	}
	size_t head = 600, rest = LINE - head - 3;
	while (((unsigned char)all[head] & 0xc0) == 0x80) /* no UTF-8 character is split */
		head--;
	const char *end = all + n - rest;
	while (((unsigned char)*end & 0xc0) == 0x80)
		end++;
	memcpy(to, all, head);
	memcpy(to + head, "...", 3);
	strcpy(to + head + 3, end);
}

/* One write(2), so that lines of a pipeline's programs don't interleave. On a terminal it clears a progress bar first. */
static void print_line(const char *reason)
{
	char line[LINE + 512];
	int n = snprintf(line, sizeof line, "%s%.400s: %s\n", isatty(STDERR_FILENO) ? "\r\033[K" : "", program, reason);
	for (int at = 0; at < n;) {
		ssize_t r = write(STDERR_FILENO, line + at, (size_t)(n - at));
		if (r < 0 && errno == EINTR)
			continue;
		if (r <= 0)
			break;
		at += (int)r;
	}
}

/* Does not return where another thread is ending the process. */
static void lock_unless_ending(void)
{
	pthread_mutex_lock(&lock);
	while (dying && !pthread_equal(dying_thread, pthread_self())) {
		pthread_mutex_unlock(&lock);
		pause();
		pthread_mutex_lock(&lock);
	}
}

void err_unless_ending(void)
{
	lock_unless_ending();
	pthread_mutex_unlock(&lock);
}

NORETURN static void die_with(int status, const char *reason)
{
	lock_unless_ending();
	int again = dying;
	dying = 1;
	dying_thread = pthread_self();
	pthread_mutex_unlock(&lock);
	if (!again) { /* else a hook called die: only the first reason is printed, the remaining hooks still run */
		signal(SIGPIPE, SIG_IGN);
		if (instead)
			instead(reason);
		else
			print_line(reason);
	}
	for (;;) {
		pthread_mutex_lock(&lock);
		struct hook h = nhooks ? hooks[--nhooks] : (struct hook){0};
		pthread_mutex_unlock(&lock);
		if (!h.fn)
			break;
		h.fn(h.arg, reason);
	}
	_exit(status);
}

void die(const char *fmt, ...)
{
	char reason[LINE + 1];
	va_list ap;
	va_start(ap, fmt);
	reason_text(reason, fmt, ap, "");
	va_end(ap);
	die_with(1, reason);
}

void die_errno(const char *fmt, ...)
{
	char reason[LINE + 1], tail[256];
	snprintf(tail, sizeof tail, ": %s", strerror(errno));
	va_list ap;
	va_start(ap, fmt);
	reason_text(reason, fmt, ap, tail);
	va_end(ap);
	die_with(1, reason);
}

void die_usage(const char *fmt, ...)
{
	char reason[LINE + 1], tail[256];
	snprintf(tail, sizeof tail, "; try %.200s --help", program);
	va_list ap;
	va_start(ap, fmt);
	reason_text(reason, fmt, ap, tail);
	va_end(ap);
	die_with(2, reason);
}

void warn(const char *fmt, ...)
{
	char reason[LINE + 1];
	va_list ap;
	va_start(ap, fmt);
	reason_text(reason, fmt, ap, "");
	va_end(ap);
	if (!instead)
		print_line(reason);
}

void err_instead(void (*fn)(const char *reason))
{
	instead = fn;
}

void err_add_hook(void (*fn)(void *arg, const char *reason), void *arg)
{
	pthread_mutex_lock(&lock);
	assert(nhooks < HOOKS);
	hooks[nhooks++] = (struct hook){fn, arg};
	pthread_mutex_unlock(&lock);
}

void err_remove_hook(void *arg)
{
	pthread_mutex_lock(&lock);
	int n = 0;
	for (int i = 0; i < nhooks; i++)
		if (hooks[i].arg != arg)
			hooks[n++] = hooks[i];
	nhooks = n;
	pthread_mutex_unlock(&lock);
}

void *xmalloc(size_t n)
{
	void *p = malloc(n ? n : 1);
	if (!p)
		die("out of memory (%zu bytes)", n);
	return p;
}

void *xcalloc(size_t n, size_t size)
{
	if (size && n > SIZE_MAX / size)
		die("out of memory (%zu times %zu bytes)", n, size);
	void *p = calloc(n ? n : 1, size ? size : 1);
	if (!p)
		die("out of memory (%zu bytes)", n * size);
	return p;
}

void *xlarge(size_t n)
{
	enum { PAGE = 2 << 20 };
	void *p;
	if (n < PAGE)
		return xmalloc(n);
	if (posix_memalign(&p, PAGE, n))
		die("out of memory (%zu bytes)", n);
	madvise(p, n, MADV_HUGEPAGE); /* only a hint: failure is harmless */
	return p;
}

void *xrealloc(void *p, size_t n)
{
	p = realloc(p, n ? n : 1);
	if (!p)
		die("out of memory (%zu bytes)", n);
	return p;
}

char *xstrdup(const char *s)
{
	size_t n = strlen(s) + 1;
	return memcpy(xmalloc(n), s, n);
}

char *xprintf(const char *fmt, ...)
{
	char *s;
	va_list ap;
	va_start(ap, fmt);
	int n = vasprintf(&s, fmt, ap);
	va_end(ap);
	if (n < 0)
		die("out of memory");
	return s;
}
