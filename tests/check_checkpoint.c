/* Checkpoints: every field of a training's state is read as it was written, under each option that keeps state, and a training that goes on
 * from any epoch's checkpoint ends with the bits of one that was never interrupted. Also when robust weights and offsets begin and end.
 * Includes the training loop's source, to have a checkpoint and a look at every epoch. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/err.h"
#include "lib/base/log.h"
#include "lib/base/opt.h"
#include "lib/train/checkpoint.h"
#include "lib/train/train.h"
#include "tests/backend_of_test.h"
#include "tests/prog.h"

static void checkpoint_noted(const struct train_state *s, const char *path, const char *key, int done);
static void end_noted(struct targets *tg, const uint32_t *order, const struct augment *a, double shift[2]);
#define log_seconds() 0.0 /* so that a checkpoint costs nothing and is written after every epoch */
#define checkpoint_write checkpoint_noted
#define targets_end_epoch end_noted
#include "lib/train/keep.c"
#include "lib/train/train.c"
#undef log_seconds
#undef checkpoint_write
#undef targets_end_epoch

enum { W = 12, H = 10, N = 23, V = 9, P = 3, EPOCHS = 6, MOST = 16 };
static const float twice[P] = {1, 2, 0.5f};

/* Options of a training; what is not named is 0. */
static const struct kind {
	const char *name, *net;
	enum target target;
	enum optimizer optimizer;
	enum schedule schedule;
	const char *augment;
	double robust;
	double average, warmup;
	int track, offset, sources, weigh, valid, patience, keep_last, hold; /* hold: resumed for so many epochs more, at the last rate */
} kinds[] = {
	{.name = "plain", .net = "fc5 tanh fc", .target = TARGET_COORDS, .optimizer = OPTIMIZER_SGD, .augment = ""},
	{.name = "best weights, running statistics",
		.net = "conv3x3x3 bn relu fc7 bn tanh fc",
		.target = TARGET_COORDS,
		.augment = "default",
		.valid = 1},
	{.name = "second moments",
		.net = "fc5 dropout0.3 tanh fc",
		.target = TARGET_COORDS,
		.optimizer = OPTIMIZER_ADAM,
		.schedule = SCHEDULE_COSINE,
		.augment = ""},
	{.name = "residuals of robust training",
		.net = "fc5 tanh fc",
		.target = TARGET_COORDS,
		.augment = "flip,shift=1",
		.robust = 0.5,
		.weigh = 1,
		.valid = 1},
	{.name = "residuals for suspects", .net = "fc5 tanh fc", .target = TARGET_COORDS, .augment = "", .track = 1},
	{.name = "the label offset",
		.net = "fc5 tanh fc",
		.target = TARGET_COORDS,
		.augment = "flip,rotate=30,scale=0.2",
		.offset = 1,
		.valid = 1},
	{.name = "heat maps",
		.net = "conv3x3x4s2p1 bn relu conv3x3p1",
		.target = TARGET_HEATMAP,
		.optimizer = OPTIMIZER_ADAM,
		.schedule = SCHEDULE_LINEAR,
		.augment = "flip,rotate=20",
		.robust = 0.5,
		.offset = 1,
		.weigh = 1,
		.valid = 1},
	{.name = "sources of labels", .net = "fc5 tanh fc", .target = TARGET_COORDS, .augment = "flip,rotate=30", .sources = 1, .valid = 1},
	{.name = "one map", .net = "conv3x3x2p1 tanh conv3x3p1", .target = TARGET_MAP, .augment = "flip,shift=1", .valid = 1},
	{.name = "classes", .net = "fc5 relu fc", .target = TARGET_LABEL, .augment = "flip", .valid = 1},
	{.name = "patience", .net = "fc5 tanh fc", .target = TARGET_COORDS, .augment = "", .valid = 1, .patience = 2},
	{.name = "the average of the weights",
		.net = "conv3x3x3 bn relu fc7 bn tanh fc",
		.target = TARGET_COORDS,
		.augment = "flip=alternate,shift=1",
		.average = 0.7,
		.valid = 1},
	{.name = "the average without a validation set", .net = "fc5 tanh fc", .target = TARGET_COORDS, .augment = "", .average = 0.4},
	{.name = "the last epoch's weights",
		.net = "conv3x3x3 bn relu fc",
		.target = TARGET_COORDS,
		.augment = "flip,rotate=30,scale=0.2",
		.average = 0.5,
		.offset = 1,
		.valid = 1,
		.keep_last = 1},
	{.name = "warm-up",
		.net = "fc5 tanh fc",
		.target = TARGET_COORDS,
		.optimizer = OPTIMIZER_ADAM,
		.schedule = SCHEDULE_LINEAR,
		.augment = "",
		.warmup = 2.3},
	{.name = "more epochs",
		.net = "fc5 tanh fc",
		.target = TARGET_COORDS,
		.schedule = SCHEDULE_COSINE,
		.augment = "flip",
		.robust = 0.5,
		.hold = 3},
};
enum { KINDS = sizeof kinds / sizeof *kinds };

