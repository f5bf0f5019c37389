/* The training loop: epochs of batches (load, forward, loss, backward with optimizer step), validation, best weights, checkpoints. */
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "kernels/augment.h"
#include "lib/base/err.h"
#include "lib/base/shuffle.h"
#include "lib/nn/decode.h"
#include "lib/stream/dataset_stream.h"
#include "lib/train/checkpoint.h"
#include "lib/train/keep.h"
#include "lib/train/train.h"

/* What the model says of its training set to those who measure it. */
static void describe(struct model *m, const struct dataset *train, const struct tns_table *init)
{
	struct trained *before = init ? trained_read(init) : NULL;
	free(m->mean), trained_free(m->trained);
	m->mean = m->points ? baseline_mean(train) : NULL;
	m->trained = ranks_rank(train->ranks) ? NULL : trained_new(dataset_hashes(train), train->n, before); /* rank 0 writes it */
	trained_free(before);
}

void train_check(const struct train_options *a, const struct dataset *valid)
{
	if (a->patience && !valid)
		die_usage("--patience: there are no held-out rows to stop by (--valid, --valid-part)");
}

struct train *train_new(
	const struct backend *be, struct model *m, const struct dataset *train, const struct dataset *valid, const struct train_options *a)
{
	train_check(a, valid);
	struct train *t = xcalloc(1, sizeof *t);
	uint32_t n = valid && valid->n > train->n ? valid->n : train->n;
	t->B = (uint32_t)a->batch < n ? a->batch : (int)n;
	int sharded = a->shards > 1;
	size_t B = (size_t)(sharded ? shards_rows(t->B, a->shards) : t->B);
	t->a = a, t->s.be = be, t->s.m = m, t->train = train, t->valid = valid;
	describe(m, train, a->init);
	t->s.net = net_new(be, &m->d, (int)B, sharded ? NET_GRADIENT : NET_TRAIN);
	t->shards = sharded ? shards_new(m, t->s.net, a->ranks, a->shards) : NULL;
	t->feed = feed_new(be, train, (int)B);
	t->s.targets = targets_new(be, m, train, &a->targets, (int)B, 1);
	if (valid) {
		t->valid_feed = feed_new(be, valid, (int)B);
		t->valid_targets = targets_new(be, m, valid, &a->targets, (int)B, 0);
		targets_augment(t->valid_targets, NULL, 1);
	}
	if (m->points)
		t->decoder = decoder_new(be, m, (int)B);
	const struct dataset *ds = valid ? valid : train;
	t->baseline = m->points ? baseline_points(train, ds) : baseline_classes(train, ds);
	t->order = xcalloc(n, sizeof *t->order);
	t->rows = be->alloc(be, n * sizeof *t->rows);
	t->x = be->alloc(be, B * (size_t)(m->W * m->H) * sizeof(real));
	t->dz = be->alloc(be, B * (size_t)m->outputs * sizeof(real));
	t->loss = be->alloc(be, n * sizeof *t->loss);
	t->s.moment1 = be->alloc(be, m->d.nparam * sizeof(real));
	t->s.moment2 = a->optimizer == OPTIMIZER_ADAM ? be->alloc(be, m->d.nparam * sizeof(real)) : NULL;
	if (a->average > 0)
		t->s.average = be->alloc(be, m->d.nparam * sizeof(real)), t->s.average_stat = be->alloc(be, m->d.nstat * sizeof(real));
	t->s.best = INFINITY;
	if (valid && !a->keep_last && !ranks_rank(a->ranks))
		train_state_open_best(&t->s, a->best_near);
	return t;
}

void train_free(struct train *t)
{
	const struct backend *be = t->s.be;
	void *device[] = {t->rows, t->x, t->dz, t->s.moment1, t->s.moment2, t->s.average, t->s.average_stat, t->loss};
	for (size_t i = 0; i < sizeof device / sizeof *device; i++)
		be->release(be, device[i]);
	feed_free(t->feed), feed_free(t->valid_feed);
	shards_free(t->shards), net_free(t->s.net);
	if (t->s.best_file)
		fclose(t->s.best_file);
	targets_free(t->s.targets), targets_free(t->valid_targets), decoder_free(t->decoder);
	free(t->s.asymmetry), sources_free(t->s.sources);
	free(t->order), free(t);
}

