/* A seccomp filter as a list of refusals, and a Landlock rule. Numbers that the oldest supported headers lack are given here: all newer
 * system calls have one number on all processors. */
#include "lib/base/confine.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "lib/base/err.h"
#include "lib/base/out.h"

#if defined __x86_64__
#define ARCH AUDIT_ARCH_X86_64
#elif defined __aarch64__
#define ARCH AUDIT_ARCH_AARCH64
#endif
#ifdef COVERAGE_H /* a build that counts writes files when it ends */
#undef ARCH
#endif

enum { ONE_FILE, STDOUT, FILES };

/* ---- seccomp ---- */

#ifdef ARCH

enum { OPENAT2 = 437, CLONE3 = 435, LAST_KNOWN = 462, X32 = 0x40000000, FILTER_MOST = 400 };

/* What starts programs, reaches others or changes files by name; what only an administrator does, and interfaces that a filter can't see
 * through. */
static const int refused[] = {
	SYS_execve,
	SYS_execveat,
	SYS_socket,
	SYS_socketpair,
	SYS_connect,
	SYS_bind,
	SYS_listen,
	SYS_accept,
	SYS_accept4,
	SYS_sendto,
	SYS_sendmsg,
	SYS_sendmmsg,
	SYS_kill,
	SYS_tkill,
	SYS_rt_sigqueueinfo,
	SYS_rt_tgsigqueueinfo,
	SYS_ptrace,
	SYS_process_vm_readv,
	SYS_process_vm_writev,
	SYS_kcmp,
	SYS_mknodat,
	SYS_symlinkat,
	SYS_linkat,
	SYS_truncate,
	SYS_fchmodat,
	SYS_fchownat,
	SYS_fchown,
	SYS_utimensat,
	SYS_setxattr,
	SYS_lsetxattr,
	SYS_fsetxattr,
	SYS_removexattr,
	SYS_lremovexattr,
	SYS_fremovexattr,
	SYS_mount,
	SYS_umount2,
	SYS_pivot_root,
	SYS_chroot,
	SYS_unshare,
	SYS_setns,
	SYS_swapon,
	SYS_swapoff,
	SYS_reboot,
	SYS_sethostname,
	SYS_setdomainname,
	SYS_init_module,
	SYS_finit_module,
	SYS_delete_module,
	SYS_kexec_load,
	SYS_bpf,
	SYS_perf_event_open,
	SYS_userfaultfd,
	SYS_add_key,
	SYS_request_key,
	SYS_keyctl,
	SYS_open_by_handle_at,
	SYS_acct,
	SYS_settimeofday,
	SYS_clock_settime,
	SYS_quotactl,
	SYS_personality,
	SYS_fanotify_init,
	SYS_setuid,
	SYS_setgid,
	SYS_setreuid,
	SYS_setregid,
	SYS_setresuid,
	SYS_setresgid,
	SYS_setgroups,
	SYS_capset,
	SYS_mq_open,
	SYS_mq_unlink,
	SYS_msgget,
	SYS_shmget,
	SYS_semget,
	/* pidfd_send_signal, io_uring_*, open_tree to fspick, pidfd_open, pidfd_getfd, process_madvise, mount_setattr, quotactl_fd,
	   process_mrelease, fchmodat2 */
	424,
	425,
	426,
	427,
	428,
	429,
	430,
	431,
	432,
	433,
	434,
	438,
	440,
	442,
	443,
	448,
	452,
#ifdef __x86_64__
	SYS_fork,
	SYS_vfork,
	SYS_mknod,
	SYS_symlink,
	SYS_link,
	SYS_chmod,
	SYS_chown,
	SYS_lchown,
	SYS_utime,
	SYS_utimes,
	SYS_futimesat,
	SYS_rmdir,
	SYS_modify_ldt,
	SYS_ioperm,
	SYS_iopl,
	SYS_uselib,
	SYS_setrlimit,
#endif
};

/* Of programs that write one file, which is open. */
static const int making[] = {
#ifdef __x86_64__
	SYS_creat, SYS_mkdir,
#endif
	SYS_mkdirat, SYS_fchmod};

/* Of programs that write no file by name. */
static const int names[] = {
#ifdef __x86_64__
	SYS_rename, SYS_unlink,
#endif
#ifdef SYS_renameat
	SYS_renameat,
#endif
	SYS_renameat2, SYS_unlinkat};

struct filter {
	struct sock_filter op[FILTER_MOST];
	unsigned short n;
};

static void add(struct filter *f, uint16_t code, uint32_t k, uint8_t yes, uint8_t no)
{
	if (f->n < FILTER_MOST)
		f->op[f->n++] = (struct sock_filter){code, yes, no, k};
}

static void load(struct filter *f, size_t offset)
{
	add(f, BPF_LD | BPF_W | BPF_ABS, (uint32_t)offset, 0, 0);
}

static void answer(struct filter *f, uint32_t what)
{
	add(f, BPF_RET | BPF_K, what, 0, 0);
}

static const uint32_t allowed = SECCOMP_RET_ALLOW, eperm = SECCOMP_RET_ERRNO | EPERM, enosys = SECCOMP_RET_ERRNO | ENOSYS;

/* number: what. The number is loaded. */
static void one(struct filter *f, int number, uint32_t what)
{
	add(f, BPF_JMP | BPF_JEQ | BPF_K, (uint32_t)number, 0, 1);
	answer(f, what);
}

/* The low half of an argument, by which the system calls below choose; little-endian, as both processors are. */
static size_t argument(int i)
{
	return offsetof(struct seccomp_data, args) + 8 * (size_t)i;
}

