/* The backend interface: every tensor operation of the nets as one struct of function pointers, filled once by each backend (ref, cpu,
 * cuda). Pointers marked "device" come from alloc and are only passed back to the backend: the caller never dereferences them, so a backend
 * may keep them in a GPU's memory. Operations are queued in order; download waits for what it reads. Shapes: B batch, C channels, H W
 * height and width, I inputs, O outputs, F filters; arrays are row-major. No operation allocates what the caller must free. Results depend
 * on the arguments alone, never on the number of threads. */
#ifndef BACKEND_H
#define BACKEND_H

#include <stddef.h>
#include <stdint.h>

#ifdef REAL_DOUBLE /* the build that checks gradients */
typedef double real;
#else
typedef float real;
#endif

#ifdef __CUDACC__ /* inline functions that all backends share, kernels included */
#define HOST_DEVICE __host__ __device__
#else
#define HOST_DEVICE
#endif

enum act { ACT_NONE, ACT_RELU, ACT_TANH, ACT_SIGMOID };

enum loss_kind {
	LOSS_SQUARED, /* sum of (z - t)^2 over outputs whose target is not NaN */
	LOSS_SMOOTH,  /* smooth L1 (Girshick, 2015): d^2 / (2 width) where d = |z - t| < width, else d - width / 2 */
	LOSS_WING,    /* wing loss (Feng et al., 2018): width ln(1 + d / curve) where d < width, else d - const, continuous */
	LOSS_SIGMOID, /* binary cross-entropy with logits, targets in [0, 1], summed over outputs; NaN targets are masked */
	LOSS_SOFTMAX, /* cross-entropy with logits, the target one class index a row */
};

struct loss {
	enum loss_kind kind;
	real width, curve; /* of LOSS_SMOOTH and LOSS_WING, above 0, in the unit of z */
	real mul;	   /* factor of the gradient */
};

/* Heat maps (P, H, W) of a row, one a point, as logits of P distributions: softmax over the map's H W cells; their mean is the point
 * (soft-argmax: Nibali et al., 2018, "Numerical coordinate regression with convolutional neural networks"). Coordinates count cells from 0,
 * the centre of the first one. A point's loss: entropy times the cross-entropy with a Gaussian of standard deviation sigma about its
 * target, normalised to sum 1 on the map, plus `point` of both coordinates. A NaN coordinate is masked, the other counts; a target outside
 * the map (by more than half a cell) is masked altogether. */
struct heatmap_loss {
	int P, H, W;
	real sigma, entropy; /* sigma above 0 */
	struct loss point;   /* LOSS_SQUARED, LOSS_SMOOTH or LOSS_WING, widths in cells; its mul is the factor of the whole gradient */
};

enum { HEATMAP_DECODED = 4 }; /* what a map is decoded to: mean x, mean y, variance of x, variance of y */

/* All points as Gaussians in one target map (H, W): the maximum over points of exp(-d^2 / (2 sigma^2)), d from a pixel's centre, pixels.
 * Where a point has no label (NaN), pixels within `reach` standard deviations of its prior (mean x, mean y, standard deviation a point) are
 * NaN, that is masked, unless another point's Gaussian is above 1/2 there. */
struct gaussians {
	int P, H, W;
	float sigma, reach;
};

/* One convolution fused with its neighbours: y = act(max_pool(conv(upsample(x)) + b)).
 * upsample: nearest neighbour, by an integer factor; conv: F filters of KH x KW, stride S, zero padding P, dilation D (the distance of the
 * inputs that a filter takes side by side): OH = (H upsample + 2 P - D (KH - 1) - 1) / S + 1, floor, OW likewise; max_pool: pool x pool,
 * stride pool, floor at the edges, so that y is (B, F, OH / pool, OW / pool). Activations are monotonic, so one before the pool and one
 * after it are the same. */
struct conv {
	int B, C, H, W;			/* x */
	int upsample;			/* at least 1 */
	int F, KH, KW, S, P, D, OH, OW; /* w is (F, C, KH, KW); D at least 1, 1 where upsample is above 1; OH, OW before the pool */
	int pool;			/* 1 to 15 */
	enum act act;
	int image; /* x is rows, as load_batch leaves them, not maps; it needs no gradient */
};

/* FLIP_HALF: an image is mirrored with probability 1/2 in each epoch; FLIP_ALTERNATE: in every second one, which half of the images begins
 * being drawn, so that in two epochs each image is seen both ways ("alternating flip": Jordan, 2024, "94% on CIFAR-10 in 3.29 seconds"). */
enum flip { FLIP_NONE, FLIP_HALF, FLIP_ALTERNATE };

