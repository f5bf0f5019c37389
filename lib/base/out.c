#ifndef _GNU_SOURCE
#define _GNU_SOURCE /* vasprintf, O_NOFOLLOW, F_DUPFD_CLOEXEC */
#endif
#include "lib/base/out.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/base/temp_files.h"

enum { BUF = 256 << 10 };

struct out {
	char *name;   /* as the caller gave it */
	char *target; /* final name; NULL: written directly */
	char *temp;
	char *dir; /* the folder of target, open as dir_fd where it can be, from out_sync on */
	int fd, dir_fd, slot;
	size_t n; /* bytes in buf */
	unsigned char buf[BUF];
};

static struct out *held; /* opened by out_hold, until out_open takes it */
static int nothing;	 /* 1: all goes to /dev/null */

/* A descriptor above 2: where 0 to 2 are closed no file must get their number, or messages would be written into it. */
static int open_high(const char *path, int flags, mode_t mode)
{
	int fd = open(path, flags | O_CLOEXEC, mode);
	if (fd < 0 || fd > 2)
		return fd;
	int high = fcntl(fd, F_DUPFD_CLOEXEC, 3);
	int err = errno;
	close(fd);
	errno = err;
	return high;
}

/* path with symbolic links of its last component followed, whether the file exists or not; the caller frees. */
static char *resolve(const char *path)
{
	char *at = xstrdup(path), link[4096];
	for (int hops = 0; hops < 40; hops++) {
		ssize_t n = readlink(at, link, sizeof link - 1);
		if (n < 0)
			return at;
		link[n] = 0;
		char *slash = strrchr(at, '/');
		int dir = slash && link[0] != '/' ? (int)(slash - at) + 1 : 0;
		char *next = xprintf("%.*s%s", dir, at, link);
		free(at);
		at = next;
	}
	errno = ELOOP;
	die_errno("%s", path);
}

/* ".NAME.tmp" in target's directory; the caller frees. */
static char *temp_name(const char *target)
{
	const char *slash = strrchr(target, '/');
	const char *base = slash ? slash + 1 : target;
	return xprintf("%.*s.%s.tmp", (int)(base - target), target, base);
}

/* Waits for a fifth of a second: a run that was just killed may not be gone yet. */
static int lock_soon(int fd)
{
	int rc = flock(fd, LOCK_EX | LOCK_NB);
	for (int i = 0; i < 10 && rc && errno == EWOULDBLOCK; i++) {
		usleep(20000);
		rc = flock(fd, LOCK_EX | LOCK_NB);
	}
	return rc;
}

/* Opens and locks the temporary file. If its owner renamed or removed it between open and lock, the name is opened again. */
static int open_temp(const char *temp, const char *name)
{
	for (int tries = 0; tries < 100; tries++) {
		struct stat by_fd, by_name;
		int fd = open_high(temp, O_RDWR | O_CREAT | O_NOFOLLOW, 0666);
		if (fd < 0 && errno == ENOENT)
			die("%s: %s: its folder is not there", name, strerror(errno));
		if (fd < 0 || fstat(fd, &by_fd))
			die_errno("%s", name);
		if (!S_ISREG(by_fd.st_mode))
			die("%s: %s is not a regular file", name, temp);
		if (lock_soon(fd)) {
			if (errno == EWOULDBLOCK)
				die("%s: another run is writing it (%s is locked)", name, temp);
			if (errno != ENOLCK && errno != ENOSYS && errno != EOPNOTSUPP)
				die_errno("%s: %s: lock", name, temp);
		}
		if (!lstat(temp, &by_name) && by_name.st_ino == by_fd.st_ino && by_name.st_dev == by_fd.st_dev) {
			if (by_fd.st_nlink != 1)
				die("%s: %s has a second name", name, temp);
			return fd;
		}
		close(fd);
	}
	die("%s: others are writing it again and again", name);
}

/* The mode of the replaced file, or a new file's by umask: a stale temporary file may have any. */
static void set_mode(int fd, const struct stat *old, const char *name)
{
	mode_t mask = umask(0);
	umask(mask);
	mode_t mode = old ? old->st_mode & 0777 : 0666 & ~mask;
	if (fchmod(fd, mode) && errno != EPERM && errno != ENOTSUP)
		die_errno("%s", name);
}