/* number: refused where test (BPF_JSET, BPF_JEQ) of its argument and k is `when`, else allowed. */
static void by_argument(struct filter *f, int number, int i, uint16_t test, uint32_t k, int when)
{
	add(f, BPF_JMP | BPF_JEQ | BPF_K, (uint32_t)number, 0, 4);
	load(f, argument(i));
	add(f, BPF_JMP | test | BPF_K, k, when ? 0 : 1, when ? 1 : 0);
	answer(f, eperm);
	answer(f, allowed);
}

static void make_filter(struct filter *f, int writes)
{
	const uint32_t writing = O_WRONLY | O_RDWR | O_CREAT | O_TRUNC | (O_TMPFILE & ~O_DIRECTORY);
	load(f, offsetof(struct seccomp_data, arch));
	add(f, BPF_JMP | BPF_JEQ | BPF_K, ARCH, 1, 0);
	answer(f, SECCOMP_RET_KILL_PROCESS);
	load(f, offsetof(struct seccomp_data, nr));
	add(f, BPF_JMP | BPF_JGT | BPF_K, LAST_KNOWN, 0, 1); /* those of x32 too */
	answer(f, enosys);
	one(f, OPENAT2, enosys), one(f, CLONE3, enosys); /* libraries then take those whose flags can be seen */
	for (size_t i = 0; i < sizeof refused / sizeof *refused; i++)
		one(f, refused[i], eperm);
	for (size_t i = 0; writes == STDOUT && i < sizeof names / sizeof *names; i++)
		one(f, names[i], eperm);
	if (writes != FILES) {
		for (size_t i = 0; i < sizeof making / sizeof *making; i++)
			one(f, making[i], eperm);
		by_argument(f, SYS_openat, 2, BPF_JSET, writing, 1);
#ifdef SYS_open
		by_argument(f, SYS_open, 1, BPF_JSET, writing, 1);
#endif
	}
	by_argument(f, SYS_clone, 0, BPF_JSET, CLONE_THREAD, 0);
	by_argument(f, SYS_prlimit64, 0, BPF_JEQ, 0, 0); /* its own alone */
	by_argument(f, SYS_tgkill, 0, BPF_JEQ, (uint32_t)getpid(), 0);
	add(f, BPF_JMP | BPF_JEQ | BPF_K, SYS_ioctl, 0, 4);
	load(f, argument(1));
	add(f, BPF_JMP | BPF_JEQ | BPF_K, TIOCSTI, 1, 0);
	add(f, BPF_JMP | BPF_JEQ | BPF_K, TIOCLINUX, 0, 1);
	answer(f, eperm);
	answer(f, allowed);
}

static void filter(int writes)
{
	struct filter f = {.n = 0};
	make_filter(&f, writes);
	struct sock_fprog all = {f.n, f.op};
	if (f.n < FILTER_MOST)
		prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &all);
}

#else

static void filter(int writes)
{
	(void)writes;
}

#endif

/* ---- Landlock: linux/landlock.h, whose oldest versions lack half of it ---- */

enum { CREATE_RULESET = 444, ADD_RULE, RESTRICT_SELF, RULE_PATH_BENEATH = 1 };
enum {
	FS_EXECUTE = 1 << 0,
	FS_WRITE_FILE = 1 << 1,
	FS_REMOVE_DIR = 1 << 4,
	FS_REMOVE_FILE = 1 << 5,
	FS_MAKE_REG = 1 << 8,
	FS_MAKE_ALL = 0x7F << 6, /* devices, folders, files, sockets, FIFOs, links */
	FS_REFER = 1 << 13,	 /* since version 2 */
	FS_TRUNCATE = 1 << 14	 /* since version 3 */
};

struct ruleset {
	uint64_t fs, net, scoped; /* net: since version 4; scoped: 6 */
};

struct __attribute__((packed)) beneath {
	uint64_t allowed;
	int32_t fd;
};

static void restrict_paths(const char *folder, int writes)
{
	const long version = syscall(CREATE_RULESET, NULL, 0, 1);
	struct ruleset r = {.fs = FS_EXECUTE | FS_WRITE_FILE | FS_REMOVE_DIR | FS_REMOVE_FILE | FS_MAKE_ALL, .net = 3, .scoped = 3};
	if (version < 1)
		return;
	r.fs |= (version >= 2 ? FS_REFER : 0) | (version >= 3 ? FS_TRUNCATE : 0);
	if (writes == FILES)
		r.fs = FS_EXECUTE;
	const int fd = (int)syscall(CREATE_RULESET, &r, version >= 6 ? sizeof r : version >= 4 ? 16 : 8, 0);
	if (fd < 0)
		return;
	struct beneath b = {(FS_WRITE_FILE | FS_MAKE_REG | FS_REMOVE_FILE | FS_TRUNCATE) & r.fs, -1};
	if (folder)
		b.fd = open(folder, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (!folder || (b.fd >= 0 && !syscall(ADD_RULE, fd, RULE_PATH_BENEATH, &b, 0)))
		syscall(RESTRICT_SELF, fd, 0);
	if (b.fd >= 0)
		close(b.fd);
	close(fd);
}

/* ---- */

static void give_up(const char *folder, int writes)
{
#ifdef COVERAGE_H
	(void)folder, (void)writes;
	return;
#endif
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0))
		return;
	restrict_paths(folder, writes);
	filter(writes);
}

void confine(const char *output)
{
	const char *file = out_hold(output), *slash = file ? strrchr(file, '/') : NULL;
	char *folder = !file ? NULL : slash ? xprintf("%.*s", (int)(slash - file) + 1, file) : xstrdup(".");
	give_up(folder, file ? ONE_FILE : STDOUT);
	free(folder);
}

void confine_but_files(void)
{
	give_up(NULL, FILES);
}