/* Data augmentation, drawn for each image; see kernels/augment.h. All ranges 0: images as they are. */
struct augment {
	enum flip flip; /* mirror images */
	int squared;	/* 1: amounts but the cutout's are the range times the square of a uniform number, signed where the range is: mostly
			   little */
	float shift;	/* pixels, uniform in +-shift, both axes */
	float rotate;	/* degrees, +- */
	float scale;	/* factor exp(+-scale) */
	float contrast; /* factor exp(+-contrast) about the middle grey */
	float brightness; /* +-, of the range 0..1 */
	float noise;	  /* standard deviation, of the range 0..1; the same for all images unless squared */
	float blur;	  /* pixels: standard deviation, uniform in 0..blur, of a Gaussian over the moved image */
	float motion;	  /* pixels: length of the path, uniform in 0..motion, of motion blur in any direction; at most 30 */
	float cutout;	  /* share of the sides: a grey rectangle, each side uniform in 0..cutout of the image's, anywhere */
	float elastic;	  /* pixels: of a smooth field of displacements, by lib/train/elastic.h, before all else; backends leave it alone */
	float late, last; /* of training: in the last share `last` of the epochs all amounts are times `late` */
	uint64_t seed;
	uint32_t epoch;
};

/* Batch normalisation (Ioffe and Szegedy, 2015): statistics of C channels over B x HW values each. */
struct batch_norm {
	int B, C, HW;
	int maps;     /* x and y are maps; else rows of C, HW is 1 */
	int train;    /* 1: batch statistics, and running ones move by momentum; 0: running statistics */
	enum act act; /* fused: ACT_NONE or ACT_RELU */
	real momentum, eps;
};

enum { BACKEND_DOWNLOADS = 2304 };

enum optimizer { OPTIMIZER_SGD, OPTIMIZER_NESTEROV, OPTIMIZER_ADAM };

/* One step of an optimizer: weights w by their gradient g.
 * SGD: g += weight_decay w; m = momentum m + g; w -= learning_rate m. NESTEROV: w -= learning_rate (g + momentum m) (Sutskever et al.,
 * 2013). Without m: momentum 0.
 * ADAM: Kingma and Ba, 2015, with decoupled weight decay (Loshchilov and Hutter, 2019); momentum is beta1; step counts from 1. */
struct optimizer_step {
	enum optimizer kind;
	int step;
	real learning_rate, momentum, beta2, eps, weight_decay;
};

struct backend {
	const char *name;   /* "ref", "cpu", "cuda" */
	const char *kernel; /* what the bits depend on, for the log: "plain loops", "avx512", "NVIDIA H100 (sm_90), tf32" */
	const char *alike;  /* kernel as it is on all machines that compute the same bits: without the GPU's number */
	const char *gpu;    /* what tells its GPU from all others of the machine; NULL: it has none */
	void *ctx;	    /* the backend's own */

	/* Memory. alloc zero-fills, and ends the program when there is none; upload and download copy from and to the host. */
	void *(*alloc)(const struct backend *be, size_t bytes);
	void (*release)(const struct backend *be, void *device);
	void (*upload)(const struct backend *be, void *device, const void *host, size_t bytes);
	void (*download)(const struct backend *be, void *host, const void *device, size_t bytes);
	void (*zero)(const struct backend *be, void *device, size_t bytes);
	void (*copy)(const struct backend *be, void *to, const void *from, size_t bytes); /* both device */
	/* The device's view of host memory, which must not change until unmap_host, and the host's view of device memory until
	 * unmap_device: the memory itself where device and host share it, else a copy. */
	void *(*map_host)(const struct backend *be, const void *host, size_t bytes);
	void (*unmap_host)(const struct backend *be, void *device);
	const void *(*map_device)(const struct backend *be, const void *device, size_t bytes);
	void (*unmap_device)(const struct backend *be, const void *host);

	/* Asynchronous copies. upload_async may overtake queued operations: the caller knows that none of them uses device any more.
	 * download_async copies what device holds after all queued operations; host holds it after wait(ticket). At most BACKEND_DOWNLOADS
	 * at a time. */
	void (*upload_async)(const struct backend *be, void *device, const void *host, size_t bytes);
	int (*download_async)(const struct backend *be, void *host, const void *device, size_t bytes);
	void (*wait)(const struct backend *be, int ticket);

	/* The CUDA stream that operations are in: what others put into it comes after all that are queued so far, and before later ones.
	 * NULL where device memory is the host's, and whoever has data may work on them. */
	void *(*stream)(const struct backend *be);

