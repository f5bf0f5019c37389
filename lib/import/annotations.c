#include "lib/import/annotations.h"

#include <fcntl.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/base/err.h"
#include "lib/base/magic.h"
#include "lib/base/utf8.h"
#include "lib/image/image_path.h"
#include "lib/import/form.h"
#include "lib/import/text.h"

/* The table of forms: their options, and how many operands they take. */
enum { NAMES = 1, CATEGORY = 2, UNLABELLED = 4, POINTS = 8, OUTSIDE = 16, VISIBILITY = 32 };
/* OUTSIDE: points there are kept; VISIBILITY: always tells which labels there are */

static const struct {
	const struct annotation_form *form;
	int most; /* operands */
	int takes;
} forms[] = {
	{&form_coco, 1, POINTS | CATEGORY | UNLABELLED | VISIBILITY},
	{&form_imglab, 1, POINTS | UNLABELLED},
	{&form_pts, 1 << 20, POINTS | UNLABELLED},
	{&form_wflw, 1, POINTS | OUTSIDE},
	{&form_yolo, 1, POINTS | NAMES | UNLABELLED},
	{&form_dlc, 1, POINTS | UNLABELLED},
	{&form_table, 1, POINTS},
	{&form_folder, 1 << 20, 0},
};
enum { FORMS = sizeof forms / sizeof *forms };

struct annotation_reader {
	const struct annotation_options *o;
	const struct annotation_form *form;
	void *state;
	int takes;
	double origin; /* subtracted from points */
	double *points;
	struct image_path path;
	struct stat output; /* what stands where o->output will be written, if has_output */
	int has_output;
};

/* ---- opening ---- */

static int find(const char *name)
{
	int i = 0;
	while (i < FORMS && strcmp(forms[i].form->name, name))
		i++;
	return i < FORMS ? i : -1;
}

static void check_options(const struct annotation_options *o, int most, int takes)
{
	struct stat st;
	if (!o->noperands)
		die_usage("--form %s needs the file or folder of the annotations", o->form);
	if (o->noperands > most)
		die_usage("--form %s reads %d operand%s: '%s' is one too many", o->form, most, most == 1 ? "" : "s", o->operands[most]);
	if (o->names && !(takes & NAMES))
		die_usage("--point-names is not for --form %s, whose files name the points", o->form);
	if (o->category && !(takes & CATEGORY))
		die_usage("--category is not for --form %s, which has no categories", o->form);
	if (o->unlabelled && !(takes & UNLABELLED))
		die_usage("--unlabelled is not for --form %s, which knows of no such images", o->form);
	if (o->missing && !(takes & POINTS))
		die_usage("--missing is not for --form %s, which has no points", o->form);
	if (o->missing && (takes & VISIBILITY))
		die_usage("--missing is not for --form %s, where visibility 0 tells that there is no label", o->form);
	if (o->origin >= 0 && !(takes & POINTS))
		die_usage("--origin is not for --form %s, which has no points", o->form);
	if (o->images && stat(o->images, &st))
		die_errno("--images %s", o->images);
	if (o->images && !S_ISDIR(st.st_mode))
		die("--images %s: is no folder", o->images);
}

/* A file that another form reads, or that is no text, is told as such, not by its first line. */
static void check_kind(const char *form, const char *path)
{
	unsigned char head[MAGIC_BYTES];
	struct stat st;
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK), is = fd >= 0 && !fstat(fd, &st) && S_ISREG(st.st_mode);
	long n = is ? magic_read(fd, head) : 0;
	if (n < 0)
		die_errno("%s", path);
	if (fd >= 0)
		close(fd);
	const struct magic *m = n > 0 ? magic_find(head, (size_t)n) : NULL;
	const char *reader = !m ? NULL : !strcmp(m->what, "JSON") ? "coco" : !strcmp(m->what, "XML") ? "imglab" : NULL;
	if (reader && strcmp(reader, form))
		die("%s: this is %s, as --form %s reads it", path, m->what, reader);
	if (m && !reader && m->kind == MAGIC_OTHER && strcmp(form, "coco") && strcmp(form, "imglab") && strcmp(form, "table") &&
		strcmp(form, "folder"))
		die("%s: this is %s, nothing for --form %s", path, m->what, form);
}

