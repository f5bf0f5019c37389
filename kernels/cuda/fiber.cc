/* Emulation of a GPU on the host with fibers: blocks run one after the other, a block's threads as fibers (coroutines) that yield to the
 * next one at barriers and warp operations. Shared memory ends at guard pages (area.h), and is NaN until it is written. */
#include <stdarg.h>
#include <stdio.h>
#include <sys/mman.h>
#include <ucontext.h>

#include "kernels/cuda/area.h"
#include "kernels/cuda/fiber.h"
#include "kernels/cuda/gpu.h"
#include "kernels/cuda/race.h"

extern "C" {
#include "lib/base/err.h"
}

#ifdef __SANITIZE_ADDRESS__
#define FIBER_ASAN
#elif defined __has_feature
#if __has_feature(address_sanitizer)
#define FIBER_ASAN
#endif
#endif
#ifdef FIBER_ASAN
#include <sanitizer/common_interface_defs.h>
#endif

enum { STACK = 256 << 10, BEFORE = 64 }; /* bytes: of a fiber's stack; before shared memory that are checked for writes */

struct fiber {
	struct fiber_lane lane; /* first: fiber_now points here */
	uint3 thread;
	int op, line;	   /* where it yielded */
	void *sp;	   /* saved stack pointer, or its ucontext_t */
	const void *stack; /* lowest address */
	size_t size;
	void *fake_stack; /* of the address sanitizer */
};

static struct {
	int reverse;
	uint64_t seed, random;	   /* of KEYPIPE_GPU_ORDER=N, 0: none; of the numbers drawn from it */
	uint16_t order[THREADS];   /* the block's threads in running order, a warp's beside each other */
	uint32_t *blocks;	   /* the grid's blocks in running order, where drawn */
	size_t blocks_size;
	const struct launch *call; /* the running launch */
	struct fiber host, fiber[THREADS], *at, *from;
	int created, n, index;	 /* created: fibers, n: threads of the block, index: of the running one in running order */
	uint64_t slot[2][LANES]; /* values of a warp operation by lane, double-buffered */
	int slot_set;		 /* of slot: which a warp writes next */
	struct area shared;	 /* LAUNCH_SHARED bytes, of which a launch uses the last */
	const char *skip;	 /* KEYPIPE_GPU_SKIP */
	size_t skip_file, skips; /* bytes of its FILE, 0 where it names a kernel; how often it was met */
	int skip_line;
} m;

uint3 threadIdx, blockIdx;
dim3 blockDim, gridDim;
struct fiber_lane *fiber_now;
int fiber_truncates;

/* fiber_switch(&sp, to): context switch, saves this stack pointer in sp and continues on stack `to`; first_frame prepares a stack that
 * begins at entry, `skip` bytes below its top. */
#if (defined __x86_64__ || defined __aarch64__) && !defined FIBER_UCONTEXT
extern "C" void fiber_switch(void **sp, void *to);
#ifdef __x86_64__
enum { FRAME_WORDS = 8, FRAME_ENTRY = 6 };
asm(".text\nfiber_switch:\n"
    "push %rbp\npush %rbx\npush %r12\npush %r13\npush %r14\npush %r15\nmov %rsp, (%rdi)\nmov %rsi, %rsp\n"
    "pop %r15\npop %r14\npop %r13\npop %r12\npop %rbx\npop %rbp\npop %rcx\njmp *%rcx\n");
#else
enum { FRAME_WORDS = 20, FRAME_ENTRY = 11 };
asm(".text\nfiber_switch:\n"
    "stp x19, x20, [sp, #-160]!\nstp x21, x22, [sp, #16]\nstp x23, x24, [sp, #32]\nstp x25, x26, [sp, #48]\nstp x27, x28, [sp, #64]\n"
    "stp x29, x30, [sp, #80]\nstp d8, d9, [sp, #96]\nstp d10, d11, [sp, #112]\nstp d12, d13, [sp, #128]\nstp d14, d15, [sp, #144]\n"
    "mov x2, sp\nstr x2, [x0]\nmov sp, x1\n"
    "ldp x21, x22, [sp, #16]\nldp x23, x24, [sp, #32]\nldp x25, x26, [sp, #48]\nldp x27, x28, [sp, #64]\nldp x29, x30, [sp, #80]\n"
    "ldp d8, d9, [sp, #96]\nldp d10, d11, [sp, #112]\nldp d12, d13, [sp, #128]\nldp d14, d15, [sp, #144]\nldp x19, x20, [sp], #160\nret\n");
#endif

