/* Images without annotations: those in folders, not in folders within, by name, byte by byte; and image files. Links are what they lead to.
 * An image of an only folder is called by its name in it, else as the operand leads to it. */
#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>

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

/* A folder within that is no operand itself. */
static int is_unread(const char *path, const struct annotation_options *o)
{
	struct stat st, named;
	int is = !stat(path, &st) && S_ISDIR(st.st_mode);
	for (int i = 0; is && i < o->noperands; i++)
		is = stat(o->operands[i], &named) || named.st_dev != st.st_dev || named.st_ino != st.st_ino;
	return is;
}

/* "'a' and 4 more", of those from this one on, the first by name; NULL: none. */
static char *named(struct folder *f, size_t from)
{
	size_t n = f->n - from;
	if (!n)
		return NULL;
	qsort(f->path + from, n, sizeof *f->path, by_name);
	return n == 1 ? xprintf("'%s'", f->path[from]) : xprintf("'%s' and %zu more", f->path[from], n - 1);
}

/* Adds the images of a folder; those of other kinds to others, folders in it to within. */
static void add_all(
	struct folder *f, struct folder *others, struct folder *within, DIR *d, const char *dir, const struct annotation_options *o)
{
	static const char *const read[] = {".png", ".jpg", ".jpeg", ".pgm", ".ppm", ".pnm", NULL}, *const known[] = {".heic", ".heif",
													   ".webp", ".avif", ".gif", ".bmp",
													   ".tif", ".tiff", ".jxl", ".jp2",
													   ".pbm", ".dng", ".cr2", ".nef",
													   ".arw", ".svg", ".jfif", NULL};
	size_t first = f->n, other = others->n, folder = within->n;
	for (struct dirent *e; (e = readdir(d));)
		if (has_suffix(e->d_name, read))
			add(f, text_path(dir, e->d_name));
		else if (has_suffix(e->d_name, known))
			add(others, xstrdup(e->d_name));
		else if (*e->d_name != '.') {
			char *path = text_path(dir, e->d_name);
			if (is_unread(path, o))
				add(within, path);
			else
				free(path);
		}
	if (f->n == first) {
		char *kinds = named(others, other), *folders = named(within, folder);
		die("%s: no image is in it (png, jpg, jpeg, pgm, ppm)%s%s%s%s", dir, kinds || folders ? ", but " : "", kinds ? kinds : "",
			kinds && folders ? ", and " : "", folders ? xprintf("%s, to be named themselves", folders) : "");
	}
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
	struct folder *f = xcalloc(1, sizeof *f), others = {0}, within = {0};
	if (o->images)
		die_usage("--images: --form folder reads the folder itself");
	for (int i = 0; i < o->noperands; i++) {
		const char *dir = o->operands[i];
		DIR *d = opendir(dir);
		if (d)
			add_all(f, &others, &within, d, dir, o);
		else if (errno == ENOTDIR)
			add(f, xstrdup(dir));
		else
			die_errno("%s", dir);
		if (d && o->noperands == 1)
			f->before = strlen(dir) + (*dir && dir[strlen(dir) - 1] != '/');
		if (d)
			closedir(d);
	}
	a->other_kinds = named(&others, 0);
	a->within = named(&within, 0);
	clear(&others), clear(&within);
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