/* What META points can hold, and options can name. */
static void make_plain(char *name)
{
	for (unsigned char *c = (unsigned char *)name; *c; c++)
		if (*c <= ' ' || *c == ',' || *c == '"' || *c == 127)
			*c = '_';
}

/* A stream's META points can't hold it. */
static void not_utf8(const struct annotations *a, int k)
{
	const struct annotation_options *o = a->reader->o;
	char word[300];
	magic_word(word, sizeof word, o->operands[0]);
	if (o->names)
		die("--point-names %s: point %d: '%.100s' is not UTF-8", o->names, k + 1, a->names[k]);
	die("%s: point %d: '%.100s' is not UTF-8; if it is Latin-1: iconv -f LATIN1 -t UTF-8 %s %s", o->operands[0], k + 1, a->names[k],
		word, err_then());
}

static void check_names(struct annotations *a)
{
	const char *file = a->reader->o->operands[0];
	for (int k = 0; k < a->K; k++) {
		make_plain(a->names[k]);
		if (!utf8_valid((const unsigned char *)a->names[k], strlen(a->names[k])))
			not_utf8(a, k);
		if (!*a->names[k])
			die("%s: point %d has no name", file, k + 1);
		for (int i = 0; i < k; i++)
			if (!strcmp(a->names[i], a->names[k]))
				die("%s: points %d and %d are both called '%.100s'", file, i + 1, k + 1, a->names[k]);
	}
}

struct annotations *annotations_open(const struct annotation_options *o)
{
	static const double origins[] = {0, 0.5, 1};
	int i = find(o->form);
	struct annotations *a = xcalloc(1, sizeof *a);
	struct annotation_reader *r = a->reader = xcalloc(1, sizeof *r);
	if (i < 0)
		die_usage("--form %s: there is no such form", o->form);
	check_options(o, forms[i].most, forms[i].takes);
	r->o = o;
	r->form = forms[i].form;
	r->takes = forms[i].takes;
	r->origin = origins[o->origin >= 0 ? o->origin : r->form->origin];
	for (int k = 0; k < o->noperands; k++)
		check_kind(o->form, o->operands[k]);
	image_path_begin(&r->path, o->operands[0], o->images);
	r->has_output = o->output && !stat(o->output, &r->output) && S_ISREG(r->output.st_mode);
	sentinels_state(&a->missing, o->missing);
	a->doubts.told = o->missing || r->takes & VISIBILITY;
	r->state = r->form->open(a, o);
	check_names(a);
	r->points = xcalloc(2 * (size_t)a->K + 1, sizeof *r->points);
	return a;
}

void annotations_close(struct annotations *a)
{
	struct annotation_reader *r = a->reader;
	r->form->close(r->state);
	image_path_end(&r->path);
	for (int k = 0; k < a->K; k++)
		free(a->names[k]);
	free(a->names), free(a->unread), free(a->renumbered), free(a->nameless), free(a->category), free(a->flip), free(a->other_kinds),
		free(a->within), free(a->loops), free(r->points), free(r), free(a);
}

int annotations_outside(const struct annotations *a)
{
	return a->reader->takes & OUTSIDE ? 1 : 0;
}

/* ---- faces ---- */

int annotations_fault(const struct annotations *a, const struct annotation *face, char err[ANNOTATION_ERR], const char *fmt, ...)
{
	const struct annotation_options *o = a->reader->o;
	char why[ANNOTATION_ERR / 2];
	va_list ap;
	va_start(ap, fmt);
	vsnprintf(why, sizeof why, fmt, ap);
	va_end(ap);
	snprintf(err, ANNOTATION_ERR, "%s%s%s%s%s", o->noperands == 1 ? text_input(o->operands[0]) : "", o->noperands == 1 ? ": " : "",
		face->place, *face->place ? ": " : "", why);
	return -1;
}

