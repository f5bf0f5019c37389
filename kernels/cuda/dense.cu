/* Dense (fully connected) layers: tiled GEMMs (tile.h) with fused epilogues: bias and activation, accumulation, optimizer step. Large ones
 * by cuBLAS, if it is there, and bias and activation then by a kernel of their own; but those with an optimizer step never. */
#include "kernels/cuda/tile.h"
#include "kernels/cuda/elementwise.h"
#include "kernels/optimizer.h"

/* GEMMs of at least so many multiply-adds go to cuBLAS, if their rows begin at multiples of 16 bytes. */
static const double CUBLAS_MIN_MACS = 1 << 27;

struct epilogue_dense { /* y (M, ld) = act(v + b) */
	enum { WHOLE_TILE = 0, COLUMN_SUMS = 0, TILE_SUMS = 0 };
	float *y;
	const float *b;
	size_t ld;
	enum act act;
	int aligned;
	__device__ void store(int m, int n, float4 v, int count) const
	{
		float *to = y + (size_t)m * ld + n, each[4] = {v.x, v.y, v.z, v.w};
		UNROLL
		for (int i = 0; i < 4; i++)
			each[i] = act_value(i < count && b ? each[i] + b[n + i] : each[i], act);
		if (aligned && count == 4)
			*(float4 *)to = make_float4(each[0], each[1], each[2], each[3]);
		else
			for (int i = 0; i < count; i++)
				to[i] = each[i];
	}
};

struct epilogue_add { /* dw += v: accumulates */
	enum { WHOLE_TILE = 0, COLUMN_SUMS = 0, TILE_SUMS = 0 };
	float *dw;
	size_t ld;
	__device__ void store(int m, int n, float4 v, int count) const
	{
		float *to = dw + (size_t)m * ld + n, each[4] = {v.x, v.y, v.z, v.w};
		for (int i = 0; i < count; i++)
			to[i] += each[i];
	}
};

struct epilogue_step { /* an optimizer step on w, v its gradient */
	enum { WHOLE_TILE = 0, COLUMN_SUMS = 0, TILE_SUMS = 0 };
	float *w, *m, *v;
	size_t ld;
	struct optimizer_step opt;
	float correction1, correction2;
	int aligned;
	/* a large layer's step is bound by the memory traffic of w, m and v: float4s where possible */
	__device__ void store(int row, int n, float4 g, int count) const
	{
		size_t at = (size_t)row * ld + (size_t)n;
		float each[4] = {g.x, g.y, g.z, g.w};
		if (!aligned || count < 4) {
			for (int i = 0; i < count; i++)
				w[at + i] = elementwise_optimizer_step(
					w[at + i], each[i], m ? m + at + i : NULL, v ? v + at + i : NULL, opt, correction1, correction2);
			return;
		}
		elementwise_optimizer_step_four(w + at, g, m ? m + at : NULL, v ? v + at : NULL, opt, correction1, correction2);
	}
};

static struct epilogue_dense epilogue_of(float *y, const float *b, enum act act, int N)
{
	struct epilogue_dense e = {y, b, (size_t)N, act, tile_aligned(y, (size_t)N)};
	return e;
}

static int use_cublas(const struct cuda *c, int M, int N, int K)
{
	return c->gpu.cublas && (double)M * N * K >= CUBLAS_MIN_MACS && N % 4 == 0 && K % 4 == 0;
}

static void cublas_gemm(struct cuda *c, float *y, const float *a, int at, const float *b, int bt, int M, int N, int K, int add)
{
	struct cublas_gemm p = {y, a, b, M, N, K, at, bt, add, c->precision, 0};
	struct launch *gemm = queue_next(&c->q);
	gemm->kernel = NULL, gemm->name = "product", gemm->host = 0;
	gemm->grid = gemm->block = dim3(1);
	gemm->shared = 0, gemm->flat = 0, gemm->n = 0, gemm->bytes = 0;
	launch_pack(gemm, p);
}

static __global__ void bias_act(float *y, const float *b, enum act act, size_t n, struct divisor N)
{
	size_t i = launch_index();
	if (i >= n)
		return;
	int column = (int)(i % N.d);
	y[i] = act_value(b ? y[i] + b[column] : y[i], act);
}

/* y (B, O) = act(x (B, I) w' + b) of w (O, I), or (I, O) where trans_w. */
void cuda_dense(const struct backend *be, real *y, const real *x, const real *w, const real *b, enum act act, int trans_w, int B, int I, int O)
{
	struct cuda *c = cuda_of(be);
	if (use_cublas(c, B, O, I)) {
		cublas_gemm(c, y, x, 0, w, !trans_w, B, O, I, 0);
		if (b || act != ACT_NONE)
			launch_flat(&c->q, (size_t)B * O, bias_act, y, b, act, (size_t)B * O, divisor(O));
		return;
	}
	float *partial = (float *)cuda_workspace(c, tile_workspace_size(c, B, O, I, 1, 0));
	struct epilogue_dense e = epilogue_of(y, b, act, O);
	if (trans_w)
		tile_gemm(c, k_major(x, (size_t)I, B), mn_major(w, NULL, I, (size_t)O, O), e, B, O, I, partial);
	else
		tile_gemm(c, k_major(x, (size_t)I, B), k_major(w, (size_t)I, O), e, B, O, I, partial);
}

