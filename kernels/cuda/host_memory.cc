/* Device and pinned memory of CUDA on the host. */
#include <stdlib.h>
#include <string.h>

#include "kernels/cuda/area.h"
#include "kernels/cuda/device.h"
#include "kernels/cuda/host_memory.h"

extern "C" {
#include "lib/base/err.h"
}

static const size_t MEMORY = (size_t)16 << 30;

struct piece {
	struct area area;
	enum host_memory_kind kind;
};

static struct {
	struct piece *piece;
	int n;
	size_t used;
} m;

size_t host_memory_used(void)
{
	return m.used;
}

size_t host_memory_total(void)
{
	const char *bytes = gpu_setting("BYTES", "BYTES");
	return bytes ? strtoull(bytes, NULL, 10) : MEMORY;
}

void *host_memory_new(enum host_memory_kind kind, size_t bytes)
{
	struct piece p = {{}, kind};
	size_t used = kind == MEMORY_DEVICE ? bytes : 0;
	if (used <= host_memory_total() && m.used <= host_memory_total() - used)
		p.area = area_new(bytes);
	if (!p.area.at)
		return NULL;
	m.piece = (struct piece *)xrealloc(m.piece, (size_t)(m.n + 1) * sizeof p);
	m.piece[m.n++] = p;
	m.used += used;
	return p.area.at;
}

static struct piece *piece_of(const void *p)
{
	const char *at = (const char *)p;
	for (int i = 0; i < m.n; i++)
		if (at >= m.piece[i].area.first && at < m.piece[i].area.end)
			return &m.piece[i];
	return NULL;
}

int host_memory_free(enum host_memory_kind kind, void *p)
{
	struct piece *s = piece_of(p);
	if (!s || s->kind != kind || s->area.at != p)
		return 0;
	if (!area_poisoned(s->area.first, s->area.at) || !area_poisoned(s->area.at + s->area.bytes, s->area.end))
		die("something was written just outside of %zu bytes of memory", s->area.bytes);
	m.used -= kind == MEMORY_DEVICE ? s->area.bytes : 0;
	area_free(s->area);
	*s = m.piece[--m.n];
	return 1;
}

size_t host_memory_size(const void *p)
{
	const struct piece *s = piece_of(p);
	return s && s->area.at == p ? s->area.bytes : 0;
}

enum host_memory_kind host_memory_kind(const void *p, size_t bytes, const char *what)
{
	const struct piece *s = piece_of(p);
	if (!s)
		return MEMORY_PAGEABLE;
	size_t at = (size_t)((const char *)p - s->area.at);
	if ((const char *)p < s->area.at || at > s->area.bytes || bytes > s->area.bytes - at)
		die("%s: %zu bytes at %p are not all in its %zu bytes of memory", what, bytes, p, s->area.bytes);
	return s->kind;
}
