/* The autoencoder's layer: its step against central differences of the loss, computed here in double; its codes; its convergence. */
#include <check.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/base/err.h"
#include "lib/base/opt.h"
#include "lib/base/philox.h"
#include "lib/predict/infer.h"
#include "lib/train/dae.h"
#include "lib/train/pretrain_run.h"
#include "tests/backend_of_test.h"

enum { V = 11, H = 6, N = 9, ALL = V * H + H + V };

static float unit(uint32_t what, uint32_t i)
{
	return philox_uniform(philox(13, PHILOX_TEST, what, i, 0).v[0]);
}

/* Mean over rows of x (N, V) of the cross-entropy, inputs masked by Philox (seed, layer, epoch, row, element). */
static double loss_of(const double *param, const double *x, const struct pretrain_options *a, int layer, uint32_t epoch)
{
	const double *w = param, *b = w + V * H, *c = b + H;
	double sum = 0;
	for (uint32_t r = 0; r < N; r++) {
		double y[H], noisy[V];
		for (uint32_t v = 0; v < V; v++) {
			uint32_t word = philox(a->seed, PHILOX_MASK | (uint32_t)layer << 8, epoch, r, v / 4).v[v % 4];
			noisy[v] = philox_uniform(word) < a->corruption ? 0 : x[r * V + v];
		}
		for (int h = 0; h < H; h++) {
			double s = b[h];
			for (int v = 0; v < V; v++)
				s += noisy[v] * w[h * V + v];
			y[h] = 1 / (1 + exp(-s));
		}
		for (int v = 0; v < V; v++) {
			double s = c[v], t = x[r * V + (uint32_t)v], z;
			for (int h = 0; h < H; h++)
				s += y[h] * w[h * V + v];
			z = 1 / (1 + exp(-s));
			sum -= t * log(z) + (1 - t) * log(1 - z);
		}
	}
	return sum / N;
}

/* An epoch of one batch is one step: the weights change by the gradient times the learning rate; from _i 4 on in shards, of which the last
 * has no rows. */
START_TEST(step)
{
	int sharded = _i >= 4;
	struct backend *be = backend_init_by_name((_i % 2 ? backend_name() : "ref"), 1, PRECISION_FP32);
	int codes = _i / 2 % 2;
	struct pretrain_options a = {.batch = 100, .learning_rate = 0.25f, .corruption = 0.4f, .seed = 21, .shards = sharded ? 4 : 1};
	struct pretrain_layer *d = pretrain_new(&dae, be, V, H, N, codes, &a);
	uint8_t image[N * V], *bytes = be->alloc(be, sizeof image);
	float real_codes[N * V], *device = be->alloc(be, sizeof real_codes);
	double x[N * V], param[ALL];
	float was[ALL], now[ALL];
	for (uint32_t i = 0; i < N * V; i++) {
		image[i] = (uint8_t)(256 * unit(1, i)), real_codes[i] = unit(2, i);
		x[i] = codes ? (double)real_codes[i] : image[i] / 255.0;
	}
	be->upload(be, bytes, image, sizeof image), be->upload(be, device, real_codes, sizeof real_codes);
	for (uint32_t i = 0; i < ALL; i++)
		was[i] = 2 * unit(3, i) - 1;
	be->upload(be, d->param, was, sizeof was);
	pretrain_from(d, codes ? NULL : bytes, codes ? device : NULL);
	double loss = pretrain_epoch(d, 4);
	be->download(be, now, d->param, sizeof now);
	for (int i = 0; i < ALL; i++)
		param[i] = (double)was[i];
	ck_assert_double_eq_tol(loss, loss_of(param, x, &a, codes, 4), 1e-5 * loss);
	for (int i = 0; i < ALL; i++) {
		double h = 1e-5, keep = param[i];
		param[i] = keep + h;
		double up = loss_of(param, x, &a, codes, 4);
		param[i] = keep - h;
		double want = (up - loss_of(param, x, &a, codes, 4)) / (2 * h),
		       got = ((double)was[i] - (double)now[i]) / (double)a.learning_rate;
		param[i] = keep;
		ck_assert_msg(fabs(got - want) < 2e-6 * (1 + fabs(want)), "parameter %d: %.8g, by differences %.8g", i, got, want);
	}
	/* codes are computed from unmasked inputs, at the mean of masked ones, by the new weights */
	float *out = be->alloc(be, N * H * sizeof *out), got[N * H];
	pretrain_encode(d, out, NULL);
	be->download(be, got, out, sizeof got);
	for (int r = 0; r < N; r++)
		for (int h = 0; h < H; h++) {
			double s = (double)now[V * H + h];
			for (int v = 0; v < V; v++)
				s += (1 - (double)a.corruption) * x[r * V + v] * (double)now[h * V + v];
			ck_assert_double_eq_tol((double)got[r * H + h], 1 / (1 + exp(-s)), 1e-6);
		}
	/* so is what is measured: the loss of their reconstructions */
	real host[N * V];
	double figure[PRETRAIN_FIGURES], want = 0;
	for (int i = 0; i < N * V; i++)
		host[i] = (real)x[i];
	pretrain_measure(d, &(struct rows){.n = N, .V = V, .memory = host}, 4, figure);
	for (int r = 0; r < N; r++)
		for (int v = 0; v < V; v++) {
			double s = (double)now[V * H + H + v], z;
			for (int h = 0; h < H; h++)
				s += (double)got[r * H + h] * (double)now[h * V + v];
			z = 1 / (1 + exp(-s));
			want -= x[r * V + v] * log(z) + (1 - x[r * V + v]) * log(1 - z);
		}
	ck_assert_double_eq_tol(figure[0], want / N, 1e-5 * want / N);
	be->release(be, out), be->release(be, bytes), be->release(be, device);
	pretrain_free(d);
	be->close(be);
}
END_TEST

