/* Reads files of annotations of one form. Each test program works in a fresh directory. */
#ifndef IMPORT_H
#define IMPORT_H

#include <check.h>
#include <math.h>
#include <stdarg.h>
#include <string.h>

#include "lib/base/err.h"
#include "lib/import/annotations.h"
#include "tests/child.h"

static const char *import_form;			    /* of this program */
static struct annotations *import_from, import_all; /* import_all: *import_from as it was last */
static struct annotation import_face;
static char import_err[ANNOTATION_ERR];

/* To be called first in main. */
static inline void import_begin(const char *form)
{
	char dir[1024];
	const char *tmp = getenv("TMP");
	snprintf(dir, sizeof dir, "%s/import.XXXXXX", tmp ? tmp : "/tmp");
	if (!mkdtemp(dir) || chdir(dir))
		abort();
	import_form = form;
	err_name("check");
}

static inline void import_write(const char *path, const char *text)
{
	FILE *f = fopen(path, "wb");
	if (!f || fputs(text, f) < 0 || fclose(f))
		abort();
}

struct import_call {
	const char *path;
	struct annotation_options o;
};

static inline void import_open_call(const struct import_call *c)
{
	static struct import_call call;
	call = *c;
	call.o.form = import_form;
	call.o.operands = &call.path;
	call.o.noperands = 1;
	call.o.origin = -1;
	import_from = annotations_open(&call.o);
	import_all = *import_from;
}

static inline int import_next(void)
{
	*import_err = 0;
	int r = annotations_next(import_from, &import_face, import_err);
	import_all = *import_from;
	return r;
}

static inline void import_close(void)
{
	annotations_close(import_from);
}

/* Opens a file with this text. */
static inline void import_open(const char *path, const char *text, struct annotation_options o)
{
	import_write(path, text);
	import_open_call(&(struct import_call){path, o});
}

/* The next face is of this file (as the form names it), is labelled or not, and has these coordinates, all of them. */
static inline void import_is(const char *file, const char *place, int has_points, const double *points)
{
	int r = import_next();
	ck_assert_msg(r == 1, "%d, not a face: %s", r, import_err);
	ck_assert_str_eq(import_face.file, file);
	ck_assert_str_eq(import_face.place, place);
	ck_assert_int_eq(import_face.has_points, has_points);
	for (int i = 0; i < 2 * import_all.K; i++) {
		double is = import_face.points[i], to_be = points ? points[i] : NAN;
		ck_assert_msg(isnan(to_be) ? isnan(is) : is == to_be, "%s: coordinate %d is %.17g, not %.17g", place, i, is, to_be);
	}
}

static inline void import_box(double x, double y, double w, double h)
{
	ck_assert_int_eq(import_face.has_box, 1);
	ck_assert(import_face.box[0] == x && import_face.box[1] == y && import_face.box[2] == w && import_face.box[3] == h);
}

static inline void import_bad(const char *says)
{
	int r = import_next();
	ck_assert_msg(r == -1, "%d, not a fault", r);
	ck_assert_str_eq(import_err, says);
}

static inline void import_ends(void)
{
	int r = import_next();
	ck_assert_msg(r == 0, "%d, not the end: %s, %s", r, import_face.place, import_err);
	ck_assert_int_eq(import_next(), 0); /* and stays there */
}

static inline void import_to_end(void *arg)
{
	import_open_call(arg);
	while (import_next())
		;
}

/* Reading it to the end ends the program with this line. */
static inline void import_dies(const char *path, struct annotation_options o, const char *says)
{
	struct import_call call = {path, o};
	struct child c = child_run(import_to_end, &call);
	char line[4096];
	snprintf(line, sizeof line, "check: %s\n", says);
	ck_assert_msg(c.status == 1, "exit %d for %s: %s", c.status, says, c.err);
	ck_assert_str_eq(c.err, line);
}

static inline void import_refused(const char *text, const char *says)
{
	import_write("bad", text);
	import_dies("bad", (struct annotation_options){0}, says);
}

static inline int import_end(Suite *s)
{
	SRunner *r = srunner_create(s);
	srunner_run_all(r, CK_ENV);
	int failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed != 0;
}

#endif
