/* The table of the hand for cards, and its memory. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "kernels/cuda/cuda.h"

extern "C" {
#include "lib/base/err.h"
}

static void *room(const struct card *card, size_t bytes)
{
	void *p = card_alloc(bytes ? bytes : 1);
	size_t free, total;
	if (p)
		return p;
	card_room(&free, &total);
	die("%s: out of the card's memory: %zu MiB are wanted, %zu of %zu MiB are free", card->name, (bytes >> 20) + 1, free >> 20,
		total >> 20);
}

static void *cuda_alloc(const struct ops *o, size_t bytes)
{
	void *p = room(&cuda_of(o)->card, bytes);
	queue_flush(queue_of(o));
	card_fill(p, 0, bytes);
	return p;
}

static void cuda_release(const struct ops *o, void *device)
{
	if (!device)
		return;
	queue_flush(queue_of(o));
	card_free(device);
}

static void cuda_put(const struct ops *o, void *device, const void *host, size_t bytes)
{
	queue_flush(queue_of(o));
	if (bytes)
		card_put(device, host, bytes);
}

static void cuda_get(const struct ops *o, void *host, const void *device, size_t bytes)
{
	queue_flush(queue_of(o));
	if (bytes)
		card_get(host, device, bytes);
}

static void cuda_feed(const struct ops *, void *device, const void *host, size_t bytes)
{
	card_feed(device, host, bytes);
}

static int cuda_fetch(const struct ops *o, void *host, const void *device, size_t bytes)
{
	queue_flush(queue_of(o));
	return card_fetch(host, device, bytes);
}

static void cuda_wait(const struct ops *, int ticket)
{
	card_wait(ticket);
}

static __global__ void fill_zero(unsigned char *p, size_t n)
{
	size_t i = run_index();
	if (i < n)
		p[i] = 0;
}

static __global__ void copy_words(uint32_t *to, const uint32_t *from, size_t n)
{
	size_t i = run_index();
	if (i < n)
		to[i] = from[i];
}

static __global__ void copy_bytes(unsigned char *to, const unsigned char *from, size_t n)
{
	size_t i = run_index();
	if (i < n)
		to[i] = from[i];
}

static void cuda_zero(const struct ops *o, void *device, size_t bytes)
{
	run_flat(queue_of(o), bytes, fill_zero, (unsigned char *)device, bytes);
}

/* As launches, so that they stand in a graph with the others. */
static void cuda_copy(const struct ops *o, void *to, const void *from, size_t bytes)
{
	if (((uintptr_t)to | (uintptr_t)from | bytes) % sizeof(uint32_t))
		run_flat(queue_of(o), bytes, copy_bytes, (unsigned char *)to, (const unsigned char *)from, bytes);
	else
		run_flat(queue_of(o), bytes / 4, copy_words, (uint32_t *)to, (const uint32_t *)from, bytes / 4);
}

static void *cuda_lend(const struct ops *o, const void *host, size_t bytes)
{
	void *device = room(&cuda_of(o)->card, bytes);
	cuda_put(o, device, host, bytes);
	return device;
}

static const void *cuda_view(const struct ops *o, const void *device, size_t bytes)
{
	void *host = xmalloc(bytes);
	cuda_get(o, host, device, bytes);
	return host;
}

static void cuda_unview(const struct ops *o, const void *host)
{
	(void)o;
	free((void *)host);
}

void *cuda_work(struct cuda *c, size_t bytes)
{
	if (c->work_size < bytes) {
		queue_flush(&c->q);
		card_free(c->work);
		c->work = room(&c->card, bytes);
		c->work_size = bytes;
	}
	return c->work;
}

static void cuda_close(struct ops *o)
{
	struct cuda *c = cuda_of(o);
	queue_close(&c->q);
	card_free(c->work);
	card_close();
	free(c), free(o);
}

/* Products are cut by how many multiprocessors there are; tests say fewer, so that small ones are cut as large ones are. */
static int units_of(const struct card *card)
{
	const char *text = getenv("KEYPIPE_CARD_UNITS");
	char *end = NULL;
	long v = text ? strtol(text, &end, 10) : card->units;
	if (v < 1 || v > 1 << 20 || (text && (end == text || *end)))
		die("KEYPIPE_CARD_UNITS: '%s' is no number of multiprocessors", text);
	return (int)v;
}

struct ops *ops_cuda(enum precision precision)
{
	static const char *const names[] = {"fp32", "tf32", "bf16"};
	struct cuda *c = (struct cuda *)xcalloc(1, sizeof *c);
	struct ops *o = (struct ops *)xcalloc(1, sizeof *o);
	const char *order = getenv("KEYPIPE_CARD_ORDER"); /* for tests on the host */
	c->card = card_open(order && !strcmp(order, "reverse"));
	c->card.units = units_of(&c->card);
	c->precision = c->card.major < 8 ? PRECISION_FP32 : precision; /* tensor cores know tf32 and bf16 from there on */
	queue_open(&c->q);
	snprintf(c->kernel, sizeof c->kernel, "%s (sm_%d%d), %s%s", c->card.name, c->card.major, c->card.minor, names[c->precision],
		c->card.library ? ", cuBLAS" : "");
	o->name = "cuda", o->kernel = c->kernel, o->ctx = c;
	o->alloc = cuda_alloc, o->release = cuda_release, o->put = cuda_put, o->get = cuda_get, o->zero = cuda_zero, o->copy = cuda_copy;
	o->lend = cuda_lend, o->unlend = cuda_release, o->view = cuda_view, o->unview = cuda_unview;
	o->feed = cuda_feed, o->fetch = cuda_fetch, o->wait = cuda_wait;
	o->images = cuda_images, o->gather = cuda_gather, o->mask = cuda_mask;
	o->maps_size = cuda_maps_size, o->to_maps = cuda_to_maps, o->to_rows = cuda_to_rows;
	o->dense = cuda_dense, o->dense_dx = cuda_dense_dx, o->dense_dw = cuda_dense_dw, o->dense_step = cuda_dense_step;
	o->conv_packed = cuda_conv_packed, o->conv_pack = cuda_conv_pack, o->conv = cuda_conv, o->conv_back = cuda_conv_back;
	o->act = cuda_act, o->act_back = cuda_act_back, o->pool = cuda_pool, o->pool_back = cuda_pool_back;
	o->up = cuda_up, o->up_back = cuda_up_back, o->bn = cuda_bn, o->bn_back = cuda_bn_back;
	o->loss = cuda_loss, o->heat = cuda_heat, o->splat = cuda_splat, o->update = cuda_update;
	o->close = cuda_close;
	return o;
}