static struct backend *be;
static struct dataset *train_set, *valid_set;
static const struct kind *kind;
static struct {							    /* what the hooks saw */
	int resumed, checked, asymmetric, off, lowered[MOST], last; /* resumed: nothing is to be written */
	double shift[MOST][2], offset[MOST][2];
} seen;

static float unit(uint32_t what, uint32_t i)
{
	return philox_uniform(philox(31, PHILOX_TEST, what, i, 0).v[0]);
}

static struct dataset *rows(uint32_t n, uint32_t what)
{
	struct dataset *ds = xcalloc(1, sizeof *ds);
	int points = kind->target != TARGET_LABEL;
	*ds = (struct dataset){
		.n = n, .W = W, .H = H, .k = points ? 2 * P : 1, .names = xstrdup(points ? "left_eye,nose,right_eye" : "a,b,c")};
	ds->values = points ? 2 * P : 3;
	uint8_t *image = xcalloc(n, W * H);
	ds->images = image_store_memory(image, n, W * H), ds->value = xcalloc(n * (size_t)ds->k, sizeof *ds->value);
	for (uint32_t i = 0; i < n * W * H; i++)
		image[i] = (uint8_t)(256 * unit(what, i));
	for (uint32_t i = 0; i < n * (uint32_t)ds->k; i++)
		ds->value[i] = !points			       ? (float)(i % 3)
			       : i % 13 == 5 && !kind->sources ? NAN
							       : (i % 2 ? H : W) * (0.3f + 0.3f * unit(what + 1, i));
	for (uint32_t i = 0; points && i < n; i += 6) /* some labels are far off */
		ds->value[i * 2 * P] = -25, ds->value[i * 2 * P + 1] = H + 25;
	ds->from = kind->sources ? xcalloc(n, sizeof *ds->from) : NULL;
	for (uint32_t i = 0; ds->from && i < n; i++) /* and the nose's, of one source */
		ds->from[i] = i % 2, ds->value[i * 2 * P + 2] += (float)(8 * (i % 2));
	return ds;
}

static void set_up(void)
{
	be = backend_here();
}

static void tear_down(void)
{
	be->close(be);
}

static struct model *model_here(void)
{
	struct model *m = model_new(kind->net, kind->target, W, H, train_set->values, train_set->names);
	targets_prior(m, train_set);
	m->sources = kind->sources ? sources_new("one,other", P) : NULL;
	netdesc_init_params(&m->d, 3, m->param, m->stat);
	return m;
}

static struct train_options options_here(int epochs, const char *checkpoint)
{
	struct train_options a = {.epochs = epochs,
		.batch = 5,
		.patience = kind->patience,
		.learning_rate = kind->patience ? 0.6 : 0.02,
		.momentum = 0.9,
		.average = kind->average,
		.warmup = kind->warmup,
		.keep_last = kind->keep_last,
		.optimizer = kind->optimizer,
		.schedule = kind->schedule,
		.seed = 7,
		.checkpoint = checkpoint,
		.resume = 1,
		.extend = kind->hold ? EXTEND_HOLD : EXTEND_NOT,
		.log = "log.tsv",
		.key = "a key",
		.quiet = 1};
	spec_augment(kind->augment, &a.augment);
	a.targets = (struct targets_options){.sigma = 2,
		.sigma_last = 0.8,
		.entropy = 1,
		.robust = kind->robust,
		.track_residuals = kind->track,
		.offset = kind->offset,
		.weight = kind->weigh ? (float *)(uintptr_t)twice : NULL};
	return a;
}

