/* Which backend a rank has, and what lib/ranks asks of it. */
#include "lib/train/rank_backend.h"

#include <stdlib.h>
#include <string.h>

#include "lib/base/crc.h"
#include "lib/base/err.h"
#include "lib/nn/backend_open.h"

static void *alloc(void *arg, size_t bytes)
{
	const struct backend *be = arg;
	return be->alloc(be, bytes);
}

static void release(void *arg, void *device)
{
	const struct backend *be = arg;
	be->release(be, device);
}

static void upload(void *arg, void *device, const void *host, size_t bytes)
{
	const struct backend *be = arg;
	be->upload(be, device, host, bytes);
}

static void download(void *arg, void *host, const void *device, size_t bytes)
{
	const struct backend *be = arg;
	be->download(be, host, device, bytes);
}

static void add(void *arg, float *y, const float *x, size_t n)
{
	const struct backend *be = arg;
	be->add(be, y, y, x, ACT_NONE, n);
}

static void *stream(void *arg)
{
	const struct backend *be = arg;
	return be->stream(be);
}

/* Before sums are opened, which ranks of one kind of backend do together. */
static void compare(struct ranks *r, const struct backend *be)
{
	char *what = xprintf(
		"what computes it (rank 0: %s, %s)%s", be->name, be->alike, be->stream ? "" : "; KEYPIPE_ISA has all compute by one");
	uint32_t crc = crc_add(0, be->name, strlen(be->name));
	ranks_compare(r, crc_add(crc, be->alike, strlen(be->alike)), what);
	free(what);
}

struct backend *rank_backend_open(struct ranks *r, const char *device, int threads, const char *precision, int fast)
{
	char *own = r && !strcmp(device, "cuda") ? xprintf("cuda:%d", -1 - r->place) : NULL;
	struct backend *be = backend_open(own ? own : device, threads, precision);
	free(own);
	if (ranks_size(r) == 1)
		return be;
	compare(r, be);
	r->fast = fast;
	if (be->stream) {
		struct ranks_device *d = xmalloc(sizeof *d);
		*d = (struct ranks_device){be, be->gpu, alloc, release, upload, download, add, stream};
		ranks_allreduce_open(r, d);
	}
	if (fast)
		warn("--fast: AllReduce (%s) sums gradients: the bits depend on the number of ranks, here %d", ranks_allreduce_by(r),
			r->size);
	return be;
}

void rank_backend_close(struct ranks *r, struct backend *be)
{
	const struct ranks_device *d = r ? r->device : NULL;
	ranks_allreduce_close(r);
	free((void *)d);
	be->close(be);
}
