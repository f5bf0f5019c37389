/* .pts (300-W and others): a file a face, K lines `x y` within braces; before them `version: 1` and `n_points: K`, either may be absent.
 * Comments (#, //) and blanks stand anywhere; a point of which both numbers are nan is missing. All files have the same K. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/err.h"
#include "lib/import/form.h"
#include "lib/import/stem_files.h"
#include "lib/import/text.h"

struct pts {
	struct stem_files files;
	size_t at;	   /* the next file */
	double *xy;	   /* points of a file */
	int n, room;	   /* how many there are */
	const char *first; /* the file that told K */
	int unlabelled;
};

/* Without comment and blanks. */
static struct span bare(struct span s)
{
	for (const unsigned char *c = s.p; c < s.e; c++)
		if (*c == '#' || (*c == '/' && c + 1 < s.e && c[1] == '/')) {
			s.e = c;
			break;
		}
	return csv_trimmed(s);
}

/* `KEY: VALUE` before the braces. */
static int head_line(struct span s, double *told, const char *path, long line, char err[ANNOTATION_ERR])
{
	char show[TEXT_SHOWN];
	double v = 0;
	const unsigned char *colon = memchr(s.p, ':', (size_t)(s.e - s.p));
	if (!colon)
		return text_bad(err, "%s: line %ld: '%s' where '{' is expected", path, line, text_show(show, s));
	struct span key = csv_trimmed((struct span){s.p, colon}), value = csv_trimmed((struct span){colon + 1, s.e});
	int number = text_real(value, &v);
	if (text_is(key, "version") && !(number && v == 1))
		return text_bad(err, "%s: line %ld: version '%s' is not 1", path, line, text_show(show, value));
	if (!text_is(key, "n_points"))
		return 0;
	if (!number || v != floor(v) || v < 1 || v > ANNOTATION_POINTS)
		return text_bad(err, "%s: line %ld: n_points '%s' is not a whole number from 1 to %d", path, line, text_show(show, value),
			ANNOTATION_POINTS);
	*told = v;
	return 0;
}

static int point_line(struct pts *t, struct span s, const char *path, long line, char err[ANNOTATION_ERR])
{
	char show[TEXT_SHOWN];
	double xy[2];
	struct span w, rest = s;
	int n = 0;
	while (text_word(&rest, &w)) {
		if (n < 2 && text_nan(w))
			xy[n] = NAN;
		else if (n < 2 && !text_real(w, &xy[n]))
			return text_bad(err, "%s: line %ld: '%s' is not a number", path, line, text_show(show, w));
		n++;
	}
	if (n != 2)
		return text_bad(
			err, "%s: line %ld: %d number%s where a point has 2: '%s'", path, line, n, n == 1 ? "" : "s", text_show(show, s));
	if (isnan(xy[0]) != isnan(xy[1]))
		return text_bad(err, "%s: line %ld: one of two numbers is nan: '%s'", path, line, text_show(show, s));
	if (t->n == ANNOTATION_POINTS)
		return text_bad(err, "%s: line %ld: more than %d points", path, line, ANNOTATION_POINTS);
	if (t->n == t->room)
		t->xy = xrealloc(t->xy, (size_t)(t->room = 2 * t->room + 64) * 2 * sizeof *t->xy);
	memcpy(t->xy + 2 * t->n++, xy, sizeof xy);
	return 0;
}

/* All lines of l; 0, or -1. */
static int parse_lines(struct pts *t, struct lines *l, const char *path, char err[ANNOTATION_ERR])
{
	enum { HEAD, POINTS, TAIL } in = HEAD;
	char show[TEXT_SHOWN];
	double told = 0;
	long line = 0, opened = 0;
	int r;
	t->n = 0;
	while ((r = lines_next(l)) == LINES_ONE) {
		struct span s = bare(l->line);
		line++;
		if (s.p == s.e)
			continue;
		if (in == HEAD && text_is(s, "{"))
			in = POINTS, opened = line;
		else if (in == POINTS && text_is(s, "}"))
			in = TAIL;
		else if (in == TAIL)
			return text_bad(err, "%s: line %ld: '%s' behind '}'", path, line, text_show(show, s));
		else if (in == HEAD ? head_line(s, &told, path, line, err) : point_line(t, s, path, line, err))
			return -1;
	}
	if (r == LINES_ERR)
		return text_bad(err, "%s: after line %ld: %s", path, line, l->err);
	if (in != TAIL)
		return text_bad(
			err, "%s: ends after line %ld without '%c': no .pts file, or it was cut", path, line, in == HEAD ? '{' : '}');
	if (told && told != t->n)
		return text_bad(err, "%s: line %ld: n_points is %.0f, but %d points follow", path, opened, told, t->n);
	return t->n ? 0 : text_bad(err, "%s: line %ld: no points within the braces", path, opened);
}

static int parse(struct pts *t, const char *path, char err[ANNOTATION_ERR])
{
	struct lines *l = text_open(path, 1, err);
	if (!l)
		return -1;
	int r = parse_lines(t, l, path, err);
	lines_free(l);
	return r;
}

/* K is that of the first file that is whole. */
static void *open_pts(struct annotations *a, const struct annotation_options *o)
{
	struct pts *t = xcalloc(1, sizeof *t);
	char err[ANNOTATION_ERR], first[ANNOTATION_ERR] = "";
	t->unlabelled = o->unlabelled;
	stem_files_find(&t->files, o, ".pts");
	for (size_t i = 0; i < t->files.n && t->files.v[i].label && !a->K; i++) {
		if (parse(t, t->files.v[i].label, err))
			snprintf(first, *first ? 0 : sizeof first, "%s", err);
		else
			a->K = t->n, t->first = t->files.v[i].label;
	}
	if (!a->K)
		die("%s", first);
	a->names = text_numbered(a->K);
	a->longest = t->files.longest;
	a->loops = stem_files_loops(&t->files);
	return t;
}

static int next_pts(void *state, struct annotations *a, struct annotation *face, char err[ANNOTATION_ERR])
{
	struct pts *t = state;
	while (t->at < t->files.n && !t->files.v[t->at].label && !t->unlabelled)
		t->at++, a->unlabelled++;
	if (t->at == t->files.n)
		return 0;
	const struct stem_file *f = &t->files.v[t->at++];
	if (f->label && parse(t, f->label, err))
		return -1;
	if (f->label && t->n != a->K)
		return text_bad(err, "%s: %d points where %s has %d", f->label, t->n, t->first, a->K);
	if (stem_file_fault(f, f->label ? f->label : f->path, err))
		return -1;
	face->file = f->file, face->path = f->path;
	face->has_points = f->label != NULL;
	stem_file_place(f, 0, face->place);
	if (f->label)
		memcpy(face->points, t->xy, (size_t)a->K * 2 * sizeof *t->xy);
	return 1;
}

static void close_pts(void *state)
{
	struct pts *t = state;
	stem_files_free(&t->files);
	free(t->xy), free(t);
}

const struct annotation_form form_pts = {"pts", ORIGIN_ONE, 0, open_pts, next_pts, close_pts};
