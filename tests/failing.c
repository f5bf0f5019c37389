/* Preloaded into programs by t_durable.sh: of the calls that FAIL names, on files in the folder $FAIL_IN, one fails. FAIL=CALL:NTH:ERRNO,
 * of `open`, `read`, `write`, `lseek`, `mmap`, `fsync`, `ftruncate`, `fchmod`, `flock`, `close`, `rename`, and of stdio `fopen`, `fread`,
 * `fwrite`; ERRNO 0 is a call that moves no byte. The file $FAILED is made where it came to that. */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

/* path may have links and need not be there: what counts is the folder that holds it, or itself where it is one. */
static int is_in(const char *path)
{
	const char *folder = getenv("FAIL_IN");
	size_t n = folder ? strlen(folder) : 0;
	return n && !strncmp(path, folder, n) && (!path[n] || path[n] == '/');
}

static int is_in_at(const char *path)
{
	char whole[8192];
	if (*path == '/')
		return is_in(path);
	if (syscall(SYS_getcwd, whole, 4096) < 0)
		return 0;
	size_t n = strlen(whole);
	snprintf(whole + n, sizeof whole - n, "%s%s", strcmp(path, ".") ? "/" : "", strcmp(path, ".") ? path : "");
	return is_in(whole);
}

static int is_in_fd(int fd)
{
	char link[64], name[4096];
	snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
	ssize_t n = readlink(link, name, sizeof name - 1);
	name[n < 0 ? 0 : n] = 0;
	return is_in(name);
}

/* 1, and errno, where this call on such a file is the one to fail. */
static int fails(const char *call, int in)
{
	static int calls;
	const char *fail = getenv("FAIL"), *made = getenv("FAILED");
	size_t n = strlen(call);
	int nth, err;
	if (!in || !fail || strncmp(fail, call, n) || sscanf(fail + n, ":%d:%d", &nth, &err) != 2 ||
		__atomic_add_fetch(&calls, 1, __ATOMIC_SEQ_CST) != nth)
		return 0;
	int fd = made ? (int)syscall(SYS_openat, AT_FDCWD, made, O_WRONLY | O_CREAT | O_CLOEXEC, 0666) : -1;
	if (fd < 0)
		abort();
	syscall(SYS_close, fd);
	errno = err;
	return 1;
}

int open(const char *path, int flags, ...)
{
	va_list ap;
	va_start(ap, flags);
	int mode = flags & (O_CREAT | O_TMPFILE) ? va_arg(ap, int) : 0;
	va_end(ap);
	return fails("open", is_in_at(path)) ? -1 : (int)syscall(SYS_openat, AT_FDCWD, path, flags, mode);
}

ssize_t read(int fd, void *data, size_t n)
{
	return fails("read", is_in_fd(fd)) ? (errno ? -1 : 0) : syscall(SYS_read, fd, data, n);
}

ssize_t write(int fd, const void *data, size_t n)
{
	return fails("write", is_in_fd(fd)) ? (errno ? -1 : 0) : syscall(SYS_write, fd, data, n);
}

off_t lseek(int fd, off_t at, int from)
{
	return fails("lseek", is_in_fd(fd)) ? -1 : syscall(SYS_lseek, fd, at, from);
}

void *mmap(void *at, size_t n, int prot, int flags, int fd, off_t from)
{
	return fd >= 0 && fails("mmap", is_in_fd(fd)) ? MAP_FAILED : (void *)syscall(SYS_mmap, at, n, prot, flags, fd, from);
}

int fsync(int fd)
{
	return fails("fsync", is_in_fd(fd)) ? -1 : (int)syscall(SYS_fsync, fd);
}

int ftruncate(int fd, off_t n)
{
	return fails("ftruncate", is_in_fd(fd)) ? -1 : (int)syscall(SYS_ftruncate, fd, n);
}

int fchmod(int fd, mode_t mode)
{
	return fails("fchmod", is_in_fd(fd)) ? -1 : (int)syscall(SYS_fchmod, fd, mode);
}

int flock(int fd, int what)
{
	return fails("flock", is_in_fd(fd)) ? -1 : (int)syscall(SYS_flock, fd, what);
}

/* As Linux does it: the descriptor is closed whatever it returns. */
int close(int fd)
{
	int bad = fails("close", is_in_fd(fd)), err = errno, status = (int)syscall(SYS_close, fd);
	if (bad)
		errno = err;
	return bad ? -1 : status;
}

int rename(const char *from, const char *to)
{
	return fails("rename", is_in_at(to)) ? -1 : (int)syscall(SYS_renameat2, AT_FDCWD, from, AT_FDCWD, to, 0);
}

FILE *fopen(const char *path, const char *mode)
{
	return fails("fopen", is_in_at(path)) ? NULL : ((FILE * (*)(const char *, const char *)) dlsym(RTLD_NEXT, "fopen"))(path, mode);
}

size_t fread(void *data, size_t size, size_t n, FILE *f)
{
	if (fails("fread", is_in_fd(fileno(f)))) {
		f->_flags |= 0x20; /* what ferror tells, in glibc */
		return 0;
	}
	return ((size_t(*)(void *, size_t, size_t, FILE *))dlsym(RTLD_NEXT, "fread"))(data, size, n, f);
}

size_t fwrite(const void *data, size_t size, size_t n, FILE *f)
{
	return fails("fwrite", is_in_fd(fileno(f)))
		       ? 0
		       : ((size_t(*)(const void *, size_t, size_t, FILE *))dlsym(RTLD_NEXT, "fwrite"))(data, size, n, f);
}
