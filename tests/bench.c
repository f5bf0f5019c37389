/* bench - training steps and forward passes of the nets people train, in samples a second; names and lines as other frameworks' benches
 * print them, so that the two can be set side by side. */
#include <getopt.h>
#include <math.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

#include "lib/dae.h"
#include "lib/err.h"
#include "lib/net.h"
#include "lib/num.h"

static const struct {
	const char *name, *net;
	int outputs;
	enum loss loss;
} nets[] = {
	{"conv", "conv3x3x32 relu pool2 conv2x2x64 relu pool2 conv2x2x128 relu pool2 fc500 relu fc500 relu fc30", 30, LOSS_SQUARED},
	{"heat",
		"conv3x3x32s2p1 relu conv3x3x32p1 relu conv3x3x64s2p1 relu conv3x3x64p1 relu conv3x3x128s2p1 relu conv3x3x128p1 relu "
		"up2 conv3x3x64p1 relu up2 conv3x3x32p1 relu conv1x1x15",
		15, LOSS_SQUARED},
	{"map", "conv5x5x50 pool2 sigmoid fc9216", 9216, LOSS_SIGMOID},
	{"mlp", "fc500 sigmoid fc1", 1, LOSS_SIGMOID},
};

static const char *const all[] = {"sgemm-2048", "dae-1000", "dae-128", "dae-32", "mlp-32", "conv-train-128", "conv-train-32",
	"heat-train-32", "infer-conv-1", "infer-conv-128", "infer-heat-1", "infer-heat-32"};

static struct ops *o;
static double budget = 5;

