/* What a net costs, layer by layer: shapes, parameters, operations, memory. MFLOP: millions of floating-point operations of one row's
 * forward pass, in convolutions and dense layers alone, 2 a multiply-add (netdesc_flops). MB: 10^6 bytes. */
#ifndef NET_TABLE_H
#define NET_TABLE_H

#include "lib/base/json.h"
#include "lib/base/out.h"
#include "lib/nn/netdesc.h"

/* Bytes of all parameters and statistics; of the outputs that a forward pass keeps of one row, as floats: a fused layer has none of its
 * own. Training keeps gradients and the optimizer's moments besides. */
double net_table_weights(const struct netdesc *d);
double net_table_activations(const struct netdesc *d);
/* A line a layer, counted from 1: its word in text, output (CxHxW), parameters, MFLOP, the names of its tensors (0.*: 0.weight, 0.bias);
 * then the sums and the memory. text: what d was parsed from. */
void net_table_text(struct out *to, const struct netdesc *d, const char *text);
/* The same as keys layers, weights_mb, activations_mb of the open object. */
void net_table_json(struct json *j, const struct netdesc *d, const char *text);

#endif
