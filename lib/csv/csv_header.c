/* The header: what each column is. */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "lib/base/magic.h"
#include "lib/base/nearest.h"
#include "lib/base/utf8.h"
#include "lib/csv/csv_io.h"

#define NAME_MAX_BYTES 200 /* of a column */

struct csv_coord csv_coord_of(const char *name)
{
	size_t n = strlen(name);
	char last = n ? (char)(name[n - 1] | 0x20) : 0, first = (char)(name[0] | 0x20);
	if (n >= 3 && (last == 'x' || last == 'y') && (name[n - 2] == '_' || name[n - 2] == '.'))
		return (struct csv_coord){name[n - 2] == '_' ? CSV_STYLE_SUFFIX : CSV_STYLE_DOT, name, n - 2, last};
	if (n >= 3 && (first == 'x' || first == 'y') && name[1] == '_')
		return (struct csv_coord){CSV_STYLE_PREFIX, name + 2, n - 2, first};
	return (struct csv_coord){CSV_STYLE_NONE, name, n, 0};
}

int csv_same_point(struct csv_coord a, struct csv_coord b)
{
	return a.style == b.style && a.len == b.len && !memcmp(a.base, b.base, a.len);
}

/* How good a name for the row's number it is: 0: none, the larger the better. image_id beside id is that of a photograph with several
 * faces. */
static int id_rank(const char *name)
{
	return !strcasecmp(name, "ImageId") ? 3 : !strcasecmp(name, "id") ? 2 : !strcasecmp(name, "image_id") ? 1 : 0;
}

static int is_image(const struct csv *c, const char *name)
{
	return c->image_column ? !strcmp(name, c->image_column) : !strcasecmp(name, "Image") || !strcasecmp(name, "pixels");
}

static void ignore(struct csv *c, int i, const char *name)
{
	c->src->col[i] = CSV_COL_IGNORED;
	csv_list_add(&c->ignored, &c->src->ignored_n, name);
}

/* Image and id: their columns, or -1. */
static int find_special(struct csv *c, int *image, int *id)
{
	char **name = c->src->name;
	*image = *id = -1;
	for (int i = 0; i < c->src->ncol; i++) {
		if (is_image(c, name[i])) {
			if (*image >= 0 && !strcmp(name[*image], name[i]))
				return csv_fault(c, "header: two columns are called '%.100s'", name[i]);
			if (*image >= 0)
				return csv_fault(c, "header: '%.100s' and '%.100s' may both be the image: --image-column says which",
					name[*image], name[i]);
			*image = i;
		} else if (id_rank(name[i])) {
			if (*id >= 0 && !strcmp(name[*id], name[i]))
				return csv_fault(c, "header: two columns are called '%.100s'", name[i]);
			if (*id < 0 || id_rank(name[i]) > id_rank(name[*id]))
				*id = i;
		}
	}
	if (*image >= 0)
		return CSV_DONE;
	if (!c->image_column)
		return csv_fault(c, "header: no column is called Image (image, pixels; --image-column names another); tables that name "
				    "files are for tns-import --form table");
	struct nearest near = nearest_of(c->image_column);
	for (int i = 0; i < c->src->ncol; i++)
		nearest_add(&near, name[i]);
	return csv_fault(c, "header: no column is called '%.100s'%s", c->image_column, nearest_hint(&near));
}

/* Column i, a coordinate whose partner is there: what its name must be. */
static int check_name(struct csv *c, int i, struct csv_coord a)
{
	const char *name = c->src->name[i];
	for (size_t k = 0; k < a.len; k++)
		if ((unsigned char)a.base[k] <= ' ' || a.base[k] == ',' || a.base[k] == '"' || a.base[k] == 127)
			return csv_fault(c, "header: column %d: a space, comma or quote in '%.100s'", i + 1, name);
	if (utf8_valid((const unsigned char *)name, strlen(name)))
		return CSV_DONE;
	char word[300];
	magic_word(word, sizeof word, c->name);
	return csv_fault(c, "header: column %d: '%.100s' is not UTF-8; if it is Latin-1: iconv -f LATIN1 -t UTF-8 %s | %s", i + 1, name,
		word, err_program());
}

static int name_column(struct csv *c, int i, const struct csv_names *names, int partner, int same)
{
	struct csv_source *s = c->src;
	const char *name = s->name[i];
	struct csv_coord a = csv_coord_of(name);
	if (same >= 0)
		return csv_fault(c,
			strcmp(name, s->name[same]) ? "header: '%.100s' and '%.100s' are the same"
						    : "header: two columns are called '%.100s'",
			name, s->name[same]);
	if (partner < 0 && a.style == CSV_STYLE_SUFFIX)
		return csv_fault(c, "header: '%.100s' without '%.*s_%c'", name, (int)(a.len < 98 ? a.len : 98), name, 'x' + 'y' - a.axis);
	if (partner < 0 || csv_is_corner(a, names)) {
		ignore(c, i, name);
		return CSV_DONE;
	}
	if (check_name(c, i, a) == CSV_ERR)
		return CSV_ERR;
	if (a.axis == 'x') {
		s->col[i] = 2 * c->npoints;
		s->col[partner] = 2 * c->npoints + 1;
		c->points[c->npoints++] = xprintf("%.*s", (int)a.len, a.base);
	}
	return CSV_DONE;
}

