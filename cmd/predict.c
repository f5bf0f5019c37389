/* predict - a data set into the same data set with the outputs of models: points, scores or reconstructions. */
#include <stdlib.h>
#include <string.h>

#include "lib/base/confine.h"
#include "lib/base/each_thread.h"
#include "lib/base/err.h"
#include "lib/base/log.h"
#include "lib/base/memory.h"
#include "lib/base/opt.h"
#include "lib/base/out.h"
#include "lib/nn/backend_open.h"
#include "lib/predict/denoise.h"
#include "lib/predict/outputs.h"
#include "lib/stream/dataset_stream.h"
#include "lib/stream/passthrough.h"

static struct {
	const char *source, *device, *precision, *output;
	struct opt_list refine;
	int64_t threads, tta;
	int flip, align, denoise, maps, quiet;
} o = {.device = "cpu", .tta = 1};

static const struct opt opts[] = {
	{0, "flip", OPT_FLAG, &o.flip, 0, 0, 0, "average with the prediction for the mirror image", 0},
	{0, "tta", OPT_INT, &o.tta, 1, INFER_SHIFTS, "N", "average N estimates: of the image, and of it shifted by two pixels", 0},
	{0, "align", OPT_FLAG, &o.align, 0, 0, 0,
		"bring faces that are turned, moved or of another size than those learned from to the mean face's pose, and estimate "
		"them again there, up to four times",
		0},
	{0, "denoise", OPT_FLAG, &o.denoise, 0, 0, 0,
		"take noise out of images beforehand, where there are 3 grey levels of it or more, or as much fine detail: 20 ms for 96x96",
		0},
	{0, "refine", OPT_LIST, &o.refine, 0, 0, "MODEL,...",
		"then move each point by what these models, averaged, make of the patch around it; repeat it for each level of a cascade",
		1},
	{0, "as-source", OPT_STR, &o.source, 0, 0, "NAME",
		"as this source of labels would have the points, of models made with cnn-train --sources; else as the mean of all", 0},
	{0, "maps", OPT_FLAG, &o.maps, 0, 0, 0, "keep the maps, as tensor maps: one a point, or one of all points", 0},
	OPT_DEVICE(&o.device),
	OPT_PRECISION(&o.precision),
	OPT_THREADS(&o.threads),
	OPT_QUIET(&o.quiet),
	OPT_OUTPUT(&o.output),
	OPT_END,
};

static const struct opt_prog prog = {"predict", "add what models predict to a data set: predicted and confidence, score, or reconstruction",
	"MODEL... [DATA]", 1, CASCADE_MODELS + 1, opts,
	{"csv-clean test.csv.gz | predict model.tns | submit --lookup IdLookupTable.csv -o submission.csv",
		"predict --flip a.tns b.tns --refine level2.tns faces.tns | score",
		"predict --flip --tta 5 --align --denoise model.tns faces.tns -o points.tns", NULL}};

/* A batch is queued before the previous one is waited for and written, so that a GPU computes while the host reads and writes. */
struct batches {
	struct cascade *c;
	struct outputs *to;
	int levels, keep, B, n; /* keep: images; B: rows of the batch in flight, 0: none; n: batches so far */
	size_t pixels;
	float *out, *stddev, *steps, *maps;
	uint8_t *images[2]; /* images: of the batch in flight and the next, for alignment and further levels of a cascade */
};

static void batches_alloc(struct batches *a)
{
	if (a->keep) /* three copies, and five planes of floats a thread */
		memory_require((double)a->pixels * INFER_BATCH * (o.denoise ? 23 : 3), "images to align or filter");
	size_t K = (size_t)infer_values(cascade_first(a->c)), map = (size_t)cascade_model(a->c)->outputs;
	a->out = xcalloc(INFER_BATCH * K, sizeof *a->out), a->stddev = xcalloc(INFER_BATCH * K, sizeof *a->stddev);
	a->steps = xcalloc(INFER_BATCH * K * (size_t)a->levels + 1, sizeof *a->steps);
	a->maps = o.maps ? xcalloc(INFER_BATCH * map, sizeof *a->maps) : NULL;
	for (int i = 0; i < 2 && a->keep; i++)
		a->images[i] = xmalloc(INFER_BATCH * a->pixels);
	if (a->maps)
		infer_set_maps(cascade_first(a->c), a->maps);
}

static void batches_free(struct batches *a)
{
	free(a->out), free(a->stddev), free(a->steps), free(a->maps), free(a->images[0]), free(a->images[1]);
}

static void write_row(const struct batches *a, int b)
{
	const struct model *m = cascade_model(a->c);
	size_t i = (size_t)b, K = (size_t)infer_values(cascade_first(a->c)), P = (size_t)m->points;
	outputs_write(a->to, a->out + i * K, a->stddev + i * P, a->steps + i * (size_t)a->levels * 2 * P,
		a->maps ? a->maps + i * (size_t)m->outputs : NULL);
}