	/* x (B, C, H, W) = bytes (N, C, H, W) of row rows[b], augmented, times mul plus add; a (host) may be NULL */
	void (*load_batch)(const struct backend *be, real *x, const uint8_t *bytes, const uint32_t *rows, int B, int C, int H, int W,
		float mul, float add, const struct augment *a);
	/* The same of images (B), each (C, H, W) anywhere in the host's memory, that have the numbers rows[b]; NULL where device memory is
	 * not the host's */
	void (*load_images)(const struct backend *be, real *x, const uint8_t *const *images, const uint32_t *rows, int B, int C, int H,
		int W, float mul, float add, const struct augment *a);
	/* y (B, K) = x (N, K) of rows[b] */
	void (*gather)(const struct backend *be, real *y, const real *x, const uint32_t *rows, int B, int K);
	/* y (B, K) = x (B, K) * (drawn with probability 1 - p ? mul : 0), by Philox (seed, purpose, epoch, rows[b], element); y may be x */
	void (*dropout)(const struct backend *be, real *y, const real *x, const uint32_t *rows, int B, int K, float p, float mul,
		uint64_t seed, uint32_t purpose, uint32_t epoch);
	/* y (B, K) = 1 with probability x (B, K), else 0, drawn as for dropout; y may be x */
	void (*bernoulli)(const struct backend *be, real *y, const real *x, const uint32_t *rows, int B, int K, uint64_t seed,
		uint32_t purpose, uint32_t epoch);

	/* Maps: activations of spatial layers in the backend's own layout, perhaps with channels of padding, whose values mean nothing: so
	 * only elementwise operations may work on a whole map. Bytes of B of them; conversion from rows (B, C H W) and back. */
	size_t (*maps_size)(const struct backend *be, int B, int C, int H, int W);
	void (*to_maps)(const struct backend *be, real *maps, const real *rows, int B, int C, int H, int W);
	void (*to_rows)(const struct backend *be, real *rows, const real *maps, int B, int C, int H, int W);

	/* y (B, O) = act(x (B, I) w' + b); w is (O, I), or (I, O) where trans_w; b may be NULL */
	void (*dense)(const struct backend *be, real *y, const real *x, const real *w, const real *b, enum act act, int trans_w, int B,
		int I, int O);
	/* The same bits, not transposed, from weights packed for many passes: dense_packed_size bytes, made by dense_pack. 0: no layout
	 * would be faster, and the other two are not to be called; NULL: nor is it for any shape */
	size_t (*dense_packed_size)(const struct backend *be, int I, int O);
	void (*dense_pack)(const struct backend *be, void *packed, const real *w, int I, int O);
	void (*dense_packed)(
		const struct backend *be, real *y, const real *x, const void *packed, const real *b, enum act act, int B, int I, int O);
	/* dx (B, I) = dy (B, O) w */
	void (*dense_backward_input)(const struct backend *be, real *dx, const real *dy, const real *w, int trans_w, int B, int I, int O);
	/* dw (O, I) = dy' x, accumulated where add; db (O) = column sums of dy; either may be NULL */
	void (*dense_backward_weight)(
		const struct backend *be, real *dw, real *db, const real *dy, const real *x, int add, int B, int I, int O);
	/* The weight gradient fused with the optimizer step: w (O, I) moves by dy' x (+ dy2' x2 where they are not NULL), which is never
	 * stored; m, v as in optimizer_step */
	void (*dense_backward_update)(const struct backend *be, real *w, real *m, real *v, const real *dy, const real *x, const real *dy2,
		const real *x2, int B, int I, int O, const struct optimizer_step *opt);

	/* packed: weights in the backend's own layout, conv_packed_size bytes, made by conv_pack from w (F, C, KH, KW) whenever they have
	 * changed; B does not matter. argmax: a byte for each value of y's maps: which of the pool x pool, row-major, was the maximum (the
	 * first of equals); not touched where pool is 1. x: rows where s->image, else maps; y: maps. */
	size_t (*conv_packed_size)(const struct backend *be, const struct conv *s);
	void (*conv_pack)(const struct backend *be, void *packed, const real *w, const struct conv *s);
	void (*conv)(
		const struct backend *be, real *y, uint8_t *argmax, const real *x, const void *packed, const real *b, const struct conv *s);
	/* From dy, the gradient of y: dw (F, C, KH, KW), db (F), dx (maps; NULL: not wanted). y, argmax, x as the forward pass left them, w
	 * and packed as it had them. */
	void (*conv_backward)(const struct backend *be, real *dx, real *dw, real *db, const real *dy, const real *y, const uint8_t *argmax,
		const real *x, const real *w, const void *packed, const struct conv *s);

