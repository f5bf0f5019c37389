#include <check.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/file.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include "child.h"
#include "lib/base/err.h"
#include "lib/base/out.h"

/* Every test runs in a fresh directory (Check forks each, and none is left behind by one that passes). */
static char dir[256];

static void enter(void)
{
	snprintf(dir, sizeof dir, "%s/check_out.XXXXXX", getenv("TMP") ? getenv("TMP") : "/tmp");
	if (!mkdtemp(dir) || chdir(dir))
		abort();
	umask(022);
}

static int run(const char *command)
{
	return system(command);
}

static void leave(void)
{
	ck_assert_msg(run("test -z \"$(find . -name '.*.tmp')\"") == 0, "a temporary file is left");
	char command[600];
	snprintf(command, sizeof command, "chmod -R u+rwx %s; rm -rf %s", dir, dir);
	if (chdir("/") || run(command))
		abort();
}

static void put(const char *path, const char *text)
{
	FILE *f = fopen(path, "w");
	ck_assert(f && fputs(text, f) >= 0 && !fclose(f));
}

static const char *get(const char *path)
{
	static char s[1024];
	FILE *f = fopen(path, "r");
	if (!f)
		return "(no file)";
	s[fread(s, 1, sizeof s - 1, f)] = 0;
	fclose(f);
	return s;
}

static int mode_of(const char *path)
{
	struct stat st;
	return stat(path, &st) ? -1 : (int)(st.st_mode & 07777);
}

static void write_file(void *path)
{
	struct out *o = out_open(path, 1);
	out_write(o, "new", 3);
	out_close(o);
	_exit(finish());
}

static void write_fails(void *path, const char *message)
{
	struct child c = child_run(write_file, path);
	ck_assert_int_eq(c.status, 1);
	ck_assert_str_eq(c.err, message);
	ck_assert_str_eq(c.out, "");
}

/* ---- complete output ---- */

START_TEST(appears_at_close)
{
	struct out *o = out_open("f", 1);
	ck_assert_str_eq(out_name(o), "f");
	out_write(o, "a", 1);
	out_printf(o, "%d-%s", 5, "x");
	ck_assert_str_eq(get("f"), "(no file)");
	ck_assert(access(".f.tmp", F_OK) == 0);
	out_close(o);
	ck_assert_str_eq(get("f"), "a5-x");
	ck_assert_int_eq(mode_of("f"), 0644);
	o = out_open("f", 1);
	out_close(o);
	ck_assert_str_eq(get("f"), "");
}
END_TEST

/* Writes of sizes around the buffer's. */
START_TEST(all_bytes)
{
	static unsigned char data[700000];
	static const size_t piece[] = {1, 7, 4096, 262143, 262144, 262145, 699999};
	for (size_t i = 0; i < sizeof data; i++)
		data[i] = (unsigned char)(i * 2654435761u >> 13);
	for (size_t p = 0; p < sizeof piece / sizeof *piece; p++) {
		struct out *o = out_open("f", 1);
		for (size_t at = 0, n; at < sizeof data; at += n) {
			n = piece[p] < sizeof data - at ? piece[p] : sizeof data - at;
			out_write(o, data + at, n);
			out_write(o, NULL, 0);
		}
		out_close(o);
		static unsigned char back[sizeof data + 1];
		FILE *f = fopen("f", "r");
		ck_assert(f && fread(back, 1, sizeof back, f) == sizeof data && !memcmp(back, data, sizeof data));
		fclose(f);
	}
}
END_TEST

START_TEST(long_printf)
{
	static char s[300001];
	memset(s, 'x', sizeof s - 1);
	struct out *o = out_open("f", 0);
	out_printf(o, "%s", s + sizeof s - 1 - 1023);
	out_printf(o, "%s", s + sizeof s - 1 - 1024);
	out_printf(o, "%s", s);
	out_close(o);
	struct stat st;
	ck_assert(!stat("f", &st) && st.st_size == 1023 + 1024 + 300000);
}
END_TEST

