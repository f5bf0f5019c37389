/* The seam: every arithmetic operation of the nets as one table of functions, filled once by each backend (ref, cpu, cuda).
 * All pointers marked "device" come from alloc and may only be touched through the table: the caller never dereferences them, so a
 * backend may keep them on a GPU. Operations are queued in order; get waits for what it reads. Shapes: B batch, C channels, H W height
 * and width, I inputs, O outputs, F filters; arrays are row-major. No operation allocates what the caller must free.
 * Results depend on the arguments alone, never on the number of threads. */
#ifndef BACKEND_H
#define BACKEND_H

#include <stddef.h>
#include <stdint.h>

#ifdef REAL_DOUBLE /* the build that judges gradients */
typedef double real;
#else
typedef float real;
#endif

#ifdef __CUDACC__ /* inline functions that the backends share, in which a GPU runs too */
#define HOST_DEVICE __host__ __device__
#else
#define HOST_DEVICE
#endif

enum act { ACT_NONE, ACT_RELU, ACT_TANH, ACT_SIGMOID };

enum loss_kind {
	LOSS_SQUARED, /* sum of (z - t)^2 over outputs whose target is not NaN */
	LOSS_SMOOTH,  /* the same of d^2 / (2 width) where d = |z - t| < width, else d - width / 2 (smooth L1: Girshick, 2015) */
	LOSS_WING,    /* of width ln(1 + d / curve) where d < width, else d less what makes the two meet (Feng et al., 2018) */
	LOSS_SIGMOID, /* cross-entropy of sigmoid(z) with targets in [0, 1], summed over outputs; NaN targets are left out */
	LOSS_SOFTMAX, /* cross-entropy of softmax(z), the target one class number a row */
};

struct loss {
	enum loss_kind kind;
	real width, curve; /* of LOSS_SMOOTH and LOSS_WING, above 0, in the unit of z */
	real mul;	   /* of the derivative */
};

/* Maps (P, H, W) of a row as P distributions: softmax over places, the expected place of each (soft-argmax: Nibali et al., 2018, "Numerical
 * coordinate regression with convolutional neural networks"). Places are counted from 0, the centre of a map's first value. A point's loss:
 * entropy times the cross-entropy with a Gaussian of deviation sigma about its target, of sum 1 on the map, plus `at` of the two
 * coordinates. A point with a NaN coordinate has only the other's; one that lies outside the map (beyond half a place) has none. */
struct heatmap_loss {
	int P, H, W;
	real sigma, entropy; /* sigma above 0 */
	struct loss point;	     /* LOSS_SQUARED, LOSS_SMOOTH or LOSS_WING, widths in places; its mul is that of all */
};

enum { HEATMAP_PLACE = 4 }; /* what a point's place is: x, y, variance (of x and of y, summed), largest probability */

/* Points drawn into one map (H, W): the largest of exp(-d^2 / (2 sigma^2)) over the points, d from a pixel's centre, pixels. Where a
 * point's coordinates are NaN, the pixels within `reach` standard deviations of where it usually is (prior: mean x, mean y, deviation a
 * point) are NaN unless another point is drawn there (its bump above 1/2). */
struct gaussians {
	int P, H, W;
	float sigma, reach;
};

/* One convolution with what stands around it in a net, so that a backend can do it in one go: y = act(pool(conv(up(x)) + b)).
 * up: nearest, every value up x up times; conv: F filters of KH x KW, stride S, P zeros around; OH = (H up + 2 P - KH) / S + 1, floor,
 * OW likewise; pool: the largest of pool x pool, floor at the edges, so that y is (B, F, OH / pool, OW / pool). Activations only rise,
 * so those before and after the pool are one. */
struct conv {
	int B, C, H, W;		     /* x */
	int upsample;			     /* at least 1 */
	int F, KH, KW, S, P, OH, OW; /* w is (F, C, KH, KW); OH, OW before the pool */
	int pool;		     /* 1 to 15 */
	enum act act;
	int image; /* x is rows, as `images` leaves them, not maps; it needs no gradient */
};

/* How bytes become an input, and how augmentation moves them; see kernels/augment.h. All ranges 0: as they are. */
struct augment {
	int flip;	  /* 1: half of the images are mirrored */
	float shift;	  /* pixels, uniform in +-shift, both axes */
	float rotate;	  /* degrees, +- */
	float scale;	  /* factor exp(+-scale) */
	float contrast;	  /* factor exp(+-contrast) about the middle grey */
	float brightness; /* +-, of the range 0..1 */
	float noise;	  /* standard deviation, of the range 0..1 */
	float blur;	  /* pixels: standard deviation, uniform in 0..blur, of a Gaussian over the moved image */
	float cutout;	  /* share of the sides: a grey rectangle, each side uniform in 0..cutout of the image's, anywhere */
	uint64_t seed;
	uint32_t epoch;
};