/* ---- every field ---- */

static real *fetched(const real *device, size_t n)
{
	real *p = xcalloc(n + 1, sizeof *p);
	be->download(be, p, device, n * sizeof *p);
	return p;
}

static void alike(const void *a, const void *b, size_t bytes, const char *what)
{
	ck_assert_msg(!memcmp(a, b, bytes), "%s: %s is not what it was", kind->name, what);
}

static void alike_device(const real *a, const real *b, size_t n, const char *what)
{
	ck_assert_msg(!a == !b, "%s: %s", kind->name, what);
	if (!a)
		return;
	real *x = fetched(a, n), *y = fetched(b, n);
	alike(x, y, n * sizeof *x, what);
	free(x), free(y);
}

static real *file_of(FILE *f, size_t n)
{
	real *p = xcalloc(n + 1, sizeof *p);
	rewind(f);
	ck_assert_uint_eq(fread(p, sizeof *p, n, f), n);
	return p;
}

/* A field more needs a line in states_alike, and one in spoil. */
struct fields {
	void *pointers[10];
	int counters[4];
	double numbers[4];
	FILE *file;
};
_Static_assert(sizeof(struct fields) == sizeof(struct train_state), "train_state has other fields than states_alike compares");

static void alike_points(const double *a, const double *b, const char *what)
{
	ck_assert_msg(!a == !b, "%s: %s", kind->name, what);
	if (a)
		alike(a, b, 2 * P * sizeof *a, what);
}

static void states_alike(const struct train_state *a, const struct train_state *b)
{
	const struct netdesc *d = &a->m->d;
	alike_device(a->net->param, b->net->param, d->nparam, "parameters");
	alike_device(a->net->stat, b->net->stat, d->nstat, "running statistics");
	alike_device(a->moment1, b->moment1, d->nparam, "first moments");
	alike_device(a->moment2, b->moment2, d->nparam, "second moments");
	alike_device(a->average, b->average, d->nparam, "average");
	alike_device(a->average_stat, b->average_stat, d->nstat, "average of the running statistics");
	const float *x[] = {&a->m->sx, &a->m->ox, &a->m->sy, &a->m->oy}, *y[] = {&b->m->sx, &b->m->ox, &b->m->sy, &b->m->oy};
	for (int i = 0; i < 4; i++)
		alike(x[i], y[i], sizeof(float), "the model's scale");
	if (a->m->points)
		alike(a->m->offset, b->m->offset, sizeof a->m->offset, "the model's offset");
	ck_assert_msg(a->epoch == b->epoch && a->step == b->step, "%s: epoch or step", kind->name);
	ck_assert_msg(a->planned == b->planned, "%s: planned epochs: %d, not %d", kind->name, b->planned, a->planned);
	ck_assert_msg(a->best_epoch == b->best_epoch, "%s: best epoch", kind->name);
	alike(&a->best, &b->best, sizeof a->best, "the best score");
	alike(&a->first_loss, &b->first_loss, sizeof a->first_loss, "the first loss");
	alike(a->offset, b->offset, sizeof a->offset, "the best epoch's offset");
	alike_points(a->asymmetry, b->asymmetry, "the best epoch's asymmetry");
	alike_points(a->m->asymmetry, b->m->asymmetry, "the model's asymmetry");
	seen.asymmetric += a->asymmetry && a->m->asymmetry;
	const struct sources *s[][2] = {{a->sources, b->sources}, {a->m->sources, b->m->sources}};
	for (int k = 0; k < 2; k++) {
		ck_assert_msg(!s[k][0] == !(kind->sources && (k || kind->valid)) && !s[k][0] == !s[k][1], "%s: sources", kind->name);
		if (!s[k][0])
			continue;
		ck_assert_str_eq(s[k][0]->names, s[k][1]->names);
		alike(s[k][0]->offset, s[k][1]->offset, 4 * P * sizeof(double), k ? "the sources' offsets" : "the best epoch's");
		seen.off += fabs(s[k][0]->offset[2]) > 1;
	}
	ck_assert(!a->best_file == !b->best_file);
	if (a->best_epoch && a->best_file) {
		real *p = file_of(a->best_file, d->nparam + d->nstat), *q = file_of(b->best_file, d->nparam + d->nstat);
		alike(p, q, (d->nparam + d->nstat) * sizeof *p, "the best weights");
		free(p), free(q);
	}
	ck_assert(!a->targets->residual == !b->targets->residual);
	if (a->targets->residual)
		alike(a->targets->residual, b->targets->residual, train_set->n * P * sizeof(float), "the mean residuals");
}