/* The rate of the last step, t->s.step. */
static double rate_now(const struct train *t)
{
	const struct train_options *a = t->a;
	int at = t->s.epoch < t->s.planned ? t->s.epoch : t->s.planned; /* beyond it: the last one's rate */
	double steps = ceil((double)t->train->n / t->B);
	return a->learning_rate *
	       fmin(spec_schedule_factor(a->schedule, at, t->s.planned), spec_warmup_factor(a->warmup, t->s.step / steps));
}

static struct net_step next_step(struct train *t)
{
	const struct train_options *a = t->a;
	t->s.step++;
	return (struct net_step){{.kind = a->optimizer,
					 .step = t->s.step,
					 .learning_rate = (real)rate_now(t),
					 .momentum = (real)a->momentum,
					 .beta2 = (real)0.999,
					 .eps = (real)1e-8,
					 .weight_decay = (real)a->weight_decay},
		t->s.moment1, t->s.moment2};
}

/* One batch of B rows from position `at` of the epoch on. */
static void train_step(struct train *t, uint32_t at, int B, const struct augment *g)
{
	const struct model *m = t->s.m;
	const uint32_t *rows = t->rows + at;
	if (t->shards) {
		struct net_step step = next_step(t);
		shards_step(t->shards, t->s.targets,
			&(struct shards_batch){t->feed, rows, t->order + at, at, B, g, t->a->seed, (uint32_t)t->s.epoch, t->loss + at},
			&step);
		return;
	}
	struct net_pass pass = {1, rows, t->a->seed, (uint32_t)t->s.epoch};
	feed_load(t->feed, t->x, t->order + at, rows, B, t->train->n - at - (uint32_t)B, m->mul, m->add, g);
	real *z = net_forward(t->s.net, t->x, B, &pass);
	targets_loss(t->s.targets, t->loss + at, t->dz, z, rows, at, B, targets_count(t->s.targets, t->order + at, B));
	struct net_step step = next_step(t);
	net_backward(t->s.net, t->x, t->dz, B, &pass, &step);
}

/* Losses and predictions of an epoch's rows, of which each rank sets its own; merge 0: at the start, 1: at the end. */
static void share_epoch(struct train *t, int merge)
{
	const struct backend *be = t->s.be;
	size_t bytes[2] = {t->train->n * sizeof *t->loss, 0};
	void *device[2] = {t->loss, targets_predicted(t->s.targets, &bytes[1])};
	for (int i = 0; ranks_size(t->a->ranks) > 1 && i < 2; i++)
		if (device[i] && merge)
			evaluate_merge(be, t->a->ranks, device[i], bytes[i]);
		else if (device[i])
			be->zero(be, device[i], bytes[i]);
}

static double train_epoch(struct train *t, struct progress *p)
{
	const struct model *m = t->s.m;
	const struct dataset *ds = t->train;
	const struct backend *be = t->s.be;
	struct augment g = spec_augment_at(&t->a->augment, t->s.epoch, t->s.planned);
	int augmented = augment_any(&g);
	g.seed = t->a->seed, g.epoch = (uint32_t)t->s.epoch;
	shuffle(t->order, ds->n, t->a->seed, (uint32_t)t->s.epoch);
	be->upload(be, t->rows, t->order, ds->n * sizeof *t->rows);
	t->s.targets->sigma = spec_length(t->a->targets.sigma, t->a->targets.sigma_last, t->s.epoch, t->s.planned);
	if (t->valid)
		t->valid_targets->sigma = t->s.targets->sigma;
	feed_epoch(t->feed, &g);
	targets_augment(t->s.targets, augmented ? &g : NULL, t->s.epoch <= t->s.planned / 3);
	share_epoch(t, 0);
	for (uint32_t at = 0; at < ds->n; at += (uint32_t)t->B) {
		train_step(t, at, ds->n - at < (uint32_t)t->B ? (int)(ds->n - at) : t->B, augmented ? &g : NULL);
		if (t->s.average)
			train_state_average_step(&t->s, t->a->average);
		progress_tick(p, (uint64_t)(t->s.epoch - 1) * ds->n + at, (uint64_t)t->a->epochs * ds->n);
	}
	share_epoch(t, 1);
	double shift[2];
	targets_end_epoch(t->s.targets, t->order, augmented ? &g : NULL, shift);
	model_set_asymmetry(t->s.m, t->s.targets->asymmetry);
	int moved = 0;
	if (m->sources)
		source_fit_end(t->s.targets->fit, ds->from, m->sources), moved = 1;
	/* half of the estimated offset an epoch, in the first half of training: the net needs some steps to follow */
	if (2 * t->s.epoch <= t->s.planned && (shift[0] != 0 || shift[1] != 0)) {
		model_set_offset(t->s.m, t->s.m->offset[0] + shift[0] / 2, t->s.m->offset[1] + shift[1] / 2);
		moved = 1;
	}
	if (moved && t->valid)
		targets_augment(t->valid_targets, NULL, 1);
	return evaluate_mean(be, t->loss, ds->n, targets_count(t->s.targets, NULL, (int)ds->n));
}