void cuda_dense_backward_input(const struct backend *be, real *dx, const real *dy, const real *w, int trans_w, int B, int I, int O)
{
	cuda_dense(be, dx, dy, w, NULL, ACT_NONE, !trans_w, B, O, I);
}

void cuda_dense_backward_weight(const struct backend *be, real *dw, real *db, const real *dy, const real *x, int add, int B, int I, int O)
{
	struct cuda *c = cuda_of(be);
	size_t db_workspace = db ? cuda_column_sums_size((size_t)B, O) : 0;
	char *workspace = (char *)cuda_workspace(c, db_workspace + (dw ? tile_workspace_size(c, O, I, B, 1, 0) : 0));
	float *partial = (float *)(void *)(workspace + db_workspace);
	if (dw && use_cublas(c, O, I, B)) {
		cublas_gemm(c, dw, dy, 1, x, 0, O, I, B, add);
	} else if (dw) {
		struct loader_mn_major a = mn_major(dy, NULL, B, (size_t)O, O), b = mn_major(x, NULL, B, (size_t)I, I);
		if (add) {
			struct epilogue_add e = {dw, (size_t)I};
			tile_gemm(c, a, b, e, O, I, B, partial);
		} else {
			tile_gemm(c, a, b, epilogue_of(dw, NULL, ACT_NONE, I), O, I, B, partial);
		}
	}
	if (db)
		cuda_column_sums(c, db, dy, (size_t)B, (size_t)O, O, (float *)(void *)workspace);
}

void cuda_dense_backward_update(const struct backend *be, real *w, real *m, real *v, const real *dy, const real *x, const real *dy2,
	const real *x2, int B, int I, int O, const struct optimizer_step *opt)
{
	struct cuda *c = cuda_of(be);
	int K = dy2 ? 2 * B : B;
	struct epilogue_step e = {w, m, v, (size_t)I, *opt, 1, 1, 0};
	e.aligned = I % 4 == 0 && cuda_float4_aligned(w, m, v, NULL);
	optimizer_bias_correction(opt, &e.correction1, &e.correction2);
	float *partial = (float *)cuda_workspace(c, tile_workspace_size(c, O, I, K, 1, 0));
	tile_gemm(c, mn_major(dy, dy2, B, (size_t)O, O), mn_major(x, x2, B, (size_t)I, I), e, O, I, K, partial);
}

/* Column sums in two launches: column_sums, a block 32 columns of a chunk of rows, 8 threads a column; then the reduction over chunks. */
enum { CHUNK = 1024 };

size_t cuda_column_sums_size(size_t rows, int N)
{
	size_t chunks = (rows + CHUNK - 1) / CHUNK;
	return chunks * (size_t)cuda_c4(N) * sizeof(float);
}

static __global__ void column_sums(float *partial, const float *x, size_t rows, size_t ld, int N, int N4)
{
	SHARED(float, smem);
	int lane = (int)threadIdx.x % 32, row = (int)threadIdx.x / 32, n = (int)blockIdx.y * 32 + lane;
	size_t first = (size_t)blockIdx.x * CHUNK, end = first + CHUNK < rows ? first + CHUNK : rows;
	float sum = 0;
	for (size_t r = first + (size_t)row; n < N && r < end; r += LAUNCH_BLOCK / 32)
		sum += x[r * ld + (size_t)n];
	smem[threadIdx.x] = sum;
	__syncthreads();
	if (row || n >= N)
		return;
	for (int i = 1; i < LAUNCH_BLOCK / 32; i++)
		sum += smem[i * 32 + lane];
	partial[(size_t)blockIdx.x * (size_t)N4 + (size_t)n] = sum;
}

/* The reduction: a warp a column. */
static __global__ void column_sums_reduce(float *out, const float *partial, int chunks, int N, int N4)
{
	int n = (int)(blockIdx.x * (LAUNCH_BLOCK / 32) + threadIdx.x / 32), lane = (int)threadIdx.x % 32;
	double sum = 0;
	for (int i = lane; n < N && i < chunks; i += 32)
		sum += (double)partial[(size_t)i * (size_t)N4 + (size_t)n];
	for (int d = 16; d; d /= 2)
		sum += __shfl_xor_sync(0xffffffffu, sum, d);
	if (n < N && !lane)
		out[n] = (float)sum;
}

void cuda_column_sums(struct cuda *c, float *out, const float *x, size_t rows, size_t ld, int N, float *partial)
{
	unsigned chunks = (unsigned)((rows + CHUNK - 1) / CHUNK);
	launch(&c->q, dim3(chunks, (unsigned)ceil_div(N, 32)), dim3(LAUNCH_BLOCK), LAUNCH_BLOCK * sizeof(float), column_sums,
		chunks > 1 ? partial : out, x, rows, ld, N, cuda_c4(N));
	if (chunks > 1)
		launch(&c->q, dim3((unsigned)ceil_div(N, LAUNCH_BLOCK / 32)), dim3(LAUNCH_BLOCK), 0, column_sums_reduce, out,
			(const float *)partial, (int)chunks, N, cuda_c4(N));
}
