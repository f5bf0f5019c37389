/* Checkpoints as tensor streams: weights, the optimizer's moments, the weights' average, the best weights so far, counters as METAs
 * opt/KEY. */
#include <limits.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "lib/base/err.h"
#include "lib/base/num.h"
#include "lib/base/opt.h"
#include "lib/nn/point_offsets.h"
#include "lib/stream/dataset_stream.h"
#include "lib/stream/history.h"
#include "lib/stream/named_points.h"
#include "lib/stream/names.h"
#include "lib/train/checkpoint.h"
#include "lib/train/keep.h"

static void put_number(struct tns_writer *w, const char *key, double v)
{
	char *text = xprintf("%.17g", v);
	tns_put_meta(w, key, text);
	free(text);
}

static double number(const struct tns *t, const char *key)
{
	double v;
	const char *s = tns_meta_value(t, key);
	if (s && !strcmp(s, "inf"))
		return 1.0 / 0.0;
	if (!s || !num_real(s, &v))
		die("%s: META %s is missing or no number: not a checkpoint of this program", t->name, key);
	return v;
}

/* Writes parameters, and statistics unless stat is NULL; ends the program where a parameter is not finite. */
static void write_block(const struct train_state *st, struct tns_writer *w, int id, const real *param, const real *stat)
{
	const struct netdesc *d = &st->m->d;
	const real *p = st->be->map_device(st->be, param, d->nparam * sizeof *p),
		   *s = stat ? st->be->map_device(st->be, stat, d->nstat * sizeof *s) : NULL;
	train_state_check_finite(st, p, d->nparam);
	model_write(d, w, id, p, s);
	st->be->unmap_device(st->be, p);
	if (s)
		st->be->unmap_device(st->be, s);
}

char *checkpoint_key(const struct dataset *train, const struct dataset *valid, const struct tns *init)
{
	char taught[24] = "";
	if (train->taught[0] || train->taught[1])
		snprintf(taught, sizeof taught, " %08x %08x", train->taught[0], train->taught[1]);
	return xprintf("%s < %08x %08x %08x%s", opt_line_without((const char *const[]){"epochs", "extend", NULL}), train->head->fingerprint,
		valid && valid->head ? valid->head->fingerprint : 0, init ? init->fingerprint : 0, taught);
}

/* The best epoch's; model_put_meta writes those of now. */
static void put_points(const struct train_state *st, struct tns_writer *w)
{
	int n;
	char **points = st->m->points ? names_split(st->m->names, &n) : NULL;
	if (st->asymmetry)
		named_points_put(w, "opt/best_asymmetry", points, st->asymmetry, st->m->points);
	sources_put(st->sources, w, "opt/best_", points);
	names_free(points);
}

static void read_points(struct train_state *st, const struct tns *s)
{
	int n;
	char **points = st->m->points ? names_split(st->m->names, &n) : NULL;
	double *now = points ? point_offsets_read(s, "asymmetry", points, n) : NULL;
	st->asymmetry = points ? point_offsets_read(s, "opt/best_asymmetry", points, n) : NULL;
	model_set_asymmetry(st->m, now);
	sources_free(st->m->sources);
	st->m->sources = points ? sources_read(s, "", points, n) : NULL;
	st->sources = points ? sources_read(s, "opt/best_", points, n) : NULL;
	names_free(points), free(now);
}

void checkpoint_write(const struct train_state *st, const char *path, const char *key, int done)
{
	const struct netdesc *d = &st->m->d;
	struct tns_writer *w = tns_create(path);
	model_put_meta(st->m, w);
	tns_put_meta(w, "opt/key", key);
	put_number(w, "opt/epoch", st->epoch);
	put_number(w, "opt/planned", st->planned);
	if (done)
		tns_put_meta(w, "opt/done", "1");
	put_number(w, "opt/step", st->step);
	put_number(w, "opt/best_epoch", st->best_epoch);
	put_number(w, "opt/best", st->best);
	put_number(w, "opt/least", /* first_loss; the name is the format's */ st->first_loss);
	for (int k = 0; k < 2; k++) {
		put_number(w, k ? "opt/offset_y" : "opt/offset_x", st->m->offset[k]);
		put_number(w, k ? "opt/best_offset_y" : "opt/best_offset_x", st->offset[k]);
	}
	put_points(st, w);
	int now = model_define(d, w, "", 1), first = model_define(d, w, "opt/m/", 0);
	int second = st->moment2 ? model_define(d, w, "opt/v/", 0) : -1,
	    best = st->best_epoch && st->best_file ? model_define(d, w, "opt/best/", 1) : -1;
	int average = st->average ? model_define(d, w, "opt/average/", 1) : -1;
	const struct targets *tg = st->targets;
	int distance = -1;
	if (tg->residual)
		distance = tns_define(w, "opt/distance", TNS_F32, 2, (uint64_t[]){st->targets->ds->n, (uint64_t)tg->points});
	int trained = trained_define(st->m->trained, w);
	write_block(st, w, now, st->net->param, st->net->stat);
	write_block(st, w, first, st->moment1, NULL);
	if (second >= 0)
		write_block(st, w, second, st->moment2, NULL);
	if (best >= 0) {
		size_t bytes = (d->nparam + d->nstat) * sizeof(real);
		const real *map = mmap(NULL, bytes, PROT_READ, MAP_SHARED, fileno(st->best_file), 0);
		if (map == MAP_FAILED)
			die_errno("the temporary file of the best weights");
		model_write(d, w, best, map, map + d->nparam);
		munmap((void *)map, bytes);
	}
	if (average >= 0)
		write_block(st, w, average, st->average, st->average_stat);
	if (tg->residual)
		tns_write(w, distance, tg->residual, st->targets->ds->n);
	trained_write(st->m->trained, w, trained);
	history_put(w, NULL, 0, NULL);
	tns_close(w);
}

