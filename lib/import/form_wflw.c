/* WFLW's lists, a line a face: 2 K coordinates, the box as columns and rows of pixels within it (x_min y_min x_max y_max), six attributes
 * (pose, expression, illumination, make-up, occlusion, blur: 0 or 1), the image's name, which may hold blanks. Its lists of the test's
 * parts have 98 points and the name alone. K is the first line's. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/err.h"
#include "lib/import/form.h"
#include "lib/import/text.h"

enum { BOX = 4, ATTRIBUTES = 6, BARE = 2 * 98 };

struct wflw {
	const char *name;
	struct lines *lines;
	long line;
	int peeked;  /* the current line is not taken yet */
	int numbers; /* a line */
	double *v;   /* (numbers) */
	char *file;  /* of the current face */
};

/* The next line that is not empty: 1, or 0 at the end. */
static int next_line(struct wflw *t)
{
	if (t->peeked) {
		t->peeked = 0;
		return 1;
	}
	char err[ANNOTATION_ERR];
	int r = text_line(t->lines, &t->line, t->name, err);
	if (r < 0)
		die("%s", err);
	return r;
}

/* How many numbers the line begins with; *name: what follows. */
static int count(struct span rest, struct span *name)
{
	struct span w;
	double v;
	int n = 0;
	for (*name = rest; text_word(&rest, &w) && text_real(w, &v); *name = rest)
		n++;
	*name = csv_trimmed(*name);
	return n;
}

static void *open_wflw(struct annotations *a, const struct annotation_options *o)
{
	struct wflw *t = xcalloc(1, sizeof *t);
	struct span name;
	char err[ANNOTATION_ERR], show[TEXT_SHOWN];
	if (!o->images)
		die_usage("--form wflw: --images tells the folder of the images");
	t->name = text_input(o->operands[0]);
	t->lines = text_open(o->operands[0], 0, err);
	if (!t->lines)
		die("%s", err);
	if (!next_line(t))
		die("%s: empty", t->name);
	t->peeked = 1;
	t->numbers = count(t->lines->line, &name);
	if (t->numbers != BARE && t->numbers % 2) /* the name begins with a number */
		t->numbers--;
	a->K = t->numbers == BARE ? BARE / 2 : (t->numbers - BOX - ATTRIBUTES) / 2;
	if (a->K < 1 || a->K > ANNOTATION_POINTS || name.p == name.e)
		die("%s: line %ld: %d numbers, then '%s': not 2 for each point, 4 of the box, 6 attributes and the image's name", t->name,
			t->line, t->numbers, text_show(show, name));
	t->v = xcalloc((size_t)t->numbers, sizeof *t->v);
	a->names = text_numbered(a->K);
	return t;
}

static int parse(struct wflw *t, struct annotations *a, struct annotation *face, char err[ANNOTATION_ERR])
{
	static const char *const what[] = {
		"x_min", "y_min", "x_max", "y_max", "pose", "expression", "illumination", "make-up", "occlusion", "blur"};
	char show[TEXT_SHOWN];
	struct span w, rest = t->lines->line;
	for (int i = 0; i < t->numbers; i++) {
		char value[24];
		snprintf(value, sizeof value, "%c of point %d", "xy"[i % 2], i / 2 + 1);
		const char *name = i < 2 * a->K ? value : what[i - 2 * a->K];
		if (!text_word(&rest, &w))
			return text_bad(err, "%s: line %ld: ends after %d numbers, without %s", t->name, t->line, i, name);
		if (!text_real(w, &t->v[i]))
			return text_bad(err, "%s: line %ld: %s is '%s', not a number", t->name, t->line, name, text_show(show, w));
		if (i >= 2 * a->K + BOX && t->v[i] != 0 && t->v[i] != 1)
			return text_bad(err, "%s: line %ld: attribute %s is '%s', not 0 or 1", t->name, t->line, name, text_show(show, w));
	}
	face->file = t->file = text_image_name(csv_trimmed(rest));
	if (!t->file)
		return text_bad(err, "%s: line %ld: '%s' is no name of an image", t->name, t->line, text_show(show, csv_trimmed(rest)));
	memcpy(face->points, t->v, 2 * (size_t)a->K * sizeof *t->v);
	face->has_points = 1;
	face->has_box = t->numbers != BARE;
	if (face->has_box) {
		const double *b = t->v + 2 * a->K;
		if (b[2] < b[0] || b[3] < b[1])
			return text_bad(err, "%s: line %ld: box %g %g %g %g: x_max or y_max is less than x_min or y_min", t->name, t->line,
				b[0], b[1], b[2], b[3]);
		memcpy(face->box, (double[]){b[0], b[1], b[2] - b[0] + 1, b[3] - b[1] + 1}, sizeof face->box);
	}
	return 1;
}

static int next_wflw(void *state, struct annotations *a, struct annotation *face, char err[ANNOTATION_ERR])
{
	struct wflw *t = state;
	free(t->file);
	t->file = NULL;
	if (!next_line(t))
		return 0;
	snprintf(face->place, sizeof face->place, "line %ld", t->line);
	return parse(t, a, face, err);
}

static void close_wflw(void *state)
{
	struct wflw *t = state;
	lines_free(t->lines);
	free(t->file), free(t->v), free(t);
}

const struct annotation_form form_wflw = {"wflw", ORIGIN_INDEX, 0, open_wflw, next_wflw, close_wflw};