static double now(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static int by_value(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;
	return (x > y) - (x < y);
}

/* Three steps to warm up, then the median rate of single steps. */
static void timed(const char *name, void (*step)(void *), void *arg, double samples, double flops)
{
	size_t n = 0, room = 1 << 16;
	double *rate = xcalloc(room, sizeof *rate), end;
	for (int i = 0; i < 3; i++)
		step(arg);
	for (end = now() + budget; n < 3 || now() < end;) {
		double t = now();
		step(arg);
		if (n == room)
			rate = xrealloc(rate, (room *= 2) * sizeof *rate);
		rate[n++] = samples / (now() - t);
	}
	qsort(rate, n, sizeof *rate, by_value);
	double r = n % 2 ? rate[n / 2] : (rate[n / 2 - 1] + rate[n / 2]) / 2;
	struct rusage u;
	getrusage(RUSAGE_SELF, &u);
	printf("%-20s %12.1f samples/s %8.1f GFLOP/s %8.0f MiB\n", name, r, r * flops / 1e9, (double)u.ru_maxrss / 1024);
	fflush(stdout);
	free(rate);
}

static real *randoms(size_t n)
{
	uint32_t v = 12345;
	real *host = xmalloc(n * sizeof *host), *device = o->alloc(o, n * sizeof *host);
	for (size_t i = 0; i < n; i++)
		v = v * 1664525 + 1013904223, host[i] = (real)(v >> 8) / (1 << 24);
	o->put(o, device, host, n * sizeof *host);
	free(host);
	return device;
}

struct work {
	struct net *n;
	real *x, *t, *dz, *first;
	double *loss;
	uint32_t *rows;
	int B, outputs, N;
	enum loss kind;
	struct dae *d;
	struct dae_options a;
	uint32_t epoch;
};

static void gemm_step(void *arg)
{
	struct work *w = arg;
	o->dense(o, w->dz, w->x, w->t, NULL, ACT_NONE, 1, w->B, w->B, w->B);
}

static void dae_step(void *arg)
{
	struct work *w = arg;
	dae_epoch(w->d, NULL, w->x, 0, ++w->epoch, &w->a);
}

static void infer_step(void *arg)
{
	struct work *w = arg;
	net_forward(w->n, w->x, w->B, &(struct net_pass){0});
}

static void train_step(void *arg)
{
	struct work *w = arg;
	struct net_pass pass = {.train = 1, .rows = w->rows};
	struct net_step step = {{.kind = UPDATE_SGD, .rate = (real)0.01, .momentum = (real)0.9}, w->first, NULL};
	real *z = net_forward(w->n, w->x, w->B, &pass);
	o->loss(o, w->kind, w->loss, w->dz, z, w->t, 1 / ((real)w->B * (real)w->outputs), w->B, w->outputs);
	net_backward(w->n, w->x, w->dz, w->B, &pass, &step);
}

/* First weights; where they are very many, cheap ones in small pieces, so that there is never a second copy. */
static void fill(struct net *n)
{
	const struct netdesc *d = n->d;
	if (d->nparam < (size_t)1 << 28) {
		real *param = xmalloc(d->nparam * sizeof *param), *stat = xcalloc(d->nstat + 1, sizeof *stat);
		net_first(d, 1, param, stat);
		net_put(n, param, stat);
		free(param), free(stat);
		return;
	}
	enum { PIECE = 1 << 20 };
	real *piece = xmalloc(PIECE * sizeof *piece);
	uint32_t v = 1;
	for (size_t i = 0; i < PIECE; i++)
		v = v * 1664525 + 1013904223, piece[i] = ((real)(v >> 8) / (1 << 24) - (real)0.5) / 512;
	for (size_t at = 0; at < d->nparam; at += PIECE)
		o->put(o, n->param + at, piece, (d->nparam - at < PIECE ? d->nparam - at : PIECE) * sizeof *piece);
	n->fresh = 0;
	free(piece);
}

static void net_work(const char *name, const char *net, int B, int size, int train)
{
	static struct netdesc d;
	char err[256], text[512];
	size_t i;
	for (i = 0; i < sizeof nets / sizeof *nets && strcmp(nets[i].name, net); i++)
		;
	if (i == sizeof nets / sizeof *nets || B < 1 || size < 1)
		die_usage("%s: no such workload; see --help", name);
	int mlp = !strcmp(net, "mlp"), map = size / 2, outputs = nets[i].outputs * (strcmp(net, "heat") ? 1 : map * map);
	snprintf(text, sizeof text, "%s", nets[i].net);
	if (netdesc_parse(&d, text, 1, mlp ? 1 : size, mlp ? 475 : size, outputs, err) < 0)
		die("%s: %s", name, err);
	struct work w = {.B = B, .outputs = outputs, .kind = nets[i].loss};
	size_t in = (size_t)B * (size_t)(d.H * d.W);
	w.n = net_new(o, &d, B, train ? NET_TRAIN : NET_INFER);
	fill(w.n);
	w.x = randoms(in), w.rows = o->alloc(o, (size_t)B * sizeof *w.rows);
	if (train) {
		w.t = randoms((size_t)B * (size_t)outputs), w.dz = o->alloc(o, (size_t)B * (size_t)outputs * sizeof(real));
		w.first = o->alloc(o, d.nparam * sizeof(real)), w.loss = o->alloc(o, (size_t)B * sizeof(double));
	}
	timed(name, train ? train_step : infer_step, &w, B, (mlp ? 4.0 * 475 * 500 : netdesc_flops(&d) * (train ? 3 : 1)));
	net_free(w.n);
	o->release(o, w.x), o->release(o, w.t), o->release(o, w.dz), o->release(o, w.first), o->release(o, w.loss), o->release(o, w.rows);
}

static void workload(const char *name)
{
	char net[16];
	int B = 0, size = 96, end = 0, n = (int)strlen(name);
	if (!strcmp(name, "sgemm-2048")) {
		size_t n = 2048 * 2048;
		struct work w = {.x = randoms(n), .t = randoms(n), .dz = o->alloc(o, n * sizeof(real)), .B = 2048};
		timed(name, gemm_step, &w, 1, 2 * pow(2048, 3));
		o->release(o, w.x), o->release(o, w.t), o->release(o, w.dz);
	} else if (sscanf(name, "dae-%d%n", &B, &end) == 1 && end == n && B > 0 && B <= 8192) {
		struct work w = {.a = {.epochs = 1, .batch = B, .rate = 0.1f, .corruption = 0.2f, .seed = 1}, .N = 8192 / B * B};
		w.d = dae_new(o, 475, 500, (uint32_t)w.N, 0, &w.a), w.x = randoms((size_t)w.N * 475);
		timed(name, dae_step, &w, w.N, 5.0 * 2 * 475 * 500);
		dae_free(w.d);
		o->release(o, w.x);
	} else if (sscanf(name, "mlp-%d%n", &B, &end) == 1 && end == n) {
		net_work(name, "mlp", B, 96, 1);
	} else if ((sscanf(name, "infer-%15[a-z]-%d%n@%d%n", net, &B, &end, &size, &end) >= 2) && end == n) {
		net_work(name, net, B, size, 0);
	} else if ((sscanf(name, "%15[a-z]-train-%d%n@%d%n", net, &B, &end, &size, &end) >= 2) && end == n) {
		net_work(name, net, B, size, 1);
	} else {
		die_usage("%s: no such workload; see --help", name);
	}
}

static int processors(void)
{
	cpu_set_t set;
	return sched_getaffinity(0, sizeof set, &set) ? 1 : CPU_COUNT(&set);
}

static void usage(void)
{
	printf("bench [--seconds S] [--threads N] [--device ref|cpu] [WORKLOAD ...]\n\n"
	       "Prints name, samples a second (median), GFLOP/s of the net's arithmetic as written, and peak memory. Timed is a training "
	       "step\n"
	       "(forward, loss, backward, update; for dae-* an epoch of 8192) or a forward pass (infer-*). Workloads:\n"
	       "  sgemm-2048  dae-B  mlp-B  NET-train-B[@SIZE]  infer-NET-B[@SIZE]     B: the batch, SIZE: pixels a side (96)\n"
	       "  NET: conv, heat, map (975 million weights). Without names:");
	for (size_t i = 0; i < sizeof all / sizeof *all; i++)
		printf(" %s", all[i]);
	printf("\n");
}

int main(int argc, char **argv)
{
	static const struct option options[] = {
		{"seconds", 1, 0, 's'}, {"threads", 1, 0, 't'}, {"device", 1, 0, 'd'}, {"help", 0, 0, 'h'}, {0}};
	const char *device = "cpu";
	int threads = 0;
	double v;
	err_name("bench");
	for (int c; (c = getopt_long(argc, argv, "s:t:d:h", options, NULL)) != -1;)
		switch (c) {
		case 's':
			if (!num_real(optarg, &budget) || !(budget >= 0 && budget <= 86400))
				die_usage("--seconds: '%s' is no number from 0 to 86400", optarg);
			break;
		case 't':
			if (!num_real(optarg, &v) || !(v >= 0 && v <= 1024) || v != floor(v))
				die_usage("--threads: '%s' is no whole number from 0 to 1024", optarg);
			threads = (int)v;
			break;
		case 'd':
			device = optarg;
			break;
		case 'h':
			usage();
			return 0;
		default:
			return 2;
		}
	if (!(o = ops_open(device, threads)))
		die_usage("--device %s: this build has ref and cpu", device);
	printf("# keypipe, %s by %s, %d threads\n", o->name, o->kernel, threads ? threads : processors());
	for (int i = optind; i < argc; i++)
		workload(argv[i]);
	for (size_t i = 0; optind == argc && i < sizeof all / sizeof *all; i++)
		workload(all[i]);
	o->close(o);
	return 0;
}
