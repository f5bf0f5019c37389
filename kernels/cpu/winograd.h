/* Convolutions of 3x3, stride 1, by Winograd's minimal filtering F(4x4, 3x3) (Lavin and Gray, 2016, "Fast algorithms for convolutional
 * neural networks"): tiles of 6x6 inputs and the kernels are each transformed to 36 values, multiplied, summed over channels as 36 products
 * of matrices, and transformed to 4x4 outputs: a quarter of the multiplications. With points p and N(p) the product of p's distances to the
 * other finite points: Y = A' ((G g G') . (B' d B)) A, A' = (p^i), G = (p^j / N(p)), B' the coefficients of the product of (x - q) over the
 * finite points q except p. The points 0, +-2/3, +-3/2 and infinity: the largest error of sums of 16 to 1152 products of normal numbers is
 * about 1.3 times that of adding them one by one (the usual 0, +-1, +-2: 4 times). fp32 alone; chosen by shape alone, so bits don't depend
 * on threads. */
#ifndef WINOGRAD_H
#define WINOGRAD_H

#include "kernels/cpu/cpu.h"

/* 1: this convolution (0: forward; 1: its input's gradient) goes this way. */
int winograd_fits(const struct cpu *c, const struct conv *s, int backward);
/* Floats of the transformed kernels. */
size_t winograd_packed_size(const struct cpu *c, const struct conv *s, int backward);
/* From w (F, C, 3, 3); in the order of the products: 36 points, panels of nr outputs, (inputs, nr). */
void winograd_pack(struct cpu *c, float *to, const float *w, const struct conv *s, int backward);
/* Forward: y = act(conv(x) + b), act ACT_NONE or ACT_RELU; backward: y, x and b are dx, dz, zeros. x, y maps of B images; b is a multiple
 * of 16 long. */
void winograd_run(struct cpu *c, float *y, const float *x, const float *packed, const float *b, const struct conv *s, int backward);

#endif
