/* Nodes, constants and values of a GraphProto; numbers of fields are those of onnx.proto3. */
#include <stdlib.h>
#include <string.h>

#include "lib/base/err.h"
#include "lib/deploy/onnx_graph.h"

enum { GRAPH_NODE = 1, GRAPH_INITIALIZER = 5, GRAPH_INPUT = 11, GRAPH_OUTPUT = 12 };
enum { NODE_INPUT = 1, NODE_OUTPUT = 2, NODE_NAME = 3, NODE_OP = 4, NODE_ATTRIBUTE = 5 };
enum { ATTRIBUTE_NAME = 1, ATTRIBUTE_FLOAT = 2, ATTRIBUTE_INT = 3, ATTRIBUTE_STRING = 4, ATTRIBUTE_INTS = 8, ATTRIBUTE_TYPE = 20 };
enum { TYPE_FLOAT = 1, TYPE_INT = 2, TYPE_STRING = 3, TYPE_INTS = 7 };
enum { TENSOR_DIMS = 1, TENSOR_TYPE = 2, TENSOR_NAME = 8, TENSOR_RAW = 9 };
enum { VALUE_NAME = 1, VALUE_TYPE = 2, TYPE_TENSOR = 1, TENSOR_ELEMENT = 1, TENSOR_SHAPE = 2, SHAPE_DIM = 1, DIM_VALUE = 1, DIM_PARAM = 2 };

static const char *keep(struct onnx_graph *g, char *name)
{
	g->names = xrealloc(g->names, (size_t)(g->n + 1) * sizeof *g->names);
	return g->names[g->n++] = name;
}

static void put_attribute(struct protobuf *p, const struct onnx_attribute *a)
{
	size_t at = protobuf_begin(p, NODE_ATTRIBUTE);
	int type = a->text ? TYPE_STRING : a->ints ? TYPE_INTS : a->is_float ? TYPE_FLOAT : TYPE_INT;
	protobuf_string(p, ATTRIBUTE_NAME, a->name);
	if (a->text)
		protobuf_string(p, ATTRIBUTE_STRING, a->text);
	for (int i = 0; a->ints && i < a->n; i++)
		protobuf_int(p, ATTRIBUTE_INTS, a->ints[i]);
	if (type == TYPE_FLOAT)
		protobuf_float(p, ATTRIBUTE_FLOAT, a->f);
	if (type == TYPE_INT)
		protobuf_int(p, ATTRIBUTE_INT, a->i);
	protobuf_int(p, ATTRIBUTE_TYPE, type);
	protobuf_end(p, at);
}

static void put_node(
	struct onnx_graph *g, const char *op, const char *const in[5], const char *out, const struct onnx_attribute *attributes)
{
	size_t at = protobuf_begin(&g->to, GRAPH_NODE);
	for (int i = 0; i < 5 && in[i]; i++)
		protobuf_string(&g->to, NODE_INPUT, in[i]);
	protobuf_string(&g->to, NODE_OUTPUT, out);
	protobuf_string(&g->to, NODE_NAME, out);
	protobuf_string(&g->to, NODE_OP, op);
	for (; attributes && attributes->name; attributes++)
		put_attribute(&g->to, attributes);
	protobuf_end(&g->to, at);
}

const char *onnx_node(struct onnx_graph *g, const char *op, const char *const in[5], const struct onnx_attribute *attributes)
{
	const char *out = keep(g, xprintf("%s_%d", op, g->n));
	put_node(g, op, in, out, attributes);
	return out;
}

void onnx_rename(struct onnx_graph *g, const char *value, const char *name)
{
	put_node(g, "Identity", ONNX_IN(value), name, NULL);
}

static const char *put_constants(
	struct onnx_graph *g, const char *name, enum onnx_type type, const void *v, size_t size, int ndim, const int64_t *dim)
{
	const char *kept = keep(g, name ? xstrdup(name) : xprintf("constant_%d", g->n));
	size_t at = protobuf_begin(&g->to, GRAPH_INITIALIZER), n = size;
	for (int i = 0; i < ndim; i++) {
		protobuf_int(&g->to, TENSOR_DIMS, dim[i]);
		n *= (size_t)dim[i];
	}
	protobuf_int(&g->to, TENSOR_TYPE, type);
	protobuf_string(&g->to, TENSOR_NAME, kept);
	protobuf_bytes(&g->to, TENSOR_RAW, v, n); /* little-endian, as this machine's own */
	protobuf_end(&g->to, at);
	return kept;
}

const char *onnx_floats(struct onnx_graph *g, const char *name, const float *v, int ndim, const int64_t *dim)
{
	return put_constants(g, name, ONNX_FLOAT, v, sizeof *v, ndim, dim);
}

const char *onnx_ints(struct onnx_graph *g, const int64_t *v, int n)
{
	return put_constants(g, NULL, ONNX_INT64, v, sizeof *v, 1, &(int64_t){n});
}

const char *onnx_number(struct onnx_graph *g, double v)
{
	return onnx_floats(g, NULL, &(float){(float)v}, 0, NULL);
}

const char *onnx_pair(struct onnx_graph *g, double x, double y)
{
	return onnx_floats(g, NULL, (float[]){(float)x, (float)y}, 1, ONNX_INTS(2));
}

static void put_value(struct protobuf *p, int field, const char *name, enum onnx_type type, int ndim, const int64_t *dim)
{
	size_t at = protobuf_begin(p, field);
	protobuf_string(p, VALUE_NAME, name);
	size_t any = protobuf_begin(p, VALUE_TYPE), tensor = protobuf_begin(p, TYPE_TENSOR);
	protobuf_int(p, TENSOR_ELEMENT, type);
	size_t shape = protobuf_begin(p, TENSOR_SHAPE);
	for (int i = 0; i < ndim; i++) {
		size_t d = protobuf_begin(p, SHAPE_DIM);
		if (i)
			protobuf_int(p, DIM_VALUE, dim[i - 1]);
		else
			protobuf_string(p, DIM_PARAM, "batch");
		protobuf_end(p, d);
	}
	protobuf_end(p, shape), protobuf_end(p, tensor), protobuf_end(p, any), protobuf_end(p, at);
}

void onnx_input(struct onnx_graph *g, const char *name, enum onnx_type type, int ndim, const int64_t *dim)
{
	put_value(&g->to, GRAPH_INPUT, name, type, ndim, dim);
}

void onnx_output(struct onnx_graph *g, const char *name, enum onnx_type type, int ndim, const int64_t *dim)
{
	put_value(&g->to, GRAPH_OUTPUT, name, type, ndim, dim);
}

void onnx_graph_free(struct onnx_graph *g)
{
	for (int i = 0; i < g->n; i++)
		free(g->names[i]);
	free(g->names);
	protobuf_free(&g->to);
}
