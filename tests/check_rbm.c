/* The Boltzmann machine's layer: an epoch against the same written in double, by the same random numbers, for CD, PCD and Gaussian units;
 * free energy against a sum over all hidden states; what it learns against the exact likelihood of a machine small enough to sum over. */
#include <check.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/err.h"
#include "lib/base/philox.h"
#include "lib/base/shuffle.h"
#include "lib/train/rbm.h"
#include "tests/backend_of_test.h"

enum { V = 7, H = 5, N = 9, NW = V * H, ALL = NW + H + V };

static float unit(uint32_t what, uint32_t i)
{
	return philox_uniform(philox(13, PHILOX_TEST, what, i, 0).v[0]);
}

static double sigmoid(double x)
{
	return 1 / (1 + exp(-x));
}

/* The units' sample: draw counts those of a step, row is the row of the data or the number of the chain. */
static double drawn(const struct pretrain_options *a, int layer, uint32_t draw, uint32_t step, uint32_t row, int k, double p)
{
	uint32_t word = philox(a->seed, PHILOX_GIBBS | (uint32_t)layer << 8 | draw << 16, step, row, (uint32_t)k / 4).v[k % 4];
	return (double)philox_uniform(word) < p;
}

static void hidden(const double *p, const double *v, double *h)
{
	for (int j = 0; j < H; j++) {
		double s = p[NW + j];
		for (int i = 0; i < V; i++)
			s += p[j * V + i] * v[i];
		h[j] = sigmoid(s);
	}
}

struct machine {
	double p[ALL], m[ALL], chain[N][H];
};

/* One step by the rows of x (N, V) named in row. */
static void step(
	struct machine *o, const struct pretrain_options *a, int layer, const double *x, const uint32_t *row, int B, uint32_t count)
{
	double g[ALL] = {0}, mean[H] = {0};
	int gaussian = a->gaussian && !layer;
	for (int r = 0; r < B; r++) {
		const double *v0 = x + row[r] * V;
		double h0[H], s[H], v[V], h[H];
		uint32_t who = a->persistent ? (uint32_t)r : row[r];
		hidden(o->p, v0, h0);
		for (int j = 0; j < H; j++)
			s[j] = a->persistent ? o->chain[r][j] : drawn(a, layer, 0, count, who, j, h0[j]), mean[j] += h0[j] / B;
		for (int k = 0; k < a->steps; k++) {
			for (int i = 0; i < V; i++) {
				double z = o->p[NW + H + i];
				for (int j = 0; j < H; j++)
					z += s[j] * o->p[j * V + i];
				v[i] = gaussian ? z : drawn(a, layer, 2 * (uint32_t)k + 1, count, who, i, sigmoid(z));
			}
			hidden(o->p, v, h);
			for (int j = 0; j < H; j++)
				s[j] = drawn(a, layer, 2 * (uint32_t)k + 2, count, who, j, h[j]);
		}
		for (int j = 0; j < H; j++) {
			o->chain[r][j] = s[j];
			for (int i = 0; i < V; i++)
				g[j * V + i] += (h[j] * v[i] - h0[j] * v0[i]) / B;
			g[NW + j] += (h[j] - h0[j]) / B;
		}
		for (int i = 0; i < V; i++)
			g[NW + H + i] += (v[i] - v0[i]) / B;
	}
	for (int i = 0; i < ALL; i++) {
		o->m[i] = (double)a->momentum * o->m[i] + g[i] + (i < NW ? (double)a->weight_decay * o->p[i] : 0);
		o->p[i] -= (double)a->learning_rate * o->m[i];
	}
	for (int j = 0; j < H; j++)
		o->p[NW + j] += (double)a->learning_rate * (double)a->sparsity_cost * ((double)a->sparsity - mean[j]);
}

static const struct pretrain_options kinds[] = {
	{.batch = 4, .learning_rate = 0.3f, .steps = 1, .seed = 21},
	{.batch = 4, .learning_rate = 0.3f, .steps = 3, .momentum = 0.7f, .weight_decay = 0.1f, .seed = 22},
	{.batch = 4, .learning_rate = 0.3f, .steps = 1, .persistent = 1, .momentum = 0.5f, .seed = 23},
	{.batch = 9, .learning_rate = 0.3f, .steps = 2, .persistent = 1, .sparsity = 0.2f, .sparsity_cost = 0.5f, .seed = 24},
	{.batch = 4, .learning_rate = 0.1f, .steps = 2, .gaussian = 1, .momentum = 0.5f, .seed = 25},
};
enum { KINDS = sizeof kinds / sizeof *kinds };

