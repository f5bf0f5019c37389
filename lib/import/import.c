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
#include "lib/import/face_batch.h"
#include "lib/import/face_crop.h"
#include "lib/import/import_rows.h"
#include "lib/import/kinds.h"
#include "lib/import/text.h"

static void pass_by(const struct import_options *o, uint64_t *bad, const char *err)
{
	if (!o->keep_going)
		die("%s", err);
	if ((*bad)++ < IMPORT_NAMED && !o->quiet)
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
	if (c->turned)
		fprintf(stderr, ", %llu of them turned as %s EXIF says", (unsigned long long)c->turned, c->turned == 1 ? "its" : "their");
	if (c->left)
		fprintf(stderr, ", %llu left as %s, as %s annotations are", (unsigned long long)c->left,
			c->left == 1 ? "it lies" : "they lie", c->left == 1 ? "its" : "their");
	for (size_t i = 0, any = 0; i < sizeof by / sizeof *by; i++)
		if (by[i].n)
			fprintf(stderr, "%s %llu %s", any++ ? "," : "; passed by:", (unsigned long long)by[i].n, by[i].what);
	fprintf(stderr, "\n");
}

/* What the file has that its rows don't. */
static void tell(const struct annotations *a, const struct kinds *k, const char *file)
{
	char *kinds = kinds_list(k);
	if (kinds)
		warn("%s: %s, which rows don't tell: %s", file, a->has_box ? "boxes of several kinds" : "several individuals", kinds);
	free(kinds);
	if (a->unread)
		warn("%s: columns that are ignored: %s", file, a->unread);
	if (a->other_kinds)
		warn("%s: of the kinds of images that are read (png, jpg, jpeg, pgm, ppm) these are none: %s", file, a->other_kinds);
	if (a->within)
		warn("folders within are not read: %s; name them, too", a->within);
	if (a->loops)
		warn("links that lead back to a folder that they lie in are passed by: %s", a->loops);
	if (a->renumbered)
		warn("%s: rows are numbered from 1 instead of by the annotations' ids: %s", file, a->renumbered);
	if (a->nameless)
		warn("%s: ids of images that are texts, as %s, are not kept: %s", file, a->nameless,
			a->has_image_id ? "tns-select --without image_id before an export numbers the images"
					: "exports number the images");
	char *missing = doubts_repeated(&a->doubts);
	if (missing) {
		char *numbers = doubts_numbers(&a->doubts);
		warn("%s: labels at %s: if such are missing ones, --missing %s leaves them out (--missing none: they are none such)", file,
			missing, numbers);
		free(numbers), free(missing);
	}
	if (doubts_are_shares(&a->doubts))
		warn("%s: all labels lie between %.3g and %.3g: are they shares of the image's size? Points are pixels here", file,
			a->doubts.low, a->doubts.high);
	if (a->doubts.unsure)
		warn("%s: how sure labels are (likelihood, score) is kept as label_confidence, and leaves none out: %llu of %llu are under "
		     "%g",
			file, (unsigned long long)a->doubts.unsure, (unsigned long long)a->doubts.rated, DOUBTS_SURE);
	if (a->miscounted)
		warn("%s: num_keypoints is 0, but keypoints has points, which are taken: %llu annotation%s", file,
			(unsigned long long)a->miscounted, a->miscounted == 1 ? "" : "s");
}

struct import_counts import_faces(const struct import_options *o, struct tns_writer *w)
{
	struct annotations *a = annotations_open(&o->from.annotations);
	struct face_batch *batch = face_batch_new(&o->from, a);
	const struct face_slot *slot;
	struct import_rows rows;
	struct progress bar;
	struct kinds kinds = {0};
	uint64_t bad = 0;
	import_rows_begin(&rows, w, a, &o->from.frame, o->pairs);
	progress_begin(&bar, "faces", o->quiet);
	for (int n; (n = face_batch_next(batch, &slot));)
		for (const struct face_slot *s = slot; s < slot + n; s++) {
			if (s->good) {
				import_rows_add(&rows, s->image, s->crop, s->face.file, s->W, s->H, s->turn, &s->face);
				kinds_add(&kinds, &s->face);
			} else {
				pass_by(o, &bad, s->err);
			}
			progress_tick(&bar, rows.n, 0);
		}
	progress_end(&bar);
	struct import_counts c = {rows.n, face_batch_images(batch), face_batch_turned(batch), face_batch_left(batch), bad, a->crowd,
		a->ignored, a->unlabelled};
	if (!c.faces)
		die("%s: no face is left: %llu bad, %llu crowds, %llu to be ignored, %llu images without annotations",
			text_input(o->from.annotations.operands[0]), (unsigned long long)c.bad, (unsigned long long)c.crowd,
			(unsigned long long)c.ignored, (unsigned long long)c.unlabelled);
	if (!o->quiet)
		tell(a, &kinds, text_input(o->from.annotations.operands[0]));
	import_rows_release(&rows);
	if (rows.found && !o->pairs && !o->quiet)
		warn("mirror images, by names and the first rows' labels (--pairs states them): %s", rows.found);
	import_rows_end(&rows);
	put_count(w, "rows.read", c.faces + c.bad);
	put_count(w, "rows.kept", c.faces);
	put_count(w, "rows.dropped", c.bad);
	face_batch_free(batch);
	annotations_close(a);
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
	import_rows_begin(&rows, w, NULL, &frame, NULL);
	if (o->live)
		tns_put_meta(w, "live", "1");
	progress_begin(&bar, "frames", o->quiet);
	while ((r = image_pnm_next(s, &im, 1, err)) == IMAGE_PNM_ONE) {
		face_crop(crop, &(struct annotation){0}, 0, im.W, im.H, &frame, why);
		crop_resample(image, o->w, o->h, &im, crop, &buffer);
		snprintf(source, sizeof source, "frame %llu", (unsigned long long)rows.n + 1);
		import_rows_add(&rows, image, crop, source, im.W, im.H, 1, NULL);
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
