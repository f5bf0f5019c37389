/* bench - training steps and forward passes of the nets people train, in samples a second; workload names and output lines are those of
 * the peers' benches (other frameworks), for comparison. */
#include <math.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/base/ascending.h"
#include "lib/base/err.h"
#include "lib/base/log.h"
#include "lib/base/num.h"
#include "lib/base/opt.h"
#include "lib/base/out.h"
#include "lib/nn/backend_open.h"
#include "lib/nn/net.h"
#include "lib/nn/netdesc_text.h"
#include "lib/predict/infer.h"
#include "lib/train/dae.h"
#include "tests/bench_tasks.h"

#define CONV "conv3x3x32 relu pool2 conv2x2x64 relu pool2 conv2x2x128 relu pool2 fc500 relu fc500 relu fc30"
#define HEAT                                                                                                                               \
	"conv3x3x32s2p1 relu conv3x3x32p1 relu conv3x3x64s2p1 relu conv3x3x64p1 relu conv3x3x128s2p1 relu conv3x3x128p1 relu "             \
	"up2 conv3x3x64p1 relu up2 conv3x3x32p1 relu conv1x1x15"
#define MAP "conv5x5x50 pool2 sigmoid fc9216"
#define MLP "fc500 sigmoid fc1"

enum { POINTS = 15, INPUTS = 475, HIDDEN = 500, EPOCH = 8192, WORKLOADS = 64, REPEAT = 20 };

static struct {
	const char *device, *precision;
	int64_t threads;
	double seconds;
	int tasks;
} o = {.device = "cpu", .seconds = 5};

static const struct opt opts[] = {
	{0, "seconds", OPT_REAL, &o.seconds, 0, 86400, "S", "time each workload for S seconds, and for at least 3 steps", 1},
	{0, "tasks", OPT_FLAG, &o.tasks, 0, 0, 0,
		"on one thread: each operation of a step, into how many parallel tasks it divides its work, and what that gives on more "
		"processors",
		1},
	OPT_DEVICE(&o.device),
	OPT_PRECISION(&o.precision),
	OPT_THREADS(&o.threads),
	OPT_END,
};

static const struct opt_prog prog = {
	"bench",
	"print samples a second (median of single steps), GFLOP/s of the arithmetic as written, and peak memory of each WORKLOAD: "
	"sgemm-N (a product of N x N matrices), dae-B (an epoch of 8192 rows, 475-500 with tied weights), mlp-B (" MLP " on 475 inputs), "
	"NET-train-B[@SIZE] (forward, loss, backward, update), infer-NET-B[@SIZE] (forward); B is the batch, SIZE the pixels a side of its "
	"images (96), NET one of: conv (" CONV "), heat (" HEAT "), map (" MAP
	", 975 million weights at 96); FILE.net-B[@SIZE]: the same steps of a net that is described in a file, to maps or positions of 15 "
	"points; MODEL.tns-B: predictions of a model, from bytes to points. Without WORKLOAD: the usual "
	"ones, all but map",
	"[WORKLOAD...]",
	0,
	WORKLOADS,
	opts,
	{
		"bench conv-train-32 infer-heat-1 --seconds 2",
		"bench --threads 1 dae-128 heat-train-8@48 infer-heat-8@192",
		NULL,
	},
};

static char *usual[] = {"sgemm-2048", "dae-1000", "dae-128", "dae-32", "mlp-32", "conv-train-128", "conv-train-32", "heat-train-32",
	"infer-conv-1", "infer-conv-128", "infer-heat-1", "infer-heat-32"};

static const struct kind {
	const char *name, *net; /* net: NULL, or its description */
	int most;		/* largest batch; of sgemm: N */
	int outputs;		/* 0: heat's at that image size */
	enum loss_kind loss;
	int train, sized;
} kinds[] = {
	{.name = "sgemm", .most = 16384},
	{.name = "dae", .most = EPOCH},
	{"mlp", MLP, 65536, 1, LOSS_SIGMOID, 1, 0},
	{"conv-train", CONV, 65536, 30, LOSS_SQUARED, 1, 1},
	{"heat-train", HEAT, 65536, 0, LOSS_SQUARED, 1, 1},
	{"map-train", MAP, 65536, 9216, LOSS_SIGMOID, 1, 1},
	{"infer-conv", CONV, 65536, 30, LOSS_SQUARED, 0, 1},
	{"infer-heat", HEAT, 65536, 0, LOSS_SQUARED, 0, 1},
	{"infer-map", MAP, 65536, 9216, LOSS_SIGMOID, 0, 1},
	{"FILE.net", NULL, 65536, 0, LOSS_SQUARED, 1, 1},
	{.name = "MODEL.tns", .most = INFER_BATCH},
};
enum { KINDS = sizeof kinds / sizeof *kinds };

