/* Principal components: against eigenvectors by Jacobi rotations here, on sets whose covariance is known, what reconstruction loses, both
 * ways of finding them, any number of threads; the models made of them. */
#include <check.h>
#include <limits.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/base/philox.h"
#include "lib/pca/eigen.h"
#include "lib/pca/images.h"
#include "lib/pca/pca_model.h"
#include "lib/predict/infer.h"
#include "tests/backend_of_test.h"
#include "tests/child.h"

static double unit(uint32_t what, uint32_t i)
{
	return (double)philox_uniform(philox(17, PHILOX_TEST, what, i, 0).v[0]);
}

/* Images of `waves` waves of falling size about grey, and a little noise. */
static uint8_t *waves(int rows, int pixels, int waves, double noise)
{
	uint8_t *x = malloc((size_t)rows * (size_t)pixels);
	for (int r = 0; r < rows; r++)
		for (int i = 0; i < pixels; i++) {
			double v = 128 + noise * (unit(1, (uint32_t)(r * pixels + i)) - 0.5);
			for (int k = 0; k < waves; k++)
				v += 70 * pow(0.8, k) * (unit(2, (uint32_t)(r * waves + k)) - 0.5) *
				     cos(M_PI * (k + 1) * (i + 0.5) / pixels);
			x[r * pixels + i] = (uint8_t)(v < 0 ? 0 : v > 255 ? 255 : lrint(v));
		}
	return x;
}

/* The covariance of pixels, as it is defined. */
static double *covariance(const uint8_t *x, int rows, int pixels)
{
	double *mean = calloc((size_t)pixels, sizeof *mean), *c = calloc((size_t)pixels * (size_t)pixels, sizeof *c);
	for (int i = 0; i < rows * pixels; i++)
		mean[i % pixels] += (double)x[i] / rows;
	for (int r = 0; r < rows; r++)
		for (int i = 0; i < pixels; i++)
			for (int j = 0; j < pixels; j++)
				c[i * pixels + j] += (x[r * pixels + i] - mean[i]) * (x[r * pixels + j] - mean[j]) / (rows - 1);
	free(mean);
	return c;
}

/* Eigenvalues on the diagonal of a, eigenvectors as columns of v, by Jacobi rotations (Golub and Van Loan, 8.5). */
static void jacobi(double *a, double *v, int n)
{
	for (int i = 0; i < n * n; i++)
		v[i] = i % (n + 1) == 0;
	for (int sweep = 0; sweep < 12; sweep++)
		for (int p = 0; p < n; p++)
			for (int q = p + 1; q < n; q++) {
				if (fabs(a[p * n + q]) < 1e-300)
					continue;
				double tau = (a[q * n + q] - a[p * n + p]) / (2 * a[p * n + q]);
				double t = (tau >= 0 ? 1 : -1) / (fabs(tau) + sqrt(1 + tau * tau)), c = 1 / sqrt(1 + t * t), s = t * c;
				for (int i = 0; i < n; i++) {
					double x = a[i * n + p], y = a[i * n + q];
					a[i * n + p] = c * x - s * y, a[i * n + q] = s * x + c * y;
				}
				for (int i = 0; i < n; i++) {
					double x = a[p * n + i], y = a[q * n + i];
					a[p * n + i] = c * x - s * y, a[q * n + i] = s * x + c * y;
				}
				for (int i = 0; i < n; i++) {
					double x = v[i * n + p], y = v[i * n + q];
					v[i * n + p] = c * x - s * y, v[i * n + q] = s * x + c * y;
				}
			}
}

/* The ways of finding components: all eigenvalues of products of all with all, leading ones of these, and by products with the images. */
enum { WHOLE, MATRIX, IMAGES, WAYS };

static struct pca *fit(const uint8_t *x, int rows, int pixels, int k, double energy, int way, int threads)
{
	struct pca_options o = {.k = k, .energy = energy, .threads = threads, .seed = 3};
	o.whole = way == WHOLE ? INT_MAX : 0, o.matrix = way == IMAGES ? 0 : INT_MAX;
	return pca_fit(x, (uint32_t)rows, pixels, &o, "x.tns");
}