/* Patches with structure: one of three bars, noisy. */
static void bars(uint8_t *to, int n)
{
	for (int r = 0; r < n; r++)
		for (int v = 0; v < 25; v++)
			to[r * 25 + v] = (uint8_t)(v / 5 == r % 3 + 1 ? 220 : 20 + 20 * unit(4, (uint32_t)(r * 25 + v)));
}

START_TEST(convergence)
{
	enum { ROWS = 62 };
	struct backend *be = backend_init_by_name((_i ? backend_name() : "ref"), 1, PRECISION_FP32);
	struct pretrain_options a = {.batch = 10, .learning_rate = 0.1f, .corruption = 0.2f, .seed = 1}; /* the last batch is smaller */
	uint8_t image[ROWS * 25], *bytes = be->alloc(be, sizeof image);
	bars(image, ROWS);
	be->upload(be, bytes, image, sizeof image);
	struct pretrain_layer *d = pretrain_new(&dae, be, 25, 8, ROWS, 0, &a);
	pretrain_from(d, bytes, NULL);
	double first = pretrain_epoch(d, 1), last = first, floor = 0;
	for (uint32_t e = 2; e <= 60; e++)
		last = pretrain_epoch(d, e);
	for (int i = 0; i < ROWS * 25; i++) { /* the loss is at least the entropy of the pixels */
		double t = image[i] / 255.0;
		floor -= t > 0 && t < 1 ? t * log(t) + (1 - t) * log(1 - t) : 0;
	}
	floor /= ROWS;
	ck_assert_msg(last > floor && last - floor < 0.25 * (first - floor), "from %g to %g, entropy %g", first, last, floor);
	be->release(be, bytes);
	pretrain_free(d);
	be->close(be);
}
END_TEST

/* Initial weights: by seed and layer, uniform in a quarter of Glorot's range, or that which is asked for; biases 0. */
START_TEST(first)
{
	struct backend *be = backend_init_by_name("ref", 1, PRECISION_FP32);
	struct pretrain_options a = {.batch = 10, .seed = 1}, b = {.batch = 10, .seed = 2};
	struct pretrain_layer *d[] = {pretrain_new(&dae, be, 70, 50, 20, 0, &a), pretrain_new(&dae, be, 70, 50, 20, 0, &a),
		pretrain_new(&dae, be, 70, 50, 20, 1, &a), pretrain_new(&dae, be, 70, 50, 20, 0, &b)};
	double largest = 0, square = 0, range = 0.25 * sqrt(6.0 / 120);
	for (int i = 0; i < 3500; i++) {
		double w = (double)d[0]->param[i];
		largest = fabs(w) > largest ? fabs(w) : largest, square += w * w;
	}
	for (int i = 3500; i < 3620; i++)
		ck_assert(d[0]->param[i] == 0);
	ck_assert(largest <= range && largest > 0.99 * range && fabs(sqrt(square / 3500) / range * sqrt(3) - 1) < 0.03);
	struct pretrain_options wide = {.batch = 10, .init = 0.5f, .seed = 1};
	struct pretrain_layer *w = pretrain_new(&dae, be, 70, 50, 20, 0, &wide);
	for (int i = 0; i < 3500; i++)
		ck_assert_double_eq_tol((double)w->param[i], (double)d[0]->param[i] * 0.5 / range, 1e-6);
	pretrain_free(w);
	ck_assert(!memcmp(d[0]->param, d[1]->param, 3620 * sizeof(real)));
	ck_assert(memcmp(d[0]->param, d[2]->param, 100) && memcmp(d[0]->param, d[3]->param, 100));
	for (int i = 0; i < 4; i++)
		pretrain_free(d[i]);
	be->close(be);
}
END_TEST

