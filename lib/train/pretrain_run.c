/* Training of a stack, layer by layer; trained layers' w, b, c are kept on the host. */
#include "lib/train/pretrain_run.h"

#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/base/err.h"
#include "lib/base/log.h"
#include "lib/base/num.h"
#include "lib/base/opt.h"
#include "lib/stream/dataset_stream.h"
#include "lib/stream/history.h"
#include "lib/train/baseline.h"
#include "lib/train/filters.h"
#include "lib/train/keep.h"
#include "lib/train/pretrain_input.h"
#include "lib/train/shards.h"
#include "lib/train/snapshots.h"
#include "lib/train/train.h"

struct stack {
	const struct pretrain_run *r;
	int size[PRETRAIN_LAYERS + 1]; /* inputs, then hidden units */
	real *block[PRETRAIN_LAYERS];  /* w (H, V), b (H), c (V); of the layer being trained all of its state */
	int layer, epoch;	       /* the layer being trained, its epochs done */
	float mul, add;		       /* the first layer's scale of bytes */
	int linear;		       /* 1: the net ends without a sigmoid: the first layer's visible units are Gaussian */
	struct rows *sample, *valid;   /* rows that are measured, as the layer being trained takes them; NULL: none */
	char *ranks;		       /* shards_made_by */
	char *unlearned;	       /* what is to be told of the first layer that learned nothing, or NULL */
};

static size_t block_size(const struct stack *s, int i)
{
	size_t V = (size_t)s->size[i], H = (size_t)s->size[i + 1];
	return V * H + H + V;
}

/* The net of the first n layers: encoders in order, then decoders in reverse; to be freed. size: inputs, then hidden units. */
static char *net_text(const int *size, int n, int linear)
{
	char *text = xstrdup(""), *old;
	for (int i = 0; i < 2 * n; i++) {
		text = xprintf("%s%sfc%d%s", old = text, i ? " " : "", i < n ? size[i + 1] : size[2 * n - 1 - i],
			linear && i == 2 * n - 1 ? "" : " sigmoid");
		free(old);
	}
	return text;
}

char *pretrain_run_net(const struct pretrain_run *r)
{
	int size[PRETRAIN_LAYERS + 1] = {r->data->W * r->data->H};
	memcpy(size + 1, r->hidden, (size_t)r->layers * sizeof *size);
	return net_text(size, r->layers, r->a->gaussian);
}

/* The model of the first n layers. A model's input is byte / 255; where the first layer's is not, its weights take up the difference:
 * x = scale byte / 255 + add. Encoders take inputs that are not corrupted (dae.h). */
static struct model *unroll(const struct stack *s, int n)
{
	char *text = net_text(s->size, n, s->linear);
	struct model *m = model_new(text, TARGET_IMAGE, s->r->data->W, s->r->data->H, s->size[0], "");
	free(text), m->ranks = s->ranks ? xstrdup(s->ranks) : NULL;
	for (int i = 0; i < n; i++) {
		size_t V = (size_t)s->size[i], H = (size_t)s->size[i + 1];
		real scale = s->linear && !i ? 255 * s->mul : 1, add = s->linear && !i ? s->add : 0;
		const real *w = s->block[i], *b = w + V * H, *c = b + H, whole = 1 - (real)s->r->a->corruption;
		const struct layer *in = &m->d.layer[2 * i], *out = &m->d.layer[2 * (2 * n - 1 - i)];
		for (size_t h = 0; h < H; h++) {
			double sum = 0;
			for (size_t v = 0; v < V; v++) {
				m->param[in->w + h * V + v] = w[h * V + v] * scale * whole;
				m->param[out->w + v * H + h] = w[h * V + v] / scale;
				sum += (double)w[h * V + v];
			}
			m->param[in->b + h] = add != 0 ? (real)((double)b[h] + sum * (double)add) : b[h];
		}
		for (size_t v = 0; v < V; v++)
			m->param[out->b + v] = (c[v] - add) / scale;
	}
	return m;
}

