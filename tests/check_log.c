#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "child.h"
#include "lib/base/err.h"
#include "lib/base/log.h"
#include "lib/base/opt.h"

static char path[256];

static void enter(void)
{
	snprintf(path, sizeof path, "%s/check_log.XXXXXX", getenv("TMP") ? getenv("TMP") : "/tmp");
	int fd = mkstemp(path);
	if (fd < 0)
		abort();
	close(fd);
}

static void leave(void)
{
	unlink(path);
}

static const char *get(void)
{
	static char s[4096];
	FILE *f = fopen(path, "r");
	if (!f)
		return "(no file)";
	s[fread(s, 1, sizeof s - 1, f)] = 0;
	fclose(f);
	return s;
}

static void put(const char *text)
{
	FILE *f = fopen(path, "w");
	ck_assert(f && fputs(text, f) >= 0 && !fclose(f));
}

#define HEAD "epoch\tloss\n"

START_TEST(lines_appear_at_once)
{
	put("epoch\tother columns, in a text that is longer than what comes\n");
	struct tlog *l = tlog_open(path, "epoch\tloss", 0);
	ck_assert_str_eq(get(), HEAD);
	tlog_line(l, "%d\t%.2f", 1, 0.5);
	ck_assert_str_eq(get(), HEAD "1\t0.50\n");
	tlog_line(l, "2\t%0500d", 7);
	ck_assert(strlen(get()) == strlen(HEAD) + 7 + 2 + 500 + 1);
	tlog_close(l);
}
END_TEST

static const struct {
	const char *was;
	uint64_t keep;
	const char *kept;
} resumed[] = {
	{HEAD "1\ta\n2\tb\n3\tc\n", 2, HEAD "1\ta\n2\tb\n"},
	{HEAD "1\ta\n2\tb\n3\tc\n", 3, HEAD "1\ta\n2\tb\n3\tc\n"},
	{HEAD "1\ta\n2\tb\n3\tc\n", 99, HEAD "1\ta\n2\tb\n3\tc\n"},
	{HEAD "1\ta\n2\tb\n10\tc\n", 9, HEAD "1\ta\n2\tb\n"}, /* as numbers */
	{HEAD "1\ta\n2\tb", 2, HEAD "1\ta\n"},		      /* cut within a line */
	{HEAD "1\ta\n2", 2, HEAD "1\ta\n"},
	{HEAD "1\ta\nx\n2\tb\n", 2, HEAD "1\ta\n"},
	{HEAD "5\ta\n", 2, HEAD},
	{HEAD, 2, HEAD},
	{"epoch\tlo", 2, HEAD},
	{"", 2, HEAD},
	{HEAD "1\ta\n", 0, HEAD},
};

START_TEST(resume)
{
	put(resumed[_i].was);
	struct tlog *l = tlog_open(path, "epoch\tloss", resumed[_i].keep);
	ck_assert_str_eq(get(), resumed[_i].kept);
	tlog_line(l, "next");
	char want[200];
	snprintf(want, sizeof want, "%snext\n", resumed[_i].kept);
	ck_assert_str_eq(get(), want);
	tlog_close(l);
}
END_TEST

START_TEST(resume_without_a_log)
{
	unlink(path);
	struct tlog *l = tlog_open(path, "epoch\tloss", 7);
	tlog_close(l);
	ck_assert_str_eq(get(), HEAD);
}
END_TEST

START_TEST(no_log)
{
	struct tlog *l = tlog_open(NULL, "epoch", 0);
	ck_assert_ptr_null(l);
	tlog_line(l, "%d", 1);
	tlog_close(l);
}
END_TEST

struct
try {
	const char *path;
	uint64_t keep;
};

static void log_to(void *arg)
{
	struct try *t = arg;
	struct tlog *l = tlog_open(t->path, "epoch\tloss", t->keep);
	tlog_line(l, "1");
	tlog_close(l);
	_exit(0);
}

START_TEST(bad_logs)
{
	struct try t = {"/dev/full", 0};
	struct child c = child_run(log_to, &t);
	ck_assert_str_eq(c.err, "keypipe: /dev/full: No space left on device\n");
	ck_assert_int_eq(c.status, 1);
	t.path = "/nowhere/x";
	c = child_run(log_to, &t);
	ck_assert_str_eq(c.err, "keypipe: /nowhere/x: No such file or directory\n");
	/* another run's log is not truncated */
	put("epoch\tother\n1\t2\n");
	t.path = path, t.keep = 3;
	c = child_run(log_to, &t);
	char want[400];
	snprintf(want, sizeof want, "keypipe: %s: its columns are not this run's\n", path);
	ck_assert_str_eq(c.err, want);
	ck_assert_str_eq(get(), "epoch\tother\n1\t2\n");
	t.path = "/dev/stderr", t.keep = 0;
	c = child_run(log_to, &t);
	ck_assert_int_eq(c.status, 0);
}
END_TEST

/* ---- progress ---- */

