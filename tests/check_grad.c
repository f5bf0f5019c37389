/* The gradient of every layer and loss against central differences, in double, on ref. */
#include <check.h>
#include <math.h>
#include <stdlib.h>

#include "lib/base/err.h"
#include "lib/base/philox.h"
#include "lib/nn/net.h"

static const struct {
	const char *net;
	int C, H, W, B, out;
	enum loss_kind loss;
	int points; /* above 0: the loss is that of heat maps of so many points */
} cases[] = {
	{"fc", 1, 1, 3, 2, 4, LOSS_SQUARED, 0},
	{"fc7 tanh fc", 1, 3, 2, 5, 3, LOSS_SIGMOID, 0},
	{"fc7 sigmoid fc", 1, 3, 2, 5, 3, LOSS_SOFTMAX, 0},
	{"fc9 relu fc5 tanh fc", 2, 2, 2, 3, 2, LOSS_SQUARED, 0},
	{"conv3x3x2 fc", 1, 5, 6, 2, 3, LOSS_SQUARED, 0},
	{"conv2x3x2s2p1 relu conv1x1x3 tanh fc", 2, 5, 7, 3, 2, LOSS_SQUARED, 0},
	{"conv3x3x3s3 sigmoid conv2x1x2p0 fc", 1, 8, 9, 1, 2, LOSS_SIGMOID, 0},
	{"conv3x3x2p1 pool2 relu fc", 1, 5, 7, 2, 3, LOSS_SQUARED, 0},
	{"conv3x3x2p2 pool3 fc", 2, 4, 5, 2, 3, LOSS_SQUARED, 0},
	{"up3 conv3x3x2 tanh up2 conv2x2x2s2", 2, 3, 2, 2, 56, LOSS_SQUARED, 0},
	{"conv3x3x3p1 bn relu fc", 2, 3, 4, 4, 2, LOSS_SQUARED, 0},
	{"fc6 bn tanh fc", 1, 2, 3, 5, 2, LOSS_SIGMOID, 0},
	{"fc8 tanh dropout0.4 fc6 relu dropout0.3 fc", 1, 2, 3, 4, 2, LOSS_SQUARED, 0},
	{"dropout0.5 conv2x2x2 tanh fc", 1, 3, 3, 3, 2, LOSS_SQUARED, 0},
	{"conv3x3x3 relu pool2 conv2x2x2 tanh pool3 fc", 1, 11, 12, 2, 3, LOSS_SQUARED, 0},
	{"conv2x2x3 pool2 sigmoid fc", 2, 5, 6, 3, 2, LOSS_SIGMOID, 0},
	{"conv3x3x4s2p1 relu conv3x3x5s2p1 tanh up2 conv3x3x3p1 sigmoid up2 conv3x3x2p1 relu conv1x1x1", 1, 8, 8, 2, 64, LOSS_SQUARED, 0},
	{"fc8 tanh conv1x1x3 relu up2 conv2x2x2p1 pool2 tanh fc", 1, 2, 2, 3, 2, LOSS_SQUARED, 0},
	{"tanh conv1x1x2 bn sigmoid pool2 fc", 1, 4, 4, 3, 2, LOSS_SOFTMAX, 0},
	{"conv3x3x3p1 bn relu pool2 fc6 bn relu fc", 1, 6, 5, 4, 2, LOSS_SQUARED, 0},
	{"fc5 tanh fc", 1, 2, 3, 3, 4, LOSS_SMOOTH, 0},
	{"fc5 tanh fc", 1, 2, 3, 3, 4, LOSS_WING, 0},
	{"conv3x3x4p1 bn relu conv1x1x2", 1, 5, 6, 3, 60, LOSS_SQUARED, 2},
	{"conv3x3x4s2p1 tanh up2 conv3x3x3p1", 1, 6, 6, 2, 108, LOSS_SMOOTH, 3},
	{"conv3x3x2p1", 1, 7, 5, 2, 70, LOSS_WING, 2},
	/* skips: of a block, nested and long, of the net's input, whose end is the net's, of rows and maps, with dropout's rows between */
	{"conv3x3x3p1 ( conv3x3x3p1 bn tanh conv3x3x3p1 bn )+ relu fc", 1, 5, 4, 3, 2, LOSS_SQUARED, 0},
	{"conv3x3x2p1 tanh ( conv3x3x3s2p1 bn tanh ( conv3x3x3p1 )+ sigmoid ( ( tanh )+ )+ up2 conv3x3x2p1 )+ conv1x1x1", 1, 6, 4, 2, 24,
		LOSS_SQUARED, 0},
	{"( conv3x3x1p1 tanh )+ fc9 ( ( fc5 tanh fc9 )+ sigmoid fc9 )+", 1, 5, 4, 3, 9, LOSS_SQUARED, 0},
	{"conv2x2x5s2 ( dropout0.3 tanh )+ ( fc5 bn )+ tanh ( conv1x1x5 )+ fc7 ( conv1x1x7 relu )+ conv1x1x3", 1, 2, 3, 4, 3, LOSS_SOFTMAX,
		0},
	{"conv3x3x3 tanh ( dropout0.2 )+ ( pool1 dropout0.1 conv1x1x3 )+ pool2 ( bn relu )+ fc", 1, 6, 7, 3, 2, LOSS_SQUARED, 0},
	{"conv3x3x2p2d2 tanh conv2x3x3s2d2 sigmoid up2 conv3x2x2d3 fc", 1, 9, 9, 2, 3, LOSS_SQUARED, 0},
	{"conv3x3x2s2p1 ( tanh )+ up2 ( conv3x3x2p1 )+ tanh ( conv3x3x2p1 bn )+", 1, 6, 6, 2, 72, LOSS_SMOOTH, 2},
};

