/* score - predictions and true labels into figures: RMSE by point, or error rate, confusion matrix and AUC */
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/err.h"
#include "lib/base/opt.h"
#include "lib/base/out.h"
#include "lib/predict/score_about.h"
#include "lib/predict/truth.h"
#include "lib/stream/dataset_stream.h"
#include "lib/stream/names.h"
#include "lib/stream/tns.h"

static struct {
	const char *output, *truth;
	int json, quiet;
	int64_t threads;
} o;

static const struct opt opts[] = {
	OPT_OUTPUT(&o.output),
	{'j', "json", OPT_FLAG, &o.json, 0, 0, 0, "one JSON object instead of text", 1},
	{0, "truth", OPT_STR, &o.truth, 0, 0, "FILE", "take the truth from this stream's rows of the same id; both must hold the same ids",
		0},
	OPT_QUIET(&o.quiet),
	OPT_THREADS(&o.threads),
	OPT_END,
};

static const struct opt_prog prog = {
	"score",
	"measure predictions against the truth",
	"[PREDICTIONS]",
	0,
	1,
	opts,
	{
		"predict model.tns valid.tns | score",
		"predict model.tns test.tns | score --truth labelled.tns --json",
		NULL,
	},
};

static void need_k(const struct tns *t, const struct tns_def *d, uint64_t k)
{
	if (d->dim[1] != k || d->dim[2] != 2)
		die("%s: tensor %s is (rows, %" PRIu64 ", %" PRIu64 "), not (rows, %" PRIu64 ", 2)", t->name, d->name, d->dim[1], d->dim[2],
			k);
}

static const uint8_t *trained_of(const struct score_about *a, const struct dataset_stream *d, uint64_t i)
{
	return a->trained_col >= 0 ? dataset_stream_at(d, a->trained_col, i) : NULL;
}

static void warn_trained(const struct score_about *a, const struct tns *in)
{
	if (a->trained && !o.quiet)
		warn("%s: the model was trained on %s%.0f of its %" PRIu64 " rows: the figures flatter", in->name,
			a->unknown ? "about " : "", score_about_trained(a), a->rows);
}

static void points(struct dataset_stream *d, struct out *to)
{
	struct truth f = {0};
	struct score_points s, *level = NULL;
	struct score_about about;
	int predicted = dataset_stream_require(d->in, "predicted", TNS_F32, 3), k = (int)d->in->def[predicted].dim[1];
	char **names = names_points(d->in, k), **theirs = names;
	int keypoints = -1, id = -1, truths = k, steps = tns_find(d->in, "steps"), levels = 0;
	need_k(d->in, &d->in->def[predicted], (uint64_t)k);
	if (o.truth) {
		truth_open(&f, o.truth, "keypoints", TNS_F32, 3);
		truths = (int)f.head->def[f.col].dim[1];
		need_k(f.head, &f.head->def[f.col], (uint64_t)truths);
		theirs = names_points(f.head, truths);
		id = dataset_stream_require(d->in, "id", TNS_U32, 1);
		for (int j = 0; j < k; j++)
			if (names_index(theirs, names[j]) < 0)
				warn("%s: point %s is not in %s, so it is not measured", d->in->name, names[j], f.head->name);
	} else {
		keypoints = dataset_stream_require(d->in, "keypoints", TNS_F32, 3);
		need_k(d->in, &d->in->def[keypoints], (uint64_t)k);
	}
	float *xy = xcalloc((size_t)k * 2, sizeof *xy);
	char *unlearned = names_marks(d->in, "unlearned", k);
	score_points_begin(&s, names, k);
	score_points_leave_out(&s, unlearned);
	score_about_begin(&about, d->in, names, k, unlearned);
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
			const float *p = dataset_stream_at(d, predicted, i),
				    *t = o.truth ? truth_row(&f, d, id, i) : dataset_stream_at(d, keypoints, i);
			for (int j = 0; j < k; j++) {
				int at = o.truth ? names_index(theirs, names[j]) : j;
				xy[2 * j] = at < 0 ? NAN : t[2 * at], xy[2 * j + 1] = at < 0 ? NAN : t[2 * at + 1];
			}
			int bad = score_points_add(&s, xy, p);
			if (bad >= 0)
				die("%s: row %" PRIu64 ": predicted %s_%c is %g", d->in->name, d->row + i + 1, names[bad / 2],
					"xy"[bad % 2], p[bad]);
			score_about_add(&about, trained_of(&about, d, i), xy);
			for (int l = 0; l < levels; l++)
				score_points_add(&level[l], xy, (const float *)dataset_stream_at(d, steps, i) + 2 * l * k);
		}
	if (o.truth)
		truth_close(&f, d), names_free(theirs);
	if (!score_points_all(&s).coords)
		die("%s: no coordinate is labelled, so nothing can be scored", d->in->name);
	if (s.left_out_coords)
		warn("%s: %" PRIu64 " labelled coordinates are not measured: no model learned %s", d->in->name, s.left_out_coords,
			tns_meta_value(d->in, "unlearned"));
	warn_trained(&about, d->in);
	score_points_print(to, &s, names, level, levels, &about, o.json);
	for (int l = 0; l < levels; l++)
		score_points_end(&level[l]);
	score_points_end(&s), score_about_end(&about);
	names_free(names);
	free(xy), free(level), free(unlearned);
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
			int truth = *(const uint8_t *)(o.truth ? truth_row(&f, d, id, i) : dataset_stream_at(d, label, i)), bad;
			const float *p = dataset_stream_at(d, score, i);
			if (truth >= c)
				die("%s: row %" PRIu64 ": label %d, but there are %d classes", d->in->name, d->row + i + 1, truth, c);
			if ((bad = score_labels_add(&s, truth, p, columns)) >= 0)
				die("%s: row %" PRIu64 ": score %d is %g", d->in->name, d->row + i + 1, bad, p[bad]);
			score_about_add(&about, trained_of(&about, d, i), NULL);
		}
	if (o.truth)
		truth_close(&f, d);
	if (!s.rows)
		die("%s: no rows, so nothing can be scored", d->in->name);
	warn_trained(&about, d->in);
	score_labels_print(to, &s, classes, &about, o.json);
	score_labels_end(&s), score_about_end(&about);
	names_free(classes);
}

int main(int argc, char **argv)
{
	int n;
	char **args = opt_parse(&prog, argc, argv, &n);
	struct dataset_stream *d = dataset_stream_open(args[0]);
	struct out *to = out_open(o.output, 0);
	if (tns_find(d->in, "predicted") >= 0)
		points(d, to);
	else if (tns_find(d->in, "score") >= 0)
		labels(d, to);
	else
		die("%s: neither tensor predicted nor score: there is nothing to measure", d->in->name);
	dataset_stream_close(d);
	out_close(to);
	return finish();
}