static void *first_frame(const struct fiber *f, size_t skip, void (*entry)(void))
{
	void **sp = (void **)(void *)((char *)f->stack + f->size - skip) - FRAME_WORDS;
	sp[FRAME_ENTRY] = (void *)entry;
	return sp;
}
#else /* slower: a system call for the signal mask at each switch */
static void fiber_switch(void **sp, void *to)
{
	if (!*sp)
		*sp = xcalloc(1, sizeof(ucontext_t));
	swapcontext((ucontext_t *)*sp, (ucontext_t *)to);
}

static void *first_frame(const struct fiber *f, size_t skip, void (*entry)(void))
{
	ucontext_t *u = (ucontext_t *)xcalloc(1, sizeof *u);
	getcontext(u);
	u->uc_stack.ss_sp = (void *)f->stack, u->uc_stack.ss_size = f->size - skip;
	makecontext(u, entry, 0);
	return u;
}
#endif

const char *fiber_where(int thread)
{
	static char s[256];
	uint3 b = blockIdx, t = threadIdx;
	int n = snprintf(s, sizeof s, "kernel %.100s: block (%u, %u, %u)", m.call ? m.call->name : "none", b.x, b.y, b.z);
	if (thread)
		snprintf(s + n, sizeof s - (size_t)n, ", thread (%u, %u, %u)", t.x, t.y, t.z);
	return s;
}

void fiber_fault(const char *fmt, ...)
{
	char reason[256];
	va_list ap;
	va_start(ap, fmt);
	vsnprintf(reason, sizeof reason, fmt, ap);
	va_end(ap);
	die("%s: %s", fiber_where(1), reason);
}

static char *shared_begin(void)
{
	return m.shared.end - (m.call->shared + AREA_ALIGN - 1) / AREA_ALIGN * AREA_ALIGN;
}

int fiber_describe(char *to, size_t size, const char *p)
{
	struct area shared = m.shared;
	shared.at = shared_begin(), shared.bytes = m.call->shared;
	if (area_describe(to, size, &shared, "shared", p))
		return 1;
	for (int i = 0; i < m.created; i++)
		if (p < (const char *)m.fiber[i].stack && p >= (const char *)m.fiber[i].stack - area_pages(1))
			return snprintf(to, size, "the end of its stack");
	return 0;
}

const struct launch *fiber_launch(void)
{
	return m.call;
}

/* Notify the address sanitizer before a switch of the next stack, and after it of the completed switch. */
static void asan_before_switch(struct fiber *f)
{
#ifdef FIBER_ASAN
	__sanitizer_start_switch_fiber(&m.from->fake_stack, f->stack, f->size);
#endif
	(void)f;
}

static void asan_after_switch(void)
{
#ifdef FIBER_ASAN
	__sanitizer_finish_switch_fiber(m.at->fake_stack, &m.from->stack, &m.from->size);
#endif
}

static void switch_to(struct fiber *f)
{
	struct fiber *me = m.at;
	m.from = me, m.at = f;
	threadIdx = f->thread;
	fiber_now = f == &m.host ? NULL : &f->lane;
	race_lane = (unsigned char)f->lane.lane;
	asan_before_switch(f);
	fiber_switch(&me->sp, f->sp);
	asan_after_switch();
}

static struct fiber *fiber_at(int index)
{
	return &m.fiber[m.order[index]];
}

static unsigned drawn(unsigned below)
{
	m.random = m.random * 6364136223846793005u + 1442695040888963407u;
	return (unsigned)((m.random >> 32) * below >> 32);
}

/* 0 to n - 1 in an order drawn (Fisher and Yates). */
template <class T> static void shuffled(T *to, unsigned n)
{
	for (unsigned i = 0; i < n; i++) {
		unsigned k = drawn(i + 1);
		to[i] = to[k], to[k] = (T)i;
	}
}

static void order_threads(void)
{
	uint16_t warp[THREADS / LANES], lane[LANES];
	if (m.seed)
		shuffled(warp, (unsigned)m.n / LANES);
	for (int w = 0; m.seed && w < m.n / LANES; w++) {
		shuffled(lane, LANES);
		for (int i = 0; i < LANES; i++)
			m.order[w * LANES + i] = (uint16_t)(warp[w] * LANES + lane[i]);
	}
	for (int i = 0; !m.seed && i < m.n; i++)
		m.order[i] = (uint16_t)(m.reverse ? m.n - 1 - i : i);
}