static void save(const struct stack *s, int n, const char *path, const char *more)
{
	struct model *m = unroll(s, n);
	if (!model_finite(m)) /* an epoch's loss is of the weights before its last step, which may have overflowed */
		die("layer %d, epoch %d: a weight is no number; a smaller --rate may help", s->layer + 1, s->epoch);
	const struct tns *in = s->r->data->head;
	model_save(m, path, &in, 1, more);
	model_free(m);
}

static char *key_of(const struct pretrain_run *r)
{
	return xprintf("%s < %08x", opt_line_without((const char *const[]){"epochs", NULL}), r->data->head->fingerprint);
}

/* states: values of the state of the layer being trained. */
static void write_checkpoint(const struct stack *s, size_t states)
{
	struct tns_writer *w = tns_create(s->r->checkpoint);
	char text[64], *key = key_of(s->r);
	int id[PRETRAIN_LAYERS];
	tns_put_meta(w, "opt/key", key);
	snprintf(text, sizeof text, "%d", s->layer);
	tns_put_meta(w, "opt/layer", text);
	snprintf(text, sizeof text, "%d", s->epoch);
	tns_put_meta(w, "opt/epoch", text);
	snprintf(text, sizeof text, "%d", s->r->a->epochs);
	tns_put_meta(w, "opt/planned", text);
	if (s->ranks)
		tns_put_meta(w, "ranks", s->ranks);
	if (s->unlearned)
		tns_put_meta(w, "opt/unlearned", s->unlearned);
	if (s->layer == s->r->layers - 1 && s->epoch == s->r->a->epochs)
		tns_put_meta(w, "opt/done", "1");
	for (int i = 0; i <= s->layer; i++) {
		uint64_t dim = i < s->layer ? block_size(s, i) : states;
		snprintf(text, sizeof text, "opt/block/%d", i);
		id[i] = tns_define(w, text, TNS_F32, 1, &dim);
	}
	for (int i = 0; i <= s->layer; i++)
		tns_write(w, id[i], s->block[i], i < s->layer ? block_size(s, i) : states);
	history_put(w, NULL, 0, NULL);
	tns_close(w);
	free(key);
}

static int read_checkpoint(struct stack *s)
{
	const struct pretrain_run *r = s->r;
	if (!r->checkpoint || !r->resume || !keep_is_there(r->checkpoint))
		return 0;
	struct tns_table *b = tns_load(r->checkpoint);
	const struct tns *t = tns_table_head(b);
	char *key = key_of(r), name[64];
	const char *was = tns_meta_value(t, "opt/key");
	if (!was)
		die("%s: is no checkpoint (it has no META opt/key)", t->name);
	if (strcmp(was, key))
		die("%s: is a checkpoint of other options or data: %s", t->name, opt_line_difference(was, key));
	s->layer = keep_counter(t, "opt/layer", r->layers - 1);
	s->epoch = keep_counter(t, "opt/epoch", INT_MAX);
	int planned = keep_counter(t, "opt/planned", INT_MAX);
	s->ranks = tns_meta_value(t, "ranks") ? xstrdup(tns_meta_value(t, "ranks")) : NULL;
	s->unlearned = tns_meta_value(t, "opt/unlearned") ? xstrdup(tns_meta_value(t, "opt/unlearned")) : NULL;
	if (s->epoch > r->a->epochs)
		die("%s: has %d epochs already, more than --epochs %d", t->name, s->epoch, r->a->epochs);
	if (s->layer && planned != r->a->epochs)
		die("%s: the layers below have %d epochs, so this one can't have %d", t->name, planned, r->a->epochs);
	for (int i = 0; i <= s->layer; i++) {
		snprintf(name, sizeof name, "opt/block/%d", i);
		int id = dataset_stream_require(t, name, TNS_F32, 1);
		size_t want = i < s->layer ? block_size(s, i) : pretrain_states(r->kind, r->a, s->size[i], s->size[i + 1], r->data->n);
		if (t->def[id].rows != want)
			die("%s: %s has %llu values, not %zu", t->name, name, (unsigned long long)t->def[id].rows, want);
		s->block[i] = xrealloc(s->block[i], want * sizeof(real));
		tns_copy(b, id, s->block[i]);
	}
	tns_unload(b);
	free(key);
	return 1;
}

