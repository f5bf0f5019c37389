/* A grid run on the host: blocks one after the other, a block's threads as fibers that pass the turn on at barriers and warp operations.
 * Shared memory lies before pages that nobody may touch (area.h), and holds NaN until it is written. */
#include <stdarg.h>
#include <stdio.h>
#include <sys/mman.h>
#include <ucontext.h>

#include "kernels/cuda/area.h"
#include "kernels/cuda/fiber.h"

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

enum { STACK = 256 << 10, BEFORE = 64 };

struct fiber {
	struct fiber_lane lane; /* first: fiber_now points here */
	uint3 thread;
	int op, line;	   /* where it stopped */
	void *sp;	   /* or its ucontext_t */
	const void *stack; /* lowest address */
	size_t size;
	void *fake; /* the address sanitizer's */
};

static struct {
	int reverse;
	const struct launch *call; /* that is run */
	struct fiber host, fiber[THREADS], *at, *from;
	int made, n, place; /* threads there are, of this block, whose turn it is */
	uint64_t slot[2][LANES];
	int turn;	    /* the slots that a warp writes next */
	struct area shared; /* all there may be */
} m;

uint3 threadIdx, blockIdx;
dim3 blockDim, gridDim;
struct fiber_lane *fiber_now;

/* fiber_switch(&sp, to) leaves this stack for another; first_frame makes one that begins at entry, `skip` bytes below its top. */
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
#else /* slower: asks the system for the signal mask each time */
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

static char *room(void)
{
	return m.shared.end - (m.call->shared + AREA_ALIGN - 1) / AREA_ALIGN * AREA_ALIGN;
}

int fiber_tell(char *to, size_t size, const char *p)
{
	struct area shared = m.shared;
	shared.at = room(), shared.bytes = m.call->shared;
	if (area_tell(to, size, &shared, "shared", p))
		return 1;
	for (int i = 0; i < m.made; i++)
		if (p < (const char *)m.fiber[i].stack && p >= (const char *)m.fiber[i].stack - area_pages(1))
			return snprintf(to, size, "the end of its stack");
	return 0;
}

const struct launch *fiber_launch(void)
{
	return m.call;
}

/* Tells the address sanitizer which stack comes next, and, when one is back, where that was. */
static void leave(struct fiber *f)
{
#ifdef FIBER_ASAN
	__sanitizer_start_switch_fiber(&m.from->fake, f->stack, f->size);
#endif
	(void)f;
}

static void arrive(void)
{
#ifdef FIBER_ASAN
	__sanitizer_finish_switch_fiber(m.at->fake, &m.from->stack, &m.from->size);
#endif
}

static void turn_to(struct fiber *f)
{
	struct fiber *me = m.at;
	m.from = me, m.at = f;
	threadIdx = f->thread;
	fiber_now = f == &m.host ? NULL : &f->lane;
	leave(f);
	fiber_switch(&me->sp, f->sp);
	arrive();
}

static struct fiber *in_turn(int place)
{
	return &m.fiber[m.reverse ? m.n - 1 - place : place];
}

static void stop_text(char to[64], const struct fiber *f)
{
	static const char *const at[] = {"has ended", "waits at a barrier", "is at a __syncwarp", "is at a shuffle", "is at a vote"};
	snprintf(to, 64, f->op == FIBER_END ? "%s" : "%s (line %d)", at[f->op], f->line);
}

/* f and g stopped at different places. */
static void divided(const struct fiber *f, const struct fiber *g)
{
	char at_f[64], at_g[64];
	stop_text(at_f, f), stop_text(at_g, g);
	threadIdx = f->thread;
	if (f->op == g->op && f->line == g->line)
		fiber_fault("a divided warp: thread (%u, %u, %u) has done other warp operations when the warp meets: it %s", g->thread.x,
			g->thread.y, g->thread.z, at_g);
	fiber_fault("a divided %s: it %s, but thread (%u, %u, %u) %s", f->op > FIBER_BARRIER || g->op > FIBER_BARRIER ? "warp" : "barrier",
		at_f, g->thread.x, g->thread.y, g->thread.z, at_g);
}

/* All lanes of the warp that ends before `place` have stopped: do they go on? */
static int warp_goes_on(int place)
{
	const struct fiber *f = in_turn(place - LANES);
	for (int i = 1; i < LANES; i++) {
		const struct fiber *g = in_turn(place - LANES + i);
		if (f->op != g->op || f->line != g->line || f->lane.trail != g->lane.trail)
			divided(f, g);
	}
	m.turn = f->op > FIBER_BARRIER ? !m.turn : m.turn;
	return f->op > FIBER_BARRIER;
}