START_TEST(modes)
{
	umask(027);
	struct out *o = out_open("f", 0);
	out_close(o);
	ck_assert_int_eq(mode_of("f"), 0640);
	ck_assert(!chmod("f", 0604));
	put(".f.tmp", "stale");
	ck_assert(!chmod(".f.tmp", 0777));
	o = out_open("f", 0);
	out_close(o);
	ck_assert_int_eq(mode_of("f"), 0604);
	ck_assert(umask(022) == 027);
}
END_TEST

START_TEST(links_are_kept)
{
	ck_assert(!mkdir("d", 0777) && !mkdir("e", 0777));
	put("d/real", "old");
	ck_assert(
		!symlink("../d/real", "e/one") && !symlink("e/one", "two") && !symlink("d/later", "dangling") && !symlink("loop", "loop"));
	struct out *o = out_open("two", 0), *p = out_open("dangling", 0);
	out_printf(o, "new");
	ck_assert(access("d/.real.tmp", F_OK) == 0);
	out_close(o);
	out_close(p);
	struct stat st;
	ck_assert(!lstat("two", &st) && S_ISLNK(st.st_mode) && !lstat("e/one", &st) && S_ISLNK(st.st_mode));
	ck_assert(!lstat("dangling", &st) && S_ISLNK(st.st_mode));
	ck_assert_str_eq(get("d/real"), "new");
	ck_assert_str_eq(get("d/later"), "");
	write_fails("loop", "keypipe: loop: Too many levels of symbolic links\n");
}
END_TEST

/* ---- abandoned output ---- */

START_TEST(abandoned)
{
	put("f", "old");
	struct out *o = out_open("f", 0), *none = out_open("g", 0);
	out_printf(o, "%0300000d", 7);
	out_abandon(o);
	out_abandon(none);
	ck_assert_str_eq(get("f"), "old");
	ck_assert_str_eq(get("g"), "(no file)");
}
END_TEST

/* Writes more than a buffer to "f", less to "g" and stdout, then ends by die, die_usage or a signal. */
static void end_by(void *arg)
{
	int how = *(int *)arg;
	struct out *o = out_open("f", 0), *p = out_open("g", 0), *q = out_open(NULL, 0), *r = out_open("closed", 0);
	out_close(r);
	out_printf(o, "%0300000d", 7);
	out_printf(p, "new");
	out_printf(q, "half");
	if (how == -1)
		die("gone");
	if (how == -2)
		die_usage("gone");
	raise(how);
	out_abandon(q);
	out_close(o);
	out_close(p);
	_exit(33);
}

START_TEST(ended)
{
	static const int how[] = {-1, -2, SIGTERM, SIGINT, SIGHUP, SIGPIPE};
	put("f", "old");
	struct child c = child_run(end_by, (void *)(uintptr_t)&how[_i]);
	if (how[_i] < 0)
		ck_assert_int_eq(c.status, -how[_i]);
	else
		ck_assert_int_eq(c.signal, how[_i]);
	ck_assert_str_eq(c.out, "");
	ck_assert_str_eq(get("f"), "old");
	ck_assert_str_eq(get("g"), "(no file)");
	ck_assert_str_eq(get("closed"), "");
	ck_assert_int_eq(access(".f.tmp", F_OK), -1);
	ck_assert_int_eq(access(".g.tmp", F_OK), -1);
}
END_TEST

static void end_ignoring(void *arg)
{
	signal(*(int *)arg, SIG_IGN);
	end_by(arg);
}

/* As under nohup. */
START_TEST(ignored_signals_stay_ignored)
{
	static const int how[] = {SIGTERM, SIGINT, SIGHUP, SIGPIPE};
	for (size_t i = 0; i < 4; i++) {
		put("f", "old");
		struct child c = child_run(end_ignoring, (void *)(uintptr_t)&how[i]);
		ck_assert_int_eq(c.status, 33);
		ck_assert_str_eq(get("g"), "new");
	}
}
END_TEST