/* ---- the whole run */

static char path[2][100];

static struct dataset *patches(void)
{
	static uint8_t image[62 * 25];
	bars(image, 62);
	struct tns_writer *w = tns_create(path[0]);
	tns_define(w, "image", TNS_U8, 3, (uint64_t[]){TNS_UNLIMITED, 5, 5});
	tns_write(w, 0, image, 62);
	tns_close(w);
	return dataset_load(path[0], TARGET_IMAGE);
}

/* The model of a stack: encoders, then decoders with the encoders' weights transposed; it reconstructs the patches. */
START_TEST(stack)
{
	struct backend *be = backend_here();
	struct pretrain_options a = {.epochs = 300, .batch = 31, .learning_rate = 0.3f, .corruption = 0.1f, .seed = 1};
	struct dataset *data = patches();
	struct pretrain_run r = {
		.kind = &dae, .be = be, .a = &a, .data = data, .layers = 2, .hidden = {9, 6}, .output = path[1], .quiet = 1};
	pretrain_run(&r);
	struct model *m = model_load(path[1]);
	ck_assert_str_eq(m->net, "fc9 sigmoid fc6 sigmoid fc9 sigmoid fc25 sigmoid");
	ck_assert(m->target == TARGET_IMAGE && m->W == 5 && m->H == 5);
	for (int i = 0; i < 2; i++) {
		const struct layer *in = &m->d.layer[2 * i], *out = &m->d.layer[6 - 2 * i];
		int inputs = in->C * in->H * in->W;
		ck_assert(out->OC == inputs && in->OC == (i ? 6 : 9));
		for (int h = 0; h < in->OC; h++)
			for (int v = 0; v < inputs; v++)
				ck_assert(m->param[in->w + (size_t)(h * inputs + v)] ==
					  m->param[out->w + (size_t)(v * in->OC + h)] * (1 - (real)a.corruption));
		ck_assert(m->param[in->b] != 0 && m->param[out->b] != 0 && m->param[in->w] != m->param[in->w + 1]);
	}
	/* squared error far below that of predicting the mean patch */
	float out[62 * 25];
	double mean[25] = {0}, error = 0, baseline = 0;
	struct infer *f = infer_new(be, &m, 1, 0);
	const uint8_t *image = dataset_image(data, 0, NULL);
	infer_batch(f, image, 62, out, NULL);
	for (int i = 0; i < 62 * 25; i++)
		mean[i % 25] += image[i] / 255.0 / 62;
	for (int i = 0; i < 62 * 25; i++) {
		error += pow((double)out[i] - image[i] / 255.0, 2);
		baseline += pow(mean[i % 25] - image[i] / 255.0, 2);
	}
	ck_assert_msg(error < 0.1 * baseline, "error %g, of the mean patch %g", error, baseline);
	infer_free(f);
	model_free(m);
	dataset_free(data);
	be->close(be);
	unlink(path[0]), unlink(path[1]);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("dae");
	TCase *t = tcase_create("dae");
	static const struct opt none[] = {OPT_END};
	static const struct opt_prog prog = {"check", "", "", 0, 0, none, {NULL}};
	int n;
	opt_parse(&prog, 1, (char *[]){"check", NULL}, &n); /* model_save writes the command line to META history */
	for (int i = 0; i < 2; i++)
		snprintf(path[i], sizeof path[i], "%s/dae%d.%d.tns", getenv("TMP") ? getenv("TMP") : "/tmp", i, (int)getpid());
	tcase_add_loop_test(t, step, 0, strcmp(backend_name(), "cuda") ? 8 : 4);
	tcase_add_loop_test(t, convergence, 0, 2);
	tcase_add_test(t, first);
	tcase_add_test(t, stack);
	suite_add_tcase(suite, t);
	SRunner *r = srunner_create(suite);
	srunner_run_all(r, CK_ENV);
	int failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed != 0;
}