/* _i: kind, then backend, then bytes or codes, then whole batches or shards */
START_TEST(epochs)
{
	struct pretrain_options own = kinds[_i % KINDS], *a = &own;
	a->shards = _i / KINDS / 4 ? 2 : 1;
	struct backend *be = backend_init_by_name(_i / KINDS % 2 ? backend_name() : "ref", 1, PRECISION_FP32);
	int codes = _i / KINDS / 2 % 2;
	struct pretrain_layer *l = pretrain_new(&rbm, be, V, H, N, codes, a);
	uint8_t image[N * V], *bytes = be->alloc(be, sizeof image);
	real *values = xcalloc(N * V, sizeof *values), *device = be->alloc(be, N * V * sizeof *values),
	     *got = xcalloc(l->states, sizeof *got);
	double x[N * V];
	struct machine o = {.p = {0}};
	if (a->gaussian && !codes)
		l->mul = 0.02f, l->add = -2.5f;
	for (uint32_t i = 0; i < N * V; i++) {
		image[i] = (uint8_t)(256 * unit(1, i)), values[i] = (real)unit(2, i);
		x[i] = codes ? (double)values[i] : image[i] * (double)l->mul + (double)l->add;
	}
	be->upload(be, bytes, image, sizeof image), be->upload(be, device, values, N * V * sizeof *values);
	pretrain_from(l, codes ? NULL : bytes, codes ? device : NULL);
	for (uint32_t i = 0; i < ALL; i++)
		got[i] = (real)(2 * unit(3, i) - 1), o.p[i] = (double)got[i];
	be->upload(be, l->param, got, l->states * sizeof *got);
	for (uint32_t e = 1, count = 0; e <= 3; e++) {
		uint32_t order[N];
		shuffle(order, N, a->seed, e);
		for (int at = 0; at < N; at += a->batch)
			step(&o, a, codes, x, order + at, N - at < a->batch ? N - at : a->batch, count++);
		ck_assert(isnan(pretrain_epoch(l, e)));
	}
	be->download(be, got, l->param, l->states * sizeof *got);
	for (int i = 0; i < 2 * ALL; i++) {
		double want = i < ALL ? o.p[i] : a->momentum > 0 ? o.m[i - ALL] * a->batch : 0; /* of sums over a batch */
		ck_assert_msg(fabs((double)got[i] - want) < 2e-5 * (1 + fabs(want)), "%s %d: %.8g, not %.8g",
			i < ALL ? "parameter" : "momentum", i % ALL, (double)got[i], want);
	}
	ck_assert_uint_eq(l->states, 2 * ALL + (a->persistent ? (size_t)a->batch * H : 0));
	for (int r = 0; r < a->batch && a->persistent; r++)
		for (int j = 0; j < H; j++)
			ck_assert((double)got[2 * ALL + r * H + j] == o.chain[r][j]);
	be->release(be, bytes), be->release(be, device);
	free(values), free(got);
	pretrain_free(l);
	be->close(be);
}
END_TEST

/* -log of the sum over all hidden states of exp(-E(v, h)). */
static double free_energy(const double *p, const double *v, int gaussian)
{
	double sum = 0;
	for (int state = 0; state < 1 << H; state++) {
		double e = 0;
		for (int i = 0; i < V; i++)
			e += gaussian ? pow(v[i] - p[NW + H + i], 2) / 2 : -p[NW + H + i] * v[i];
		for (int j = 0; j < H; j++)
			for (int i = 0; i < V && state >> j & 1; i++)
				e -= p[j * V + i] * v[i] + (i ? 0 : p[NW + j]);
		sum += exp(-e);
	}
	return -log(sum);
}