START_TEST(killed)
{
	static int how = SIGKILL;
	put("f", "old");
	struct child c = child_run(end_by, &how);
	ck_assert_int_eq(c.signal, SIGKILL);
	ck_assert_str_eq(get("f"), "old");
	ck_assert(access(".f.tmp", F_OK) == 0 && access(".g.tmp", F_OK) == 0);
	/* the next run overwrites the temporary files */
	c = child_run(write_file, "f");
	ck_assert_str_eq(c.err, "");
	ck_assert_int_eq(c.status, 0);
	ck_assert_str_eq(get("f"), "new");
	c = child_run(write_file, "g");
	ck_assert_str_eq(get("g"), "new");
}
END_TEST

/* ---- concurrent writers ---- */

START_TEST(second_writer)
{
	put("f", "old");
	struct out *o = out_open("f", 0);
	out_printf(o, "mine");
	write_fails("f", "keypipe: f: another run is writing it (.f.tmp is locked)\n");
	out_close(o);
	ck_assert_str_eq(get("f"), "mine");
	struct child c = child_run(write_file, "f");
	ck_assert_int_eq(c.status, 0);
}
END_TEST

/* What is held is kept for the one that holds it, whatever the name's spelling; finish and die remove what was not taken. */
START_TEST(held)
{
	put("f", "old");
	ck_assert(!out_hold(NULL) && !out_hold("-") && !out_hold("/dev/stdout") && !out_hold("/dev/null"));
	out_close(out_open("/dev/null", 0));
	ck_assert_str_eq(out_hold("f"), "f");
	write_fails("f", "keypipe: f: another run is writing it (.f.tmp is locked)\n");
	struct out *other = out_open("g", 0);
	out_printf(other, "theirs");
	out_close(other);
	write_fails("f", "keypipe: f: another run is writing it (.f.tmp is locked)\n");
	ck_assert(!symlink("f", "link"));
	struct out *o = out_open("./link", 0);
	ck_assert_str_eq(get("f"), "old");
	out_printf(o, "new");
	out_close(o);
	ck_assert_str_eq(get("f"), "new");
	struct child c = child_run(write_file, "f");
	ck_assert_int_eq(c.status, 0);
}
END_TEST

static void hold_and_end(void *arg)
{
	out_hold("f");
	if (access(".f.tmp", F_OK))
		_exit(98);
	if (arg)
		die("on the way");
	_exit(finish());
}

static void write_held(void)
{
	out_hold("pipe");
	struct out *o = out_open("pipe", 0);
	out_printf(o, "one");
	out_close(o);
	_exit(finish());
}

/* A pipe is opened once: at a second opening its reader would see the end of the first. */
START_TEST(held_pipe)
{
	char text[16] = "";
	ck_assert(!mkfifo("pipe", 0666));
	pid_t pid = fork();
	if (!pid)
		write_held();
	int fd = open("pipe", O_RDONLY), status;
	ck_assert_int_eq(read(fd, text, 15), 3);
	ck_assert_str_eq(text, "one");
	ck_assert_int_eq(read(fd, text, 15), 0);
	waitpid(pid, &status, 0);
	ck_assert_int_eq(status, 0);
	close(fd);
}
END_TEST

START_TEST(held_in_vain)
{
	put("f", "old");
	struct child c = child_run(hold_and_end, NULL);
	ck_assert_int_eq(c.status, 0);
	ck_assert_int_ne(access(".f.tmp", F_OK), 0);
	c = child_run(hold_and_end, "die");
	ck_assert_int_eq(c.status, 1);
	ck_assert_int_ne(access(".f.tmp", F_OK), 0);
	ck_assert_str_eq(get("f"), "old");
}
END_TEST

static void write_letters(void *arg)
{
	static char s[70000];
	memset(s, *(char *)arg, sizeof s);
	for (int i = 0; i < 60; i++) {
		pid_t pid = fork();
		if (!pid) {
			if (!freopen("/dev/null", "w", stderr))
				_exit(98);
			struct out *o = out_open("f", 0);
			for (int k = 0; k < 5; k++)
				out_write(o, s, sizeof s);
			if (i % 5 == 4)
				die("now");
			out_close(o);
			_exit(0);
		}
		waitpid(pid, NULL, 0);
	}
	_exit(0);
}

