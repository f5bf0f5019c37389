/* What a net costs, known before anything is allocated: a description of a line may ask for any amount of memory and time. */
#ifndef NET_NEED_H
#define NET_NEED_H

#include "lib/nn/net.h"

/* Bytes that net_new allocates on the backend. */
size_t net_bytes(const struct backend *be, const struct netdesc *d, int B, enum net_mode mode);
/* The same for inference, with the buffers that a forward pass takes; ends the program where the net takes more than NET_NEED_OPERATIONS
 * floating-point operations a row, which no net for images does that ends. */
double net_need(const struct backend *be, const struct netdesc *d, int B);
#define NET_NEED_OPERATIONS 1e12

#endif
