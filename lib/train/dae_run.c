/* Training of a stack of autoencoders, layer by layer; trained layers' w, b, c are kept on the host. */
#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/base/err.h"
#include "lib/base/num.h"
#include "lib/base/opt.h"
#include "lib/stream/dataset_stream.h"
#include "lib/stream/history.h"
#include "lib/train/dae_run.h"
#include "lib/train/keep.h"

struct stack {
	const struct dae_run *r;
	int size[DAE_RUN_LAYERS + 1]; /* inputs, then hidden units */
	real *block[DAE_RUN_LAYERS];  /* w (H, V), b (H), c (V) */
	int layer, epoch;	      /* the layer being trained, its epochs done */
};

static size_t block_size(const struct stack *s, int i)
{
	size_t V = (size_t)s->size[i], H = (size_t)s->size[i + 1];
	return V * H + H + V;
}

/* The net of the first n layers: encoders in order, then decoders in reverse; to be freed. size: inputs, then hidden units. */
static char *net_text(const int *size, int n)
{
	char *text = xstrdup(""), *old;
	for (int i = 0; i < 2 * n; i++) {
		text = xprintf("%s%sfc%d sigmoid", old = text, i ? " " : "", i < n ? size[i + 1] : size[2 * n - 1 - i]);
		free(old);
	}
	return text;
}

char *dae_run_net(const struct dae_run *r)
{
	int size[DAE_RUN_LAYERS + 1] = {r->data->W * r->data->H};
	memcpy(size + 1, r->hidden, (size_t)r->layers * sizeof *size);
	return net_text(size, r->layers);
}