static void snapshot(const struct stack *s)
{
	if (s->layer < s->r->layers - 1 || !snapshots_has(s->r->snapshot, s->r->snapshots, s->epoch))
		return;
	char *path = snapshots_name(s->r->output, s->epoch), *more = xprintf("epoch %d", s->epoch);
	save(s, s->r->layers, path, more);
	free(path), free(more);
}

/* Of a run that goes on: the snapshot of the checkpoint's epoch. */
static void resume_snapshots(const struct stack *s)
{
	if (s->layer < s->r->layers - 1 || !s->epoch)
		return;
	snapshot(s);
	if (!ranks_rank(s->r->a->ranks))
		snapshots_missed(s->r->output, s->r->snapshot, s->r->snapshots, s->epoch);
}

/* ---- figures */

/* n rows of a data set, evenly spread, as the first layer takes them. */
static struct rows *rows_of(const struct stack *s, const struct dataset *data, uint32_t n)
{
	if (ranks_rank(data->ranks)) /* rank 0 alone measures */
		return NULL;
	size_t V = (size_t)s->size[0];
	struct rows *x = rows_new(n, s->size[0], s->r->output);
	uint8_t *read = xmalloc(V);
	real *row = xcalloc(V, sizeof *row);
	for (uint32_t i = 0; i < n; i++) {
		const uint8_t *image = dataset_image(data, (uint32_t)((uint64_t)i * data->n / n), read);
		for (size_t v = 0; v < V; v++)
			row[v] = (real)image[v] * s->mul + s->add;
		rows_put(x, i, row, 1);
	}
	free(read), free(row);
	return x;
}

static void next_rows(const struct stack *s, struct pretrain_layer *l, struct rows **x)
{
	if (!*x)
		return;
	struct rows *codes = rows_new((*x)->n, l->H, s->r->output);
	pretrain_codes(l, *x, codes);
	rows_free(*x);
	*x = codes;
}

/* The log's columns; to be freed. */
static char *columns(const struct pretrain_run *r)
{
	char *text = xstrdup("epoch\tlayer"), *old;
	for (int valid = 0; valid <= (r->valid != NULL); valid++)
		for (int i = 0; i < PRETRAIN_FIGURES && r->kind->figure[i]; i++) {
			text = xprintf("%s\t%s%s", old = text, valid ? "valid_" : i ? "" : "train_", r->kind->figure[i]);
			free(old);
		}
	text = xprintf("%s\tstructured\tseconds", old = text);
	free(old);
	return text;
}

/* What is measured after an epoch. */
struct figures {
	int n, valid; /* of each set; 1: there is a held-out one */
	double loss, train[PRETRAIN_FIGURES], held_out[PRETRAIN_FIGURES], structured;
};

/* loss: the epoch's, or NULL: it is measured, too. */
static struct figures measure(const struct stack *s, struct pretrain_layer *l, const double *loss)
{
	struct figures f = {.valid = s->valid != NULL, .structured = NAN};
	while (f.n < PRETRAIN_FIGURES && l->kind->figure[f.n])
		f.n++;
	if (!loss || f.n > 1)
		pretrain_measure(l, s->sample, (uint32_t)s->epoch, f.train);
	if (loss)
		f.train[0] = *loss;
	if (f.valid)
		pretrain_measure(l, s->valid, (uint32_t)s->epoch, f.held_out);
	if (!s->layer)
		f.structured = filters_structured(s->block[0], l->H, s->r->data->H, s->r->data->W);
	return f;
}

static void log_figures(const struct stack *s, struct tlog *log, const struct figures *f, double seconds)
{
	char *text = xprintf("%d\t%d", s->layer * s->r->a->epochs + s->epoch, s->layer + 1), *old;
	for (int i = 0; i < (1 + f->valid) * f->n; i++) {
		text = xprintf("%s\t%.8g", old = text, i < f->n ? f->train[i] : f->held_out[i - f->n]);
		free(old);
	}
	tlog_line(log, "%s\t%.4g\t%.2f", text, f->structured, seconds);
	free(text);
}

