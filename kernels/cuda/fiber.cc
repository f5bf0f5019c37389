/* The card on the host, for tests: blocks one after the other, a block's threads as fibers that pass the turn on at barriers and warp
 * operations. Device and shared memory lie before pages that nobody may touch, and hold NaN until they are written. */
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <ucontext.h>
#include <unistd.h>

#include "kernels/cuda/card.h"
#include "kernels/ops.h"

extern "C" {
#include "lib/err.h"
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

enum { LANES = 32, THREADS = 1024, STACK = 256 << 10, GUARD = 1 << 20, ALIGN = 32, BEFORE = 64, POISON = 0xff };
static const size_t ROOM = (size_t)16 << 30; /* of the card, unless KEYPIPE_CARD_BYTES says otherwise */

struct fiber {
	struct fiber_lane lane; /* first: fiber_now points here */
	uint3 thread;
	int op, line;	   /* where it stopped */
	void *sp;	   /* or its ucontext_t */
	const void *stack; /* lowest address */
	size_t size;
	void *fake; /* the address sanitizer's */
};

struct area { /* of memory: bytes from `at` on; guards around the pages from `first` to `end` */
	char *at, *first, *end;
	size_t bytes;
};

struct fetch {
	void *host, *copy; /* copy: NULL where the ticket is free */
	size_t bytes;
};

static struct {
	int reverse;
	const struct call *call; /* that is run */
	struct fiber host, fiber[THREADS], *at, *from;
	int made, n, place; /* threads there are, of this block, whose turn it is */
	uint64_t slot[2][LANES];
	int turn;	     /* the slots that a warp writes next */
	struct area shared;  /* all there may be */
	struct area *memory; /* on the card */
	int areas;
	size_t used, total;
	struct fetch fetch[OPS_FETCHES];
	struct sigaction old[2];
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

static size_t pages(size_t bytes)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	return (bytes + page - 1) / page * page;
}

/* All of it, and what fills its pages, is POISON at first. at is NULL where there is no room. */
static struct area area_new(size_t bytes)
{
	struct area a = {NULL, NULL, NULL, bytes};
	size_t size = pages(bytes);
	void *p = mmap(NULL, size + 2 * GUARD, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (p == MAP_FAILED)
		return a;
	a.first = (char *)p + GUARD, a.end = a.first + size;
	if (size && mprotect(a.first, size, PROT_READ | PROT_WRITE)) {
		munmap(p, size + 2 * GUARD);
		return a;
	}
	memset(a.first, POISON, size);
	a.at = a.end - (bytes + ALIGN - 1) / ALIGN * ALIGN;
	return a;
}

static void area_free(struct area a)
{
	if (a.at)
		munmap(a.first - GUARD, (size_t)(a.end - a.first) + 2 * GUARD);
}

static int poisoned(const char *from, const char *end)
{
	for (; from < end; from++)
		if (*from != (char)POISON)
			return 0;
	return 1;
}

static const char *where(int thread)
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
	die("%s: %s", where(1), reason);
}

/* Where p is: how far outside of what it was meant for, as far as one can tell. */
static void describe(char *to, size_t size, const char *p)
{
	for (int i = -1; i < m.areas; i++) {
		struct area a = i < 0 ? m.shared : m.memory[i];
		if (!a.at || p < a.first - GUARD || p >= a.end + GUARD)
			continue;
		a.bytes = i < 0 ? m.call->shared : a.bytes;
		const char *begin = i < 0 ? a.end - (a.bytes + ALIGN - 1) / ALIGN * ALIGN : a.at;
		snprintf(to, size, "%zu bytes %s %zu bytes of %s memory", (size_t)(p < begin ? begin - p : p - begin - (ptrdiff_t)a.bytes),
			p < begin ? "before" : "beyond", a.bytes, i < 0 ? "shared" : "device");
		return;
	}
	for (int i = 0; i < m.made; i++)
		if (p < (const char *)m.fiber[i].stack && p >= (const char *)m.fiber[i].stack - pages(1)) {
			snprintf(to, size, "the end of its stack");
			return;
		}
	snprintf(to, size, "%p, which is no memory, or not aligned", (const void *)p);
}

static void trapped(int sig, siginfo_t *info, void *)
{
	if (!m.call) { /* not ours: happens again, and others see it */
		sigaction(sig, &m.old[sig == SIGBUS], NULL);
		return;
	}
	char at[128], line[768];
	describe(at, sizeof at, (const char *)info->si_addr);
	int n = snprintf(line, sizeof line, "%.200s: %s: touches %s\n", err_program(), where(1), at);
	ssize_t told = write(STDERR_FILENO, line, (size_t)n);
	(void)told;
	_exit(1);
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

static char *room(void)
{
	return m.shared.end - (m.call->shared + ALIGN - 1) / ALIGN * ALIGN;
}

void *fiber_shared(int line)
{
	if (!m.call->shared || m.call->flat)
		fiber_fault("shared memory, of which the launch has none (line %d)", line);
	return room();
}

static void make_fibers(int n)
{
	size_t page = pages(1);
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

static void run_block(const struct call *c)
{
	char *begin = room(), *before = begin - m.shared.first < BEFORE ? m.shared.first : begin - BEFORE;
	if (c->flat) {
		for (int i = 0; i < m.n; i++) {
			threadIdx = thread_of(m.reverse ? m.n - 1 - i : i);
			c->host(c);
		}
		return;
	}
	memset(before, POISON, (size_t)(m.shared.end - before));
	m.place = 0;
	turn_to(in_turn(0));
	if (!poisoned(before, begin) || !poisoned(begin + c->shared, m.shared.end))
		die("%s: writes outside of its %u bytes of shared memory", where(0), c->shared);
}

/* That [p, p + bytes) is the card's. */
static struct area *area_of(const void *p, size_t bytes, const char *what)
{
	const char *s = (const char *)p;
	for (int i = 0; i < m.areas; i++)
		if (s >= m.memory[i].at && s <= m.memory[i].at + m.memory[i].bytes &&
			bytes <= (size_t)(m.memory[i].at + m.memory[i].bytes - s))
			return &m.memory[i];
	die("%s: %zu bytes at %p are not device memory", what, bytes, p);
}

static float rounded(float v, int precision)
{
	return precision == PRECISION_TF32   ? nvcuda::wmma::__float_to_tf32(v)
	       : precision == PRECISION_BF16 ? __bfloat162float(__float2bfloat16(v))
					     : v;
}

static void product(struct product p)
{
	size_t M = (size_t)p.M, N = (size_t)p.N, K = (size_t)p.K;
	area_of(p.a, M * K * sizeof *p.a, "product"), area_of(p.b, K * N * sizeof *p.b, "product"),
		area_of(p.c, M * N * sizeof *p.c, "product");
	float *b = (float *)xcalloc(K * N, sizeof *b);
	double *sum = (double *)xcalloc(N, sizeof *sum);
	for (size_t k = 0; k < K; k++)
		for (size_t n = 0; n < N; n++)
			b[k * N + n] = rounded(p.b[p.bt ? n * K + k : k * N + n], p.precision);
	for (size_t i = 0; i < M; i++) {
		for (size_t n = 0; n < N; n++)
			sum[n] = p.add ? p.c[i * N + n] : 0;
		for (size_t k = 0; k < K; k++) {
			double a = rounded(p.a[p.at ? k * M + i : i * K + k], p.precision);
			for (size_t n = 0; n < N; n++)
				sum[n] += a * b[k * N + n];
		}
		for (size_t n = 0; n < N; n++)
			p.c[i * N + n] = (float)sum[n];
	}
	free(b), free(sum);
}

void card_run(const struct call *c)
{
	if (!c->kernel) {
		struct product p;
		memcpy(&p, c->args, sizeof p);
		product(p);
		return;
	}
	dim3 g = c->grid, b = c->block;
	size_t n = (size_t)b.x * b.y * b.z, blocks = (size_t)g.x * g.y * g.z;
	if (!n || n > THREADS || n % LANES || b.z > 64 || !blocks || g.x > INT32_MAX || g.y > 65535 || g.z > 65535 ||
		c->shared > RUN_SHARED)
		die("kernel %s: no such launch: grid (%u, %u, %u), block (%u, %u, %u), %u bytes of shared memory", c->name, g.x, g.y, g.z,
			b.x, b.y, b.z, c->shared);
	m.call = c, m.n = (int)n, gridDim = g, blockDim = b;
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

struct card card_open(int reverse)
{
	static char stack[64 << 10]; /* for the handler: a fiber's may be full */
	struct card card = {"host", 9, 0, 1};
	const char *bytes = getenv("KEYPIPE_CARD_BYTES");
	char *end = NULL;
	memset(&m, 0, sizeof m);
	m.reverse = reverse, m.at = &m.host;
	m.total = bytes ? strtoull(bytes, &end, 10) : ROOM;
	if (bytes && (end == bytes || *end))
		die("KEYPIPE_CARD_BYTES: '%s' is no number", bytes);
	m.shared = area_new(RUN_SHARED);
	stack_t alternate = {};
	alternate.ss_sp = stack, alternate.ss_size = sizeof stack;
	struct sigaction s = {};
	s.sa_sigaction = trapped, s.sa_flags = SA_SIGINFO | SA_ONSTACK;
	if (!m.shared.at || sigaltstack(&alternate, NULL) || sigaction(SIGSEGV, &s, &m.old[0]) || sigaction(SIGBUS, &s, &m.old[1]))
		die_errno("the card on the host");
	return card;
}

void card_close(void)
{
	while (m.areas)
		card_free(m.memory[m.areas - 1].at);
	for (int i = 0; i < OPS_FETCHES; i++)
		free(m.fetch[i].copy);
	free(m.memory);
	area_free(m.shared);
	for (int i = 0; i < m.made; i++)
		munmap((char *)m.fiber[i].stack - pages(1), STACK + pages(1));
	sigaction(SIGSEGV, &m.old[0], NULL), sigaction(SIGBUS, &m.old[1], NULL);
	memset(&m, 0, sizeof m);
}

static void check_edges(const struct area *a, const char *what)
{
	if (!poisoned(a->first, a->at) || !poisoned(a->at + a->bytes, a->end))
		die("%s: something was written just outside of %zu bytes of device memory", what, a->bytes);
}

void *card_alloc(size_t bytes)
{
	struct area a = {};
	if (bytes <= m.total - m.used)
		a = area_new(bytes);
	if (!a.at)
		return NULL;
	m.memory = (struct area *)xrealloc(m.memory, (size_t)(m.areas + 1) * sizeof a);
	m.memory[m.areas++] = a;
	m.used += bytes;
	return a.at;
}

void card_free(void *device)
{
	if (!device)
		return;
	struct area *a = area_of(device, 0, "card_free");
	if (a->at != device)
		die("card_free: %p is not the beginning of device memory", device);
	check_edges(a, "card_free");
	m.used -= a->bytes;
	area_free(*a);
	*a = m.memory[--m.areas];
}

void card_room(size_t *free, size_t *total)
{
	*free = m.total - m.used, *total = m.total;
}

void card_put(void *device, const void *host, size_t bytes)
{
	area_of(device, bytes, "card_put");
	memcpy(device, host, bytes);
}

void card_get(void *host, const void *device, size_t bytes)
{
	check_edges(area_of(device, bytes, "card_get"), "card_get");
	memcpy(host, device, bytes);
}

void card_feed(void *device, const void *host, size_t bytes)
{
	area_of(device, bytes, "card_feed");
	memcpy(device, host, bytes);
}

/* What was fetched comes when it is waited for, no sooner, so that nobody reads it before. */
int card_fetch(void *host, const void *device, size_t bytes)
{
	int ticket = 0;
	while (ticket < OPS_FETCHES && m.fetch[ticket].copy)
		ticket++;
	if (ticket == OPS_FETCHES)
		die("card_fetch: more than %d at a time", (int)OPS_FETCHES);
	m.fetch[ticket] = {host, xmalloc(bytes), bytes};
	card_get(m.fetch[ticket].copy, device, bytes);
	memset(host, POISON, bytes);
	return ticket;
}

void card_wait(int ticket)
{
	struct fetch *f = &m.fetch[ticket];
	if (ticket < 0 || ticket >= OPS_FETCHES || !f->copy)
		die("card_wait: no fetch has ticket %d", ticket);
	memcpy(f->host, f->copy, f->bytes);
	free(f->copy);
	f->copy = NULL;
}

void card_fill(void *device, int byte, size_t bytes)
{
	area_of(device, bytes, "card_fill");
	memset(device, byte, bytes);
}

void card_copy(void *to, const void *from, size_t bytes)
{
	area_of(to, bytes, "card_copy"), area_of(from, bytes, "card_copy");
	memmove(to, from, bytes);
}

struct graph {
	struct call *calls;
	int n;
};

struct graph *card_graph(const struct call *c, int n)
{
	struct graph *g = (struct graph *)xcalloc(1, sizeof *g);
	g->calls = (struct call *)xcalloc((size_t)n, sizeof *g->calls);
	memcpy(g->calls, c, (size_t)n * sizeof *c);
	g->n = n;
	return g;
}

void card_graph_set(struct graph *g, int i, const struct call *c)
{
	const struct call *old = &g->calls[i];
	if (i < 0 || i >= g->n || !old->kernel || old->kernel != c->kernel || memcmp(&old->grid, &c->grid, sizeof c->grid) ||
		memcmp(&old->block, &c->block, sizeof c->block) || old->shared != c->shared)
		die("card_graph_set: call %d of %d, kernel %s, is another launch", i, g->n, c->name);
	g->calls[i] = *c;
}

void card_graph_run(struct graph *g)
{
	for (int i = 0; i < g->n; i++)
		card_run(&g->calls[i]);
}

void card_graph_free(struct graph *g)
{
	free(g->calls), free(g);
}
