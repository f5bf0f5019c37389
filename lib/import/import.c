#include "lib/import/import.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/base/err.h"
#include "lib/base/log.h"
#include "lib/image/crop.h"
#include "lib/image/image.h"
#include "lib/image/image_pnm.h"
#include "lib/import/annotations.h"
#include "lib/import/import_rows.h"

/* The image that was read last, turned as its faces are annotated. */
struct picture {
	struct image im;
	char *path; /* NULL: none */
	int W, H;   /* that its annotations told */
	int good;
	int turn;	     /* EXIF orientation that was obeyed; 1: none */
	char err[IMAGE_ERR]; /* why it is not good */
	uint64_t read;
};

struct import {
	const struct import_options *o;
	struct annotations *a;
	struct import_rows rows;
	struct picture p;
	struct crop_buffer buffer;
	uint8_t *image; /* (h, w) */
	uint64_t bad;
};

/* ---- images ---- */

/* Turned or as stored, as the annotated size says; where it does not say, turned. 1, or 0 and err. */
static int orient(struct picture *p, enum import_exif exif)
{
	struct image *im = &p->im;
	int stored = p->W && im->turn >= 5 && im->W != im->H && p->W == im->W && p->H == im->H;
	p->turn = 1;
	if (exif == EXIF_OBEY || (exif == EXIF_AUTO && !stored)) {
		p->turn = im->turn;
		image_upright(im);
	}
	if (!p->W || (im->W == p->W && im->H == p->H))
		return 1;
	snprintf(p->err, sizeof p->err, "it has %dx%d pixels, its annotations are for %dx%d", im->W, im->H, p->W, p->H);
	return 0;
}

static void show(struct picture *p, const struct annotation *face, enum import_exif exif)
{
	if (p->path && !strcmp(p->path, face->path) && p->W == face->W && p->H == face->H)
		return;
	free(p->path);
	p->path = xstrdup(face->path);
	p->W = face->W, p->H = face->H;
	p->good = image_read(&p->im, face->path, 1, p->err);
	p->read += p->good != 0;
	p->good = p->good && orient(p, exif);
}

/* ---- faces ---- */

/* 1: the face is written; -1: it is bad. */
static int add_face(struct import *m, struct annotation *face, char err[ANNOTATION_ERR])
{
	const struct import_options *o = m->o;
	struct picture *p = &m->p;
	char why[FACE_WHY];
	float crop[6];
	if (strlen(face->file) >= IMPORT_SOURCE)
		return annotations_fault(m->a, face, err, "its image's name '%.60s...' has %zu bytes, over %d%s", face->file,
			strlen(face->file), IMPORT_SOURCE - 1,
			strspn(face->file, "0123456789 ") == strlen(face->file) ? ": csv-clean reads tables of pixels" : "");
	show(p, face, o->exif);
	if (!p->good)
		return annotations_fault(m->a, face, err, "image %.300s: %s", face->path, p->err);
	annotations_scale(m->a, face, p->im.W, p->im.H);
	if (!face_within(face, m->a->K, m->a->names, p->im.W, p->im.H, annotations_outside(m->a), why) ||
		!face_crop(crop, face, m->a->K, p->im.W, p->im.H, &o->frame, why))
		return annotations_fault(m->a, face, err, "%s", why);
	crop_resample(m->image, o->frame.w, o->frame.h, &p->im, crop, &m->buffer);
	import_rows_add(&m->rows, m->image, crop, face->file, p->turn, face);
	return 1;
}

static void pass_by(struct import *m, const char *err)
{
	if (!m->o->keep_going)
		die("%s", err);
	if (m->bad++ < IMPORT_NAMED && !m->o->quiet)
		warn("%s", err);
}

static void put_count(struct tns_writer *w, const char *key, uint64_t n)
{
	char text[24];
	snprintf(text, sizeof text, "%llu", (unsigned long long)n);
	tns_put_meta(w, key, text);
}

