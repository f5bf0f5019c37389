/* A cascade's levels: loading, prediction, provenance. */
#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "lib/base/err.h"
#include "lib/predict/align.h"
#include "lib/predict/cascade.h"
#include "lib/stream/history.h"
#include "lib/stream/names.h"

struct level {
	struct model *m[CASCADE_MODELS];
	int n;
	struct infer *f;
};

struct cascade {
	int levels; /* including the first */
	struct level level[CASCADE_LEVELS];
	struct aligner *aligner; /* or NULL */
};

int cascade_is_model(const char *path, int i, int n)
{
	struct stat st;
	if (!strcmp(path, "-") || (!stat(path, &st) && !S_ISREG(st.st_mode)))
		return n == 1 || i < n - 1;
	struct tns *t = tns_open(path);
	int yes = model_is(t);
	tns_free(t);
	return yes;
}

static void level_load(struct level *l, const struct backend *be, char **path, int n, int flip)
{
	static_assert(2 * INFER_IN_FLIGHT * INFER_SHIFTS * CASCADE_MODELS <= BACKEND_DOWNLOADS,
		"a download of each view of each model in flight");
	if (n > CASCADE_MODELS)
		die_usage("%s: more than %d models of one level", path[0], CASCADE_MODELS);
	l->n = n;
	for (int i = 0; i < n; i++)
		l->m[i] = model_load(path[i]);
	l->f = infer_new(be, l->m, n, flip);
}

struct cascade *cascade_new(const struct backend *be, char **model, int n, const char *const *refine, int levels, int flip)
{
	struct cascade *c = xcalloc(1, sizeof *c);
	if (levels >= CASCADE_LEVELS)
		die_usage("--refine: more than %d levels", CASCADE_LEVELS - 1);
	level_load(&c->level[0], be, model, n, flip);
	const struct model *first = cascade_model(c);
	if (levels && !first->points)
		die_usage("--refine: the model predicts no points");
	for (int k = 0; k < levels; k++) {
		int count;
		char **path = names_split(refine[k], &count);
		level_load(&c->level[k + 1], be, path, count, flip);
		const struct model *m = c->level[k + 1].m[0];
		if (!m->points || strcmp(m->names, first->names))
			die("%s: its points are not those of the model it is to refine", path[0]);
		if (m->W >= first->W &&
			m->H >= first->H) /* patch-extract cuts patches of whole images, too, but a model of faces is a slip */
			die("%s: its input of %dx%d is no patch of images of %dx%d", path[0], m->W, m->H, first->W, first->H);
		names_free(path);
	}
	c->levels = levels + 1;
	return c;
}

struct infer *cascade_first(const struct cascade *c)
{
	return c->level[0].f;
}

const struct model *cascade_model(const struct cascade *c)
{
	return c->level[0].m[0];
}

void cascade_set_source(struct cascade *c, const char *name)
{
	for (int i = 0; i < c->level[0].n; i++)
		sources_choose(c->level[0].m[i]->sources, name, i + 1);
}

int cascade_knows_trained(const struct cascade *c)
{
	int knows = 0;
	for (int i = 0; i < c->level[0].n; i++)
		knows |= c->level[0].m[i]->trained != NULL;
	return knows;
}

int cascade_trained(const struct cascade *c, const uint8_t *image)
{
	int says = TRAINED_NOT;
	for (int i = 0; i < c->level[0].n; i++) {
		const struct model *m = c->level[0].m[i];
		int is = m->trained ? trained_has(m->trained, image, (size_t)m->W * (size_t)m->H) : TRAINED_NOT;
		if (is == TRAINED_ON)
			return is;
		says = is > says ? is : says;
	}
	return says;
}

