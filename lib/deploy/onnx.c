/* The whole graph: bytes to the net's input, the net, outputs by target, averaged over the mirror image where wanted. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/err.h"
#include "lib/base/memory.h"
#include "lib/base/opt.h"
#include "lib/deploy/onnx.h"
#include "lib/deploy/onnx_graph.h"
#include "lib/stream/names.h"

enum { IR_VERSION = 8, OPSET = 17 };
enum { MODEL_IR_VERSION = 1, MODEL_PRODUCER = 2, MODEL_PRODUCER_VERSION = 3, MODEL_GRAPH = 7, MODEL_OPSET = 8, MODEL_METADATA = 14 };
enum { GRAPH_NAME = 2, OPSET_VERSION = 2, ENTRY_KEY = 1, ENTRY_VALUE = 2 };
enum { PROTOBUF_MAX = INT32_MAX };

/* x mirrored along an axis. */
static const char *reversed(struct onnx_graph *g, const char *x, int axis)
{
	return onnx_node(g, "Slice",
		ONNX_IN(x, onnx_ints(g, ONNX_INTS(-1), 1), onnx_ints(g, ONNX_INTS(INT64_MIN), 1), onnx_ints(g, &(int64_t){axis}, 1),
			onnx_ints(g, ONNX_INTS(-1), 1)),
		NULL);
}

/* The first (half 0) or last half of a batch. dim: of a row. */
static const char *half(struct onnx_graph *g, const char *x, int ndim, const int64_t *dim, int half)
{
	int64_t shape[6] = {2, -1};
	for (int i = 0; i < ndim; i++)
		shape[2 + i] = dim[i];
	const char *both = onnx_node(g, "Reshape", ONNX_IN(x, onnx_ints(g, shape, 2 + ndim)), NULL);
	const char *one =
		onnx_node(g, "Gather", ONNX_IN(both, onnx_ints(g, &(int64_t){half}, 1)), ONNX_ATTRIBUTES({.name = "axis", .i = 0}));
	return onnx_node(g, "Squeeze", ONNX_IN(one, onnx_ints(g, ONNX_INTS(0), 1)), NULL);
}

static const char *mean_of(struct onnx_graph *g, const char *a, const char *b)
{
	return onnx_node(g, "Mul", ONNX_IN(onnx_node(g, "Add", ONNX_IN(a, b), NULL), onnx_number(g, 0.5)), NULL);
}

static const char *mirror_points(struct onnx_graph *g, const struct model *m, const char *x)
{
	int *partner = model_partners(m);
	int64_t *index = xcalloc((size_t)m->points, sizeof *index);
	for (int k = 0; k < m->points; k++)
		index[k] = partner[k];
	const char *y = onnx_node(g, "Gather", ONNX_IN(x, onnx_ints(g, index, m->points)), ONNX_ATTRIBUTES({.name = "axis", .i = 1}));
	free(partner), free(index);
	return y;
}

static void put_points(struct onnx_graph *g, const struct model *m, const char *z, int flip)
{
	const char *variance, *points = onnx_decode(g, m, z, &variance);
	const int64_t K = m->points;
	if (flip) {
		const char *a = half(g, points, 2, ONNX_INTS(K, 2), 0), *b = half(g, points, 2, ONNX_INTS(K, 2), 1);
		b = onnx_node(g, "Mul", ONNX_IN(mirror_points(g, m, b), onnx_pair(g, -1, 1)), NULL);
		b = onnx_node(g, "Add", ONNX_IN(b, onnx_pair(g, m->W - 1 + 2 * m->offset[0], 0)), NULL);
		points = mean_of(g, a, b);
		const char *away = onnx_node(g, "Sub", ONNX_IN(a, points), NULL);
		const char *spread =
			onnx_node(g, "ReduceSum", ONNX_IN(onnx_node(g, "Mul", ONNX_IN(away, away), NULL), onnx_ints(g, ONNX_INTS(2), 1)),
				ONNX_ATTRIBUTES({.name = "keepdims", .i = 0}));
		if (variance) {
			const char *own = mean_of(g, half(g, variance, 1, &K, 0), mirror_points(g, m, half(g, variance, 1, &K, 1)));
			spread = onnx_node(g, "Add", ONNX_IN(own, spread), NULL);
		}
		variance = spread;
	}
	if (m->asymmetry) { /* of a mirror image, mirrored back, the same */
		float *asymmetry = xcalloc((size_t)K * 2, sizeof *asymmetry);
		for (int k = 0; k < 2 * m->points; k++)
			asymmetry[k] = (float)m->asymmetry[k];
		points = onnx_node(g, "Add", ONNX_IN(points, onnx_floats(g, "asymmetry", asymmetry, 2, ONNX_INTS(K, 2))), NULL);
		free(asymmetry);
	}
	if (m->unlearned) {
		char *learned = model_learned(m);
		float *mask = xcalloc((size_t)K, sizeof *mask);
		for (int k = 0; k < m->points; k++)
			mask[k] = learned[k] ? 0 : NAN;
		points = onnx_node(g, "Add", ONNX_IN(points, onnx_floats(g, "unlearned", mask, 2, ONNX_INTS(K, 1))), NULL);
		if (variance)
			variance = onnx_node(g, "Add", ONNX_IN(variance, onnx_floats(g, "unlearned_variance", mask, 1, &K)), NULL);
		free(learned), free(mask);
	}
	onnx_rename(g, points, "points");
	onnx_output(g, "points", ONNX_FLOAT, 3, ONNX_INTS(K, 2));
	if (!variance)
		return;
	const char *stddev = onnx_node(g, "Sqrt", ONNX_IN(variance), NULL);
	const char *sure = onnx_node(g, "Reciprocal", ONNX_IN(onnx_node(g, "Add", ONNX_IN(stddev, onnx_number(g, 1)), NULL)), NULL);
	onnx_rename(g, sure, "confidence");
	onnx_output(g, "confidence", ONNX_FLOAT, 2, &K);
}

