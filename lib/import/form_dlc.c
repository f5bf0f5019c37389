/* DeepLabCut's CSV: header lines scorer, individuals (where there are several animals), bodyparts, coords (x, y, in results likelihood); an
 * index of one column (labeled-data/video/img0001.png) or of three. A row a face, or one for each individual that has a point in the
 * image. Points: all body parts, in the order in which they come first. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/base/err.h"
#include "lib/csv/csv_fields.h"
#include "lib/import/form.h"
#include "lib/import/part_names.h"
#include "lib/import/text.h"

enum { COLUMNS = 1 << 16, INDEX = 8, PARTS = 1 << 20 };
enum coord { X, Y, LIKELIHOOD };

struct column {
	int animal, part;
	enum coord coord;
};

struct dlc {
	const char *name, *images; /* images: NULL, the file's folder tells */
	char *folder;
	struct lines *lines;
	long line;
	int index, ncol; /* columns of the index; all */
	struct column *col;
	struct part_names animals, parts;
	int single; /* the header has no individuals */
	double *v;  /* (animals, parts, 3) of the current line, NaN where empty */
	int animal; /* the next one to be handed out */
	int unlabelled;
	const struct sentinels *missing;
	char *file, *path;
	double *confidence; /* (parts) */
};

static int next_line(struct dlc *t)
{
	char err[ANNOTATION_ERR];
	int r = text_line(t->lines, &t->line, t->name, err);
	if (r < 0)
		die("%s", err);
	return r;
}

/* A header line, whose first field is the word: its fields; NULL: it is another line. Ends the program where there is none. */
static char **header_line(struct dlc *t, const char *word, int needed)
{
	const unsigned char *p = t->lines->line.p;
	struct span f;
	char **cell = NULL;
	int n = 0;
	while (p) {
		if (!csv_next_field(&p, t->lines->line.e, ',', &f))
			die("%s: line %ld: field %d: its quotes are not closed, or not at its ends", t->name, t->line, n + 1);
		if (n == COLUMNS)
			die("%s: line %ld: more than %d fields", t->name, t->line, COLUMNS);
		if ((n & (n - 1)) == 0)
			cell = xrealloc(cell, (size_t)(n ? 2 * n : 1) * sizeof *cell);
		cell[n++] = text_field(f);
		if (n == 1 && strcmp(cell[0], word)) {
			if (needed)
				die("%s: line %ld: begins with '%.40s' where the header line %s is expected", t->name, t->line, cell[0],
					word);
			free(cell[0]), free(cell);
			return NULL;
		}
	}
	if (t->ncol && n != t->ncol)
		die("%s: line %ld: %d fields where line 1 has %d", t->name, t->line, n, t->ncol);
	t->ncol = n;
	if (strcmp(word, "coords") && !next_line(t))
		die("%s: ends after its header line %s", t->name, word);
	return cell;
}

static void free_cells(char **cell, int n)
{
	for (int i = 0; cell && i < n; i++)
		free(cell[i]);
	free(cell);
}

/* What each column is; lines above are read. */
static void set_columns(struct dlc *t, struct annotations *a, char **animal, char **part, char **coord)
{
	for (t->index = 1; t->index < t->ncol && !*coord[t->index];)
		t->index++;
	if (t->index == t->ncol || t->index > INDEX)
		die("%s: line %ld: coords without x and y", t->name, t->line);
	t->col = xcalloc((size_t)t->ncol, sizeof *t->col);
	for (int i = t->index; i < t->ncol; i++) {
		struct column *c = &t->col[i];
		if (!*part[i] || (animal && !*animal[i]))
			die("%s: header, field %d: '%.40s' is no name of a body part%s", t->name, i + 1, part[i],
				animal ? " or individual" : "");
		if (strcmp(coord[i], "x") && strcmp(coord[i], "y") && strcmp(coord[i], "likelihood"))
			die("%s: line %ld: field %d is '%.40s', not x, y or likelihood", t->name, t->line, i + 1, coord[i]);
		c->animal = part_names_add(&t->animals, animal ? animal[i] : "", t->animals.n - 1, COLUMNS);
		c->part = part_names_add(&t->parts, part[i], t->parts.n - 1, COLUMNS);
		c->coord = *coord[i] == 'x' ? X : *coord[i] == 'y' ? Y : LIKELIHOOD;
		a->has_confidence |= c->coord == LIKELIHOOD;
		if (t->parts.n > ANNOTATION_POINTS)
			die("%s: header: more than %d body parts", t->name, ANNOTATION_POINTS);
	}
	if ((size_t)t->animals.n * (size_t)t->parts.n > PARTS)
		die("%s: header: %d individuals of %d body parts, more than %d in all", t->name, t->animals.n, t->parts.n, PARTS);
	char *seen = xcalloc((size_t)t->animals.n * (size_t)t->parts.n, 3);
	for (int i = t->index; i < t->ncol; i++) {
		const struct column *c = &t->col[i];
		if (seen[3 * ((size_t)c->animal * (size_t)t->parts.n + (size_t)c->part) + c->coord]++)
			die("%s: header, field %d: a second %s of '%.40s'%s%.40s", t->name, i + 1, coord[i], part[i], animal ? " of " : "",
				animal ? animal[i] : "");
	}
	for (size_t i = 0; i < (size_t)t->animals.n * (size_t)t->parts.n; i++)
		if (seen[3 * i] != seen[3 * i + 1] || seen[3 * i + 2] > seen[3 * i])
			die("%s: header: '%.40s' has no %s", t->name, t->parts.name[i % (size_t)t->parts.n], seen[3 * i] ? "y" : "x");
	free(seen);
}

