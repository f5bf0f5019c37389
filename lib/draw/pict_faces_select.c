/* Which faces of a data set are drawn. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "lib/draw/pict_faces_io.h"
#include "lib/draw/pict_points.h"
#include "lib/stream/names.h"
#include "lib/stream/point_tensors.h"

enum { NAMES_MAX = 1000 };

static void find_steps_and_maps(struct selection *b, const struct pict_faces *f)
{
	const struct tns *t = b->d->in;
	b->steps = b->maps = -1;
	if (b->predicted >= 0 && tns_find(t, "steps") >= 0) {
		b->steps = dataset_stream_require(t, "steps", TNS_F32, 4);
		const struct tns_def *def = &t->def[b->steps];
		if (def->dim[2] != (uint64_t)b->k || def->dim[3] != 2)
			die("%s: steps are not of the %d points of predicted", t->name, b->k);
		b->levels = (int)def->dim[1];
	}
	if (!f->maps)
		return;
	if (tns_find(t, "maps") < 0)
		die("%s: no maps to draw (predict --maps makes them)", t->name);
	b->maps = dataset_stream_require(t, "maps", TNS_F32, 4);
	b->heat = pict_maps_open(t, b->maps, b->w, b->h);
}

static void find_originals(struct selection *b, const struct pict_faces *f)
{
	const struct tns *t = b->d->in;
	b->crop = b->source = b->box = b->turn = -1;
	if (!f->over)
		return;
	if (tns_find(t, "crop") < 0 || tns_find(t, "source") < 0)
		die("%s: no %s: where in which image its rows are is not known; tns-import tells it (without --over the rows are drawn)",
			t->name, tns_find(t, "crop") < 0 ? "crop" : "source");
	b->crop = dataset_stream_require(t, "crop", TNS_F32, 2);
	b->source = dataset_stream_require(t, "source", TNS_U8, 2);
	b->box = tns_find(t, "box") < 0 ? -1 : dataset_stream_require(t, "box", TNS_F32, 2);
	b->turn = tns_find(t, "turn") < 0 ? -1 : dataset_stream_require(t, "turn", TNS_U8, 1);
	if (t->def[b->crop].dim[1] != 6 || (b->box >= 0 && t->def[b->box].dim[1] != 4))
		die("%s: crop and box are not of 6 and 4 numbers", t->name);
}

static void open_selection(struct selection *b, const char *data, const struct pict_faces *f)
{
	b->d = dataset_stream_open(data);
	const struct tns *t = b->d->in;
	b->image = dataset_stream_require(t, "image", TNS_U8, 3);
	b->h = (int)t->def[b->image].dim[1];
	b->w = (int)t->def[b->image].dim[2];
	b->truth = pict_points_find(t, "keypoints", &b->k);
	b->predicted = pict_points_find(t, "predicted", &b->k);
	find_steps_and_maps(b, f);
	find_originals(b, f);
	b->id = !f->ids && tns_find(t, "id") < 0 ? -1 : dataset_stream_require(t, "id", TNS_U32, 1);
	if (f->worst && (b->truth < 0 || b->predicted < 0))
		die("%s: no %s: --worst needs truth and prediction%s", t->name, b->truth < 0 ? "keypoints" : "predicted",
			b->truth < 0 ? "" : dataset_stream_source(t, "predicted"));
	b->unlearned = names_marks(t, "unlearned", b->k);
	if (f->names) {
		if (!b->k)
			die("%s: no keypoints and no predicted: --names needs points", t->name);
		if (b->k > NAMES_MAX)
			die("%s: %d points are too many for --names: at most %d", t->name, b->k, NAMES_MAX);
		b->names = names_points(t, b->k);
		for (int i = 0; i < b->k; i++)
			for (char *c = b->names[i]; *c; c++)
				if (*c == '_')
					*c = ' ';
	}
}

static void *copy_row(void *to, const struct selection *b, int id, uint64_t i)
{
	if (id < 0)
		return NULL;
	size_t n = b->d->in->def[id].row_bytes;
	to = to ? to : xmalloc(n);
	memcpy(to, dataset_stream_at(b->d, id, i), n);
	return to;
}

/* The row's id, else its number from 1. */
static uint64_t id_of(const struct selection *b, uint64_t i)
{
	uint32_t id;
	if (b->id < 0)
		return b->d->row + i + 1;
	memcpy(&id, dataset_stream_at(b->d, b->id, i), sizeof id);
	return id;
}

