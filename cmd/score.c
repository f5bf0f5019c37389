/* score - predictions and true labels into figures: RMSE by point; error rate, confusion matrix and AUC; reconstruction error */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/err.h"
#include "lib/base/opt.h"
#include "lib/base/out.h"
#include "lib/predict/compare.h"
#include "lib/predict/score_about.h"
#include "lib/predict/score_images.h"
#include "lib/predict/score_rows.h"
#include "lib/predict/truth.h"
#include "lib/stream/dataset_stream.h"
#include "lib/stream/names.h"
#include "lib/stream/tns.h"

static struct {
	const char *output, *truth, *rows, *by, *groups;
	int json, quiet;
	int64_t threads;
	uint64_t seed;
} o = {.seed = 1};

static const struct opt opts[] = {
	OPT_OUTPUT(&o.output),
	{'j', "json", OPT_FLAG, &o.json, 0, 0, 0, "one JSON object instead of text", 1},
	{0, "truth", OPT_STR, &o.truth, 0, 0, "FILE",
		"take the truth from this stream's rows of the same id; both must hold the same ids (of several files, what is not in all "
		"is left out)",
		0},
	{0, "report", OPT_STR, &o.rows, 0, 0, "FILE",
		"write errors by face and point of one file to FILE, tab-separated: id, row, mean_px, then each point's distance", 1},
	{0, "by", OPT_STR, &o.by, 0, 0, "TENSOR",
		"of several files: resample the groups of rows that this tensor names; without it those of tensor group, of the tensor "
		"that they were split by, or each row",
		0},
	{0, "groups", OPT_STR, &o.groups, 0, 0, "FILE", "of several files: resample the groups of this CSV (row,group or id,group), by id",
		1},
	OPT_SEEDED(&o.seed),
	OPT_QUIET(&o.quiet),
	OPT_THREADS(&o.threads),
	OPT_RENAMED("rows", "report"),
	OPT_END,
};

static const struct opt_prog prog = {
	"score",
	"measure predictions against the truth; those of several models of the same faces side by side, each with its difference to the "
	"first",
	"[PREDICTIONS...]",
	0,
	64,
	opts,
	{
		"predict model.tns valid.tns | score",
		"predict model.tns test.tns | score --truth labelled.tns --json",
		"score predicted.tns other.tns --groups groups.csv",
		NULL,
	},
};

static void points(struct dataset_stream *d, struct out *to)
{
	struct truth_points truth;
	struct score_points s, *level = NULL;
	struct score_about about;
	int predicted = truth_points_tensor(d->in, "predicted", 0), k = (int)d->in->def[predicted].dim[1];
	char **names = names_points(d->in, k);
	int steps = tns_find(d->in, "steps"), levels = 0;
	truth_points_open(&truth, o.truth, d->in, names, k);
	char *unlearned = names_marks(d->in, "unlearned", k);
	score_points_begin(&s, names, k);
	score_points_leave_out(&s, unlearned);
	score_about_begin(&about, d->in, names, k, unlearned);
	struct score_rows *rows = score_rows_open(o.rows, d->in, names, k, unlearned);
	if (steps >= 0) { /* of a cascade: the points before each further level */
		dataset_stream_require(d->in, "steps", TNS_F32, 4);
		const struct tns_def *def = &d->in->def[steps];
		levels = (int)def->dim[1];
		if (def->dim[2] != (uint64_t)k || def->dim[3] != 2)
			die("%s: tensors predicted and steps are not alike", d->in->name);
		level = xcalloc((size_t)levels, sizeof *level);
	}
	for (int l = 0; l < levels; l++)
		score_points_begin(&level[l], names, k), score_points_leave_out(&level[l], unlearned);
	for (uint64_t n; (n = dataset_stream_next(d));)
		for (uint64_t i = 0; i < n; i++) {
			const float *p = dataset_stream_at(d, predicted, i), *xy = truth_points_row(&truth, d, i);
			int bad = score_points_add(&s, xy, p);
			if (bad >= 0)
				score_die(d->in->name, o.truth, d->row + i + 1, names, bad, xy, p);
			score_about_row(&about, d, i, xy);
			score_rows_add(rows, d, i, xy, p);
			for (int l = 0; l < levels; l++)
				score_points_add(&level[l], xy, (const float *)dataset_stream_at(d, steps, i) + 2 * l * k);
		}
	truth_points_close(&truth, d);
	if (!score_points_all(&s).coords)
		die("%s: no coordinate is labelled, so nothing can be scored", d->in->name);
	if (s.left_out_coords)
		warn("%s: %" PRIu64 " labelled coordinates are not measured: no model learned %s", d->in->name, s.left_out_coords,
			tns_meta_value(d->in, "unlearned"));
	score_points_print(to, &s, names, level, levels, &about, o.json);
	score_rows_sync(rows), out_sync(to), score_rows_close(rows);
	if (!o.quiet)
		score_about_warn(&about, d->in->name);
	for (int l = 0; l < levels; l++)
		score_points_end(&level[l]);
	score_points_end(&s), score_about_end(&about);
	names_free(names);
	free(level), free(unlearned);
}