static struct train_score evaluate_on(struct train *t, const struct dataset *ds, struct feed *feed, struct targets *tg)
{
	struct evaluation e = {t->s.be, t->s.m, t->s.net, t->decoder, t->a->ranks, t->order, t->rows, t->x, t->loss};
	return evaluate(&e, ds, feed, tg);
}

struct train_score train_evaluate(struct train *t)
{
	return evaluate_on(t, t->valid, t->valid_feed, t->valid_targets);
}

/* The figure of a validation that decides: RMSE in pixels where there are points, else the loss. */
static double score_of(const struct train *t, struct train_score s)
{
	return t->s.m->points ? s.error : s.loss;
}

/* What a result is compared with, by the same measure: the mean face's error, or the loss of the most frequent class. */
static double base_of(const struct train *t)
{
	return t->s.m->points ? t->baseline.error : t->baseline.loss;
}

static const char *base_name(const struct train *t)
{
	return t->s.m->points ? "mean face" : "most frequent class";
}

static const char *measure_name(const struct train *t)
{
	return t->s.m->points ? "RMSE px" : "loss";
}

enum train_result train_result(struct train *t)
{
	const int points = t->s.m->points > 0;
	double got = t->a->keep_last ? t->last : t->s.best, base = base_of(t);
	if (!t->valid) {
		struct targets *tg = targets_new(t->s.be, t->s.m, t->train, &t->a->targets, t->s.net->B, 0);
		targets_augment(tg, NULL, 1);
		struct train_score s = evaluate_on(t, t->train, t->feed, tg);
		targets_free(tg);
		got = score_of(t, s);
	}
	t->reached = got;
	int stuck = t->valid && t->s.best_epoch < t->s.epoch; /* else it was on its way still, or can't be told */
	/* what has not been trained at all is no further off than half the image, its loss not above some tens of the frequencies' */
	double untrained = points ? (t->s.m->W > t->s.m->H ? t->s.m->W : t->s.m->H) / 2.0 : TRAIN_WORSE * TRAIN_WORSE * base;
	return got < base ? TRAIN_LEARNED : stuck || !(got < TRAIN_WORSE * base || got < untrained) ? TRAIN_NOWHERE : TRAIN_NOTHING;
}

void train_warn(const struct train *t, enum train_result result)
{
	warn("nothing was learned: %s %.4g on the %s set, where the %s has %.4g; %sanother --rate, or more --epochs, may help",
		measure_name(t), t->reached, t->valid ? "held-out" : "training", base_name(t), base_of(t),
		result == TRAIN_NOWHERE ? "no model is written: " : "");
}

/* Why the figures of the validation set flatter, or may; to be freed. */
static char *flattery(const struct train *t)
{
	const struct dataset *v = t->valid;
	size_t bytes = (size_t)v->W * (size_t)v->H;
	uint8_t *read = xmalloc(bytes);
	uint32_t on = 0;
	for (uint32_t i = 0; i < v->n; i++)
		on += trained_has(t->s.m->trained, dataset_image(v, i, read), bytes) == TRAINED_ON;
	free(read);
	if (on)
		return xprintf(", which flatters: %u of its %u rows are among those trained on", on, v->n);
	return xstrdup(!v->head || dataset_stream_split(v->head) ? ", which may flatter: rows were held out, not people" : "");
}

void train_tell_best(const struct train *t)
{
	if (t->a->quiet || !t->valid)
		return;
	const char *what = t->s.m->points ? "valid rmse px" : "valid loss";
	char *text = flattery(t), *other = t->s.best_epoch == t->s.epoch
						   ? xstrdup("; the best, too")
						   : xprintf("; the best, not kept, was epoch %d: %.5g", t->s.best_epoch, t->s.best);
	if (t->a->keep_last)
		warn("last epoch %d: %s %.5g%s%s", t->s.epoch, what, t->last, text, other);
	else
		warn("best epoch %d: %s %.5g%s", t->s.best_epoch, what, t->s.best, text);
	free(text), free(other);
}

