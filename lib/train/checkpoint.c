/* Everything a killed run needs to go on to the same bits: weights, the optimizer's memory, the best weights so far, the counters. */
#include <limits.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "lib/base/err.h"
#include "lib/base/num.h"
#include "lib/stream/dataset_stream.h"
#include "lib/stream/history.h"
#include "lib/train/train.h"

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

static int counter(const struct tns *t, const char *key)
{
	double v = number(t, key);
	if (!(v >= 0 && v <= INT_MAX) || v != floor(v))
		die("%s: META %s is no count: not a checkpoint of this program", t->name, key);
	return (int)v;
}

/* Parameters, and statistics where there are; no weight that is no number is ever kept. */
static void write_block(const struct train *t, struct tns_writer *w, int id, const real *param, const real *stat)
{
	const struct netdesc *d = &t->m->d;
	const real *p = t->be->map_device(t->be, param, d->nparam * sizeof *p), *s = stat ? t->be->map_device(t->be, stat, d->nstat * sizeof *s) : NULL;
	train_finite(t, p, d->nparam);
	model_write(d, w, id, p, s);
	t->be->unmap_device(t->be, p);
	if (s)
		t->be->unmap_device(t->be, s);
}

void checkpoint_write(const struct train *t)
{
	const struct netdesc *d = &t->m->d;
	struct tns_writer *w = tns_create(t->a->checkpoint);
	model_put_meta(t->m, w);
	tns_put_meta(w, "opt/key", t->a->key);
	put_number(w, "opt/epoch", t->epoch);
	put_number(w, "opt/step", t->step);
	put_number(w, "opt/best_epoch", t->best_epoch);
	put_number(w, "opt/best", t->best);
	put_number(w, "opt/least", t->first_loss);
	for (int k = 0; k < 2; k++) {
		put_number(w, k ? "opt/offset_y" : "opt/offset_x", t->m->offset[k]);
		put_number(w, k ? "opt/best_offset_y" : "opt/best_offset_x", t->offset[k]);
	}
	int now = model_define(d, w, "", 1), first = model_define(d, w, "opt/m/", 0);
	int second = t->moment2 ? model_define(d, w, "opt/v/", 0) : -1, best = t->best_epoch ? model_define(d, w, "opt/best/", 1) : -1;
	const struct targets *tg = t->targets;
	int distance = -1;
	if (tg->distance)
		distance = tns_define(w, "opt/distance", TNS_F32, 2, (uint64_t[]){t->train->n, (uint64_t)tg->points});
	write_block(t, w, now, t->net->param, t->net->stat);
	write_block(t, w, first, t->moment1, NULL);
	if (second >= 0)
		write_block(t, w, second, t->moment2, NULL);
	if (best >= 0) {
		size_t bytes = (d->nparam + d->nstat) * sizeof(real);
		const real *map = mmap(NULL, bytes, PROT_READ, MAP_SHARED, fileno(t->best_file), 0);
		if (map == MAP_FAILED)
			die_errno("the temporary file of the best weights");
		model_write(d, w, best, map, map + d->nparam);
		munmap((void *)map, bytes);
	}
	if (tg->distance)
		tns_write(w, distance, tg->distance, t->train->n);
	history_put(w, NULL, 0, NULL);
	tns_close(w);
}

int checkpoint_read(struct train *t)
{
	const struct netdesc *d = &t->m->d;
	if (access(t->a->checkpoint, F_OK))
		return 0;
	struct tns_table *b = tns_load(t->a->checkpoint);
	const struct tns *s = tns_table_head(b);
	const char *key = tns_meta_value(s, "opt/key");
	if (!key || strcmp(key, t->a->key))
		die("%s: is a checkpoint of other options or data: '%s', not '%s'", s->name, key ? key : "", t->a->key);
	t->epoch = counter(s, "opt/epoch"), t->step = counter(s, "opt/step");
	t->best_epoch = counter(s, "opt/best_epoch"), t->best = number(s, "opt/best"), t->first_loss = number(s, "opt/least");
	t->offset[0] = number(s, "opt/best_offset_x"), t->offset[1] = number(s, "opt/best_offset_y");
	if (t->m->points) {
		model_set_offset(t->m, number(s, "opt/offset_x"), number(s, "opt/offset_y"));
		if (t->valid)
			targets_augment(t->valid_targets, NULL, 1);
	}
	real *copy = xmalloc((d->nparam + d->nstat) * sizeof *copy);
	model_read(d, b, "", copy, copy + d->nparam);
	net_upload(t->net, copy, copy + d->nparam);
	model_read(d, b, "opt/m/", copy, NULL);
	t->be->upload(t->be, t->moment1, copy, d->nparam * sizeof *copy);
	if (t->moment2) {
		model_read(d, b, "opt/v/", copy, NULL);
		t->be->upload(t->be, t->moment2, copy, d->nparam * sizeof *copy);
	}
	if (t->best_epoch) {
		model_read(d, b, "opt/best/", copy, copy + d->nparam);
		rewind(t->best_file);
		if (fwrite(copy, sizeof *copy, d->nparam + d->nstat, t->best_file) != d->nparam + d->nstat || fflush(t->best_file))
			die_errno("the temporary file of the best weights");
	}
	free(copy);
	if (t->targets->distance) {
		int id = dataset_stream_need(s, "opt/distance", TNS_F32, 2);
		if (s->def[id].rows != t->train->n || s->def[id].dim[1] != (uint64_t)t->targets->points)
			die("%s: opt/distance is not %ux%d", s->name, t->train->n, t->targets->points);
		tns_copy(b, id, t->targets->distance);
	}
	tns_unload(b);
	return 1;
}
