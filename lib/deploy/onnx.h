/* A model as an ONNX file (IR version 8, operator set 17): one graph from bytes to points, so that what runs it needs to know nothing of
 * the model. Input `image` (batch, H, W), u8, or floats of the same range, 0 to 255. Outputs by the model's target, as predict writes them:
 * points: `points` (batch, K, 2), pixels, (0, 0) the centre of the first one; NaN for points that were not learned; and, where the target
 * has maps or with flip, `confidence` (batch, K), 1 / (1 + standard deviation in pixels); label: `score` (batch), probability of the second
 * class, or (batch, classes); image: `reconstruction` (batch, H, W), 0 to 1. Names of points or classes, and the history's fingerprint, are
 * metadata of the file. */
#ifndef ONNX_H
#define ONNX_H

#include "lib/deploy/protobuf.h"
#include "lib/nn/model.h"

struct onnx_options {
	int floats; /* the input's type */
	int fold;   /* batch norms are folded into the layers before them */
	int flip;   /* the graph averages over the image and its mirror image, as predict --flip */
};

/* Ends the program where the file would be larger than protobuf's 2 GB; wrong use exits 2. The caller frees to with protobuf_free. */
void onnx_model(struct protobuf *to, const struct model *m, const struct onnx_options *how);

#endif
