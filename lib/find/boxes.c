#include "lib/find/boxes.h"

#include <math.h>
#include <stdlib.h>

double boxes_overlap(const double a[4], const double b[4])
{
	double w = fmin(a[0] + a[2], b[0] + b[2]) - fmax(a[0], b[0]), h = fmin(a[1] + a[3], b[1] + b[3]) - fmax(a[1], b[1]);
	if (!(w > 0 && h > 0))
		return 0;
	return w * h / (a[2] * a[3] + b[2] * b[3] - w * h);
}

static int by_score(const void *x, const void *y)
{
	static const int order[] = {1, 0, 2, 3};
	const struct scored_box *a = x, *b = y;
	if (a->score != b->score)
		return a->score > b->score ? -1 : 1;
	for (int i = 0; i < 4; i++)
		if (a->box[order[i]] != b->box[order[i]])
			return a->box[order[i]] < b->box[order[i]] ? -1 : 1;
	return a->level - b->level;
}

int boxes_suppress(struct scored_box *b, int n, double most)
{
	int kept = 0;
	if (n > 1)
		qsort(b, (size_t)n, sizeof *b, by_score);
	for (int i = 0; i < n; i++) {
		int stays = 1;
		for (int k = 0; k < kept && stays; k++)
			stays = boxes_overlap(b[i].box, b[k].box) <= most;
		if (stays)
			b[kept++] = b[i];
	}
	return kept;
}
