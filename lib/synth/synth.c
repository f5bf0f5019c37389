#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/err.h"
#include "lib/synth/label_noise.h"
#include "lib/synth/synth.h"

#define BATCH_MAX 32
#define BATCH_BYTES (1 << 20)

/* One thread's part: rows [from, from + n). */
struct part {
	const struct synth *s;
	struct face_style style;
	uint32_t from;
	int n, want_test, want_points;
	float *room, *points;
	uint8_t *image;
	char *test, *rows; /* text, one after another; test only for a test set */
	size_t test_len, rows_len;
	struct label_noise dirt[BATCH_MAX];
};

static enum facecsv_fault fault_of(const struct synth *s, uint32_t row)
{
	int all = s->fault == FACECSV_EMPTY || s->fault == FACECSV_HEADER; /* these are faults of every row */
	return all || row == s->bad ? s->fault : FACECSV_GOOD;
}

static void *make(void *arg)
{
	struct part *p = arg;
	const struct synth *s = p->s;
	struct face_style *f = &p->style;
	size_t pixels = (size_t)f->w * (size_t)f->h;
	int training = f->set == 0;
	p->test_len = p->rows_len = 0;
	for (int i = 0; i < p->n; i++) {
		uint32_t row = p->from + (uint32_t)i;
		struct label_noise *d = &p->dirt[i];
		*d = training && s->dirt ? label_noise_plan(s->seed, row) : (struct label_noise){LABEL_NOISE_NONE, -1, row};
		face_draw(f, s->seed, d->of, p->room, p->image, p->points);
		if (training && s->dirt)
			label_noise_plant(d, s->seed, row, f->w, f->h, f->points, p->points);
		if (p->want_test)
			p->test_len += facecsv_test(p->test + p->test_len, row + 1, pixels, p->image);
		if (p->want_points)
			p->rows_len += facecsv_row(
				p->rows + p->rows_len, f->points, p->points, pixels, p->image, training ? fault_of(s, row) : FACECSV_GOOD);
	}
	return NULL;
}

/* Parts for all threads, able to hold *batch rows each. */
static struct part *parts_new(const struct synth *s, uint32_t set, int want_test, int want_points, int *batch)
{
	size_t pixels = (size_t)s->style.w * (size_t)s->style.h, room = facecsv_room(s->style.points, pixels);
	struct part *p = xcalloc((size_t)s->threads, sizeof *p);
	*batch = room >= BATCH_BYTES ? 1 : (int)(BATCH_BYTES / room);
	if (*batch > BATCH_MAX)
		*batch = BATCH_MAX;
	for (int t = 0; t < s->threads; t++) {
		p[t].s = s, p[t].style = s->style, p[t].style.set = set;
		p[t].want_test = want_test, p[t].want_points = want_points;
		p[t].room = xcalloc(face_room(&s->style), sizeof(float));
		p[t].points = xcalloc((size_t)s->style.points, 2 * sizeof(float));
		p[t].image = xmalloc(pixels);
		p[t].test = want_test ? xmalloc(room * (size_t)*batch) : NULL;
		p[t].rows = want_points ? xmalloc(room * (size_t)*batch) : NULL;
	}
	return p;
}

static void parts_free(struct part *p, int threads)
{
	for (int t = 0; t < threads; t++) {
		free(p[t].room);
		free(p[t].points);
		free(p[t].image);
		free(p[t].test);
		free(p[t].rows);
	}
	free(p);
}

/* Make up to threads * batch rows from row on, below n; returns how many. */
static uint32_t parts_make(struct part *p, int threads, int batch, uint32_t row, uint32_t n)
{
	pthread_t id[256];
	int begun[256] = {0}, used = 0;
	uint32_t done = 0;
	for (int t = 0; t < threads; t++) {
		uint32_t left = n - row - done;
		p[t].from = row + done, p[t].n = left < (uint32_t)batch ? (int)left : batch;
		done += (uint32_t)p[t].n;
		used += p[t].n > 0;
	}
	for (int t = 1; t < used; t++)
		begun[t] = pthread_create(&id[t], NULL, make, &p[t]) == 0;
	make(&p[0]);
	for (int t = 1; t < used; t++)
		if (!begun[t]) /* no thread to be had: then so */
			make(&p[t]);
		else
			pthread_join(id[t], NULL);
	return done;
}

