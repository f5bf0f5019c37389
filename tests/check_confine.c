/* What confine gives up: each is tried, here as by code that a file has taken over: by the system calls themselves. */
#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include "child.h"
#include "lib/base/confine.h"
#include "lib/base/out.h"
#include "wire.h"

static const char *folder(void)
{
	static char dir[1024];
	if (!*dir) {
		snprintf(dir, sizeof dir, "%s", wire_path("x"));
		*strrchr(dir, '/') = 0;
	}
	return dir;
}

static char *in_folder(const char *name)
{
	return xprintf("%s/%s", folder(), name);
}

static void write_file(const char *path, const char *text)
{
	FILE *f = fopen(path, "w");
	if (!f || fputs(text, f) < 0 || fclose(f))
		abort();
}

/* ---- what is tried: each returns 1 where it was done ---- */

static int run_program(void)
{
	char *argv[] = {"true", NULL};
	execv("/bin/true", argv);
	return 0;
}

static int run_by_descriptor(void)
{
	char *argv[] = {"true", NULL};
	int fd = open("/bin/true", O_RDONLY);
	syscall(SYS_execveat, fd, "", argv, NULL, 0x1000);
	return 0;
}

static int start_process(void)
{
	pid_t pid = fork();
	if (!pid)
		_exit(0);
	return pid > 0;
}

static int start_process_by_clone3(void)
{
	uint64_t args[11] = {0};
	long pid = syscall(435, args, sizeof args);
	if (!pid)
		_exit(0);
	return pid > 0;
}

static int reach_network(void)
{
	return socket(AF_INET, SOCK_STREAM, 0) >= 0;
}

static int reach_local(void)
{
	return socket(AF_UNIX, SOCK_STREAM, 0) >= 0;
}

static int reach_pair(void)
{
	int fd[2];
	return !socketpair(AF_UNIX, SOCK_STREAM, 0, fd);
}

static int make_file(void)
{
	return open(in_folder("other/new"), O_WRONLY | O_CREAT, 0666) >= 0;
}

static int make_file_beside(void)
{
	return open(in_folder("out/new"), O_RDWR | O_CREAT | O_EXCL, 0666) >= 0;
}

static int overwrite_file(void)
{
	return open(in_folder("other/mine"), O_WRONLY) >= 0;
}

static int empty_file(void)
{
	return open(in_folder("other/mine"), O_RDONLY | O_TRUNC) >= 0;
}

static int shorten_file(void)
{
	return !truncate(in_folder("other/mine"), 0);
}

static int nameless_file(void)
{
	return open(folder(), O_WRONLY | O_TMPFILE, 0666) >= 0;
}

static int open_unseen(void)
{
	uint64_t how[3] = {O_WRONLY | O_CREAT, 0666, 0};
	return syscall(437, AT_FDCWD, in_folder("other/new"), how, sizeof how) >= 0;
}

static int make_folder(void)
{
	return !mkdir(in_folder("other/folder"), 0777);
}

static int make_link(void)
{
	return !symlink("/etc", in_folder("other/link"));
}

static int make_name(void)
{
	return !link(in_folder("other/mine"), in_folder("other/second"));
}

static int rename_elsewhere(void)
{
	return !rename(in_folder("other/mine"), in_folder("other/yours"));
}

static int remove_elsewhere(void)
{
	return !unlink(in_folder("other/mine"));
}

static int change_mode(void)
{
	return !chmod(in_folder("other/mine"), 0777);
}

static int signal_parent(void)
{
	return !kill(getppid(), 0) || !syscall(SYS_tgkill, getppid(), getppid(), 0);
}

static int limit_parent(void)
{
	struct rlimit r;
	return !prlimit(getppid(), RLIMIT_NOFILE, NULL, &r);
}

static int push_keys(void)
{
	char c = 'x'; /* without a terminal: ENOTTY where it is allowed */
	return !ioctl(0, TIOCSTI, &c) || errno != EPERM;
}

static int trace_parent(void)
{
	return !syscall(SYS_ptrace, 16, getppid(), 0, 0);
}

static int any_new_call(void)
{
	return syscall(467) >= 0 || errno != ENOSYS;
}

#ifdef __x86_64__
static int other_numbers(void)
{
	return (int)syscall(0x40000000 | SYS_getpid) > 0;
}
#endif

struct attempt {
	const char *what;
	int (*done)(void);
	int landlock, files; /* 1: of a file's output, only Landlock refuses it; it is allowed where files are written */
};

static const struct attempt attempts[] = {{"exec", run_program, 0, 0}, {"execveat", run_by_descriptor, 0, 0}, {"fork", start_process, 0, 0},
	{"clone3", start_process_by_clone3, 0, 0}, {"inet socket", reach_network, 0, 0}, {"unix socket", reach_local, 0, 0},
	{"socketpair", reach_pair, 0, 0}, {"new file", make_file, 0, 1}, {"new file beside the output", make_file_beside, 0, 1},
	{"write", overwrite_file, 0, 1}, {"O_TRUNC", empty_file, 0, 1}, {"truncate", shorten_file, 0, 0},
	{"O_TMPFILE", nameless_file, 0, 1}, {"openat2", open_unseen, 0, 0}, {"mkdir", make_folder, 0, 1}, {"symlink", make_link, 0, 0},
	{"link", make_name, 0, 0}, {"chmod", change_mode, 0, 0}, {"rename", rename_elsewhere, 1, 1}, {"unlink", remove_elsewhere, 1, 1},
	{"kill", signal_parent, 0, 0}, {"prlimit", limit_parent, 0, 0}, {"TIOCSTI", push_keys, 0, 0}, {"ptrace", trace_parent, 0, 0},
	{"a system call of later", any_new_call, 0, 0},
#ifdef __x86_64__
	{"x32", other_numbers, 0, 0}
#endif
};

