/* face-find - photographs without boxes into a data set of the faces in them, found by a net. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/err.h"
#include "lib/base/log.h"
#include "lib/base/opt.h"
#include "lib/base/out.h"
#include "lib/find/finder.h"
#include "lib/image/crop.h"
#include "lib/import/annotations.h"
#include "lib/import/import.h"
#include "lib/import/import_rows.h"
#include "lib/nn/backend_open.h"

static struct {
	const char *exif, *device, *precision, *output;
	struct opt_size size;
	int64_t smallest, largest, threads;
	double threshold, overlap, margin;
	int keep_going, quiet;
} o = {.exif = "obey", .size = {96, 96}, .smallest = 40, .threshold = 0.5, .overlap = 0.3, .device = "cpu"};

static const struct opt opts[] = {
	{0, "threshold", OPT_REAL, &o.threshold, 0.01, 1, "P", "least score of a face: the net's mean probability around it", 0},
	{0, "min-size", OPT_INT, &o.smallest, 8, 65535, "PX", "longer side of the smallest face; half of it takes four times as long", 0},
	{0, "max-size", OPT_INT, &o.largest, 0, 65535, "PX", "of the largest; 0: as large as fits in the image", 0},
	{0, "overlap", OPT_REAL, &o.overlap, 0, 1, "IOU",
		"most that two faces overlap: shared area over that of both; of more the one with the higher score stays", 0},
	{0, "margin", OPT_REAL, &o.margin, -1, 100, "F",
		"make crops wider at each side, by this share of the box, as those that the next model learned from; -1: 0", 0},
	{0, "size", OPT_SIZE, &o.size, 0, 0, "WxH", "the rows' size; crops get its aspect by growing, pixels stay squares", 0},
	{0, "exif", OPT_CHOICE, &o.exif, 0, 0, "obey|ignore", "turn photographs as their EXIF tag says, or leave them", 0},
	{0, "keep-going", OPT_FLAG, &o.keep_going, 0, 0, 0, "pass by images that can't be read, and count them, instead of ending", 0},
	OPT_DEVICE(&o.device),
	OPT_PRECISION(&o.precision),
	OPT_OUTPUT(&o.output),
	OPT_THREADS(&o.threads),
	OPT_QUIET(&o.quiet),
	OPT_END,
};

static const struct opt_prog prog = {"face-find",
	"find faces in photographs: a row a face, cut out and resampled, with its box, score, and where it is from", "MODEL PHOTO|DIR...",
	2, 1 << 20, opts,
	{"face-find finder.tns photos -o found.tns", "face-find finder.tns photos | predict model.tns | tns-export --form csv", NULL}};

struct search {
	struct finder *finder;
	struct image im;
	struct import_rows rows;
	struct tns_writer *w;
	struct crop_buffer buffer;
	uint8_t *crop;
	int score; /* tensor */
	int turn;  /* EXIF orientation that was obeyed; 1: none */
	uint64_t images, bad, without;
};

static void write_face(struct search *s, const char *file, const struct scored_box *b)
{
	struct annotation face = {.has_box = 1, .box = {b->box[0], b->box[1], b->box[2], b->box[3]}};
	float crop[6], score = (float)b->score;
	crop_of_box(crop, b->box, o.margin < 0 ? 0 : o.margin, o.size.w, o.size.h);
	crop_resample(s->crop, o.size.w, o.size.h, &s->im, crop, &s->buffer);
	import_rows_add(&s->rows, s->crop, crop, file, s->im.W, s->im.H, s->turn, &face);
	tns_write(s->w, s->score, &score, 1);
}

static void pass_by(struct search *s, const char *path, const char *why)
{
	if (!o.keep_going)
		die("image %s: %s", path, why);
	if (s->bad++ < IMPORT_NAMED && !o.quiet)
		warn("image %s: %s", path, why);
}