/* Values and vectors, all ways of finding them (_i), are those by rotations. */
START_TEST(rotations)
{
	static const int rows[] = {60, 257, 13}, pixels[] = {23, 70, 40};
	for (int at = 0; at < 3; at++) {
		int n = pixels[at], k = at == 2 ? 12 : 6;
		uint8_t *x = waves(rows[at], n, 14, 4);
		double *c = covariance(x, rows[at], n), *v = malloc((size_t)(n * n) * sizeof *v), total = 0;
		jacobi(c, v, n);
		struct pca *p = fit(x, rows[at], n, k, 0, _i, 2);
		ck_assert(p->k == k && p->pixels == n);
		for (int i = 0; i < n; i++)
			total += c[i * n + i];
		ck_assert_double_eq_tol(p->total, total, 1e-9 * total);
		for (int a = 0; a < k; a++) {
			int best = a; /* the a-th largest of what is left */
			for (int i = 0, taken; i < n; i++) {
				taken = 0;
				for (int b = 0; b < n; b++)
					taken += c[b * n + b] > c[i * n + i];
				if (taken == a)
					best = i;
			}
			ck_assert_double_eq_tol(p->variance[a], c[best * n + best], 1e-8 * c[best * n + best]);
			double *u = p->component + a * n, sign = 0, largest = 0;
			for (int i = 0; i < n; i++) {
				sign += u[i] * v[i * n + best];
				largest = fabs(u[i]) > fabs(largest) ? u[i] : largest;
			}
			ck_assert_double_gt(largest, 0);
			for (int i = 0; i < n; i++)
				ck_assert_double_eq_tol(u[i], copysign(v[i * n + best], sign * v[i * n + best]), 1e-6);
		}
		pca_free(p);
		free(x), free(c), free(v);
	}
}
END_TEST

/* Eight rows, 128 +- 40 +- 20 +- 6 along three orthogonal patterns of four pixels: the variance along each is (2 a)^2 8 / 7. */
START_TEST(known)
{
	static const int pattern[3][4] = {{1, 1, -1, -1}, {-1, 1, 1, -1}, {1, -1, 1, -1}}, a[3] = {40, 20, 6};
	uint8_t x[8 * 4];
	for (int r = 0; r < 8; r++)
		for (int i = 0; i < 4; i++)
			x[4 * r + i] = (uint8_t)(128 + a[0] * pattern[0][i] * (r & 1 ? 1 : -1) + a[1] * pattern[1][i] * (r & 2 ? 1 : -1) +
						 a[2] * pattern[2][i] * (r & 4 ? 1 : -1));
	struct pca *p = fit(x, 8, 4, 3, 0, _i, 1);
	for (int k = 0; k < 3; k++) {
		ck_assert_double_eq_tol(p->variance[k], 4.0 * a[k] * a[k] * 8 / 7, 1e-9 * p->variance[k]);
		for (int i = 0; i < 4; i++) /* signs: up to rounding all four are of one size, so any of them may be the largest */
			ck_assert_double_eq_tol(p->component[4 * k + i] * pattern[k][i] * pattern[k][0], p->component[4 * k], 1e-9);
		ck_assert_double_eq_tol(fabs(p->component[4 * k]), 0.5, 1e-9);
	}
	for (int i = 0; i < 4; i++)
		ck_assert_double_eq(p->mean[i], 128);
	ck_assert_double_eq_tol(pca_explained(p, 1), 1600.0 / 2036, 1e-12);
	ck_assert_double_eq_tol(pca_explained(p, 3), 1, 1e-12);
	pca_free(p);
	/* the share that is asked for decides how many: 1600, 400 and 36 of 2036 */
	static const double energy[] = {0.5, 0.785, 0.787, 0.98, 0.983, 1};
	static const int want[] = {1, 1, 2, 2, 3, 3};
	for (int e = 0; e < 6; e++) {
		p = fit(x, 8, 4, 0, energy[e], _i, 1);
		ck_assert_int_eq(p->k, want[e]);
		pca_free(p);
	}
}
END_TEST

