/* YOLO pose: a file an image, a line a face: class, box (centre and size), K points of two numbers, or of three with their visibility (0,
 * 1, 2), all but class and visibility as shares of the image's width or height. Every class is taken. A point without visibility is missing
 * where both numbers are 0. A file classes.txt without an image is none of labels.
 *
 * Lines of 5 numbers are boxes without points. K and how many numbers a point has come from the length of the first line, 5 + 2 K or 5 + 3
 * K; from kpt_shape or the number of names where they are given (yolo_names.h). Where both could be (5 + 6 n), visibility is read if each
 * third number of the first lines is 0, 1 or 2; else they may be points of two, or those of a result with how sure it is: a fault. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "lib/base/err.h"
#include "lib/import/form.h"
#include "lib/import/stem_files.h"
#include "lib/import/text.h"
#include "lib/import/yolo_names.h"

enum { FIRST = 5, LOOKED_AT = 100 };
#define HAIR 1e-3 /* so far beyond the image a share is clipped: rounding */

struct yolo {
	struct stem_files files;
	size_t at; /* the current file is at - 1 */
	struct lines *lines;
	long line, faces; /* in the current file */
	int dims;	  /* numbers a point: 2 or 3 */
	int unlabelled;
	const struct sentinels *missing;
};

static void close_file(struct yolo *t)
{
	if (t->lines)
		lines_free(t->lines);
	t->lines = NULL;
}

static int count_words(struct span rest)
{
	struct span w;
	int n = 0;
	while (text_word(&rest, &w))
		n++;
	return n;
}

/* 1: each third number behind the box is 0, 1 or 2. */
static int looks_visible(struct span rest)
{
	struct span w;
	double v;
	for (int i = 0; text_word(&rest, &w); i++)
		if (i >= FIRST && (i - FIRST) % 3 == 2 && !(text_real(w, &v) && (v == 0 || v == 1 || v == 2)))
			return 0;
	return 1;
}

/* Sets K and dims by the first line with n numbers behind the box. visible: by what stands in the first lines they may be of three. */
static void set_shape(struct yolo *t, struct annotations *a, const struct yolo_names *given, const char *label, int n, int visible)
{
	int K = given->K ? given->K : given->n;
	if (!K && n > 0 && n % 6 == 0 && !visible)
		die("%s: %d numbers behind the box are %d points of 2 or %d of 3 whose third is no visibility (0, 1, 2): --point-names "
		    "tells by as many names, or by a YAML file with kpt_shape: [%d, 2] or [%d, 3]",
			label, n, n / 2, n / 3, n / 2, n / 3);
	t->dims = given->dims ? given->dims : K ? n / K : n % 3 ? 2 : 3;
	a->K = K ? K : n / t->dims;
	if (n < 0)
		die("%s: %d number%s: a class and a box have 5, then come points", label, n + FIRST, n + FIRST == 1 ? "" : "s");
	if (!n && !K) { /* boxes alone */
		t->dims = 2;
		return;
	}
	if (K && (t->dims < 2 || t->dims > 3 || n != K * t->dims))
		die("%s: %d numbers behind the box, but --point-names tells of %d points", label, n, K);
	if (n != a->K * t->dims)
		die("%s: %d numbers behind the box: not two or three a point", label, n);
	if (a->K > ANNOTATION_POINTS)
		die("%s: %d points, more than %d", label, a->K, ANNOTATION_POINTS);
}

/* Looks into the first lines of all files. */
static void look(struct yolo *t, struct annotations *a, const struct yolo_names *given)
{
	char err[ANNOTATION_ERR], first[ANNOTATION_ERR] = "";
	const char *told = NULL;
	int n = 0, visible = 1, seen = 0;
	for (size_t i = 0; i < t->files.n && t->files.v[i].label && seen < LOOKED_AT && visible && (n % 6 == 0 || !told); i++) {
		const char *label = t->files.v[i].label;
		t->lines = text_open(label, 1, err);
		if (!t->lines) {
			snprintf(first, *first ? 0 : sizeof first, "%s", err);
			continue;
		}
		for (t->line = 0; seen < LOOKED_AT && text_line(t->lines, &t->line, label, err) > 0; seen++) {
			if (!told)
				told = label, n = count_words(t->lines->line) - FIRST;
			visible &= looks_visible(t->lines->line);
		}
		close_file(t);
	}
	if (!told && *first)
		die("%s", first);
	if (told)
		set_shape(t, a, given, told, n, visible);
	else /* no face at all: what the names tell */
		a->K = given->K ? given->K : given->n, t->dims = given->dims ? given->dims : 2;
	if (!a->K && !told)
		die("%s: no face is in it, so that the number of points is not known (--point-names tells it)", t->files.v[0].label);
	if (given->n && given->n != a->K)
		die("%d points are named, but a line has %d", given->n, a->K);
}

/* The names of classes, which some programs put beside the labels. */
static int is_classes(const struct stem_file *f)
{
	const char *slash = f->label ? strrchr(f->label, '/') : NULL;
	return f->label && !f->file && !strcasecmp(slash ? slash + 1 : f->label, "classes.txt");
}

static void *open_yolo(struct annotations *a, const struct annotation_options *o)
{
	struct yolo *t = xcalloc(1, sizeof *t);
	struct yolo_names given;
	size_t n = 0;
	if (!o->images)
		die_usage("--form yolo: --images tells the folder of the images");
	yolo_names_read(&given, o->names);
	t->unlabelled = o->unlabelled, t->missing = &a->missing;
	a->has_box = 1;
	stem_files_find(&t->files, o, ".txt");
	for (size_t i = 0; i < t->files.n; i++)
		if (is_classes(&t->files.v[i]))
			free(t->files.v[i].label);
		else
			t->files.v[n++] = t->files.v[i];
	t->files.n = n;
	if (!n || !t->files.v[0].label)
		die("%s: no file *.txt of labels is in it", o->operands[0]);
	look(t, a, &given);
	a->names = given.n ? given.v : text_numbered(a->K);
	a->flip = given.flip;
	a->longest = t->files.longest;
	a->loops = stem_files_loops(&t->files);
	return t;
}

