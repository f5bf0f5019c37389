/* The average of the weights, the file of the best ones, and the check for finite ones. */
#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/base/err.h"
#include "lib/base/unlinked.h"
#include "lib/train/train_state.h"

void train_state_check_finite(const struct train_state *s, const real *p, size_t n)
{
	int fine = 1;
	for (size_t i = 0; i < n; i++)
		fine &= isfinite(p[i]) != 0;
	if (!fine)
		die("epoch %d: a weight is no number; a smaller --rate may help", s->epoch);
}

void train_state_average_begin(struct train_state *s)
{
	s->be->copy(s->be, s->average, s->net->param, s->m->d.nparam * sizeof(real));
	if (s->m->d.nstat)
		s->be->copy(s->be, s->average_stat, s->net->stat, s->m->d.nstat * sizeof(real));
}

void train_state_average_step(struct train_state *s, double decay)
{
	real weight = (real)(1 - fmin(decay, (1.0 + s->step) / (10.0 + s->step)));
	s->be->lerp(s->be, s->average, s->net->param, weight, s->m->d.nparam);
	if (s->m->d.nstat)
		s->be->lerp(s->be, s->average_stat, s->net->stat, weight, s->m->d.nstat);
}

void train_state_average_swap(struct train_state *s)
{
	real *param = s->net->param, *stat = s->net->stat;
	if (!s->average)
		return;
	s->net->param = s->average, s->net->stat = s->average_stat;
	s->average = param, s->average_stat = stat;
	s->net->packed_valid = 0;
}

void train_state_open_best(struct train_state *s, const char *near)
{
	s->best_file = unlinked_open(near, "a temporary file for the best weights");
}

static void write_best(const struct train_state *s, const real *device, size_t n)
{
	const real *host = s->be->map_device(s->be, device, n * sizeof *host);
	train_state_check_finite(s, host, n);
	if (fwrite(host, sizeof *host, n, s->best_file) != n)
		die_errno("the temporary file of the best weights");
	s->be->unmap_device(s->be, host);
}

void train_state_put_best(struct train_state *s, double score)
{
	const struct netdesc *d = &s->m->d;
	s->best = score, s->best_epoch = s->epoch;
	memcpy(s->offset, s->m->offset, sizeof s->offset);
	size_t bytes = 2 * (size_t)s->m->points * sizeof *s->asymmetry;
	free(s->asymmetry);
	s->asymmetry = s->m->asymmetry ? memcpy(xmalloc(bytes), s->m->asymmetry, bytes) : NULL;
	sources_free(s->sources);
	s->sources = sources_copy(s->m->sources);
	if (!s->best_file)
		return;
	rewind(s->best_file);
	write_best(s, s->net->param, d->nparam), write_best(s, s->net->stat, d->nstat);
	if (fflush(s->best_file))
		die_errno("the temporary file of the best weights");
}

void train_state_get_best(const struct train_state *s, real *param, real *stat)
{
	const struct netdesc *d = &s->m->d;
	rewind(s->best_file);
	if (fread(param, sizeof *param, d->nparam, s->best_file) != d->nparam ||
		fread(stat, sizeof *stat, d->nstat, s->best_file) != d->nstat)
		die("the temporary file of the best weights: %s", ferror(s->best_file) ? strerror(errno) : "cut short");
}