/* What is lost by k components is the sum of the variances that are left, as each row's squared error, and nothing of all of them. */
START_TEST(loss)
{
	enum { ROWS = 50, N = 30, K = 7 };
	uint8_t *x = waves(ROWS, N, 9, 30);
	struct pca *all = fit(x, ROWS, N, N, 0, WHOLE, 1), *p = fit(x, ROWS, N, K, 0, _i, 1);
	double left = 0, error = 0;
	for (int k = K; k < N; k++)
		left += all->variance[k];
	for (int r = 0; r < ROWS; r++) {
		double code[K] = {0};
		for (int k = 0; k < K; k++)
			for (int i = 0; i < N; i++)
				code[k] += p->component[k * N + i] * (x[r * N + i] - p->mean[i]);
		for (int i = 0; i < N; i++) {
			double v = p->mean[i];
			for (int k = 0; k < K; k++)
				v += p->component[k * N + i] * code[k];
			error += (v - x[r * N + i]) * (v - x[r * N + i]);
		}
	}
	ck_assert_double_eq_tol(error / (ROWS - 1), left, 1e-7 * left);
	ck_assert_double_eq_tol(pca_explained(p, K), 1 - left / p->total, 1e-9);
	ck_assert_double_eq_tol(pca_explained(all, N), 1, 1e-9);
	pca_free(all), pca_free(p);
	free(x);
}
END_TEST

/* More pixels, and more rows, than a tile, and than a block of vectors; more rows than pixels, and fewer (_i): all ways agree; the seed
 * hardly matters, threads not at all. */
START_TEST(ways)
{
	enum { K = 20 };
	int rows = _i ? 520 : 530, n = _i ? 530 : 520;
	uint8_t *x = waves(rows, n, 40, 20);
	struct pca *one[WAYS];
	for (int way = 0; way < WAYS; way++) {
		one[way] = fit(x, rows, n, K, 0, way, 1);
		for (int k = 0; k < K; k++)
			ck_assert_double_eq_tol(one[way]->variance[k], one[0]->variance[k], 1e-9 * one[0]->variance[k]);
		for (int i = 0; i < K * n; i++)
			ck_assert_double_eq_tol(one[way]->component[i], one[0]->component[i], 1e-6);
		for (int threads = 2; threads < 8; threads += 3) {
			struct pca *c = fit(x, rows, n, K, 0, way, threads);
			ck_assert(!memcmp(c->variance, one[way]->variance, K * sizeof *c->variance));
			ck_assert(!memcmp(c->component, one[way]->component, (size_t)(K * n) * sizeof *c->component));
			pca_free(c);
		}
	}
	struct pca_options o = {.energy = pca_explained(one[0], K) - 1e-6, .seed = 9, .threads = 2};
	struct pca *c = pca_fit(x, (uint32_t)rows, n, &o, "x.tns");
	ck_assert_int_eq(c->k, K);
	for (int i = 0; i < K * n; i++)
		ck_assert_double_eq_tol(one[0]->component[i], c->component[i], 1e-6);
	for (int way = 0; way < WAYS; way++)
		pca_free(one[way]);
	pca_free(c);
	free(x);
}
END_TEST

/* Sums of bright pixels, which one thread's would be rounded in float after 1100 of them, are exact, and so is what is left of them without
 * the mean: those of whole numbers here. */
START_TEST(bright)
{
	enum { ROWS = 1100, N = 70 };
	uint8_t *x = malloc(ROWS * N);
	double *s = malloc(N * N * sizeof *s);
	for (int i = 0; i < ROWS * N; i++)
		x[i] = (uint8_t)(250 + 6 * unit(7, (uint32_t)i));
	struct images m = images_new(x, ROWS, N, 1);
	images_scatter(&m, s);
	for (int i = 0; i < N; i++)
		for (int j = 0; j <= i; j++) {
			int64_t products = 0, a = 0, b = 0;
			for (int r = 0; r < ROWS; r++)
				products += x[r * N + i] * x[r * N + j], a += x[r * N + i], b += x[r * N + j];
			ck_assert_double_eq(s[i * N + j], (double)(products * ROWS - a * b) / ROWS);
			ck_assert(s[i * N + j] == s[j * N + i]);
		}
	images_free(&m);
	m = images_new(x, N, ROWS, 1); /* the same bytes as fewer rows of more pixels: products of rows less their mean */
	images_gram(&m, s);
	for (int i = 0; i < N; i++)
		for (int j = 0; j < N; j++) {
			double sum = 0;
			for (int k = 0; k < ROWS; k++)
				sum += (x[i * ROWS + k] - m.mean[k]) * (x[j * ROWS + k] - m.mean[k]);
			ck_assert_double_eq_tol(s[i * N + j], sum, 1e-6);
		}
	images_free(&m);
	free(x), free(s);
	enum { MANY = 3000001 }; /* pixels that never change do not vary, however many rows there are; one that does, does */
	x = malloc(MANY);
	for (int value = 1; value < 256; value += 63) {
		memset(x, value, MANY);
		m = images_new(x, MANY, 1, 1);
		ck_assert_double_eq(m.square[0], 0);
		images_free(&m);
	}
	x[MANY / 2]++;
	m = images_new(x, MANY, 1, 1);
	ck_assert_double_eq_tol(m.square[0], 1 - 1.0 / MANY, 1e-15);
	images_free(&m);
	free(x);
}
END_TEST