void import_summary(const struct import_counts *c)
{
	const struct {
		uint64_t n;
		const char *what;
	} by[] = {{c->bad, "bad faces"}, {c->crowd, "crowds"}, {c->ignored, "boxes to be ignored"},
		{c->unlabelled, "images without annotations (--unlabelled takes them)"}};
	fprintf(stderr, "%s: %llu face%s, %llu image%s read", err_program(), (unsigned long long)c->faces, c->faces == 1 ? "" : "s",
		(unsigned long long)c->images, c->images == 1 ? "" : "s");
	for (size_t i = 0, any = 0; i < sizeof by / sizeof *by; i++)
		if (by[i].n)
			fprintf(stderr, "%s %llu %s", any++ ? "," : "; passed by:", (unsigned long long)by[i].n, by[i].what);
	fprintf(stderr, "\n");
}

struct import_counts import_faces(const struct import_options *o, struct tns_writer *w)
{
	struct import m = {.o = o, .a = annotations_open(&o->annotations)};
	struct annotation face;
	struct progress bar;
	char err[ANNOTATION_ERR];
	int r;
	m.image = xmalloc((size_t)o->frame.w * (size_t)o->frame.h);
	import_rows_begin(&m.rows, w, m.a, o->frame.w, o->frame.h);
	progress_begin(&bar, "faces", o->quiet);
	while ((r = annotations_next(m.a, &face, err))) {
		if (r < 0 || add_face(&m, &face, err) < 0)
			pass_by(&m, err);
		progress_tick(&bar, m.rows.n, 0);
	}
	progress_end(&bar);
	struct import_counts c = {m.rows.n, m.p.read, m.bad, m.a->crowd, m.a->ignored, m.a->unlabelled};
	if (!c.faces)
		die("%s: no face is left: %llu bad, %llu crowds, %llu to be ignored, %llu images without annotations",
			o->annotations.operands[0], (unsigned long long)c.bad, (unsigned long long)c.crowd, (unsigned long long)c.ignored,
			(unsigned long long)c.unlabelled);
	if (m.a->unread && !o->quiet)
		warn("%s: columns that are ignored: %s", o->annotations.operands[0], m.a->unread);
	if (m.a->other_kinds && !o->quiet)
		warn("%s: of the kinds of images that are read (png, jpg, jpeg, pgm, ppm) these are none: %s", o->annotations.operands[0],
			m.a->other_kinds);
	put_count(w, "rows.read", c.faces + c.bad);
	put_count(w, "rows.kept", c.faces);
	put_count(w, "rows.dropped", c.bad);
	import_rows_end(&m.rows);
	annotations_close(m.a);
	image_free(&m.p.im);
	crop_buffer_free(&m.buffer);
	free(m.p.path), free(m.image);
	return c;
}

/* ---- frames ---- */

uint64_t import_frames(const struct import_frames *o, struct tns_writer *w)
{
	struct image_pnm *s = image_pnm_fd(STDIN_FILENO);
	struct image im = {0};
	struct crop_buffer buffer = {0};
	struct import_rows rows;
	struct progress bar;
	struct face_frame frame = {.from = FACE_WHOLE, .w = o->w, .h = o->h};
	char err[IMAGE_ERR], why[FACE_WHY], source[40];
	uint8_t *image = xmalloc((size_t)o->w * (size_t)o->h);
	float crop[6];
	int r;
	if (o->W)
		image_pnm_raw(s, o->W, o->H, o->channels);
	import_rows_begin(&rows, w, NULL, o->w, o->h);
	if (o->live)
		tns_put_meta(w, "live", "1");
	progress_begin(&bar, "frames", o->quiet);
	while ((r = image_pnm_next(s, &im, 1, err)) == IMAGE_PNM_ONE) {
		face_crop(crop, &(struct annotation){0}, 0, im.W, im.H, &frame, why);
		crop_resample(image, o->w, o->h, &im, crop, &buffer);
		snprintf(source, sizeof source, "frame %llu", (unsigned long long)rows.n + 1);
		import_rows_add(&rows, image, crop, source, 1, NULL);
		progress_tick(&bar, rows.n, 0);
	}
	progress_end(&bar);
	if (r == IMAGE_PNM_ERR)
		die("stdin: frame %llu: %s", (unsigned long long)rows.n + 1, err);
	if (!rows.n)
		die("stdin: no frame came");
	import_rows_end(&rows);
	image_pnm_free(s);
	image_free(&im);
	crop_buffer_free(&buffer);
	free(image);
	return rows.n;
}
