/* Preloaded into programs by t_durable.sh: appends to the file $RECORD what they do that must be in order, a line each, fields by tabs:
 * `open FILE INODE` of a file that may be made, `write FILE INODE OFFSET BYTES`, `truncate FILE INODE BYTES`, `sync FILE INODE` (of a
 * folder too), `rename FROM TO`, `unlink FILE`; names are absolute. $RECORD.data has the bytes of the writes, one after the other. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <stdarg.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

static void name_of(int fd, char name[4096])
{
	char link[64];
	snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
	ssize_t n = readlink(link, name, 4095);
	name[n < 0 ? 0 : n] = 0;
}

static void name_at(const char *path, char name[4096])
{
	int fd = (int)syscall(SYS_openat, AT_FDCWD, path, O_PATH | O_CLOEXEC | O_NOFOLLOW);
	name_of(fd, name);
	if (fd >= 0)
		syscall(SYS_close, fd);
}

enum { LINES, DATA, FIRST_FD = 200 };
static int files[2];

/* At the start: later a program may have given up to open files. Numbers that it will not use. */
__attribute__((constructor)) static void begin(void)
{
	const char *record = getenv("RECORD");
	for (int i = LINES; record && i <= DATA; i++) {
		char file[4200];
		snprintf(file, sizeof file, "%s%s", record, i == DATA ? ".data" : "");
		int fd = (int)syscall(SYS_openat, AT_FDCWD, file, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0666);
		files[i] = fcntl(fd, F_DUPFD_CLOEXEC, FIRST_FD);
		syscall(SYS_close, fd);
	}
}

static void append(int file, const void *data, size_t n)
{
	if (files[file] < FIRST_FD || syscall(SYS_write, files[file], data, n) != (long)n)
		abort();
}

static void note(const char *fmt, ...)
{
	char line[9000];
	int err = errno;
	va_list ap;
	va_start(ap, fmt);
	int n = vsnprintf(line, sizeof line, fmt, ap);
	va_end(ap);
	append(LINES, line, (size_t)n);
	errno = err;
}

/* 1 for a file, not a pipe; its name and number. */
static int is_file(int fd, char name[4096], unsigned long *inode)
{
	struct stat st;
	name_of(fd, name);
	*inode = fstat(fd, &st) ? 0 : st.st_ino;
	return name[0] == '/';
}

int open(const char *path, int flags, ...)
{
	char name[4096];
	unsigned long inode;
	va_list ap;
	va_start(ap, flags);
	int mode = flags & (O_CREAT | O_TMPFILE) ? va_arg(ap, int) : 0;
	va_end(ap);
	int fd = (int)syscall(SYS_openat, AT_FDCWD, path, flags, mode);
	if (fd >= 0 && flags & O_CREAT && is_file(fd, name, &inode))
		note("open\t%s\t%lu\n", name, inode);
	return fd;
}

ssize_t write(int fd, const void *data, size_t n)
{
	char name[4096];
	unsigned long inode;
	int is = is_file(fd, name, &inode);
	long at = is ? lseek(fd, 0, fcntl(fd, F_GETFL) & O_APPEND ? SEEK_END : SEEK_CUR) : 0;
	ssize_t r = syscall(SYS_write, fd, data, n);
	if (is && r > 0) {
		note("write\t%s\t%lu\t%ld\t%zd\n", name, inode, at < 0 ? 0 : at, r);
		append(DATA, data, (size_t)r);
	}
	return r;
}

int ftruncate(int fd, off_t n)
{
	char name[4096];
	unsigned long inode;
	if (is_file(fd, name, &inode))
		note("truncate\t%s\t%lu\t%ld\n", name, inode, (long)n);
	return (int)syscall(SYS_ftruncate, fd, n);
}

static void note_sync(int fd)
{
	char name[4096];
	unsigned long inode;
	if (is_file(fd, name, &inode))
		note("sync\t%s\t%lu\n", name, inode);
}

int fsync(int fd)
{
	int status = (int)syscall(SYS_fsync, fd);
	note_sync(fd);
	return status;
}

int fdatasync(int fd)
{
	int status = (int)syscall(SYS_fdatasync, fd);
	note_sync(fd);
	return status;
}

int unlink(const char *path)
{
	char name[4096];
	name_at(path, name);
	if (*name == '/')
		note("unlink\t%s\n", name);
	return (int)syscall(SYS_unlinkat, AT_FDCWD, path, 0);
}

int rename(const char *from, const char *to)
{
	char was[4096], is[4096];
	name_at(from, was);
	int status = (int)syscall(SYS_renameat2, AT_FDCWD, from, AT_FDCWD, to, 0);
	name_at(to, is);
	note("rename\t%s\t%s\n", was, is);
	return status;
}
