/* Preloaded into programs by tests: of the calls that FAIL names, one fails. FAIL=CALL:NTH:ERRNO, of `open`, `read` (pread and stdio's
 * too), `write` (pwrite too), `lseek`, `mmap`, `fsync`, `ftruncate`, `fchmod`, `flock`, `close`, `rename`, `unlink`, `stat` (lstat and
 * access too), `fstat`, and of stdio `fopen`, `fread`, `fwrite`, on files in the folder $FAIL_IN; ERRNO 0 is a call that moves no byte. Of
 * `alloc`, memory asked for by the program itself or by the C library for it, of `library`, by other libraries but OpenBLAS; of `thread`,
 * pthread_create. All are counted. SHORT=SEED: every read and write moves 1 to 7 bytes; the first of a descriptor, and one in eight, fails
 * with EINTR. The file $FAILED, mapped, has what came of it: struct failed (tests/failing.h). */
#include "tests/failing.h"

#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <link.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>
#include <unwind.h>

static char call[16] = "none"; /* the one of FAIL */
static long nth;
static int err;
static const char *folder;
static struct failed *failed;
static int in_main;
static uint64_t short_state;
static char begun[1024]; /* descriptors that were interrupted */

/* Whose code is where; what is in no range is another library's. */
enum owner { OTHER, OWN, LIBC, OPENBLAS };
static struct range {
	uintptr_t from, to;
	enum owner owner;
} code[16];
static int codes;

static int note_code(struct dl_phdr_info *info, size_t size, void *arg)
{
	const char *slash = strrchr(info->dlpi_name, '/'), *base = slash ? slash + 1 : info->dlpi_name;
	enum owner owner = !*info->dlpi_name || !strncmp(base, "libkeypipe", 10)					  ? OWN
			   : !strncmp(base, "libc.so", 7) || !strncmp(base, "ld-linux", 8) || !strcmp(base, "failing.so") ? LIBC
			   : !strncmp(base, "libopenblas", 11)								  ? OPENBLAS
															  : OTHER;
	(void)size, (void)arg;
	if (owner == OTHER)
		return 0;
	for (int i = 0; i < info->dlpi_phnum && codes < 16; i++)
		if (info->dlpi_phdr[i].p_type == PT_LOAD && info->dlpi_phdr[i].p_flags & PF_X) {
			uintptr_t from = info->dlpi_addr + info->dlpi_phdr[i].p_vaddr;
			code[codes++] = (struct range){from, from + info->dlpi_phdr[i].p_memsz, owner};
		}
	return 0;
}