/* Batch normalisation (Ioffe and Szegedy, 2015): statistics of C channels over B x HW values each. */
struct batch_norm {
	int B, C, HW;
	int maps;     /* x and y are maps; else rows of C, HW is 1 */
	int train;    /* 1: of this batch, and running ones move by momentum; 0: the running ones */
	enum act act; /* of the result; ACT_NONE or ACT_RELU */
	real momentum, eps;
};

enum { BACKEND_DOWNLOADS = 512 };

enum optimizer { OPTIMIZER_SGD, OPTIMIZER_NESTEROV, OPTIMIZER_ADAM };

/* How weights move by their gradient g.
 * SGD: g += decay w; m = momentum m + g; w -= rate m. NESTEROV: w -= rate (g + momentum m) (Sutskever et al., 2013). Without m: momentum 0.
 * ADAM: Kingma and Ba, 2015, with decoupled decay (Loshchilov and Hutter, 2019); momentum is beta1; step counts from 1. */
struct optimizer_step {
	enum optimizer kind;
	int step;
	real learning_rate, momentum, beta2, eps, weight_decay;
};

struct backend {
	const char *name;   /* "ref", "cpu", "cuda" */
	const char *kernel; /* what the bits depend on, for the log: "plain loops", "avx512", "NVIDIA H100 (sm_90), tf32" */
	void *ctx;	    /* the backend's own */

	/* memory; alloc zero-fills, dies when there is none */
	void *(*alloc)(const struct backend *be, size_t bytes);
	void (*release)(const struct backend *be, void *device);
	void (*upload)(const struct backend *be, void *device, const void *host, size_t bytes);
	void (*download)(const struct backend *be, void *host, const void *device, size_t bytes);
	void (*zero)(const struct backend *be, void *device, size_t bytes);
	void (*copy)(const struct backend *be, void *to, const void *from, size_t bytes); /* both device */
	/* The device's view of host memory that stays as it is until unlend, and the host's of device memory until unview: the memory
	 * itself where the two are one, else a copy. */
	void *(*map_host)(const struct backend *be, const void *host, size_t bytes);
	void (*unmap_host)(const struct backend *be, void *device);
	const void *(*map_device)(const struct backend *be, const void *device, size_t bytes);
	void (*unmap_device)(const struct backend *be, const void *host);

	/* Without waiting. feed: a put that may overtake what was asked before, of which the caller knows that none of it uses device any
	 * more. fetch: a get of what device holds after all that was asked before; host holds it after wait(ticket). At most BACKEND_DOWNLOADS at
	 * a time. */
	void (*upload_async)(const struct backend *be, void *device, const void *host, size_t bytes);
	int (*download_async)(const struct backend *be, void *host, const void *device, size_t bytes);
	void (*wait)(const struct backend *be, int ticket);

	/* x (B, C, H, W) = bytes (N, C, H, W) of row rows[b], times mul plus add; a (host) may be NULL */
	void (*load_batch)(const struct backend *be, real *x, const uint8_t *bytes, const uint32_t *rows, int B, int C, int H, int W, float mul,
		float add, const struct augment *a);
	/* y (B, K) = x (N, K) of rows[b] */
	void (*gather)(const struct backend *be, real *y, const real *x, const uint32_t *rows, int B, int K);
	/* y (B, K) = x (B, K) * (drawn with probability 1 - p ? mul : 0), by Philox (seed, purpose, epoch, rows[b], element); y may be x */
	void (*dropout)(const struct backend *be, real *y, const real *x, const uint32_t *rows, int B, int K, float p, float mul, uint64_t seed,
		uint32_t purpose, uint32_t epoch);

	/* Maps, what spatial layers pass on, lie in the backend's own order, perhaps with channels added that hold numbers of no meaning, so
	 * that only their whole can be worked on value by value. Bytes of B of them; from rows (B, C H W) and back. */
	size_t (*maps_size)(const struct backend *be, int B, int C, int H, int W);
	void (*to_maps)(const struct backend *be, real *maps, const real *rows, int B, int C, int H, int W);
	void (*to_rows)(const struct backend *be, real *rows, const real *maps, int B, int C, int H, int W);

	/* y (B, O) = act(x (B, I) w' + b); w is (O, I), or (I, O) where flip; b may be NULL */
	void (*dense)(
		const struct backend *be, real *y, const real *x, const real *w, const real *b, enum act act, int flip, int B, int I, int O);
	void (*dense_backward_input)(const struct backend *be, real *dx, const real *dy, const real *w, int flip, int B, int I, int O);
	/* dw (O, I) = dy' x, added to what is there where add; db (O) = column sums of dy; either may be NULL */
	void (*dense_backward_weight)(const struct backend *be, real *dw, real *db, const real *dy, const real *x, int add, int B, int I, int O);
	/* w (O, I) moved by the gradient dy' x (+ dy2' x2 where they are not NULL), which is kept nowhere; m, v as in update */
	void (*dense_backward_update)(const struct backend *be, real *w, real *m, real *v, const real *dy, const real *x, const real *dy2, const real *x2,
		int B, int I, int O, const struct optimizer_step *opt);

