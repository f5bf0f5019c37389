/* Opening a backend from a program's options --device and --precision. */
#ifndef BACKEND_OPEN_H
#define BACKEND_OPEN_H

#include "kernels/backend.h"

/* device: "ref", "cpu", "cuda", "cuda:N" (GPU N); precision: "fp32", "tf32", "bf16", or NULL: the device's default (cuda: tf32, else fp32);
 * cpu has fp32 and bf16, ref only fp32: another one is wrong use, exit 2. threads as in backend_init_by_name. Dies where this build or this
 * machine has no such backend. */
struct backend *backend_open(const char *device, int threads, const char *precision);
/* Says on stderr what computed: the processor's kernel, or which GPU. Equal results bit by bit are guaranteed for this kernel only. */
void backend_tell(const struct backend *be);

#endif