void train_write_suspects(const struct train *t)
{
	double px = targets_suspect_px(t->s.targets, t->a->targets.robust > 0 ? t->a->targets.robust : t->s.m->W / 16.0);
	uint64_t far = targets_write_suspects(t->s.targets, t->a->suspects, px, !(t->reached < 0.5 * t->baseline.error));
	if (!t->a->quiet)
		warn("%llu labels stayed further off than %.3g pixels", (unsigned long long)far, px);
}

/* The end: frees the moments, then downloads the weights or their average to the model, or reads the best ones from their file. */
static void download_weights(struct train *t, int failed)
{
	const struct netdesc *d = &t->s.m->d;
	const struct backend *be = t->s.be;
	train_state_average_swap(&t->s);
	be->release(be, t->s.moment1), be->release(be, t->s.moment2), be->release(be, t->s.average), be->release(be, t->s.average_stat);
	t->s.moment1 = t->s.moment2 = t->s.average = t->s.average_stat = NULL;
	t->s.m->param = xlarge(d->nparam * sizeof *t->s.m->param);
	net_download(t->s.net, t->s.m->param, t->s.m->stat);
	if (!failed)
		train_state_check_finite(&t->s, t->s.m->param, d->nparam);
	if (!t->valid || !t->s.best_epoch)
		return;
	if (t->a->keep_last) {
		t->last = score_of(t, train_evaluate(t)); /* once more: a checkpoint does not hold it */
	} else if (t->s.best_file) {
		train_state_get_best(&t->s, t->s.m->param, t->s.m->stat);
		if (t->s.m->points)
			model_set_offset(t->s.m, t->s.offset[0], t->s.offset[1]), model_set_asymmetry(t->s.m, t->s.asymmetry);
		if (t->s.sources)
			sources_free(t->s.m->sources), t->s.m->sources = sources_copy(t->s.sources);
	}
	if (t->s.m->points)
		t->s.m->rmse = t->a->keep_last ? t->last : t->s.best;
}

/* Where there are no best weights, or none better than the baseline, a line's end that says so; else NULL. To be freed. */
static char *no_use(const struct train *t)
{
	if (!t->s.best_epoch || t->a->keep_last)
		return xstrdup("");
	if (t->s.best < base_of(t))
		return NULL;
	return xprintf("; no epoch was better than the %s, %s %.4g: the best, epoch %d, had %.4g", base_name(t), measure_name(t),
		base_of(t), t->s.best_epoch, t->s.best);
}

/* Reports a loss (which: "loss", "validation loss") that is no number or has exploded, with the layer from net_find_nonfinite; dies where
 * there are no best weights, or none of use. */
static void report_divergence(const struct train *t, const char *which, double loss)
{
	int layer = net_find_nonfinite(t->s.net);
	char where[64] = "", *useless = no_use(t);
	if (layer >= 0)
		snprintf(where, sizeof where, ", layer %d", layer + 1);
	const char *text = isfinite(loss) ? "has exploded, it is" : "is";
	if (useless && t->a->spare && t->a->checkpoint) /* nobody goes on from there */
		unlink(t->a->checkpoint);
	if (useless)
		die("epoch %d%s: the %s %s %g; a smaller --rate may help%s", t->s.epoch, where, which, text, fabs(loss), useless);
	warn("epoch %d%s: the %s %s %g; a smaller --rate may help; the best weights, of epoch %d, are kept", t->s.epoch, where, which, text,
		fabs(loss), t->s.best_epoch);
}

/* After the last epoch, or when patience is at its end. */
static int at_end(const struct train *t)
{
	const struct train_options *a = t->a;
	return t->s.epoch >= a->epochs || (t->valid && a->patience && t->s.epoch - t->s.best_epoch >= a->patience);
}

