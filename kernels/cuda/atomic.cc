/* atomicInc on the host, and which blocks it orders. Blocks run one after the other, so a block's ticks are an interval: of a release,
 * those up to the barrier before the fence. A fence without a barrier before it releases nothing here, and one without a barrier after it
 * acquires nothing: less than CUDA promises, as a block's own threads would have to be told apart. */
#include <stdlib.h>

#include "kernels/cuda/atomic.h"
#include "kernels/cuda/launch.h"

extern "C" {
#include "lib/base/err.h"
}

enum { MOST_THREADS = 1024 }; /* of a block */

struct release {
	uint32_t first, end; /* ticks */
	const unsigned *at;
};

static struct {
	struct release *release; /* of the launch, in order of ticks */
	size_t n, allocated;
	uint32_t block, phase;
	uint32_t fenced[MOST_THREADS];	       /* the phase of each thread's last fence; 0: none in this block */
	const unsigned *counted[MOST_THREADS]; /* each thread's last atomic; NULL: none in this block */
	const unsigned *next, *acquired;       /* from the next barrier on; now */
} m;

static unsigned thread(void)
{
	return threadIdx.x + blockDim.x * (threadIdx.y + blockDim.y * threadIdx.z);
}

void atomic_launch(void)
{
	m.n = 0;
}

void atomic_block(uint32_t tick)
{
	m.block = m.phase = tick;
	memset(m.fenced, 0, sizeof m.fenced), memset(m.counted, 0, sizeof m.counted);
	m.next = m.acquired = NULL;
}

void atomic_barrier(uint32_t tick)
{
	m.phase = tick, m.acquired = m.next;
}

void fiber_fence(int line, const char *file)
{
	if (fiber_skips(line, file))
		return;
	m.fenced[thread()] = m.phase;
	if (m.counted[thread()])
		m.next = m.counted[thread()];
}

unsigned atomicInc(unsigned *p, unsigned limit)
{
	unsigned old = *p;
	m.counted[thread()] = p;
	if (m.fenced[thread()]) {
		if (m.n == m.allocated) {
			m.allocated = m.allocated ? 2 * m.allocated : 256;
			m.release = (struct release *)xrealloc(m.release, m.allocated * sizeof *m.release);
		}
		m.release[m.n++] = {m.block, m.fenced[thread()], p};
	}
	*p = old >= limit ? 0 : old + 1;
	return old;
}

int atomic_ordered(uint32_t tick)
{
	size_t low = 0, high = m.acquired ? m.n : 0;
	while (low < high) { /* the first release that ends after tick */
		size_t at = (low + high) / 2;
		if (m.release[at].end <= tick)
			low = at + 1;
		else
			high = at;
	}
	for (; m.acquired && low < m.n && m.release[low].first <= tick; low++) /* a block may release several times */
		if (m.release[low].at == m.acquired)
			return 1;
	return 0;
}
