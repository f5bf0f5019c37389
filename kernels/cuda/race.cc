/* Race detector. Fibers run one after the other, in an order that nests: launch, block, phase between two barriers, warp, part between two
 * __syncwarp. `tick` counts the parts of all launches; where an access happened before, in this part or in a part of this warp, phase, block
 * or launch, is told by comparing its tick with those at which the current ones began. Of each word (or byte, once a byte of its page was
 * accessed alone) are kept: the last write; the last read, and whether reads before it, since the last write, are in parts that it hides.
 * The last write is enough, as writes before it are ordered before it, or were a race (Flanagan and Freund, 2009, "FastTrack"). */
#include <dlfcn.h>
#include <elf.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "kernels/cuda/atomic.h"
#include "kernels/cuda/launch.h"
#include "kernels/cuda/race.h"

extern "C" {
#include "lib/base/err.h"
}

/* An access, in 64 bits: tick (32), where in the program's code (24), hidden reads (OTHER_BLOCK, OTHER_WARP), and as race_lane. Of a write,
 * OTHER_BLOCK says that it is asynchronous and under way. */
enum { OTHER_BLOCK = 128, UNDER_WAY = OTHER_BLOCK, OTHER_WARP = 64, LANE = 63, LANES = 32, PAGE = 12, TABLE = 18, WORD = 2, NEAR = 16 << 10 };

struct cell {
	uint64_t write, read; /* 0: none */
};

struct region {
	const char *at;
	int shared;
};

struct page { /* of 2^PAGE bytes */
	struct region *region;
	struct cell *cell; /* NULL: not yet accessed */
	int shift;	   /* log2 of the bytes of a cell */
};

static struct page *directory[1 << (47 - PAGE - TABLE)]; /* pages by address */

static struct {
	int on, running;
	uint32_t tick, launch, block, phase, warp, part; /* ticks: the current one, and at the beginnings of ... */
	uint32_t host, cut;				 /* launches from host up to cut are not waited for */
	const struct launch *call;
	const char *skip;
	uint64_t *log; /* block and warp of each tick of the launch */
	size_t logged, block_index;
	int warp_index;
} m;

unsigned char race_lane;

static struct page *page_of(uintptr_t a)
{
	struct page *table = directory[a >> (PAGE + TABLE) & (sizeof directory / sizeof *directory - 1)];
	return table ? &table[a >> PAGE & ((1 << TABLE) - 1)] : NULL;
}

void race_map(const char *first, const char *end, const char *at)
{
	if (!m.on || first == end)
		return;
	struct region *r = (struct region *)xcalloc(1, sizeof *r);
	r->at = at;
	for (uintptr_t p = (uintptr_t)first; p < (uintptr_t)end; p += 1 << PAGE) {
		struct page **table = &directory[p >> (PAGE + TABLE)];
		if (!*table)
			*table = (struct page *)xcalloc(1 << TABLE, sizeof **table);
		page_of(p)->region = r, page_of(p)->shift = WORD;
	}
}

void race_unmap(const char *first, const char *end)
{
	if (!m.on || first == end)
		return;
	free(page_of((uintptr_t)first)->region);
	for (uintptr_t p = (uintptr_t)first; p < (uintptr_t)end; p += 1 << PAGE) {
		free(page_of(p)->cell);
		memset(page_of(p), 0, sizeof(struct page));
	}
}

void race_shared(const char *first)
{
	if (m.on)
		page_of((uintptr_t)first)->region->shared = 1;
}

/* The page's cells become those of 2^shift bytes. */
static void page_refine(struct page *p, int shift)
{
	size_t n = (size_t)1 << (PAGE - shift), each = (size_t)1 << (p->shift - shift);
	struct cell *cell = (struct cell *)xcalloc(n, sizeof *cell);
	for (size_t i = 0; p->cell && i < n; i++)
		cell[i] = p->cell[i / each];
	free(p->cell);
	p->cell = cell, p->shift = shift;
}

static uint32_t next_tick(void)
{
	if (m.tick == UINT32_MAX)
		die("a run too long for the race detector");
	return ++m.tick;
}

static void log_tick(void)
{
	if (!m.on)
		return;
	size_t at = m.tick - m.launch;
	while (at >= m.logged) {
		m.logged = m.logged ? 2 * m.logged : 4096;
		m.log = (uint64_t *)xrealloc(m.log, m.logged * sizeof *m.log);
	}
	m.log[at] = (uint64_t)m.block_index << 8 | (uint64_t)m.warp_index;
}

