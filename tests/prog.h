/* Runs programs of $BIN on small streams that none of them would write: predictions that are no numbers, tensors of a wrong type. Each test
 * program works in a fresh directory, so that file names are relative. */
#ifndef PROG_H
#define PROG_H

#include <check.h>
#include <fcntl.h>
#include <stdarg.h>
#include <string.h>

#include "lib/stream/tns.h"
#include "tests/child.h"

static char prog_bin[4096];

/* To be called first in main. */
static inline void prog_begin(void)
{
	char dir[1024];
	const char *bin = getenv("BIN"), *tmp = getenv("TMP");
	snprintf(dir, sizeof dir, "%s/prog.XXXXXX", tmp ? tmp : "/tmp");
	if (!realpath(bin ? bin : "build/bin", prog_bin) || !mkdtemp(dir) || chdir(dir))
		abort();
}

static inline void prog_exec(void *arg)
{
	char **argv = arg, path[8192];
	int in = open(argv[0][0] == '<' ? argv[0] + 1 : "/dev/null", O_RDONLY);
	snprintf(path, sizeof path, "%s/%s", prog_bin, argv[1]);
	dup2(in, STDIN_FILENO);
	execv(path, argv + 1);
	perror(path);
	_exit(98);
}

/* Runs name with arguments up to NULL, stdin empty; "<FILE" as the first one is stdin. */
__attribute__((sentinel)) static inline struct child prog(const char *name, ...)
{
	char *argv[32] = {(char[]){""}, (char *)(uintptr_t)name}, *a;
	int n = 2;
	va_list ap;
	va_start(ap, name);
	while ((a = va_arg(ap, char *))) {
		if (*a == '<')
			argv[0] = a;
		else if (n < 31)
			argv[n++] = a;
	}
	va_end(ap);
	return child_run(prog_exec, argv);
}

/* Checks for this exit status, one line on stderr that contains the text, and no file `out` or its temporary. */
static inline void prog_refused(struct child c, int status, const char *text)
{
	ck_assert_msg(c.status == status, "exit %d, not %d: %s", c.status, status, c.err);
	ck_assert_msg(strstr(c.err, text) != NULL, "no '%s' in: %s", text, c.err);
	ck_assert_msg(strchr(c.err, '\n') == c.err + strlen(c.err) - 1, "not one line: %s", c.err);
	ck_assert(access("out", F_OK) && access(".out.tmp", F_OK));
}

static inline void prog_went(struct child c)
{
	ck_assert_msg(c.status == 0, "exit %d: %s", c.status, c.err);
}

struct prog_col { /* a tensor: rows x a x b elements; a or b 0: fewer dimensions */
	const char *name;
	int dtype;
	uint64_t a, b;
	const void *data;
};

/* A stream of columns up to a name of NULL, with METAs key, value, ... up to NULL. */
static inline const char *prog_stream(const char *path, uint64_t rows, const struct prog_col *col, const char *const *meta)
{
	struct tns_writer *w = tns_create(path);
	for (; meta && *meta; meta += 2)
		tns_put_meta(w, meta[0], meta[1]);
	for (int i = 0; col[i].name; i++)
		tns_define(w, col[i].name, col[i].dtype, 1 + !!col[i].a + !!col[i].b, (uint64_t[]){TNS_UNLIMITED, col[i].a, col[i].b});
	for (int i = 0; rows && col[i].name; i++)
		tns_write(w, i, col[i].data, rows);
	tns_close(w);
	return path;
}

/* Copies the stream `from` to `to`, changed: META key (NULL: none) has this value, NULL: is left out, as one that is not there is put;
 * tensor (NULL: none) has a row less, or is left out where drop. */
static inline const char *prog_altered(const char *from, const char *to, const char *key, const char *value, const char *tensor, int drop)
{
	struct tns_table *b = tns_load(from);
	const struct tns *t = tns_table_head(b);
	struct tns_writer *w = tns_create(to);
	for (int i = 0; i < t->nmeta; i++)
		if (!key || strcmp(t->meta[i].key, key))
			tns_copy_meta(w, &t->meta[i]);
	if (key && value)
		tns_put_meta(w, key, value);
	int id[256], n = 0;
	uint64_t rows[256];
	for (int i = 0; i < t->ntensors && i < 256; i++) {
		struct tns_def d = t->def[i];
		int bad = tensor && !strcmp(d.name, tensor);
		id[i] = -1, rows[i] = d.rows - (uint64_t)bad;
		if (bad && drop)
			continue;
		d.dim[0] -= (uint64_t)(bad && d.dim[0] != TNS_UNLIMITED);
		id[i] = tns_define(w, d.name, d.dtype, d.ndim, d.dim), n++;
	}
	for (int i = 0; n && i < t->ntensors && i < 256; i++)
		for (uint64_t r = 0; id[i] >= 0 && r < rows[i]; r++)
			tns_write(w, id[i], tns_row(b, i, r), 1);
	tns_close(w);
	tns_unload(b);
	return to;
}

/* The end of main: runs the suite of one case. */
static inline int prog_end(Suite *s)
{
	SRunner *r = srunner_create(s);
	srunner_run_all(r, CK_NORMAL);
	int failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed != 0;
}

#endif