/* Other contents of every field, so that one that is not read is seen. */
static void spoil(struct train_state *s)
{
	const struct netdesc *d = &s->m->d;
	size_t n = d->nparam + d->nstat;
	real *other = xcalloc(n, sizeof *other);
	for (size_t i = 0; i < n; i++)
		other[i] = 77;
	net_upload(s->net, other, other);
	be->upload(be, s->moment1, other, d->nparam * sizeof *other);
	if (s->moment2)
		be->upload(be, s->moment2, other, d->nparam * sizeof *other);
	if (s->average)
		be->upload(be, s->average, other, d->nparam * sizeof *other),
			be->upload(be, s->average_stat, other, d->nstat * sizeof *other);
	if (s->m->points)
		model_set_offset(s->m, 3, 4);
	s->epoch = s->step = s->planned = s->best_epoch = 99;
	model_set_asymmetry(s->m, (double[2 * P]){3, 4, 5});
	for (int k = 0; s->m->sources && k < 4 * P; k++)
		s->m->sources->offset[k] = 7;
	s->best = s->first_loss = s->offset[0] = s->offset[1] = -9;
	if (s->best_file)
		ck_assert_uint_eq(fwrite(other, sizeof *other, n, s->best_file), n);
	for (size_t i = 0; s->targets->residual && i < train_set->n * P; i++)
		s->targets->residual[i] = 5;
	free(other);
}

/* Writes a checkpoint, gives it a second name NUMBER.c.tns, and reads it into a fresh training. */
static void checkpoint_noted(const struct train_state *s, const char *path, const char *key, int done)
{
	char name[32];
	seen.last = s->epoch;
	if (seen.resumed)
		return;
	checkpoint_write(s, path, key, done);
	snprintf(name, sizeof name, "%d.c.tns", s->epoch);
	unlink(name);
	ck_assert(!link(path, name));
	struct train_options a = options_here(s->planned, NULL);
	struct model *m = model_here();
	struct train *t = train_new(be, m, train_set, valid_set, &a);
	spoil(&t->s);
	ck_assert_int_eq(checkpoint_read(&t->s, path, key), 1);
	states_alike(s, &t->s);
	train_free(t), model_free(m);
	seen.checked++;
}

static void end_noted(struct targets *tg, const uint32_t *order, const struct augment *a, double shift[2])
{
	static int now;
	real *w = tg->weight ? fetched(tg->weight, (size_t)tg->ds->n * 2 * P) : NULL;
	now = seen.last < MOST - 1 ? seen.last + 1 : now; /* the epoch: checkpoints follow each */
	seen.lowered[now] = 0;
	for (size_t i = 0; w && i < (size_t)tg->ds->n * 2 * P; i++)
		seen.lowered[now] += w[i] < (real)(tg->a->weight ? tg->a->weight[i % (2 * P) / 2] : 1);
	memcpy(seen.offset[now], tg->m->offset, sizeof seen.offset[now]);
	targets_end_epoch(tg, order, a, shift);
	memcpy(seen.shift[now], shift, sizeof seen.shift[now]);
	free(w);
}

/* ---- resumed runs ---- */

struct result {
	struct model *m;
	int epoch, step, best_epoch;
	double best, last;
	float residual[N * P];
	char log[4096];
};