void race_host(void)
{
	m.host = next_tick(), m.cut = 0;
}

void race_skip(const char *kernel)
{
	m.skip = kernel;
}

int race_launch(const struct launch *c)
{
	int skipped = m.skip && !strcmp(m.skip, c->name);
	m.call = c, m.launch = next_tick(), m.running = m.on;
	atomic_launch();
	if (skipped)
		m.cut = m.launch;
	return skipped;
}

void race_block(size_t block)
{
	m.block_index = block;
	m.block = m.phase = next_tick();
	atomic_block(m.block);
}

void race_barrier(void)
{
	m.phase = next_tick();
	atomic_barrier(m.phase);
}

void race_warp(int warp)
{
	m.warp_index = warp;
	m.warp = m.part = next_tick(), log_tick();
}

void race_syncwarp(void)
{
	m.part = next_tick(), log_tick();
}

void race_end(void)
{
	m.running = 0;
}

/* The program's first byte in memory, from which the code of an access is counted. */
static uintptr_t program(void)
{
	static uintptr_t base;
	Dl_info info;
	if (!base && dladdr((const void *)race_launch, &info))
		base = (uintptr_t)info.dli_fbase;
	return base;
}

/* file:line of code, or where it is in the program if that isn't known. */
static void source_line(char to[64], uint64_t access)
{
	uintptr_t at = (uintptr_t)(access >> 8 & 0xffffff) - 1;
	char command[128], line[512] = "", *name = line;
	const Elf64_Ehdr *elf = (const Elf64_Ehdr *)program();
	snprintf(command, sizeof command, "addr2line -i -e /proc/%ld/exe %#lx 2>/dev/null", (long)getpid(),
		(unsigned long)(elf->e_type == ET_DYN ? at : at + program()));
	FILE *f = popen(command, "r");
	while (f && fgets(line, sizeof line, f) && (strstr(line, "host_cuda.h:") || strstr(line, "/ptx.h:"))) /* an instruction: in whose place it is inlined */
		;
	if (f) {
		name = strrchr(line, '/') ? strrchr(line, '/') + 1 : line;
		name[strcspn(name, " \n")] = 0;
	}
	if (f)
		pclose(f);
	if (!*name || *name == '?')
		snprintf(to, 64, "code %#lx", (unsigned long)at);
	else
		snprintf(to, 64, "%.63s", name);
}

/* Who made an access, as far as it is kept. */
static void who(char *to, size_t size, uint64_t access)
{
	uint32_t tick = (uint32_t)(access >> 32);
	uint64_t at = tick >= m.launch ? m.log[tick - m.launch] : 0, block = at >> 8;
	unsigned n = (unsigned)(at & 255) * LANES + (unsigned)(access & (LANES - 1)), x = blockDim.x, y = blockDim.y;
	if (tick < m.launch) {
		snprintf(to, size, "an earlier launch");
		return;
	}
	int length = access & RACE_WARP ? snprintf(to, size, "warp %u", (unsigned)(at & 255))
					: snprintf(to, size, "thread (%u, %u, %u)", n % x, n / x % y, n / x / y);
	if (tick < m.block)
		snprintf(to + length, size - (size_t)length, " of block (%u, %u, %u)", (unsigned)(block % gridDim.x),
			(unsigned)(block / gridDim.x % gridDim.y), (unsigned)(block / gridDim.x / gridDim.y));
}

/* The launch's argument whose pointer, or a pointer in it, is the nearest one at or before p in the region; -1: none. */
static int argument_of(const struct region *r, const char *p, size_t *offset)
{
	const struct launch *c = m.call;
	int found = -1;
	for (int i = 0; i < c->n; i++)
		for (int at = (c->offset[i] + 7) / 8 * 8; at + 8 <= (i + 1 < c->n ? c->offset[i + 1] : c->bytes); at += 8) {
			const char *q;
			memcpy(&q, c->args + at, sizeof q);
			if (q >= r->at && q <= p && (found < 0 || (size_t)(p - q) < *offset))
				found = i, *offset = (size_t)(p - q);
		}
	return found;
}

