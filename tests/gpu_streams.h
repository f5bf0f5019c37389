/* Feeds, uploads, downloads, changed arguments and products on a GPU's streams: tests that check_gpu.cc runs on CUDA's runtime on the host,
 * in all orders of streams, and check_device.cc on a GPU. Before it: CUBLAS_IS_THERE, 1 where the machine must have cuBLAS. */
#ifndef GPU_STREAMS_H
#define GPU_STREAMS_H

/* Streams of gpu.cu by number: 0 launches and copies, 1 is captured, 2 uploads, 3 downloads. Which of them run work at once: */
static const char *const schedules[] = {"", "0", "2", "3", "23", "023"};
enum { SCHEDULES = sizeof schedules / sizeof *schedules };

static struct backend *be;

static void open_with(int schedule, int cublas)
{
	if (!cublas)
		setenv("KEYPIPE_CUBLAS", "0", 1); /* its workspace takes time */
	setenv("KEYPIPE_GPU_AT_ONCE", schedules[schedule], 1);
	be = backend_init_by_name("cuda", 1, PRECISION_FP32);
}

static __global__ void add(float *y, const float *x, float by, size_t n)
{
	size_t i = launch_index();
	if (i < n)
		y[i] = x[i] + by;
}

static void launch_adds(float *y, const float *x, float by, size_t n)
{
	launch_flat(queue_of(be), n, add, y, x, by, n);
}

static float *device_array(size_t n)
{
	return (float *)be->alloc(be, n * sizeof(float));
}

static float *filled(size_t n, float v)
{
	float *p = (float *)xcalloc(n, sizeof *p);
	for (size_t i = 0; i < n; i++)
		p[i] = v;
	return p;
}

static void fill(float *p, size_t n, float v)
{
	for (size_t i = 0; i < n; i++)
		p[i] = v;
}

/* Every value is v; else the program ends. */
static void all_are(const float *p, size_t n, float v, const char *what)
{
	for (size_t i = 0; i < n; i++)
		if (!(p[i] == v))
			die("%s, at once '%s': value %zu is %g, not %g", what, getenv("KEYPIPE_GPU_AT_ONCE"), i, (double)p[i], (double)v);
}

/* Batches through two slots, as infer.c feeds them: the next is uploaded while the last is computed and downloaded; sizes on both sides of
 * what is downloaded by a copy on the GPU. `few`: launches without a graph. */
START_TEST(pipeline)
{
	const size_t sizes[] = {100, 70000};
	for (int few = 0; few < 2; few++)
		for (int s = 0; s < 2; s++) {
			size_t n = sizes[s], bytes = n * sizeof(float);
			open_with(_i, 0);
			float *x[2] = {device_array(n), device_array(n)}, *y = device_array(n), *host[2] = {filled(n, 0), filled(n, 0)},
			      *feed = filled(n, 0);
			int ticket[2] = {-1, -1};
			for (int b = 0; b < 9; b++) {
				int slot = b % 2;
				if (b >= 2) {
					be->wait(be, ticket[slot]);
					all_are(host[slot], n, (float)(10 * (b - 2) + (few ? 1 : 5)), "a batch");
				}
				fill(feed, n, (float)(10 * b));
				be->upload_async(be, x[slot], feed, bytes);
				fill(feed, n, -1);
				launch_adds(y, x[slot], 1, n);
				for (int k = 0; k < 4 && !few; k++)
					launch_adds(y, y, 1, n);
				ticket[slot] = be->download_async(be, host[slot], y, bytes);
			}
			for (int b = 7; b < 9; b++) {
				be->wait(be, ticket[b % 2]);
				all_are(host[b % 2], n, (float)(10 * b + (few ? 1 : 5)), "a last batch");
			}
			for (int k = 0; k < 2; k++)
				be->release(be, x[k]), free(host[k]);
			be->release(be, y), free(feed);
			be->close(be);
		}
}
END_TEST

/* More feeds at a time than there are bounce buffers: each array gets its own. */
START_TEST(feeds)
{
	enum { FEEDS = 7, N = 300 };
	float *x[FEEDS], host[N];
	open_with(_i, 0);
	for (int k = 0; k < FEEDS; k++)
		x[k] = device_array(N);
	for (int k = 0; k < FEEDS; k++) {
		fill(host, N, (float)k);
		be->upload_async(be, x[k], host, sizeof host - (size_t)k);
	}
	for (int k = 0; k < FEEDS; k++) {
		be->download(be, host, x[k], sizeof host);
		all_are(host, N - 2, (float)k, "a feed");
		be->release(be, x[k]);
	}
	be->close(be);
}
END_TEST

/* After upload returns the host's array may change, and launches queued before it have the old contents; small copies go through the bounce
 * buffer, large ones do not. Many small ones fill the bounce buffer, which is used again. */
START_TEST(uploads)
{
	const size_t sizes[] = {7, 300000, 530000};
	open_with(_i, 0);
	for (int s = 0; s < 3; s++) {
		size_t n = sizes[s], bytes = n * sizeof(float);
		enum { ROUNDS = 9 };
		float *x = device_array(n), *y[ROUNDS], *host = filled(n, 0);
		for (int r = 0; r < ROUNDS; r++) /* before, as it waits */
			y[r] = device_array(n);
		for (int r = 0; r < ROUNDS; r++) {
			fill(host, n, (float)r);
			be->upload(be, x, host, bytes);
			fill(host, n, -1);
			launch_adds(y[r], x, 0.5f, n);
		}
		for (int r = 0; r < ROUNDS; r++) {
			be->download(be, host, y[r], bytes);
			all_are(host, n, (float)r + 0.5f, "an upload");
			be->release(be, y[r]);
		}
		be->release(be, x), free(host);
	}
	be->close(be);
}
END_TEST