static void out_free(struct out *o)
{
	if (o->dir_fd >= 0)
		close(o->dir_fd);
	free(o->dir);
	free(o->temp);
	free(o->target);
	free(o->name);
	free(o);
}

/* temp is the temporary file that this process, no parent of it, holds. */
static int is_held(const char *temp, const char *name)
{
	struct stat a, b;
	if (!held || !temp_files_mine())
		return 0;
	int there = !lstat(temp, &b);
	if (!there && errno == ENOENT)
		return 0;
	if (!there || fstat(held->fd, &a))
		die_errno("%s", there ? held->name : name);
	return a.st_dev == b.st_dev && a.st_ino == b.st_ino;
}

/* A pipe or a device, whose name is all that says what it is. */
static int is_held_device(const char *path)
{
	return held && !held->target && path && !strcmp(path, held->name);
}

struct out *out_open(const char *path, int binary)
{
	if (is_held_device(path)) {
		struct out *mine = held;
		held = NULL;
		if (binary && isatty(mine->fd))
			die_usage("%s: binary is not written to a terminal", mine->name);
		return mine;
	}
	struct out *o = xmalloc(sizeof *o);
	struct stat old, resolved;
	int is_stdout = nothing || !path || !strcmp(path, "-") || !strcmp(path, "/dev/stdout");
	o->name = xstrdup(is_stdout ? "stdout" : path);
	o->target = o->temp = o->dir = NULL;
	o->fd = STDOUT_FILENO;
	o->dir_fd = o->slot = -1;
	o->n = 0;
	int exists = !is_stdout && !stat(path, &old);
	if (!is_stdout && !exists && errno != ENOENT)
		die_errno("%s", path);
	if (exists && S_ISDIR(old.st_mode)) {
		errno = EISDIR;
		die_errno("%s", path);
	}
	if (exists && !S_ISREG(old.st_mode)) {
		o->fd = open_high(path, O_WRONLY | O_NOCTTY, 0);
		if (o->fd < 0)
			die_errno("%s", path);
	}
	if (is_stdout || (exists && !S_ISREG(old.st_mode))) {
		if (binary && isatty(o->fd))
			die_usage("%s: binary is not written to a terminal", o->name);
		return o;
	}
	/* rename needs write permission for the directory only; a read-only file is refused all the same. */
	if (exists && access(path, W_OK))
		die_errno("%s", path);
	o->target = resolve(path);
	size_t len = strlen(o->target);
	if (!len || o->target[len - 1] == '/')
		die("'%s': is not the name of a file", path);
	/* /proc's links to removed files resolve to other files' names. */
	int found = exists && !stat(o->target, &resolved);
	if (exists && !found && errno != ENOENT)
		die_errno("%s", path);
	if (exists && (!found || resolved.st_ino != old.st_ino || resolved.st_dev != old.st_dev))
		die("%s: its name can't be found", path);
	o->temp = temp_name(o->target);
	if (is_held(o->temp, o->name)) {
		struct out *mine = held;
		held = NULL;
		out_free(o);
		return mine;
	}
	sigset_t old_mask;
	temp_files_block_signals(&old_mask);
	o->fd = open_temp(o->temp, o->name);
	o->slot = temp_files_add(o->temp, o->name);
	temp_files_restore_signals(&old_mask);
	if (ftruncate(o->fd, 0))
		die_errno("%s", o->name);
	set_mode(o->fd, exists ? &old : NULL, o->name);
	return o;
}

/* Stdout, a pipe or a device. */
static int is_special(const char *path)
{
	struct stat st;
	return !path || !strcmp(path, "-") || (!stat(path, &st) && !S_ISREG(st.st_mode) && !S_ISDIR(st.st_mode));
}

void out_check(const char *path, int binary)
{
	if (!path || nothing)
		return;
	if (!is_special(path))
		out_abandon(out_open(path, binary));
	else if (binary && isatty(STDOUT_FILENO) && !strcmp(path, "-"))
		die_usage("stdout: binary is not written to a terminal");
}

const char *out_hold(const char *path)
{
	if (!held && !nothing && path && strcmp(path, "-"))
		held = out_open(path, 0);
	if (held && held->fd == STDOUT_FILENO) /* by another name */
		out_abandon(held), held = NULL;
	return held ? held->target : NULL;
}

const char *out_name(const struct out *o)
{
	return o->name;
}

