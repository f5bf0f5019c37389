/* The hand a program computes with, from its options --device and --precision. */
#ifndef HAND_H
#define HAND_H

#include "kernels/ops.h"

/* device: "ref", "cpu", "cuda"; precision: "fp32", "tf32", "bf16", or NULL: the device's usual one (cuda: tf32, the others know fp32 alone:
 * another one is wrong use, exit 2). threads as in ops_open. Dies where this build or this machine has no such hand. */
struct ops *hand_open(const char *device, int threads, const char *precision);

#endif
