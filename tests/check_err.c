#include <check.h>
#include <errno.h>
#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <wchar.h>

#include "child.h"
#include "lib/base/err.h"

static void do_die(void *arg)
{
	err_name("prog");
	printf("half a line");
	die("%s", (const char *)arg);
}

static int lines(const char *s)
{
	int n = 0;
	for (; *s; s++)
		n += *s == '\n';
	return n;
}

START_TEST(one_line)
{
	static const struct {
		const char *value, *shown;
	} v[] = {{"plain", "plain"}, {"a\nb\tc\r", "a\\nb\\tc\\r"}, {"\033[31mred\a\177", "\\x1b[31mred\\x07\\x7f"},
		{"caf\xc3\xa9", "caf\xc3\xa9"},
		{"\xc2\x9b"
		 "31m",
			"\\xc2\\x9b31m"},
		{"\xff\xfe", "\\xff\\xfe"}, {"cut \xe2\x82", "cut \\xe2\\x82"}, {"%s%n", "%s%n"}};
	for (size_t i = 0; i < sizeof v / sizeof *v; i++) {
		struct child c = child_run(do_die, (void *)(uintptr_t)v[i].value);
		char want[100];
		snprintf(want, sizeof want, "prog: %s\n", v[i].shown);
		ck_assert_str_eq(c.err, want);
#ifndef __SANITIZE_THREAD__		     /* TSan flushes at _exit */
		ck_assert_str_eq(c.out, ""); /* buffered stdout, half a result, is dropped */
#endif
		ck_assert_int_eq(c.status, 1);
	}
}
END_TEST

static void die_long(void *arg)
{
	char value[20000];
	size_t n = (size_t) * (int *)arg;
	err_name("prog");
	for (size_t i = 0; i < n; i++)
		value[i] = "\xc3\xa9\n"[i % 3];
	value[n] = 0;
	errno = ENOSPC;
	die_errno("value %s is bad", value);
}

START_TEST(long_values)
{
	for (int n = 0; n < 19000; n += n < 1200 ? 7 : 1777) {
		struct child c = child_run(die_long, &n);
		ck_assert_int_eq(c.status, 1);
		ck_assert_int_eq(lines(c.err), 1);
		ck_assert_msg(strlen(c.err) <= 1020, "%d gave %zu", n, strlen(c.err));
		ck_assert(!strncmp(c.err, "prog: value ", 12));
		ck_assert_msg(strstr(c.err, ": No space left on device\n") != NULL, "%d: %s", n, c.err);
	}
}
END_TEST

static void usage(void *arg)
{
	(void)arg;
	err_name("prog");
	die_usage("--n: 7 is too much");
}

static void die_unwritable(void *arg)
{
	(void)arg;
	err_name("prog");
	die("a value of %ls", L"\x80");
}

/* A reason that can't be formatted, as of a character that the locale lacks, is none, not a part of one. */
START_TEST(no_reason)
{
	struct child c = child_run(die_unwritable, NULL);
	ck_assert_str_eq(c.err, "prog: \n");
	ck_assert_int_eq(c.status, 1);
}
END_TEST

START_TEST(wrong_use)
{
	struct child c = child_run(usage, NULL);
	ck_assert_str_eq(c.err, "prog: --n: 7 is too much; try prog --help\n");
	ck_assert_int_eq(c.status, 2);
}
END_TEST

static void note(void *arg, const char *reason)
{
	char s[100];
	int n = snprintf(s, sizeof s, "%s(%s) ", (const char *)arg, reason);
	(void)!write(STDOUT_FILENO, s, (size_t)n);
}

static void note_and_die(void *arg, const char *reason)
{
	note(arg, reason);
	die("again");
}

static void hooks(void *arg)
{
	(void)arg;
	static char a[] = "a", b[] = "b", c[] = "c", d[] = "d";
	err_add_hook(note, a);
	err_add_hook(note, b);
	err_add_hook(note_and_die, c);
	err_add_hook(note, d);
	err_remove_hook(b);
	die_usage("why");
}

/* Hooks run last first; removed ones don't; a hook that calls die itself does not stop the others or change their reason and the status. */
START_TEST(death_hooks)
{
	struct child c = child_run(hooks, NULL);
	ck_assert_str_eq(c.out, "d(why; try keypipe --help) c(why; try keypipe --help) a(again) ");
	ck_assert_str_eq(c.err, "keypipe: why; try keypipe --help\n");
}
END_TEST

