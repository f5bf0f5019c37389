/* A net's layers as ONNX operators, one or two a layer: fusing is left to whoever runs the graph. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/err.h"
#include "lib/deploy/onnx_graph.h"
#include "lib/nn/model.h"

static const char *constants(struct onnx_graph *g, int i, const char *what, const real *v, int ndim, const int64_t *dim)
{
	char name[64];
	snprintf(name, sizeof name, "%d.%s", i, what); /* as the model's own tensors are called */
	return onnx_floats(g, name, v, ndim, dim);
}

static const char *conv(struct onnx_graph *g, const struct layer *l, int i, const real *param, const char *x)
{
	const char *w = constants(g, i, "weight", param + l->w, 4, ONNX_INTS(l->OC, (int64_t)l->nw / l->OC / l->KH / l->KW, l->KH, l->KW)),
		   *b = constants(g, i, "bias", param + l->b, 1, ONNX_INTS(l->OC));
	return onnx_node(g, "Conv", ONNX_IN(x, w, b),
		ONNX_ATTRIBUTES({.name = "kernel_shape", .ints = ONNX_INTS(l->KH, l->KW), .n = 2},
			{.name = "strides", .ints = ONNX_INTS(l->S, l->S), .n = 2},
			{.name = "pads", .ints = ONNX_INTS(l->P, l->P, l->P, l->P), .n = 4},
			{.name = l->D > 1 ? "dilations" : NULL, .ints = ONNX_INTS(l->D, l->D), .n = 2}));
}

static const char *dense(struct onnx_graph *g, const struct layer *l, int i, const real *param, const char *x)
{
	const char *w = constants(g, i, "weight", param + l->w, 2, ONNX_INTS(l->OC, (int64_t)l->nw / l->OC)),
		   *b = constants(g, i, "bias", param + l->b, 1, ONNX_INTS(l->OC));
	return onnx_node(g, "Gemm", ONNX_IN(x, w, b), ONNX_ATTRIBUTES({.name = "transB", .i = 1}));
}

static const char *batch_norm(struct onnx_graph *g, const struct layer *l, int i, const real *param, const real *stat, const char *x)
{
	const int64_t *dim = ONNX_INTS(l->OC);
	const char *scale = constants(g, i, "weight", param + l->w, 1, dim), *b = constants(g, i, "bias", param + l->b, 1, dim);
	const char *mean = constants(g, i, "mean", stat + l->run, 1, dim), *var = constants(g, i, "var", stat + l->run + l->OC, 1, dim);
	return onnx_node(g, "BatchNormalization", ONNX_IN(x, scale, b, mean, var),
		ONNX_ATTRIBUTES({.name = "epsilon", .f = (float)NETDESC_BN_EPS, .is_float = 1}));
}

/* x of a layer's input CxHxW as maps (batch, C, H, W), or, of one pixel, as rows (batch, values); *maps: which it is. */
static const char *as_maps(struct onnx_graph *g, const struct layer *l, const char *x, int *maps, int wanted)
{
	if (*maps == wanted)
		return x;
	*maps = wanted;
	return wanted ? onnx_node(g, "Reshape", ONNX_IN(x, onnx_ints(g, ONNX_INTS(-1, l->C, 1, 1), 4)), NULL)
		      : onnx_node(g, "Flatten", ONNX_IN(x), NULL);
}

struct value { /* its name; maps: it is (batch, C, H, W), else (batch, values) */
	const char *name;
	int maps;
};

/* One layer of x, from *maps to *maps; skip: what an add adds. */
static const char *layer(struct onnx_graph *g, const struct layer *l, int i, const real *param, const real *stat, const char *x, int *maps,
	struct value skip)
{
	int spatial = l->kind == LAYER_CONV || l->kind == LAYER_POOL || l->kind == LAYER_UP;
	if (l->kind == LAYER_DENSE || spatial)
		x = as_maps(g, l, x, maps, spatial);
	switch (l->kind) {
	case LAYER_CONV:
		return conv(g, l, i, param, x);
	case LAYER_DENSE:
		return dense(g, l, i, param, x);
	case LAYER_BN:
		return batch_norm(g, l, i, param, stat, x);
	case LAYER_POOL:
		return onnx_node(g, "MaxPool", ONNX_IN(x),
			ONNX_ATTRIBUTES({.name = "kernel_shape", .ints = ONNX_INTS(l->KH, l->KH), .n = 2},
				{.name = "strides", .ints = ONNX_INTS(l->KH, l->KH), .n = 2}));
	case LAYER_UP:
		return onnx_node(g, "Resize",
			ONNX_IN(x, "", onnx_floats(g, NULL, (float[]){1, 1, (float)l->KH, (float)l->KH}, 1, ONNX_INTS(4))),
			ONNX_ATTRIBUTES({.name = "mode", .text = "nearest"},
				{.name = "coordinate_transformation_mode", .text = "asymmetric"},
				{.name = "nearest_mode", .text = "floor"}));
	case LAYER_ACT:
		return onnx_node(g, l->act == ACT_RELU ? "Relu" : l->act == ACT_TANH ? "Tanh" : "Sigmoid", ONNX_IN(x), NULL);
	case LAYER_ADD:
		return onnx_node(g, "Add", ONNX_IN(x, as_maps(g, l, skip.name, &skip.maps, *maps)), NULL);
	case LAYER_SKIP:
	case LAYER_DROPOUT:
		break;
	}
	return x;
}

const char *onnx_net(struct onnx_graph *g, const struct model *m, int fold, const char *x, int *maps)
{
	struct netdesc d = m->d;
	real *param = xlarge(d.nparam * sizeof *param);
	memcpy(param, m->param, d.nparam * sizeof *param);
	if (fold) {
		netdesc_fold(&d);
		netdesc_fold_weights(&d, param, m->stat);
	}
	struct value at[NETDESC_LAYERS]; /* each layer's input */
	*maps = 1;
	for (int i = 0; i < d.n; i++) {
		at[i] = (struct value){x, *maps};
		if (!(i && d.layer[i - 1].bn == i)) /* folded into the layer before it */
			x = layer(g, &d.layer[i], i, param, m->stat, x, maps, at[d.layer[i].skip]);
	}
	free(param);
	return x;
}