/* Pixels that never change have no share in a component, nor do copies of rows add directions. */
START_TEST(few_directions)
{
	enum { ROWS = 90, N = 80, APART = 5 };
	uint8_t *base = waves(APART, N, 8, 60), *x = malloc(ROWS * N);
	for (int i = 0; i < ROWS * N; i++)
		x[i] = i % N % 9 == 4 ? 200 : base[i / N % APART * N + i % N];
	struct pca *p = fit(x, ROWS, N, 0, 1, _i, 2);
	ck_assert_int_eq(p->k, APART - 1);
	for (int i = 0; i < p->k * N; i++)
		ck_assert(i % N % 9 != 4 || fabs(p->component[i]) < 1e-12);
	for (int a = 0; a < p->k; a++)
		for (int b = 0; b <= a; b++) {
			double dot = 0;
			for (int i = 0; i < N; i++)
				dot += p->component[a * N + i] * p->component[b * N + i];
			ck_assert_double_eq_tol(dot, a == b, 1e-9);
		}
	pca_free(p);
	free(x), free(base);
}
END_TEST

struct refused {
	const uint8_t *x;
	int rows, pixels, k, way;
};

static void refuse(void *arg)
{
	const struct refused *r = arg;
	fit(r->x, r->rows, r->pixels, r->k, 1.5, r->way, 1); /* energy: more than there is */
}

START_TEST(refusals)
{
	static const uint8_t grey[60] = {0}, lines[6] = {1, 2, 3, 2, 4, 6},
			     copies[18] = {1, 2, 3, 4, 6, 9, 1, 2, 3, 4, 6, 9, 1, 2, 3, 4, 6, 9};
	static const struct {
		struct refused r;
		const char *why;
	} c[] = {{{grey, 4, 15, 0, 0}, "x.tns: all rows hold the same image, so nothing varies\n"},
		{{lines, 1, 6, 1, 0}, "x.tns: one row alone varies in nothing\n"},
		{{lines, 2, 3, 2, 0}, "x.tns: 2 rows of 3 pixels vary in 1 direction, fewer than --components 2\n"},
		{{copies, 6, 3, 2, 0}, "x.tns: 6 rows of 3 pixels vary in 1 direction, fewer than --components 2\n"},
		{{lines, 3, 2, 3, 0}, "x.tns: 3 rows of 2 pixels vary in 2 directions, fewer than --components 3\n"},
		{{lines, 3, 2, 0, 0}, "x.tns: the components that are found, 2, explain 1 of the variance, less than --energy 1.5\n"}};
	for (size_t i = 0; i < sizeof c / sizeof *c; i++) {
		struct refused r = c[i].r;
		r.way = _i;
		struct child child = child_run(refuse, &r);
		ck_assert_msg(child.status == 1 && strstr(child.err, c[i].why), "'%s': exit %d: %s", c[i].why, child.status, child.err);
	}
}
END_TEST

/* Bright rows, all equal but one that differs by 1: they vary in one direction, whatever is left of the large sums that cancel. */
START_TEST(one_direction)
{
	static const int rows[] = {3001, 20}, pixels[] = {20, 3001};
	for (int at = 0; at < 2; at++) {
		size_t size = (size_t)rows[at] * (size_t)pixels[at];
		uint8_t *x = malloc(size);
		memset(x, 250, size);
		for (int i = 0; i < pixels[at]; i++)
			x[size / 2 / (size_t)pixels[at] * (size_t)pixels[at] + (size_t)i] = (uint8_t)(249 + i % 3);
		struct pca *p = fit(x, rows[at], pixels[at], 0, 1, _i, 1);
		ck_assert_int_eq(p->k, 1);
		ck_assert_double_eq_tol(pca_explained(p, 1), 1, 1e-12);
		pca_free(p);
		struct child child = child_run(refuse, &(struct refused){x, rows[at], pixels[at], 2, _i});
		ck_assert_msg(child.status == 1 && strstr(child.err, " vary in 1 direction, fewer than --components 2\n"), "exit %d: %s",
			child.status, child.err);
		free(x);
	}
}
END_TEST