/* Concurrent processes write one name and some die: the file is always the whole output of one. */
START_TEST(race)
{
	pid_t pid[4];
	for (int i = 0; i < 4; i++) {
		char letter = (char)('a' + i);
		pid[i] = fork();
		if (!pid[i])
			write_letters(&letter);
	}
	for (int going = 4; going;) {
		usleep(500);
		FILE *f = fopen("f", "r");
		if (f) {
			static char s[400000];
			size_t n = fread(s, 1, sizeof s, f);
			fclose(f);
			ck_assert_uint_eq(n, 350000);
			for (size_t i = 1; i < n; i++)
				ck_assert(s[i] == s[0]);
		}
		for (int i = 0; i < 4; i++)
			if (pid[i] && waitpid(pid[i], NULL, WNOHANG) == pid[i])
				pid[i] = 0, going--;
	}
	ck_assert(access("f", F_OK) == 0);
}
END_TEST

/* ---- I/O errors ---- */

static void limited(void *path)
{
	struct rlimit r = {100000, 100000};
	setrlimit(RLIMIT_FSIZE, &r);
	struct out *o = out_open(path, 0);
	out_printf(o, "%0400000d", 7);
	out_close(o);
	_exit(0);
}

START_TEST(file_size_limit)
{
	put("f", "old");
	struct child c = child_run(limited, "f");
	ck_assert_str_eq(c.err, "keypipe: f: File too large\n");
	ck_assert_int_eq(c.status, 1);
	ck_assert_str_eq(get("f"), "old");
}
END_TEST

START_TEST(bad_targets)
{
	char name[300];
	memset(name, 'x', sizeof name);
	name[252] = 0;
	ck_assert(!mkdir("d", 0777) && !mkfifo(".p.tmp", 0666) && !symlink("elsewhere", ".l.tmp"));
	put(".h.tmp", "");
	ck_assert(!link(".h.tmp", "other"));
	write_fails("none/f", "keypipe: none/f: No such file or directory: its folder is not there\n");
	write_fails("d", "keypipe: d: Is a directory\n");
	write_fails("d/", "keypipe: d/: Is a directory\n");
	write_fails("new/", "keypipe: 'new/': is not the name of a file\n");
	write_fails("", "keypipe: '': is not the name of a file\n");
	write_fails("p", "keypipe: p: .p.tmp is not a regular file\n");
	write_fails("l", "keypipe: l: Too many levels of symbolic links\n");
	write_fails("h", "keypipe: h: .h.tmp has a second name\n");
	struct child c = child_run(write_file, name);
	ck_assert(c.status == 1 && strstr(c.err, "xxx: File name too long\n"));
	put("file", "old");
	write_fails("file/f", "keypipe: file/f: Not a directory\n");
	ck_assert(access("elsewhere", F_OK) < 0);
	ck_assert(!unlink(".p.tmp") && !unlink(".l.tmp") && !unlink(".h.tmp"));
}
END_TEST

static void as_nobody(void *path)
{
	if (!geteuid() && setresuid(65534, 65534, 0)) /* a build that counts becomes root again (coverage.h) */
		_exit(77);
	write_file(path);
}

/* A read-only file, a directory of another user. */
START_TEST(no_permission)
{
	put("f", "old");
	ck_assert(!chmod("f", 0444) && !chmod(".", 0777));
	struct child c = child_run(as_nobody, "f");
	ck_assert_str_eq(c.err, "keypipe: f: Permission denied\n");
	ck_assert_str_eq(get("f"), "old");
	ck_assert(!chmod(".", 0555));
	c = child_run(as_nobody, "g");
	ck_assert_str_eq(c.err, "keypipe: g: Permission denied\n");
	ck_assert(!chmod(".", 0755));
}
END_TEST

static void many(void *arg)
{
	for (int i = 0; i < *(int *)arg; i++) {
		char name[16];
		snprintf(name, sizeof name, "f%d", i);
		out_open(name, 0);
	}
	die("enough");
}