enum { ATTEMPTS = sizeof attempts / sizeof *attempts };

/* ---- by whom ---- */

static void confine_by(int how)
{
	if (how == 2)
		confine_but_files();
	else
		confine(how ? in_folder("out/out.x") : NULL);
}

static int how;

static void try(void *arg)
{
	const struct attempt *a = arg;
	confine_by(how);
	printf("%s", a->done() ? "done" : "refused");
	fflush(stdout);
	_exit(0);
}

static int has_landlock(void)
{
	return syscall(444, NULL, 0, 1) >= 1;
}

/* 1: this kernel, processor and build have the filter. */
static int has_filter(void)
{
#if (defined __x86_64__ || defined __aarch64__) && !defined COVERAGE_H
	return prctl(PR_GET_SECCOMP) >= 0;
#else
	return 0;
#endif
}

static void setup(void)
{
	mkdir(in_folder("out"), 0777), mkdir(in_folder("other"), 0777);
	write_file(in_folder("other/mine"), "mine");
}

/* To stdout, to a file, to files. */
START_TEST(refused)
{
	const struct attempt *a = &attempts[_i % ATTEMPTS];
	how = _i / ATTEMPTS;
	if (!has_filter())
		return;
	struct child c = child_run(try, (void *)a);
	int allowed = (how == 2 && a->files) || (how == 1 && a->landlock && !has_landlock());
	if (how == 2 && a->files)
		ck_assert_msg(!strcmp(c.out, "done"), "%s, to files: %s%s", a->what, c.out, c.err);
	else if (!allowed)
		ck_assert_msg(!strcmp(c.out, "refused"), "%s, %s: %s, exit %d, signal %d", a->what, how ? "to a file" : "to stdout", c.out,
			c.status, c.signal);
}
END_TEST

/* The attempts are such that they succeed without. */
static void try_free(void *arg)
{
	const struct attempt *a = arg;
	printf("%s", a->done() ? "done" : "refused");
	fflush(stdout);
	_exit(0);
}

START_TEST(meant)
{
	static int (*const sure[])(void) = {start_process, reach_network, reach_local, reach_pair, make_file, make_file_beside,
		overwrite_file, empty_file, shorten_file, make_folder, make_link, make_name, change_mode, rename_elsewhere,
		remove_elsewhere, limit_parent};
	const struct attempt *a = &attempts[_i];
	for (size_t i = 0; i < sizeof sure / sizeof *sure; i++)
		if (a->done == sure[i]) {
			struct child c = child_run(try_free, (void *)a);
			ck_assert_msg(!strcmp(c.out, "done"), "%s: %s", a->what, c.out);
		}
}
END_TEST

/* ---- what goes on ---- */

static void *thread(void *arg)
{
	return arg;
}

static void work(void *arg)
{
	char *path = arg, text[5] = "";
	pthread_t id;
	void *back = NULL;
	confine(path);
	int fd = open(in_folder("other/mine"), O_RDONLY);
	if (fd < 0 || read(fd, text, 4) != 4 || strcmp(text, "mine"))
		die("reading");
	if (pthread_create(&id, NULL, thread, path) || pthread_join(id, &back) || back != path)
		die("a thread");
	struct out *o = out_open(path, 0);
	out_printf(o, "all");
	out_close(o);
	exit(finish());
}

static void give_up_work(void *arg)
{
	confine(arg);
	struct out *o = out_open(arg, 0);
	out_printf(o, "half");
	out_flush(o);
	die("enough");
}

static char *contents(const char *path)
{
	size_t n;
	char *p = (char *)wire_slurp(path, &n);
	p[n] = 0;
	return p;
}

START_TEST(works)
{
	char *path = in_folder("out/out.x"), *temp = in_folder("out/.out.x.tmp"), *link = in_folder("out/link.x"),
	     *behind = in_folder("other/out.y");
	struct child c = child_run(work, path);
	ck_assert_msg(!c.status, "%s", c.err);
	ck_assert_str_eq(contents(path), "all");
	write_file(path, "old");
	c = child_run(give_up_work, path);
	ck_assert_int_eq(c.status, 1);
	ck_assert_str_eq(contents(path), "old");
	ck_assert(access(temp, F_OK));
	/* a link: the file behind it, in its own folder */
	ck_assert(!symlink("../other/out.y", link));
	c = child_run(work, link);
	ck_assert_msg(!c.status, "%s", c.err);
	ck_assert_str_eq(contents(behind), "all");
	/* devices and stdout */
	c = child_run(work, "/dev/null");
	ck_assert_msg(!c.status, "%s", c.err);
	c = child_run(work, "/dev/full");
	ck_assert(c.status == 1 && strstr(c.err, "No space left"));
	c = child_run(work, "-");
	ck_assert_str_eq(c.out, "all");
	free(path), free(temp), free(link), free(behind);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("confine");
	TCase *t = tcase_create("confine");
	suite_add_tcase(s, t);
	tcase_add_checked_fixture(t, setup, NULL);
	tcase_add_loop_test(t, refused, 0, 3 * ATTEMPTS);
	tcase_add_loop_test(t, meant, 0, ATTEMPTS);
	tcase_add_test(t, works);
	if (!has_filter())
		printf("skipped: no seccomp here, or a build that counts\n");
	SRunner *r = srunner_create(s);
	srunner_run_all(r, CK_ENV);
	int failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed != 0;
}
