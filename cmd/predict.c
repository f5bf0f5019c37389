/* predict - a data set into the same with what models make of it: points, scores or reconstructions. */
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "lib/ds.h"
#include "lib/err.h"
#include "lib/infer.h"
#include "lib/log.h"
#include "lib/opt.h"
#include "lib/out.h"

static struct {
	const char *device, *output;
	int64_t threads;
	int flip, quiet;
} o = {.device = "cpu"};

static const struct opt opts[] = {
	{0, "flip", OPT_FLAG, &o.flip, 0, 0, 0, "average with the prediction for the mirror image", 0},
	OPT_DEVICE(&o.device),
	OPT_THREADS(&o.threads),
	OPT_QUIET(&o.quiet),
	OPT_OUTPUT(&o.output),
	OPT_END,
};

static const struct opt_prog prog = {"predict",
	"adds what models predict to a data set: predicted and confidence, score, or reconstruction", "MODEL... [DATA]", 1, 64, opts,
	{"csv-clean test.csv.gz | predict model.tns | submit --lookup IdLookupTable.csv -o submission.csv",
		"predict --flip a.tns b.tns faces.tns | score", NULL}};

/* 1 if the file's first records say that it is a model. */
static int is_model(const char *path)
{
	struct stat st;
	if (!strcmp(path, "-") || (!stat(path, &st) && !S_ISREG(st.st_mode)))
		return 0; /* a pipe can be read only once: it is data */
	struct tns *t = tns_open(path);
	int yes = model_is(t);
	tns_free(t);
	return yes;
}

struct outputs { /* ids in the stream written */
	int main, confidence;
};

static struct outputs define(struct tns_writer *w, const struct model *m)
{
	uint64_t K = (uint64_t)m->outputs;
	struct outputs id = {-1, -1};
	switch (m->target) {
	case TARGET_COORDS:
		id.main = tns_define(w, "predicted", TNS_F32, 3, (uint64_t[]){TNS_OPEN, K / 2, 2});
		id.confidence = tns_define(w, "confidence", TNS_F32, 2, (uint64_t[]){TNS_OPEN, K / 2});
		break;
	case TARGET_LABEL:
		id.main = tns_define(w, "score", TNS_F32, K > 1 ? 2 : 1, (uint64_t[]){TNS_OPEN, K});
		break;
	case TARGET_IMAGE:
		id.main = tns_define(w, "reconstruction", TNS_U8, 3, (uint64_t[]){TNS_OPEN, (uint64_t)m->H, (uint64_t)m->W});
		break;
	}
	return id;
}

static void write_row(struct tns_writer *w, struct outputs id, const struct model *m, const float *out, const float *spread, uint8_t *bytes)
{
	if (m->target == TARGET_IMAGE) {
		for (int k = 0; k < m->outputs; k++)
			bytes[k] = (uint8_t)lrintf(fminf(fmaxf(out[k], 0), 1) * 255);
		tns_write(w, id.main, bytes, 1);
		return;
	}
	tns_write(w, id.main, out, 1);
	if (id.confidence >= 0) {
		float sure[m->outputs / 2];
		for (int k = 0; k < m->outputs / 2; k++)
			sure[k] = 1 / (1 + spread[k]);
		tns_write(w, id.confidence, sure, 1);
	}
}

int main(int argc, char **argv)
{
	/* what a target makes takes the place of older ones; what other targets made is passed on */
	static const char *const made[][3] = {
		[TARGET_COORDS] = {"predicted", "confidence"}, [TARGET_LABEL] = {"score"}, [TARGET_IMAGE] = {"reconstruction"}};
	int n, models = 0;
	char **operand = opt_parse(&prog, argc, argv, &n);
	while (models < n && is_model(operand[models]))
		models++;
	if (models < n - 1)
		die_usage("%s: is no model (it has no META net), and only the last operand is data", operand[models]);
	if (!models)
		die_usage("%s: is no model (it has no META net)", operand[0]);
	struct model **m = xcalloc((size_t)models, sizeof *m);
	for (int i = 0; i < models; i++)
		m[i] = model_load(operand[i]);
	struct ops *ops = ops_open(o.device, (int)o.threads);
	if (!ops)
		die("--device %s: this build has no such hand", o.device);
	struct infer *f = infer_new(ops, m, models, o.flip);

	struct ds *d = ds_open(operand[models]);
	int image = ds_need(d->in, "image", TNS_U8, 3);
	const struct tns_def *def = &d->in->def[image];
	if (def->dim[1] != (uint64_t)m[0]->H || def->dim[2] != (uint64_t)m[0]->W)
		die("%s: image is %llux%llu, the model takes %dx%d", d->in->name, (unsigned long long)def->dim[2],
			(unsigned long long)def->dim[1], m[0]->W, m[0]->H);
	const char *points = tns_meta_value(d->in, "points");
	if (m[0]->target == TARGET_COORDS && points && strcmp(points, m[0]->names) && tns_find(d->in, "keypoints") >= 0)
		die("%s: its points are not the model's", d->in->name);

	struct tns_writer *w = tns_create(o.output);
	struct ds_pass pass;
	const char *const own[] = {m[0]->target == TARGET_COORDS ? "points" : m[0]->target == TARGET_LABEL ? "classes" : NULL, NULL};
	ds_pass_begin(&pass, d->in, w, made[m[0]->target], own);
	struct outputs id = define(w, m[0]);
	if (own[0])
		tns_put_meta(w, own[0], m[0]->names);
	struct progress p;
	progress_begin(&p, "faces", o.quiet);
	size_t K = (size_t)m[0]->outputs;
	float *out = xcalloc(INFER_BATCH * K, sizeof *out), *spread = xcalloc(INFER_BATCH * K, sizeof *spread);
	uint8_t *bytes = xmalloc(K);
	for (uint64_t rows; (rows = ds_next(d));)
		for (uint64_t at = 0; at < rows; at += INFER_BATCH) {
			int B = rows - at < INFER_BATCH ? (int)(rows - at) : INFER_BATCH;
			infer_batch(f, ds_at(d, image, at), B, out, id.confidence >= 0 ? spread : NULL);
			for (int b = 0; b < B; b++) {
				ds_pass_row(&pass, d, at + (uint64_t)b, w);
				write_row(w, id, m[0], out + (size_t)b * K, spread + (size_t)b * K / 2, bytes);
			}
			progress_tick(&p, d->row + at, 0);
		}
	progress_end(&p);
	struct tns heads[64] = {0};
	const struct tns *inputs[65] = {d->in};
	struct tns_meta history[64];
	for (int i = 0; i < models; i++) {
		history[i] = (struct tns_meta){"history", m[i]->history, 7, strlen(m[i]->history), 1};
		heads[i] = (struct tns){.nmeta = 1, .meta = &history[i], .fingerprint = m[i]->fingerprint};
		inputs[i + 1] = &heads[i];
	}
	ds_pass_late(d->in, w);
	ds_history(w, inputs, models + 1, NULL);
	tns_close(w);
	ds_close(d);
	infer_free(f);
	for (int i = 0; i < models; i++)
		model_free(m[i]);
	free(m), free(out), free(spread), free(bytes);
	ops->close(ops);
	return finish();
}