static void put_scores(struct onnx_graph *g, const struct model *m, const char *z, int flip)
{
	const int64_t K = m->outputs;
	z = K > 1 ? onnx_node(g, "Softmax", ONNX_IN(z), ONNX_ATTRIBUTES({.name = "axis", .i = 1}))
		  : onnx_node(g, "Sigmoid", ONNX_IN(z), NULL);
	if (flip)
		z = mean_of(g, half(g, z, 1, &K, 0), half(g, z, 1, &K, 1));
	if (K == 1)
		z = onnx_node(g, "Reshape", ONNX_IN(z, onnx_ints(g, ONNX_INTS(-1), 1)), NULL);
	onnx_rename(g, z, "score");
	onnx_output(g, "score", ONNX_FLOAT, K > 1 ? 2 : 1, &K);
}

static void put_image(struct onnx_graph *g, const struct model *m, const char *z, int flip)
{
	const int64_t *dim = ONNX_INTS(m->H, m->W);
	z = onnx_node(g, "Reshape", ONNX_IN(z, onnx_ints(g, ONNX_INTS(-1, m->H, m->W), 3)), NULL);
	if (flip)
		z = mean_of(g, half(g, z, 2, dim, 0), reversed(g, half(g, z, 2, dim, 1), 2));
	z = onnx_node(g, "Clip", ONNX_IN(z, onnx_number(g, 0), onnx_number(g, 1)), NULL);
	onnx_rename(g, z, "reconstruction");
	onnx_output(g, "reconstruction", ONNX_FLOAT, 3, dim);
}

static void put_graph(struct onnx_graph *g, const struct model *m, const struct onnx_options *how)
{
	const char *x = "image";
	int maps;
	onnx_input(g, x, how->floats ? ONNX_FLOAT : ONNX_UINT8, 3, ONNX_INTS(m->H, m->W));
	if (!how->floats)
		x = onnx_node(g, "Cast", ONNX_IN(x), ONNX_ATTRIBUTES({.name = "to", .i = ONNX_FLOAT}));
	if (how->flip)
		x = onnx_node(g, "Concat", ONNX_IN(x, reversed(g, x, 2)), ONNX_ATTRIBUTES({.name = "axis", .i = 0}));
	x = onnx_node(g, "Mul", ONNX_IN(x, onnx_number(g, (double)m->mul)), NULL);
	x = onnx_node(g, "Add", ONNX_IN(x, onnx_number(g, (double)m->add)), NULL);
	x = onnx_node(g, "Unsqueeze", ONNX_IN(x, onnx_ints(g, ONNX_INTS(1), 1)), NULL);
	const char *z = onnx_net(g, m, how->fold, x, &maps);
	if (maps)
		z = onnx_node(g, "Flatten", ONNX_IN(z), NULL);
	if (m->points)
		put_points(g, m, z, how->flip);
	else if (m->target == TARGET_LABEL)
		put_scores(g, m, z, how->flip);
	else
		put_image(g, m, z, how->flip);
	protobuf_string(&g->to, GRAPH_NAME, "keypipe");
}

static void put_metadata(struct protobuf *p, const char *key, const char *value)
{
	size_t at = protobuf_begin(p, MODEL_METADATA);
	protobuf_string(p, ENTRY_KEY, key);
	protobuf_string(p, ENTRY_VALUE, value);
	protobuf_end(p, at);
}

void onnx_model(struct protobuf *to, const struct model *m, const struct onnx_options *how)
{
	/* and what decodes maps: two numbers, and their squares, of each cell */
	const double bytes = sizeof(real) * ((double)m->d.nparam + (m->points ? 4.0 * m->MW * m->MH : 0));
	if (bytes + (1 << 24) > PROTOBUF_MAX)
		die("the net has %.2f GB of weights and constants, an ONNX file holds 2 GB (--form safetensors has no limit)", bytes / 1e9);
	memory_require(3 * bytes, "the ONNX file"); /* beside what it is made of it is held whole, in a buffer that doubles */
	if (how->flip && m->unlearned)
		die_usage("--flip: the model did not learn %s: take predict --flip, or leave it out", m->unlearned);
	if (how->flip && m->points)
		model_require_partners(m, "--flip");
	struct onnx_graph g = {0};
	char fingerprint[16];
	put_graph(&g, m, how);
	protobuf_int(to, MODEL_IR_VERSION, IR_VERSION);
	protobuf_string(to, MODEL_PRODUCER, "keypipe");
	protobuf_string(to, MODEL_PRODUCER_VERSION, KEYPIPE_VERSION);
	protobuf_bytes(to, MODEL_GRAPH, g.to.data, g.to.n);
	size_t at = protobuf_begin(to, MODEL_OPSET);
	protobuf_int(to, OPSET_VERSION, OPSET);
	protobuf_end(to, at);
	snprintf(fingerprint, sizeof fingerprint, "%08x", m->fingerprint);
	if (m->target != TARGET_IMAGE)
		put_metadata(to, m->points ? "points" : "classes", m->names);
	put_metadata(to, "target", model_target_name(m->target));
	put_metadata(to, "net", m->net);
	put_metadata(to, "fingerprint", fingerprint);
	onnx_graph_free(&g);
}