struct workload {
	const char *name;
	const struct kind *kind;
	char *file; /* a model or a description of a net, or NULL */
	int B, size;
	struct netdesc d; /* where there is a net */
};

/* State of a step; arrays are device memory. */
struct work {
	const struct backend *be;
	struct net *n;
	real *x, *t, *dz, *moment;
	double *loss;
	uint32_t *rows;
	int B, outputs;
	enum loss_kind kind;
	struct pretrain_layer *d;
	struct pretrain_options a;
	uint32_t epoch;
	struct infer *f;
	uint8_t *images;
	float *out;
};

/* Side of heat's output maps: its three strides of 2 round up, its two upsamplings double. */
static int heat_side(int n)
{
	for (int i = 0; i < 3; i++)
		n = (n + 1) / 2;
	return 4 * n;
}

/* The net of a workload, or wrong use where its images are too small. */
static void describe(struct workload *w)
{
	const struct kind *k = w->kind;
	char err[256], spec[4096];
	int side = heat_side(w->size), outputs = k->outputs ? k->outputs : POINTS * side * side;
	struct netdesc_target target = {outputs, outputs};
	struct netdesc_text text = {.text = (char *)k->net};
	if (w->file && k->train) {
		if (snprintf(spec, sizeof spec, "@%s", w->file) >= (int)sizeof spec)
			die_usage("%s: its name is too long", w->name);
		netdesc_text_read(&text, spec), target = (struct netdesc_target){2 * POINTS, POINTS};
	}
	if (text.text && netdesc_parse(&w->d, text.text, 1, k->sized ? w->size : 1, k->sized ? w->size : INPUTS, target, err) < 0)
		die_usage("%s: %s", w->name, err);
	if (text.raw)
		netdesc_text_free(&text);
}

static int ends_with(const char *s, const char *end)
{
	size_t n = strlen(s), m = strlen(end);
	return n > m && !strcmp(s + n - m, end);
}

/* "KIND-BATCH" or "KIND-BATCH@SIZE", or wrong use. */
static void parse(struct workload *w, const char *name)
{
	char *text = xstrdup(name), *at = strchr(text, '@'), *dash;
	int64_t B = 0, size = 96;
	*w = (struct workload){.name = name};
	if (at)
		*at++ = 0;
	if ((dash = strrchr(text, '-')))
		*dash++ = 0;
	for (int i = 0; dash && i < KINDS - 2; i++)
		if (!strcmp(text, kinds[i].name))
			w->kind = &kinds[i];
	for (int i = KINDS - 2; dash && i < KINDS; i++)
		if (ends_with(text, strchr(kinds[i].name, '.')))
			w->kind = &kinds[i], w->file = xstrdup(text);
	if (!w->kind)
		die_usage("%s: no such workload", name);
	if (!num_int(dash, &B) || B < 1 || B > w->kind->most)
		die_usage("%s: '%s' is no whole number from 1 to %d", name, dash, w->kind->most);
	if (at && !w->kind->sized)
		die_usage("%s: has no images, so no size", name);
	if (at && (!num_int(at, &size) || size < 1 || size > 2048))
		die_usage("%s: '%s' is no whole number from 1 to 2048", name, at);
	w->B = (int)B, w->size = (int)size;
	describe(w);
	free(text);
}

/* Waits for the queued operations: a download does. */
static void wait_for(const struct work *w)
{
	real v;
	if (w->x)
		w->be->download(w->be, &v, w->x, sizeof v);
}

/* Three warm-up steps, then the median rate of single steps; on a GPU, of REPEAT steps queued in a row, except for batch 1, which measures
 * latency. */
static void timed(const char *name, void (*step)(struct work *), struct work *w, double samples, double flops)
{
	size_t n = 0, capacity = 1 << 10;
	double *rate = xcalloc(capacity, sizeof *rate);
	struct rusage u;
	int repeat = w->be && !strcmp(w->be->name, "cuda") && w->B > 1 ? REPEAT : 1;
	for (int i = 0; i < 3 * repeat; i++)
		step(w);
	wait_for(w);
	if (o.tasks) {
		tasks_watch((struct backend *)w->be);
		for (double end = log_seconds() + o.seconds; tasks.steps < 3 || log_seconds() < end;) {
			tasks_step_begin();
			step(w);
			tasks_step_end();
		}
		tasks_print();
		return;
	}
	for (double end = log_seconds() + o.seconds; n < 3 || log_seconds() < end;) {
		if (n == capacity)
			rate = xrealloc(rate, (capacity *= 2) * sizeof *rate);
		double t = log_seconds();
		for (int i = 0; i < repeat; i++)
			step(w);
		wait_for(w);
		rate[n++] = repeat * samples / (log_seconds() - t);
	}
	qsort(rate, n, sizeof *rate, ascending_double);
	double r = (rate[(n - 1) / 2] + rate[n / 2]) / 2;
	getrusage(RUSAGE_SELF, &u);
	printf("%-20s %12.1f samples/s %8.1f GFLOP/s %8.0f MiB\n", name, r, r * flops / 1e9, (double)u.ru_maxrss / 1024);
	free(rate);
}