static void write_all(struct out *o, const unsigned char *data, size_t n)
{
	while (n) {
		ssize_t r = write(o->fd, data, n);
		if (r < 0 && errno == EAGAIN) {
			struct pollfd p = {.fd = o->fd, .events = POLLOUT};
			poll(&p, 1, -1);
		} else if (r < 0 && errno != EINTR) {
			die_errno("%s", o->name);
		} else if (r == 0) {
			die("%s: nothing could be written", o->name);
		} else if (r > 0) {
			data += r, n -= (size_t)r;
		}
	}
}

void out_flush(struct out *o)
{
	write_all(o, o->buf, o->n);
	o->n = 0;
}

void out_write(struct out *o, const void *data, size_t n)
{
	if (n > BUF - o->n)
		out_flush(o);
	if (n >= BUF) {
		write_all(o, data, n);
	} else if (n) {
		memcpy(o->buf + o->n, data, n);
		o->n += n;
	}
}

void out_printf(struct out *o, const char *fmt, ...)
{
	char small[1024], *text = small;
	va_list ap;
	va_start(ap, fmt);
	int n = vsnprintf(small, sizeof small, fmt, ap);
	va_end(ap);
	if (n >= (int)sizeof small) {
		va_start(ap, fmt);
		n = vasprintf(&text, fmt, ap);
		va_end(ap);
	}
	if (n < 0)
		die_errno("%s", o->name);
	out_write(o, text, (size_t)n);
	if (text != small)
		free(text);
}

/* Before the rename, so that after it nothing but the folder's fsync can fail. A folder may be writable but not readable. */
static void open_dir(struct out *o)
{
	const char *slash = strrchr(o->target, '/');
	o->dir = slash ? xprintf("%.*s", (int)(slash - o->target) + 1, o->target) : xstrdup(".");
	o->dir_fd = open_high(o->dir, O_RDONLY | O_DIRECTORY, 0);
	if (o->dir_fd < 0 && errno != EACCES)
		die_errno("%s", o->dir);
}

void out_sync(struct out *o)
{
	out_flush(o);
	if (o->target && fsync(o->fd))
		die_errno("%s", o->name);
	if (o->target && !o->dir)
		open_dir(o);
}

void out_close(struct out *o)
{
	err_unless_ending(); /* what another thread's end cut short, as a sum over ranks, may be in it */
	out_sync(o);
	if (o->target) {
		sigset_t old_mask;
		temp_files_block_signals(&old_mask);
		if (rename(o->temp, o->target))
			die_errno("%s", o->name);
		temp_files_remove(o->slot);
		temp_files_restore_signals(&old_mask);
		/* Some file systems can't fsync a folder: the file itself is synced by then. */
		if (o->dir_fd >= 0 && fsync(o->dir_fd) && errno != EINVAL && errno != ENOTSUP)
			die_errno("%s", o->dir);
	}
	/* After the rename, since closing releases the lock. stdout is closed by finish. */
	if (o->fd != STDOUT_FILENO && close(o->fd) && errno != EINTR)
		die_errno("%s", o->name);
	out_free(o);
}

void out_abandon(struct out *o)
{
	if (o->target) {
		sigset_t old_mask;
		temp_files_block_signals(&old_mask);
		unlink(o->temp);
		temp_files_remove(o->slot);
		temp_files_restore_signals(&old_mask);
	}
	if (o->fd != STDOUT_FILENO)
		close(o->fd);
	out_free(o);
}

void out_interrupted(const char *line)
{
	temp_files_interrupted(line);
}

const char *out_interruption(void)
{
	return temp_files_interruption();
}

void out_nothing(void)
{
	int fd = open("/dev/null", O_WRONLY | O_CLOEXEC);
	if (fd < 0 || dup2(fd, STDOUT_FILENO) < 0)
		die_errno("/dev/null");
	close(fd), nothing = 1;
}

int finish(void)
{
	int bad = ferror(stdout);
	if (held && temp_files_mine())
		out_abandon(held), held = NULL;
	errno = 0;
	if (fflush(stdout) || bad)
		die("stdout: %s", strerror(errno ? errno : EIO));
	/* Closing reports what a network file system deferred. A stdout that was closed from the start and never used is no error. */
	if (fclose(stdout) && errno != EBADF)
		die_errno("stdout");
	return 0;
}