static void order_blocks(size_t blocks)
{
	if (blocks > m.blocks_size) {
		m.blocks = (uint32_t *)xrealloc(m.blocks, blocks * sizeof *m.blocks);
		m.blocks_size = blocks;
	}
	shuffled(m.blocks, (unsigned)blocks);
}

static void op_text(char to[64], const struct fiber *f)
{
	static const char *const at[] = {"has ended", "waits at a barrier", "is at a __syncwarp", "is at a shuffle", "is at a vote",
		"is at an ldmatrix", "is at an mma"};
	snprintf(to, 64, f->op == FIBER_END ? "%s" : "%s (line %d)", at[f->op], f->line);
}

/* Divergence: f and g yielded at different operations, or lines. */
static void die_diverged(const struct fiber *f, const struct fiber *g)
{
	char at_f[64], at_g[64];
	op_text(at_f, f), op_text(at_g, g);
	threadIdx = f->thread;
	fiber_fault("a divergent %s: it %s, but thread (%u, %u, %u) %s", f->op > FIBER_BARRIER || g->op > FIBER_BARRIER ? "warp" : "barrier",
		at_f, g->thread.x, g->thread.y, g->thread.z, at_g);
}

/* All lanes of the warp that ends before `index` have yielded: 1 at a warp operation, after which the warp continues; 0 at a barrier or the
 * kernel's end. */
static int warp_continues(int index)
{
	const struct fiber *f = fiber_at(index - LANES);
	for (int i = 1; i < LANES; i++) {
		const struct fiber *g = fiber_at(index - LANES + i);
		if (f->op != g->op || f->line != g->line)
			die_diverged(f, g);
	}
	m.slot_set = f->op > FIBER_BARRIER ? !m.slot_set : m.slot_set;
	if (f->op == FIBER_SYNCWARP)
		race_syncwarp();
	return f->op > FIBER_BARRIER;
}

static int block_continues(void)
{
	const struct fiber *f = fiber_at(0);
	for (int i = LANES; i < m.n; i += LANES)
		if (f->op != fiber_at(i)->op || f->line != fiber_at(i)->line)
			die_diverged(f, fiber_at(i));
	race_barrier();
	return f->op == FIBER_BARRIER;
}

/* The warp of fiber_at(m.index) goes on from a barrier, or begins. */
static void begin_warp(void)
{
	race_warp((int)(fiber_at(m.index) - m.fiber) / LANES);
}

/* Switches to the warp's next lane; from its last one to its first if the warp continues, else to the next warp. */
static void yield(int op, int line)
{
	m.at->op = op, m.at->line = line;
	m.index++;
	int ends = m.index % LANES == 0; /* the warp's last lane */
	if (ends && warp_continues(m.index))
		m.index -= LANES, ends = 0;
	if (m.index == m.n && !block_continues()) {
		switch_to(&m.host);
		return;
	}
	m.index %= m.n;
	if (ends)
		begin_warp();
	switch_to(fiber_at(m.index));
}

/* A fiber runs its thread of block after block, launch after launch. */
static void fiber_main(void)
{
	asan_after_switch();
	for (;;) {
		m.call->host(m.call);
		fiber_thread_end();
		yield(FIBER_END, 0);
	}
}

int fiber_skips(int line, const char *file)
{
	if (line != m.skip_line)
		return 0;
	const char *name = strrchr(file, '/') ? strrchr(file, '/') + 1 : file;
	int here = strlen(name) == m.skip_file && !memcmp(name, m.skip, m.skip_file);
	m.skips += (size_t)here;
	return here;
}

void fiber_barrier(int line, const char *file)
{
	if (!fiber_now)
		fiber_fault("a barrier in a flat launch (line %d)", line);
	if (!fiber_skips(line, file))
		yield(FIBER_BARRIER, line);
}

const uint64_t *fiber_warp_sync(enum fiber_op op, unsigned mask, int line, const char *file, uint64_t v)
{
	static uint64_t own[LANES];
	unsigned lane = fiber_lane_of(line);
	if (mask != 0xffffffffu)
		fiber_fault("a warp operation of lanes %08x, not of all (line %d)", mask, line);
	if (fiber_skips(line, file)) {
		for (uint64_t &each : own)
			each = v;
		return own;
	}
	uint64_t *slot = m.slot[m.slot_set];
	slot[lane] = v;
	yield(op, line);
	return slot;
}

void *fiber_shared(int line)
{
	if (!m.call->shared || m.call->flat)
		fiber_fault("shared memory, of which the launch has none (line %d)", line);
	return shared_begin();
}

