/* A table, a line a face: the image's name, points as NAME_x and NAME_y (or NAME.x, x_NAME), perhaps a box. Fields as in csv.h: commas,
 * tabs or semicolons, quotes, missing values; plain, gzip or zip. Columns, in any case of letters:
 *
 *   filename, file_name, file, image, image_name, image_path, path: the image; the first of these that is there
 *   x, y, w, h | x, y, width, height | left, top, width, height | left, top, right, bottom | xmin, ymin, xmax, ymax | x_min, ... |
 *   bbox_x, bbox_y, bbox_w, bbox_h (or _width, _height; box_x, ...) | x1, y1, x2, y2, where no x0 or x3 shows that they are points: the
 *   box, corners in pixels ((0, 0) is the outer corner of the first pixel); empty in all four: none
 *   width, height, if they are not the box's: the image's size
 *
 * Others are ignored, also corners of further boxes; but where nothing is a point or a box, and one of them looks like a coordinate, they
 * are an error: the table is of another kind, such as one with a line a point. Lines that begin with # stand before the header; then such
 * as begin with "# " may stand at the end, as csv-clean has it. Else # begins the name of an image. */
#include <fcntl.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "lib/base/err.h"
#include "lib/base/magic.h"
#include "lib/base/utf8.h"
#include "lib/csv/csv_fields.h"
#include "lib/import/form.h"
#include "lib/import/text.h"

enum { COLUMNS_MAX = 2 * ANNOTATION_POINTS + 64, WAYS = 12 };

static const char *const files[] = {"filename", "file_name", "file", "image", "image_name", "image_path", "path"};
static const struct {
	const char *name[4];
	int corners; /* the last two are corners, too */
} boxes[WAYS] = {{{"x", "y", "w", "h"}, 0}, {{"x", "y", "width", "height"}, 0}, {{"left", "top", "width", "height"}, 0},
	{{"left", "top", "w", "h"}, 0}, {{"left", "top", "right", "bottom"}, 1}, {{"xmin", "ymin", "xmax", "ymax"}, 1},
	{{"x_min", "y_min", "x_max", "y_max"}, 1}, {{"bbox_x", "bbox_y", "bbox_w", "bbox_h"}, 0},
	{{"bbox_x", "bbox_y", "bbox_width", "bbox_height"}, 0}, {{"box_x", "box_y", "box_w", "box_h"}, 0},
	{{"box_x", "box_y", "box_width", "box_height"}, 0}, {{"x1", "y1", "x2", "y2"}, 1}};

enum role { IGNORED = -1, FILE_NAME = -2, WIDTH = -3, HEIGHT = -4, BOX = -8 }; /* BOX + 0 to 3; from 0: index into points */

struct table_form {
	struct lines *lines;
	const char *name;
	unsigned char sep;
	int ncol, *col; /* (ncol) enum role */
	char **head;	/* (ncol) names of the columns */
	int box;	/* 1 + its place in boxes; 0: none */
	int commented;	/* comments stand before the header */
	uint64_t row;
	char *file; /* the current image's name */
};

/* ---- header ---- */

static void read_head(struct table_form *t)
{
	struct span f, line;
	int r;
	t->lines->max = LINES_HEADER_MAX;
	while ((r = lines_next(t->lines)) == LINES_ONE && t->lines->line.p < t->lines->line.e && *t->lines->line.p == '#')
		t->commented = 1;
	t->lines->max = LINES_MAX;
	if (r != LINES_ONE)
		die("%s: %s", t->name, r == LINES_ERR ? t->lines->err : "empty, not even a header");
	line = t->lines->line;
	t->sep = csv_separator(line);
	t->head = xcalloc(COLUMNS_MAX, sizeof *t->head);
	for (const unsigned char *p = line.p; p; t->ncol++) {
		if (t->ncol == COLUMNS_MAX)
			die("%s: header: more than %d columns", t->name, COLUMNS_MAX);
		if (!csv_next_field(&p, line.e, t->sep, &f))
			die("%s: header: column %d: the quotes are not closed, or not at the field's ends", t->name, t->ncol + 1);
		t->head[t->ncol] = text_field(f);
	}
	t->col = xcalloc((size_t)t->ncol + 1, sizeof *t->col);
	for (int i = 0; i < t->ncol; i++)
		t->col[i] = IGNORED;
}

/* The column of this name that has no role yet, or -1; two of them end the program. */
static int column(const struct table_form *t, const char *name)
{
	int found = -1;
	for (int i = 0; i < t->ncol; i++)
		if (t->col[i] == IGNORED && !strcasecmp(t->head[i], name)) {
			if (found >= 0)
				die("%s: header: two columns are called '%.100s'", t->name, name);
			found = i;
		}
	return found;
}

/* 1: x1, y1, x2, y2 are the first of more points, or there is one before them. */
static int are_points(const struct table_form *t)
{
	static const char *const more[] = {"x0", "y0", "x3", "y3"};
	for (int i = 0; i < t->ncol; i++)
		for (size_t k = 0; k < sizeof more / sizeof *more; k++)
			if (!strcasecmp(t->head[i], more[k]))
				return 1;
	return 0;
}

