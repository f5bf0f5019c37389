/* libFuzzer target of checkpoints and models: an input is a tensor stream, repaired where a checksum differs, which cnn-train's resumption,
 * that of layer-wise pretraining and predict's loading read in turn. What is taken has counters in their range and finite offsets; what is
 * not ends the program with the file's name. With FUZZ_SEEDS=DIR it writes seeds there and exits. */
#include <math.h>

#include "lib/base/opt.h"
#define opt_line_without(...) "fuzz 0.2.0" /* opt.c keeps its line, which a run that died would free */
#include "lib/train/pretrain_run.c"
#undef opt_line_without

#include "lib/train/checkpoint.h"
#include "lib/train/dae.h"
#include "tests/fuzz_die.h"
#include "tests/fuzz_stream.h"

enum { ROWS = 3, POINTS = 2 };
static const char key[] = "fuzz 0.2.0 < 00000000";

/* ---- a backend that has memory, and no operations ---- */

static void upload(const struct backend *be, void *device, const void *host, size_t bytes)
{
	(void)be;
	memcpy(device, host, bytes);
}
static const void *map_device(const struct backend *be, const void *device, size_t bytes)
{
	(void)be, (void)bytes;
	return device;
}
static void unmap_device(const struct backend *be, const void *host)
{
	(void)be, (void)host;
}
static const struct backend memory = {.upload = upload, .map_device = map_device, .unmap_device = unmap_device};

/* ---- what a run resumes ---- */

static struct net net;
static struct dataset data = {.n = ROWS, .W = 2, .H = 2};
static struct targets targets = {.ds = &data, .points = POINTS};
static struct train_state state;
static struct model *model;

static real *block(size_t n)
{
	real *p = calloc(n + 1, sizeof *p);
	need(p != NULL);
	for (size_t i = 0; i < n; i++)
		p[i] = (real)i / 8;
	return p;
}

static void set_up(void)
{
	model = model_new("fc3 bn tanh fc", TARGET_COORDS, 2, 2, 2 * POINTS, "left_eye,right_eye");
	size_t nparam = model->d.nparam, nstat = model->d.nstat;
	static float residual[ROWS * POINTS];
	FILE *best = fdopen(memfd_create("best", MFD_CLOEXEC), "w+");
	need(best != NULL);
	net = (struct net){.be = &memory, .d = &model->d, .param = block(nparam), .stat = block(nstat)};
	targets.residual = residual, targets.m = model;
	state = (struct train_state){.be = &memory,
		.m = model,
		.net = &net,
		.targets = &targets,
		.moment1 = block(nparam),
		.moment2 = block(nparam),
		.average = block(nparam),
		.average_stat = block(nstat),
		.best_file = best};
}

/* cnn-train --resume */
static void resume(void *arg)
{
	(void)arg;
	struct train_state s = state;
	need(checkpoint_read(&s, fuzz_path(), key) == 1);
	need(s.epoch >= 0 && s.step >= 0 && s.planned >= 0 && s.best_epoch >= 0 && !isnan(s.best) && !isnan(s.first_loss));
	need(!isnan(model->offset[0]) && !isnan(model->ox));
	for (int i = 0; model->asymmetry && i < 2 * POINTS; i++)
		need(isfinite(model->asymmetry[i]));
	free(s.asymmetry), sources_free(s.sources), model_set_asymmetry(model, NULL), sources_free(model->sources);
}

/* Of one layer, or two. */
static struct pretrain_options options = {.epochs = 3, .batch = 1};
static struct tns head;

static void resume_stack(void *arg)
{
	data.head = &head;
	struct pretrain_run r = {.kind = &dae,
		.a = &options,
		.data = &data,
		.layers = *(const int *)arg,
		.hidden = {3, 2},
		.checkpoint = fuzz_path(),
		.resume = 1};
	struct stack s = {.r = &r, .size = {4, 3, 2}};
	need(read_checkpoint(&s) == 1 && s.layer < r.layers && s.epoch <= options.epochs);
	for (int i = 0; i < PRETRAIN_LAYERS; i++)
		free(s.block[i]);
}

static void load(void *arg)
{
	(void)arg;
	struct model *m = model_load(fuzz_path());
	need(m->W >= 1 && m->H >= 1 && m->outputs >= 1 && isfinite(m->sx) && m->sx != 0 && m->rmse >= 0);
	(void)model_finite(m);
	if (m->points) {
		char *learned = model_learned(m);
		int *partner = model_partners(m);
		float *xy = xcalloc(2 * (size_t)m->points, sizeof *xy);
		if (m->sources && !strncmp(m->sources->names, "one", 3)) {
			struct sources *copy = sources_copy(m->sources);
			sources_choose(m->sources, "one", 1), sources_add(m->sources, 0, xy), sources_add(copy, copy->chosen, xy);
			sources_free(copy);
		} else {
			sources_add(m->sources, SOURCES_NONE, xy);
		}
		model_add_asymmetry(m, xy, 1);
		model_require_partners(m, "flip");
		free(learned), free(partner), free(xy);
	}
	for (size_t i = 1; m->trained && i < m->trained->n; i++)
		need(m->trained->hash[i] > m->trained->hash[i - 1]);
	if (m->trained)
		need(trained_has(m->trained, "1234", 4) >= 0);
	model_free(m);
}

