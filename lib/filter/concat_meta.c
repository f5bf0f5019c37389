/* METAs of several data sets as those of one. */
#include <stdlib.h>
#include <string.h>

#include "lib/base/err.h"
#include "lib/base/num.h"
#include "lib/filter/concat_io.h"
#include "lib/stream/history.h"
#include "lib/stream/names.h"

static char *join(char **names)
{
	size_t size = 1;
	for (int i = 0; names[i]; i++)
		size += strlen(names[i]) + 1;
	char *text = xcalloc(size, 1), *to = text;
	for (int i = 0; names[i]; i++)
		to = stpcpy(stpcpy(to, i ? "," : ""), names[i]);
	return text;
}

static void put_names(struct tns_writer *w, const char *key, char **names)
{
	char *text = join(names);
	tns_put_meta(w, key, text);
	free(text);
}

/* ---- points ---- */

enum { UNKNOWN = -2 };

static NORETURN void other_partner(const struct concat *c, int a, int b, const char *point)
{
	die("%s: META pairs: the partner of %s is not the one that %s says (csv-clean, tns-import: --pairs)", c->in[b].head.name, point,
		c->in[a].head.name);
}

/* Adds what input k says of partners. from (npoints): which input said it. */
static void add_partners(const struct concat *c, int k, int *partner, int *from)
{
	const struct concat_input *in = &c->in[k];
	int *own = names_partners(in->points, tns_meta_value(&in->head, "pairs"));
	for (int i = 0; i < in->k; i++) {
		int at = names_index(c->points, in->points[i]), other = own[i] < 0 ? own[i] : names_index(c->points, in->points[own[i]]);
		if (other >= 0 && partner[at] >= 0 && partner[at] != other)
			other_partner(c, from[at], k, in->points[i]);
		if (other >= 0)
			partner[at] = other, from[at] = k;
	}
	free(own);
}

/* Ends the program where input k has both of a pair, and says that they are none. */
static void check_partners(const struct concat *c, int k, const int *partner, const int *from)
{
	const struct concat_input *in = &c->in[k];
	int *own = names_partners(in->points, tns_meta_value(&in->head, "pairs"));
	for (int i = 0; i < in->k; i++) {
		int at = names_index(c->points, in->points[i]), other = partner[at];
		if (own[i] < 0 && other >= 0 && names_index(in->points, c->points[other]) >= 0)
			other_partner(c, from[at], k, in->points[i]);
	}
	free(own);
}

/* Partners that the names of an input without META pairs spell, of points that no input with it has. */
static void add_spelled(const struct concat *c, int *partner)
{
	char *said = xcalloc((size_t)c->npoints + 1, 1);
	for (int k = 0; k < c->n; k++)
		for (int i = 0; i < c->in[k].k && tns_meta_value(&c->in[k].head, "pairs"); i++)
			said[names_index(c->points, c->in[k].points[i])] = 1;
	for (int k = 0; k < c->n; k++) {
		const struct concat_input *in = &c->in[k];
		int *own = tns_meta_value(&in->head, "pairs") ? NULL : names_partners(in->points, NULL);
		for (int i = 0; i < in->k && own; i++) {
			int at = names_index(c->points, in->points[i]),
			    other = own[i] < 0 ? -1 : names_index(c->points, in->points[own[i]]);
			if (other >= 0 && !said[at] && !said[other] && partner[at] < 0)
				partner[at] = other;
		}
		free(own);
	}
	free(said);
}

static void put_pairs(const struct concat *c, struct tns_writer *w)
{
	int *partner = xcalloc((size_t)c->npoints, sizeof *partner), *from = xcalloc((size_t)c->npoints, sizeof *from), any = 0;
	for (int i = 0; i < c->npoints; i++)
		partner[i] = NAMES_NO_PARTNER;
	for (int k = 0; k < c->n; k++)
		if (tns_meta_value(&c->in[k].head, "pairs"))
			add_partners(c, k, partner, from), any = 1;
	for (int k = 0; k < c->n; k++)
		if (tns_meta_value(&c->in[k].head, "pairs"))
			check_partners(c, k, partner, from);
	if (any) {
		add_spelled(c, partner);
		char *text = names_pairs_text(c->points, partner);
		tns_put_meta(w, "pairs", text);
		free(text);
	}
	free(partner), free(from);
}

