/* image-augment - a data set into the same data set with images and points changed, by stated amounts or as training draws them. */
#include <stdlib.h>
#include <string.h>

#include "lib/base/err.h"
#include "lib/base/log.h"
#include "lib/base/num.h"
#include "lib/base/opt.h"
#include "lib/base/out.h"
#include "lib/image/recompress.h"
#include "lib/stream/dataset_stream.h"
#include "lib/stream/names.h"
#include "lib/stream/passthrough.h"
#include "lib/stream/point_tensors.h"
#include "lib/train/spec.h"
#include "lib/train/transform.h"

static struct {
	struct transform by;
	const char *shift, *labels_of, *motion, *augment, *output;
	int64_t jpeg, epoch, threads;
	uint64_t seed;
	int quiet, drawn; /* drawn: --augment */
} o = {.by = TRANSFORM_NONE, .augment = "", .epoch = 1, .seed = 1};

static const struct opt opts[] = {
	{0, "shift", OPT_STR, &o.shift, 0, 0, "X,Y", "move by X pixels to the right and Y down, after --rotate and --scale", 0},
	{0, "rotate", OPT_REAL, &o.by.rotate, -360, 360, "DEG", "turn about the centre, clockwise", 0},
	{0, "scale", OPT_REAL, &o.by.scale, 0.05, 20, "F", "enlarge about the centre; below 1: make smaller", 0},
	{0, "labels-of", OPT_STR, &o.labels_of, 0, 0, "MODEL",
		"labels are off by what this model found (cnn-train --offset), which turns and scales with no image", 0},
	{0, "light", OPT_REAL, &o.by.light, 0, 100, "F", "F times the light: of all grey values", 0},
	{0, "contrast", OPT_REAL, &o.by.contrast, 0, 100, "F", "then F times the distance from the middle grey, 127.5", 0},
	{0, "blur", OPT_REAL, &o.by.blur, 0, 5, "PX", "then a Gaussian blur of this standard deviation", 0},
	{0, "motion", OPT_STR, &o.motion, 0, 0, "PX[,DEG]",
		"then motion blur: the mean along a straight path of PX pixels (at most 30), DEG clockwise from horizontal", 0},
	{0, "noise", OPT_REAL, &o.by.noise, 0, 255, "LEVELS",
		"then Gaussian noise of this standard deviation in grey levels of 0 to 255, by --seed", 0},
	{0, "jpeg", OPT_INT, &o.jpeg, 0, 100, "Q", "then a JPEG of quality 1 to 100 and back; 0: none", 0},
	{0, "augment", OPT_STR, &o.augment, 0, 0, "WORD,...",
		"instead of all these what cnn-train --augment draws by --seed for a row in --epoch, at full strength; where all rows have "
		"labels and none is held out, row by row what it trains on, but for rounding to whole grey levels",
		0},
	{0, "epoch", OPT_INT, &o.epoch, 1, 1000000, "N", "of --augment", 0},
	OPT_SEEDED(&o.seed),
	OPT_THREADS_ONE(&o.threads),
	OPT_QUIET(&o.quiet),
	OPT_OUTPUT(&o.output),
	OPT_END,
};

static const struct opt_prog prog = {"image-augment",
	"change images by stated amounts, and points and crops with them (mirrored or bent by --augment: crops become infinite). The edge "
	"is repeated beyond the image, and points that leave it keep their numbers, as in training; what predict added is left out",
	"[DATA]", 0, 1, opts,
	{"image-augment --rotate 30 --noise 15 faces.tns | predict model.tns | score",
		"image-augment --augment default -s 1 --epoch 3 faces.tns | render faces --count 40 -o seen.png", NULL}};

static void check_options(void)
{
	static const char *const exact[] = {
		"shift", "rotate", "scale", "light", "contrast", "blur", "motion", "noise", "jpeg", "labels-of"};
	o.drawn = opt_given("augment");
	for (size_t i = 0; o.drawn && i < sizeof exact / sizeof *exact; i++)
		if (opt_given(exact[i]))
			die_usage("--augment and --%s exclude each other: pipe one into the other", exact[i]);
	if (!o.drawn && opt_given("epoch"))
		die_usage("--epoch is of --augment");
	double motion[2] = {0, 0};
	if (o.shift)
		spec_numbers("shift", "two numbers X,Y", o.shift, o.by.shift, 2, -65535, 65535, 1);
	if (o.motion)
		spec_numbers("motion", "a number or two, PX,DEG", o.motion, motion, 1, 0, AUGMENT_PATH, 0);
	o.by.motion = motion[0], o.by.direction = motion[1];
}

struct rows { /* tensors, -1: absent, their places in the output, and buffers of a row */
	int image, points, crop, sure, out_image, out_points, out_crop, out_sure, W, H, K, *partner;
	struct augment a;
	struct warp w, labels; /* of stated amounts; and as it moves labels */
	struct image decoded;
	uint8_t *pixels;
	float *xy, *label_confidence;
	uint64_t lost; /* labels of one coordinate */
};

/* The place in the output of what is written here, not passed on. */
static int own(struct passthrough *p, int id)
{
	int out = id < 0 ? -1 : p->id[id];
	if (id >= 0)
		p->id[id] = -1;
	return out;
}