static struct result run(int epochs, const char *checkpoint)
{
	struct train_options a = options_here(epochs, checkpoint);
	struct result r = {.m = model_here()};
	struct train *t = train_new(be, r.m, train_set, valid_set, &a);
	ck_assert_int_eq(train_run(t), 0);
	r.epoch = t->s.epoch, r.step = t->s.step, r.best_epoch = t->s.best_epoch, r.best = t->s.best, r.last = t->last;
	if (t->s.targets->residual)
		memcpy(r.residual, t->s.targets->residual, sizeof r.residual);
	train_free(t);
	FILE *f = fopen("log.tsv", "r");
	ck_assert(f && fread(r.log, 1, sizeof r.log - 1, f) > 0);
	fclose(f);
	return r;
}

static void results_alike(const struct result *a, const struct result *b, int from)
{
	const struct netdesc *d = &a->m->d;
	char what[64];
	snprintf(what, sizeof what, "from epoch %d on, a", from);
	alike(a->m->param, b->m->param, d->nparam * sizeof(real), strcat(what, " parameter"));
	alike(a->m->stat, b->m->stat, d->nstat * sizeof(real), "a running statistic");
	alike(a->m->offset, b->m->offset, sizeof a->m->offset, "the offset");
	alike(&a->m->ox, &b->m->ox, sizeof a->m->ox, "the scale");
	alike(&a->m->rmse, &b->m->rmse, sizeof a->m->rmse, "the error");
	alike(&a->best, &b->best, sizeof a->best, "the best score");
	alike(&a->last, &b->last, sizeof a->last, "the last score");
	ck_assert(a->epoch == b->epoch && a->step == b->step && a->best_epoch == b->best_epoch);
	alike(a->residual, b->residual, sizeof a->residual, "a residual");
	ck_assert_msg(!strcmp(a->log, b->log), "%s: the logs: %s and %s", kind->name, a->log, b->log);
}

static void begin(int i)
{
	kind = &kinds[i];
	train_set = rows(N, 1), valid_set = kind->valid ? rows(V, 20) : NULL;
	memset(&seen, 0, sizeof seen);
	unlink("c.tns");
}

START_TEST(resumed)
{
	begin(_i);
	int epochs = EPOCHS + kind->hold, first = kind->hold ? EPOCHS : 1;
	if (kind->hold) {
		struct result half = run(EPOCHS, "c.tns");
		model_free(half.m);
	}
	struct result whole = run(epochs, "c.tns");
	ck_assert_int_eq(seen.checked, whole.epoch);
	ck_assert_msg(!seen.asymmetric == !kind->offset, "%s: asymmetry of %d states", kind->name, seen.asymmetric);
	ck_assert_msg(!seen.off == !kind->sources, "%s: offsets of %d states", kind->name, seen.off);
	ck_assert_msg(kind->patience ? whole.epoch < EPOCHS : whole.epoch == epochs, "%s: %d epochs", kind->name, whole.epoch);
	ck_assert(!kind->valid || whole.best_epoch > 0);
	ck_assert_int_eq(whole.step, whole.epoch * ((N + 4) / 5)); /* steps of 5 rows */
	if (kind->robust > 0)
		ck_assert_msg(seen.lowered[EPOCHS] > 0, "%s: no weight was lowered", kind->name);
	if (kind->offset)
		ck_assert_msg(whole.m->offset[0] != 0 && whole.m->offset[1] != 0, "%s: no offset", kind->name);
	seen.resumed = 1;
	for (int e = first; e <= whole.epoch; e++) {
		char name[32];
		snprintf(name, sizeof name, "%d.c.tns", e);
		struct result part = run(epochs, name);
		results_alike(&whole, &part, e);
		model_free(part.m);
	}
	model_free(whole.m), dataset_free(train_set), dataset_free(valid_set);
}
END_TEST

/* Before the first epoch there is no best score: its infinity is kept too. */
START_TEST(at_the_start)
{
	begin(1);
	struct train_options a = options_here(EPOCHS, NULL);
	struct model *m = model_here();
	struct train *t = train_new(be, m, train_set, valid_set, &a);
	net_upload(t->s.net, m->param, m->stat);
	t->s.planned = EPOCHS;
	ck_assert(isinf(t->s.best));
	checkpoint_noted(&t->s, "c.tns", "a key", 0);
	train_free(t), model_free(m), dataset_free(train_set), dataset_free(valid_set);
}
END_TEST

