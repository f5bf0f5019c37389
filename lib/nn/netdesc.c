/* The parser of net descriptions (a token a layer, shapes inferred from layer to layer), fusion, batch-norm folding, initialisation. */
#include <limits.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/err.h"
#include "lib/base/philox.h"
#include "lib/nn/layer_alias.h"
#include "lib/nn/netdesc.h"
#include "lib/nn/netdesc_text.h"

struct cursor {
	const char *s;
	int bad;
};

static int accept(struct cursor *c, const char *word)
{
	size_t n = strlen(word);
	if (strncmp(c->s, word, n))
		return 0;
	c->s += n;
	return 1;
}

/* Reads a whole number from min to 1,000,000; sets bad where there is none. */
static int number(struct cursor *c, int min)
{
	long v = 0;
	if (*c->s < '0' || *c->s > '9')
		c->bad = 1;
	for (; *c->s >= '0' && *c->s <= '9'; c->s++)
		v = v > 1000000 ? v : 10 * v + (*c->s - '0');
	if (v < min || v > 1000000)
		c->bad = 1;
	return (int)v;
}

static int is_digit(const struct cursor *c)
{
	return *c->s >= '0' && *c->s <= '9';
}

static int parse_conv(struct cursor *c, struct layer *l, struct netdesc_target target)
{
	l->kind = LAYER_CONV;
	l->KH = number(c, 1);
	if (!accept(c, "x"))
		return -1;
	l->KW = number(c, 1);
	l->OC = accept(c, "x") ? number(c, 1) : target.channels;
	l->S = accept(c, "s") ? number(c, 1) : 1;
	l->P = accept(c, "p") ? number(c, 0) : 0;
	l->D = accept(c, "d") ? number(c, 1) : 1;
	long reach = (l->KH < l->KW ? l->KH : l->KW) - 1L;
	if (l->P > reach * l->D) /* a window in the padding alone sees no input */
		c->bad = 1;
	return 0;
}

static int parse_token(const char *token, struct layer *l, struct netdesc_target target)
{
	struct cursor c = {token, 0};
	if (accept(&c, "conv")) {
		if (parse_conv(&c, l, target) < 0)
			return -1;
	} else if (accept(&c, "pool")) {
		l->kind = LAYER_POOL, l->KH = number(&c, 1);
		c.bad |= l->KH > 15;
	} else if (accept(&c, "up")) {
		l->kind = LAYER_UP, l->KH = number(&c, 1);
		c.bad |= l->KH > 1024;
	} else if (accept(&c, "fc")) {
		l->kind = LAYER_DENSE, l->OC = is_digit(&c) ? number(&c, 1) : target.values;
	} else if (accept(&c, "bn")) {
		l->kind = LAYER_BN;
	} else if (accept(&c, "dropout")) {
		char *end;
		l->kind = LAYER_DROPOUT;
		c.bad |= !is_digit(&c);
		size_t len = strspn(c.s, "0123456789.");
		l->p = strtof(c.s, &end);
		c.bad |= end != c.s + len || !(l->p < 1);
		c.s = end;
	} else if (accept(&c, "(")) {
		l->kind = LAYER_SKIP, l->fused = 1;
	} else if (accept(&c, ")+")) {
		l->kind = LAYER_ADD;
	} else {
		l->kind = LAYER_ACT;
		l->act = accept(&c, "relu") ? ACT_RELU : accept(&c, "tanh") ? ACT_TANH : accept(&c, "sigmoid") ? ACT_SIGMOID : ACT_NONE;
		c.bad |= l->act == ACT_NONE;
	}
	return c.bad || *c.s ? -1 : 0;
}