/* Resolves the column names to s->col and c->points. */
static int name_columns(struct csv *c)
{
	struct csv_source *s = c->src;
	int image, id, *partner = xcalloc((size_t)s->ncol, sizeof *partner), *same = xcalloc((size_t)s->ncol, sizeof *same);
	struct csv_names names;
	c->points = xcalloc((size_t)s->ncol + 1, sizeof *c->points);
	int r = find_special(c, &image, &id);
	c->has_id = id >= 0;
	csv_names_make(&names, s->name, s->ncol);
	csv_partners(s->name, s->ncol, NULL, partner, same);
	for (int i = 0; i < s->ncol && r == CSV_DONE; i++)
		if (i == image || i == id)
			s->col[i] = i == image ? CSV_COL_IMAGE : CSV_COL_ID;
		else
			r = name_column(c, i, &names, partner[i], same[i]);
	csv_names_free(&names), free(partner), free(same);
	if (r == CSV_ERR)
		return CSV_ERR;
	for (int i = 0; i < c->npoints; i++)
		for (int j = 0; j < i; j++)
			if (!strcmp(c->points[i], c->points[j]))
				return csv_fault(c, "header: two points are called '%.100s'", c->points[i]);
	return CSV_DONE;
}

/* Reads the names of the columns. */
static void read_names(struct csv *c, struct span line)
{
	struct csv_source *s = c->src;
	struct span f;
	s->name = xcalloc(CSV_COLUMNS_MAX, sizeof *s->name);
	for (const unsigned char *p = line.p; p < line.e; p++)
		if (*p < ' ' && *p != '\t') {
			csv_fault(c, "header: byte %zu is 0x%02x: this is no text, so no CSV", (size_t)(p - line.p) + 1, *p);
			return;
		}
	for (const unsigned char *p = line.p; p && !*c->err;) {
		if (s->ncol == CSV_COLUMNS_MAX)
			csv_fault(c, "header: more than %d columns", CSV_COLUMNS_MAX);
		else if (!csv_next_field(&p, line.e, s->sep, &f))
			csv_fault(c, "header: column %d: the quotes are not closed, or not at the field's ends", s->ncol + 1);
		else if (f.e - f.p > NAME_MAX_BYTES)
			csv_fault(c, "header: column %d is no name, but %zu bytes: are columns separated by commas, tabs, semicolons or |?",
				s->ncol + 1, (size_t)(f.e - f.p));
		else
			f = csv_trimmed(f), s->name[s->ncol++] = xprintf("%.*s", (int)(f.e - f.p), (const char *)f.p);
	}
}

unsigned char csv_separator(struct span line)
{
	static const char seps[] = ",\t;|";
	for (const char *s = seps; *s; s++)
		if (memchr(line.p, *s, (size_t)(line.e - line.p)))
			return (unsigned char)*s;
	return ',';
}

int csv_head(struct csv *c)
{
	struct csv_source *s = c->src;
	int r;
	s->lines->max = LINES_HEADER_MAX;
	while ((r = lines_next(s->lines)) == LINES_ONE && s->lines->line.p < s->lines->line.e && *s->lines->line.p == '#')
		s->commented = 1;
	s->lines->max = LINES_MAX;
	if (r == LINES_ERR)
		return csv_fault(c, "%s", s->lines->err);
	if (r == LINES_DONE)
		return csv_fault(c, "empty, not even a header");
	s->sep = csv_separator(s->lines->line);
	read_names(c, s->lines->line);
	if (!*c->err && s->lines->truncated)
		csv_fault(c, "header: the file ends in it");
	s->col = xcalloc((size_t)s->ncol + 1, sizeof *s->col);
	if (!*c->err)
		name_columns(c);
	s->xy = xcalloc(2 * (size_t)c->npoints + 1, sizeof *s->xy);
	if (!*c->err)
		return CSV_DONE;
	if (s->lines->kind == UNPACK_ZIP && lines_skip(s->lines) == LINES_ERR) /* the first of several files */
		return csv_fault(c, "%s", s->lines->err);
	size_t n = strlen(c->name);
	if (s->lines->kind == UNPACK_PLAIN && n > 3 && !strcmp(c->name + n - 3, ".gz")) {
		char *why = xstrdup(c->err);
		csv_fault(c, "not gzip, though its name ends in .gz, and no such CSV either: %s", why);
		free(why);
	}
	return CSV_ERR;
}