START_TEST(no_file)
{
	begin(0);
	struct train_options a = options_here(EPOCHS, NULL);
	struct model *m = model_here();
	struct train *t = train_new(be, m, train_set, valid_set, &a);
	ck_assert_int_eq(checkpoint_read(&t->s, "nosuch.tns", "a key"), 0);
	train_free(t), model_free(m), dataset_free(train_set), dataset_free(valid_set);
}
END_TEST

/* ---- phases ---- */

/* Weights are lowered after a third of the epochs, from the second on, when residuals are known; nothing moves, as the rate is 0. */
START_TEST(trust_begins)
{
	begin(3);
	for (int planned = 1; planned < 11; planned++) {
		struct train_options a = options_here(planned, "c.tns");
		struct model *m = model_here();
		a.learning_rate = 0, a.resume = 0, seen.last = 0, seen.resumed = 1;
		struct train *t = train_new(be, m, train_set, NULL, &a);
		train_run(t);
		for (int e = 1; e <= planned; e++)
			ck_assert_msg((seen.lowered[e] > 0) == (3 * e > planned && e > 1), "epoch %d of %d: %d weights are lowered", e,
				planned, seen.lowered[e]);
		train_free(t), model_free(m);
	}
	dataset_free(train_set), dataset_free(valid_set);
}
END_TEST

/* Half of an epoch's shift is added to the offset in the first half of the epochs, none later. */
START_TEST(offset_ends)
{
	begin(5);
	for (int planned = 1; planned < 8; planned++) {
		struct train_options a = options_here(planned, "c.tns");
		struct model *m = model_here();
		double want[2] = {0, 0};
		a.resume = 0, seen.last = 0, seen.resumed = 1;
		struct train *t = train_new(be, m, train_set, NULL, &a);
		train_run(t);
		for (int e = 1; e <= planned; e++)
			for (int k = 0; k < 2; k++) {
				ck_assert_double_eq(seen.offset[e][k], want[k]);
				ck_assert(seen.shift[e][k] != 0);
				want[k] += e <= planned / 2 ? seen.shift[e][k] / 2 : 0;
			}
		for (int k = 0; k < 2; k++)
			ck_assert_double_eq(m->offset[k], want[k]);
		train_free(t), model_free(m);
	}
	dataset_free(train_set), dataset_free(valid_set);
}
END_TEST

/* Two epochs at rate 0 of a net that says the middle of the image for every point: a label's residual is its distance from there, mirrored
 * or not, and its weight in the second epoch the threshold by that residual, squared, in both coordinates. */
START_TEST(weights_of_an_epoch)
{
	enum { S = N * P };
	begin(3);
	struct train_options a = options_here(2, NULL);
	struct model *m = model_here();
	double residual[S], known[S], threshold = 0.5;
	int n = 0, lowered = 0, mirrored = 0;
	static const int partner[P] = {2, 1, 0};
	memset(m->param, 0, m->d.nparam * sizeof *m->param);
	spec_augment("flip", &a.augment);
	a.augment.shift = 0, a.learning_rate = 0;
	for (int i = 0; i < S; i++) {
		residual[i] = hypot((double)train_set->value[2 * i] - (W - 1) / 2.0, (double)train_set->value[2 * i + 1] - (H - 1) / 2.0);
		if (isnan(residual[i]))
			continue;
		int at = n++;
		for (; at > 0 && known[at - 1] > residual[i]; at--)
			known[at] = known[at - 1];
		known[at] = residual[i];
	}
	ck_assert(n > S / 2);
	threshold = fmax(threshold, 3 * known[n / 2]);
	struct train *t = train_new(be, m, train_set, NULL, &a);
	train_run(t);
	real *w = fetched(t->s.targets->weight, S * 2);
	a.augment.seed = a.seed, a.augment.epoch = 2;
	for (uint32_t i = 0; i < N; i++)
		for (int p = 0; p < P; p++) {
			int flipped = philox(a.seed, PHILOX_AUGMENT, 2, i, 0).v[0] & 1;
			double d = residual[i * P + (uint32_t)(flipped ? partner[p] : p)], want = (double)twice[p];
			mirrored += flipped && p != partner[p];
			if (d > threshold)
				want *= threshold / d * (threshold / d), lowered++;
			for (uint32_t k = 0; k < 2; k++) {
				double got = (double)w[i * 2 * P + 2 * (uint32_t)p + k];
				ck_assert_msg(
					fabs(got - want) < 1e-5 * want, "row %u, point %d, coordinate %u: %g, not %g", i, p, k, got, want);
			}
		}
	ck_assert_msg(lowered > 0 && mirrored > 0, "%d lowered, %d mirrored", lowered, mirrored);
	free(w), train_free(t), model_free(m), dataset_free(train_set), dataset_free(valid_set);
}
END_TEST