/* Waits for the batch in flight, if any, and writes it. */
static void batch_wait(struct batches *a)
{
	if (!a->B)
		return;
	cascade_batch_wait(a->c, a->images[(a->n - 1) % 2], a->B, a->out, a->to->confidence >= 0 ? a->stddev : NULL, a->steps);
	for (int b = 0; b < a->B; b++)
		write_row(a, b);
	a->B = 0;
}

static void batch_async(struct batches *a, const uint8_t *images, int B)
{
	const struct model *m = cascade_model(a->c);
	if (a->keep)
		images = memcpy(a->images[a->n % 2], images, (size_t)B * a->pixels);
	if (o.denoise)
		denoise(a->images[a->n % 2], B, m->W, m->H, threads_wanted(o.threads));
	cascade_batch_async(a->c, images, B);
	batch_wait(a);
	a->B = B, a->n++;
}

int main(int argc, char **argv)
{
	/* outputs of the model's target replace those in the input; outputs of other targets are copied */
	static const char *const made_points[] = {"predicted", "confidence", "steps", "maps", "trained", NULL},
				 *const made_label[] = {"score", "trained", NULL}, *const made_image[] = {"reconstruction", NULL};
	int n, models = 0, levels;
	char **operand = opt_parse(&prog, argc, argv, &n);
	tns_promise(o.output);
	if (strncmp(o.device, "cuda", 4)) /* whose driver writes to its devices and caches */
		confine(o.output);
	while (models < n && cascade_is_model(operand[models], models, n))
		models++;
	if (models < n - 1)
		die_usage("%s: is no model (it has no META net), and only the last operand is data", operand[models]);
	if (!models)
		die_usage("%s: is no model (it has no META net), and models come before the data", operand[0]);
	if (o.source && o.refine.n)
		die_usage("--as-source and --refine exclude each other: further levels know no sources");
	struct backend *be = backend_open(o.device, (int)o.threads, o.precision);
	struct cascade *c = cascade_new(be, operand, models, o.refine.v, levels = o.refine.n, o.flip);
	const struct model *m = cascade_model(c);
	if (o.maps && !infer_maps(m))
		die_usage("--maps: the model makes no maps");
	if (o.source)
		cascade_set_source(c, o.source);
	if (o.tta > 1 && (o.maps || !m->points))
		die_usage("--tta is for models of points, and without --maps");
	if (o.align && (o.maps || !m->points))
		die_usage("--align is for models of points, and without --maps");
	if (o.tta > 1)
		infer_set_shifts(cascade_first(c), (int)o.tta);
	if (o.align)
		cascade_set_align(c);

	struct dataset_stream *d = dataset_stream_open(operand[models]);
	int image = infer_check_input(cascade_first(c), d->in);
	struct tns_writer *w = tns_create(o.output);
	struct passthrough pass;
	static const char *const own_label[] = {"classes", NULL};
	const char *const own_points[] = {
		"points", "unlearned", "mean_face", "maps_scale", tns_find(d->in, "keypoints") < 0 ? "pairs" : NULL, NULL};
	passthrough_begin(&pass, d->in, w,
		m->points		    ? made_points
		: m->target == TARGET_LABEL ? made_label
					    : made_image,
		m->points		    ? own_points
		: m->target == TARGET_LABEL ? own_label
					    : NULL);
	struct outputs *to = outputs_new(w, c, levels, o.maps, d->in);
	outputs_put_meta(to);
	struct progress p;
	progress_begin(&p, "faces", o.quiet);
	struct batches a = {
		.c = c, .to = to, .levels = levels, .keep = levels || o.align || o.denoise, .pixels = (size_t)m->W * (size_t)m->H};
	batches_alloc(&a);
	const int at_once = o.align || tns_has_meta(w, "live");
	for (uint64_t rows; (rows = dataset_stream_next(d));)
		for (uint64_t at = 0; at < rows; at += INFER_BATCH) {
			int B = rows - at < INFER_BATCH ? (int)(rows - at) : INFER_BATCH;
			batch_async(&a, dataset_stream_at(d, image, at), B);
			for (int b = 0; b < B; b++) {
				passthrough_row(&pass, d, at + (uint64_t)b, w);
				outputs_write_trained(to, dataset_stream_at(d, image, at + (uint64_t)b));
			}
			if (at_once)
				batch_wait(&a);
			progress_tick(&p, d->row + at, 0);
		}
	batch_wait(&a);
	progress_end(&p);
	passthrough_late(d->in, w, 1);
	cascade_history(c, d->in, w);
	tns_close(w);
	dataset_stream_close(d);
	cascade_free(c);
	batches_free(&a);
	outputs_free(to);
	if (!o.quiet && !strcmp(be->name, "cuda"))
		backend_tell(be);
	be->close(be);
	return finish();
}
