/* Counts of labels by point, and of those that no cell of a map can say. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/err.h"
#include "lib/stream/names.h"
#include "lib/train/unlearned.h"

static uint32_t *count_labels(const struct model *m, const struct dataset *ds, int flip, const float *weight)
{
	size_t P = (size_t)m->points;
	uint32_t *own = xcalloc(P + 1, sizeof *own), *n = xcalloc(P + 1, sizeof *n);
	for (size_t i = 0; i < (size_t)ds->n * P; i++)
		own[i % P] += !isnan(ds->value[2 * i]) && !isnan(ds->value[2 * i + 1]) && (!ds->weight || ds->weight[i] > 0);
	int *partner = model_partners(m);
	for (size_t p = 0; p < P; p++)
		n[p] = weight && weight[p] <= 0 ? 0 : own[p] + (flip && partner[p] >= 0 && partner[p] != (int)p ? own[partner[p]] : 0);
	free(partner), free(own);
	return n;
}

/* (points) 1: init is a model with points of the same names that learned this one. */
static char *learned_before(const struct model *m, const struct tns *init)
{
	char *learned = xcalloc((size_t)m->points + 1, 1);
	const char *points = init ? tns_meta_value(init, "points") : NULL;
	if (points && !strcmp(points, m->names)) {
		struct model before = {.names = m->names, .unlearned = (char *)tns_meta_value(init, "unlearned")};
		free(learned);
		learned = model_learned(&before);
	}
	return learned;
}

static void blank(struct dataset *ds, int p)
{
	for (uint32_t i = 0; i < ds->n; i++)
		ds->value[(size_t)i * (size_t)ds->k + 2 * (size_t)p] = ds->value[(size_t)i * (size_t)ds->k + 2 * (size_t)p + 1] = NAN;
}

/* Labels more than half a cell beyond the middles of a map's outer cells, which the mean of its softmax never is. */
static void warn_beyond(const struct model *m, const struct dataset *ds)
{
	double low[2], high[2], s[2] = {(double)m->sx, (double)m->sy}, o[2] = {(double)m->ox, (double)m->oy};
	size_t n = 0;
	for (int k = 0; k < 2; k++)
		low[k] = (-0.5 - o[k]) / s[k], high[k] = ((k ? m->MH : m->MW) - 0.5 - o[k]) / s[k];
	if (low[0] < 0.5 && low[1] < 0.5 && high[0] > m->W - 1.5 && high[1] > m->H - 1.5) /* the whole image */
		return;
	for (size_t i = 0; i < (size_t)ds->n * (size_t)ds->k; i += 2)
		n += (double)ds->value[i] < low[0] || (double)ds->value[i] > high[0] || (double)ds->value[i + 1] < low[1] ||
		     (double)ds->value[i + 1] > high[1];
	if (n)
		warn("%zu labels lie beyond the heat map, whose cells reach from %.3g,%.3g to %.3g,%.3g: padding (conv3x3p1) reaches "
		     "further",
			n, low[0], low[1], high[0], high[1]);
}

void unlearned_set(
	struct model *m, const struct dataset *train, struct dataset *valid, int flip, const float *weight, const struct tns *init)
{
	int n;
	char **names = names_split(m->names, &n), *few = NULL, *light = NULL, *never = NULL, *before = learned_before(m, init);
	uint32_t *labels = count_labels(m, train, flip, weight);
	for (int p = 0; p < m->points; p++) {
		if (labels[p] >= UNLEARNED_FEW || before[p])
			continue;
		char *text = xprintf("%s (%u)", names[p], labels[p]);
		if (labels[p])
			few = names_append(few, text);
		else {
			char **why = weight && weight[p] <= 0 ? &light : &never;
			*why = names_append(*why, names[p]);
			m->unlearned = names_append(m->unlearned, names[p]);
		}
		if (!labels[p] && valid)
			blank(valid, p);
		free(text);
	}
	if (never)
		warn("never labelled, so never learned: %s; predict will leave them out", never);
	if (light)
		warn("of weight 0, so never learned: %s; predict will leave them out", light);
	if (few)
		warn("fewer than %d labels, so hardly learned: %s", UNLEARNED_FEW, few);
	for (size_t i = 0; valid && i <= (size_t)valid->n * (size_t)valid->k; i++) {
		if (i == (size_t)valid->n * (size_t)valid->k)
			die("%s: the held-out rows have no label of a point that is learned", train->head->name);
		if (!isnan(valid->value[i]))
			break;
	}
	if (m->target == TARGET_HEATMAP)
		warn_beyond(m, train);
	free(few), free(light), free(never), free(before), free(labels), names_free(names);
}