static int block_goes_on(void)
{
	const struct fiber *f = in_turn(0);
	for (int i = LANES; i < m.n; i += LANES)
		if (f->op != in_turn(i)->op || f->line != in_turn(i)->line)
			divided(f, in_turn(i));
	return f->op == FIBER_BARRIER;
}

/* The turn passes on to the warp's next lane; from its last to its first if the warp has met, else to the next warp. */
static void stop(int op, int line)
{
	m.at->op = op, m.at->line = line;
	m.place++;
	if (m.place % LANES == 0 && warp_goes_on(m.place))
		m.place -= LANES;
	if (m.place < m.n || block_goes_on())
		turn_to(in_turn(m.place = m.place % m.n));
	else
		turn_to(&m.host);
}

/* A fiber serves block after block, launch after launch. */
static void serve(void)
{
	arrive();
	for (;;) {
		m.call->host(m.call);
		stop(FIBER_END, 0);
	}
}

void fiber_barrier(int line)
{
	if (!fiber_now)
		fiber_fault("a barrier in a flat launch (line %d)", line);
	stop(FIBER_BARRIER, line);
}

const uint64_t *fiber_meet(enum fiber_op op, unsigned mask, int line, uint64_t v)
{
	unsigned lane = fiber_lane_of(line);
	if (mask != 0xffffffffu)
		fiber_fault("a warp operation of lanes %08x, not of all (line %d)", mask, line);
	uint64_t *slot = m.slot[m.turn];
	slot[lane] = v;
	stop(op, line);
	return slot;
}

void *fiber_shared(int line)
{
	if (!m.call->shared || m.call->flat)
		fiber_fault("shared memory, of which the launch has none (line %d)", line);
	return room();
}

static void make_fibers(int n)
{
	size_t page = area_pages(1);
	for (; m.made < n; m.made++) {
		struct fiber *f = &m.fiber[m.made];
		char *p = (char *)mmap(NULL, STACK + page, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
		if (p == MAP_FAILED || mprotect(p + page, STACK, PROT_READ | PROT_WRITE))
			die("out of memory (a kernel's stack)");
		f->lane.lane = (unsigned)m.made % LANES;
		f->stack = p + page, f->size = STACK;
		/* not all at the same place of their pages, which would be the same lines of the cache */
		f->sp = first_frame(f, (size_t)(m.made % LANES) * 128, serve);
	}
}

static uint3 thread_of(int i)
{
	unsigned t = (unsigned)i, x = blockDim.x, y = blockDim.y;
	return make_uint3(t % x, t / x % y, t / x / y);
}

static void run_block(const struct launch *c)
{
	char *begin = room(), *before = begin - m.shared.first < BEFORE ? m.shared.first : begin - BEFORE;
	if (c->flat) {
		for (int i = 0; i < m.n; i++) {
			threadIdx = thread_of(m.reverse ? m.n - 1 - i : i);
			c->host(c);
		}
		return;
	}
	memset(before, AREA_POISON, (size_t)(m.shared.end - before));
	m.place = 0;
	turn_to(in_turn(0));
	if (!area_poisoned(before, begin) || !area_poisoned(begin + c->shared, m.shared.end))
		die("%s: writes outside of its %u bytes of shared memory", fiber_where(0), c->shared);
}

void fiber_run(const struct launch *c)
{
	dim3 g = c->grid, b = c->block;
	size_t blocks = (size_t)g.x * g.y * g.z;
	m.call = c, m.n = (int)(b.x * b.y * b.z), gridDim = g, blockDim = b;
	make_fibers(c->flat ? 0 : m.n);
	for (int i = 0; i < m.n && !c->flat; i++)
		m.fiber[i].thread = thread_of(i);
	for (size_t i = 0; i < blocks; i++) {
		size_t k = m.reverse ? blocks - 1 - i : i;
		blockIdx = make_uint3((unsigned)(k % g.x), (unsigned)(k / g.x % g.y), (unsigned)(k / g.x / g.y));
		run_block(c);
	}
	m.call = NULL;
}

int fiber_open(int reverse)
{
	memset(&m, 0, sizeof m);
	m.reverse = reverse, m.at = &m.host;
	m.shared = area_new(LAUNCH_SHARED);
	return m.shared.at != NULL;
}

void fiber_close(void)
{
	area_free(m.shared);
	for (int i = 0; i < m.made; i++)
		munmap((char *)m.fiber[i].stack - area_pages(1), STACK + area_pages(1));
	memset(&m, 0, sizeof m);
}
