/* Each row beside the one before it, and beside one a third of the table away. */
#include "lib/labels/filled.h"

#include <math.h>
#include <stdlib.h>

#include "lib/base/err.h"
#include "lib/base/median.h"

/* So many labels repeat at least, of all this part, and so many times as many as in rows far apart; a step is as large as this part of one
 * between rows far apart. */
enum { REPEATS = 10, TIMES = 4 };
#define PART 0.05
#define STEP_PART 0.5

static int is_equal(const float *a, const float *b)
{
	return a[0] == b[0] && a[1] == b[1]; /* false for NaN */
}

static int is_known(const float *a, const float *b)
{
	return !isnan(a[0] + a[1] + b[0] + b[1]);
}

/* 1: a label that both rows have is not the same in them. */
static int has_moved(int k, const float *a, const float *b)
{
	for (int p = 0; p < k; p++)
		if (is_known(a + 2 * p, b + 2 * p) && !is_equal(a + 2 * p, b + 2 * p))
			return 1;
	return 0;
}

/* Point p in rows that are `apart` from each other, around the end: how many labels are equal although the row moved, of how many; the
 * median step of the others. */
struct steps {
	size_t equal, known;
	double step;
};

static struct steps compare(int k, const float *xy, size_t n, const char *moved, int p, size_t apart, float *work)
{
	struct steps s = {0};
	size_t steps = 0, row = 2 * (size_t)k;
	for (size_t i = 0; i < n; i++) {
		const float *a = xy + i * row + 2 * p, *b = xy + (i + n - apart) % n * row + 2 * p;
		if (!is_known(a, b) || (apart == 1 && !moved[i]))
			continue;
		s.known++;
		if (is_equal(a, b))
			s.equal++;
		else
			work[steps++] = hypotf(a[0] - b[0], a[1] - b[1]);
	}
	s.step = steps ? median(work, steps) : 0;
	return s;
}

void filled_find(int k, const float *xy, size_t n, size_t *count)
{
	size_t row = 2 * (size_t)k;
	char *moved = xcalloc(n + 1, 1);
	float *work = xmalloc((n + 1) * sizeof *work);
	for (size_t i = 1; i < n; i++)
		moved[i] = (char)has_moved(k, xy + i * row, xy + (i - 1) * row);
	for (int p = 0; p < k; p++) {
		count[p] = 0;
		if (n < REPEATS)
			continue;
		struct steps near = compare(k, xy, n, moved, p, 1, work), far = compare(k, xy, n, moved, p, n / 3, work);
		if (near.equal >= REPEATS && (double)near.equal >= PART * (double)near.known && near.equal > TIMES * far.equal &&
			near.step >= STEP_PART * far.step)
			count[p] = near.equal;
	}
	free(moved), free(work);
}