static void die_race(const struct page *page, uintptr_t a, size_t bytes, int write, uint64_t now, uint64_t old, int old_write)
{
	const struct region *r = page->region;
	const char *p = (const char *)a;
	char here[64], there[64], other[128], array[128] = "";
	size_t offset = 0;
	int argument = r->shared ? -1 : argument_of(r, p, &offset);
	m.running = 0;
	source_line(here, now), source_line(there, old), who(other, sizeof other, old);
	if (argument >= 0)
		snprintf(array, sizeof array, ", byte %zu from the pointer of argument %d", offset, argument + 1);
	fiber_fault("a race: it %s %zu bytes (%s) that %s %s (%s), %s: byte %zu of %s memory%s", write ? "writes" : "reads", bytes, here,
		other, old_write ? "writes" : "reads", there, old_write && old & UNDER_WAY ? "not waited for" : "unordered",
		(size_t)(p - (r->shared ? (const char *)fiber_shared(0) : r->at)), r->shared ? "shared" : "device", array);
}

/* Whether an access at that tick by that lane, or one of its warp, is neither ordered before the current one nor the same thread's. */
static int unordered(uint64_t access, const struct region *r)
{
	uint32_t tick = (uint32_t)(access >> 32), since = r->shared ? m.block : m.launch;
	if (tick < since)
		return !r->shared && tick < m.cut && tick >= m.host;
	if (tick >= m.part)
		return (access & LANE) != race_lane;
	return tick < m.block ? !atomic_ordered(tick) : tick < m.warp && tick >= m.phase;
}

/* A read after the read `old`, both since the last write: what hides in it. */
static uint64_t read_after(uint64_t now, uint64_t old, const struct region *r)
{
	uint32_t tick = (uint32_t)(old >> 32), since = r->shared ? m.block : m.launch;
	if (tick < since)
		return now;
	if (tick < m.block)
		return now | OTHER_BLOCK;
	now |= old & OTHER_BLOCK;
	if (tick < m.phase)
		return now;
	if (tick < m.warp)
		return now | OTHER_WARP;
	now |= old & OTHER_WARP;
	return tick >= m.part && (old & LANE) != race_lane ? now | RACE_WARP : now;
}

/* Whether a read hidden in the last one is unordered. */
static int hides_unordered(uint64_t access, const struct region *r)
{
	uint32_t tick = (uint32_t)(access >> 32), since = r->shared ? m.block : m.launch;
	return (access & OTHER_BLOCK && tick >= since) || (access & OTHER_WARP && tick >= m.phase);
}

static void access_cell(struct cell *c, const struct page *page, uintptr_t a, size_t bytes, int write, uintptr_t code)
{
	const struct region *r = page->region;
	uint64_t now = (uint64_t)m.part << 32 | (uint64_t)((code - program()) & 0xffffff) << 8 | race_lane;
	if (c->write && (unordered(c->write, r) || (c->write & UNDER_WAY && c->write >> 32 >= m.block)))
		die_race(page, a, bytes, write, now, c->write, 1);
	if (!write) {
		c->read = c->read ? read_after(now, c->read, r) : now;
		return;
	}
	if (c->read && (unordered(c->read, r) || hides_unordered(c->read, r)))
		die_race(page, a, bytes, write, now, c->read, 0);
	c->write = now, c->read = 0;
}

/* Whether the last access was in this part, by this thread, or, of reads, by several: nothing is new then, as those were looked at. */
static inline int known(uint64_t last, int write)
{
	return last >> 32 == m.part && !(last & UNDER_WAY) && ((last & LANE) == race_lane || (!write && last & RACE_WARP));
}

static void access_page(struct page *page, uintptr_t a, size_t bytes, int write, uintptr_t code)
{
	if (((a | bytes) & (((uintptr_t)1 << page->shift) - 1)) != 0)
		page_refine(page, (a | bytes) & 1 ? 0 : 1);
	if (!page->cell)
		page->cell = (struct cell *)xcalloc((size_t)1 << (PAGE - page->shift), sizeof *page->cell);
	struct cell *c = page->cell + ((a & ((1 << PAGE) - 1)) >> page->shift), *end = c + (bytes >> page->shift);
	for (; c < end; c++)
		if (!known(write ? c->write : c->read, write) || (write && c->read))
			access_cell(c, page, a, bytes, write, code);
}

