#ifndef _GNU_SOURCE
#define _GNU_SOURCE /* vasprintf */
#endif
#include "lib/base/log.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "lib/base/err.h"
#include "lib/base/num.h"
#include "lib/base/opt.h"

static double began;

double log_seconds(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* Wall time counts from the start of the program, before main. */
__attribute__((constructor)) static void begin(void)
{
	began = log_seconds();
}

/* ---- progress ---- */

void progress_begin(struct progress *p, const char *unit, int quiet)
{
	*p = (struct progress){.unit = unit, .quiet = quiet, .tty = !quiet && isatty(STDERR_FILENO)};
	p->start = p->last = log_seconds();
}

void progress_tick(struct progress *p, uint64_t done, uint64_t total)
{
	if (!p->tty)
		return;
	double now = log_seconds();
	if (now - p->last < 0.1 || (p->shown && done == p->last_done))
		return;
	double rate = (double)done / (now - p->start);
	char text[160], bar[21] = "....................";
	if (total) {
		double part = done < total ? (double)done / (double)total : 1;
		memset(bar, '#', (size_t)(20 * part));
		uint64_t left = done < total && rate > 0 ? (uint64_t)((double)(total - done) / rate + 0.5) : 0;
		snprintf(text, sizeof text, "%s %3.0f%%  %llu of %llu %s, %.*f/s, %llu:%02llu left", bar, 100 * part,
			(unsigned long long)done, (unsigned long long)total, p->unit, rate < 10, rate, (unsigned long long)(left / 60),
			(unsigned long long)(left % 60));
	} else {
		snprintf(text, sizeof text, "%llu %s, %.*f/s", (unsigned long long)done, p->unit, rate < 10, rate);
	}
	fprintf(stderr, "\r%.79s\033[K", text); /* 79: a line that wraps can't be overwritten */
	fflush(stderr);
	p->last = now;
	p->last_done = done;
	p->shown = 1;
}

void progress_line(struct progress *p, const char *fmt, ...)
{
	va_list ap;
	if (p->quiet)
		return;
	progress_end(p);
	char text[512];
	va_start(ap, fmt);
	vsnprintf(text, sizeof text, fmt, ap);
	va_end(ap);
	fprintf(stderr, "%s: %s\n", err_program(), text);
}

void progress_end(struct progress *p)
{
	if (p->shown)
		fputs("\r\033[K", stderr);
	p->shown = 0;
}

/* Peak resident memory in KiB: VmHWM, else getrusage's, which includes what the shell held before exec. */
static long peak_kib(void)
{
	char s[256];
	long kib = 0;
	FILE *f = fopen("/proc/self/status", "r");
	while (f && fgets(s, sizeof s, f))
		if (sscanf(s, "VmHWM: %ld", &kib) == 1)
			break;
	if (f)
		fclose(f);
	struct rusage r;
	return kib || getrusage(RUSAGE_SELF, &r) ? kib : r.ru_maxrss;
}

void log_provenance(int quiet)
{
	if (!quiet)
		fprintf(stderr, "%s %s, %.2f s, %ld MiB\n", err_program(), KEYPIPE_VERSION, log_seconds() - began,
			(peak_kib() + 1023) / 1024);
}

/* ---- the TSV log ---- */

struct tlog {
	char *path;
	int fd;
};

static void write_all(struct tlog *l, const char *s, size_t n)
{
	while (n) {
		ssize_t r = write(l->fd, s, n);
		if (r < 0 && errno != EINTR)
			die_errno("%s", l->path);
		if (r > 0)
			s += r, n -= (size_t)r;
	}
}

/* Length in bytes of the part to keep: the header, and whole lines up to the first one later than keep. 0: the file is empty. */
static off_t kept_length(FILE *f, const char *path, const char *columns, uint64_t keep)
{
	char *s = NULL;
	size_t size = 0;
	off_t end = 0;
	for (ssize_t n; (n = getline(&s, &size, f)) > 0 && s[n - 1] == '\n'; end += n) {
		uint64_t first;
		s[n - 1] = 0;
		if (!end) {
			if (strcmp(s, columns))
				die("%s: its columns are not this run's", path);
			continue;
		}
		s[strcspn(s, "\t")] = 0;
		if (!num_uint(s, &first) || first > keep)
			break;
	}
	if (ferror(f))
		die_errno("%s", path);
	free(s);
	return end;
}

/* Ends the program where the file is there and is no log: it begins with another column. */
static void check_log(const char *path, const char *columns)
{
	char first[64] = "";
	size_t n = strcspn(columns, "\t") + 1;
	FILE *f = fopen(path, "re");
	if (!f)
		die_errno("%s", path);
	size_t got = fread(first, 1, n < sizeof first ? n : sizeof first, f);
	if (ferror(f)) /* what can't be read may be no log */
		die_errno("%s", path);
	fclose(f);
	if (got && (got < n || memcmp(first, columns, n)))
		die("%s: is no log, so it is not written over", path);
}

struct tlog *tlog_open(const char *path, const char *columns, uint64_t keep)
{
	if (!path)
		return NULL;
	struct tlog *l = xmalloc(sizeof *l);
	struct stat st;
	int special = !stat(path, &st) && !S_ISREG(st.st_mode);
	off_t end = 0;
	l->path = xstrdup(path);
	l->fd = open(path, O_WRONLY | O_APPEND | O_CLOEXEC | O_NOCTTY | (special ? 0 : O_CREAT), 0666);
	if (l->fd < 0)
		die_errno("%s", path);
	if (!special) {
		if (flock(l->fd, LOCK_EX | LOCK_NB) && errno != ENOLCK && errno != ENOSYS && errno != EOPNOTSUPP) {
			if (errno == EWOULDBLOCK)
				die("%s: another run is writing it", path);
			die_errno("%s: lock", path);
		}
		check_log(path, columns);
		FILE *f = keep ? fopen(path, "re") : NULL;
		if (keep && !f)
			die_errno("%s", path);
		if (f) {
			end = kept_length(f, path, columns, keep);
			fclose(f);
		}
		if (ftruncate(l->fd, end))
			die_errno("%s", path);
	}
	if (!end)
		tlog_line(l, "%s", columns);
	return l;
}

void tlog_line(struct tlog *l, const char *fmt, ...)
{
	if (!l)
		return;
	char *s;
	va_list ap;
	va_start(ap, fmt);
	int n = vasprintf(&s, fmt, ap);
	va_end(ap);
	if (n < 0)
		die("out of memory");
	s[n] = '\n'; /* overwrites the terminating zero, so that one write has the whole line */
	write_all(l, s, (size_t)n + 1);
	free(s);
}

void tlog_close(struct tlog *l)
{
	if (!l)
		return;
	if (close(l->fd) && errno != EINTR)
		die_errno("%s", l->path);
	free(l->path);
	free(l);
}
