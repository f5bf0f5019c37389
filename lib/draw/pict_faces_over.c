/* Faces on the images that they were cut from. */
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/base/err.h"
#include "lib/base/folder.h"
#include "lib/draw/pict_faces_io.h"
#include "lib/draw/pict_points.h"
#include "lib/image/image.h"
#include "lib/image/image_path.h"

/* A face, and the image that it is on. */
struct cut {
	const struct face *face;
	char *path, *below; /* where the image is; its name below --over */
};

/* An image, the faces on it, and where its picture goes. */
struct original {
	const struct cut *cut; /* (n), by row */
	size_t n;
	char *to; /* NULL: stdout, or the file of --output */
	struct stat st;
};

/* ---- which images, and where to ---- */

static uint64_t first_row(const struct original *g)
{
	return g->cut->face->row;
}

static int by_path(const void *a, const void *b)
{
	const struct cut *x = a, *y = b;
	int c = strcmp(x->path, y->path);
	return c ? c : x->face->row < y->face->row ? -1 : 1;
}

static int by_row(const void *a, const void *b)
{
	return first_row(a) < first_row(b) ? -1 : 1;
}

static int by_picture(const void *a, const void *b)
{
	const struct original *x = *(const struct original *const *)a, *y = *(const struct original *const *)b;
	int c = strcmp(x->to, y->to);
	return c ? c : by_row(x, y);
}

static int is_folder(const char *path)
{
	struct stat st;
	size_t n = path ? strlen(path) : 0;
	return n && (path[n - 1] == '/' || (!stat(path, &st) && S_ISDIR(st.st_mode)) || (strcmp(path, "-") && !pict_suffix(path)));
}

/* Ends the program where pictures would lie among the images. */
static void check_folder(const char *folder, const char *images)
{
	struct stat x, y;
	if (folder && !stat(folder, &x) && !stat(images, &y) && x.st_dev == y.st_dev && x.st_ino == y.st_ino)
		die_usage("--output %s: is the folder of --over, where pictures would lie among the images", folder);
}

/* The name of an image without its suffix. */
static size_t stem_of(const char *name)
{
	static const char *const suffixes[] = {".png", ".jpg", ".jpeg", ".pgm", ".ppm", ".pnm"};
	const char *suffix = pict_suffix(name);
	for (size_t i = 0; suffix && i < sizeof suffixes / sizeof *suffixes; i++)
		if (!strcasecmp(suffix, suffixes[i]))
			return (size_t)(suffix - name);
	return strlen(name);
}

static void find_image(struct cut *cut, struct image_path *p, const char *data)
{
	const char *source = cut->face->source, *path = image_path(p, source);
	unsigned long long row = (unsigned long long)cut->face->row;
	if (!*source)
		die("%s: row %llu: source is empty: its image has no name", data, row);
	if (!path)
		die("%s: row %llu: its image '%.200s' lies outside of --over", data, row, source);
	cut->below = xstrdup(path + p->below);
	cut->path = xstrdup(image_path_there(p, path));
	if (access(cut->path, F_OK))
		die_errno("%s: row %llu: image %.300s", data, row, cut->path);
}

/* The images in the order of their first rows: *n of them. */
static struct original *group(struct cut *cut, size_t cuts, size_t *n, const char *data)
{
	struct original *g = xcalloc(cuts, sizeof *g);
	*n = 0;
	qsort(cut, cuts, sizeof *cut, by_path);
	for (size_t i = 0; i < cuts; i++) {
		const struct face *f = cut[i].face;
		if (!i || strcmp(cut[i - 1].path, cut[i].path))
			g[(*n)++].cut = cut + i;
		else if (f->turn && *f->turn != *cut[i - 1].face->turn)
			die("%s: rows %llu and %llu are of one image, turned in two ways", data, (unsigned long long)cut[i - 1].face->row,
				(unsigned long long)f->row);
		g[*n - 1].n++;
	}
	qsort(g, *n, sizeof *g, by_row);
	return g;
}

static void set_picture(struct original *g, const struct pict_faces *f, const char *folder)
{
	const char *below = g->cut->below, *suffix = f->to.format ? f->to.format : "png",
		   *slash = folder[strlen(folder) - 1] == '/' ? "" : "/";
	g->to = xprintf("%s%s%.*s.%s", folder, slash, (int)stem_of(below), below, suffix);
}

/* Ends the program where a picture would take the place of an image, or of another picture. */
static void check_pictures(struct original *g, size_t n, const struct selection *b, const struct pict_faces *f)
{
	const struct original **order = xcalloc(n, sizeof *order);
	for (size_t i = 0; i < n; i++)
		if (stat(g[i].cut->path, &g[i].st))
			die_errno("image %s", g[i].cut->path);
	for (size_t i = 0; i < n; i++) {
		struct stat st;
		const char *to = g[i].to ? g[i].to : f->to.path;
		int there = to && !stat(to, &st);
		for (size_t k = 0; k < n && there; k++)
			if (st.st_dev == g[k].st.st_dev && st.st_ino == g[k].st.st_ino)
				die("%s: is an image of --over, which a picture would replace", to);
		order[i] = &g[i];
	}
	if (g->to)
		qsort(order, n, sizeof *order, by_picture);
	for (size_t i = 1; i < n && g->to; i++) {
		const struct face *x = order[i - 1]->cut->face, *y = order[i]->cut->face;
		if (!strcmp(order[i - 1]->to, order[i]->to))
			die("%s: rows %llu and %llu: of '%.200s' and '%.200s' both pictures would be %s (--id takes some rows)",
				b->d->in->name, (unsigned long long)x->row, (unsigned long long)y->row, x->source, y->source, order[i]->to);
	}
	free(order);
}