static void tell(const struct stack *s, struct progress *p, const struct figures *f)
{
	char valid[64] = "", structured[64] = "";
	if (f->valid)
		snprintf(valid, sizeof valid, ", valid loss %.5g", f->held_out[0]);
	if (!s->layer)
		snprintf(structured, sizeof structured, ", %.0f%% of filters structured", 100 * f->structured);
	progress_line(p, "layer %d, epoch %d: train loss %.5g%s%s", s->layer + 1, s->epoch, f->train[0], valid, structured);
}

/* Ends the program, which writes no model; a checkpoint of which only this run knows goes, since nobody goes on from there. */
static NORETURN void give_up(const struct stack *s, const char *why)
{
	if (s->r->spare && s->r->checkpoint)
		unlink(s->r->checkpoint);
	die("layer %d, epoch %d: %s", s->layer + 1, s->epoch, why);
}

/* first: the layer's first epoch's loss that was measured. */
static void check_loss(const struct stack *s, double loss, double first)
{
	if (!isfinite(loss) || loss > TRAIN_EXPLODED * first)
		give_up(s, xprintf("the loss %s %g; a smaller --rate may help", isfinite(loss) ? "has exploded, it is" : "is", fabs(loss)));
}

/* At a layer's end: what it reached beside the mean row, of the held-out set where there is one. Of pixels apart from each other, as the
 * mean row has them, the pseudo-likelihood is minus the cross-entropy; what passes it in that has learned, however it reconstructs. */
static void check_learned(struct stack *s, const struct figures *f)
{
	double base = baseline_row(s->sample, f->valid ? s->valid : s->sample, s->linear && !s->layer);
	const double *figure = f->valid ? f->held_out : f->train;
	double got = figure[0];
	if (got < base || (got < TRAIN_WORSE * base && s->r->kind->likelihood && -figure[f->n - 1] < base))
		return;
	char *why = xprintf(
		"nothing was learned: loss %.4g on the %s set, where the mean %s has %.4g; %sanother --rate, or more --epochs, may help",
		got, f->valid ? "held-out" : "training", s->layer ? "code" : "patch", base,
		got < TRAIN_WORSE * base ? "" : "no model is written: ");
	if (!(got < TRAIN_WORSE * base))
		give_up(s, why);
	if (!s->unlearned)
		s->unlearned = xprintf("layer %d: %s", s->layer + 1, why);
	free(why);
}

/* Trains one layer to the end, with snapshots and checkpoints. */
static void train_layer(struct stack *s, struct pretrain_layer *l, struct tlog *log, struct progress *p)
{
	const struct pretrain_run *r = s->r;
	const struct backend *be = r->be;
	int last = r->a->epochs, tenth = last / 10 ? last / 10 : 1;
	double start = log_seconds(), first = INFINITY;
	struct keep_clock clock = keep_clock(r->spare);
	char *key = ranks_size(r->a->ranks) > 1 ? key_of(r) : NULL;
	shards_compare_runs(r->a->ranks, be, key, s->epoch, l->param, l->params), free(key);
	struct figures f = {0};
	while (s->epoch < last) {
		double loss = pretrain_epoch(l, (uint32_t)++s->epoch);
		int told = s->epoch % tenth == 0 || s->epoch == 1,
		    logged = s->sample && (r->log || (told && !r->quiet) || s->epoch == last);
		int due = pretrain_share(l, r->checkpoint && keep_due(&clock, r->spare, s->epoch == last));
		if (logged || due || snapshots_has(r->snapshot, r->snapshots, s->epoch))
			be->download(be, s->block[s->layer], l->param, l->states * sizeof(real));
		f = (struct figures){.train[0] = loss};
		if (logged)
			f = measure(s, l, l->kind->losses ? &loss : NULL);
		if (logged || l->kind->losses) {
			check_loss(s, f.train[0], first);
			first = isinf(first) ? f.train[0] : first;
		}
		if (r->log)
			log_figures(s, log, &f, log_seconds() - start);
		progress_tick(p, (uint64_t)(s->layer * last + s->epoch), (uint64_t)(r->layers * last));
		if (told)
			tell(s, p, &f);
		snapshot(s);
		if (due) {
			double before = log_seconds();
			write_checkpoint(s, l->states), ranks_broadcast(r->a->ranks, &due, sizeof due); /* kept only now */
			keep_timed(&clock, before);
			keep_written(r->checkpoint, r->layers > 1 ? s->layer + 1 : 0, s->epoch);
		}
	}
	if (!f.n && s->sample)
		f = measure(s, l, NULL); /* resumed at its end */
	if (f.n)
		check_learned(s, &f);
}