/* A checkpoint may have been made for another number of epochs. */
static void plan_epochs(struct train *t, int resumed)
{
	const struct train_options *a = t->a;
	if (resumed && t->s.epoch > a->epochs)
		die("%s: has %d epochs already, more than --epochs %d", a->checkpoint, t->s.epoch, a->epochs);
	if (resumed && t->s.planned != a->epochs && a->schedule != SCHEDULE_CONSTANT && a->extend == EXTEND_NOT)
		die("%s: its schedule is for %d epochs, not %d: --extend stretch goes on as if it were for %d, --extend hold keeps to it",
			a->checkpoint, t->s.planned, a->epochs, a->epochs);
	if (!resumed || a->extend != EXTEND_HOLD)
		t->s.planned = a->epochs;
}

int train_run(struct train *t)
{
	const struct train_options *a = t->a;
	const int points = t->s.m->points > 0;
	const char *metric = points ? "valid_rmse_px" : "valid_error";
	int resumed = a->checkpoint && a->resume && checkpoint_read(&t->s, a->checkpoint, a->key), failed = 0;
	plan_epochs(t, resumed), shards_made_by(a->ranks, &t->s.m->ranks, resumed);
	if (!resumed) {
		net_upload(t->s.net, t->s.m->param, t->s.m->stat);
		if (t->s.average)
			train_state_average_begin(&t->s);
	} else if (points && t->valid) /* with the offset in the checkpoint */
		targets_augment(t->valid_targets, NULL, 1);
	shards_compare_runs(a->ranks, t->s.be, a->key, t->s.epoch, t->s.net->param, t->s.m->d.nparam);
	free(t->s.m->param);
	t->s.m->param = NULL;
	char *columns = t->valid ? xprintf("epoch\trate\ttrain_loss\tvalid_loss\t%s\tseconds", metric)
				 : xstrdup("epoch\trate\ttrain_loss\tseconds");
	struct tlog *log = tlog_open(a->log, columns, (uint64_t)t->s.epoch);
	struct progress p;
	double start = log_seconds();
	struct keep_clock clock = keep_clock(a->spare);
	progress_begin(&p, "faces", a->quiet);
	if (points)
		progress_line(&p, "mean face: %.4g px", t->baseline.error);
	else
		progress_line(&p, "most frequent class: error %.4g, loss %.4g", t->baseline.error, t->baseline.loss);
	while (!at_end(t)) {
		t->s.epoch++;
		double loss = train_epoch(t, &p), rate = rate_now(t);
		if (!t->s.first_loss)
			t->s.first_loss = loss;
		if (!isfinite(loss) || (t->s.first_loss > 0 && loss > TRAIN_EXPLODED * t->s.first_loss)) {
			report_divergence(t, "loss", loss);
			failed = 1;
			break;
		}
		if (t->valid) {
			train_state_average_swap(&t->s);
			struct train_score s = train_evaluate(t);
			double score = score_of(t, s);
			tlog_line(log, "%d\t%.6g\t%.8g\t%.8g\t%.6g\t%.2f", t->s.epoch, rate, loss, s.loss, s.error, log_seconds() - start);
			progress_line(&p, "epoch %d: train loss %.5g, valid loss %.5g, %s %.4g", t->s.epoch, loss, s.loss, metric, s.error);
			if (score < t->s.best)
				train_state_put_best(&t->s, score);
			train_state_average_swap(&t->s);
			if (isnan(score)) { /* by the last step: the training loss is that of the weights before it */
				report_divergence(t, "validation loss", score);
				failed = 1;
				break;
			}
		} else {
			tlog_line(log, "%d\t%.6g\t%.8g\t%.2f", t->s.epoch, rate, loss, log_seconds() - start);
			progress_line(&p, "epoch %d: train loss %.5g", t->s.epoch, loss);
		}
		double before = log_seconds();
		int due = a->checkpoint && keep_due(&clock, a->spare, at_end(t));
		if (due && !ranks_rank(a->ranks)) {
			checkpoint_write(&t->s, a->checkpoint, a->key, at_end(t));
			keep_timed(&clock, before);
		}
		ranks_broadcast(a->ranks, &due,
			sizeof due); /* by rank 0's time, and once it is there: what is kept, another rank may have to say */
		if (due)
			keep_written(a->checkpoint, 0, t->s.epoch);
	}
	progress_end(&p);
	tlog_close(log);
	free(columns);
	if (t->valid && t->s.epoch && !t->s.best_epoch)
		die("the validation loss was no number in any epoch; a smaller --rate may help");
	download_weights(t, failed);
	return failed ? -1 : 0;
}