START_TEST(figures)
{
	int gaussian = _i / 2;
	struct backend *be = backend_init_by_name(_i % 2 ? backend_name() : "ref", 1, PRECISION_FP32);
	struct pretrain_options a = {.batch = 4, .learning_rate = 0.1f, .steps = 1, .gaussian = gaussian, .seed = 3};
	struct pretrain_layer *l = pretrain_new(&rbm, be, V, H, N, 0, &a);
	real first[2 * ALL] = {0}, rows[N * V], codes[N * H];
	double p[ALL], want[PRETRAIN_FIGURES] = {0}, got[PRETRAIN_FIGURES];
	for (uint32_t i = 0; i < ALL; i++)
		first[i] = (real)(3 * unit(3, i) - 1.5f), p[i] = (double)first[i];
	be->upload(be, l->param, first, sizeof first);
	for (uint32_t i = 0; i < N * V; i++)
		rows[i] = (real)(gaussian ? 3 * unit(4, i) - 1.5f : unit(4, i));
	for (uint32_t r = 0; r < N; r++) {
		double v[V], h[H], flipped[V];
		for (int i = 0; i < V; i++)
			flipped[i] = v[i] = (double)rows[r * V + (uint32_t)i];
		uint32_t which = philox_below(philox(a.seed, PHILOX_FLIP, 6, r, 0).v[0], V);
		flipped[which] = 1 - flipped[which];
		hidden(p, v, h);
		for (int i = 0; i < V; i++) {
			double z = p[NW + H + i];
			for (int j = 0; j < H; j++)
				z += h[j] * p[j * V + i];
			want[0] += gaussian ? pow(z - v[i], 2) / 2 : -v[i] * log(sigmoid(z)) - (1 - v[i]) * log(1 - sigmoid(z));
		}
		want[1] += free_energy(p, v, gaussian);
		want[2] += V * log(sigmoid(free_energy(p, flipped, gaussian) - free_energy(p, v, gaussian)));
	}
	struct rows x = {.n = N, .V = V, .memory = rows}, y = {.n = N, .V = H, .memory = codes};
	pretrain_measure(l, &x, 6, got);
	for (int i = 0; i < 2 + !gaussian; i++)
		ck_assert_msg(
			fabs(got[i] - want[i] / N) < 1e-5 * (1 + fabs(want[i] / N)), "%s: %g, not %g", rbm.figure[i], got[i], want[i] / N);
	ck_assert(isnan(got[2]) == gaussian);
	pretrain_codes(l, &x, &y);
	for (int r = 0; r < N; r++) {
		double v[V], h[H];
		for (int i = 0; i < V; i++)
			v[i] = (double)rows[r * V + i];
		hidden(p, v, h);
		for (int j = 0; j < H; j++)
			ck_assert_double_eq_tol((double)codes[r * H + j], h[j], 1e-6);
	}
	pretrain_free(l);
	be->close(be);
}
END_TEST

/* Mean log-likelihood of the rows: free energies against the sum over all visible states. */
static double likelihood(const double *p, const double *x, int n)
{
	double z = 0, sum = 0;
	for (int state = 0; state < 1 << V; state++) {
		double v[V];
		for (int i = 0; i < V; i++)
			v[i] = state >> i & 1;
		z += exp(-free_energy(p, v, 0));
	}
	for (int r = 0; r < n; r++)
		sum -= free_energy(p, x + r * V, 0);
	return sum / n - log(z);
}

/* Four patterns, each a quarter of the data: the best likelihood is -log 4. What is alike in each pixel alone can't be told from noise: the
 * pixels' means by themselves reach -7 log 2. More than half of the way between them is learnt. */
START_TEST(learns)
{
	enum { ROWS = 64 };
	static const char *const pattern[] = {"1110000", "0001111", "1010101", "0101010"};
	struct pretrain_options a = {
		.batch = 64, .learning_rate = 0.05f, .steps = _i % 2 ? 5 : 1, .persistent = _i % 2, .momentum = 0.5f, .seed = 5};
	struct backend *be = backend_init_by_name("ref", 1, PRECISION_FP32);
	struct pretrain_layer *l = pretrain_new(&rbm, be, V, H, ROWS, 0, &a);
	uint8_t image[ROWS * V];
	double x[ROWS * V], p[ALL];
	for (int i = 0; i < ROWS * V; i++)
		image[i] = pattern[i / V % 4][i % V] == '1' ? 255 : 0, x[i] = image[i] / 255;
	uint8_t *bytes = be->alloc(be, sizeof image);
	be->upload(be, bytes, image, sizeof image);
	pretrain_from(l, bytes, NULL);
	for (uint32_t e = 1; e <= 4000; e++)
		pretrain_epoch(l, e);
	real got[ALL];
	be->download(be, got, l->param, sizeof got);
	for (int i = 0; i < ALL; i++)
		p[i] = (double)got[i];
	double is = likelihood(p, x, ROWS);
	ck_assert_msg(is > -(log(4) + 7 * log(2)) / 2 && is < -log(4), "the log-likelihood is %g, at best %g", is, -log(4));
	be->release(be, bytes);
	pretrain_free(l);
	be->close(be);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("rbm");
	TCase *t = tcase_create("rbm");
	suite_add_tcase(s, t);
	tcase_set_timeout(t, 60);
	tcase_add_loop_test(t, epochs, 0, (strcmp(backend_name(), "cuda") ? 8 : 4) * KINDS);
	tcase_add_loop_test(t, figures, 0, 4);
	tcase_add_loop_test(t, learns, 0, 2);
	SRunner *r = srunner_create(s);
	srunner_run_all(r, CK_ENV);
	int failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed != 0;
}
