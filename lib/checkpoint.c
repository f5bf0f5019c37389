/* Everything a killed run needs to go on to the same bits: weights, the optimizer's memory, the best weights so far, the counters. */
#include <limits.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/ds.h"
#include "lib/err.h"
#include "lib/num.h"
#include "lib/train.h"

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

void checkpoint_write(const struct train *t)
{
	const struct netdesc *d = &t->m->d;
	struct tns_writer *w = tns_create(t->a->checkpoint);
	real *copy = xmalloc((d->nparam + d->nstat) * sizeof *copy);
	model_put_meta(t->m, w);
	tns_put_meta(w, "opt/key", t->a->key);
	put_number(w, "opt/epoch", t->epoch);
	put_number(w, "opt/step", t->step);
	put_number(w, "opt/best_epoch", t->best_epoch);
	put_number(w, "opt/best", t->best);
	int now = model_define(d, w, "", 1), first = model_define(d, w, "opt/m/", 0);
	int second = t->second ? model_define(d, w, "opt/v/", 0) : -1, best = t->best_epoch ? model_define(d, w, "opt/best/", 1) : -1;
	model_write(d, w, now, t->m->param, t->m->stat);
	t->o->get(t->o, copy, t->first, d->nparam * sizeof *copy);
	model_write(d, w, first, copy, NULL);
	if (second >= 0) {
		t->o->get(t->o, copy, t->second, d->nparam * sizeof *copy);
		model_write(d, w, second, copy, NULL);
	}
	if (best >= 0) {
		rewind(t->best_file);
		if (fread(copy, sizeof *copy, d->nparam + d->nstat, t->best_file) != d->nparam + d->nstat)
			die("the temporary file of the best weights can't be read");
		model_write(d, w, best, copy, copy + d->nparam);
	}
	ds_history(w, NULL, 0, NULL);
	tns_close(w);
	free(copy);
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
	t->best_epoch = counter(s, "opt/best_epoch"), t->best = number(s, "opt/best");
	real *copy = xmalloc((d->nparam + d->nstat) * sizeof *copy);
	model_read(d, b, "", copy, copy + d->nparam);
	net_put(t->net, copy, copy + d->nparam);
	model_read(d, b, "opt/m/", copy, NULL);
	t->o->put(t->o, t->first, copy, d->nparam * sizeof *copy);
	if (t->second) {
		model_read(d, b, "opt/v/", copy, NULL);
		t->o->put(t->o, t->second, copy, d->nparam * sizeof *copy);
	}
	if (t->best_epoch) {
		model_read(d, b, "opt/best/", copy, copy + d->nparam);
		rewind(t->best_file);
		if (fwrite(copy, sizeof *copy, d->nparam + d->nstat, t->best_file) != d->nparam + d->nstat || fflush(t->best_file))
			die_errno("the temporary file of the best weights");
	}
	free(copy);
	tns_unload(b);
	return 1;
}
