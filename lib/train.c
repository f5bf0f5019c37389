/* The loop: batches in, gradients out, weights on. */
#include <fcntl.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "kernels/augment.h"
#include "lib/ds.h"
#include "lib/err.h"
#include "lib/shuffle.h"
#include "lib/train.h"

static enum loss loss_kind(const struct model *m)
{
	return m->target == TARGET_COORDS ? LOSS_SQUARED : m->outputs > 1 ? LOSS_SOFTMAX : LOSS_SIGMOID;
}

/* Values of a target on the device: a class number stays one. */
static int target_values(const struct model *m)
{
	return m->target == TARGET_LABEL ? 1 : m->outputs;
}

static void scale_row(const struct model *m, const float *value, real *to)
{
	if (m->target != TARGET_COORDS) {
		to[0] = (real)value[0];
		return;
	}
	for (int k = 0; k < m->outputs; k += 2) {
		to[k] = (real)(value[k] * m->sx + m->ox);
		to[k + 1] = (real)(value[k + 1] * m->sy + m->oy);
	}
}

static real *put_targets(const struct train *t, const struct rows *r, real *host)
{
	size_t k = (size_t)target_values(t->m);
	for (uint32_t i = 0; i < r->n; i++)
		scale_row(t->m, r->value + i * k, host + i * k);
	real *device = t->o->alloc(t->o, r->n * k * sizeof(real));
	t->o->put(t->o, device, host, r->n * k * sizeof(real));
	return device;
}

static uint8_t *put_images(const struct train *t, const struct rows *r)
{
	size_t n = (size_t)r->n * (size_t)r->W * (size_t)r->H;
	return t->o->lend(t->o, r->image, n);
}