static void *open_dlc(struct annotations *a, const struct annotation_options *o)
{
	struct dlc *t = xcalloc(1, sizeof *t);
	char err[ANNOTATION_ERR];
	t->name = text_input(o->operands[0]), t->images = o->images, t->unlabelled = o->unlabelled, t->missing = &a->missing;
	t->folder = text_folder(o->operands[0]);
	t->lines = text_open(o->operands[0], 0, err);
	if (!t->lines)
		die("%s", err);
	if (!next_line(t))
		die("%s: empty", t->name);
	char **scorer = header_line(t, "scorer", 1), **animal = header_line(t, "individuals", 0), **part = header_line(t, "bodyparts", 1);
	char **coord = header_line(t, "coords", 1);
	set_columns(t, a, animal, part, coord);
	free_cells(scorer, t->ncol), free_cells(animal, t->ncol), free_cells(part, t->ncol), free_cells(coord, t->ncol);
	t->single = !animal;
	t->animal = t->animals.n;
	t->v = xcalloc((size_t)t->animals.n * (size_t)t->parts.n, 3 * sizeof *t->v);
	t->confidence = xcalloc((size_t)t->parts.n, sizeof *t->confidence);
	a->K = t->parts.n;
	a->names = part_names_copy(&t->parts);
	return t;
}

/* DeepLabCut's own tables lie beside the images, whose names begin at the project's folder. NULL: the name tells where the image is. */
static char *find_beside(const struct dlc *t)
{
	const char *folder = t->images ? t->images : t->folder, *base = strrchr(t->file, '/') + 1;
	char *named = text_path(folder, t->file), *beside = text_path(folder, base);
	int there = access(named, F_OK) && strcmp(base, "..") && !access(beside, F_OK);
	free(named);
	if (there)
		return beside;
	free(beside);
	return NULL;
}

static int parse_number(struct dlc *t, struct span f, int i, char err[ANNOTATION_ERR])
{
	const struct column *c = &t->col[i];
	const char *animal = t->animals.name[c->animal], *part = t->parts.name[c->part];
	char show[TEXT_SHOWN];
	double *v = t->v + 3 * ((size_t)c->animal * (size_t)t->parts.n + (size_t)c->part) + c->coord;
	f = csv_trimmed(f);
	*v = NAN;
	if (f.p == f.e || text_nan(f) || text_real(f, v))
		return 0;
	return text_bad(err, "%s: line %ld: %s of %.80s%s%.80s is '%s', not a number", t->name, t->line,
		c->coord == X	? "x"
		: c->coord == Y ? "y"
				: "likelihood",
		part, t->single ? "" : " of ", animal, text_show(show, f));
}