/* ---- drawing ---- */

/* Turns the image as it was when its rows were cut. */
static void turn(struct image *im, const struct original *g, const struct selection *b)
{
	int to = b->turn < 0 ? im->turn : *g->cut->face->turn;
	if (to != 1 && to != im->turn)
		die("image %s: its EXIF orientation is %d, and was %d when row %llu of %s was cut from it", g->cut->path, im->turn, to,
			(unsigned long long)first_row(g), b->d->in->name);
	if (to != 1)
		image_upright(im);
}

/* From pixels of the row, counted by centres, to the canvas. */
static void place(struct placement *at, const struct selection *b, const struct face *f, double zoom)
{
	for (int i = 0; i < 6; i++) {
		double c = (double)f->crop[i];
		if (!isfinite(c))
			die("%s: row %llu: crop holds %g, so that it is not known where in its image the row is", b->d->in->name,
				(unsigned long long)f->row, c);
		at->m[i] = zoom * (i % 3 == 2 ? c + 0.5 : c);
	}
	double w = b->w * hypot(at->m[0], at->m[3]), h = b->h * hypot(at->m[1], at->m[4]), side = fmin(w, h);
	/* at the size of a row as on a picture of rows; on large faces less than in proportion, not to hide what they mark */
	at->radius = pict_points_radius(w, h) * sqrt(fmax(side / 340, 1));
	at->text = fmax(8, 2.75 * at->radius);
}

static void draw_outline(struct pict *p, const struct selection *b, const struct face *f, double zoom, const struct placement *at)
{
	static const int corner[5][2] = {{0, 0}, {1, 0}, {1, 1}, {0, 1}, {0, 0}};
	double x[5], y[5];
	const double *m = at->m;
	const float *box = f->box;
	int good = box && isfinite(box[0]) && isfinite(box[1]) && isfinite(box[2]) && isfinite(box[3]);
	for (int i = 0; i < 5; i++) {
		double u = corner[i][0] * b->w - 0.5, v = corner[i][1] * b->h - 0.5;
		x[i] = good ? zoom * ((double)box[0] + corner[i][0] * (double)box[2]) : m[0] * u + m[1] * v + m[2];
		y[i] = good ? zoom * ((double)box[1] + corner[i][1] * (double)box[3]) : m[3] * u + m[4] * v + m[5];
	}
	pict_path(p, x, y, 5, 3.2, 0x00000070, 0);
	pict_path(p, x, y, 5, 1.6, 0xFFFFFFFF, 0);
}

static void draw(struct original *g, const struct selection *b, const struct pict_faces *f, struct out *o)
{
	struct image im = {0};
	char err[IMAGE_ERR];
	double zoom = f->zoom > 0 ? f->zoom : 1;
	if (!image_read(&im, g->cut->path, 3, err))
		die("image %s: %s", g->cut->path, err);
	turn(&im, g, b);
	double W = im.W * zoom, H = im.H * zoom;
	if (W > PICT_SIDE_MAX || H > PICT_SIDE_MAX || W * H > PICT_PIXELS_MAX)
		die("image %s: a picture of %.0fx%.0f pixels is too large: --zoom makes it smaller", g->cut->path, W, H);
	struct out *to = o ? o : out_open(g->to, 0);
	struct pict *p = pict_new(g->to && !f->to.format ? PICT_PNG : pict_format(&f->to), W, H);
	size_t n = (size_t)im.W * (size_t)im.H;
	uint32_t *rgb = xmalloc(n * sizeof *rgb);
	for (size_t i = 0; i < n; i++)
		rgb[i] = (uint32_t)im.pixels[3 * i] << 16 | (uint32_t)im.pixels[3 * i + 1] << 8 | im.pixels[3 * i + 2];
	pict_image(p, 0, 0, zoom, im.W, im.H, rgb, 1);
	free(rgb);
	image_free(&im);
	for (size_t i = 0; i < g->n; i++) {
		struct placement at = {.cell = {0, 0, W, H}};
		place(&at, b, g->cut[i].face, zoom);
		draw_outline(p, b, g->cut[i].face, zoom, &at);
		pict_faces_points(p, b, g->cut[i].face, &at);
	}
	pict_finish(p, to);
}

void pict_faces_over(const char *data, const struct pict_faces *f)
{
	size_t n;
	struct selection b = {0};
	struct image_path p;
	const char *folder = is_folder(f->to.path) ? f->to.path : NULL;
	check_folder(folder, f->over);
	struct out *o = folder ? NULL : pict_open(&f->to);
	pict_faces_select(&b, data, f);
	struct cut *cut = xcalloc(b.n, sizeof *cut);
	image_path_begin(&p, NULL, f->over);
	for (size_t i = 0; i < b.n; i++) {
		cut[i].face = &b.face[i];
		find_image(&cut[i], &p, b.d->in->name);
	}
	struct original *g = group(cut, b.n, &n, b.d->in->name);
	if (n > 1 && !folder)
		die("%s: its rows are of %zu images, a picture each: --output FOLDER takes them", b.d->in->name, n);
	for (size_t i = 0; i < n && folder; i++)
		set_picture(&g[i], f, folder);
	check_pictures(g, n, &b, f);
	if (folder)
		folder_make(folder);
	for (size_t i = 0; i < n; i++) {
		if (folder)
			folder_make_above(g[i].to, strlen(folder) + 1);
		draw(&g[i], &b, f, o);
		free(g[i].to);
	}
	for (size_t i = 0; i < b.n; i++)
		free(cut[i].path), free(cut[i].below);
	image_path_end(&p);
	free(cut), free(g);
	pict_faces_free(&b);
}
