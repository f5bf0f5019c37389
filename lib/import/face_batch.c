#include "lib/import/face_batch.h"

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/each_thread.h"
#include "lib/base/err.h"
#include "lib/image/crop.h"
#include "lib/image/image.h"
#include "lib/import/annotations.h"
#include "lib/import/import_rows.h"

enum { SLOTS = 64 };

/* An image, turned as its faces are annotated. */
struct picture {
	struct image im;
	char *path; /* NULL: none */
	int W, H;   /* that its annotations told */
	int good;
	int turn;	     /* EXIF orientation that was obeyed; 1: none */
	int left;	     /* 1: it was not, for the annotations' sake */
	char err[IMAGE_ERR]; /* why it is not good */
};

struct worker { /* a thread */
	struct face_batch *b;
	struct picture p;
	struct crop_buffer buffer;
	uint64_t read, turned, left;
};

struct face_batch {
	const struct face_batch_options *o;
	struct annotations *a;
	struct face_slot slot[SLOTS];
	int n;
	int first[SLOTS + 1], groups; /* slots of one image after another: from first[g] to first[g + 1] - 1 */
	atomic_int next;	      /* the group that no thread has taken */
	int threads, last;	      /* last: the worker that had the last group */
	struct worker *worker;
};

/* ---- one image ---- */

/* Turned or as stored, as the annotated size says; where it does not say, turned. 1, or 0 and err. */
static int orient(struct picture *p, enum face_exif exif)
{
	struct image *im = &p->im;
	int stored = p->W && im->turn >= 5 && im->W != im->H && p->W == im->W && p->H == im->H;
	p->turn = 1;
	p->left = exif == EXIF_AUTO && stored;
	if (exif != EXIF_IGNORE && !p->left) {
		p->turn = im->turn;
		image_upright(im);
	}
	if (!p->W || (im->W == p->W && im->H == p->H))
		return 1;
	snprintf(p->err, sizeof p->err, "it has %dx%d pixels, its annotations are for %dx%d", im->W, im->H, p->W, p->H);
	return 0;
}

static int is_of(const struct picture *p, const struct annotation *face)
{
	return p->path && !strcmp(p->path, face->path) && p->W == face->W && p->H == face->H;
}

static void show(struct worker *t, const struct annotation *face)
{
	struct picture *p = &t->p;
	if (is_of(p, face))
		return;
	free(p->path);
	p->path = xstrdup(face->path);
	p->W = face->W, p->H = face->H;
	p->good = image_read(&p->im, face->path, 1, p->err);
	t->read += p->good != 0;
	p->good = p->good && orient(p, t->b->o->exif);
	t->turned += p->good && p->turn != 1;
	t->left += p->good && p->left;
}

static void forget(struct picture *p)
{
	free(p->path);
	p->path = NULL;
}

static void cut(struct worker *t, struct face_slot *s)
{
	const struct face_batch_options *o = t->b->o;
	const struct annotations *a = t->b->a;
	struct annotation *face = &s->face;
	struct picture *p = &t->p;
	char why[FACE_WHY];
	s->good = 0;
	if (strlen(face->file) >= IMPORT_SOURCE) {
		annotations_fault(a, face, s->err, "its image's name '%.60s...' has %zu bytes, over %d%s", face->file, strlen(face->file),
			IMPORT_SOURCE - 1,
			strspn(face->file, "0123456789 ") == strlen(face->file) ? ": csv-clean reads tables of pixels" : "");
		return;
	}
	show(t, face);
	if (!p->good) {
		annotations_fault(a, face, s->err, "image %.300s: %s", face->path, p->err);
		return;
	}
	annotations_scale(a, face, p->im.W, p->im.H);
	if (!face_within(face, a->K, a->names, p->im.W, p->im.H, annotations_outside(a), why) ||
		!face_crop(s->crop, face, a->K, p->im.W, p->im.H, &o->frame, why)) {
		annotations_fault(a, face, s->err, "%s", why);
		return;
	}
	crop_resample(s->image, o->frame.w, o->frame.h, &p->im, s->crop, &t->buffer);
	s->W = p->im.W, s->H = p->im.H;
	s->turn = p->turn;
	s->good = 1;
}

/* ---- several ---- */

