/* Ten epochs of training against PyTorch's (a dump by tests/torch_dump.py): the same data, initial weights and options through train_run
 * and pretrain_epoch on each backend, batches whole and in shards; every loss within a relative 1e-5, the last weights within 2e-5. */
#include <check.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/base/err.h"
#include "lib/train/dae.h"
#include "lib/train/train.h"
#include "tests/backend_of_test.h"

#define DUMP "data/torch_steps.tns"

static struct tns_table *dump;

static const void *values(const char *name, size_t *n)
{
	const struct tns *t = tns_table_head(dump);
	int id = tns_find(t, name);
	ck_assert_msg(id >= 0, "no %s in " DUMP, name);
	*n = (size_t)t->def[id].rows * t->def[id].row_bytes / tns_size(t->def[id].dtype);
	void *p = xmalloc((size_t)t->def[id].rows * t->def[id].row_bytes);
	tns_copy(dump, id, p);
	return p;
}

static const struct {
	const char *name, *net, *target;
	enum target kind;
	int outputs;
	const char *names;
	struct train_options a;
} cases[] = {
	{"nesterov", "net.bn", "keypoints", TARGET_COORDS, 6, "a,b,c",
		{.batch = 24, .learning_rate = 0.05, .momentum = 0.9, .optimizer = OPTIMIZER_NESTEROV, .weight_decay = 0.01}},
	{"adam", "net.tanh", "label4", TARGET_LABEL, 4, "0,1,2,3",
		{.batch = 100,
			.learning_rate = 0.02,
			.momentum = 0.9,
			.optimizer = OPTIMIZER_ADAM,
			.weight_decay = 0.05,
			.schedule = SCHEDULE_LINEAR}},
	{"momentum", "net.bn", "label2", TARGET_LABEL, 1, "0,1",
		{.batch = 10, .learning_rate = 0.1, .momentum = 0.8, .optimizer = OPTIMIZER_SGD, .seed = 3}},
	{"batches", "net.tanh", "keypoints", TARGET_COORDS, 6, "a,b,c",
		{.batch = 7, .learning_rate = 0.01, .momentum = 0.8, .optimizer = OPTIMIZER_ADAM, .seed = (1ull << 40) + 5}},
};
static struct dataset rows_of(int i)
{
	size_t n;
	struct dataset r = {.n = 24, .W = 12, .H = 9, .values = cases[i].outputs, .names = xstrdup(cases[i].names)};
	r.images = image_store_memory((uint8_t *)values("image", &n), 24, 9 * 12);
	ck_assert_uint_eq(n, 24 * 9 * 12);
	const void *v = values(cases[i].target, &n);
	r.k = (int)n / 24;
	if (cases[i].kind == TARGET_COORDS) {
		r.value = (float *)v;
	} else {
		r.value = xcalloc(n, sizeof *r.value);
		for (size_t k = 0; k < n; k++)
			r.value[k] = ((const uint8_t *)v)[k];
		free((void *)v);
	}
	return r;
}

/* Column `which` of a log, a value an epoch. */
static void column(const char *path, int which, double *to, int n)
{
	char line[512];
	FILE *f = fopen(path, "r");
	ck_assert(f && fgets(line, sizeof line, f));
	for (int i = 0; i < n; i++) {
		ck_assert(fgets(line, sizeof line, f));
		char *s = line;
		for (int k = 0; k < which; k++)
			s = strchr(s, '\t') + 1;
		to[i] = strtod(s, NULL);
	}
	ck_assert(!fgets(line, sizeof line, f));
	fclose(f);
}

static void losses_agree(const double *got, const double *want, int n, const char *what, const char *name, const char *backend)
{
	for (int i = 0; i < n; i++)
		ck_assert_msg(fabs(got[i] / want[i] - 1) < 1e-5, "%s, %s, epoch %d: %s %.9g, PyTorch %.9g, relative error %.2g", name,
			backend, i + 1, what, got[i], want[i], got[i] / want[i] - 1);
}

static void weights_agree(const real *got, const real *want, size_t n, const char *name, const char *backend)
{
	for (size_t k = 0; k < n; k++)
		ck_assert_msg(fabs((double)got[k] - (double)want[k]) < 2e-5, "%s, %s: parameter %zu is %.9g, PyTorch's %.9g", name, backend,
			k, (double)got[k], (double)want[k]);
}

enum { CASES = sizeof cases / sizeof *cases };