static void labels(struct dataset_stream *d, struct out *to)
{
	struct truth f = {0};
	struct score_labels s;
	struct score_about about;
	int score = tns_find(d->in, "score"), ndim = d->in->def[score].ndim == 2 ? 2 : 1, n = 0;
	dataset_stream_require(d->in, "score", TNS_F32, ndim);
	int columns = ndim == 2 ? (int)d->in->def[score].dim[1] : 1, c = columns > 2 ? columns : 2;
	int label = o.truth ? -1 : dataset_stream_require(d->in, "label", TNS_U8, 1),
	    id = o.truth ? dataset_stream_require(d->in, "id", TNS_U32, 1) : -1;
	const char *list = tns_meta_value(d->in, "classes");
	char **classes = names_split(list ? list : c == 2 ? "0,1" : "0", &n);
	if (columns > 256)
		die("%s: tensor score has %d columns, labels only 256 values", d->in->name, columns);
	if (o.truth)
		truth_open(&f, o.truth, "label", TNS_U8, 1);
	int theirs = 0, *class = o.truth ? truth_classes(&f, d->in, &theirs) : NULL;
	if (n != c) { /* no names: numbers */
		names_free(classes);
		classes = xcalloc((size_t)c + 1, sizeof *classes);
		for (int i = 0; i < c; i++)
			classes[i] = xprintf("%d", i);
	}
	score_labels_begin(&s, c);
	score_about_begin(&about, d->in, NULL, 0, NULL);
	for (uint64_t rows; (rows = dataset_stream_next(d));)
		for (uint64_t i = 0; i < rows; i++) {
			int own = *(const uint8_t *)(o.truth ? truth_row(&f, d, id, i) : dataset_stream_at(d, label, i)), bad;
			const float *p = dataset_stream_at(d, score, i);
			int truth = !class ? own : own < theirs ? class[own] : c;
			if (truth >= c)
				die("%s: row %" PRIu64 ": label %d, but there are %d classes", d->in->name, d->row + i + 1, own,
					class ? theirs : c);
			if ((bad = score_labels_add(&s, truth, p, columns)) >= 0)
				die("%s: row %" PRIu64 ": score %d is %g", d->in->name, d->row + i + 1, bad, p[bad]);
			score_about_row(&about, d, i, NULL);
		}
	if (o.truth)
		truth_close(&f, d);
	if (!s.rows)
		die("%s: no rows, so nothing can be scored", d->in->name);
	score_labels_print(to, &s, classes, &about, o.json), out_sync(to);
	if (!o.quiet)
		score_about_warn(&about, d->in->name);
	score_labels_end(&s), score_about_end(&about);
	names_free(classes), free(class);
}

static void check_options(int files)
{
	if (o.rows && files > 1)
		die_usage("--report is for one file of predictions, not %d", files);
	if ((o.by || o.groups) && files < 2)
		die_usage("--by and --groups are for several files, whose rows are resampled by groups");
	if (o.by && o.groups)
		die_usage("--by and --groups exclude each other");
}

int main(int argc, char **argv)
{
	int n;
	char **args = opt_parse(&prog, argc, argv, &n);
	check_options(n);
	if (n > 1) {
		struct compare *c = compare_load(args, n, &(struct compare_options){o.truth, o.by, o.groups, o.seed}, o.quiet);
		struct out *to = out_open(o.output, 0);
		compare_print(to, c, o.json);
		compare_free(c), out_close(to);
		return finish();
	}
	struct dataset_stream *d = dataset_stream_open(args[0]);
	struct out *to = out_open(o.output, 0);
	if (tns_find(d->in, "predicted") >= 0)
		points(d, to);
	else if (tns_find(d->in, "score") < 0 && tns_find(d->in, "reconstruction") < 0)
		die("%s: no tensor predicted, score or reconstruction: there is nothing to measure; predict adds them", d->in->name);
	else if (o.rows || (o.truth && tns_find(d->in, "score") < 0))
		die_usage("--%s: %s has no points%s", o.rows ? "report" : "truth", d->in->name, o.rows ? "" : " or labels");
	else if (tns_find(d->in, "score") < 0)
		score_images(d, to, o.json);
	else
		labels(d, to);
	dataset_stream_close(d), out_close(to);
	return finish();
}