struct setting {
	struct backend *be;
	struct netdesc d;
	struct net *n;
	real *x, *t, *w, *dz;
	double *loss;
	uint32_t rows[8];
	int B, out, points;
	enum loss_kind kind;
};

static double normal(uint32_t what, uint32_t i)
{
	struct philox p = philox(7, PHILOX_TEST, what, i, 0);
	return (double)philox_normal(p.v[0], p.v[1]);
}

static struct netdesc descriptions[40]; /* too large for a test's stack frame */

static void set_up(struct setting *s, int i)
{
	char err[256];
	struct netdesc *d = &descriptions[i];
	*s = (struct setting){.B = cases[i].B, .out = cases[i].out, .kind = cases[i].loss, .points = cases[i].points};
	ck_assert_msg(!netdesc_parse(d, cases[i].net, cases[i].C, cases[i].H, cases[i].W, (struct netdesc_target){s->out, s->out}, err),
		"%s", err);
	s->be = backend_init_by_name("ref", 1, PRECISION_FP32);
	s->n = net_new(s->be, d, s->B, NET_GRADIENT);
	real *stat = xcalloc(d->nstat + 1, sizeof *stat);
	netdesc_init_params(d, 3, s->n->param, stat);
	for (size_t k = 0; k < d->nparam; k++)
		s->n->param[k] += 0.1 * normal(1, (uint32_t)k);
	free(stat);
	size_t in = (size_t)s->B * (size_t)(d->C * d->H * d->W);
	s->x = xcalloc(in, sizeof *s->x), s->t = xcalloc((size_t)(s->B * s->out), sizeof *s->t);
	s->dz = xcalloc((size_t)(s->B * s->out), sizeof *s->dz), s->loss = xcalloc((size_t)s->B, sizeof *s->loss);
	for (size_t k = 0; k < in; k++)
		s->x[k] = normal(2, (uint32_t)k);
	for (int k = 0; k < s->B * s->out; k++)
		s->t[k] = s->kind < LOSS_SIGMOID    ? normal(3, (uint32_t)k)
			  : s->kind == LOSS_SIGMOID ? (double)philox_uniform((uint32_t)k * 0x9E3779B9u)
						    : k % s->out;
	s->w = xcalloc((size_t)(s->B * s->out), sizeof *s->w);
	for (int k = 0; k < s->B * s->out; k++)
		s->w[k] = 0.5 + (double)philox_uniform((uint32_t)k * 0x85EBCA6Bu);
	for (int k = 0; s->points && k < 2 * s->B * s->points; k++)
		s->t[k] = (0.1 + 0.8 * (double)philox_uniform((uint32_t)k * 0x9E3779B9u)) *
			  (k % 2 ? d->layer[d->n - 1].OH : d->layer[d->n - 1].OW);
	if (s->kind != LOSS_SOFTMAX)
		s->t[1] = NAN; /* a missing label */
	for (uint32_t b = 0; b < 8; b++)
		s->rows[b] = 40 + b;
}