static void make_fibers(int n)
{
	size_t page = area_pages(1);
	for (; m.created < n; m.created++) {
		struct fiber *f = &m.fiber[m.created];
		char *p = (char *)mmap(NULL, STACK + page, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
		if (p == MAP_FAILED || mprotect(p + page, STACK, PROT_READ | PROT_WRITE))
			die("out of memory (a kernel's stack)");
		f->lane.lane = (unsigned)m.created % LANES, f->lane.thread = (unsigned)m.created;
		f->stack = p + page, f->size = STACK;
		/* staggered, as tops at equal page offsets would map to the same cache sets */
		f->sp = first_frame(f, (size_t)(m.created % LANES) * 128, fiber_main);
	}
}

static uint3 thread_of(int i)
{
	unsigned t = (unsigned)i, x = blockDim.x, y = blockDim.y;
	return make_uint3(t % x, t / x % y, t / x / y);
}

static void run_block(const struct launch *c)
{
	char *begin = shared_begin(), *before = begin - m.shared.first < BEFORE ? m.shared.first : begin - BEFORE;
	order_threads();
	race_block(blockIdx.x + (size_t)gridDim.x * (blockIdx.y + (size_t)gridDim.y * blockIdx.z));
	if (c->flat) {
		for (int i = 0; i < m.n; i++) {
			int t = m.order[i];
			if (i % LANES == 0)
				race_warp(t / LANES);
			threadIdx = thread_of(t), race_lane = (unsigned char)(t % LANES);
			c->host(c);
		}
		return;
	}
	memset(before, AREA_POISON, (size_t)(m.shared.end - before));
	m.index = 0;
	begin_warp();
	switch_to(fiber_at(0));
	if (!area_poisoned(before, begin) || !area_poisoned(begin + c->shared, m.shared.end))
		die("%s: writes outside of its %u bytes of shared memory", fiber_where(0), c->shared);
}

void fiber_run(const struct launch *c)
{
	dim3 g = c->grid, b = c->block;
	size_t blocks = (size_t)g.x * g.y * g.z;
	m.call = c, m.n = (int)(b.x * b.y * b.z), gridDim = g, blockDim = b;
	m.skips += (size_t)race_launch(c);
	make_fibers(c->flat ? 0 : m.n);
	for (int i = 0; i < m.n && !c->flat; i++)
		m.fiber[i].thread = thread_of(i);
	int draws = m.seed && blocks <= UINT32_MAX;
	if (draws)
		order_blocks(blocks);
	for (size_t i = 0; i < blocks; i++) {
		size_t k = draws ? m.blocks[i] : m.reverse ? blocks - 1 - i : i;
		blockIdx = make_uint3((unsigned)(k % g.x), (unsigned)(k / g.x % g.y), (unsigned)(k / g.x / g.y));
		run_block(c);
	}
	race_end();
	m.call = NULL;
}

static void set_order(const char *order)
{
	char *end = NULL;
	if (!order || !strcmp(order, "reverse"))
		return;
	m.seed = m.random = strtoull(order, &end, 10);
	if (end == order || *end || *order == '-' || !m.seed)
		die("KEYPIPE_GPU_ORDER: '%s' is neither reverse nor a number from 1 on", order);
}

static void set_skip(const char *skip)
{
	const char *colon = skip ? strrchr(skip, ':') : NULL;
	m.skip = skip, m.skip_file = colon ? (size_t)(colon - skip) : 0, m.skip_line = colon ? atoi(colon + 1) : 0;
	race_skip(colon ? NULL : skip);
}

int fiber_open(int reverse)
{
	memset(&m, 0, sizeof m);
	m.reverse = reverse, m.at = &m.host;
	const char *sums = gpu_setting("SUMS", "SUMS");
	fiber_truncates = sums && !strcmp(sums, "truncated");
	if (sums && !fiber_truncates)
		die("KEYPIPE_GPU_SUMS: '%s' is not truncated", sums);
	set_order(gpu_setting("ORDER", "ORDER"));
	set_skip(gpu_setting("SKIP", "SKIP"));
	m.shared = area_new(LAUNCH_SHARED);
	if (m.shared.at)
		race_shared(m.shared.first);
	return m.shared.at != NULL;
}

void fiber_close(void)
{
	if (m.skip)
		fprintf(stderr, "KEYPIPE_GPU_SKIP: %s left out %zu times\n", m.skip, m.skips);
	area_free(m.shared);
	for (int i = 0; i < m.created; i++)
		munmap((char *)m.fiber[i].stack - area_pages(1), STACK + area_pages(1));
	free(m.blocks);
	memset(&m, 0, sizeof m);
}