	/* packed: the weights as the backend wants them, conv_packed bytes, made by conv_pack from w (F, C, KH, KW) whenever they have
	 * changed; B does not matter. at: a byte for each value of y's maps, which largest was taken (of pool x pool, row-major, the first
	 * of equals); not touched where pool is 1. x: rows where s->image, else maps; y: maps. */
	size_t (*conv_packed_size)(const struct backend *be, const struct conv *s);
	void (*conv_pack)(const struct backend *be, void *packed, const real *w, const struct conv *s);
	void (*conv)(const struct backend *be, real *y, uint8_t *argmax, const real *x, const void *packed, const real *b, const struct conv *s);
	/* From dy, the gradient of y: dw (F, C, KH, KW), db (F), dx (maps; NULL: not wanted). y, at, x as the forward pass left them, w and
	 * packed as it had them. */
	void (*conv_backward)(const struct backend *be, real *dx, real *dw, real *db, const real *dy, const real *y, const uint8_t *argmax,
		const real *x, const real *w, const void *packed, const struct conv *s);

	void (*act)(const struct backend *be, real *y, const real *x, enum act act, size_t n);			/* y may be x */
	void (*act_backward)(const struct backend *be, real *dx, const real *dy, const real *y, enum act act, size_t n); /* dx may be dy */
	/* maps: max over K x K, floor at the edges; at: which of the K x K, row-major, first of equals; K <= 15 */
	void (*max_pool)(const struct backend *be, real *y, uint8_t *argmax, const real *x, int B, int C, int H, int W, int K);
	void (*max_pool_backward)(const struct backend *be, real *dx, const real *dy, const uint8_t *argmax, int B, int C, int H, int W, int K);
	/* maps, nearest: every value K x K times; H and W are x's */
	void (*upsample)(const struct backend *be, real *y, const real *x, int B, int C, int H, int W, int K);
	void (*upsample_backward)(const struct backend *be, real *dx, const real *dy, int B, int C, int H, int W, int K);
	/* y = act((x - mean) * inv * gamma + beta); run: running mean (C) and variance (C); save: mean (C) and inv (C) used, for bn_back */
	void (*batch_norm)(const struct backend *be, real *y, const real *x, const real *gamma, const real *beta, real *run, real *save,
		const struct batch_norm *s);
	void (*batch_norm_backward)(const struct backend *be, real *dx, real *dgamma, real *dbeta, const real *dy, const real *y, const real *x,
		const real *gamma, const real *save, const struct batch_norm *s);

	/* each row's loss (B) and dz (B, K) = mul * derivative of the row's loss; target (B, K), for LOSS_SOFTMAX (B). dz may be NULL.
	 * weight (B, K), NULL: all 1, multiplies loss and derivative of each value; LOSS_SOFTMAX takes none */
	void (*loss)(const struct backend *be, const struct loss *s, double *loss, real *dz, const real *z, const real *target,
		const real *weight, int B, int K);
	/* The same for maps z (B, P, H, W) rows and targets (B, P, 2) in places; a point's entropy weighs by its smaller weight (B, P, 2).
	 * place (B, P, 4). dz, place, weight may be NULL; so may target, and loss with it. */
	void (*heatmap_loss)(const struct backend *be, const struct heatmap_loss *s, double *loss, real *dz, real *place, const real *z, const real *target,
		const real *weight, int B);
	/* t (B, H W) of points (B, P, 2) in pixels; prior (P, 3) */
	void (*draw_gaussians)(const struct backend *be, const struct gaussians *s, real *t, const real *points, const real *prior, int B);
	/* w (n) moved by its gradient g; m, v (n): the update's first and second moments, NULL where it has none */
	void (*optimizer_step)(const struct backend *be, real *w, const real *g, real *m, real *v, size_t n, const struct optimizer_step *opt);
	void (*close)(struct backend *be);
};

/* In what products are taken where the GPU's tensor cores do it: factors rounded to 10 bits (tf32) or 7 (bf16) behind the point, sums in
 * float; fp32: not by them. */
enum precision { PRECISION_FP32, PRECISION_TF32, PRECISION_BF16 };

#ifdef __cplusplus
extern "C" {
#endif

/* The backend named "ref", "cpu" or "cuda"; threads 0: one a processor; precision is of cuda alone. NULL where this build has no such backend;
 * dies where this machine has no such GPU. Closed with its close. */
struct backend *backend_init_by_name(const char *name, int threads, enum precision precision);

/* one for each backend */
struct backend *backend_ref_init(void);
struct backend *backend_cpu_init(int threads);
struct backend *backend_cuda_init(enum precision precision) __attribute__((weak)); /* NULL where it was not built */

#ifdef __cplusplus
}
#endif

#endif