static void access_pages(uintptr_t a, size_t bytes, int write, uintptr_t code)
{
	while (bytes) {
		size_t in_page = ((size_t)1 << PAGE) - (a & ((1 << PAGE) - 1)), n = bytes < in_page ? bytes : in_page;
		struct page *page = page_of(a);
		if (page && page->region)
			access_page(page, a, n, write, code);
		a += n, bytes -= n;
	}
}

static inline __attribute__((always_inline)) void access(const void *p, size_t bytes, int write, uintptr_t code)
{
	uintptr_t a = (uintptr_t)p;
	if (!m.running || a - (uintptr_t)__builtin_frame_address(0) < NEAR) /* the thread's own stack */
		return;
	struct page *page = page_of(a);
	if (!page || !page->region) /* constants, or further up the stack; areas begin at pages */
		return;
	if (bytes == 4 && page->cell && page->shift == WORD && !(a & 3)) {
		struct cell *c = page->cell + ((a & ((1 << PAGE) - 1)) >> WORD);
		if (!known(write ? c->write : c->read, write) || (write && c->read))
			access_cell(c, page, a, bytes, write, code);
		return;
	}
	access_pages(a, bytes, write, code);
}

void race_access(const void *p, size_t bytes, int write, const void *code)
{
	access(p, bytes, write, (uintptr_t)(code ? code : __builtin_return_address(0)));
}

/* The last writes of words that an access has just written. */
static void mark_words(const void *p, size_t bytes, uint64_t under_way, int landed)
{
	for (uintptr_t a = (uintptr_t)p; m.running && a < (uintptr_t)p + bytes; a += (uintptr_t)1 << WORD) {
		struct page *page = page_of(a);
		for (int i = 0; page && page->cell && i < 1 << (WORD - page->shift); i++) {
			struct cell *c = page->cell + ((a & ((1 << PAGE) - 1)) >> page->shift) + i;
			c->write = landed ? c->write & ~(uint64_t)UNDER_WAY : c->write | under_way;
		}
	}
}

void race_async(const void *p, size_t bytes, const void *code)
{
	access(p, bytes, 1, (uintptr_t)code);
	mark_words(p, bytes, UNDER_WAY, 0);
}

void race_landed(const void *p, size_t bytes, const void *code)
{
	mark_words(p, bytes, 0, 1);
	access(p, bytes, 1, (uintptr_t)code);
}

/* What compilers call, GCC and Clang, for accesses in functions compiled with -fsanitize=thread. */
#define CODE (uintptr_t) __builtin_return_address(0)
#define ACCESS(bytes)                                                                                                                      \
	void __tsan_read##bytes(void *p)                                                                                                   \
	{                                                                                                                                  \
		access(p, bytes, 0, CODE);                                                                                                 \
	}                                                                                                                                  \
	void __tsan_write##bytes(void *p)                                                                                                  \
	{                                                                                                                                  \
		access(p, bytes, 1, CODE);                                                                                                 \
	}                                                                                                                                  \
	void __tsan_unaligned_read##bytes(void *p)                                                                                         \
	{                                                                                                                                  \
		access(p, bytes, 0, CODE);                                                                                                 \
	}                                                                                                                                  \
	void __tsan_unaligned_write##bytes(void *p)                                                                                        \
	{                                                                                                                                  \
		access(p, bytes, 1, CODE);                                                                                                 \
	}

extern "C" {
ACCESS(1)
ACCESS(2)
ACCESS(4)
ACCESS(8)
ACCESS(16)
void __tsan_read_range(void *p, size_t bytes)
{
	access(p, bytes, 0, CODE);
}
void __tsan_write_range(void *p, size_t bytes)
{
	access(p, bytes, 1, CODE);
}
void *__tsan_memcpy(void *to, const void *from, size_t bytes)
{
	access(from, bytes, 0, CODE), access(to, bytes, 1, CODE);
	return memcpy(to, from, bytes);
}
void *__tsan_memmove(void *to, const void *from, size_t bytes)
{
	access(from, bytes, 0, CODE), access(to, bytes, 1, CODE);
	return memmove(to, from, bytes);
}
void *__tsan_memset(void *to, int byte, size_t bytes)
{
	access(to, bytes, 1, CODE);
	return memset(to, byte, bytes);
}
void __tsan_init(void) /* by a constructor of each such object file */
{
	m.on = 1;
}
void __tsan_func_entry(void *)
{
}
void __tsan_func_exit(void)
{
}
void __tsan_vptr_update(void **, void *)
{
}
}
