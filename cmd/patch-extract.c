/* patch-extract - faces into patches: cropped around named points, mirrored, with negatives from elsewhere in the image. */
#include <stdlib.h>
#include <string.h>

#include "lib/base/err.h"
#include "lib/base/log.h"
#include "lib/base/opt.h"
#include "lib/base/out.h"
#include "lib/labels/patch.h"
#include "lib/stream/dataset_stream.h"
#include "lib/stream/names.h"
#include "lib/stream/passthrough.h"
#include "lib/stream/patch_rows.h"

static struct {
	const char *preset, *name, *output;
	struct opt_list around, hard;
	struct opt_size size;
	int64_t negatives, random, copies, threads;
	double away, jitter;
	uint64_t seed;
	int flip, quiet;
} o = {.preset = "none", .negatives = -1, .copies = 1, .seed = 1};

static const struct opt opts[] = {
	{0, "around", OPT_LIST, &o.around, 0, 0, "NAME,...",
		"cut around the centre of these points; repeat it for each place; predicted: around each predicted point, with its label "
		"in the patch, to train a level of a cascade",
		0},
	{0, "size", OPT_SIZE, &o.size, 0, 0, "WxH", "size of a patch in pixels", 0},
	{0, "flip", OPT_FLAG, &o.flip, 0, 0, 0, "each feature of the mirrored face too, left and right swapped (not random places)", 0},
	{0, "negatives", OPT_INT, &o.negatives, -1, 1000, "N",
		"random places a face, away from every positive; -1: as the preset has it, else none", 0},
	{0, "away", OPT_REAL, &o.away, 0, 65535, "PX", "how far away, centre to centre; 0: the larger side of a patch", 0},
	{0, "hard", OPT_LIST, &o.hard, 0, 0, "NAME,...", "other features as negatives: the centre of these points; may be repeated", 0},
	{0, "random", OPT_INT, &o.random, 0, 1000, "N", "random places a face, whatever they show, labelled 0", 0},
	{0, "jitter", OPT_REAL, &o.jitter, 0, 1000, "PX", "move each place at random by up to PX", 0},
	{0, "copies", OPT_INT, &o.copies, 1, 1000, "N", "around predicted: patches a point, each with its own jitter", 0},
	{0, "preset", OPT_CHOICE, &o.preset, 0, 0, "none|eyes|mouths",
		"what the options above leave open: eyes 25x19 or mouths 45x23, mirrored, a random negative a face, mouths or eyes as hard "
		"ones",
		0},
	{0, "name", OPT_STR, &o.name, 0, 0, "NAME", "what the positives are, for META classes", 0},
	OPT_SEEDED(&o.seed),
	OPT_THREADS(&o.threads),
	OPT_QUIET(&o.quiet),
	OPT_OUTPUT(&o.output),
	OPT_END,
};

static const struct opt_prog prog = {"patch-extract", "cut patches out of the faces of a data set", "[FACES]", 0, 1, opts,
	{"zcat training.csv.gz | csv-clean | patch-extract --preset eyes | tns-info",
		"patch-extract --around nose_tip --size 21x21 --negatives 2 faces.tns | render tiles -o noses.png", NULL}};

static void fill(struct opt_list *list, const char *a, const char *b)
{
	if (!list->n) {
		list->v[list->n++] = a;
		if (b)
			list->v[list->n++] = b;
	}
}

static int predicted(void)
{
	return o.around.n == 1 && !strcmp(o.around.v[0], "predicted");
}

/* Sets the preset's options that were not given; checks the combination. */
static void apply_preset(void)
{
	static const char left[] = "left_eye_inner_corner,left_eye_outer_corner", right[] = "right_eye_inner_corner,right_eye_outer_corner";
	static const char mouth[] = "mouth_left_corner,mouth_right_corner";
	int eyes = !strcmp(o.preset, "eyes");
	if (strcmp(o.preset, "none")) {
		if (!o.size.w)
			o.size = eyes ? (struct opt_size){25, 19} : (struct opt_size){45, 23};
		fill(&o.around, eyes ? left : mouth, eyes ? right : NULL);
		fill(&o.hard, eyes ? mouth : left, eyes ? NULL : right);
		o.negatives = o.negatives < 0 ? 1 : o.negatives;
		o.name = o.name ? o.name : eyes ? "eye" : "mouth";
		o.flip = 1;
	}
	for (int i = 0; i < o.around.n; i++)
		for (int k = 0; k < o.hard.n; k++)
			if (!strcmp(o.around.v[i], o.hard.v[k]))
				die_usage("--around and --hard both name '%s'%s", o.around.v[i],
					strcmp(o.preset, "none") ? ": --hard says what takes the place of the preset's" : "");
	if (o.name && (!*o.name || strpbrk(o.name, ",\r\n")))
		die_usage("--name: '%s' is not one name", o.name);
	if (o.name && !strcmp(o.name, "other"))
		die_usage("--name: 'other' is the class of the negatives");
	if (!o.size.w)
		die_usage("--size or --preset must be given");
	if (!o.around.n && !o.random)
		die_usage("--around, --random or --preset must be given");
	if (o.negatives > 0 && !o.around.n)
		die_usage("--negatives needs --around");
	if (opt_given("away") && o.negatives <= 0)
		die_usage("--away goes with --negatives");
	if (predicted() && (o.negatives > 0 || o.hard.n || o.random || o.flip || o.name))
		die_usage("--around predicted: --negatives, --hard, --random, --flip and --name do not go with it");
	if (!predicted() && o.copies > 1)
		die_usage("--copies goes with --around predicted");
}