/* The weights of its first layers, for another net. */
static void init(void *arg)
{
	(void)arg;
	struct tns_table *b = tns_load(fuzz_path());
	real *param = xcalloc(model->d.nparam, sizeof *param), *stat = xcalloc(model->d.nstat + 1, sizeof *stat);
	if (!model_init_from(&model->d, b, param, stat)) {
		char *why = model_init_why(&model->d, tns_table_head(b));
		need(*why);
		free(why);
	}
	free(param), free(stat), tns_unload(b);
}

/* ---- seeds ---- */

static char path[1024];

static const char *seed_path(const char *name)
{
	snprintf(path, sizeof path, "%s/%s", fuzz_seeds_dir(), name);
	return path;
}

static void seed_model(const char *name, const char *text, enum target target, int values, const char *names)
{
	struct model *m = model_new(text, target, 4, 4, values, names);
	netdesc_init_params(&m->d, 3, m->param, m->stat);
	if (m->points) {
		uint64_t *hash = xcalloc(3, sizeof *hash);
		hash[0] = 5, hash[1] = 9, hash[2] = 7;
		m->trained = trained_new(hash, 3, NULL);
		m->pairs = xstrdup("left:right"), m->unlearned = xstrdup("right"), m->rmse = 1.5;
		m->mean = xcalloc(4, sizeof *m->mean);
		m->sources = sources_new("one,two", m->points);
		model_set_asymmetry(m, (double[]){1, 2, 3, 4});
	}
	model_save(m, seed_path(name), NULL, 0, NULL);
	model_free(m);
}

static void seeds(void)
{
	static const struct opt none[] = {OPT_END};
	static const struct opt_prog prog = {"fuzz", "", "", 0, 0, none, {NULL}};
	int n;
	opt_parse(&prog, 1, (char *[]){"fuzz", NULL}, &n);
	set_up();
	state.epoch = 2, state.planned = 3, state.step = 4, state.best = INFINITY, state.first_loss = 0.5;
	checkpoint_write(&state, seed_path("begun"), key, 0);
	state.best_epoch = 1, state.best = 0.25;
	need(fwrite(net.param, sizeof *net.param, model->d.nparam, state.best_file) == model->d.nparam);
	need(fwrite(net.stat, sizeof *net.stat, model->d.nstat, state.best_file) == model->d.nstat && !fflush(state.best_file));
	model_set_offset(model, 0.25, -0.5), model_set_asymmetry(model, (double[]){1, 2, -1, 2});
	state.asymmetry = (double[]){1, 2, -1, 2};
	model->sources = sources_new("one,two", POINTS), state.sources = sources_new("one,two", POINTS);
	checkpoint_write(&state, seed_path("sources"), key, 1);
	data.head = &head;
	struct pretrain_run r = {.kind = &dae, .a = &options, .data = &data, .layers = 2, .hidden = {3, 2}};
	struct stack s = {.r = &r, .size = {4, 3, 2}, .epoch = 1};
	for (int i = 0; i < 2; i++)
		s.block[i] = block(100);
	for (s.layer = 0; s.layer < 2; s.layer++) {
		r.checkpoint = seed_path(s.layer ? "stack1" : "stack0");
		write_checkpoint(&s, pretrain_states(&dae, &options, s.size[s.layer], s.size[s.layer + 1], ROWS));
	}
	free(s.block[0]), free(s.block[1]);
	seed_model("coords", "fc3 bn relu fc", TARGET_COORDS, 4, "left,right");
	seed_model("heatmap", "conv3x3x2p1 relu conv1x1", TARGET_HEATMAP, 4, "left,right");
	seed_model("strided", "conv3x3x2s2p1 relu conv1x1", TARGET_HEATMAP, 4, "left,right");
	seed_model("map", "conv3x3p1", TARGET_MAP, 4, "left,right");
	seed_model("label", "fc", TARGET_LABEL, 3, "a,b,c");
	seed_model("image", "fc2 sigmoid fc16 sigmoid", TARGET_IMAGE, 16, "");
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	(void)argc, (void)argv;
	if (fuzz_seeds_dir()) {
		seeds();
		exit(0);
	}
	set_up();
	return 0;
}

size_t LLVMFuzzerCustomMutator(unsigned char *p, size_t size, size_t max, unsigned seed)
{
	return fuzz_stream_mutate(p, size, max, seed);
}

static void named(int died)
{
	need(!died || strstr(fuzz_why, fuzz_path()) || strstr(fuzz_why, "META") || strstr(fuzz_why, "pairs") ||
		strstr(fuzz_why, "empty name"));
}

int LLVMFuzzerTestOneInput(const unsigned char *p, size_t size)
{
	int layers[] = {1, 2};
	unsigned char *copy = malloc(size + 1);
	need(copy != NULL);
	if (size)
		memcpy(copy, p, size);
	fuzz_stream_repair(copy, size);
	fuzz_file(copy, size);
	free(copy);
	named(fuzz_died(resume, NULL));
	model->asymmetry = NULL, model->sources = NULL; /* freed in the run */
	for (int i = 0; i < 2; i++)
		named(fuzz_died(resume_stack, &layers[i]));
	named(fuzz_died(load, NULL));
	named(fuzz_died(init, NULL));
	return 0;
}
