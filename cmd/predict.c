/* predict - a data set into the same with what models make of it: points, scores or reconstructions. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "lib/cascade.h"
#include "lib/ds.h"
#include "lib/err.h"
#include "lib/log.h"
#include "lib/opt.h"
#include "lib/out.h"

static struct {
	const char *device, *output;
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
	OPT_THREADS(&o.threads),
	OPT_QUIET(&o.quiet),
	OPT_OUTPUT(&o.output),
	OPT_END,
};

static const struct opt_prog prog = {"predict",
	"adds what models predict to a data set: predicted and confidence, score, or reconstruction", "MODEL... [DATA]", 1, 64, opts,
	{"csv-clean test.csv.gz | predict model.tns | submit --lookup IdLookupTable.csv -o submission.csv",
		"predict --flip a.tns b.tns --refine level2.tns faces.tns | score", NULL}};

struct outputs { /* ids in the stream written, or -1 */
	int main, confidence, steps, maps;
};

static struct outputs define(struct tns_writer *w, const struct model *m, int levels)
{
	uint64_t K = (uint64_t)m->outputs, P = (uint64_t)m->points;
	struct outputs id = {-1, -1, -1, -1};
	if (m->points) {
		id.main = tns_define(w, "predicted", TNS_F32, 3, (uint64_t[]){TNS_OPEN, P, 2});
		id.confidence = tns_define(w, "confidence", TNS_F32, 2, (uint64_t[]){TNS_OPEN, P});
		if (levels)
			id.steps = tns_define(w, "steps", TNS_F32, 4, (uint64_t[]){TNS_OPEN, (uint64_t)levels, P, 2});
		if (o.maps)
			id.maps = tns_define(
				w, "maps", TNS_F32, 4, (uint64_t[]){TNS_OPEN, (uint64_t)infer_maps(m), (uint64_t)m->MH, (uint64_t)m->MW});
	} else if (m->target == TARGET_LABEL) {
		id.main = tns_define(w, "score", TNS_F32, K > 1 ? 2 : 1, (uint64_t[]){TNS_OPEN, K});
	} else {
		id.main = tns_define(w, "reconstruction", TNS_U8, 3, (uint64_t[]){TNS_OPEN, (uint64_t)m->H, (uint64_t)m->W});
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
		float sure[m->points];
		for (int k = 0; k < m->points; k++)
			sure[k] = 1 / (1 + spread[k]);
		tns_write(w, id.confidence, sure, 1);
	}
}

int main(int argc, char **argv)
{
	/* what a target makes takes the place of older ones; what other targets made is passed on */
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
	struct ops *ops = ops_open(o.device, (int)o.threads);
	if (!ops)
		die("--device %s: this build has no such hand", o.device);
	struct cascade *c = cascade_new(ops, operand, models, o.refine.v, levels = o.refine.n, o.flip);
	const struct model *m = cascade_model(c);
	if (o.maps && !infer_maps(m))
		die_usage("--maps: the model makes no maps");

	struct ds *d = ds_open(operand[models]);
	int image = ds_need(d->in, "image", TNS_U8, 3);
	const struct tns_def *def = &d->in->def[image];
	if (def->dim[1] != (uint64_t)m->H || def->dim[2] != (uint64_t)m->W)
		die("%s: image is %llux%llu, the model takes %dx%d", d->in->name, (unsigned long long)def->dim[2],
			(unsigned long long)def->dim[1], m->W, m->H);
	const char *points = tns_meta_value(d->in, "points");
	if (m->points && points && strcmp(points, m->names) && tns_find(d->in, "keypoints") >= 0)
		die("%s: its points are not the model's", d->in->name);

	struct tns_writer *w = tns_create(o.output);
	struct ds_pass pass;
	const char *const own[] = {m->points ? "points" : m->target == TARGET_LABEL ? "classes" : NULL, NULL};
	ds_pass_begin(&pass, d->in, w, m->points ? made_points : m->target == TARGET_LABEL ? made_label : made_image, own);
	struct outputs id = define(w, m, levels);
	if (own[0])
		tns_put_meta(w, own[0], m->names);
	struct progress p;
	progress_begin(&p, "faces", o.quiet);
	size_t K = (size_t)infer_values(cascade_first(c)), P = (size_t)m->points, map = (size_t)m->outputs;
	float *out = xcalloc(INFER_BATCH * K, sizeof *out), *spread = xcalloc(INFER_BATCH * K, sizeof *spread),
	      *steps = xcalloc(INFER_BATCH * K * (size_t)levels + 1, sizeof *steps),
	      *maps = o.maps ? xcalloc(INFER_BATCH * map, sizeof *maps) : NULL;
	uint8_t *bytes = xmalloc(map);
	if (maps)
		infer_keep_maps(cascade_first(c), maps);
	for (uint64_t rows; (rows = ds_next(d));)
		for (uint64_t at = 0; at < rows; at += INFER_BATCH) {
			int B = rows - at < INFER_BATCH ? (int)(rows - at) : INFER_BATCH;
			cascade_batch(c, ds_at(d, image, at), B, out, id.confidence >= 0 ? spread : NULL, steps);
			for (int b = 0; b < B; b++) {
				ds_pass_row(&pass, d, at + (uint64_t)b, w);
				write_row(w, id, m, out + (size_t)b * K, spread + (size_t)b * P, bytes);
				if (levels)
					tns_write(w, id.steps, steps + (size_t)(b * levels) * 2 * P, 1);
				if (maps)
					tns_write(w, id.maps, maps + (size_t)b * map, 1);
			}
			progress_tick(&p, d->row + at, 0);
		}
	progress_end(&p);
	ds_pass_late(d->in, w);
	cascade_history(c, d->in, w);
	tns_close(w);
	ds_close(d);
	cascade_free(c);
	free(out), free(spread), free(steps), free(maps), free(bytes);
	ops->close(ops);
	return finish();
}