/* Sets the output shape and the offsets and counts of the parameters; -1 where the layer does not fit its input. */
static int infer_shape(struct netdesc *d, struct layer *l)
{
	long OC = l->C, OH = l->H, OW = l->W;
	size_t nw = 0, nb = 0;
	switch (l->kind) {
	case LAYER_CONV:
		OC = l->OC;
		OH = l->H + 2L * l->P - (l->KH - 1L) * l->D - 1, OW = l->W + 2L * l->P - (l->KW - 1L) * l->D - 1;
		if (OH < 0 || OW < 0 || (double)l->C * (l->H + 2.0 * l->P) * (l->W + 2.0 * l->P) > INT_MAX)
			return -1;
		OH = OH / l->S + 1, OW = OW / l->S + 1;
		nw = (size_t)OC * (size_t)l->C, nb = (size_t)OC;
		if (__builtin_mul_overflow(nw, (size_t)l->KH * (size_t)l->KW, &nw))
			return -1;
		break;
	case LAYER_DENSE:
		OC = l->OC, OH = OW = 1;
		nw = (size_t)l->C * (size_t)l->H * (size_t)l->W, nb = (size_t)OC;
		if (__builtin_mul_overflow(nw, (size_t)OC, &nw))
			return -1;
		break;
	case LAYER_POOL:
		OH /= l->KH, OW /= l->KH;
		break;
	case LAYER_UP:
		OH *= l->KH, OW *= l->KH;
		break;
	case LAYER_BN:
		nw = nb = (size_t)OC;
		l->run = d->nstat;
		d->nstat += 2 * (size_t)OC;
		break;
	case LAYER_DROPOUT:
	case LAYER_ACT:
	case LAYER_SKIP:
	case LAYER_ADD:
		break;
	}
	if (OH < 1 || OW < 1 || OC * OH > INT_MAX || OC * OH * OW > INT_MAX || OW > INT_MAX || nw > (size_t)1 << 40)
		return -1;
	l->OC = (int)OC, l->OH = (int)OH, l->OW = (int)OW;
	l->w = d->nparam, l->nw = nw;
	l->b = l->w + nw, l->nb = nb;
	d->nparam += nw + nb;
	return 0;
}

/* Marks the layers that a neighbour computes; see netdesc.h. */
static void fuse(struct netdesc *d)
{
	for (int i = 0; i < d->n; i++) {
		struct layer *l = &d->layer[i], *next = l + 1, *end = d->layer + d->n;
		if (l->fused || (l->kind != LAYER_DENSE && l->kind != LAYER_CONV && l->kind != LAYER_BN && l->kind != LAYER_ADD))
			continue;
		if (l->kind == LAYER_CONV && i > 1 && l->S == 1 && l->D == 1 && next[-2].kind == LAYER_UP && next[-2].KH == 2)
			l->upsample = 2, next[-2].fused = 1;
		if (l->kind == LAYER_BN && (next == end || next->kind != LAYER_ACT || next->act != ACT_RELU))
			continue;
		if (next < end && next->kind == LAYER_ACT)
			l->act = next->act, next->fused = 1, next++;
		if (l->kind == LAYER_CONV && next < end && next->kind == LAYER_POOL) {
			l->pool = next->KH, next->fused = 1, next++;
			if (l->act == ACT_NONE && next < end && next->kind == LAYER_ACT)
				l->act = next->act, next->fused = 1;
		}
	}
}

/* A refusal, of layer i from 0, or of none (-1). */
static int refuse(struct netdesc *d, int i, char err[256], const char *fmt, ...) __attribute__((format(printf, 4, 5)));
static int refuse(struct netdesc *d, int i, char err[256], const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	vsnprintf(err, 256, fmt, ap);
	va_end(ap);
	d->fault = i;
	return -1;
}

/* The last ( before layer i that is still open there, or -1. */
static int open_skip(const struct netdesc *d, int i)
{
	for (i--; i >= 0 && d->layer[i].kind != LAYER_SKIP; i--)
		if (d->layer[i].kind == LAYER_ADD)
			i = d->layer[i].skip;
	return i;
}

/* Finds the ( of the )+ that layer i is, and compares what both have; -1 where they don't fit. */
static int close_skip(struct netdesc *d, int i, char err[256])
{
	struct layer *l = &d->layer[i];
	l->skip = open_skip(d, i);
	if (l->skip < 0)
		return refuse(d, i, err, "layer %d: )+ has no ( before it", i + 1);
	if (l->skip == i - 1)
		return refuse(d, i, err, "layer %d: there is nothing between )+ and its (", i + 1);
	const struct layer *skip = &d->layer[l->skip];
	if (l->C != skip->C || l->H != skip->H || l->W != skip->W)
		return refuse(d, i, err, "layer %d: )+ can't add %dx%dx%d to the %dx%dx%d (CxHxW) at its (, layer %d", i + 1, l->C, l->H,
			l->W, skip->C, skip->H, skip->W, l->skip + 1);
	return 0;
}