/* A file without a name, so that it goes with the process whatever ends it. */
static FILE *best_file(const char *beside)
{
	const char *slash = beside ? strrchr(beside, '/') : NULL;
	char *dir = slash ? xstrdup(beside) : xstrdup(beside ? "." : P_tmpdir);
	if (slash)
		dir[slash - beside + (slash == beside)] = 0;
	int fd = open(dir, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
	free(dir);
	FILE *f = fd < 0 ? tmpfile() : fdopen(fd, "w+");
	if (!f)
		die_errno("a temporary file for the best weights");
	return f;
}

struct train *train_new(
	const struct ops *o, struct model *m, const struct rows *train, const struct rows *valid, const struct train_options *a)
{
	struct train *t = xcalloc(1, sizeof *t);
	uint32_t n = valid && valid->n > train->n ? valid->n : train->n;
	size_t k = (size_t)target_values(m), B = (size_t)a->batch < n ? (size_t)a->batch : n;
	t->a = a, t->o = o, t->m = m, t->train = train, t->valid = valid;
	t->net = net_new(o, &m->d, (int)B, NET_TRAIN);
	t->scaled = xcalloc(n * k, sizeof *t->scaled);
	t->bytes = put_images(t, train);
	t->target = put_targets(t, train, t->scaled);
	if (valid) {
		t->valid_bytes = put_images(t, valid);
		t->valid_target = put_targets(t, valid, t->scaled);
	}
	t->order = xcalloc(n, sizeof *t->order);
	t->rows = o->alloc(o, n * sizeof *t->rows);
	t->x = o->alloc(o, B * (size_t)(m->W * m->H) * sizeof(real));
	t->t = o->alloc(o, B * k * sizeof(real));
	t->dz = o->alloc(o, B * (size_t)m->outputs * sizeof(real));
	t->loss = o->alloc(o, n * sizeof *t->loss);
	t->first = o->alloc(o, m->d.nparam * sizeof(real));
	t->second = a->optimizer == OPTIMIZER_ADAM ? o->alloc(o, m->d.nparam * sizeof(real)) : NULL;
	t->best = INFINITY;
	if (m->target == TARGET_COORDS) {
		int count;
		char **names = ds_split_names(m->names, &count);
		t->mirror = ds_mirror(names);
		ds_free_names(names);
	}
	if (valid)
		t->best_file = best_file(a->beside);
	return t;
}

void train_free(struct train *t)
{
	const struct ops *o = t->o;
	void *device[] = {t->target, t->valid_target, t->rows, t->x, t->t, t->dz, t->first, t->second, t->loss};
	for (size_t i = 0; i < sizeof device / sizeof *device; i++)
		o->release(o, device[i]);
	o->unlend(o, t->bytes), o->unlend(o, t->valid_bytes);
	net_free(t->net);
	if (t->best_file)
		fclose(t->best_file);
	free(t->scaled), free(t->order), free(t->mirror), free(t);
}

/* Labels follow their images: the same map as the pixels', left and right swapped where mirrored; what leaves the image stays a label. */
static void augment_targets(struct train *t, const struct augment *a)
{
	const struct rows *r = t->train;
	int k = r->k;
	float moved[2];
	for (uint32_t i = 0; i < r->n; i++) {
		struct warp w = augment_draw(a, i, r->W, r->H);
		for (int p = 0; p < k / 2; p++) {
			const float *from = r->value + (size_t)i * (size_t)k + 2 * (w.flipped ? t->mirror[p] : p);
			real *to = t->scaled + (size_t)i * (size_t)k + 2 * p;
			augment_point(&w, from[0], from[1], &moved[0], &moved[1]);
			to[0] = (real)(moved[0] * t->m->sx + t->m->ox), to[1] = (real)(moved[1] * t->m->sy + t->m->oy);
		}
	}
	t->o->put(t->o, t->target, t->scaled, (size_t)r->n * (size_t)k * sizeof(real));
}

/* How many values of a batch carry a label: what its loss is the mean over. */
static double labelled(const struct train *t, const struct rows *r, const uint32_t *order, int B)
{
	double n = 0;
	if (t->m->target != TARGET_COORDS)
		return B;
	for (int b = 0; b < B; b++)
		for (int k = 0; k < r->k; k++)
			n += !isnan(r->value[(size_t)(order ? order[b] : (uint32_t)b) * (size_t)r->k + (size_t)k]);
	return n > 0 ? n : 1;
}

static struct net_step step_of(struct train *t, double rate)
{
	const struct train_options *a = t->a;
	int adam = a->optimizer == OPTIMIZER_ADAM;
	return (struct net_step){{.kind = adam				       ? UPDATE_ADAM
					  : a->optimizer == OPTIMIZER_NESTEROV ? UPDATE_NESTEROV
									       : UPDATE_SGD,
					 .step = ++t->step,
					 .rate = (real)rate,
					 .momentum = (real)a->momentum,
					 .beta2 = (real)0.999,
					 .eps = (real)1e-8,
					 .decay = (real)a->decay},
		t->first, t->second};
}

static double mean_loss(struct train *t, const struct rows *r, double n)
{
	double *loss = xcalloc(r->n, sizeof *loss), sum = 0;
	t->o->get(t->o, loss, t->loss, r->n * sizeof *loss);
	for (uint32_t i = 0; i < r->n; i++)
		sum += loss[i];
	free(loss);
	return sum / n;
}

static double train_epoch(struct train *t, double rate, struct progress *p)
{
	const struct model *m = t->m;
	const struct rows *r = t->train;
	const struct ops *o = t->o;
	struct augment g = t->a->augment;
	int moved = g.flip || g.shift > 0 || g.rotate > 0 || g.scale > 0 || g.contrast > 0 || g.brightness > 0 || g.noise > 0,
	    k = target_values(m);
	g.seed = t->a->seed, g.epoch = (uint32_t)t->epoch;
	shuffle(t->order, r->n, t->a->seed, (uint32_t)t->epoch);
	o->put(o, t->rows, t->order, r->n * sizeof *t->rows);
	if (moved && m->target == TARGET_COORDS)
		augment_targets(t, &g);
	double all = labelled(t, r, NULL, (int)r->n);
	for (uint32_t at = 0; at < r->n; at += (uint32_t)t->net->B) {
		int B = r->n - at < (uint32_t)t->net->B ? (int)(r->n - at) : t->net->B;
		const uint32_t *rows = t->rows + at;
		struct net_pass pass = {1, rows, t->a->seed, (uint32_t)t->epoch};
		o->images(o, t->x, t->bytes, rows, B, 1, m->H, m->W, m->mul, m->add, moved ? &g : NULL);
		o->gather(o, t->t, t->target, rows, B, k);
		real *z = net_forward(t->net, t->x, B, &pass);
		o->loss(o, loss_kind(m), t->loss + at, t->dz, z, t->t, (real)(1 / labelled(t, r, t->order + at, B)), B, m->outputs);
		struct net_step step = step_of(t, rate);
		net_backward(t->net, t->x, t->dz, B, &pass, &step);
		progress_tick(p, (uint64_t)(t->epoch - 1) * r->n + at, (uint64_t)t->a->epochs * r->n);
	}
	return mean_loss(t, r, all);
}

/* Sum of squared pixels, or number of wrong labels, of a batch of outputs. */
static double errors(const struct train *t, const struct rows *r, uint32_t at, int B, const real *z)
{
	const struct model *m = t->m;
	double sum = 0;
	for (int b = 0; b < B; b++) {
		const float *truth = r->value + (size_t)(at + (uint32_t)b) * (size_t)r->k;
		const real *out = z + (size_t)b * (size_t)m->outputs;
		if (m->target == TARGET_LABEL) {
			int best = m->outputs == 1 ? out[0] > 0 : 0;
			for (int k = 1; k < m->outputs; k++)
				best = out[k] > out[best] ? k : best;
			sum += best != (int)truth[0];
			continue;
		}
		for (int k = 0; k < r->k; k++)
			if (!isnan(truth[k])) {
				double px = k & 1 ? ((double)out[k] - (double)m->oy) / (double)m->sy
						  : ((double)out[k] - (double)m->ox) / (double)m->sx;
				sum += (px - (double)truth[k]) * (px - (double)truth[k]);
			}
	}
	return sum;
}

struct train_score train_evaluate(struct train *t, const struct rows *r, const uint8_t *bytes, const real *target)
{
	const struct model *m = t->m;
	const struct ops *o = t->o;
	int k = target_values(m);
	double sum = 0, all = labelled(t, r, NULL, (int)r->n);
	real *z = xcalloc((size_t)t->net->B * (size_t)m->outputs, sizeof *z);
	for (uint32_t i = 0; i < r->n; i++)
		t->order[i] = i;
	o->put(o, t->rows, t->order, r->n * sizeof *t->rows);
	for (uint32_t at = 0; at < r->n; at += (uint32_t)t->net->B) {
		int B = r->n - at < (uint32_t)t->net->B ? (int)(r->n - at) : t->net->B;
		struct net_pass pass = {0};
		o->images(o, t->x, bytes, t->rows + at, B, 1, m->H, m->W, m->mul, m->add, NULL);
		real *out = net_forward(t->net, t->x, B, &pass);
		o->loss(o, loss_kind(m), t->loss + at, NULL, out, target + (size_t)at * (size_t)k, 1, B, m->outputs);
		o->get(o, z, out, (size_t)B * (size_t)m->outputs * sizeof *z);
		sum += errors(t, r, at, B, z);
	}
	free(z);
	return (struct train_score){mean_loss(t, r, all), m->target == TARGET_COORDS ? sqrt(sum / all) : sum / all};
}

void train_finite(const struct train *t, const real *p, size_t n)
{
	int fine = 1;
	for (size_t i = 0; i < n; i++)
		fine &= isfinite(p[i]) != 0;
	if (!fine)
		die("epoch %d: a weight is no number; a smaller --rate may help", t->epoch);
}

static void keep(struct train *t, const real *device, size_t n)
{
	const real *host = t->o->view(t->o, device, n * sizeof *host);
	train_finite(t, host, n);
	if (fwrite(host, sizeof *host, n, t->best_file) != n)
		die_errno("the temporary file of the best weights");
	t->o->unview(t->o, host);
}

static void keep_best(struct train *t, double score)
{
	const struct netdesc *d = &t->m->d;
	t->best = score, t->best_epoch = t->epoch;
	rewind(t->best_file);
	keep(t, t->net->param, d->nparam), keep(t, t->net->stat, d->nstat);
	if (fflush(t->best_file))
		die_errno("the temporary file of the best weights");
}

/* The end: the weights come back to the model, and what only training needs goes first. */
static void take_weights(struct train *t)
{
	const struct netdesc *d = &t->m->d;
	const struct ops *o = t->o;
	o->release(o, t->first), o->release(o, t->second);
	t->first = t->second = NULL;
	t->m->param = xlarge(d->nparam * sizeof *t->m->param);
	net_get(t->net, t->m->param, t->m->stat);
	train_finite(t, t->m->param, d->nparam);
	if (!t->valid || !t->best_epoch)
		return;
	rewind(t->best_file);
	if (fread(t->m->param, sizeof(real), d->nparam, t->best_file) != d->nparam ||
		fread(t->m->stat, sizeof(real), d->nstat, t->best_file) != d->nstat)
		die("the temporary file of the best weights can't be read");
}

void train_run(struct train *t)
{
	const struct train_options *a = t->a;
	const int coords = t->m->target == TARGET_COORDS;
	const char *metric = coords ? "valid_rmse_px" : "valid_error";
	int resumed = a->checkpoint && a->resume && checkpoint_read(t);
	if (!resumed)
		net_put(t->net, t->m->param, t->m->stat);
	free(t->m->param);
	t->m->param = NULL;
	char *columns = t->valid ? xprintf("epoch\trate\ttrain_loss\tvalid_loss\t%s\tseconds", metric)
				 : xstrdup("epoch\trate\ttrain_loss\tseconds");
	struct tlog *log = tlog_open(a->log, columns, (uint64_t)t->epoch);
	struct progress p;
	double start = log_seconds(), written = 0, cost = 0;
	progress_begin(&p, "faces", a->quiet);
	while (t->epoch < a->epochs && !(t->valid && a->patience && t->epoch - t->best_epoch >= a->patience)) {
		t->epoch++;
		double rate = a->rate * spec_rate(a->schedule, t->epoch, a->epochs), loss = train_epoch(t, rate, &p);
		if (!isfinite(loss))
			die("epoch %d: the loss is %g; a smaller --rate may help", t->epoch, fabs(loss));
		if (t->valid) {
			struct train_score s = train_evaluate(t, t->valid, t->valid_bytes, t->valid_target);
			double score = coords ? s.error : s.loss;
			tlog_line(log, "%d\t%.6g\t%.8g\t%.8g\t%.6g\t%.2f", t->epoch, rate, loss, s.loss, s.error, log_seconds() - start);
			progress_line(&p, "epoch %d: train loss %.5g, valid loss %.5g, %s %.4g", t->epoch, loss, s.loss, metric, s.error);
			if (score < t->best)
				keep_best(t, score);
		} else {
			tlog_line(log, "%d\t%.6g\t%.8g\t%.2f", t->epoch, rate, loss, log_seconds() - start);
			progress_line(&p, "epoch %d: train loss %.5g", t->epoch, loss);
		}
		/* no oftener than twenty times what it costs, but at the end */
		if (a->checkpoint && (t->epoch == a->epochs || log_seconds() - written >= 20 * cost)) {
			double before = log_seconds();
			checkpoint_write(t);
			written = log_seconds(), cost = written - before;
		}
	}
	progress_end(&p);
	tlog_close(log);
	free(columns);
	if (t->valid && t->epoch && !t->best_epoch)
		die("the validation loss was no number in any epoch; a smaller --rate may help");
	take_weights(t);
}
