/* A folder of images without annotations: those in it, not in folders within, by name, byte by byte. */
#include <dirent.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "lib/base/err.h"
#include "lib/import/form.h"

struct folder {
	char **name; /* (n) */
	size_t n, at;
	const char *dir;
	char *path; /* of the current image */
};

static int ends_in(const char *name, const char *const suffixes[])
{
	const char *dot = strrchr(name, '.');
	for (; dot && *name != '.' && *suffixes; suffixes++)
		if (!strcasecmp(dot, *suffixes))
			return 1;
	return 0;
}

static int by_name(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static void *open_folder(struct annotations *a, const struct annotation_options *o)
{
	static const char *const read[] = {".png", ".jpg", ".jpeg", ".pgm", ".ppm", ".pnm", NULL}, *const others[] = {".bmp", ".gif",
													   ".heic", ".heif", ".avif",
													   ".tif", ".tiff", ".webp",
													   ".jfif", NULL};
	struct folder *f = xcalloc(1, sizeof *f);
	char *other = NULL; /* the first of those that no decoder is here for */
	size_t nothers = 0;
	(void)a;
	f->dir = o->operands[0];
	if (o->images)
		die_usage("--images: --form folder reads the folder itself");
	DIR *d = opendir(f->dir);
	if (!d)
		die_errno("%s", f->dir);
	for (struct dirent *e; (e = readdir(d));) {
		if (ends_in(e->d_name, others) && (!nothers++ || strcmp(e->d_name, other) < 0)) {
			free(other);
			other = xstrdup(e->d_name);
		}
		if (!ends_in(e->d_name, read))
			continue;
		if (!(f->n & (f->n - 1)))
			f->name = xrealloc(f->name, (f->n ? 2 * f->n : 1) * sizeof *f->name);
		f->name[f->n++] = xstrdup(e->d_name);
	}
	closedir(d);
	if (!f->n)
		die("%s: no image is in it (png, jpg, jpeg, pgm, ppm)", f->dir);
	if (nothers)
		warn("%s: passed by, as PNG, JPEG, PGM and PPM are read: %s%s", f->dir, other, nothers > 1 ? " and others" : "");
	free(other);
	qsort(f->name, f->n, sizeof *f->name, by_name);
	return f;
}

static int next_folder(void *state, struct annotations *a, struct annotation *face, char err[ANNOTATION_ERR])
{
	struct folder *f = state;
	(void)a, (void)err;
	if (f->at == f->n)
		return 0;
	size_t n = strlen(f->dir);
	free(f->path);
	f->path = xprintf("%s%s%s", f->dir, n && f->dir[n - 1] == '/' ? "" : "/", f->name[f->at]);
	face->file = f->name[f->at++];
	face->path = f->path;
	return 1;
}

static void close_folder(void *state)
{
	struct folder *f = state;
	for (size_t i = 0; i < f->n; i++)
		free(f->name[i]);
	free(f->name), free(f->path), free(f);
}

const struct annotation_form form_folder = {"folder", ORIGIN_INDEX, 0, open_folder, next_folder, close_folder};