static void keep_face(struct selection *b, struct face *f, int with_image, uint64_t i, double error)
{
	f->row = b->d->row + i + 1;
	f->id = id_of(b, i);
	f->error = error;
	f->image = copy_row(f->image, b, with_image ? b->image : -1, i);
	f->truth = copy_row(f->truth, b, b->truth, i);
	f->predicted = copy_row(f->predicted, b, b->predicted, i);
	f->steps = copy_row(f->steps, b, b->steps, i);
	f->maps = copy_row(f->maps, b, b->maps, i);
	f->crop = copy_row(f->crop, b, b->crop, i);
	f->box = copy_row(f->box, b, b->box, i);
	f->turn = copy_row(f->turn, b, b->turn, i);
	if (b->source >= 0) {
		free(f->source);
		f->source = xprintf("%.*s", (int)b->d->in->def[b->source].row_bytes, (const char *)dataset_stream_at(b->d, b->source, i));
	}
}

/* Larger errors first, of equal ones the earlier row. */
static int by_error(const void *a, const void *b)
{
	const struct face *x = a, *y = b;
	if (x->error != y->error)
		return x->error < y->error ? 1 : -1;
	return x->row < y->row ? -1 : 1;
}

/* Selects row i of the block if it is among those to draw. */
static void select_row(struct selection *b, const struct pict_faces *f, uint64_t i)
{
	if ((f->ids && !ranges_take(f->ids, id_of(b, i))) || b->d->row + i + 1 < (uint64_t)f->first)
		return;
	b->total++;
	double error = b->truth < 0 || b->predicted < 0 ? NAN
							: points_error(dataset_stream_at(b->d, b->truth, i),
								  dataset_stream_at(b->d, b->predicted, i), b->k, b->unlearned);
	if (f->worst && isnan(error))
		return;
	if (b->n < (size_t)f->count) {
		if ((b->n & (b->n - 1)) == 0) /* capacity doubles */
			b->face = xrealloc(b->face, (b->n ? 2 * b->n : 1) * sizeof *b->face);
		memset(&b->face[b->n], 0, sizeof *b->face);
		keep_face(b, &b->face[b->n++], !f->over, i, error);
	} else if (f->worst && error > b->face[b->least].error) {
		keep_face(b, &b->face[b->least], !f->over, i, error);
	} else {
		return;
	}
	if (f->worst && b->n == (size_t)f->count) {
		b->least = 0;
		for (size_t j = 1; j < b->n; j++)
			if (by_error(&b->face[j], &b->face[b->least]) > 0)
				b->least = j;
	}
}

void pict_faces_select(struct selection *b, const char *data, const struct pict_faces *f)
{
	open_selection(b, data, f);
	uint64_t n, total = 0;
	while ((n = dataset_stream_next(b->d)) > 0) {
		total += n;
		for (uint64_t i = 0; i < n; i++)
			select_row(b, f, i);
	}
	char *unmet = f->ids ? ranges_unmet(f->ids, "id") : NULL;
	if (unmet)
		die("%s: no row has id %s", b->d->in->name, unmet);
	if (!b->n)
		die("%s: nothing to draw: %llu rows%s", b->d->in->name, (unsigned long long)total,
			f->worst       ? ", none of them labelled"
			: f->first > 1 ? ", fewer than --first"
				       : "");
	b->total = f->worst ? b->total : total;
	if (f->worst)
		qsort(b->face, b->n, sizeof *b->face, by_error);
}

void pict_faces_free(struct selection *b)
{
	for (size_t i = 0; i < b->n; i++) {
		free(b->face[i].image);
		free(b->face[i].truth);
		free(b->face[i].predicted);
		free(b->face[i].steps);
		free(b->face[i].maps);
		free(b->face[i].crop);
		free(b->face[i].box);
		free(b->face[i].source);
		free(b->face[i].turn);
	}
	free(b->face);
	if (b->names)
		names_free(b->names);
	free(b->unlearned);
	dataset_stream_close(b->d);
}