static double loss_now(struct setting *s, int gradient)
{
	struct net_pass pass = {1, s->rows, 11, 5};
	double sum = 0;
	real *z = net_forward(s->n, s->x, s->B, &pass);
	const struct loss l = {s->kind, 0.8, 0.3, 0.25};
	const struct layer *last = &s->n->d->layer[s->n->d->n - 1];
	if (s->points)
		s->be->heatmap_loss(s->be, &(struct heatmap_loss){s->points, last->OH, last->OW, 1.2, 0.6, l}, s->loss,
			gradient ? s->dz : NULL, NULL, z, s->t, s->w, s->B);
	else
		s->be->loss(s->be, &l, s->loss, gradient ? s->dz : NULL, z, s->t, s->kind == LOSS_SOFTMAX ? NULL : s->w, s->B, s->out);
	for (int b = 0; b < s->B; b++)
		sum += 0.25 * s->loss[b];
	if (gradient)
		net_backward(s->n, s->x, s->dz, s->B, &pass, NULL);
	return sum;
}

START_TEST(gradients)
{
	struct setting s;
	double worst = 0;
	set_up(&s, _i);
	const struct netdesc *d = s.n->d;
	loss_now(&s, 1);
	for (size_t k = 0; k < d->nparam; k++) {
		real old = s.n->param[k], h = 1e-5;
		s.n->param[k] = old + h;
		double up = loss_now(&s, 0);
		s.n->param[k] = old - h;
		double down = loss_now(&s, 0);
		s.n->param[k] = old;
		double want = (up - down) / (2 * h), got = s.n->grad[k], err = fabs(got - want) / (fabs(want) + fabs(got) + 1e-2);
		worst = err > worst ? err : worst;
		ck_assert_msg(err < 1e-6, "%s: parameter %zu: %.9g, by differences %.9g", cases[_i].net, k, got, want);
	}
	free(s.x), free(s.t), free(s.w), free(s.dz), free(s.loss);
	net_free(s.n);
	s.be->close(s.be);
}
END_TEST

/* A small step of all parameters against the gradient lowers the loss by the step times the gradient's squared norm. */
START_TEST(direction)
{
	struct setting s;
	set_up(&s, _i);
	size_t n = s.n->d->nparam;
	double before = loss_now(&s, 1), expected = 0, h = 1e-6;
	for (size_t k = 0; k < n; k++)
		expected += s.n->grad[k] * s.n->grad[k];
	s.be->optimizer_step(
		s.be, s.n->param, s.n->grad, NULL, NULL, n, &(struct optimizer_step){.kind = OPTIMIZER_SGD, .learning_rate = h});
	double got = (before - loss_now(&s, 0)) / h;
	ck_assert_msg(fabs(got - expected) <= 1e-3 * expected + 1e-6, "%s: %g, not %g", cases[_i].net, got, expected);
	free(s.x), free(s.t), free(s.w), free(s.dz), free(s.loss);
	net_free(s.n);
	s.be->close(s.be);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("grad");
	TCase *t = tcase_create("grad");
	int n = sizeof cases / sizeof *cases;
	tcase_add_loop_test(t, gradients, 0, n);
	tcase_add_loop_test(t, direction, 0, n);
	suite_add_tcase(suite, t);
	SRunner *r = srunner_create(suite);
	srunner_run_all(r, CK_ENV);
	int failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed != 0;
}
