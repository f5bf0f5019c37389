/* Convolutions of 3x3, stride 1, by Winograd's minimal filtering F(4x4, 3x3) (Lavin and Gray, 2016, "Fast algorithms for convolutional
 * neural networks"): tiles of 6x6 inputs and the kernels are each transformed to 36 values, multiplied, summed over channels as 36 products
 * of matrices, and transformed to 4x4 outputs: a quarter of the multiplications. With points p and N(p) the product of p's distances to the
 * other finite points: Y = A' ((G g G') . (B' d B)) A, A' = (p^i), G = (p^j / N(p)), B' the coefficients of the product of (x - q) over the
 * finite points q except p. The points 0, +-2/3, +-3/2 and infinity: the largest error of sums of 16 to 1152 products of normal numbers is
 * about 1.3 times that of adding them one by one (the usual 0, +-1, +-2: 4 times). In fp32's arithmetic, in bf16 as well; chosen by
 * precision and shape alone, so bits don't depend on threads. */
#ifndef WINOGRAD_H
#define WINOGRAD_H

#include "kernels/cpu/cpu.h"

enum { WINOGRAD_CHANNELS = 8192 }; /* at most, in and out: a thread's scratch is 4032 bytes a channel */

enum winograd_pass { WINOGRAD_FORWARD, WINOGRAD_INPUT_GRADIENT, WINOGRAD_WEIGHT_GRADIENT };
/* 1: this pass of this convolution goes this way. */
int winograd_fits(const struct cpu *c, const struct conv *s, enum winograd_pass pass);
/* Floats of the transformed kernels. */
size_t winograd_packed_size(const struct cpu *c, const struct conv *s, int backward);
/* From w (F, C, 3, 3); in the order of the products: 36 points, panels of nr outputs, (inputs, nr). */
void winograd_pack(struct cpu *c, float *to, const float *w, const struct conv *s, int backward);
/* Forward: y = act(conv(x) + b), act ACT_NONE or ACT_RELU; backward: y, x and b are dx, dz, zeros. x, y maps of B images; b is a multiple
 * of 16 long. */
void winograd_run(struct cpu *c, float *y, const float *x, const float *packed, const float *b, const struct conv *s, int backward);
/* dx, the input's gradient, and dw and db, the weights' and the bias's, summed over the batch, as backend.h's conv_backward; dx or dw may
 * be NULL: not asked for. Of a shape that fits forward for dw, backward for dx; pool 1. */
void winograd_backward(struct cpu *c, float *dx, float *dw, float *db, const float *dy, const float *y, const float *x, const float *w,
	const struct conv *s);

#endif
