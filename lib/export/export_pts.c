/* .pts: FOLDER/NAME.pts for the image NAME.png, further faces of it NAME_2.pts, NAME_3.pts, ... What would lead out of the folder at a
 * name's beginning (/, ./, ../) is left out. */
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "lib/base/err.h"
#include "lib/base/folder.h"
#include "lib/export/export_form.h"
#include "lib/export/text_index.h"

struct pts {
	const struct export_set *s;
	char *folder;			 /* without slashes at the end */
	struct text_index *faces, *rows; /* of an image's name: how many so far; of a file's: the row that it is of */
};

static void *begin_pts(const struct export_set *s, struct out *to)
{
	struct pts *p = xcalloc(1, sizeof *p);
	(void)to;
	p->s = s;
	p->faces = text_index_new(), p->rows = text_index_new();
	size_t n = strlen(s->output);
	while (n > 1 && s->output[n - 1] == '/')
		n--;
	p->folder = xprintf("%.*s", (int)n, s->output);
	folder_make(p->folder);
	return p;
}

/* Length without the suffix of an image. */
static size_t stem_of(const char *name)
{
	static const char *const suffixes[] = {"png", "jpg", "jpeg", "pgm", "ppm", "pnm", "bmp", "gif", "tif", "tiff", "webp"};
	const char *dot = strrchr(name, '.');
	for (size_t i = 0; dot && dot > name && dot[-1] != '/' && i < sizeof suffixes / sizeof *suffixes; i++)
		if (!strcasecmp(dot + 1, suffixes[i]))
			return (size_t)(dot - name);
	return strlen(name);
}

/* The name within the folder; the program ends where there is none. */
static const char *inside(const struct pts *p, const struct export_face *f)
{
	const char *s = f->file;
	for (size_t n = 1; n;) {
		n = *s == '/' ? 1 : !strncmp(s, "./", 2) ? 2 : !strncmp(s, "../", 3) ? 3 : 0;
		s += n;
	}
	int good = *s && s[strlen(s) - 1] != '/';
	for (const char *part = s; part; part = strchr(part, '/')) {
		part += *part == '/';
		size_t n = strcspn(part, "/");
		good = good && n && !(n <= 2 && !strncmp(part, "..", n));
	}
	if (!good)
		die("%s: row %" PRIu64 ": of '%.300s' no name of a file can be made", p->s->name, f->row, f->file);
	return s;
}

/* The path of the row's file, to be freed; folders on the way are made. */
static char *path_of(struct pts *p, const struct export_face *f)
{
	const char *name = inside(p, f);
	uint64_t nth = ++*text_index_at(p->faces, f->file);
	char *path;
	if (nth == 1)
		path = xprintf("%s/%.*s.pts", p->folder, (int)stem_of(name), name);
	else
		path = xprintf("%s/%.*s_%" PRIu64 ".pts", p->folder, (int)stem_of(name), name, nth);
	uint64_t *row = text_index_at(p->rows, path);
	if (*row)
		die("%s: row %" PRIu64 ": '%.300s' would be %.300s, as row %" PRIu64 " is", p->s->name, f->row, f->file, path, *row);
	*row = f->row;
	folder_make_above(path, strlen(p->folder) + 1);
	return path;
}

static int face_pts(void *state, const struct export_face *f)
{
	struct pts *p = state;
	if (!f->n)
		return 0;
	char *path = path_of(p, f), x[32], y[32];
	struct out *to = out_open(path, 0);
	out_printf(to, "version: 1\nn_points: %d\n{\n", p->s->K);
	for (int k = 0; k < p->s->K; k++)
		if (isnan(f->xy[2 * k]))
			out_printf(to, "nan nan\n");
		else
			out_printf(to, "%s %s\n", export_number(x, f->xy[2 * k]), export_number(y, f->xy[2 * k + 1]));
	out_printf(to, "}\n");
	out_close(to);
	free(path);
	return 1;
}

static void end_pts(void *state)
{
	struct pts *p = state;
	text_index_free(p->faces), text_index_free(p->rows);
	free(p->folder), free(p);
}

const struct export_form export_pts = {"pts", 1, 0, 1, begin_pts, face_pts, end_pts};
