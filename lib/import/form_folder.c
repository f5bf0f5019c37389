/* Images without annotations: those in folders, not in folders within, by name, byte by byte; and image files. An image of an only folder
 * is called by its name in it, else as the operand leads to it. */
#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "lib/base/err.h"
#include "lib/import/form.h"
#include "lib/import/text.h"

struct folder {
	char **path; /* (n) */
	size_t n, at;
	size_t before; /* bytes of a path that are not its name */
};

static int has_suffix(const char *name, const char *const *suffixes)
{
	const char *dot = strrchr(name, '.');
	for (size_t i = 0; dot && *name != '.' && suffixes[i]; i++)
		if (!strcasecmp(dot, suffixes[i]))
			return 1;
	return 0;
}

static int by_name(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static void add(struct folder *f, char *path)
{
	if (!(f->n & (f->n - 1)))
		f->path = xrealloc(f->path, (f->n ? 2 * f->n : 1) * sizeof *f->path);
	f->path[f->n++] = path;
}

/* Adds the images of a folder; those of other kinds to others. */
static void add_all(struct folder *f, struct folder *others, DIR *d, const char *dir)
{
	static const char *const read[] = {".png", ".jpg", ".jpeg", ".pgm", ".ppm", ".pnm", NULL}, *const known[] = {".heic", ".heif",
													   ".webp", ".avif", ".gif", ".bmp",
													   ".tif", ".tiff", ".jxl", ".jp2",
													   ".pbm", ".dng", ".cr2", ".nef",
													   ".arw", ".svg", ".jfif", NULL};
	size_t first = f->n;
	for (struct dirent *e; (e = readdir(d));)
		if (has_suffix(e->d_name, read))
			add(f, text_path(dir, e->d_name));
		else if (has_suffix(e->d_name, known))
			add(others, xstrdup(e->d_name));
	if (others->n)
		qsort(others->path, others->n, sizeof *others->path, by_name);
	if (f->n == first)
		die("%s: no image is in it (png, jpg, jpeg, pgm, ppm)%s%s", dir, others->n ? ", but " : "",
			others->n ? others->path[0] : "");
	qsort(f->path + first, f->n - first, sizeof *f->path, by_name);
}

static void clear(struct folder *f)
{
	for (size_t i = 0; i < f->n; i++)
		free(f->path[i]);
	free(f->path);
}

static void *open_folder(struct annotations *a, const struct annotation_options *o)
{
	struct folder *f = xcalloc(1, sizeof *f), others = {0};
	if (o->images)
		die_usage("--images: --form folder reads the folder itself");
	for (int i = 0; i < o->noperands; i++) {
		const char *dir = o->operands[i];
		DIR *d = opendir(dir);
		if (d)
			add_all(f, &others, d, dir);
		else if (errno == ENOTDIR)
			add(f, xstrdup(dir));
		else
			die_errno("%s", dir);
		if (d && o->noperands == 1)
			f->before = strlen(dir) + (*dir && dir[strlen(dir) - 1] != '/');
		if (d)
			closedir(d);
	}
	if (others.n > 1)
		a->other_kinds = xprintf("'%s' and %zu more", others.path[0], others.n - 1);
	else if (others.n)
		a->other_kinds = xprintf("'%s'", others.path[0]);
	clear(&others);
	return f;
}

static int next_folder(void *state, struct annotations *a, struct annotation *face, char err[ANNOTATION_ERR])
{
	struct folder *f = state;
	(void)a, (void)err;
	if (f->at == f->n)
		return 0;
	face->path = f->path[f->at++];
	face->file = face->path + f->before;
	return 1;
}

static void close_folder(void *state)
{
	clear(state);
	free(state);
}

const struct annotation_form form_folder = {"folder", ORIGIN_INDEX, 0, open_folder, next_folder, close_folder};