/* The scale of bytes: 0..1, or, of Gaussian units, mean 0 and standard deviation 1 over all pixels. */
static void set_scale(struct stack *s)
{
	const struct dataset *data = s->r->data;
	size_t n = (size_t)data->n * (size_t)s->size[0];
	uint64_t count[256];
	double mean = 0, square = 0;
	s->mul = 1.0f / 255, s->linear = s->r->a->gaussian;
	if (!s->linear)
		return;
	dataset_count_pixels(data, count);
	for (int v = 0; v < 256; v++)
		mean += (double)count[v] * v / (double)n;
	for (int v = 0; v < 256; v++)
		square += (double)count[v] * (v - mean) * (v - mean) / (double)n;
	if (square <= 0)
		die("%s: all pixels are %d: there is nothing to learn", data->head->name, (int)mean);
	s->mul = (float)(1 / sqrt(square)), s->add = (float)(-mean / sqrt(square));
}

void pretrain_run(const struct pretrain_run *r)
{
	const struct backend *be = r->be;
	const struct dataset *data = r->data;
	struct stack s = {.r = r};
	struct progress p;
	snapshots_promise(r->output, r->snapshot, r->snapshots);
	s.size[0] = data->W * data->H;
	for (int i = 0; i < r->layers; i++) {
		s.size[i + 1] = r->hidden[i];
		s.block[i] = xcalloc(pretrain_states(r->kind, r->a, s.size[i], s.size[i + 1], data->n), sizeof(real));
	}
	set_scale(&s);
	int resumed = read_checkpoint(&s);
	shards_made_by(r->a->ranks, &s.ranks, resumed);
	if (resumed)
		resume_snapshots(&s);
	s.sample = rows_of(&s, data, data->n < PRETRAIN_SAMPLE ? data->n : PRETRAIN_SAMPLE);
	s.valid = r->valid ? rows_of(&s, r->valid, r->valid->n) : NULL;
	struct pretrain_input *in = pretrain_input_new(be, data, (uint32_t)r->a->batch < data->n ? r->a->batch : (int)data->n, r->output);
	char *names = columns(r);
	struct tlog *log = tlog_open(r->log, names, (uint64_t)(s.layer * r->a->epochs + s.epoch));
	progress_begin(&p, "epochs", r->quiet);
	for (int i = 0, from = s.layer; i < r->layers; i++) {
		struct pretrain_layer *l = pretrain_new(r->kind, be, s.size[i], s.size[i + 1], data->n, i, r->a);
		pretrain_input_attach(in, l);
		if (!i)
			l->mul = s.mul, l->add = s.add;
		if (resumed && i <= from)
			be->upload(be, l->param, s.block[i], (i < from ? l->params : l->states) * sizeof(real));
		if (i >= from) {
			s.epoch = i == from ? s.epoch : 0;
			s.layer = i;
			train_layer(&s, l, log, &p);
		}
		if (i + 1 < r->layers) {
			pretrain_input_encode(in, l);
			next_rows(&s, l, &s.sample), next_rows(&s, l, &s.valid);
		}
		pretrain_free(l);
	}
	progress_end(&p);
	tlog_close(log);
	save(&s, r->layers, r->output, NULL);
	if (s.unlearned)
		warn("%s", s.unlearned); /* only now: a full disk is told alone */
	pretrain_input_free(in);
	for (int i = 0; i < r->layers; i++)
		free(s.block[i]);
	rows_free(s.sample), rows_free(s.valid), free(s.ranks), free(s.unlearned), free(names);
}