/* A download has what its source held when it was queued, whatever later launches, uploads and releases do to it; on a GPU that is too full
 * for a copy of it too. */
START_TEST(downloads)
{
	const size_t sizes[] = {100, 70000};
	for (int full = 0; full < 2; full++)
		for (int s = 0; s < 2; s++) {
			size_t n = sizes[s], bytes = n * sizeof(float);
			if (full)
				setenv("KEYPIPE_GPU_BYTES", "400000", 1); /* x, and not as much again */
			else
				unsetenv("KEYPIPE_GPU_BYTES");
			open_with(_i, 0);
			float *x = device_array(n), *host = filled(n, 3), *other = filled(n, 0);
			be->upload(be, x, host, bytes);
			launch_adds(x, x, 1, n);
			int first = be->download_async(be, host, x, bytes);
			launch_adds(x, x, 1, n);
			int second = be->download_async(be, other, x, bytes);
			launch_adds(x, x, 1, n);
			be->release(be, x);
			be->wait(be, second);
			all_are(other, n, 5, "the second download");
			be->wait(be, first);
			all_are(host, n, 4, "the first download");
			free(host), free(other);
			be->close(be);
		}
	unsetenv("KEYPIPE_GPU_BYTES");
}
END_TEST

/* Graphs whose arguments change while an earlier launch of them has not run; and one that is dropped for others then. */
START_TEST(changed_arguments)
{
	enum { N = 33, GRAPHS = QUEUE_SAME + 3 };
	open_with(_i, 0);
	struct queue *q = queue_of(be);
	float *x = device_array(N), *y[GRAPHS], host[N];
	for (int r = 0; r < GRAPHS; r++) /* before, as it waits */
		y[r] = device_array(N);
	be->zero(be, x, sizeof host);
	for (int r = 0; r < GRAPHS; r++) {
		launch_adds(y[r], x, (float)r, N);
		for (int k = 0; k < 5; k++)
			launch_adds(y[r], y[r], (float)(k * r), N);
		queue_flush(q);
	}
	for (int r = 0; r < GRAPHS; r++) {
		be->download(be, host, y[r], sizeof host);
		all_are(host, N, (float)(11 * r), "a graph with other arguments");
	}
	ck_assert_msg(q->sets > 0, "no argument was set");
	for (int length = 0; length < QUEUE_GRAPHS + 2; length++) {
		for (int k = 0; k < QUEUE_FEW + length; k++)
			launch_adds(x, x, 1, N);
		queue_flush(q);
	}
	be->download(be, host, x, sizeof host);
	all_are(host, N, (QUEUE_GRAPHS + 2) * (QUEUE_FEW + (QUEUE_GRAPHS + 1) / 2.0f), "graphs that were dropped");
	for (int r = 0; r < GRAPHS; r++)
		be->release(be, y[r]);
	be->release(be, x), be->close(be);
}
END_TEST

/* Products by cuBLAS between kernels: in order, and with other arguments. c (M, N) = a (M, K) b (K, N), sizes that are all different. */
START_TEST(products)
{
	enum { M = 640, N = 512, K = 288 };
	open_with(_i, 1);
	ck_assert(cuda_of(be)->gpu.cublas || !CUBLAS_IS_THERE);
	float *a = device_array(M * K), *w = device_array(K * N), *c = device_array(M * N), *host = filled(M * N, 0);
	for (int round = 0; round < 2; round++) {
		for (int i = 0; i < M * K; i++)
			host[i] = (float)((i * 7 + round) % 5);
		be->upload(be, a, host, M * K * sizeof(float));
		for (int i = 0; i < K * N; i++)
			host[i] = (float)(i * 3 % 7) - 3;
		be->upload(be, w, host, K * N * sizeof(float));
		launch_adds(a, a, 1, M * K);
		be->dense(be, c, a, w, NULL, ACT_NONE, 1, M, K, N);
		launch_adds(a, a, 100, M * K);
		launch_adds(c, c, 2, M * N);
		be->download(be, host, c, M * N * sizeof(float));
		for (int i = 0; i < M * N; i += 997) {
			float want = 2;
			for (int k = 0; k < K; k++)
				want += ((float)((i / N * K + k) * 7 + round) - (float)(((i / N * K + k) * 7 + round) / 5 * 5) + 1) *
					((float)((k * N + i % N) * 3 % 7) - 3);
			all_are(&host[i], 1, want, "a product");
		}
	}
	be->release(be, a), be->release(be, w), be->release(be, c), free(host), be->close(be);
}
END_TEST

/* Adds them to t, each in so many schedules. */
static void add_streams(TCase *t, int n, int with_products)
{
	tcase_add_loop_test(t, pipeline, 0, n);
	tcase_add_loop_test(t, feeds, 0, n);
	tcase_add_loop_test(t, uploads, 0, n);
	tcase_add_loop_test(t, downloads, 0, n);
	tcase_add_loop_test(t, changed_arguments, 0, n);
	tcase_add_loop_test(t, products, 0, with_products);
}

#endif