START_TEST(sixty_four)
{
	int n = 64;
	struct child c = child_run(many, &n);
	ck_assert_str_eq(c.err, "keypipe: enough\n");
	n = 65;
	c = child_run(many, &n);
	ck_assert_str_eq(c.err, "keypipe: f64: more than 64 files are being written at once\n");
	ck_assert_int_eq(c.status, 1);
}
END_TEST

/* ---- not regular files ---- */

static void big_to(void *path)
{
	struct out *o = out_open(path, 1);
	out_printf(o, "%0300000d", 7);
	out_close(o);
	_exit(finish());
}

START_TEST(devices)
{
	struct child c = child_run(write_file, "/dev/null");
	ck_assert_int_eq(c.status, 0);
	write_fails("/dev/full", "keypipe: /dev/full: No space left on device\n");
	c = child_run(big_to, "/dev/full");
	ck_assert_str_eq(c.err, "keypipe: /dev/full: No space left on device\n");
	c = child_run(write_file, "/dev/stdout");
	ck_assert_str_eq(c.out, "new");
	c = child_run(write_file, "-");
	ck_assert_str_eq(c.out, "new");
	c = child_run(write_file, NULL);
	ck_assert_str_eq(c.out, "new");
	ck_assert_int_eq(c.status, 0);
}
END_TEST

START_TEST(fifo)
{
	ck_assert(!mkfifo("p", 0666));
	pid_t pid = fork();
	if (!pid)
		big_to("p");
	FILE *f = fopen("p", "r");
	size_t n = 0;
	while (getc(f) != EOF)
		n++;
	fclose(f);
	int status;
	waitpid(pid, &status, 0);
	ck_assert_int_eq(status, 0);
	ck_assert_uint_eq(n, 300000);
	struct stat st;
	ck_assert(!stat("p", &st) && S_ISFIFO(st.st_mode));
}
END_TEST

static void full_stdout(void *arg)
{
	int fd = open("/dev/full", O_WRONLY);
	dup2(fd, STDOUT_FILENO);
	if (*(int *)arg == 0) {
		write_file(NULL);
	} else {
		printf("text");
		_exit(finish());
	}
}

static void closed_stdout(void *arg)
{
	close(STDOUT_FILENO);
	if (*(int *)arg == 1)
		printf("text");
	if (*(int *)arg == 2)
		write_file("f");
	if (*(int *)arg == 3)
		write_file(NULL);
	_exit(finish());
}

static void closed_stderr(void *arg)
{
	close(STDERR_FILENO);
	struct out *o = out_open("f", 0);
	warn("%s", (char *)arg);
	out_printf(o, "new");
	out_close(o);
	_exit(finish());
}

START_TEST(messages_stay_out_of_files)
{
	struct child c = child_run(closed_stderr, "a message");
	ck_assert_int_eq(c.status, 0);
	ck_assert_str_eq(get("f"), "new");
}
END_TEST

START_TEST(bad_stdout)
{
	int how = 0;
	for (how = 0; how < 2; how++) {
		struct child c = child_run(full_stdout, &how);
		ck_assert_str_eq(c.err, "keypipe: stdout: No space left on device\n");
		ck_assert_int_eq(c.status, 1);
	}
	static const int status[] = {0, 1, 0, 1};
	for (how = 0; how < 4; how++) {
		struct child c = child_run(closed_stdout, &how);
		ck_assert_str_eq(c.err, status[how] ? "keypipe: stdout: Bad file descriptor\n" : "");
		ck_assert_int_eq(c.status, status[how]);
	}
	ck_assert_str_eq(get("f"), "new");
}
END_TEST

static void broken_pipe(void *arg)
{
	int p[2];
	if (pipe(p))
		abort();
	close(p[0]);
	dup2(p[1], STDOUT_FILENO);
	signal(SIGPIPE, *(int *)arg ? SIG_IGN : SIG_DFL);
	out_open("f", 0);
	write_file(NULL);
}