static void find_special(struct table_form *t)
{
	int c = -1;
	for (size_t i = 0; i < sizeof files / sizeof *files && c < 0; i++)
		c = column(t, files[i]);
	if (c < 0)
		die("%s: header: no column is called filename (file_name, file, image, image_name, image_path, path)", t->name);
	t->col[c] = FILE_NAME;
	for (int k = 0; k < WAYS && !t->box; k++) {
		int at[4], n = 0;
		while (n < 4 && (at[n] = column(t, boxes[k].name[n])) >= 0)
			n++;
		if (n < 4 || (!strcmp(boxes[k].name[0], "x1") && are_points(t)))
			continue;
		t->box = 1 + k;
		for (int i = 0; i < 4; i++)
			t->col[at[i]] = BOX + i;
	}
	int W = column(t, "width"), H = column(t, "height");
	if (W >= 0 && H >= 0)
		t->col[W] = WIDTH, t->col[H] = HEIGHT;
}

/* The name of a column of points is one of a stream. */
static void check_text(const struct table_form *t, int i)
{
	char word[300];
	if (utf8_valid((const unsigned char *)t->head[i], strlen(t->head[i])))
		return;
	magic_word(word, sizeof word, t->name);
	die("%s: header: column %d: '%.100s' is not UTF-8; if it is Latin-1: iconv -f LATIN1 -t UTF-8 %s %s", t->name, i + 1, t->head[i],
		word, err_then());
}

/* 1: corner of a further box, or of one whose other columns are not there. */
static int is_corner(struct csv_coord c, const struct csv_names *all)
{
	return csv_is_corner(c, all) || (c.len == 4 && !strncasecmp(c.base, "bbox", 4));
}

static void find_points(struct table_form *t, struct annotations *a)
{
	a->names = xcalloc((size_t)t->ncol + 1, sizeof *a->names);
	int *partners = xcalloc((size_t)t->ncol, sizeof *partners), *same = xcalloc((size_t)t->ncol, sizeof *same);
	char *special = xcalloc((size_t)t->ncol + 1, 1);
	struct csv_names all;
	size_t n = 0;
	csv_names_make(&all, t->head, t->ncol);
	for (int i = 0; i < t->ncol; i++)
		special[i] = t->col[i] <= FILE_NAME;
	csv_partners(t->head, t->ncol, special, partners, same);
	for (int i = 0; i < t->ncol; i++) {
		struct csv_coord c = csv_coord_of(t->head[i]);
		int partner = partners[i];
		if (t->col[i] != IGNORED || !c.style || is_corner(c, &all))
			continue;
		if (same[i] >= 0)
			die("%s: header: '%.100s' and '%.100s' are the same", t->name, t->head[i], t->head[same[i]]);
		if (partner < 0 && c.style == CSV_STYLE_SUFFIX)
			die("%s: header: '%.100s' without '%.*s_%c'", t->name, t->head[i], (int)(c.len < 98 ? c.len : 98), t->head[i],
				'x' + 'y' - c.axis);
		if (partner < 0 || c.axis != 'x')
			continue;
		for (int k = i; k >= 0; k = k == i ? partner : -1)
			check_text(t, k);
		if (a->K == ANNOTATION_POINTS)
			die("%s: header: more than %d points", t->name, ANNOTATION_POINTS);
		t->col[i] = 2 * a->K, t->col[partner] = 2 * a->K + 1;
		a->names[a->K++] = xprintf("%.*s", (int)c.len, c.base);
	}
	for (int i = 0; i < t->ncol; i++)
		if (t->col[i] == IGNORED)
			csv_list_add(&a->unread, &n, t->head[i]);
	csv_names_free(&all);
	free(partners), free(same), free(special);
}

/* 1: x, y, x1, ..., NAME_x, region_...: as tables of one point a line, of numbered points, and of VIA have them. */
static int is_coordinate(const char *name)
{
	size_t digits = strspn(name + (*name != 0), "0123456789");
	return csv_coord_of(name).style != CSV_STYLE_NONE || !strncmp(name, "region_", 7) ||
	       (*name && strchr("xyXY", *name) && !name[1 + digits]);
}

/* A table without coordinates is one of images without labels. */
static void check_columns(const struct table_form *t)
{
	char *others = NULL;
	size_t n = 0;
	int lost = 0;
	for (int i = 0; i < t->ncol; i++)
		if (t->col[i] == IGNORED && *t->head[i]) {
			csv_list_add(&others, &n, t->head[i]);
			lost |= is_coordinate(t->head[i]);
		}
	if (lost)
		die("%s: header: no column is a point (NAME_x and NAME_y, a line a face) or a box (x,y,w,h or left,top,right,bottom): %s",
			t->name, others);
	free(others);
}