static void to_closed_pipe(void *arg, const char *reason)
{
	(void)reason;
	(void)!write(((int *)arg)[1], "x", 1);
}

static void hook_without_reader(void *arg)
{
	int p[2];
	err_add_hook(note, "rest");
	if (pipe(p) || close(p[0]))
		abort();
	err_add_hook(to_closed_pipe, p);
	die("%s", (char *)arg);
}

/* A hook that writes to a pipe without a reader does not end the program by SIGPIPE. */
START_TEST(hook_to_a_closed_pipe)
{
	struct child c = child_run(hook_without_reader, "x");
	ck_assert_int_eq(c.status, 1);
	ck_assert_str_eq(c.out, "rest(x) ");
}
END_TEST

static void many_hooks(void *arg)
{
	static char s[64][16];
	for (int round = 0; round < 3; round++) {
		for (int i = 0; i < 64; i++) {
			snprintf(s[i], sizeof s[i], "%d", i);
			err_add_hook(note, s[i]);
		}
		for (int i = 0; i < 64 && round < 2; i++)
			err_remove_hook(s[i]);
	}
	for (int i = 1; i < 63; i++)
		err_remove_hook(s[i]);
	die("%s", (char *)arg);
}

START_TEST(hooks_are_reused)
{
	struct child c = child_run(many_hooks, "x");
	ck_assert_str_eq(c.out, "63(x) 0(x) ");
}
END_TEST

static void *die_in_thread(void *arg)
{
	pthread_barrier_wait(arg);
	die("one of many");
}

static void slow(void *arg, const char *reason)
{
	usleep(20000);
	note(arg, reason);
}

static void many_die(void *arg)
{
	(void)arg;
	pthread_barrier_t b;
	pthread_t t[8];
	err_add_hook(slow, "once");
	pthread_barrier_init(&b, NULL, 9);
	for (int i = 0; i < 8; i++)
		pthread_create(&t[i], NULL, die_in_thread, &b);
	pthread_barrier_wait(&b);
	die("one of many");
}

START_TEST(threads_die_at_once)
{
	struct child c = child_run(many_die, NULL);
	ck_assert_str_eq(c.err, "keypipe: one of many\n");
	ck_assert_str_eq(c.out, "once(one of many) ");
	ck_assert_int_eq(c.status, 1);
}
END_TEST

static void no_memory(void *arg)
{
	volatile size_t huge = (size_t)1 << 62;
	if (*(int *)arg == 0)
		xmalloc(huge);
	if (*(int *)arg == 1)
		xcalloc(huge, 8);
	if (*(int *)arg == 2)
		free(xrealloc(xmalloc(1), huge));
}

START_TEST(memory_or_death)
{
	free(xmalloc(0));
	free(xcalloc(0, 0));
	free(xrealloc(xmalloc(3), 0));
	char *s = xprintf("%d-%s", 5, "x"), *t = xstrdup(s);
	ck_assert_str_eq(t, "5-x");
	free(s);
	free(t);
	for (int i = 0; i < 3; i++) {
		struct child c = child_run(no_memory, &i);
		ck_assert_int_eq(c.status, 1);
		ck_assert(strstr(c.err, "keypipe: out of memory (") != NULL);
	}
}
END_TEST

/* Sanitizers abort on huge allocations by default. */
const char *__asan_default_options(void), *__tsan_default_options(void);
const char *__asan_default_options(void)
{
	return "allocator_may_return_null=1";
}

const char *__tsan_default_options(void)
{
	return "allocator_may_return_null=1";
}

int main(void)
{
	Suite *s = suite_create("err");
	TCase *t = tcase_create("err");
	suite_add_tcase(s, t);
	tcase_add_test(t, one_line);
	tcase_add_test(t, long_values);
	tcase_add_test(t, no_reason);
	tcase_add_test(t, wrong_use);
	tcase_add_test(t, death_hooks);
	tcase_add_test(t, hook_to_a_closed_pipe);
	tcase_add_test(t, hooks_are_reused);
	tcase_add_test(t, threads_die_at_once);
	tcase_add_test(t, memory_or_death);
	SRunner *r = srunner_create(s);
	srunner_run_all(r, CK_NORMAL);
	int failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed != 0;
}