static int optional(const struct tns *t, const char *name, int ndim, uint64_t last)
{
	int id = tns_find(t, name) < 0 ? -1 : dataset_stream_require(t, name, TNS_F32, ndim);
	if (id >= 0 && last && t->def[id].dim[ndim - 1] != last)
		die("%s: %s has %llu values at the end, not %llu", t->name, name, (unsigned long long)t->def[id].dim[ndim - 1],
			(unsigned long long)last);
	return id;
}

static void find_partners(struct rows *r, const struct tns *t)
{
	char **names = names_points(t, r->K);
	r->partner = names_require_partners(names, tns_meta_value(t, "pairs"), "--augment flip");
	names_free(names);
}

static void rows_begin(struct rows *r, const struct tns *t)
{
	r->image = dataset_stream_require(t, "image", TNS_U8, 3);
	r->H = (int)t->def[r->image].dim[1], r->W = (int)t->def[r->image].dim[2];
	r->points = optional(t, "keypoints", 3, 2), r->crop = optional(t, "crop", 2, 6);
	r->K = r->points < 0 ? 0 : (int)t->def[r->points].dim[1];
	r->sure = r->points < 0 ? -1 : optional(t, "label_confidence", 2, (uint64_t)r->K);
	if (o.jpeg && (r->W > RECOMPRESS_SIDE_MAX || r->H > RECOMPRESS_SIDE_MAX))
		die("%s: images of %dx%d are no JPEGs: their sides have at most %d pixels", t->name, r->W, r->H, RECOMPRESS_SIDE_MAX);
	if (o.drawn)
		spec_augment(o.augment, &r->a);
	if (r->a.flip && r->K)
		find_partners(r, t);
	r->a.seed = o.seed, r->a.epoch = (uint32_t)o.epoch;
	r->w = r->labels = transform_warp(&o.by, r->W, r->H);
	if (o.labels_of)
		transform_offset(&r->labels, o.labels_of, r->W, r->H);
	r->pixels = xmalloc((size_t)r->W * (size_t)r->H);
	r->xy = xcalloc(2 * (size_t)r->K + 1, sizeof *r->xy), r->label_confidence = xcalloc((size_t)r->K + 1, sizeof(float));
}

static void write_row(struct rows *r, struct dataset_stream *d, uint64_t i, struct tns_writer *w)
{
	struct warp by = o.drawn ? augment_draw(&r->a, (uint32_t)(d->row + i), r->W, r->H) : r->w;
	transform_image(r->pixels, dataset_stream_at(d, r->image, i), r->W, r->H, &by, &r->a, (uint32_t)(d->row + i));
	if (o.jpeg)
		recompress(r->pixels, r->W, r->H, (int)o.jpeg, &r->decoded);
	tns_write(w, r->out_image, r->pixels, 1);
	if (r->points >= 0) {
		transform_order(r->xy, dataset_stream_at(d, r->points, i), r->partner, r->K, 2, &by);
		transform_points_elastic(r->xy, r->K, r->W, r->H, &r->a, (uint32_t)(d->row + i));
		r->lost += (uint64_t)transform_points(r->xy, r->K, o.drawn ? &by : &r->labels, !o.drawn);
		tns_write(w, r->out_points, r->xy, 1);
	}
	if (r->sure >= 0) {
		transform_order(r->label_confidence, dataset_stream_at(d, r->sure, i), r->partner, r->K, 1, &by);
		tns_write(w, r->out_sure, r->label_confidence, 1);
	}
	if (r->crop >= 0) {
		float crop[6];
		memcpy(crop, dataset_stream_at(d, r->crop, i), sizeof crop);
		transform_crop(crop, o.drawn ? &by : &r->labels, &r->a); /* points go through it */
		tns_write(w, r->out_crop, crop, 1);
	}
}

int main(int argc, char **argv)
{
	static const char *const said[] = {"unlearned", "mean_face", "maps_scale", NULL};
	int n;
	char **operand = opt_parse(&prog, argc, argv, &n);
	check_options();
	tns_promise(o.output);
	struct dataset_stream *d = dataset_stream_open(operand[0]);
	struct rows r = {.image = -1};
	rows_begin(&r, d->in);
	struct tns_writer *w = tns_create(o.output);
	struct passthrough pass;
	const char **old = points_beside(d->in, r.K); /* of the images as they were */
	passthrough_begin(&pass, d->in, w, old, said), free(old);
	r.out_image = own(&pass, r.image), r.out_points = own(&pass, r.points);
	r.out_crop = own(&pass, r.crop), r.out_sure = own(&pass, r.sure);
	struct progress p;
	progress_begin(&p, "images", o.quiet);
	for (uint64_t rows; (rows = dataset_stream_next(d));)
		for (uint64_t i = 0; i < rows; i++) {
			passthrough_row(&pass, d, i, w);
			write_row(&r, d, i, w);
			progress_tick(&p, d->row + i, 0);
		}
	progress_end(&p);
	if (r.lost)
		warn("%llu labels have one coordinate alone, which %s", (unsigned long long)r.lost,
			o.drawn ? "is none, as in training" : "can't be turned: they are left out");
	passthrough_end(d->in, w, 1);
	tns_close(w);
	dataset_stream_close(d);
	image_free(&r.decoded), free(r.pixels), free(r.xy), free(r.label_confidence), free(r.partner);
	return finish();
}