/* n numbers in [low, high), the same SLICE repeated, so that the host needs no array as large as the device's. */
static void fill(const struct backend *be, real *device, size_t n, double low, double high)
{
	enum { SLICE = 65521 }; /* a prime: rows of weights differ */
	real *slice = xcalloc(SLICE, sizeof *slice);
	uint32_t v = 12345;
	for (size_t i = 0; i < SLICE; i++)
		v = v * 1664525 + 1013904223, slice[i] = (real)(low + (high - low) * (v >> 8) / (1 << 24));
	for (size_t at = 0; at < n; at += SLICE)
		be->upload(be, device + at, slice, (n - at < SLICE ? n - at : SLICE) * sizeof *slice);
	free(slice);
}

static real *randoms(const struct backend *be, size_t n)
{
	real *device = be->alloc(be, n * sizeof *device);
	fill(be, device, n, 0, 1);
	return device;
}

/* Weights of variance 1 / inputs, so that activations keep their size from layer to layer; biases 0. */
static void init_weights(struct net *n)
{
	if (n->d->nstat) { /* of batch norm, 1 and 0 at first */
		real *param = xcalloc(n->d->nparam, sizeof *param), *stat = xcalloc(n->d->nstat, sizeof *stat);
		netdesc_init_params(n->d, 1, param, stat);
		net_upload(n, param, stat);
		free(param), free(stat);
		return;
	}
	for (int i = 0; i < n->d->n; i++) {
		const struct layer *l = &n->d->layer[i];
		double range = l->nw ? sqrt(3 * (double)l->OC / (double)l->nw) : 0;
		fill(n->be, n->param + l->w, l->nw, -range, range);
	}
	n->packed_valid = 0;
}

static void gemm_step(struct work *w)
{
	w->be->dense(w->be, w->dz, w->x, w->t, NULL, ACT_NONE, 1, w->B, w->B, w->B);
}

static void dae_step(struct work *w)
{
	pretrain_epoch(w->d, ++w->epoch);
}

static void infer_step(struct work *w)
{
	net_forward(w->n, w->x, w->B, &(struct net_pass){0});
}

static void train_step(struct work *w)
{
	struct net_pass pass = {.train = 1, .rows = w->rows};
	struct net_step step = {{.kind = OPTIMIZER_SGD, .learning_rate = (real)0.01, .momentum = (real)0.9}, w->moment, NULL};
	real *z = net_forward(w->n, w->x, w->B, &pass);
	w->be->loss(w->be, &(struct loss){.kind = w->kind, .mul = 1 / ((real)w->B * (real)w->outputs)}, w->loss, w->dz, z, w->t, NULL, w->B,
		w->outputs);
	net_backward(w->n, w->x, w->dz, w->B, &pass, &step);
}

static void time_product(const struct backend *be, const struct workload *l)
{
	size_t n = (size_t)l->B;
	struct work w = {.be = be, .x = randoms(be, n * n), .t = randoms(be, n * n), .dz = be->alloc(be, n * n * sizeof(real)), .B = l->B};
	timed(l->name, gemm_step, &w, 1, 2 * pow((double)n, 3));
	be->release(be, w.x), be->release(be, w.t), be->release(be, w.dz);
}

/* A step is an epoch, with all that dae-pretrain does in it. */
static void time_dae(const struct backend *be, const struct workload *l)
{
	int N = o.tasks ? l->B : EPOCH / l->B * l->B;
	struct work w = {.be = be, .a = {.epochs = 1, .batch = l->B, .learning_rate = 0.1f, .corruption = 0.2f, .seed = 1}};
	w.d = pretrain_new(&dae, be, INPUTS, HIDDEN, (uint32_t)N, 0, &w.a), w.x = randoms(be, (size_t)N * INPUTS);
	pretrain_from(w.d, NULL, w.x);
	timed(l->name, dae_step, &w, N, 5.0 * 2 * INPUTS * HIDDEN);
	pretrain_free(w.d);
	be->release(be, w.x);
}