int checkpoint_read(struct train_state *st, const char *path, const char *key)
{
	const struct netdesc *d = &st->m->d;
	if (!keep_is_there(path))
		return 0;
	struct tns_table *b = tns_load(path);
	const struct tns *s = tns_table_head(b);
	const char *stored = tns_meta_value(s, "opt/key");
	if (!stored)
		die("%s: is no checkpoint (it has no META opt/key)", s->name);
	if (strcmp(stored, key))
		die("%s: is a checkpoint of other options or data: %s", s->name, opt_line_difference(stored, key));
	st->epoch = keep_counter(s, "opt/epoch", INT_MAX), st->planned = keep_counter(s, "opt/planned", INT_MAX),
	st->step = keep_counter(s, "opt/step", INT_MAX);
	st->best_epoch = keep_counter(s, "opt/best_epoch", INT_MAX), st->best = number(s, "opt/best"),
	st->first_loss = number(s, "opt/least");
	st->offset[0] = number(s, "opt/best_offset_x"), st->offset[1] = number(s, "opt/best_offset_y");
	if (st->m->points)
		model_set_offset(st->m, number(s, "opt/offset_x"), number(s, "opt/offset_y"));
	read_points(st, s);
	free(st->m->ranks);
	st->m->ranks = tns_meta_value(s, "ranks") ? xstrdup(tns_meta_value(s, "ranks")) : NULL;
	char scale[256];
	model_scale_text(st->m, scale);
	if (!tns_meta_value(s, "scale") || strcmp(tns_meta_value(s, "scale"), scale))
		die("%s: its coordinates are scaled by '%s', those of this version by '%s'", s->name,
			tns_meta_value(s, "scale") ? tns_meta_value(s, "scale") : "", scale);
	real *copy = xmalloc((d->nparam + d->nstat) * sizeof *copy);
	model_read(d, b, "", copy, copy + d->nparam);
	net_upload(st->net, copy, copy + d->nparam);
	model_read(d, b, "opt/m/", copy, NULL);
	st->be->upload(st->be, st->moment1, copy, d->nparam * sizeof *copy);
	if (st->moment2) {
		model_read(d, b, "opt/v/", copy, NULL);
		st->be->upload(st->be, st->moment2, copy, d->nparam * sizeof *copy);
	}
	if (st->average) {
		model_read(d, b, "opt/average/", copy, copy + d->nparam);
		st->be->upload(st->be, st->average, copy, d->nparam * sizeof *copy);
		st->be->upload(st->be, st->average_stat, copy + d->nparam, d->nstat * sizeof *copy);
	}
	if (st->best_epoch && st->best_file) {
		model_read(d, b, "opt/best/", copy, copy + d->nparam);
		rewind(st->best_file);
		if (fwrite(copy, sizeof *copy, d->nparam + d->nstat, st->best_file) != d->nparam + d->nstat || fflush(st->best_file))
			die_errno("the temporary file of the best weights");
	}
	free(copy);
	if (st->targets->residual) {
		if (tns_find(s, "opt/distance") < 0)
			die("%s: is of a run without --suspects and --distrust, which kept no labels' distances: only a run from its start "
			    "has them",
				s->name);
		int id = dataset_stream_require(s, "opt/distance", TNS_F32, 2);
		if (s->def[id].rows != st->targets->ds->n || s->def[id].dim[1] != (uint64_t)st->targets->points)
			die("%s: opt/distance is not %ux%d", s->name, st->targets->ds->n, st->targets->points);
		tns_copy(b, id, st->targets->residual);
	}
	tns_unload(b);
	return 1;
}
