/* Each thread renders a batch of rows to text; the caller then writes the batches in order. */
#include <stdlib.h>
#include <string.h>

#include "lib/base/each_thread.h"
#include "lib/base/err.h"
#include "lib/synth/label_noise.h"
#include "lib/synth/synth.h"

#define BATCH_MAX 32
#define BATCH_BYTES (1 << 20)

/* A thread's buffers and its batch: rows [from, from + n). */
struct worker {
	const struct synth *s;
	struct face_style style;
	uint32_t from;
	int n, want_test, want_points;
	float *scratch, *points;
	uint8_t *image;
	char *test, *rows; /* text of the rows, concatenated; test only for a test set */
	size_t test_len, rows_len;
	struct label_noise noise[BATCH_MAX];
};

static enum facecsv_fault fault_of(const struct synth *s, uint32_t row)
{
	int all = s->fault == FACECSV_EMPTY || s->fault == FACECSV_HEADER; /* these affect every row */
	return all || row == s->fault_row ? s->fault : FACECSV_GOOD;
}

static void *render_rows(void *arg)
{
	struct worker *p = arg;
	const struct synth *s = p->s;
	struct face_style *f = &p->style;
	size_t pixels = (size_t)f->w * (size_t)f->h;
	int training = f->set == 0;
	p->test_len = p->rows_len = 0;
	for (int i = 0; i < p->n; i++) {
		uint32_t row = p->from + (uint32_t)i;
		struct label_noise *d = &p->noise[i];
		*d = training && s->label_noise ? label_noise_plan(s->seed, row) : (struct label_noise){LABEL_NOISE_NONE, -1, row};
		face_draw(f, s->seed, d->of, p->scratch, p->image, p->points);
		if (training && s->label_noise)
			label_noise_plant(d, s->seed, row, f->w, f->h, f->points, p->points);
		if (p->want_test)
			p->test_len += facecsv_test(p->test + p->test_len, row + 1, pixels, p->image);
		if (p->want_points)
			p->rows_len += facecsv_row(
				p->rows + p->rows_len, f->points, p->points, pixels, p->image, training ? fault_of(s, row) : FACECSV_GOOD);
	}
	return NULL;
}

/* One worker a thread, with buffers for *batch rows each. */
static struct worker *workers_new(const struct synth *s, uint32_t set, int want_test, int want_points, int *batch)
{
	size_t pixels = (size_t)s->style.w * (size_t)s->style.h, row_bytes = facecsv_size(s->style.points, pixels);
	struct worker *p = xcalloc((size_t)s->threads, sizeof *p);
	*batch = row_bytes >= BATCH_BYTES ? 1 : (int)(BATCH_BYTES / row_bytes);
	if (*batch > BATCH_MAX)
		*batch = BATCH_MAX;
	for (int t = 0; t < s->threads; t++) {
		p[t].s = s, p[t].style = s->style, p[t].style.set = set;
		p[t].want_test = want_test, p[t].want_points = want_points;
		p[t].scratch = xcalloc(face_size(&s->style), sizeof(float));
		p[t].points = xcalloc((size_t)s->style.points, 2 * sizeof(float));
		p[t].image = xmalloc(pixels);
		p[t].test = want_test ? xmalloc(row_bytes * (size_t)*batch) : NULL;
		p[t].rows = want_points ? xmalloc(row_bytes * (size_t)*batch) : NULL;
	}
	return p;
}

static void workers_free(struct worker *p, int threads)
{
	for (int t = 0; t < threads; t++) {
		free(p[t].scratch);
		free(p[t].points);
		free(p[t].image);
		free(p[t].test);
		free(p[t].rows);
	}
	free(p);
}

/* Renders up to threads * batch rows from row on, below n; returns how many. */
static uint32_t workers_run(struct worker *p, int threads, int batch, uint32_t row, uint32_t n)
{
	uint32_t done = 0;
	int used = 0;
	for (int t = 0; t < threads; t++) {
		uint32_t left = n - row - done;
		p[t].from = row + done, p[t].n = left < (uint32_t)batch ? (int)left : batch;
		done += (uint32_t)p[t].n;
		used += p[t].n > 0;
	}
	each_thread(render_rows, p, sizeof *p, used);
	return done;
}