static void time_net(const struct backend *be, const struct workload *l)
{
	const struct netdesc *d = &l->d;
	int train = l->kind->train;
	size_t B = (size_t)l->B, in = B * (size_t)d->H * (size_t)d->W, out = B * (size_t)d->outputs;
	struct work w = {.be = be, .B = l->B, .outputs = d->outputs, .kind = l->kind->loss};
	w.n = net_new(be, d, l->B, train ? NET_TRAIN : NET_INFER);
	init_weights(w.n);
	w.x = randoms(be, in);
	if (train) {
		w.t = randoms(be, out), w.dz = be->alloc(be, out * sizeof(real)), w.rows = be->alloc(be, B * sizeof *w.rows);
		w.moment = be->alloc(be, d->nparam * sizeof(real)), w.loss = be->alloc(be, B * sizeof *w.loss);
	}
	/* of the three products of mlp's first layer, the input gradient isn't computed: counted as the peer counts */
	timed(l->name, train ? train_step : infer_step, &w, l->B,
		l->kind->sized ? netdesc_flops(d) * (train ? 3 : 1) : 2.0 * 2 * INPUTS * HIDDEN);
	net_free(w.n);
	be->release(be, w.x), be->release(be, w.t), be->release(be, w.dz), be->release(be, w.moment), be->release(be, w.loss);
	be->release(be, w.rows);
}

/* As in predict: the next batch is queued before the last one's results are awaited; batch 1, which measures latency, alone. */
static void predict_step(struct work *w)
{
	infer_batch_async(w->f, w->images, w->B);
	infer_batch_wait(w->f, w->out, NULL);
}

static void time_model(const struct backend *be, const struct workload *l)
{
	struct model *m = model_load(l->file);
	size_t pixels = (size_t)l->B * (size_t)m->W * (size_t)m->H;
	struct work w = {.be = be, .B = l->B, .f = infer_new(be, &m, 1, 0), .images = xmalloc(pixels)};
	w.out = xcalloc((size_t)l->B * (size_t)infer_values(w.f), sizeof *w.out);
	for (size_t i = 0; i < pixels; i++)
		w.images[i] = (uint8_t)(i * 2654435761u >> 16);
	if (w.B > 1)
		infer_batch_async(w.f, w.images, w.B);
	timed(l->name, predict_step, &w, l->B, netdesc_flops(&m->d));
	if (w.B > 1)
		infer_batch_wait(w.f, w.out, NULL);
	infer_free(w.f), model_free(m);
	free(w.images), free(w.out);
}

static struct backend *backend(void)
{
	return backend_open(o.device, (int)o.threads, o.precision);
}

static void run(const struct workload *l)
{
	struct backend *be = backend();
	if (l->file && !l->kind->train)
		time_model(be, l);
	else if (l->d.n)
		time_net(be, l);
	else if (!strcmp(l->kind->name, "dae"))
		time_dae(be, l);
	else
		time_product(be, l);
	be->close(be);
}

static int threads(void)
{
	cpu_set_t set;
	if (!strcmp(o.device, "ref"))
		return 1;
	return o.threads ? (int)o.threads : sched_getaffinity(0, sizeof set, &set) ? 1 : CPU_COUNT(&set);
}

static void head(void)
{
	struct backend *be = backend();
	printf("# keypipe, %s by %s, %d threads\n", be->name, be->kernel, threads());
	fflush(stdout);
	be->close(be);
}

/* In a child process, so that peak memory is the workload's alone; a CUDA context does not survive fork, so the parent opens no GPU. */
static int run_apart(const struct workload *l)
{
	int status;
	pid_t child = fork();
	if (child < 0)
		die_errno("fork");
	if (!child) {
		if (l)
			run(l);
		else
			head();
		exit(finish());
	}
	if (waitpid(child, &status, 0) < 0)
		die_errno("waitpid");
	if (WIFSIGNALED(status))
		die("%s: ended by signal %d", l ? l->name : o.device, WTERMSIG(status));
	return WEXITSTATUS(status);
}

int main(int argc, char **argv)
{
	static struct workload l[WORKLOADS];
	int n, status = 0;
	char **names = opt_parse(&prog, argc, argv, &n);
	if (!n)
		names = usual, n = sizeof usual / sizeof *usual;
	for (int i = 0; i < n; i++)
		parse(&l[i], names[i]);
	if (o.tasks && strcmp(o.device, "cpu"))
		die_usage("--tasks is of --device cpu");
	o.threads = o.tasks ? 1 : o.threads;
	if (n == 1) {
		head();
		run(&l[0]);
		return finish();
	}
	status = run_apart(NULL);
	for (int i = 0; i < n && !status; i++)
		status = run_apart(&l[i]);
	return status ? status : finish();
}