/* An image of a folder or a list, which opt_parse does not know, would be replaced. */
static int is_output(const struct annotation_reader *r, const char *path)
{
	struct stat st;
	return r->has_output && !stat(path, &st) && st.st_dev == r->output.st_dev && st.st_ino == r->output.st_ino;
}

static int set_path(struct annotations *a, struct annotation *face, char err[ANNOTATION_ERR])
{
	struct annotation_reader *r = a->reader;
	if (!face->path && !*face->file)
		return annotations_fault(a, face, err, "there is no name of an image");
	if (!face->path)
		face->path = image_path(&r->path, face->file);
	if (!face->path)
		return annotations_fault(a, face, err, "its image '%.200s' lies outside of %s", face->file,
			r->o->images ? "--images" : "the file's folder (--images DIR: a folder that holds it)");
	face->path = image_path_there(&r->path, face->path);
	if (is_output(r, face->path))
		die_usage("--output %s: is the image %s", r->o->output, face->path);
	return 1;
}

/* Points have both coordinates or none, boxes have a size, and all of it is pixels. */
static int check(const struct annotations *a, struct annotation *face, char err[ANNOTATION_ERR])
{
	const double far = 1e7, *b = face->box;
	int labelled = 0;
	for (int k = 0; k < a->K; k++) {
		const double *p = face->points + 2 * k;
		if (isnan(p[0]) != isnan(p[1]))
			return annotations_fault(
				a, face, err, "%s has %s, but no %s", a->names[k], isnan(p[0]) ? "a y" : "an x", isnan(p[0]) ? "x" : "y");
		if (fabs(p[0]) > far || fabs(p[1]) > far)
			return annotations_fault(a, face, err, "%s is at %g,%g, which are no pixels", a->names[k], p[0], p[1]);
		labelled |= !isnan(p[0]);
	}
	face->has_points = labelled;
	if (face->has_box && !(b[2] > 0 && b[3] > 0))
		return annotations_fault(a, face, err, "its box has %g x %g pixels", b[2], b[3]);
	if (face->has_box && !(fabs(b[0]) < far && fabs(b[1]) < far && b[2] < far && b[3] < far))
		return annotations_fault(a, face, err, "its box is at %g,%g, of %g x %g: no pixels", b[0], b[1], b[2], b[3]);
	return 1;
}

/* As the file has them. */
static void leave_out_missing(const struct annotations *a, double *points)
{
	for (int k = 0; k < a->K && a->missing.nstated > 0; k++)
		if (sentinel_is(&a->missing, 0, (float[]){(float)points[2 * k], (float)points[2 * k + 1]}))
			points[2 * k] = points[2 * k + 1] = NAN;
}

int annotations_next(struct annotations *a, struct annotation *face, char err[ANNOTATION_ERR])
{
	struct annotation_reader *r = a->reader;
	*face = (struct annotation){.points = r->points, .id = -1, .image_id = -1};
	for (int i = 0; i < 2 * a->K; i++)
		r->points[i] = NAN;
	int got = r->form->next(r->state, a, face, err);
	if (got == 1 && !r->form->relative) {
		leave_out_missing(a, r->points);
		doubts_add(&a->doubts, r->points, face->confidence, a->K);
	}
	if (got == 1)
		got = set_path(a, face, err);
	if (got == 1)
		got = check(a, face, err);
	for (int i = 0; i < 2 * a->K && !r->form->relative; i++)
		r->points[i] -= r->origin;
	return got;
}

void annotations_scale(const struct annotations *a, struct annotation *face, int W, int H)
{
	const struct annotation_reader *r = a->reader;
	if (!r->form->relative)
		return;
	for (int i = 0; i < 2 * a->K; i++)
		face->points[i] = face->points[i] * (i % 2 ? H : W) - r->origin;
	for (int i = 0; i < 4; i++)
		face->box[i] *= i % 2 ? H : W;
}
