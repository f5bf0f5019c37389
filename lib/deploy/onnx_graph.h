/* Private to lib/deploy/onnx*.c: a graph of ONNX operators (onnx.proto3 of the ONNX project; operator set 17), node after node. Values are
 * known by their names, which the graph keeps until it is freed. */
#ifndef ONNX_GRAPH_H
#define ONNX_GRAPH_H

#include <stdint.h>

#include "lib/deploy/protobuf.h"

enum onnx_type { ONNX_FLOAT = 1, ONNX_UINT8 = 2, ONNX_INT64 = 7 };

struct onnx_graph {
	struct protobuf to; /* a GraphProto's fields */
	char **names;
	int n;
};

struct onnx_attribute {
	const char *name, *text; /* text, n numbers at ints, or else the number i, or f where is_float */
	const int64_t *ints;
	int n, is_float;
	int64_t i;
	float f;
};

/* Adds a node of up to 5 inputs, of which the first NULL ends the list, and attributes up to one without a name; returns its output's name,
 * which begins with the operator's. */
const char *onnx_node(struct onnx_graph *g, const char *op, const char *const in[5], const struct onnx_attribute *attributes);
#define ONNX_IN(...) ((const char *const[5]){__VA_ARGS__})
#define ONNX_ATTRIBUTES(...) ((const struct onnx_attribute[]){__VA_ARGS__, {0}})
#define ONNX_INTS(...)                                                                                                                     \
	(const int64_t[])                                                                                                                  \
	{                                                                                                                                  \
		__VA_ARGS__                                                                                                                \
	}

/* Adds constants of the given shape and returns their name: name, or, where it is NULL, one that is made up. */
const char *onnx_floats(struct onnx_graph *g, const char *name, const float *v, int ndim, const int64_t *dim);
const char *onnx_ints(struct onnx_graph *g, const int64_t *v, int n); /* one dimension */
const char *onnx_number(struct onnx_graph *g, double v);	      /* no dimension, a float */
const char *onnx_pair(struct onnx_graph *g, double x, double y);      /* shape (2) */
/* Declares an input or output: `batch` rows of ndim - 1 further dimensions. */
void onnx_input(struct onnx_graph *g, const char *name, enum onnx_type type, int ndim, const int64_t *dim);
void onnx_output(struct onnx_graph *g, const char *name, enum onnx_type type, int ndim, const int64_t *dim);
/* Gives a value another name: an output's. */
void onnx_rename(struct onnx_graph *g, const char *value, const char *name);
void onnx_graph_free(struct onnx_graph *g);

/* The nodes of the net (onnx_net.c) from x (batch, 1, H, W): its output, maps (batch, C, H, W) or rows (batch, outputs). */
struct model;
const char *onnx_net(struct onnx_graph *g, const struct model *m, int fold, const char *x, int *maps);
/* From there (onnx_decode.c) to points (batch, K, 2) in pixels, and *variance (batch, K), pixels squared, x and y together; NULL: the
 * target has none. As decode.h says. */
const char *onnx_decode(struct onnx_graph *g, const struct model *m, const char *z, const char **variance);

#endif