__attribute__((constructor)) static void begin(void)
{
	const char *fail = getenv("FAIL"), *file = getenv("FAILED"), *seed = getenv("SHORT");
	folder = getenv("FAIL_IN");
	dl_iterate_phdr(note_code, NULL);
	if (seed)
		short_state = strtoull(seed, NULL, 10) * 0x9E3779B97F4A7C15u + 1;
	int fd = file ? (int)syscall(SYS_openat, AT_FDCWD, file, O_RDWR | O_CLOEXEC) : -1;
	if (fd >= 0) {
		void *map = (void *)syscall(SYS_mmap, NULL, sizeof *failed, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
		failed = map == MAP_FAILED ? NULL : map;
		syscall(SYS_close, fd);
	}
	if (fail && failed && sscanf(fail, "%15[a-z]:%ld:%d", call, &nth, &err) != 3)
		abort();
}

/* path may have links and need not be there: what counts is the folder that holds it, or itself where it is one. */
static int is_in(const char *path)
{
	size_t n = folder ? strlen(folder) : 0;
	return n && !strncmp(path, folder, n) && (!path[n] || path[n] == '/');
}

static const char *name_of(int fd, char name[4096])
{
	char link[64];
	snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
	long n = syscall(SYS_readlink, link, name, 4095);
	name[n < 0 ? 0 : n] = 0;
	return name;
}

/* 1, and errno, where this call is the one to fail. */
static int count(const char *name, const char *what)
{
	int i = 0;
	while (i < CALLS && strcmp(calls[i], name))
		i++;
	if (!failed || i == CALLS || __atomic_add_fetch(&failed->count[i], 1, __ATOMIC_SEQ_CST) != nth || strcmp(call, name))
		return 0;
	failed->after = failed->renames;
	snprintf(failed->name, sizeof failed->name, "%s", what);
	__atomic_store_n(&failed->reached, 1, __ATOMIC_SEQ_CST);
	errno = err;
	return 1;
}

static int fails_at(const char *name, const char *path)
{
	char whole[8192];
	if (!failed)
		return 0;
	if (*path == '/')
		return is_in(path) && count(name, path);
	if (syscall(SYS_getcwd, whole, 4096) < 0)
		return 0;
	size_t n = strlen(whole);
	snprintf(whole + n, sizeof whole - n, "%s%s", strcmp(path, ".") ? "/" : "", strcmp(path, ".") ? path : "");
	return is_in(whole) && count(name, path);
}

static int fails_fd(const char *name, int fd)
{
	char file[4096];
	return failed && is_in(name_of(fd, file)) && count(name, file);
}

/* How much of n is moved; -1 and EINTR now and then. Files of libraries, as of fonts, are read as ever: fontconfig takes a short read for
 * the end. */
static ssize_t shorter(int fd, size_t n)
{
	char name[4096];
	if (!short_state || !n || (*name_of(fd, name) == '/' && !is_in(name)))
		return (ssize_t)n;
	uint64_t v = __atomic_add_fetch(&short_state, 0x9E3779B97F4A7C15u, __ATOMIC_SEQ_CST);
	v ^= v >> 30, v *= 0xBF58476D1CE4E5B9u, v ^= v >> 27, v *= 0x94D049BB133111EBu, v ^= v >> 31;
	if (failed)
		__atomic_add_fetch(&failed->shortened, 1, __ATOMIC_SEQ_CST);
	if (!(v & 7) || !__atomic_exchange_n(&begun[fd & 1023], 1, __ATOMIC_SEQ_CST)) {
		errno = EINTR;
		return -1;
	}
	size_t part = 1 + (v >> 3) % 7;
	return (ssize_t)(n < part ? n : part);
}

int open(const char *path, int flags, ...)
{
	va_list ap;
	va_start(ap, flags);
	int mode = flags & (O_CREAT | O_TMPFILE) ? va_arg(ap, int) : 0;
	va_end(ap);
	return fails_at("open", path) ? -1 : (int)syscall(SYS_openat, AT_FDCWD, path, flags, mode);
}

ssize_t read(int fd, void *data, size_t n)
{
	ssize_t part = shorter(fd, n);
	return part < 0 ? -1 : fails_fd("read", fd) ? (errno ? -1 : 0) : syscall(SYS_read, fd, data, part);
}

ssize_t pread(int fd, void *data, size_t n, off_t at)
{
	ssize_t part = shorter(fd, n);
	return part < 0 ? -1 : fails_fd("read", fd) ? (errno ? -1 : 0) : syscall(SYS_pread64, fd, data, part, at);
}

ssize_t write(int fd, const void *data, size_t n)
{
	ssize_t part = shorter(fd, n);
	return part < 0 ? -1 : fails_fd("write", fd) ? (errno ? -1 : 0) : syscall(SYS_write, fd, data, part);
}

ssize_t pwrite(int fd, const void *data, size_t n, off_t at)
{
	ssize_t part = shorter(fd, n);
	return part < 0 ? -1 : fails_fd("write", fd) ? (errno ? -1 : 0) : syscall(SYS_pwrite64, fd, data, part, at);
}

off_t lseek(int fd, off_t at, int from)
{
	return fails_fd("lseek", fd) ? -1 : syscall(SYS_lseek, fd, at, from);
}

int fsync(int fd)
{
	return fails_fd("fsync", fd) ? -1 : (int)syscall(SYS_fsync, fd);
}

int ftruncate(int fd, off_t n)
{
	return fails_fd("ftruncate", fd) ? -1 : (int)syscall(SYS_ftruncate, fd, n);
}

int fchmod(int fd, mode_t mode)
{
	return fails_fd("fchmod", fd) ? -1 : (int)syscall(SYS_fchmod, fd, mode);
}

int flock(int fd, int what)
{
	return fails_fd("flock", fd) ? -1 : (int)syscall(SYS_flock, fd, what);
}

/* As Linux does it: the descriptor is closed whatever it returns. */
int close(int fd)
{
	begun[fd & 1023] = 0;
	int bad = fails_fd("close", fd), was = errno, status = (int)syscall(SYS_close, fd);
	if (bad)
		errno = was;
	return bad ? -1 : status;
}

int unlink(const char *path)
{
	return fails_at("unlink", path) ? -1 : (int)syscall(SYS_unlinkat, AT_FDCWD, path, 0);
}

int stat(const char *restrict path, struct stat *restrict st)
{
	return fails_at("stat", path) ? -1 : (int)syscall(SYS_newfstatat, AT_FDCWD, path, st, 0);
}

int lstat(const char *restrict path, struct stat *restrict st)
{
	return fails_at("stat", path) ? -1 : (int)syscall(SYS_newfstatat, AT_FDCWD, path, st, AT_SYMLINK_NOFOLLOW);
}

int access(const char *path, int mode)
{
	return fails_at("stat", path) ? -1 : (int)syscall(SYS_faccessat, AT_FDCWD, path, mode);
}

int fstat(int fd, struct stat *st)
{
	return fails_fd("fstat", fd) ? -1 : (int)syscall(SYS_newfstatat, fd, "", st, AT_EMPTY_PATH);
}

DIR *opendir(const char *path)
{
	return fails_at("open", path) ? NULL : ((DIR * (*)(const char *)) dlsym(RTLD_NEXT, "opendir"))(path);
}

int rename(const char *from, const char *to)
{
	if (fails_at("rename", to))
		return -1;
	int status = (int)syscall(SYS_renameat2, AT_FDCWD, from, AT_FDCWD, to, 0);
	if (failed && !status)
		__atomic_add_fetch(&failed->renames, 1, __ATOMIC_SEQ_CST);
	return status;
}

/* ---- stdio ---- */

static ssize_t cookie_read(void *cookie, char *data, size_t n)
{
	ssize_t got;
	do
		got = read((int)(intptr_t)cookie, data, n);
	while (got < 0 && errno == EINTR); /* no file read through stdio is one that a signal interrupts */
	return got;
}

static int cookie_close(void *cookie)
{
	return close((int)(intptr_t)cookie);
}

/* What is only read is read by read above. */
FILE *fopen(const char *path, const char *mode)
{
	if (fails_at("fopen", path))
		return NULL;
	if (*mode != 'r' || strchr(mode, '+'))
		return ((FILE * (*)(const char *, const char *)) dlsym(RTLD_NEXT, "fopen"))(path, mode);
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	return fd < 0 ? NULL : fopencookie((void *)(intptr_t)fd, "r", (cookie_io_functions_t){.read = cookie_read, .close = cookie_close});
}

size_t fread(void *data, size_t size, size_t n, FILE *f)
{
	int fd = fileno(f);
	if (fd >= 0 && fails_fd("fread", fd)) {
		f->_flags |= 0x20; /* what ferror tells, in glibc */
		return 0;
	}
	return ((size_t(*)(void *, size_t, size_t, FILE *))dlsym(RTLD_NEXT, "fread"))(data, size, n, f);
}

size_t fwrite(const void *data, size_t size, size_t n, FILE *f)
{
	return fails_fd("fwrite", fileno(f))
		       ? 0
		       : ((size_t(*)(const void *, size_t, size_t, FILE *))dlsym(RTLD_NEXT, "fwrite"))(data, size, n, f);
}

/* ---- memory ---- */

static enum owner owner_of(uintptr_t at)
{
	for (int i = 0; i < codes; i++)
		if (at >= code[i].from && at < code[i].to)
			return code[i].owner;
	return OTHER;
}

/* What called the C library. */
static _Unwind_Reason_Code up(struct _Unwind_Context *context, void *owner)
{
	*(enum owner *)owner = owner_of(_Unwind_GetIP(context));
	return *(enum owner *)owner == LIBC ? _URC_NO_REASON : _URC_END_OF_STACK;
}

/* from: where it is asked for. */
static int no_memory(void *from, size_t n)
{
	if (!in_main)
		return 0;
	char what[32];
	if (!failed)
		return 0;
	enum owner owner = owner_of((uintptr_t)from);
	if (owner == LIBC)
		_Unwind_Backtrace(up, &owner);
	if (owner == LIBC || owner == OPENBLAS)
		return 0;
	snprintf(what, sizeof what, "%zu bytes", n);
	return count(owner == OWN ? "alloc" : "library", what);
}
#define NO_MEMORY(n) no_memory(__builtin_return_address(0), n)

void *mmap(void *at, size_t n, int prot, int flags, int fd, off_t from)
{
	if (fd < 0 ? NO_MEMORY(n) : fails_fd("mmap", fd))
		return MAP_FAILED;
	return (void *)syscall(SYS_mmap, at, n, prot, flags, fd, from);
}

int pthread_create(pthread_t *id, const pthread_attr_t *attr, void *(*fn)(void *), void *arg)
{
	if (count("thread", "a thread"))
		return EAGAIN;
	return ((int (*)(pthread_t *, const pthread_attr_t *, void *(*)(void *), void *))dlsym(RTLD_NEXT, "pthread_create"))(
		id, attr, fn, arg);
}

/* Memory is counted from main on: NVIDIA's static runtime registers its kernels before, and crashes where it gets none. */
static int (*program_main)(int, char **, char **);

static int counted_main(int argc, char **argv, char **env)
{
	in_main = 1;
	return program_main(argc, argv, env);
}

int __libc_start_main(int (*main)(int, char **, char **), int argc, char **argv, void (*init)(void), void (*fini)(void),
	void (*rtld_fini)(void), void *stack_end)
{
	program_main = main;
	return ((int (*)(int (*)(int, char **, char **), int, char **, void (*)(void), void (*)(void), void (*)(void), void *))dlsym(
		RTLD_NEXT, "__libc_start_main"))(counted_main, argc, argv, init, fini, rtld_fini, stack_end);
}

#ifndef SANITIZED /* a sanitizer has its own memory */
extern void *__libc_malloc(size_t n), *__libc_calloc(size_t n, size_t size), *__libc_realloc(void *p, size_t n),
	*__libc_memalign(size_t align, size_t n);

void *malloc(size_t n)
{
	return NO_MEMORY(n) ? NULL : __libc_malloc(n);
}

void *calloc(size_t n, size_t size)
{
	return NO_MEMORY(n * size) ? NULL : __libc_calloc(n, size);
}

void *realloc(void *p, size_t n)
{
	return NO_MEMORY(n) ? NULL : __libc_realloc(p, n);
}

void *aligned_alloc(size_t align, size_t n)
{
	return NO_MEMORY(n) ? NULL : __libc_memalign(align, n);
}

int posix_memalign(void **p, size_t align, size_t n)
{
	void *got = NO_MEMORY(n) ? NULL : __libc_memalign(align, n);
	if (got)
		*p = got;
	return got ? 0 : ENOMEM;
}
#endif