/* The model of the first n layers. */
static struct model *unroll(const struct stack *s, int n)
{
	char *text = net_text(s->size, n);
	struct model *m = model_new(text, TARGET_IMAGE, s->r->data->W, s->r->data->H, s->size[0], "");
	free(text);
	for (int i = 0; i < n; i++) {
		size_t V = (size_t)s->size[i], H = (size_t)s->size[i + 1];
		const real *w = s->block[i], *b = w + V * H, *c = b + H;
		const struct layer *in = &m->d.layer[2 * i], *out = &m->d.layer[2 * (2 * n - 1 - i)];
		memcpy(m->param + in->w, w, V * H * sizeof *w);
		memcpy(m->param + in->b, b, H * sizeof *b);
		for (size_t v = 0; v < V; v++)
			for (size_t h = 0; h < H; h++)
				m->param[out->w + v * H + h] = w[h * V + v];
		memcpy(m->param + out->b, c, V * sizeof *c);
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

static char *key_of(const struct dae_run *r)
{
	return xprintf("%s < %08x", opt_line_without((const char *const[]){"epochs", NULL}), r->data->head->fingerprint);
}

static void write_checkpoint(const struct stack *s)
{
	struct tns_writer *w = tns_create(s->r->checkpoint);
	char text[64], *key = key_of(s->r);
	int id[DAE_RUN_LAYERS];
	tns_put_meta(w, "opt/key", key);
	snprintf(text, sizeof text, "%d", s->layer);
	tns_put_meta(w, "opt/layer", text);
	snprintf(text, sizeof text, "%d", s->epoch);
	tns_put_meta(w, "opt/epoch", text);
	snprintf(text, sizeof text, "%d", s->r->a->epochs);
	tns_put_meta(w, "opt/planned", text);
	if (s->layer == s->r->layers - 1 && s->epoch == s->r->a->epochs)
		tns_put_meta(w, "opt/done", "1");
	for (int i = 0; i <= s->layer; i++) {
		uint64_t dim = block_size(s, i);
		snprintf(text, sizeof text, "opt/block/%d", i);
		id[i] = tns_define(w, text, TNS_F32, 1, &dim);
	}
	for (int i = 0; i <= s->layer; i++)
		tns_write(w, id[i], s->block[i], block_size(s, i));
	history_put(w, NULL, 0, NULL);
	tns_close(w);
	free(key);
}

static int counter(const struct tns *t, const char *key, int max)
{
	int64_t v;
	const char *s = tns_meta_value(t, key);
	if (!s || !num_int(s, &v) || v < 0 || v > max)
		die("%s: META %s is missing or no number up to %d", t->name, key, max);
	return (int)v;
}

static int read_checkpoint(struct stack *s)
{
	const struct dae_run *r = s->r;
	if (!r->checkpoint || !r->resume || access(r->checkpoint, F_OK))
		return 0;
	struct tns_table *b = tns_load(r->checkpoint);
	const struct tns *t = tns_table_head(b);
	char *key = key_of(r), name[64];
	const char *was = tns_meta_value(t, "opt/key");
	if (!was)
		die("%s: is no checkpoint (it has no META opt/key)", t->name);
	if (strcmp(was, key))
		die("%s: is a checkpoint of other options or data: %s", t->name, opt_line_difference(was, key));
	s->layer = counter(t, "opt/layer", r->layers - 1);
	s->epoch = counter(t, "opt/epoch", INT_MAX);
	int planned = counter(t, "opt/planned", INT_MAX);
	if (s->epoch > r->a->epochs)
		die("%s: has %d epochs already, more than --epochs %d", t->name, s->epoch, r->a->epochs);
	if (s->layer && planned != r->a->epochs)
		die("%s: the layers below have %d epochs, so this one can't have %d", t->name, planned, r->a->epochs);
	for (int i = 0; i <= s->layer; i++) {
		snprintf(name, sizeof name, "opt/block/%d", i);
		int id = dataset_stream_require(t, name, TNS_F32, 1);
		if (t->def[id].rows != block_size(s, i))
			die("%s: %s has %llu values, not %zu", t->name, name, (unsigned long long)t->def[id].rows, block_size(s, i));
		tns_copy(b, id, s->block[i]);
	}
	tns_unload(b);
	free(key);
	return 1;
}

/* dir/NAME.tns -> dir/NAME-EPOCH.tns */
static char *snapshot_name(const char *output, int epoch)
{
	size_t n = strlen(output);
	int suffix = n > 4 && !strcmp(output + n - 4, ".tns");
	return xprintf("%.*s-%d%s", (int)(n - (suffix ? 4 : 0)), output, epoch, suffix ? ".tns" : "");
}

static void snapshot(const struct stack *s)
{
	const struct dae_run *r = s->r;
	for (int i = 0; i < r->snapshots && s->layer == r->layers - 1; i++)
		if (r->snapshot[i] == s->epoch) {
			char *path = snapshot_name(r->output, s->epoch), more[32];
			snprintf(more, sizeof more, "epoch %d", s->epoch);
			save(s, r->layers, path, more);
			free(path);
			return;
		}
}

static int is_snapshot(const struct dae_run *r, int epoch)
{
	for (int i = 0; i < r->snapshots; i++)
		if (r->snapshot[i] == epoch)
			return 1;
	return 0;
}

/* Trains one layer to the end, on bytes or codes (device), with snapshots and checkpoints. */
static void train_layer(struct stack *s, struct dae *d, const uint8_t *bytes, const real *codes, struct tlog *log, struct progress *p)
{
	const struct dae_run *r = s->r;
	const struct backend *be = r->be;
	size_t size = block_size(s, s->layer) * sizeof(real);
	double start = log_seconds(), written = r->spare ? start : 0, cost = 0;
	while (s->epoch < r->a->epochs) {
		double loss = dae_epoch(d, bytes, codes, s->layer, (uint32_t)++s->epoch, r->a);
		if (!isfinite(loss))
			die("layer %d, epoch %d: the loss is %g; a smaller --rate may help", s->layer + 1, s->epoch, fabs(loss));
		tlog_line(log, "%d\t%d\t%.8g\t%.2f", s->layer * r->a->epochs + s->epoch, s->layer, loss, log_seconds() - start);
		progress_tick(p, (uint64_t)(s->layer * r->a->epochs + s->epoch), (uint64_t)(r->layers * r->a->epochs));
		if (s->epoch % (r->a->epochs / 10 ? r->a->epochs / 10 : 1) == 0 || s->epoch == 1)
			progress_line(p, "layer %d, epoch %d: train loss %.5g", s->layer + 1, s->epoch, loss);
		double wait = 20 * cost > KEEP_SECONDS || !r->spare ? 20 * cost : KEEP_SECONDS;
		int due = r->checkpoint && ((s->epoch == r->a->epochs && !r->spare) || log_seconds() - written >= wait);
		if (due || is_snapshot(r, s->epoch) || s->epoch == r->a->epochs)
			be->download(be, s->block[s->layer], d->param, size);
		snapshot(s);
		if (due) {
			double before = log_seconds();
			write_checkpoint(s);
			written = log_seconds(), cost = written - before;
			keep_written(r->checkpoint, r->layers > 1 ? s->layer + 1 : 0, s->epoch);
		}
	}
}

void dae_run(const struct dae_run *r)
{
	const struct backend *be = r->be;
	const struct dataset *data = r->data;
	struct stack s = {.r = r};
	struct progress p;
	for (int i = 0; i < r->snapshots; i++) {
		char *path = snapshot_name(r->output, r->snapshot[i]);
		opt_writes("snapshot", path);
		free(path);
	}
	size_t pixels = (size_t)data->W * (size_t)data->H;
	s.size[0] = (int)pixels;
	for (int i = 0; i < r->layers; i++) {
		s.size[i + 1] = r->hidden[i];
		s.block[i] = xcalloc(block_size(&s, i), sizeof(real));
	}
	int resumed = read_checkpoint(&s);
	uint8_t *bytes = be->map_host(be, data->image, data->n * pixels);
	real *codes = NULL;
	struct tlog *log = tlog_open(r->log, "epoch\tlayer\ttrain_loss\tseconds", (uint64_t)(s.layer * r->a->epochs + s.epoch));
	progress_begin(&p, "epochs", r->quiet);
	for (int i = 0, from = s.layer; i < r->layers; i++) {
		struct dae *d = dae_new(be, s.size[i], s.size[i + 1], data->n, i, r->a);
		if (resumed && i <= from)
			be->upload(be, d->param, s.block[i], block_size(&s, i) * sizeof(real));
		if (i >= from) {
			s.epoch = i == from ? s.epoch : 0;
			s.layer = i;
			train_layer(&s, d, i ? NULL : bytes, codes, log, &p);
		}
		if (i + 1 < r->layers) {
			real *next = be->alloc(be, (size_t)data->n * (size_t)s.size[i + 1] * sizeof(real));
			dae_encode(d, i ? NULL : bytes, codes, next);
			be->release(be, codes);
			codes = next;
		}
		dae_free(d);
	}
	progress_end(&p);
	tlog_close(log);
	save(&s, r->layers, r->output, NULL);
	be->unmap_host(be, bytes), be->release(be, codes);
	for (int i = 0; i < r->layers; i++)
		free(s.block[i]);
}
