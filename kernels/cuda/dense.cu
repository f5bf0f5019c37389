/* Dense layers: products by tiles with what follows them, large ones by the library. */
#include "kernels/cuda/tile.h"
#include "kernels/cuda/elementwise.h"
#include "kernels/optimizer.h"

/* From so many multiply-adds on the library's products are taken, where rows begin at multiples of 16 bytes. */
static const double LARGE = 1 << 27;

struct epilogue_dense { /* y (M, ld) = act(v + b) */
	enum { TILES = 0, SUMS = 0 };
	float *y;
	const float *b;
	size_t ld;
	enum act act;
	int quads, split;
	int none = 0; /* no byte is left over: arguments are compared */
	__device__ void put(int m, int n, float4 v, int count) const
	{
		float *to = y + (size_t)m * ld + n, each[4] = {v.x, v.y, v.z, v.w};
		UNROLL
		for (int i = 0; i < 4; i++)
			each[i] = act_value(i < count && b ? each[i] + b[n + i] : each[i], act);
		if (quads && count == 4)
			*(float4 *)to = make_float4(each[0], each[1], each[2], each[3]);
		else
			for (int i = 0; i < count; i++)
				to[i] = each[i];
	}
};

struct epilogue_add { /* dw += v */
	enum { TILES = 0, SUMS = 0 };
	float *dw;
	size_t ld;
	int split;
	int none = 0; /* no byte is left over: arguments are compared */
	__device__ void put(int m, int n, float4 v, int count) const
	{
		float *to = dw + (size_t)m * ld + n, each[4] = {v.x, v.y, v.z, v.w};
		for (int i = 0; i < count; i++)
			to[i] += each[i];
	}
};

struct epilogue_step { /* w moved by v */
	enum { TILES = 0, SUMS = 0 };
	float *w, *m, *v;
	size_t ld;
	struct optimizer_step opt;
	float fix1, fix2;
	int quads, split;
	int none = 0; /* no byte is left over: arguments are compared */
	/* the larger part of a large layer's step is what is read and written here, so by quads where it can be */
	__device__ void put(int row, int n, float4 g, int count) const
	{
		size_t at = (size_t)row * ld + (size_t)n;
		float each[4] = {g.x, g.y, g.z, g.w};
		if (!quads || count < 4) {
			for (int i = 0; i < count; i++)
				w[at + i] = elementwise_update(w[at + i], each[i], m ? m + at + i : NULL, v ? v + at + i : NULL, opt, fix1, fix2);
			return;
		}
		elementwise_update_four(w + at, g, m ? m + at : NULL, v ? v + at : NULL, opt, fix1, fix2);
	}
};

static struct epilogue_dense ending(float *y, const float *b, enum act act, int N)
{
	struct epilogue_dense e = {y, b, (size_t)N, act, tile_quads(y, (size_t)N), 0};
	return e;
}

static int by_library(const struct cuda *c, int M, int N, int K)
{
	return c->gpu.library && (double)M * N * K >= LARGE && N % 4 == 0 && K % 4 == 0;
}

static void library(struct cuda *c, float *y, const float *a, int at, const float *b, int bt, int M, int N, int K, int add)
{
	struct product p = {y, a, b, M, N, K, at, bt, add, c->precision, 0};
	struct launch *call = queue_next(&c->q);
	call->kernel = NULL, call->name = "product", call->host = 0;
	call->grid = call->block = dim3(1);
	call->shared = 0, call->flat = 0, call->n = 0, call->bytes = 0;
	launch_pack(call, p);
}

static __global__ void bias_act(float *y, const float *b, enum act act, size_t n, struct divisor N)
{
	size_t i = launch_index();
	if (i >= n)
		return;
	int column = (int)(i % N.d);
	y[i] = act_value(b ? y[i] + b[column] : y[i], act);
}

/* y (B, O) = act(x (B, I) w' + b) of w (O, I), or (I, O) where flip. */
void cuda_dense(const struct backend *be, real *y, const real *x, const real *w, const real *b, enum act act, int flip, int B, int I, int O)
{
	struct cuda *c = cuda_of(be);
	if (by_library(c, B, O, I)) {
		library(c, y, x, 0, w, !flip, B, O, I, 0);
		if (b || act != ACT_NONE)
			launch_flat(&c->q, (size_t)B * O, bias_act, y, b, act, (size_t)B * O, divisor(O));
		return;
	}
	float *part = (float *)cuda_work(c, tile_work(c, B, O, I, 0));
	struct epilogue_dense e = ending(y, b, act, O);
	if (flip)
		tile_run(c, rows_of(x, (size_t)I, B), lines_of(w, NULL, I, (size_t)O, O), e, B, O, I, part);
	else
		tile_run(c, rows_of(x, (size_t)I, B), rows_of(w, (size_t)I, O), e, B, O, I, part);
}

