/* The files that options name: which are written, and which are one. */
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/base/err.h"
#include "lib/base/opt_files.h"
#include "lib/base/opt_io.h"
#include "lib/base/out.h"

/* The name without ./ before it. */
static const char *plain_name(const char *path)
{
	while (!strncmp(path, "./", 2))
		path += 2;
	return path;
}

/* One file under two names; named: of files that are not there yet, by the names alone. */
static int same_file(const char *a, const char *b, int named)
{
	struct stat x, y;
	if (!a || !b)
		return 0;
	int there = !stat(a, &x);
	if (there != !stat(b, &y))
		return 0;
	return there ? S_ISREG(x.st_mode) && x.st_dev == y.st_dev && x.st_ino == y.st_ino : named && !strcmp(plain_name(a), plain_name(b));
}

/* The file is open as this descriptor: stdin or stdout, redirected. */
static int is_redirected(const char *path, int fd)
{
	struct stat x, y;
	return !fstat(fd, &x) && S_ISREG(x.st_mode) && !stat(path, &y) && x.st_dev == y.st_dev && x.st_ino == y.st_ino;
}

/* Value i of an option that takes text, or NULL after the last. */
static const char *text_value(const struct opt *o, int i)
{
	const struct opt_list *l = o->to;
	if (o->kind == OPT_LIST)
		return i < l->n ? l->v[i] : NULL;
	return o->kind == OPT_STR && !i ? *(const char *const *)o->to : NULL;
}

/* options whose files are written, in all programs */
static const char *const written[] = {
	"output", "report", "log", "checkpoint", "suspects", "people", "test", "test-lookup", "solution", "planted", NULL};

void opt_files_check_one(const struct opt *table, const struct opt *w, const char *path, char *const *operand, int n)
{
	for (int i = 0; i < n; i++)
		if (same_file(path, operand[i], 0))
			die_usage("--%s %s: is the input %s", w->name, path, operand[i]);
	if (is_redirected(path, STDIN_FILENO))
		die_usage("--%s %s: is stdin", w->name, path);
	for (const struct opt *o = table; o->name; o++)
		for (int i = 0; o != w && text_value(o, i); i++)
			if (same_file(path, text_value(o, i), opt_is_named(written, o->name)))
				die_usage("--%s %s: is the file of --%s too", w->name, path, o->name);
}

/* OUT may be a folder, whose files the program itself writes. */
static int is_folder(const struct opt *o, const char *path)
{
	struct stat st;
	size_t n = strlen(path);
	return o->arg && !strcmp(o->arg, "OUT") && ((n && path[n - 1] == '/') || (!stat(path, &st) && S_ISDIR(st.st_mode)));
}

static int is_stdout(const char *path)
{
	return !path || !strcmp(path, "-") || !strcmp(path, "/dev/stdout") || !strcmp(path, "/dev/fd/1") ||
	       !strcmp(path, "/proc/self/fd/1");
}

/* What stands beside the output, or beside another such file, is none of it. */
static void check_stdout(const struct opt *table)
{
	static const char *const reopened[] = {"log", "checkpoint", NULL};
	const struct opt *first = NULL;
	for (const struct opt *o = table; o->name; o++)
		if (!strcmp(o->name, "output") && is_stdout(text_value(o, 0)))
			first = o;
	for (const struct opt *o = table; o->name; o++)
		for (int i = 0; strcmp(o->name, "output") && opt_is_named(written, o->name) && text_value(o, i); i++) {
			const char *path = text_value(o, i);
			if (!is_stdout(path))
				continue;
			if (opt_is_named(reopened, o->name))
				die_usage("--%s %s: it must be a file, which is read again", o->name, path);
			if (first)
				die_usage("--%s %s: stdout is that of --%s", o->name, path, first->name);
			first = o;
		}
}

void opt_files_check(const struct opt *table, char *const *operand, int n)
{
	check_stdout(table);
	for (const struct opt *o = table; o->name; o++)
		for (int i = 0; opt_is_named(written, o->name) && text_value(o, i); i++) {
			opt_files_check_one(table, o, text_value(o, i), operand, n);
			if (!is_folder(o, text_value(o, i)))
				out_check(text_value(o, i), 0);
		}
	for (int i = 0; i < n; i++)
		if (is_redirected(operand[i], STDOUT_FILENO))
			die_usage("%s: is the input, and stdout", operand[i]);
}
