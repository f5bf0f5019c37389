/* Counts and lists of names. */
#include "lib/labels/clean_summary.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "lib/base/err.h"

enum { NAMED = 4 /* points of a list that are named */ };

static void counts(const struct csv *c, const struct clean *cl)
{
	fprintf(stderr, "%s: %s: %llu rows, %llu kept; %llu with faults, %llu dropped, %llu labels blanked; %llu duplicates", err_program(),
		c->name, (unsigned long long)cl->read, (unsigned long long)cl->kept, (unsigned long long)cl->wrong,
		(unsigned long long)cl->dropped, (unsigned long long)cl->blanked, (unsigned long long)cl->merged);
	if (cl->need)
		fprintf(stderr, "; %llu without the points required", (unsigned long long)cl->lacking);
	for (int k = 1, n = 0; k < FAULT_KINDS; k++)
		if (cl->kind[k])
			fprintf(stderr, "%s %llu %s", n++ ? "," : "; faults:", (unsigned long long)cl->kind[k],
				fault_name((enum fault_kind)k));
	if (c->npoints && !cl->fitted)
		fprintf(stderr, "; no shape model (%zu labelled rows, %d needed): only half labels and labels outside were looked for",
			cl->model_rows, SHAPE_ROWS_MIN);
	if (cl->fitted && cl->shrunk > 0)
		fprintf(stderr, "; shape model from %zu labelled rows, shrunk by %.0f%%%s", cl->model_rows, 100 * cl->shrunk,
			cl->model_rows < SHAPE_ROWS_GROSS ? ": it finds gross faults only" : "");
	fprintf(stderr, "\n");
}

/* A list of points, of which the first few are named. */
struct list {
	char *text;
	int n;
};

/* The caller frees what. */
static void append(struct list *l, char *what)
{
	char *old = l->text;
	if (l->n++ < NAMED)
		l->text = xprintf("%s%s%s", old ? old : "", old ? ", " : "", what), free(old);
	free(what);
}

/* What follows text of a list: how many are not named. */
static const char *rest(const struct list *l, char to[32])
{
	to[0] = 0;
	if (l->n > NAMED)
		snprintf(to, 32, " and %d more", l->n - NAMED);
	return to;
}

/* Labels that are none, or may be none. */
static void missing(const struct csv *c, const struct clean *cl)
{
	const struct sentinels *s = &cl->sentinels;
	struct list mean = {0}, fixed = {0}, filled = {0};
	unsigned long long before = 0;
	char more[32];
	for (int i = 0; i < s->n; i++) {
		const float *v = s->xy[i];
		if (isnan(v[0]) || isnan(v[1]))
			warn("%s = %.7g is taken for 'no label' (--missing none: it is a label)", isnan(v[0]) ? "y" : "x",
				(double)v[isnan(v[0])]);
		else
			warn("%.7g,%.7g is taken for 'no label' (--missing none: it is a label)", (double)v[0], (double)v[1]);
	}
	for (int k = 0; k < c->npoints && s->mean; k++) {
		if (!isnan(s->mean[2 * k]))
			append(&mean, xprintf("%s at %.7g,%.7g", c->points[k], (double)s->mean[2 * k], (double)s->mean[2 * k + 1]));
		if (!isnan(s->fixed[2 * k]))
			append(&fixed, xprintf("%s at %.7g,%.7g", c->points[k], (double)s->fixed[2 * k], (double)s->fixed[2 * k + 1]));
		if (cl->filled[k])
			append(&filled, xstrdup(c->points[k])), before += cl->filled[k];
	}
	if (mean.n)
		warn("%llu labels are one value for each point, as fillna(mean) or a median leaves it where there is none: taken for 'no "
		     "label' "
		     "(--missing none: they are labels): %s%s",
			(unsigned long long)cl->means, mean.text, rest(&mean, more));
	if (filled.n)
		warn("%llu labels of the first %zu rows are those of the row before, as fillna(method='ffill') leaves them where there are "
		     "none; which are true can't be told, so they are kept, and teach wrong places: write the table with its gaps "
		     "(--missing none: they are labels): %s%s",
			before, cl->first_rows, filled.text, rest(&filled, more));
	if (fixed.n)
		warn("the same in all rows, as where faces are aligned by it, and kept: %s%s", fixed.text, rest(&fixed, more));
	free(mean.text), free(fixed.text), free(filled.text);
}

/* Names against labels. */
static void contradictions(const struct csv *c, const struct clean *cl)
{
	struct list l = {0};
	char more[32];
	for (int k = 0; k < c->npoints && cl->rather; k++)
		if (cl->rather[k] > k)
			append(&l, xprintf("%s:%s", c->points[k], c->points[cl->rather[k]]));
	if (l.n)
		warn("names say other mirror images than labels, which rather show %s%s: are columns exchanged? (--pairs states pairs)",
			l.text, rest(&l, more));
	free(l.text);
}

static void partners(const struct csv *c, const struct clean *cl)
{
	int pairs = 0, axis = 0;
	for (int k = 0; k < c->npoints; k++)
		pairs += cl->partner[k] > k, axis += cl->partner[k] == k;
	fprintf(stderr, "%s: mirror images: %d pairs, %d points on the axis", err_program(), pairs, axis);
	for (int k = 0, n = 0; k < c->npoints; k++)
		if (cl->partner[k] < 0)
			fprintf(stderr, "%s %s", n++ ? "," : "; without a partner, so that faces can't be mirrored:", c->points[k]);
	for (int k = 0, n = 0; k < c->npoints && pairs <= 12; k++)
		if (cl->partner[k] > k)
			fprintf(stderr, "%s %s:%s", n++ ? "," : ":", c->points[k], c->points[cl->partner[k]]);
	fprintf(stderr, "\n");
}

void clean_summary(const struct csv *c, const struct clean *cl)
{
	uint64_t lost = cl->keep_all ? 0 : cl->dropped + cl->merged, rows = cl->read - cl->merged;
	counts(c, cl);
	if (c->has_id && lost)
		warn("%llu rows with an ImageId are not in the output; a table that asks for them (submit --lookup) needs --keep-all",
			(unsigned long long)lost);
	if (cl->same_id && cl->same_id + 1 == rows)
		warn("all rows have the id %u: nothing can be joined by it; without its column, rows are numbered", c->id);
	else if (cl->same_id)
		warn("%llu rows have the id of the row before: nothing can be joined by it; without its column, rows are numbered",
			(unsigned long long)cl->same_id);
	missing(c, cl);
	if (cl->partner)
		partners(c, cl);
	if (!cl->pairs)
		contradictions(c, cl);
}