int netdesc_parse(struct netdesc *d, const char *text, int C, int H, int W, struct netdesc_target target, char err[256])
{
	memset(d, 0, sizeof *d);
	d->C = C, d->H = H, d->W = W;
	if ((long)C * H > INT_MAX || (long)C * H * W > INT_MAX)
		return refuse(d, -1, err, "the input of %dx%dx%d (CxHxW) is too large", C, H, W);
	size_t len;
	for (const char *word; (word = netdesc_text_word(&text, &len));) {
		char token[64];
		snprintf(token, sizeof token, "%.*s", (int)(len < 60 ? len : 60), word);
		if (d->n == NETDESC_LAYERS)
			return refuse(d, d->n, err, "the net has more than %d layers", NETDESC_LAYERS);
		struct layer *l = &d->layer[d->n];
		l->C = C, l->H = H, l->W = W, l->upsample = l->pool = 1;
		if (len > 60 || parse_token(token, l, target) < 0)
			return refuse(d, d->n, err, "layer %d: '%s' is no layer%s", d->n + 1, token,
				layer_alias_hint(token, (char[LAYER_ALIAS_HINT]){0}));
		if (infer_shape(d, l) < 0)
			return refuse(d, d->n, err, "layer %d: %s does not fit its input of %dx%dx%d (CxHxW)", d->n + 1, token, C, H, W);
		if (l->kind == LAYER_ADD && close_skip(d, d->n, err) < 0)
			return -1;
		C = l->OC, H = l->OH, W = l->OW;
		d->n++;
	}
	int open = open_skip(d, d->n);
	if (!d->n)
		return refuse(d, -1, err, "the net has no layers");
	if (open >= 0)
		return refuse(d, open, err, "layer %d: ( has no )+ after it", open + 1);
	fuse(d);
	d->outputs = C * H * W;
	if (target.channels != target.values && C == target.channels && H * W > 1)
		return 0;
	if (d->outputs != target.values && target.channels != target.values)
		return refuse(
			d, d->n - 1, err, "the net ends with %dx%dx%d values (CxHxW), the target is %d maps", C, H, W, target.channels);
	if (d->outputs != target.values && H * W > 1)
		return refuse(d, d->n - 1, err, "the net ends with %dx%dx%d values (CxHxW), the target has %d", C, H, W, target.values);
	if (d->outputs != target.values)
		return refuse(d, d->n - 1, err, "the net ends with %d values, the target has %d", d->outputs, target.values);
	return 0;
}

/* Layers that change no sign. */
static int keeps_signs(const struct layer *l)
{
	return l->kind == LAYER_DROPOUT || l->kind == LAYER_POOL || l->kind == LAYER_UP || l->kind == LAYER_SKIP;
}

/* Of each layer, whether its output is nowhere below 0: that of relu and sigmoid, and a sum of two such. */
static void find_halves(const struct netdesc *d, char half[NETDESC_LAYERS])
{
	for (int i = 0; i < d->n; i++) {
		const struct layer *l = &d->layer[i];
		int x = i > 0 && half[i - 1];
		half[i] = (char)(keeps_signs(l)		? x
				 : l->kind == LAYER_ADD ? x && half[l->skip]
							: l->kind == LAYER_ACT && l->act != ACT_TANH);
	}
}

int netdesc_idle(const struct netdesc *d)
{
	char half[NETDESC_LAYERS];
	find_halves(d, half);
	for (int i = 1; i < d->n; i++)
		if (d->layer[i].kind == LAYER_ACT && d->layer[i].act == ACT_RELU && half[i - 1])
			return i;
	return -1;
}

int netdesc_half(const struct netdesc *d)
{
	char half[NETDESC_LAYERS];
	int i = d->n - 1;
	find_halves(d, half);
	if (!half[i])
		return -1;
	while (keeps_signs(&d->layer[i]))
		i--;
	return i;
}

void netdesc_fold(struct netdesc *d)
{
	int folded = 0;
	for (int i = 0; i + 1 < d->n; i++) {
		struct layer *l = &d->layer[i], *bn = l + 1;
		if ((l->kind != LAYER_CONV && l->kind != LAYER_DENSE) || bn->kind != LAYER_BN || l->act != ACT_NONE || l->pool > 1)
			continue;
		l->bn = i + 1, bn->fused = 1, folded = 1;
		if (bn->act != ACT_NONE)
			l->act = bn->act, bn->act = ACT_NONE;
	}
	if (folded)
		for (int i = 0; i < d->n; i++) { /* fuse a pool that the folding made a neighbour */
			struct layer *l = &d->layer[i];
			int k = i + 1;
			while (k < d->n && d->layer[k].fused && d->layer[k].kind != LAYER_UP && d->layer[k].kind != LAYER_SKIP)
				k++;
			if (l->bn && l->kind == LAYER_CONV && k < d->n && d->layer[k].kind == LAYER_POOL && !d->layer[k].fused)
				l->pool = d->layer[k].KH, d->layer[k].fused = 1;
		}
}