/* The current line into file, path and v: 0, or -1. */
static int parse(struct dlc *t, char err[ANNOTATION_ERR])
{
	const unsigned char *p = t->lines->line.p, *e = t->lines->line.e;
	struct span f;
	int n = 0;
	char *name = xstrdup("");
	for (; p && n < t->ncol; n++) {
		if (!csv_next_field(&p, e, ',', &f)) {
			free(name);
			return text_bad(
				err, "%s: line %ld: field %d: its quotes are not closed, or not at its ends", t->name, t->line, n + 1);
		}
		if (n < t->index) {
			char *head = name, *cell = text_field(f);
			name = xprintf("%s%s%s", head, n ? "/" : "", cell);
			free(head), free(cell);
		} else if (parse_number(t, f, n, err)) {
			free(name);
			return -1;
		}
	}
	t->file = text_image_name((struct span){(unsigned char *)name, (unsigned char *)name + strlen(name)});
	if (p || n != t->ncol)
		text_bad(err, "%s: line %ld: %s fields than the %d of the header", t->name, t->line, p ? "more" : "fewer", t->ncol);
	else if (!t->file)
		text_bad(err, "%s: line %ld: '%.80s' is no name of an image", t->name, t->line, name);
	free(name);
	if (p || n != t->ncol || !t->file)
		return -1;
	for (size_t i = 0; i < (size_t)t->animals.n * (size_t)t->parts.n; i++) {
		const char *part = t->parts.name[i % (size_t)t->parts.n];
		if (isnan(t->v[3 * i]) != isnan(t->v[3 * i + 1]))
			return text_bad(err, "%s: line %ld: %.80s%s%.80s has no %s, but %s", t->name, t->line, part,
				t->single ? "" : " of ", t->animals.name[i / (size_t)t->parts.n], isnan(t->v[3 * i]) ? "x" : "y",
				isnan(t->v[3 * i]) ? "a y" : "an x");
		if (sentinel_is(t->missing, 0, (float[]){(float)t->v[3 * i], (float)t->v[3 * i + 1]})) /* or an individual would be there */
			t->v[3 * i] = t->v[3 * i + 1] = NAN;
	}
	t->path = strncmp(t->file, "labeled-data/", 13) ? NULL : find_beside(t);
	return 0;
}

/* 1: the animal has a point in the current line. */
static int has_points(const struct dlc *t, int animal)
{
	for (int k = 0; k < t->parts.n; k++)
		if (!isnan(t->v[3 * ((size_t)animal * (size_t)t->parts.n + (size_t)k)]))
			return 1;
	return 0;
}

static int hand_out(const struct dlc *t, struct annotation *face, int animal)
{
	const double *v = t->v + 3 * (size_t)animal * (size_t)t->parts.n;
	face->file = t->file, face->path = t->path;
	face->has_points = has_points(t, animal);
	for (int k = 0; k < t->parts.n; k++) {
		face->points[2 * k] = v[3 * k], face->points[2 * k + 1] = v[3 * k + 1];
		t->confidence[k] = v[3 * k + 2];
	}
	snprintf(face->kind, sizeof face->kind, "%.60s", t->single || !face->has_points ? "" : t->animals.name[animal]);
	if (t->single || !face->has_points)
		snprintf(face->place, sizeof face->place, "line %ld", t->line);
	else
		snprintf(face->place, sizeof face->place, "line %ld, %.200s", t->line, t->animals.name[animal]);
	return 1;
}

static int next_dlc(void *state, struct annotations *a, struct annotation *face, char err[ANNOTATION_ERR])
{
	struct dlc *t = state;
	face->confidence = a->has_confidence ? t->confidence : NULL;
	for (;;) {
		while (t->animal < t->animals.n)
			if (has_points(t, t->animal++))
				return hand_out(t, face, t->animal - 1);
		free(t->file), free(t->path);
		t->file = t->path = NULL;
		if (!next_line(t))
			return 0;
		for (size_t i = 0; i < 3 * (size_t)t->animals.n * (size_t)t->parts.n; i++)
			t->v[i] = NAN;
		if (parse(t, err))
			return -1;
		for (t->animal = 0; t->animal < t->animals.n && !has_points(t, t->animal);)
			t->animal++;
		if (t->animal == t->animals.n && t->unlabelled)
			return hand_out(t, face, 0);
		a->unlabelled += t->animal == t->animals.n;
	}
}

static void close_dlc(void *state)
{
	struct dlc *t = state;
	lines_free(t->lines);
	part_names_free(&t->animals), part_names_free(&t->parts);
	free(t->col), free(t->v), free(t->confidence), free(t->file), free(t->path), free(t->folder), free(t);
}

const struct annotation_form form_dlc = {"dlc", ORIGIN_INDEX, 0, open_dlc, next_dlc, close_dlc};