void cuda_dense_backward_input(const struct backend *be, real *dx, const real *dy, const real *w, int flip, int B, int I, int O)
{
	cuda_dense(be, dx, dy, w, NULL, ACT_NONE, !flip, B, O, I);
}

void cuda_dense_backward_weight(const struct backend *be, real *dw, real *db, const real *dy, const real *x, int add, int B, int I, int O)
{
	struct cuda *c = cuda_of(be);
	size_t columns = db ? cuda_columns_work((size_t)B, O) : 0;
	char *work = (char *)cuda_work(c, columns + (dw ? tile_work(c, O, I, B, 0) : 0));
	float *part = (float *)(void *)(work + columns);
	if (dw && by_library(c, O, I, B)) {
		library(c, dw, dy, 1, x, 0, O, I, B, add);
	} else if (dw) {
		struct tile_lines a = lines_of(dy, NULL, B, (size_t)O, O), b = lines_of(x, NULL, B, (size_t)I, I);
		if (add) {
			struct epilogue_add e = {dw, (size_t)I, 0};
			tile_run(c, a, b, e, O, I, B, part);
		} else {
			tile_run(c, a, b, ending(dw, NULL, ACT_NONE, I), O, I, B, part);
		}
	}
	if (db)
		cuda_columns(c, db, dy, (size_t)B, (size_t)O, O, (float *)(void *)work);
}

void cuda_dense_backward_update(const struct backend *be, real *w, real *m, real *v, const real *dy, const real *x, const real *dy2, const real *x2, int B,
	int I, int O, const struct optimizer_step *opt)
{
	struct cuda *c = cuda_of(be);
	int K = dy2 ? 2 * B : B;
	struct epilogue_step e = {w, m, v, (size_t)I, *opt, 1, 1, 0, 0};
	e.quads = I % 4 == 0 && cuda_by_four(w, m, v, NULL);
	optimizer_bias_correction(opt, &e.fix1, &e.fix2);
	float *part = (float *)cuda_work(c, tile_work(c, O, I, K, 0));
	tile_run(c, lines_of(dy, dy2, B, (size_t)O, O), lines_of(x, x2, B, (size_t)I, I), e, O, I, K, part);
}

/* Sums of columns: 32 of them a block by 8 threads each, over a chunk of rows; then over chunks. */
enum { CHUNK = 1024 };

size_t cuda_columns_work(size_t rows, int N)
{
	size_t chunks = (rows + CHUNK - 1) / CHUNK;
	return chunks * (size_t)cuda_c4(N) * sizeof(float);
}

static __global__ void columns(float *part, const float *x, size_t rows, size_t ld, int N, int N4)
{
	SHARED(float, room);
	int lane = (int)threadIdx.x % 32, line = (int)threadIdx.x / 32, n = (int)blockIdx.y * 32 + lane;
	size_t first = (size_t)blockIdx.x * CHUNK, end = first + CHUNK < rows ? first + CHUNK : rows;
	float sum = 0;
	for (size_t r = first + (size_t)line; n < N && r < end; r += LAUNCH_BLOCK / 32)
		sum += x[r * ld + (size_t)n];
	room[threadIdx.x] = sum;
	__syncthreads();
	if (line || n >= N)
		return;
	for (int i = 1; i < LAUNCH_BLOCK / 32; i++)
		sum += room[i * 32 + lane];
	part[(size_t)blockIdx.x * (size_t)N4 + (size_t)n] = sum;
}

/* A warp a column. */
static __global__ void columns_finish(float *out, const float *part, int chunks, int N, int N4)
{
	int n = (int)(blockIdx.x * (LAUNCH_BLOCK / 32) + threadIdx.x / 32), lane = (int)threadIdx.x % 32;
	double sum = 0;
	for (int i = lane; n < N && i < chunks; i += 32)
		sum += (double)part[(size_t)i * (size_t)N4 + (size_t)n];
	for (int d = 16; d; d /= 2)
		sum += __shfl_xor_sync(0xffffffffu, sum, d);
	if (n < N && !lane)
		out[n] = (float)sum;
}

void cuda_columns(struct cuda *c, float *out, const float *x, size_t rows, size_t ld, int N, float *part)
{
	unsigned chunks = (unsigned)((rows + CHUNK - 1) / CHUNK);
	launch(&c->q, dim3(chunks, (unsigned)tile_over(N, 32)), dim3(LAUNCH_BLOCK), LAUNCH_BLOCK * sizeof(float), columns, chunks > 1 ? part : out,
		x, rows, ld, N, cuda_c4(N));
	if (chunks > 1)
		launch(&c->q, dim3((unsigned)tile_over(N, LAUNCH_BLOCK / 32)), dim3(LAUNCH_BLOCK), 0, columns_finish, out, (const float *)part,
			(int)chunks, N, cuda_c4(N));
}