double *cascade_mean_face(const struct cascade *c)
{
	int P = cascade_model(c)->points;
	double *mean = xcalloc(2 * (size_t)P + 1, sizeof *mean), *models = xcalloc((size_t)P + 1, sizeof *models);
	for (int i = 0; i < c->level[0].n; i++) {
		const struct model *m = c->level[0].m[i];
		char *learned = model_learned(m);
		for (int p = 0; p < P && m->mean; p++)
			if (learned[p] && !isnan(m->mean[2 * p]) && !isnan(m->mean[2 * p + 1]))
				mean[2 * p] += m->mean[2 * p], mean[2 * p + 1] += m->mean[2 * p + 1], models[p]++;
		free(learned);
	}
	for (int k = 0; k < 2 * P; k++)
		mean[k] = models[k / 2] > 0 ? mean[k] / models[k / 2] : NAN;
	free(models);
	return mean;
}

void cascade_set_align(struct cascade *c)
{
	const struct model *first = cascade_model(c);
	double *mean = cascade_mean_face(c), offset[2] = {0};
	for (int i = 0; i < c->level[0].n; i++)
		for (int k = 0; k < 2; k++)
			offset[k] += c->level[0].m[i]->offset[k] / c->level[0].n;
	c->aligner = aligner_new(c->level[0].f, mean, first->points, first->W, first->H, offset);
	if (!c->aligner)
		warn("no face is aligned: the model doesn't know the mean places of two points (META mean_face)");
	free(mean);
}

void cascade_batch_async(struct cascade *c, const uint8_t *images, int B)
{
	infer_batch_async(c->level[0].f, images, B);
}

void cascade_batch_wait(struct cascade *c, const uint8_t *images, int B, float *out, float *stddev, float *steps)
{
	const struct model *m = cascade_model(c);
	size_t n = 2 * (size_t)m->points, further = (size_t)c->levels - 1;
	infer_batch_wait(c->level[0].f, out, stddev);
	double rmse = infer_rmse(c->level[0].f);
	assert(stddev || !further);
	if (c->aligner)
		aligner_estimate(c->aligner, images, B, out, stddev);
	if (c->aligner && further) {
		images = aligner_images(c->aligner, images, B);
		aligner_into(c->aligner, B, out, stddev);
	}
	for (size_t k = 0; k < further; k++) {
		for (size_t b = 0; b < (size_t)B; b++)
			memcpy(steps + (b * further + k) * n, out + b * n, n * sizeof *out);
		infer_refine(c->level[k + 1].f, images, m->W, m->H, B, out, stddev, &rmse);
	}
	if (c->aligner && further) {
		aligner_back(c->aligner, B, m->points, out, stddev);
		aligner_back(c->aligner, B, (int)further * m->points, steps, NULL);
	}
}

void cascade_history(const struct cascade *c, const struct tns *in, struct tns_writer *w)
{
	size_t all = 0, n = 0;
	for (int k = 0; k < c->levels; k++)
		all += (size_t)c->level[k].n;
	struct tns *heads = xcalloc(all, sizeof *heads);
	struct tns_meta *lines = xcalloc(all, sizeof *lines);
	const struct tns **inputs = xcalloc(all + 1, sizeof *inputs);
	inputs[n] = in;
	for (int k = 0; k < c->levels; k++)
		for (int i = 0; i < c->level[k].n; i++, n++) {
			const struct model *m = c->level[k].m[i];
			lines[n] = (struct tns_meta){"history", m->history, 7, strlen(m->history), 1};
			heads[n] = (struct tns){.nmeta = 1, .meta = &lines[n], .fingerprint = m->fingerprint};
			inputs[n + 1] = &heads[n];
		}
	history_put(w, inputs + !in, (int)n + !!in, NULL);
	free(heads), free(lines), free(inputs);
}

void cascade_free(struct cascade *c)
{
	aligner_free(c->aligner);
	for (int k = 0; k < c->levels; k++) {
		infer_free(c->level[k].f);
		for (int i = 0; i < c->level[k].n; i++)
			model_free(c->level[k].m[i]);
	}
	free(c);
}