/* Eigenvalues of higher multiplicity than a block has vectors: row i is pixel i alone, of 200, or 100 from `dim` on. */
static uint8_t *spots(int n, int dim)
{
	uint8_t *x = calloc((size_t)n, (size_t)n);
	for (int i = 0; i < n; i++)
		x[i * n + i] = i < dim ? 200 : 100;
	return x;
}

/* Of N spots: 200^2 / (N - 1), N - 1 times; where DIM alone are that bright, DIM - 1 times, and smaller ones. */
START_TEST(equal_eigenvalues)
{
	enum { N = 210, DIM = 150 };
	uint8_t *x = spots(N, N);
	const double value = 200.0 * 200 / (N - 1);
	struct pca *p = fit(x, N, N, 0, 0.95, _i, 1), *again = fit(x, N, N, 0, 0.95, _i, 3);
	ck_assert_int_eq(p->k, 199); /* 198.55 of 209 */
	ck_assert(again->k == p->k && !memcmp(again->component, p->component, (size_t)(p->k * N) * sizeof *p->component));
	for (int a = 0; a < p->k; a++) {
		ck_assert_double_eq_tol(p->variance[a], value, 1e-9 * value);
		for (int b = 0; b <= a; b++) {
			double dot = 0;
			for (int i = 0; i < N; i++)
				dot += p->component[a * N + i] * p->component[b * N + i];
			ck_assert_double_eq_tol(dot, a == b, 1e-9);
		}
	}
	pca_free(p), pca_free(again);
	p = fit(x, N, N, N - 1, 0, _i, 2);
	ck_assert_double_eq_tol(pca_explained(p, N - 1), 1, 1e-12);
	pca_free(p);
	struct child child = child_run(refuse, &(struct refused){x, N, N, N, _i});
	ck_assert_msg(child.status == 1 && strstr(child.err, " vary in 209 directions, fewer than --components 210\n"), "exit %d: %s",
		child.status, child.err);
	free(x);
	x = spots(N, DIM); /* smaller ones that are found stand for none of the largest that are not */
	for (int k = 100; k < DIM; k += DIM - 1 - 100) {
		p = fit(x, N, N, k, 0, _i, 2);
		for (int a = 0; a < k; a++)
			ck_assert_double_eq_tol(p->variance[a], value, 1e-9 * value);
		pca_free(p);
	}
	free(x);
}
END_TEST

/* ---- models */

/* Codes and reconstructions by the net, of each kind of whitening, are those that the components make; whitened codes have variance 1. */
START_TEST(models)
{
	enum { ROWS = 64, W = 6, H = 5, N = W * H, K = 4 };
	uint8_t *x = waves(ROWS, N, 6, 10);
	enum pca_whiten whiten = (enum pca_whiten)_i;
	struct pca *p = fit(x, ROWS, N, K, 0, WHOLE, 1);
	struct model *m = pca_model(p, W, H, whiten);
	const struct layer *in = &m->d.layer[0];
	ck_assert_str_eq(m->net, whiten == PCA_ZCA ? "fc30 fc30" : "fc4 fc30");
	ck_assert(m->target == TARGET_IMAGE && m->W == W && m->H == H && m->outputs == N);
	int codes = in->OC;
	double *cov = calloc((size_t)(codes * codes), sizeof *cov);
	for (int r = 0; r < ROWS; r++) {
		double code[N], plain[K] = {0};
		for (int k = 0; k < K; k++)
			for (int i = 0; i < N; i++)
				plain[k] += p->component[k * N + i] * (x[r * N + i] - p->mean[i]) / 255;
		for (int c = 0; c < codes; c++) {
			double want = 0;
			code[c] = (double)m->param[in->b + (size_t)c];
			for (int i = 0; i < N; i++)
				code[c] += (double)m->param[in->w + (size_t)(c * N + i)] * x[r * N + i] / 255;
			for (int k = 0; k < K; k++) {
				double d = whiten == PCA_PLAIN ? 1 : sqrt(p->variance[k]) / 255,
				       u = whiten == PCA_ZCA ? p->component[k * N + c] : k == c;
				want += u * plain[k] / d;
			}
			ck_assert_double_eq_tol(code[c], want, 2e-5);
		}
		for (int a = 0; a < codes; a++)
			for (int b = 0; b < codes; b++)
				cov[a * codes + b] += code[a] * code[b] / (ROWS - 1);
	}
	/* covariance of codes: the variances, the identity, or the projection onto the components */
	for (int a = 0; a < codes; a++)
		for (int b = 0; b < codes; b++) {
			double want = a == b ? whiten == PCA_PLAIN ? p->variance[a] / 65025 : 1 : 0;
			if (whiten == PCA_ZCA) {
				want = 0;
				for (int k = 0; k < K; k++)
					want += p->component[k * N + a] * p->component[k * N + b];
			}
			ck_assert_double_eq_tol(cov[a * codes + b], want, 1e-4);
		}
	struct backend *be = backend_here();
	struct infer *f = infer_new(be, &m, 1, 0);
	float out[ROWS * N];
	infer_batch(f, x, ROWS, out, NULL);
	for (int r = 0; r < ROWS; r++)
		for (int i = 0; i < N; i++) {
			double want = p->mean[i] / 255;
			for (int k = 0; k < K; k++) {
				double code = 0;
				for (int j = 0; j < N; j++)
					code += p->component[k * N + j] * (x[r * N + j] - p->mean[j]) / 255;
				want += p->component[k * N + i] * code;
			}
			ck_assert_double_eq_tol((double)out[r * N + i], want, 2e-5);
		}
	infer_free(f), be->close(be);
	model_free(m), pca_free(p);
	free(x), free(cov);
}
END_TEST