/* ---- what is no checkpoint of this training ---- */

static void read_bad(void *arg)
{
	struct train_options a = options_here(EPOCHS, NULL);
	struct model *m = model_here();
	struct train *t = train_new(be, m, train_set, valid_set, &a);
	(void)arg;
	checkpoint_read(&t->s, "bad.tns", "a key");
}

START_TEST(malformed)
{
	static const struct {
		const char *key, *value, *tensor;
		int drop;
		const char *says;
	} bad[] = {{"opt/key", NULL, NULL, 0, "is no checkpoint (it has no META opt/key)"},
		{"opt/key", "another", NULL, 0, "is a checkpoint of other options or data: it is of another"},
		{"opt/epoch", NULL, NULL, 0,
			"META opt/epoch is missing or no count of at most 2147483647: not a checkpoint of this program"},
		{"opt/epoch", "three", NULL, 0,
			"META opt/epoch is missing or no count of at most 2147483647: not a checkpoint of this program"},
		{"opt/epoch", "inf", NULL, 0,
			"META opt/epoch is missing or no count of at most 2147483647: not a checkpoint of this program"},
		{"opt/epoch", "-1", NULL, 0,
			"META opt/epoch is missing or no count of at most 2147483647: not a checkpoint of this program"},
		{"opt/step", "1.5", NULL, 0,
			"META opt/step is missing or no count of at most 2147483647: not a checkpoint of this program"},
		{"opt/planned", "2147483648", NULL, 0,
			"META opt/planned is missing or no count of at most 2147483647: not a checkpoint of this program"},
		{"opt/best_epoch", "", NULL, 0,
			"META opt/best_epoch is missing or no count of at most 2147483647: not a checkpoint of this program"},
		{"opt/best", NULL, NULL, 0, "META opt/best is missing or no number: not a checkpoint of this program"},
		{"opt/least", NULL, NULL, 0, "META opt/least is missing or no number: not a checkpoint of this program"},
		{"opt/best_offset_y", NULL, NULL, 0, "META opt/best_offset_y is missing or no number: not a checkpoint of this program"},
		{"opt/offset_x", "x", NULL, 0, "META opt/offset_x is missing or no number: not a checkpoint of this program"},
		{"scale", NULL, NULL, 0, "its coordinates are scaled by '', those of this version by '"},
		{"scale", "1 2 3 4", NULL, 0, "its coordinates are scaled by '1 2 3 4', those of this version by '"},
		{NULL, NULL, "opt/distance", 0, "opt/distance is not 23x3"},
		{NULL, NULL, "opt/distance", 1, "is of a run without --suspects and --distrust"},
		{NULL, NULL, "opt/m/0.weight", 1, "there is no tensor opt/m/0.weight"},
		{NULL, NULL, "opt/best/0.bias", 1, "there is no tensor opt/best/0.bias"}};
	begin(3); /* with residuals and a validation set */
	struct result whole = run(2, "c.tns");
	ck_assert(whole.best_epoch > 0);
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		prog_altered("c.tns", "bad.tns", bad[i].key, bad[i].value, bad[i].tensor, bad[i].drop);
		struct child c = child_run(read_bad, NULL);
		ck_assert_msg(strstr(c.err, bad[i].says), "%s", bad[i].says);
		prog_refused(c, 1, "check: bad.tns: ");
	}
	model_free(whole.m), dataset_free(train_set), dataset_free(valid_set);
}
END_TEST