/* A CSV has no end mark: truncated between two rows it reads as complete. So the last bytes of a block are held back and written together
 * with the first of the next block: the output of a killed run ends within a row. */
enum { TAIL = 16 };

struct tail {
	size_t n;
	char byte[TAIL + 1];
};

static void write_rows(struct out *to, struct tail *t, const char *rows, size_t n)
{
	if (!n)
		return;
	size_t held = n - 1 < TAIL ? n - 1 : TAIL;
	t->byte[t->n++] = rows[0];
	out_write(to, t->byte, t->n);
	out_write(to, rows + 1, n - 1 - held);
	memcpy(t->byte, rows + n - held, t->n = held);
}

static void write_tail(struct out *to, const struct tail *t)
{
	out_write(to, t->byte, t->n);
}

static void write_header(const struct synth *s, struct out *to, enum facecsv_fault fault)
{
	char *text = xmalloc(facecsv_size(s->style.points, 0));
	out_write(to, text, facecsv_header(text, s->style.points, fault));
	free(text);
}

static void write_side_files(const struct synth *s, const struct worker *p, struct out *groups, struct out *truth)
{
	char buf[32];
	for (int i = 0; i < p->n; i++) {
		const struct label_noise *d = &p->noise[i];
		uint32_t row = p->from + (uint32_t)i;
		if (truth && d->kind != LABEL_NOISE_NONE)
			out_printf(truth, "%lu\t%s\t%s\n", row + 1ul, d->point < 0 ? "-" : face_name(d->point, buf),
				label_noise_name(d->kind));
		if (truth && s->fault != FACECSV_GOOD && row == s->fault_row)
			out_printf(truth, "%lu\t-\t%s\n", row + 1ul, facecsv_word(s->fault));
		if (groups)
			out_printf(groups, "%lu,%lu\n", row + 1ul, face_first(&p->style, s->seed, d->of) + 1ul);
	}
}

void synth_training(const struct synth *s, uint32_t n, struct out *rows, struct out *groups, struct out *truth)
{
	int batch;
	struct tail tail = {0};
	struct worker *p = workers_new(s, 0, 0, 1, &batch);
	if (s->fault == FACECSV_CUT && s->fault_row < n)
		n = s->fault_row + 1;
	if (groups)
		out_printf(groups, "row,group\n");
	if (truth)
		out_printf(truth, "row\tname\tkind\n");
	write_header(s, rows, s->fault);
	for (uint32_t row = 0; row < n;) {
		row += workers_run(p, s->threads, batch, row, n);
		for (int t = 0; t < s->threads; t++) {
			if (p[t].n > 0)
				write_rows(rows, &tail, p[t].rows, p[t].rows_len);
			write_side_files(s, &p[t], groups, truth);
		}
	}
	write_tail(rows, &tail);
	workers_free(p, s->threads);
}

void synth_test(const struct synth *s, uint32_t n, struct out *test, struct out *lookup, struct out *solution)
{
	int batch;
	struct tail tail = {0}, solution_tail = {0};
	struct worker *p = workers_new(s, 1, test != NULL, solution != NULL, &batch);
	char *text = xmalloc(facecsv_size(s->style.points, 0));
	uint8_t *keep = xmalloc((size_t)s->style.points);
	uint64_t line = 0;
	if (test)
		out_printf(test, "ImageId,Image\n");
	if (lookup)
		out_printf(lookup, "RowId,ImageId,FeatureName,Location\n");
	if (solution)
		write_header(s, solution, FACECSV_GOOD);
	for (uint32_t row = 0; row < n && (test || solution);) {
		row += workers_run(p, s->threads, batch, row, n);
		for (int t = 0; t < s->threads; t++) {
			if (test && p[t].n > 0)
				write_rows(test, &tail, p[t].test, p[t].test_len);
			if (solution && p[t].n > 0)
				write_rows(solution, &solution_tail, p[t].rows, p[t].rows_len);
		}
	}
	if (test)
		write_tail(test, &tail);
	if (solution)
		write_tail(solution, &solution_tail);
	for (uint32_t row = 0; row < n && lookup; row++) {
		label_noise_requested(s->seed, row, s->style.points, keep);
		out_write(lookup, text, facecsv_lookup(text, &line, row + 1, s->style.points, keep));
	}
	free(text);
	free(keep);
	workers_free(p, s->threads);
}
