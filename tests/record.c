/* Preloaded into programs by t_durable.sh: appends to the file $RECORD what they do that must be in order, a line each: `write FILE`,
 * `sync FILE` (of a folder too), `rename FROM TO`; names are absolute. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
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
		close(fd);
}

static void note(const char *what, const char *name, const char *to)
{
	char line[9000];
	int err = errno, n = snprintf(line, sizeof line, "%s\t%s%s%s\n", what, name, *to ? "\t" : "", to);
	const char *record = getenv("RECORD");
	int fd = record ? (int)syscall(SYS_openat, AT_FDCWD, record, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0666) : -1;
	if (fd < 0 || syscall(SYS_write, fd, line, n) != n)
		abort();
	close(fd);
	errno = err;
}

static void note_fd(const char *what, int fd)
{
	char name[4096];
	name_of(fd, name);
	if (name[0] == '/') /* not a pipe */
		note(what, name, "");
}

ssize_t write(int fd, const void *data, size_t n)
{
	note_fd("write", fd);
	return syscall(SYS_write, fd, data, n);
}

int fsync(int fd)
{
	note_fd("sync", fd);
	return (int)syscall(SYS_fsync, fd);
}

int fdatasync(int fd)
{
	note_fd("sync", fd);
	return (int)syscall(SYS_fdatasync, fd);
}

int rename(const char *from, const char *to)
{
	char was[4096], is[4096];
	name_at(from, was);
	int status = (int)syscall(SYS_renameat2, AT_FDCWD, from, AT_FDCWD, to, 0);
	name_at(to, is);
	note("rename", was, is);
	return status;
}
