/* predict - a data set into the same data set with the outputs of models: points, scores or reconstructions. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/err.h"
#include "lib/base/log.h"
#include "lib/base/opt.h"
#include "lib/base/out.h"
#include "lib/nn/backend_open.h"
#include "lib/predict/cascade.h"
#include "lib/stream/dataset_stream.h"
#include "lib/stream/passthrough.h"

static struct {
	const char *device, *precision, *output;
	struct opt_list refine;
	int64_t threads;
	int flip, maps, quiet;
} o = {.device = "cpu"};

static const struct opt opts[] = {
	{0, "flip", OPT_FLAG, &o.flip, 0, 0, 0, "average with the prediction for the mirror image", 0},
	{0, "refine", OPT_LIST, &o.refine, 0, 0, "MODEL,...",
		"then move each point by what these models, averaged, make of the patch around it; repeat it for each level of a cascade",
		1},
	{0, "maps", OPT_FLAG, &o.maps, 0, 0, 0, "keep the maps, as tensor maps: one a point, or one of all points", 0},
	OPT_DEVICE(&o.device),
	OPT_PRECISION(&o.precision),
	OPT_THREADS(&o.threads),
	OPT_QUIET(&o.quiet),
	OPT_OUTPUT(&o.output),
	OPT_END,
};

static const struct opt_prog prog = {"predict",
	"adds what models predict to a data set: predicted and confidence, score, or reconstruction", "MODEL... [DATA]", 1, 64, opts,
	{"csv-clean test.csv.gz | predict model.tns | submit --lookup IdLookupTable.csv -o submission.csv",
		"predict --flip a.tns b.tns --refine level2.tns faces.tns | score", NULL}};

struct outputs { /* tensor ids in the output stream, or -1 */
	int main, confidence, steps, maps;
};

static struct outputs define(struct tns_writer *w, const struct model *m, int levels)
{
	uint64_t K = (uint64_t)m->outputs, P = (uint64_t)m->points;
	struct outputs id = {-1, -1, -1, -1};
	if (m->points) {
		id.main = tns_define(w, "predicted", TNS_F32, 3, (uint64_t[]){TNS_UNLIMITED, P, 2});
		id.confidence = tns_define(w, "confidence", TNS_F32, 2, (uint64_t[]){TNS_UNLIMITED, P});
		if (levels)
			id.steps = tns_define(w, "steps", TNS_F32, 4, (uint64_t[]){TNS_UNLIMITED, (uint64_t)levels, P, 2});
		if (o.maps)
			id.maps = tns_define(w, "maps", TNS_F32, 4,
				(uint64_t[]){TNS_UNLIMITED, (uint64_t)infer_maps(m), (uint64_t)m->MH, (uint64_t)m->MW});
	} else if (m->target == TARGET_LABEL) {
		id.main = tns_define(w, "score", TNS_F32, K > 1 ? 2 : 1, (uint64_t[]){TNS_UNLIMITED, K});
	} else {
		id.main = tns_define(w, "reconstruction", TNS_U8, 3, (uint64_t[]){TNS_UNLIMITED, (uint64_t)m->H, (uint64_t)m->W});
	}
	return id;
}

/* A batch is queued before the previous one is waited for and written, so that a GPU computes while the host reads and writes. */
struct batches {
	struct cascade *c;
	struct tns_writer *w;
	struct outputs id;
	int levels, B, n; /* B: rows of the batch in flight, 0: none; n: batches so far */
	size_t pixels;
	float *out, *stddev, *steps, *maps;
	uint8_t *bytes, *images[2]; /* images: of the batch in flight and the next, for further levels of a cascade */
};

static void batches_alloc(struct batches *a)
{
	size_t K = (size_t)infer_values(cascade_first(a->c)), map = (size_t)cascade_model(a->c)->outputs;
	a->out = xcalloc(INFER_BATCH * K, sizeof *a->out), a->stddev = xcalloc(INFER_BATCH * K, sizeof *a->stddev);
	a->steps = xcalloc(INFER_BATCH * K * (size_t)a->levels + 1, sizeof *a->steps);
	a->maps = o.maps ? xcalloc(INFER_BATCH * map, sizeof *a->maps) : NULL;
	a->bytes = xmalloc(map);
	for (int i = 0; i < 2 && a->levels; i++)
		a->images[i] = xmalloc(INFER_BATCH * a->pixels);
	if (a->maps)
		infer_set_maps(cascade_first(a->c), a->maps);
}

static void batches_free(struct batches *a)
{
	free(a->out), free(a->stddev), free(a->steps), free(a->maps), free(a->bytes), free(a->images[0]), free(a->images[1]);
}