static void *open_table(struct annotations *a, const struct annotation_options *o)
{
	struct table_form *t = xcalloc(1, sizeof *t);
	int std = !strcmp(o->operands[0], "-"), fd = std ? 0 : open(o->operands[0], O_RDONLY | O_CLOEXEC);
	t->name = text_input(o->operands[0]);
	if (fd < 0)
		die_errno("%s", t->name);
	t->lines = lines_open_fd(fd, t->name);
	read_head(t);
	find_special(t);
	find_points(t, a);
	if (!a->K && !t->box)
		check_columns(t);
	a->has_box = t->box > 0;
	return t;
}

/* ---- rows ---- */

/* A field that is no name. v: (4) box, then W, H. */
static int number(const struct table_form *t, struct annotation *face, int i, struct span f, double *v, char err[ANNOTATION_ERR])
{
	char shown[CSV_SHOWN];
	double x;
	int role = t->col[i];
	if (!csv_number(f, t->sep, &x))
		return text_bad(err, "%s: %s: %.100s is '%s', not a number", t->name, face->place, t->head[i], csv_shown(f, shown));
	if (role >= 0)
		face->points[role] = x;
	else if (role == WIDTH || role == HEIGHT)
		v[role == WIDTH ? 4 : 5] = x;
	else
		v[role - BOX] = x;
	return 1;
}

/* Box and size of what the row says; -1: they are none. */
static int set_box(const struct table_form *t, struct annotation *face, const double v[6], char err[ANNOTATION_ERR])
{
	int known = 0;
	for (int i = 0; i < 4 && t->box; i++)
		known += !isnan(v[i]);
	if (known == 4) {
		memcpy(face->box, v, sizeof face->box);
		if (boxes[t->box - 1].corners)
			face->box[2] -= v[0], face->box[3] -= v[1];
		face->has_box = 1;
	} else if (known) {
		return text_bad(err, "%s: %s: its box has only %d of 4 numbers", t->name, face->place, known);
	}
	for (int i = 4; i < 6; i++) {
		if (isnan(v[i]))
			continue;
		if (v[i] < 1 || v[i] > 1e6 || v[i] != floor(v[i]))
			return text_bad(
				err, "%s: %s: %s is %g, no number of pixels", t->name, face->place, i == 4 ? "width" : "height", v[i]);
		*(i == 4 ? &face->W : &face->H) = (int)v[i];
	}
	if (!face->W || !face->H)
		face->W = face->H = 0;
	return 1;
}

static int parse(struct table_form *t, struct annotation *face, struct span line, char err[ANNOTATION_ERR])
{
	double v[6] = {NAN, NAN, NAN, NAN, NAN, NAN};
	struct span f;
	int n = 0, bad = 0;
	for (const unsigned char *p = line.p; p && n <= t->ncol; n++) {
		if (!csv_next_field(&p, line.e, t->sep, &f))
			return text_bad(err, "%s: %s: field %d: the quotes are not closed, or not at the field's ends", t->name,
				face->place, n + 1);
		if (n == t->ncol || bad)
			continue;
		if (t->col[n] == FILE_NAME) {
			free(t->file);
			t->file = text_field(f);
			text_slashes(t->file);
			face->file = t->file;
		} else if (t->col[n] != IGNORED) {
			bad = number(t, face, n, f, v, err) < 0;
		}
	}
	if (n != t->ncol) /* before what stands in them: one too few makes wrong numbers of all */
		return text_bad(
			err, "%s: %s: %s fields than the header's %d", t->name, face->place, n > t->ncol ? "more" : "fewer", t->ncol);
	return bad ? -1 : set_box(t, face, v, err);
}

static int next_table(void *state, struct annotations *a, struct annotation *face, char err[ANNOTATION_ERR])
{
	struct table_form *t = state;
	struct span line;
	int r, comment = 0, passed;
	(void)a;
	do {
		r = lines_next(t->lines);
		line = csv_trimmed(t->lines->line);
		passed = t->commented && line.e - line.p >= 2 && line.p[0] == '#' && line.p[1] == ' ';
		comment |= passed && r == LINES_ONE;
	} while (r == LINES_ONE && (line.p == line.e || passed));
	if (r == LINES_ERR)
		die("%s: row %llu: %s", t->name, (unsigned long long)t->row + 1, t->lines->err);
	if (r == LINES_DONE)
		return 0;
	if (comment)
		die("%s: row %llu: a comment (#)", t->name, (unsigned long long)t->row + 1);
	snprintf(face->place, sizeof face->place, "row %llu", (unsigned long long)++t->row);
	return parse(t, face, t->lines->line, err);
}

static void close_table(void *state)
{
	struct table_form *t = state;
	for (int i = 0; i < t->ncol; i++)
		free(t->head[i]);
	lines_free(t->lines);
	free(t->head), free(t->col), free(t->file), free(t);
}

const struct annotation_form form_table = {"table", ORIGIN_INDEX, 0, open_table, next_table, close_table};