/* The next word as a number that is called what, or name: 0, or -1. share: of the image, in [0, 1], where a hair beyond is clipped. */
static int number(
	const struct yolo *t, struct span *rest, const char *label, const char *name, int share, double *v, char err[ANNOTATION_ERR])
{
	char show[TEXT_SHOWN];
	struct span w;
	text_word(rest, &w);
	if (!text_real(w, v))
		return text_bad(err, "%s: line %ld: %s is '%s', not a number", label, t->line, name, text_show(show, w));
	if (share && !(*v >= -HAIR && *v <= 1 + HAIR))
		return text_bad(
			err, "%s: line %ld: %s is '%s', not a share of the image from 0 to 1", label, t->line, name, text_show(show, w));
	*v = share ? fmin(fmax(*v, 0), 1) : *v;
	return 0;
}

/* Points of the current line behind its box. */
static int parse_points(const struct yolo *t, int K, struct span rest, struct annotation *face, const char *label, char err[ANNOTATION_ERR])
{
	char name[40];
	for (int k = 0; k < K; k++) {
		double xy[2], visible = 1;
		struct span again = rest;
		for (int c = 0; c < t->dims; c++) {
			snprintf(name, sizeof name, "%s of point %d", c == 2 ? "visibility" : c ? "y" : "x", k + 1);
			if (number(t, &rest, label, name, 0, c == 2 ? &visible : &xy[c], err))
				return -1;
		}
		if (visible != 0 && visible != 1 && visible != 2)
			return text_bad(err, "%s: line %ld: %s is %g, not 0, 1 or 2", label, t->line, name, visible);
		if (visible == 0 || (t->dims == 2 && xy[0] == 0 && xy[1] == 0))
			continue;
		if (sentinel_is(t->missing, 0, (float[]){(float)xy[0], (float)xy[1]})) /* here: they need be no shares */
			continue;
		for (int c = 0; c < 2; c++) {
			snprintf(name, sizeof name, "%s of point %d", c ? "y" : "x", k + 1);
			if (number(t, &again, label, name, 1, &face->points[2 * k + c], err))
				return -1;
		}
	}
	return 1;
}

static int parse(const struct yolo *t, int K, struct annotation *face, const char *label, char err[ANNOTATION_ERR])
{
	static const char *const what[] = {"class", "x of the box", "y of the box", "width of the box", "height of the box"};
	double v[FIRST];
	struct span rest = t->lines->line;
	int n = count_words(rest), want = FIRST + K * t->dims;
	if (n != want)
		return text_bad(
			err, "%s: line %ld: %d numbers instead of %d (class, box, %d points of %d)", label, t->line, n, want, K, t->dims);
	for (int i = 0; i < FIRST; i++)
		if (number(t, &rest, label, what[i], i > 0, &v[i], err))
			return -1;
	if (v[0] < 0 || v[0] != floor(v[0]))
		return text_bad(err, "%s: line %ld: class %g is not a whole number", label, t->line, v[0]);
	if (v[3] <= 0 || v[4] <= 0)
		return text_bad(err, "%s: line %ld: the box has no size: %g by %g", label, t->line, v[3], v[4]);
	snprintf(face->kind, sizeof face->kind, "%.0f", v[0]);
	face->has_box = 1, face->has_points = K > 0;
	memcpy(face->box, (double[]){v[1] - v[3] / 2, v[2] - v[4] / 2, v[3], v[4]}, sizeof face->box);
	return parse_points(t, K, rest, face, label, err);
}

/* Sets what is known of the image; -1: there is none. */
static int set_image(const struct yolo *t, const struct stem_file *f, struct annotation *face, char err[ANNOTATION_ERR])
{
	if (stem_file_fault(f, f->label ? f->label : f->path, err))
		return -1;
	face->file = f->file, face->path = f->path;
	stem_file_place(f, t->line, face->place);
	return 1;
}

static int next_yolo(void *state, struct annotations *a, struct annotation *face, char err[ANNOTATION_ERR])
{
	struct yolo *t = state;
	for (;;) {
		const struct stem_file *f = &t->files.v[t->at ? t->at - 1 : 0];
		if (t->lines) {
			int r = text_line(t->lines, &t->line, f->label, err);
			if (r > 0 && t->faces++ == 0 && stem_file_fault(f, f->label, err))
				r = -2; /* once, not for each of its faces */
			if (r > 0)
				return parse(t, a->K, face, f->label, err) < 0 ? -1 : set_image(t, f, face, err);
			close_file(t);
			if (r < 0)
				return -1;
			if (t->faces)
				continue;
		} else if (t->at == t->files.n) {
			return 0;
		} else {
			f = &t->files.v[t->at++];
			t->line = t->faces = 0;
			if (f->label && !(t->lines = text_open(f->label, 1, err)))
				return -1;
			if (f->label)
				continue;
		}
		if (t->unlabelled) { /* no line, or no file */
			t->line = 0;
			return set_image(t, f, face, err);
		}
		a->unlabelled++;
	}
}

static void close_yolo(void *state)
{
	struct yolo *t = state;
	close_file(t);
	stem_files_free(&t->files);
	free(t);
}

const struct annotation_form form_yolo = {"yolo", ORIGIN_INDEX, 1, open_yolo, next_yolo, close_yolo};
