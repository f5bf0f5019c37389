#include <stdlib.h>
#include <string.h>

#include "lib/base/each_thread.h"
#include "lib/base/err.h"
#include "lib/base/folder.h"
#include "lib/synth/photo_labels.h"
#include "lib/synth/photos.h"

/* A thread's picture. */
struct worker {
	struct photo *photo;
	int (*draw)(struct photo *p, uint32_t row, uint8_t *image, struct photo_face *faces, float *points);
	uint32_t row;
	int n; /* faces */
	uint8_t *image;
	struct photo_face faces[PHOTO_FACES];
	float *points;
};

/* Where the pictures go. */
struct sink {
	const char *folder; /* NULL: a film */
	struct out *film;
	struct photo_labels *labels; /* or NULL */
};

static void *draw(void *arg)
{
	struct worker *p = arg;
	p->n = p->draw(p->photo, p->row, p->image, p->faces, p->points);
	return NULL;
}

static void write_picture(const struct sink *to, const struct photo_style *s, const struct worker *p)
{
	char *name = xprintf(to->folder ? "%06lu.pgm" : "frame %lu", p->row + 1ul),
	     *path = to->folder ? xprintf("%s/%s", to->folder, name) : NULL;
	struct out *f = path ? out_open(path, 0) : to->film;
	out_printf(f, "P5\n%d %d\n255\n", s->w, s->h);
	out_write(f, p->image, (size_t)s->w * (size_t)s->h);
	if (path)
		out_close(f);
	else
		out_flush(f);
	if (to->labels)
		photo_labels_image(to->labels, name, p->n, p->faces, p->points);
	free(path), free(name);
}

static void run(const struct photo_style *s, uint64_t seed, uint32_t n, int threads, const struct sink *to)
{
	struct worker *p = xcalloc((size_t)threads, sizeof *p);
	for (int t = 0; t < threads; t++) {
		p[t].photo = photo_new(s, seed);
		p[t].draw = to->folder ? photo_draw : photo_frame;
		p[t].image = xmalloc((size_t)s->w * (size_t)s->h);
		p[t].points = xcalloc((size_t)PHOTO_FACES * (size_t)s->points, 2 * sizeof(float));
	}
	for (uint32_t row = 0; row < n;) {
		int used = n - row < (uint32_t)threads ? (int)(n - row) : threads;
		for (int t = 0; t < used; t++)
			p[t].row = row++;
		each_thread(draw, p, sizeof *p, used);
		for (int t = 0; t < used; t++)
			write_picture(to, s, &p[t]);
	}
	for (int t = 0; t < threads; t++) {
		photo_free(p[t].photo);
		free(p[t].image), free(p[t].points);
	}
	free(p);
}

void photos_write(const struct photo_style *s, uint64_t seed, uint32_t n, int threads, const char *folder, const char *form)
{
	folder_make(folder);
	char *path = xprintf("%s/labels.%s", folder, photo_labels_suffix(form));
	struct out *labels = out_open(path, 0);
	struct sink to = {folder, NULL, photo_labels_begin(labels, form, s->w, s->h, s->points)};
	run(s, seed, n, threads, &to);
	photo_labels_end(to.labels);
	out_close(labels);
	free(path);
}

void photos_film(const struct photo_style *s, uint64_t seed, uint32_t n, int threads, struct out *film, struct out *truth)
{
	struct sink to = {NULL, film, truth ? photo_labels_begin(truth, "table", s->w, s->h, s->points) : NULL};
	run(s, seed, n, threads, &to);
	if (truth)
		photo_labels_end(to.labels);
}