static void plain_progress(void *arg)
{
	(void)arg;
	struct progress p;
	progress_begin(&p, "rows", 0);
	for (int i = 0; i < 3; i++) {
		usleep(110000);
		progress_tick(&p, (uint64_t)i, 10);
	}
	progress_end(&p);
	log_provenance(1);
	_exit(0);
}

START_TEST(silent_without_a_terminal)
{
	struct child c = child_run(plain_progress, NULL);
	ck_assert_str_eq(c.err, "");
}
END_TEST

/* Progress on a pseudo-terminal; its output is copied to stdout. */
static void drawn_progress(void *arg)
{
	int quiet = *(int *)arg == 1, total = *(int *)arg == 2 ? 0 : *(int *)arg == 3 ? 5 : 20;
	int master = posix_openpt(O_RDWR | O_NOCTTY), fd;
	if (master < 0 || grantpt(master) || unlockpt(master) || (fd = open(ptsname(master), O_RDWR | O_NOCTTY)) < 0)
		_exit(77);
	dup2(fd, STDERR_FILENO);
	struct progress p;
	progress_begin(&p, "rows", quiet);
	for (uint64_t i = 1; i <= 20; i++) {
		for (int k = 0; k < 1000; k++)
			progress_tick(&p, i, (uint64_t)total);
		usleep(20000);
	}
	progress_end(&p);
	progress_end(&p);
	char s[4096];
	fcntl(master, F_SETFL, O_NONBLOCK);
	for (int tries = 0; tries < 10; tries++, usleep(10000)) { /* the pseudo-terminal delivers with a delay */
		ssize_t n = read(master, s, sizeof s);
		(void)!write(STDOUT_FILENO, s, n > 0 ? (size_t)n : 0);
	}
	_exit(0);
}

static int count(const char *s, char c)
{
	int n = 0;
	for (; *s; s++)
		n += *s == c;
	return n;
}

START_TEST(bar_on_a_terminal)
{
	int how = 0;
	struct child c = child_run(drawn_progress, &how);
	if (c.status == 77)
		return; /* no pseudo-terminals here */
	ck_assert(strstr(c.out, " of 20 rows, ") && strstr(c.out, "/s, 0:00 left") && strstr(c.out, "##########"));
	/* 0.4 s: at most 4 redraws, then one erase; no newline */
	int n = count(c.out, '\r');
	ck_assert_msg(n >= 2 && n <= 6, "%d drawings", n);
	ck_assert_int_eq(count(c.out, '\n'), 0);
	ck_assert_str_eq(c.out + strlen(c.out) - 4, "\r\033[K");
	how = 1;
	c = child_run(drawn_progress, &how);
	ck_assert_str_eq(c.out, "");
	how = 2;
	c = child_run(drawn_progress, &how);
	ck_assert(strstr(c.out, " rows, ") && !strstr(c.out, "left") && !strchr(c.out, '#'));
	how = 3; /* more than were told */
	c = child_run(drawn_progress, &how);
	ck_assert(strstr(c.out, "#################### 100%  ") && strstr(c.out, " of 5 rows, ") && strstr(c.out, ", 0:00 left"));
	ck_assert(!strstr(c.out, "101%") && !strstr(c.out, "120%"));
}
END_TEST

static void provenance(void *arg)
{
	err_name("prog");
	volatile char *p = xmalloc(50u << 20);
	for (size_t i = 0; i < 50u << 20; i += 4096)
		p[i] = 1;
	log_provenance(*(int *)arg);
	_exit(0);
}

START_TEST(provenance_line)
{
	int quiet = 0;
	double seconds;
	long mib;
	char end;
	struct child c = child_run(provenance, &quiet);
	ck_assert_int_eq(sscanf(c.err, "prog " KEYPIPE_VERSION ", %lf s, %ld MiB%c", &seconds, &mib, &end), 3);
	ck_assert(end == '\n' && seconds >= 0 && seconds < 60 && mib >= 50 && mib < 2000);
	quiet = 1;
	c = child_run(provenance, &quiet);
	ck_assert_str_eq(c.err, "");
}
END_TEST

START_TEST(clock_runs)
{
	double a = log_seconds();
	usleep(20000);
	double d = log_seconds() - a;
	ck_assert(d >= 0.02 && d < 10);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("log");
	TCase *t = tcase_create("log");
	suite_add_tcase(s, t);
	tcase_add_checked_fixture(t, enter, leave);
	tcase_add_test(t, lines_appear_at_once);
	tcase_add_loop_test(t, resume, 0, sizeof resumed / sizeof *resumed);
	tcase_add_test(t, resume_without_a_log);
	tcase_add_test(t, no_log);
	tcase_add_test(t, bad_logs);
	tcase_add_test(t, silent_without_a_terminal);
	tcase_add_test(t, bar_on_a_terminal);
	tcase_add_test(t, provenance_line);
	tcase_add_test(t, clock_runs);
	SRunner *r = srunner_create(s);
	srunner_run_all(r, CK_NORMAL);
	int failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed != 0;
}