/* A CSV has no end mark: cut between two rows it passes for a whole one. So the last bytes of a block wait for the next block's first, and
 * whatever a killed run leaves in a pipe ends within a row. */
enum { TAIL = 16 };

struct tail {
	size_t n;
	char byte[TAIL + 1];
};

static void put_rows(struct out *to, struct tail *t, const char *rows, size_t n)
{
	if (!n)
		return;
	size_t hold = n - 1 < TAIL ? n - 1 : TAIL;
	t->byte[t->n++] = rows[0];
	out_write(to, t->byte, t->n);
	out_write(to, rows + 1, n - 1 - hold);
	memcpy(t->byte, rows + n - hold, t->n = hold);
}

static void put_tail(struct out *to, const struct tail *t)
{
	out_write(to, t->byte, t->n);
}

static void header(const struct synth *s, struct out *to, enum facecsv_fault fault)
{
	char *text = xmalloc(facecsv_room(s->style.points, 0));
	out_write(to, text, facecsv_header(text, s->style.points, fault));
	free(text);
}

static void side_lines(const struct synth *s, const struct part *p, struct out *groups, struct out *truth)
{
	char room[32];
	for (int i = 0; i < p->n; i++) {
		const struct label_noise *d = &p->dirt[i];
		uint32_t row = p->from + (uint32_t)i;
		if (truth && d->kind != LABEL_NOISE_NONE)
			out_printf(truth, "%lu\t%s\t%s\n", row + 1ul, d->point < 0 ? "-" : face_name(d->point, room), label_noise_name(d->kind));
		if (truth && s->fault != FACECSV_GOOD && row == s->bad)
			out_printf(truth, "%lu\t-\t%s\n", row + 1ul, facecsv_word(s->fault));
		if (groups)
			out_printf(groups, "%lu,%lu\n", row + 1ul, face_first(&p->style, s->seed, d->of) + 1ul);
	}
}

void synth_training(const struct synth *s, uint32_t n, struct out *rows, struct out *groups, struct out *truth)
{
	int batch;
	struct tail tail = {0};
	struct part *p = parts_new(s, 0, 0, 1, &batch);
	if (s->fault == FACECSV_CUT && s->bad < n)
		n = s->bad + 1;
	if (groups)
		out_printf(groups, "row,group\n");
	if (truth)
		out_printf(truth, "row\tname\tkind\n");
	header(s, rows, s->fault);
	for (uint32_t row = 0; row < n;) {
		row += parts_make(p, s->threads, batch, row, n);
		for (int t = 0; t < s->threads; t++) {
			if (p[t].n > 0)
				put_rows(rows, &tail, p[t].rows, p[t].rows_len);
			side_lines(s, &p[t], groups, truth);
		}
	}
	put_tail(rows, &tail);
	parts_free(p, s->threads);
}

void synth_test(const struct synth *s, uint32_t n, struct out *test, struct out *lookup, struct out *solution)
{
	int batch;
	struct tail tail = {0}, answer = {0};
	struct part *p = parts_new(s, 1, test != NULL, solution != NULL, &batch);
	char *text = xmalloc(facecsv_room(s->style.points, 0));
	uint8_t *keep = xmalloc((size_t)s->style.points);
	uint64_t line = 0;
	if (test)
		out_printf(test, "ImageId,Image\n");
	if (lookup)
		out_printf(lookup, "RowId,ImageId,FeatureName,Location\n");
	if (solution)
		header(s, solution, FACECSV_GOOD);
	for (uint32_t row = 0; row < n && (test || solution);) {
		row += parts_make(p, s->threads, batch, row, n);
		for (int t = 0; t < s->threads; t++) {
			if (test && p[t].n > 0)
				put_rows(test, &tail, p[t].test, p[t].test_len);
			if (solution && p[t].n > 0)
				put_rows(solution, &answer, p[t].rows, p[t].rows_len);
		}
	}
	if (test)
		put_tail(test, &tail);
	if (solution)
		put_tail(solution, &answer);
	for (uint32_t row = 0; row < n && lookup; row++) {
		label_noise_asked(s->seed, row, s->style.points, keep);
		out_write(lookup, text, facecsv_lookup(text, &line, row + 1, s->style.points, keep));
	}
	free(text);
	free(keep);
	parts_free(p, s->threads);
}