/* The pipe's reader has gone: the program ends by SIGPIPE, or by an error where that is ignored; its other output is removed. */
START_TEST(reader_gone)
{
	int ignored = 0;
	struct child c = child_run(broken_pipe, &ignored);
	ck_assert_int_eq(c.signal, SIGPIPE);
	ck_assert_int_eq(access(".f.tmp", F_OK), -1);
	ignored = 1;
	c = child_run(broken_pipe, &ignored);
	ck_assert_str_eq(c.err, "keypipe: stdout: Broken pipe\n");
	ck_assert_int_eq(c.status, 1);
}
END_TEST

static void terminal(void *arg)
{
	int master = posix_openpt(O_RDWR | O_NOCTTY);
	if (master < 0 || grantpt(master) || unlockpt(master))
		_exit(77);
	const char *name = ptsname(master);
	int how = *(int *)arg, fd = open(name, O_RDWR | O_NOCTTY);
	if (fd < 0)
		_exit(77);
	dup2(fd, STDOUT_FILENO);
	struct out *o = out_open(how == 1 ? name : NULL, how != 2);
	out_printf(o, "text\n");
	out_close(o);
	_exit(42);
}

START_TEST(binary_to_a_terminal)
{
	for (int how = 0; how < 3; how++) {
		struct child c = child_run(terminal, &how);
		if (c.status == 77)
			continue; /* no pseudo-terminals here */
		ck_assert_int_eq(c.status, how == 2 ? 42 : 2);
		if (how != 2)
			ck_assert(strstr(c.err, ": binary is not written to a terminal; try keypipe --help\n"));
	}
}
END_TEST

static void nonblocking(void *arg)
{
	int *p = arg;
	dup2(p[1], STDOUT_FILENO);
	close(p[0]);
	close(p[1]);
	fcntl(STDOUT_FILENO, F_SETFL, O_NONBLOCK);
	big_to(NULL);
}

START_TEST(pipe_that_is_full_for_now)
{
	int p[2];
	ck_assert(!pipe(p));
	pid_t pid = fork();
	if (!pid)
		nonblocking(p);
	close(p[1]);
	size_t n = 0;
	char s[1000];
	for (ssize_t r; usleep(100), (r = read(p[0], s, sizeof s)) > 0;)
		n += (size_t)r;
	int status;
	waitpid(pid, &status, 0);
	ck_assert_int_eq(status, 0);
	ck_assert_uint_eq(n, 300000);
}
END_TEST

int main(void)
{
	signal(SIGHUP, SIG_DFL); /* under nohup SIGHUP is ignored */
	Suite *s = suite_create("out");
	TCase *t = tcase_create("out");
	suite_add_tcase(s, t);
	tcase_add_checked_fixture(t, enter, leave);
	tcase_add_test(t, appears_at_close);
	tcase_add_test(t, all_bytes);
	tcase_add_test(t, long_printf);
	tcase_add_test(t, modes);
	tcase_add_test(t, links_are_kept);
	tcase_add_test(t, abandoned);
	tcase_add_loop_test(t, ended, 0, 6);
	tcase_add_test(t, ignored_signals_stay_ignored);
	tcase_add_test(t, killed);
	tcase_add_test(t, second_writer);
	tcase_add_test(t, held);
	tcase_add_test(t, held_in_vain);
	tcase_add_test(t, held_pipe);
	tcase_add_test(t, race);
	tcase_add_test(t, file_size_limit);
	tcase_add_test(t, bad_targets);
	tcase_add_test(t, no_permission);
	tcase_add_test(t, sixty_four);
	tcase_add_test(t, devices);
	tcase_add_test(t, fifo);
	tcase_add_test(t, messages_stay_out_of_files);
	tcase_add_test(t, bad_stdout);
	tcase_add_test(t, reader_gone);
	tcase_add_test(t, binary_to_a_terminal);
	tcase_add_test(t, pipe_that_is_full_for_now);
	SRunner *r = srunner_create(s);
	srunner_run_all(r, CK_NORMAL);
	int failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed != 0;
}