/* An epoch's loss is of the weights before its last step, so a weight may be no number first in the checkpoint: none is written. */
static void write_no_number(void *arg)
{
	struct train_options a = options_here(EPOCHS, NULL);
	struct model *m = model_here();
	struct train *t = train_new(be, m, train_set, valid_set, &a);
	m->param[m->d.nparam - 1] = *(const real *)arg;
	net_upload(t->s.net, m->param, m->stat);
	t->s.epoch = 3;
	checkpoint_write(&t->s, "out", "a key", 0);
}

START_TEST(weight_no_number)
{
	static real none[] = {NAN, INFINITY, -INFINITY};
	begin(0);
	for (int i = 0; i < 3; i++)
		prog_refused(child_run(write_no_number, &none[i]), 1, "check: epoch 3: a weight is no number; a smaller --rate may help");
	dataset_free(train_set);
}
END_TEST

/* Of an autoencoder: two layers on the way, through the program. */
START_TEST(malformed_of_dae)
{
	static const struct {
		const char *key, *value, *tensor;
		int drop;
		const char *says;
	} bad[] = {{"opt/key", NULL, NULL, 0, "is no checkpoint (it has no META opt/key)"},
		{"opt/layer", NULL, NULL, 0, "META opt/layer is missing or no count of at most 1: not a checkpoint of this program"},
		{"opt/layer", "2", NULL, 0, "META opt/layer is missing or no count of at most 1: not a checkpoint of this program"},
		{"opt/epoch", "-1", NULL, 0,
			"META opt/epoch is missing or no count of at most 2147483647: not a checkpoint of this program"},
		{"opt/planned", "x", NULL, 0,
			"META opt/planned is missing or no count of at most 2147483647: not a checkpoint of this program"},
		{NULL, NULL, "opt/block/1", 1, "there is no tensor opt/block/1"},
		{NULL, NULL, "opt/block/0", 0, "opt/block/0 has 148 values, not 149"}}; /* 24 x 5 weights, 5 and 24 biases */
	static uint8_t image[9 * 4 * 6];
	for (int i = 0; i < 9 * 4 * 6; i++)
		image[i] = (uint8_t)(256 * unit(40, (uint32_t)i));
	prog_stream("p.tns", 9, (struct prog_col[]){{"image", TNS_U8, 4, 6, image}, {0}}, NULL);
	prog_went(prog("dae-pretrain", "-q", "-H", "5,3", "-e", "1", "--checkpoint", "d.tns", "-o", "dae.tns", "p.tns", NULL));
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		prog_altered("d.tns", "bad.tns", bad[i].key, bad[i].value, bad[i].tensor, bad[i].drop);
		struct child c = prog(
			"dae-pretrain", "-q", "-H", "5,3", "-e", "1", "--checkpoint", "bad.tns", "--resume", "-o", "out", "p.tns", NULL);
		ck_assert_msg(strstr(c.err, bad[i].says), "%s", bad[i].says);
		prog_refused(c, 1, "dae-pretrain: bad.tns: ");
	}
}
END_TEST

int main(void)
{
	static const struct opt none[] = {OPT_END};
	static const struct opt_prog prog = {"check", "", "", 0, 0, none, {NULL}};
	int n;
	opt_parse(&prog, 1, (char *[]){"check", NULL}, &n); /* checkpoint_write writes the command line to META history */
	prog_begin();
	Suite *s = suite_create("checkpoint");
	TCase *t = tcase_create("checkpoint");
	suite_add_tcase(s, t);
	tcase_add_checked_fixture(t, set_up, tear_down);
	tcase_add_loop_test(t, resumed, 0, KINDS);
	tcase_add_test(t, at_the_start);
	tcase_add_test(t, no_file);
	tcase_add_test(t, trust_begins);
	tcase_add_test(t, offset_ends);
	tcase_add_test(t, weights_of_an_epoch);
	tcase_add_test(t, malformed);
	tcase_add_test(t, weight_no_number);
	tcase_add_test(t, malformed_of_dae);
	return prog_end(s);
}