START_TEST(training)
{
	int i = _i / 2 % CASES;
	const char *name = cases[i].name, *backend = (_i % 2 ? backend_name() : "ref");
	char text[100], path[200];
	size_t n;
	snprintf(path, sizeof path, "%s/steps.%d.tsv", getenv("TMP") ? getenv("TMP") : "/tmp", (int)getpid());
	struct backend *be = backend_init_by_name(backend, 1, PRECISION_FP32);
	struct dataset r = rows_of(i);
	struct train_options a = cases[i].a;
	a.epochs = 10, a.quiet = 1, a.log = path, a.key = "", a.shards = _i / 2 / CASES ? 4 : 1;
	const char *net = tns_meta_value(tns_table_head(dump), cases[i].net);
	/* with validation: the logged losses; without, where the last weights are kept instead of the best: the weights */
	for (int valid = 1; valid >= 0; valid--) {
		struct model *m = model_new(net, cases[i].kind, 12, 9, r.values, r.names);
		snprintf(text, sizeof text, "%s/first/", name);
		model_read(&m->d, dump, text, m->param, m->stat);
		struct train *t = train_new(be, m, &r, valid ? &r : NULL, &a);
		train_run(t);
		double got[10];
		column(path, 2, got, 10);
		snprintf(text, sizeof text, "%s/loss", name);
		const double *want = values(text, &n);
		ck_assert_uint_eq(n, 10);
		losses_agree(got, want, 10, "loss", name, backend);
		free((void *)want);
		if (valid) {
			column(path, 3, got, 10);
			snprintf(text, sizeof text, "%s/valid", name);
			want = values(text, &n);
			losses_agree(got, want, 10, "validation loss", name, backend);
			free((void *)want);
		} else {
			real *last = xcalloc(m->d.nparam, sizeof *last), *stat = xcalloc(m->d.nstat, sizeof *stat);
			snprintf(text, sizeof text, "%s/last/", name);
			model_read(&m->d, dump, text, last, stat);
			weights_agree(m->param, last, m->d.nparam, name, backend);
			weights_agree(m->stat, stat, m->d.nstat, name, backend);
			free(last), free(stat);
		}
		train_free(t);
		model_free(m);
	}
	unlink(path);
	dataset_release_rows(&r), free(r.names);
	be->close(be);
}
END_TEST

static const struct {
	const char *name;
	struct pretrain_options a;
} daes[] = {{"dae", {.batch = 24, .learning_rate = 0.05f, .corruption = 0.3f, .seed = 77}},
	{"daes", {.batch = 9, .learning_rate = 0.02f, .corruption = 0.3f, .seed = 78}}};

START_TEST(autoencoder)
{
	int i = _i / 2;
	const char *name = daes[i].name, *backend = (_i % 2 ? backend_name() : "ref");
	char text[100];
	size_t n, all;
	struct backend *be = backend_init_by_name(backend, 1, PRECISION_FP32);
	const uint8_t *image = values("image", &n);
	snprintf(text, sizeof text, "%s/first", name);
	const real *first = values(text, &all);
	ck_assert_uint_eq(all, 17 * 108 + 17 + 108);
	uint8_t *bytes = be->alloc(be, n);
	be->upload(be, bytes, image, n);
	struct pretrain_layer *d = pretrain_new(&dae, be, 108, 17, 24, 0, &daes[i].a);
	pretrain_from(d, bytes, NULL);
	be->upload(be, d->param, first, all * sizeof *first);
	double got[10];
	for (int e = 0; e < 10; e++)
		got[e] = pretrain_epoch(d, (uint32_t)e + 1);
	snprintf(text, sizeof text, "%s/loss", name);
	const double *want = values(text, &n);
	losses_agree(got, want, 10, "loss", name, backend);
	snprintf(text, sizeof text, "%s/last", name);
	const real *last = values(text, &n);
	real *param = xmalloc(all * sizeof *param);
	be->download(be, param, d->param, all * sizeof *param);
	weights_agree(param, last, all, name, backend);
	free((void *)image), free((void *)first), free((void *)want), free((void *)last), free(param);
	be->release(be, bytes);
	pretrain_free(d);
	be->close(be);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("steps");
	TCase *t = tcase_create("steps");
	dump = tns_load(DUMP);
	tcase_add_loop_test(t, training, 0, 4 * CASES);
	tcase_add_loop_test(t, autoencoder, 0, 2 * (int)(sizeof daes / sizeof *daes));
	suite_add_tcase(suite, t);
	SRunner *r = srunner_create(suite);
	srunner_run_all(r, CK_ENV);
	int failed = srunner_ntests_failed(r);
	srunner_free(r);
	tns_unload(dump);
	return failed != 0;
}