/* Points that the models of some input did not learn, where there are predictions: what measures all rows must leave them out. */
static void put_unlearned(const struct concat *c, struct tns_writer *w)
{
	char **names = NULL, *mark = xcalloc((size_t)c->npoints, 1);
	int n = 0, predicted = 0;
	for (int i = 0; i < c->ntensors; i++)
		predicted |= !strcmp(c->tensor[i].def.name, "predicted");
	for (int k = 0; k < c->n && predicted; k++) {
		const struct concat_input *in = &c->in[k];
		char *own = names_marks(&in->head, "unlearned", in->k);
		for (int i = 0; i < in->k; i++)
			mark[names_index(c->points, in->points[i])] |= own[i];
		free(own);
	}
	for (int i = 0; i < c->npoints; i++)
		if (mark[i])
			concat_add_name(&names, &n, c->points[i]);
	if (names)
		put_names(w, "unlearned", names);
	names_free(names);
	free(mark);
}

/* ---- all others ---- */

/* 1: all inputs have the META, with the same value. */
static int equal_in_all(const struct concat *c, const struct tns_meta *m)
{
	for (int k = 1; k < c->n; k++) {
		const struct tns *t = &c->in[k].head;
		int same = 0;
		for (int i = 0; i < t->nmeta; i++)
			same |= !strcmp(t->meta[i].key, m->key) && t->meta[i].value_len == m->value_len &&
				!memcmp(t->meta[i].value, m->value, m->value_len);
		if (!same)
			return 0;
	}
	return 1;
}

/* The sum of a count that all inputs have, or 0. */
static int sum_of_all(const struct concat *c, const char *key, uint64_t *sum)
{
	*sum = 0;
	for (int k = 0; k < c->n; k++) {
		const char *s = tns_meta_value(&c->in[k].head, key);
		uint64_t v;
		if (!s || !num_uint(s, &v) || __builtin_add_overflow(*sum, v, sum))
			return 0;
	}
	return 1;
}

/* 1: some input has it after its rows (one without rows has all before them). */
static int late_in_any(const struct concat *c, const char *key)
{
	for (int k = 0; k < c->n; k++)
		for (int i = 0; i < c->in[k].head.nmeta; i++)
			if (c->in[k].head.meta[i].late && !strcmp(c->in[k].head.meta[i].key, key))
				return 1;
	return 0;
}

/* METAs that speak of what was matched, and need not be equal. */
static int is_matched(const struct concat *c, const char *key)
{
	return !strcmp(key, "history") || (c->points && (!strcmp(key, "points") || !strcmp(key, "pairs") || !strcmp(key, "unlearned"))) ||
	       (c->table[CONCAT_LABEL] && !strcmp(key, "classes")) || (c->table[CONCAT_FILE] && !strcmp(key, "sources"));
}

void concat_early_metas(const struct concat *c, struct tns_writer *w)
{
	const struct tns *t = &c->in[0].head;
	if (c->points) {
		put_names(w, "points", c->points);
		put_pairs(c, w);
		put_unlearned(c, w);
	}
	if (c->table[CONCAT_LABEL])
		put_names(w, "classes", c->table[CONCAT_LABEL]);
	if (c->table[CONCAT_FILE])
		put_names(w, "sources", c->table[CONCAT_FILE]);
	for (int i = 0; i < t->nmeta; i++)
		if (!t->meta[i].late && !is_matched(c, t->meta[i].key) && equal_in_all(c, &t->meta[i]))
			tns_copy_meta(w, &t->meta[i]);
}

void concat_late_metas(const struct concat *c, struct tns_writer *w)
{
	const struct tns *t = &c->in[0].head, **all = xcalloc((size_t)c->n, sizeof *all);
	for (int i = 0; i < t->nmeta; i++) {
		const struct tns_meta *m = &t->meta[i];
		uint64_t sum;
		if (is_matched(c, m->key) || tns_has_meta(w, m->key) || !late_in_any(c, m->key))
			continue;
		if (sum_of_all(c, m->key, &sum)) {
			char *text = xprintf("%llu", (unsigned long long)sum);
			tns_put_meta(w, m->key, text);
			free(text);
		} else if (equal_in_all(c, m))
			tns_copy_meta(w, m);
	}
	for (int k = 0; k < c->n; k++)
		all[k] = &c->in[k].head;
	history_put(w, all, c->n, NULL);
	free(all);
}