int main(int argc, char **argv)
{
	int n;
	char **operand = opt_parse(&prog, argc, argv, &n);
	tns_promise(o.output);
	apply_preset();
	struct dataset_stream *d = dataset_stream_open(operand[0]);
	int image = dataset_stream_require(d->in, "image", TNS_U8, 3), points = -1, id = dataset_stream_require(d->in, "id", TNS_U32, 1);
	const struct tns_def *def = &d->in->def[image];
	struct patch_plan p = {.W = (int)def->dim[2], .H = (int)def->dim[1], .w = o.size.w, .h = o.size.h, .flip = o.flip};
	p.negatives = o.negatives < 0 ? 0 : (int)o.negatives, p.random = (int)o.random;
	p.away = o.away, p.jitter = o.jitter, p.seed = o.seed;
	if (p.w > p.W || p.h > p.H)
		die_usage("--size %dx%d is larger than the images, %dx%d", p.w, p.h, p.W, p.H);
	if (p.away <= 0)
		p.away = p.w > p.h ? p.w : p.h;
	int guess = predicted() ? dataset_stream_require(d->in, "predicted", TNS_F32, 3) : -1, K = 0;
	if (guess >= 0) {
		points = dataset_stream_require(d->in, "keypoints", TNS_F32, 3);
		K = (int)d->in->def[points].dim[1];
		names_free(names_points(d->in, K));
		if (d->in->def[points].dim[2] != 2 || d->in->def[guess].dim[2] != 2 || d->in->def[guess].dim[1] != (uint64_t)K)
			die("%s: keypoints and predicted are not alike", d->in->name);
	} else if (o.around.n || o.hard.n) {
		points = dataset_stream_require(d->in, "keypoints", TNS_F32, 3);
		char **names = names_points(d->in, (int)d->in->def[points].dim[1]);
		if (d->in->def[points].dim[2] != 2)
			die("%s: keypoints has %llu values a point, not 2", d->in->name, (unsigned long long)d->in->def[points].dim[2]);
		int *partner = names_partners(names, tns_meta_value(d->in, "pairs"));
		patch_features(p.positive, &p.nfeatures, o.around.v, o.around.n, "around", o.flip, names, partner);
		patch_features(p.hard, &p.nhard, o.hard.v, o.hard.n, "hard", o.flip, names, partner);
		free(partner), names_free(names);
	}

	struct patch_rows w = {.w = NULL};
	patch_rows_begin(&w, tns_create(o.output), p.w, p.h, guess >= 0 ? K : 0);
	char *classes = xprintf("other,%s", o.name ? o.name : "part");
	if (guess < 0)
		tns_put_meta(w.w, "classes", classes);
	for (int i = 0; i < d->in->nmeta; i++) { /* META points only for patches of a cascade */
		const struct tns_meta *m = &d->in->meta[i];
		if (!m->late && (guess >= 0 || (strcmp(m->key, "points") && strcmp(m->key, "pairs"))) && strcmp(m->key, "history") &&
			strcmp(m->key, "maps_scale") && strcmp(m->key, "mean_face") && strcmp(m->key, "crop") && !tns_has_meta(w.w, m->key))
			tns_copy_meta(w.w, m);
	}
	free(classes);
	uint8_t *patch = xmalloc((size_t)p.w * (size_t)p.h);
	float *label = xcalloc((size_t)K * 2 + 1, sizeof *label);
	struct progress bar;
	struct patch_counts c = {0};
	progress_begin(&bar, "faces", o.quiet);
	for (uint64_t rows; (rows = dataset_stream_next(d));)
		for (uint64_t i = 0; i < rows; i++) {
			const uint8_t *pixels = dataset_stream_at(d, image, i);
			const float *xy = points >= 0 ? dataset_stream_at(d, points, i) : NULL;
			w.id = *(const uint32_t *)dataset_stream_at(d, id, i);
			if (guess >= 0)
				patch_predicted(&p, pixels, dataset_stream_at(d, guess, i), xy, K, (int)o.copies, w.id, patch, label, &c,
					patch_rows_add_points, &w);
			else
				patch_crop(&p, pixels, xy, w.id, patch, &c, patch_rows_add, &w);
			progress_tick(&bar, d->row + i, 0);
		}
	progress_end(&bar);
	free(patch), free(label);
	passthrough_end(d->in, w.w, 0);
	tns_close(w.w);
	if (!o.quiet)
		warn("%llu faces, %llu positives, %llu negatives; lost at the edge or for want of room: %llu; not cut, since not "
		     "labelled: %llu",
			(unsigned long long)d->in->def[image].rows, (unsigned long long)c.positive, (unsigned long long)c.negative,
			(unsigned long long)c.lost, (unsigned long long)c.unknown);
	dataset_stream_close(d);
	return finish();
}