/* ---- the solver */

/* A random symmetric matrix, of which the upper triangle is not read: a v = value v, v orthonormal, values falling. */
START_TEST(solver)
{
	for (int n = 1; n < 90; n = 2 * n + 3) {
		size_t size = (size_t)n * (size_t)n;
		double *a = malloc(size * sizeof *a), *v = malloc(size * sizeof *v), *value = malloc((size_t)n * sizeof *value);
		double *copy = malloc(size * sizeof *copy);
		for (int i = 0; i < n; i++)
			for (int j = 0; j <= i; j++)
				a[i * n + j] = a[j * n + i] = unit(5, (uint32_t)(i * n + j)) - 0.5;
		memcpy(copy, a, size * sizeof *v);
		for (int i = 0; i < n; i++)
			for (int j = i + 1; j < n; j++)
				copy[i * n + j] = NAN;
		struct eigen *e = eigen_new(copy, n, value);
		eigen_vectors(e, n, v);
		eigen_vectors(e, n / 2, copy); /* of fewer the same */
		for (int i = 0; i < n / 2 * n; i++)
			ck_assert_double_eq_tol(copy[i], v[i], 1e-13 * n);
		eigen_free(e);
		for (int k = 0; k < n; k++) {
			ck_assert(!k || value[k] <= value[k - 1]);
			for (int i = 0; i < n; i++) {
				double s = 0, dot = 0;
				for (int j = 0; j < n; j++)
					s += a[i * n + j] * v[k * n + j], dot += v[i * n + j] * v[k * n + j];
				ck_assert_double_eq_tol(s, value[k] * v[k * n + i], 1e-12 * n);
				ck_assert_double_eq_tol(dot, i == k, 1e-12 * n);
			}
		}
		free(a), free(v), free(value), free(copy);
	}
	ck_assert_msg(!strncmp(eigen_kernel(), "OpenBLAS 0.", 11) && strstr(eigen_kernel(), ", "), "%s", eigen_kernel());
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("pca");
	TCase *t = tcase_create("pca");
	eigen_begin();
	tcase_set_timeout(t, 60);
	tcase_add_loop_test(t, rotations, 0, WAYS);
	tcase_add_loop_test(t, known, 0, WAYS);
	tcase_add_loop_test(t, loss, 0, WAYS);
	tcase_add_loop_test(t, ways, 0, 2);
	tcase_add_test(t, bright);
	tcase_add_loop_test(t, few_directions, 0, WAYS);
	tcase_add_loop_test(t, refusals, 0, WAYS);
	tcase_add_loop_test(t, one_direction, 0, WAYS);
	tcase_add_loop_test(t, equal_eigenvalues, 0, WAYS);
	tcase_add_loop_test(t, models, 0, 3);
	tcase_add_test(t, solver);
	suite_add_tcase(suite, t);
	SRunner *r = srunner_create(suite);
	srunner_run_all(r, CK_ENV);
	int failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed != 0;
}