static void *run(void *arg)
{
	struct worker *t = arg;
	struct face_batch *b = t->b;
	/* the first group, whose image may be that of the last batch's end, is the first worker's */
	for (int g = t == b->worker ? 0 : atomic_fetch_add(&b->next, 1); g < b->groups; g = atomic_fetch_add(&b->next, 1)) {
		if (g)
			forget(&t->p);
		for (int i = b->first[g]; i < b->first[g + 1]; i++)
			if (b->slot[i].good)
				cut(t, &b->slot[i]);
		if (g == b->groups - 1)
			b->last = (int)(t - b->worker);
	}
	return NULL;
}

/* Takes a copy of a face, which the next one overwrites. */
static void keep(struct face_slot *s, const struct annotation *face, int K)
{
	size_t n = (size_t)K;
	free((char *)s->face.file), free((char *)s->face.path);
	s->face = *face;
	s->face.file = xstrdup(face->file), s->face.path = xstrdup(face->path);
	s->face.points = memcpy(s->points, face->points, 2 * n * sizeof *s->points);
	if (face->confidence)
		s->face.confidence = memcpy(s->confidence, face->confidence, n * sizeof *s->confidence);
}

struct face_batch *face_batch_new(const struct face_batch_options *o, struct annotations *a)
{
	struct face_batch *b = xcalloc(1, sizeof *b);
	b->o = o, b->a = a;
	b->threads = o->threads < SLOTS ? o->threads : SLOTS;
	b->worker = xcalloc((size_t)b->threads, sizeof *b->worker);
	for (int t = 0; t < b->threads; t++)
		b->worker[t].b = b;
	for (int i = 0; i < SLOTS; i++) {
		b->slot[i].image = xmalloc((size_t)o->frame.w * (size_t)o->frame.h);
		b->slot[i].points = xcalloc(2 * (size_t)a->K + 1, sizeof *b->slot[i].points);
		b->slot[i].confidence = xcalloc((size_t)a->K + 1, sizeof *b->slot[i].confidence);
	}
	return b;
}

static void read_faces(struct face_batch *b)
{
	struct annotation face;
	const struct annotation *before = NULL; /* the last one that is good */
	b->n = b->groups = 0;
	for (int r = 1; b->n < SLOTS && r; b->n += r != 0) {
		struct face_slot *s = &b->slot[b->n];
		r = annotations_next(b->a, &face, s->err);
		s->good = r > 0;
		if (!s->good)
			continue;
		if (!before || strcmp(before->path, face.path) || before->W != face.W || before->H != face.H)
			b->first[b->groups++] = b->n;
		keep(s, &face, b->a->K);
		before = &s->face;
	}
	b->first[b->groups] = b->n;
}

int face_batch_next(struct face_batch *b, const struct face_slot **slot)
{
	struct picture kept = b->worker[b->last].p;
	b->worker[b->last].p = b->worker[0].p;
	b->worker[0].p = kept;
	read_faces(b);
	b->last = 0;
	atomic_store(&b->next, 1);
	each_thread(run, b->worker, sizeof *b->worker, b->groups < b->threads ? b->groups : b->threads);
	*slot = b->slot;
	return b->n;
}

uint64_t face_batch_images(const struct face_batch *b)
{
	uint64_t n = 0;
	for (int t = 0; t < b->threads; t++)
		n += b->worker[t].read;
	return n;
}

uint64_t face_batch_turned(const struct face_batch *b)
{
	uint64_t n = 0;
	for (int t = 0; t < b->threads; t++)
		n += b->worker[t].turned;
	return n;
}

uint64_t face_batch_left(const struct face_batch *b)
{
	uint64_t n = 0;
	for (int t = 0; t < b->threads; t++)
		n += b->worker[t].left;
	return n;
}

void face_batch_free(struct face_batch *b)
{
	for (int t = 0; t < b->threads; t++) {
		image_free(&b->worker[t].p.im);
		forget(&b->worker[t].p);
		crop_buffer_free(&b->worker[t].buffer);
	}
	for (int i = 0; i < SLOTS; i++) {
		struct annotation *face = &b->slot[i].face;
		free((char *)face->file), free((char *)face->path);
		free(b->slot[i].points), free(b->slot[i].confidence), free(b->slot[i].image);
	}
	free(b->worker), free(b);
}
