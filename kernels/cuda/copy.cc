/* Shared memory by inline PTX (ptx.h), on the host: cp.async and ldmatrix, and how many bank conflicts accesses have. A copy lands when its
 * thread waits for its group, as late as PTX allows ("Data movement: asynchronous copy"); until then its destination is NaN. */
#include <stdlib.h>

#include "kernels/cuda/fiber.h"
#include "kernels/cuda/race.h"

extern "C" {
#include "lib/base/err.h"
}

enum { BANKS = 32, WORD = 4, INSTRUCTIONS = 4096 };

struct copy {
	float *to;
	const float *from;
	int size, bytes, group;
};

static struct thread_copies { /* of one thread, in their order */
	struct copy *copy;
	int n, room, groups; /* groups: committed so far */
} threads[THREADS];

static struct instruction { /* that some lanes have come to, and what they access */
	int n;
	const char *p[LANES];
} instructions[INSTRUCTIONS];
static unsigned accesses[THREADS]; /* of each thread */

struct fiber_conflicts fiber_conflicts[17];

/* Counts the accesses of n lanes, which shared memory does in parts of 128 bytes: a part needs a clock for each word of its fullest bank. */
static void count_conflicts(const char *const *p, int n, int bytes)
{
	struct fiber_conflicts *c = &fiber_conflicts[bytes];
	int lanes = BANKS * WORD / bytes < n ? BANKS * WORD / bytes : n;
	c->accesses++;
	for (int first = 0; first < n; first += lanes) {
		uintptr_t word[BANKS][LANES];
		int words[BANKS] = {0}, most = 0;
		for (int i = 0; i < lanes * bytes / WORD; i++) {
			uintptr_t w = (uintptr_t)p[first + i * WORD / bytes] / WORD + (unsigned)(i % (bytes / WORD));
			int bank = (int)(w % BANKS), k = 0;
			while (k < words[bank] && word[bank][k] != w)
				k++;
			if (k == words[bank])
				word[bank][words[bank]++] = w;
			most = words[bank] > most ? words[bank] : most;
		}
		c->clocks += (size_t)most, c->conflicts += (size_t)most - 1;
	}
}

void fiber_banks(const void *p, int bytes)
{
	unsigned lane = fiber_lane_of(0);
	struct instruction *i = &instructions[accesses[fiber_now->thread]++ % INSTRUCTIONS];
	i->p[lane] = (const char *)p;
	if (++i->n < LANES)
		return;
	count_conflicts(i->p, LANES, bytes);
	i->n = 0;
}

void fiber_cp_async(float *to, const float *from, int size, int bytes, int line)
{
	fiber_lane_of(line);
	struct thread_copies *t = &threads[fiber_now->thread];
	const void *code = __builtin_return_address(0);
	size_t at = (size_t)((char *)to - (char *)fiber_shared(line));
	if (at > fiber_launch()->shared || fiber_launch()->shared - at < (size_t)size)
		fiber_fault("a copy to %p, which is not in shared memory (line %d)", (void *)to, line);
	if ((uintptr_t)to % (unsigned)size || (uintptr_t)from % (unsigned)size || bytes < 0 || bytes > size)
		fiber_fault("a copy of %d bytes of %d from %p to %p isn't aligned (line %d)", bytes, size, (const void *)from, (void *)to, line);
	if (bytes)
		race_access(from, (size_t)bytes, 0, code);
	race_async(to, (size_t)size, code);
	fiber_banks(to, size);
	memset(to, 0xff, (size_t)size);
	if (t->n == t->room) {
		t->room = t->room ? 2 * t->room : 64;
		t->copy = (struct copy *)xrealloc(t->copy, (size_t)t->room * sizeof *t->copy);
	}
	t->copy[t->n++] = {to, from, size, bytes, t->groups};
}

void fiber_cp_async_commit(void)
{
	threads[fiber_now->thread].groups++;
}

void fiber_cp_async_wait(int groups, int line, const char *file)
{
	fiber_lane_of(line);
	struct thread_copies *t = &threads[fiber_now->thread];
	int n = 0;
	if (fiber_skips(line, file))
		return;
	for (; n < t->n && t->copy[n].group < t->groups - groups; n++) {
		const struct copy *c = &t->copy[n];
		memcpy(c->to, c->from, (size_t)c->bytes);
		memset((char *)c->to + c->bytes, 0, (size_t)(c->size - c->bytes));
		race_landed(c->to, (size_t)c->size, __builtin_return_address(0));
	}
	memmove(t->copy, t->copy + n, (size_t)(t->n - n) * sizeof *t->copy);
	t->n -= n;
}

void fiber_thread_end(void)
{
	struct thread_copies *t = &threads[fiber_now->thread];
	if (t->n)
		fiber_fault("it ends while %d of its copies are under way", t->n);
	t->groups = 0, accesses[fiber_now->thread] = 0;
}

void fiber_ldmatrix(unsigned (*r)[4], const float *row, int stride, int n, int line, const char *file)
{
	const void *code = __builtin_return_address(0);
	if ((uintptr_t)row % 16 || stride % 4)
		fiber_fault("a row of a matrix at %p isn't aligned to 16 bytes (line %d)", (const void *)row, line);
	const uint64_t *all = fiber_warp_sync(FIBER_LDMATRIX, 0xffffffffu, line, file, (uint64_t)(uintptr_t)row);
	unsigned lane = fiber_now->lane;
	for (int i = 0; i < n; i++)
		for (unsigned q = 0; q < 4; q++) {
			const float *from = (const float *)(uintptr_t)all[8 * q + lane / 4] + i * stride + lane % 4;
			race_access(from, sizeof *from, 0, code);
			memcpy(&r[i][q], from, sizeof r[i][q]);
			const char *rows[8];
			for (int k = 0; !lane && k < 8; k++)
				rows[k] = (const char *)((const float *)(uintptr_t)all[8 * q + (unsigned)k] + i * stride);
			if (!lane)
				count_conflicts(rows, 8, 16);
		}
}