void netdesc_fold_weights(const struct netdesc *d, real *param, const real *stat)
{
	for (int i = 0; i < d->n; i++) {
		const struct layer *l = &d->layer[i], *bn = l + 1;
		if (!l->bn)
			continue;
		size_t in = l->nw / (size_t)l->OC;
		for (size_t c = 0; c < (size_t)l->OC; c++) {
			double mean = (double)stat[bn->run + c], var = (double)stat[bn->run + (size_t)l->OC + c];
			double scale = (double)param[bn->w + c] / sqrt(var + NETDESC_BN_EPS);
			for (size_t k = 0; k < in; k++)
				param[l->w + c * in + k] = (real)((double)param[l->w + c * in + k] * scale);
			param[l->b + c] = (real)(((double)param[l->b + c] - mean) * scale + (double)param[bn->b + c]);
		}
	}
}

double netdesc_flops(const struct netdesc *d)
{
	double sum = 0;
	for (int i = 0; i < d->n; i++)
		if (d->layer[i].kind == LAYER_CONV || d->layer[i].kind == LAYER_DENSE)
			sum += 2.0 * (double)d->layer[i].nw * d->layer[i].OH * d->layer[i].OW;
	return sum;
}

int netdesc_geometry(const struct netdesc *d, int y, double *stride, double *first)
{
	double a = 1, b = 0; /* input = a u + b */
	for (int i = 0; i < d->n; i++) {
		const struct layer *l = &d->layer[i];
		int K = l->kind == LAYER_CONV && !y ? l->KW : l->KH;
		if (l->kind == LAYER_DENSE)
			return 0;
		if (l->kind == LAYER_CONV)
			b += a * ((K - 1) * l->D / 2.0 - l->P), a *= l->S;
		else if (l->kind == LAYER_POOL)
			b += a * (K - 1) / 2.0, a *= K;
		else if (l->kind == LAYER_UP)
			a /= K, b -= a * (K - 1) / 2.0;
	}
	*stride = a, *first = b;
	return 1;
}

/* The activation that follows a layer, batch norm, pooling, ( and )+ skipped; ACT_NONE if another layer comes first. */
static enum act act_after(const struct netdesc *d, int i)
{
	for (i++; i < d->n; i++)
		if (d->layer[i].kind == LAYER_ACT)
			return d->layer[i].act;
		else if (d->layer[i].kind != LAYER_BN && d->layer[i].kind != LAYER_POOL && d->layer[i].kind != LAYER_SKIP &&
			 d->layer[i].kind != LAYER_ADD)
			break;
	return ACT_NONE;
}

void netdesc_init_params(const struct netdesc *d, uint64_t seed, real *param, real *stat)
{
	for (int i = 0; i < d->n; i++) {
		const struct layer *l = &d->layer[i];
		for (size_t k = 0; k < l->nb; k++)
			param[l->b + k] = 0;
		if (l->kind == LAYER_BN) {
			for (int k = 0; k < l->C; k++)
				param[l->w + (size_t)k] = 1, stat[l->run + (size_t)k] = 0, stat[l->run + (size_t)(l->C + k)] = 1;
			continue;
		}
		if (!l->nw)
			continue;
		size_t in = l->nw / (size_t)l->OC, area = l->kind == LAYER_CONV ? (size_t)l->KH * (size_t)l->KW : 1;
		enum act act = act_after(d, i);
		double normal = sqrt(2.0 / (double)in),
		       range = sqrt(6.0 / ((double)in + (double)area * l->OC)) * (act == ACT_SIGMOID ? 4 : 1);
		for (size_t k = 0; k < l->nw; k++) {
			struct philox p = philox(seed, PHILOX_INIT, (uint32_t)i, (uint32_t)(k / in), (uint32_t)(k % in) / 2);
			uint32_t a = p.v[k % in % 2 * 2], b = p.v[k % in % 2 * 2 + 1];
			param[l->w + k] = act == ACT_RELU ? (real)(normal * (double)philox_normal(a, b))
							  : (real)(range * (2 * (double)philox_uniform(a) - 1));
		}
	}
}