static void search_image(struct search *s, const struct annotation *a)
{
	const struct scored_box *faces;
	char err[IMAGE_ERR];
	if (strlen(a->file) >= IMPORT_SOURCE) {
		snprintf(err, sizeof err, "its name has %zu bytes, over %d", strlen(a->file), IMPORT_SOURCE - 1);
		pass_by(s, a->path, err);
		return;
	}
	if (!image_read(&s->im, a->path, 1, err)) {
		pass_by(s, a->path, err);
		return;
	}
	s->turn = strcmp(o.exif, "obey") ? 1 : s->im.turn;
	if (s->turn != 1)
		image_upright(&s->im);
	int n = finder_run(s->finder, &s->im, &faces);
	for (int i = 0; i < n; i++)
		write_face(s, a->file, &faces[i]);
	s->images++, s->without += !n;
}

static void put_count(struct tns_writer *w, const char *key, uint64_t n)
{
	char text[24];
	snprintf(text, sizeof text, "%llu", (unsigned long long)n);
	tns_put_meta(w, key, text);
}

int main(int argc, char **argv)
{
	int n;
	char **operand = opt_parse(&prog, argc, argv, &n), err[ANNOTATION_ERR];
	tns_promise(o.output);
	if (o.margin < 0 && o.margin > -1)
		die_usage("--margin: %g is neither -1 nor 0 or more", o.margin);
	if (o.largest && o.largest < o.smallest)
		die_usage("--max-size %lld: --min-size is %lld", (long long)o.largest, (long long)o.smallest);
	struct backend *be = backend_open(o.device, (int)o.threads, o.precision);
	struct cascade *c = cascade_new(be, operand, 1, NULL, 0, 1);
	struct finder_options by = {o.threshold, (double)o.smallest, (double)o.largest, o.overlap};
	struct search s = {.finder = finder_new(be, c, &by)};
	struct annotations *photos = annotations_open(&(struct annotation_options){
		.form = "folder", .operands = (const char *const *)operand + 1, .noperands = n - 1, .origin = -1, .output = o.output});
	photos->has_box = 1;
	s.w = tns_create(o.output);
	s.crop = xmalloc((size_t)o.size.w * (size_t)o.size.h);
	import_rows_begin(&s.rows, s.w, photos, &(struct face_frame){FACE_BOX, o.margin, o.size.w, o.size.h}, NULL);
	s.score = tns_define(s.w, "face_score", TNS_F32, 1, (uint64_t[]){TNS_UNLIMITED});
	struct annotation a;
	struct progress bar;
	progress_begin(&bar, "images", o.quiet);
	while (annotations_next(photos, &a, err)) {
		search_image(&s, &a);
		progress_tick(&bar, s.images, 0);
	}
	progress_end(&bar);
	if (!s.images)
		die("%s: no image is left: %llu bad", operand[1], (unsigned long long)s.bad);
	put_count(s.w, "images.read", s.images);
	put_count(s.w, "images.dropped", s.bad);
	put_count(s.w, "images.without", s.without);
	cascade_history(c, NULL, s.w);
	tns_close(s.w);
	if (photos->other_kinds && !o.quiet)
		warn("of the kinds of images that are read (png, jpg, jpeg, pgm, ppm) these are none: %s", photos->other_kinds);
	if (photos->within && !o.quiet)
		warn("folders within are not read: %s; name them, too", photos->within);
	if (!o.quiet)
		warn("%llu face%s in %llu image%s, %llu of them without%s", (unsigned long long)s.rows.n, s.rows.n == 1 ? "" : "s",
			(unsigned long long)s.images, s.images == 1 ? "" : "s", (unsigned long long)s.without,
			s.bad ? "; images passed by" : "");
	import_rows_end(&s.rows);
	annotations_close(photos);
	finder_free(s.finder), cascade_free(c);
	image_free(&s.im), crop_buffer_free(&s.buffer), free(s.crop);
	if (!o.quiet && !strcmp(be->name, "cuda"))
		backend_tell(be);
	be->close(be);
	return finish();
}