	void (*act)(const struct backend *be, real *y, const real *x, enum act act, size_t n);				 /* y may be x */
	void (*act_backward)(const struct backend *be, real *dx, const real *dy, const real *y, enum act act, size_t n); /* dx may be dy */
	/* y = act(a + b), of rows or of maps of one shape; y may be a or b */
	void (*add)(const struct backend *be, real *y, const real *a, const real *b, enum act act, size_t n);
	/* maps: max over K x K, stride K, floor at the edges; argmax: which of the K x K, row-major, first of equals; K <= 15 */
	void (*max_pool)(const struct backend *be, real *y, uint8_t *argmax, const real *x, int B, int C, int H, int W, int K);
	void (*max_pool_backward)(
		const struct backend *be, real *dx, const real *dy, const uint8_t *argmax, int B, int C, int H, int W, int K);
	/* maps, nearest neighbour by the factor K; H and W are x's */
	void (*upsample)(const struct backend *be, real *y, const real *x, int B, int C, int H, int W, int K);
	void (*upsample_backward)(const struct backend *be, real *dx, const real *dy, int B, int C, int H, int W, int K);
	/* y = act((x - mean) * inv * gamma + beta); run: running mean (C) and variance (C); save: mean (C) and inv (C) used, for backward,
	 * after which dy means nothing where it is maps */
	void (*batch_norm)(const struct backend *be, real *y, const real *x, const real *gamma, const real *beta, real *run, real *save,
		const struct batch_norm *s);
	void (*batch_norm_backward)(const struct backend *be, real *dx, real *dgamma, real *dbeta, const real *dy, const real *y,
		const real *x, const real *gamma, const real *save, const struct batch_norm *s);
	/* The same of a batch in parts, of which s->B rows are one. What is to be added over the parts: sums (2, C) of d and d^2, d = x -
	 * mean (C); then each part's y is batch_norm's with these statistics, train 0. Backward: sums of dy, before the activation, and of
	 * dy times (x - mean) inv, whose totals are dbeta and dgamma; then dx by these, of N values. */
	void (*batch_norm_sums)(const struct backend *be, double *sums, const real *x, const real *mean, const struct batch_norm *s);
	void (*batch_norm_backward_sums)(const struct backend *be, double *sums, const real *dy, const real *y, const real *x,
		const real *save, const struct batch_norm *s);
	void (*batch_norm_backward_apply)(const struct backend *be, real *dx, const real *dy, const real *y, const real *x,
		const real *gamma, const real *save, const double *sums, double N, const struct batch_norm *s);

	/* each row's loss (B) and dz (B, K) = mul * gradient of the row's loss; target (B, K), for LOSS_SOFTMAX (B). dz may be NULL.
	 * weight (B, K), NULL: all 1, multiplies loss and gradient of each value; LOSS_SOFTMAX takes none */
	void (*loss)(const struct backend *be, const struct loss *s, double *loss, real *dz, const real *z, const real *target,
		const real *weight, int B, int K);
	/* The same for maps z (B, P, H, W) as rows and targets (B, P, 2) in cells; a point's entropy weighs by its smaller weight (B, P,
	 * 2). decoded (B, P, HEATMAP_DECODED). dz, decoded, weight may be NULL; so may target, and loss with it. */
	void (*heatmap_loss)(const struct backend *be, const struct heatmap_loss *s, double *loss, real *dz, real *decoded, const real *z,
		const real *target, const real *weight, int B);
	/* t (B, H W) of points (B, P, 2) in pixels; prior (P, 3) */
	void (*draw_gaussians)(const struct backend *be, const struct gaussians *s, real *t, const real *points, const real *prior, int B);
	/* w (n) moves by its gradient g; m, v (n): first and second moments, NULL where the optimizer has none */
	void (*optimizer_step)(
		const struct backend *be, real *w, const real *g, real *m, real *v, size_t n, const struct optimizer_step *opt);
	/* y (n) += weight (x - y), weight from 0 to 1: called after each change of x it keeps an exponential moving average; n above 0 */
	void (*lerp)(const struct backend *be, real *y, const real *x, real weight, size_t n);
	void (*close)(struct backend *be);
};

/* Precision of products: factors rounded to 10 (tf32) or 7 (bf16) fraction bits, accumulated in fp32, by the GPU's tensor cores or the
 * processor's instructions where it has them. ref has fp32, cpu fp32 and bf16, in which convolutions that fp32 computes in fewer operations
 * keep their factors. */
enum precision { PRECISION_FP32, PRECISION_TF32, PRECISION_BF16 };

#ifdef __cplusplus
extern "C" {
#endif

/* The backend named "ref", "cpu", "cuda", "cuda:N": GPU N, counted from 0, or "cuda:-N", as gpu below; threads 0: one a processor; NULL
 * where this build has no such backend; ends the program where this machine has no such GPU. Closed with its close. */
struct backend *backend_init_by_name(const char *name, int threads, enum precision precision);

struct backend *backend_ref_init(void);
struct backend *backend_cpu_init(int threads, enum precision precision);
/* gpu: its number from 0; or -N: KEYPIPE_GPU's, else that of the N-th process that is given one of the machine's: N - 1, or, beyond the
 * last, from 0 on again. NULL where it was not built. */
struct backend *backend_cuda_init(enum precision precision, int gpu) __attribute__((weak));

#ifdef __cplusplus
}
#endif

#endif