static void write_row(const struct batches *a, int b)
{
	const struct model *m = cascade_model(a->c);
	size_t K = (size_t)infer_values(cascade_first(a->c)), P = (size_t)m->points, map = (size_t)m->outputs;
	const float *out = a->out + (size_t)b * K;
	if (m->target == TARGET_IMAGE) {
		for (int k = 0; k < m->outputs; k++)
			a->bytes[k] = (uint8_t)lrintf(fminf(fmaxf(out[k], 0), 1) * 255);
		tns_write(a->w, a->id.main, a->bytes, 1);
		return;
	}
	tns_write(a->w, a->id.main, out, 1);
	if (a->id.confidence >= 0) {
		float sure[m->points];
		for (int k = 0; k < m->points; k++)
			sure[k] = 1 / (1 + a->stddev[(size_t)b * P + (size_t)k]);
		tns_write(a->w, a->id.confidence, sure, 1);
	}
	if (a->levels)
		tns_write(a->w, a->id.steps, a->steps + (size_t)(b * a->levels) * 2 * P, 1);
	if (a->maps)
		tns_write(a->w, a->id.maps, a->maps + (size_t)b * map, 1);
}

/* Waits for the batch in flight, if any, and writes it. */
static void batch_wait(struct batches *a)
{
	if (!a->B)
		return;
	cascade_batch_wait(a->c, a->images[(a->n - 1) % 2], a->B, a->out, a->id.confidence >= 0 ? a->stddev : NULL, a->steps);
	for (int b = 0; b < a->B; b++)
		write_row(a, b);
	a->B = 0;
}

static void batch_async(struct batches *a, const uint8_t *images, int B)
{
	if (a->levels)
		memcpy(a->images[a->n % 2], images, (size_t)B * a->pixels);
	cascade_batch_async(a->c, images, B);
	batch_wait(a);
	a->B = B, a->n++;
}

int main(int argc, char **argv)
{
	/* outputs of the model's target replace those in the input; outputs of other targets are copied */
	static const char *const made_points[] = {"predicted", "confidence", "steps", "maps", NULL}, *const made_label[] = {"score", NULL},
				 *const made_image[] = {"reconstruction", NULL};
	int n, models = 0, levels;
	char **operand = opt_parse(&prog, argc, argv, &n);
	while (models < n && cascade_is_model(operand[models]))
		models++;
	if (models < n - 1)
		die_usage("%s: is no model (it has no META net), and only the last operand is data", operand[models]);
	if (!models)
		die_usage("%s: is no model (it has no META net)", operand[0]);
	struct backend *be = backend_open(o.device, (int)o.threads, o.precision);
	struct cascade *c = cascade_new(be, operand, models, o.refine.v, levels = o.refine.n, o.flip);
	const struct model *m = cascade_model(c);
	if (o.maps && !infer_maps(m))
		die_usage("--maps: the model makes no maps");

	struct dataset_stream *d = dataset_stream_open(operand[models]);
	int image = dataset_stream_require(d->in, "image", TNS_U8, 3);
	const struct tns_def *def = &d->in->def[image];
	if (def->dim[1] != (uint64_t)m->H || def->dim[2] != (uint64_t)m->W)
		die("%s: image is %llux%llu, the model takes %dx%d", d->in->name, (unsigned long long)def->dim[2],
			(unsigned long long)def->dim[1], m->W, m->H);
	const char *points = tns_meta_value(d->in, "points");
	if (m->points && points && strcmp(points, m->names) && tns_find(d->in, "keypoints") >= 0)
		die("%s: its points are not the model's", d->in->name);

	struct tns_writer *w = tns_create(o.output);
	struct passthrough pass;
	const char *const own[] = {m->points ? "points" : m->target == TARGET_LABEL ? "classes" : NULL, NULL};
	passthrough_begin(&pass, d->in, w, m->points ? made_points : m->target == TARGET_LABEL ? made_label : made_image, own);
	struct outputs id = define(w, m, levels);
	if (own[0])
		tns_put_meta(w, own[0], m->names);
	struct progress p;
	progress_begin(&p, "faces", o.quiet);
	struct batches a = {.c = c, .w = w, .id = id, .levels = levels, .pixels = (size_t)m->W * (size_t)m->H};
	batches_alloc(&a);
	for (uint64_t rows; (rows = dataset_stream_next(d));)
		for (uint64_t at = 0; at < rows; at += INFER_BATCH) {
			int B = rows - at < INFER_BATCH ? (int)(rows - at) : INFER_BATCH;
			batch_async(&a, dataset_stream_at(d, image, at), B);
			for (int b = 0; b < B; b++)
				passthrough_row(&pass, d, at + (uint64_t)b, w);
			progress_tick(&p, d->row + at, 0);
		}
	batch_wait(&a);
	progress_end(&p);
	passthrough_late(d->in, w);
	cascade_history(c, d->in, w);
	tns_close(w);
	dataset_stream_close(d);
	cascade_free(c);
	batches_free(&a);
	be->close(be);
	return finish();
}
