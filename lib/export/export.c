#include "lib/export/export.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/err.h"
#include "lib/base/num.h"
#include "lib/base/utf8.h"
#include "lib/export/export_form.h"
#include "lib/stream/names.h"

static const struct export_form *const forms[] = {
	&export_coco, &export_coco_results, &export_csv, &export_imglab, &export_pts, &export_jsonl};

#define FAR 1e7 /* no pixel is there */

struct export
{
	struct dataset_stream *d;
	const struct export_form *form;
	struct export_set set;
	int points, crop, source, size, id, image_id, box, score, confidence; /* tensors, -1: absent */
	size_t source_bytes;
	uint32_t W, H; /* of the images, where rows are such */
	char *name;    /* of the current image */
	double *xy;    /* (K, 2) */
};

const char *export_number(char *buf, double v)
{
	return json_digits(buf, v == 0 ? 0 : v, 1);
}

/* A tensor that may be absent, of this type and size of a row; a of 0: any. */
static int optional(const struct tns *t, const char *name, int dtype, int ndim, uint64_t a)
{
	if (tns_find(t, name) < 0)
		return -1;
	int i = dataset_stream_require(t, name, dtype, ndim);
	if (a && t->def[i].dim[1] != a)
		die("%s: %s has %llu values a row, not %llu", t->name, name, (unsigned long long)t->def[i].dim[1], (unsigned long long)a);
	return i;
}

/* As the option says, or META category and category_id, which an import of COCO's file has. */
static void set_category(struct export_set *s, const struct tns *t)
{
	const char *name = tns_meta_value(t, "category"), *id = name ? tns_meta_value(t, "category_id") : NULL;
	s->category = name ? name : "face";
	if (!s->category_id && id && (!num_int(id, &s->category_id) || s->category_id < 1))
		die("%s: META category_id '%s' is no number from 1 on", t->name, id);
	s->category_id = s->category_id ? s->category_id : 1;
}

static void open_tensors(struct export *x, const struct export_options *o)
{
	struct export_set *s = &x->set;
	const struct tns *t = x->d->in;
	const char *what = tns_find(t, "predicted") >= 0 ? "predicted" : "keypoints";
	s->name = t->name, s->output = o->output, s->category_id = o->category_id;
	if (x->form == &export_coco || x->form == &export_coco_results)
		set_category(s, t);
	x->points = -1;
	if (tns_find(t, what) < 0 && (tns_find(t, "box") < 0 || x->form->folder))
		die("%s: there are no points: neither predicted nor keypoints", t->name);
	if (tns_find(t, what) >= 0) {
		x->points = dataset_stream_require(t, what, TNS_F32, 3);
		if (t->def[x->points].dim[2] != 2 || t->def[x->points].dim[1] > TNS_CHUNK_MAX)
			die("%s: %s is not [rows, points, 2]", t->name, what);
		s->K = (int)t->def[x->points].dim[1];
		s->points = names_points(t, s->K);
	}
	x->crop = optional(t, "crop", TNS_F32, 2, 6);
	x->size = optional(t, "image_size", TNS_U32, 2, 2);
	x->id = optional(t, "id", TNS_U32, 1, 0);
	x->image_id = optional(t, "image_id", TNS_I64, 1, 0);
	x->box = optional(t, "box", TNS_F32, 2, 4);
	x->score = s->K ? -1 : optional(t, "face_score", TNS_F32, 1, 0);
	s->has_score = x->score >= 0;
	int labels = !strcmp(what, "keypoints") && tns_find(t, "label_confidence") >= 0;
	x->confidence = optional(t, labels ? "label_confidence" : "confidence", TNS_F32, 2, (uint64_t)s->K);
	x->source = tns_find(t, "source");
	if (x->source >= 0 && (t->def[x->source].dtype != TNS_U8 || t->def[x->source].ndim != 2))
		x->source = -1; /* of patches: the row that they are from */
	if (x->source >= 0)
		x->source_bytes = t->def[x->source].row_bytes;
	int image = tns_find(t, "image");
	if (x->crop < 0 && image >= 0 && t->def[image].ndim == 3 && t->def[image].dim[1] <= INT32_MAX && t->def[image].dim[2] <= INT32_MAX)
		x->H = (uint32_t)t->def[image].dim[1], x->W = (uint32_t)t->def[image].dim[2];
	s->has_confidence = x->confidence >= 0;
	s->has_image_id = x->image_id >= 0 || x->source < 0;
	s->origin = isnan(o->origin) ? x->form->origin : o->origin;
}

static void set_name(struct export *x, struct export_face *f, uint64_t i)
{
	const char *source = x->source >= 0 ? dataset_stream_at(x->d, x->source, i) : NULL;
	size_t n = source ? strnlen(source, x->source_bytes) : 0;
	if (n)
		snprintf(x->name, x->source_bytes + 1, "%.*s", (int)n, source);
	else
		snprintf(x->name, 24, "%u", f->id);
	f->file = x->name;
	if (x->form->utf8 && !utf8_valid((const unsigned char *)f->file, strlen(f->file)))
		die("%s: row %llu: the image's name '%.300s' is not UTF-8, and %s holds no other text", x->set.name,
			(unsigned long long)f->row, f->file, x->form->name);
}

/* Points from the crop's pixels to the image's. */
static void set_points(struct export *x, struct export_face *f, uint64_t i)
{
	static const float same[6] = {1, 0, 0, 0, 1, 0};
	const float *uv = x->points >= 0 ? dataset_stream_at(x->d, x->points, i) : NULL,
		    *c = x->crop >= 0 ? dataset_stream_at(x->d, x->crop, i) : same;
	const uint32_t *size = x->set.K && x->crop < 0 && x->size >= 0 ? dataset_stream_at(x->d, x->size, i) : NULL;
	if (size && (size[0] != x->W || size[1] != x->H))
		die("%s: row %llu: there is no crop to tell where in its image of %ux%u the row is (tns-join --take crop; or tns-select "
		    "--without image_size, for pixels of the rows)",
			x->set.name, (unsigned long long)f->row, size[0], size[1]);
	for (int k = 0; k < 6; k++)
		if (!isfinite(c[k]))
			die("%s: row %llu: crop holds %g, so that it is not known where in its image the row is", x->set.name,
				(unsigned long long)f->row, (double)c[k]);
	for (int k = 0; k < x->set.K; k++) {
		double u = (double)uv[2 * k], v = (double)uv[2 * k + 1];
		double px = (double)c[0] * u + (double)c[1] * v + (double)c[2], py = (double)c[3] * u + (double)c[4] * v + (double)c[5];
		if (isnan(u) || isnan(v)) {
			x->xy[2 * k] = x->xy[2 * k + 1] = NAN;
			continue;
		}
		if (!(fabs(px) <= FAR && fabs(py) <= FAR))
			die("%s: row %llu: %s is at %g,%g, which is no pixel of its image", x->set.name, (unsigned long long)f->row,
				x->set.points[k], u, v);
		x->xy[2 * k] = px, x->xy[2 * k + 1] = py;
		f->n++;
	}
	f->xy = x->xy;
}

static void set_box(struct export *x, struct export_face *f, uint64_t i)
{
	const float *b = x->box >= 0 ? dataset_stream_at(x->d, x->box, i) : NULL;
	double low[2] = {INFINITY, INFINITY}, high[2] = {-INFINITY, -INFINITY};
	if (b && !isnan(b[0]) && !isnan(b[1]) && !isnan(b[2]) && !isnan(b[3])) {
		for (int k = 0; k < 4; k++) {
			f->box[k] = (double)b[k];
			if (!(fabs(f->box[k]) <= FAR && (k < 2 || f->box[k] >= 0)))
				die("%s: row %llu: box holds %g", x->set.name, (unsigned long long)f->row, f->box[k]);
		}
		f->has_box = 1;
		return;
	}
	for (int k = 0; k < 2 * x->set.K; k++) {
		if (isnan(x->xy[k]))
			continue;
		low[k % 2] = fmin(low[k % 2], floor(x->xy[k] + 0.5));
		high[k % 2] = fmax(high[k % 2], floor(x->xy[k] + 0.5));
	}
	f->has_box = f->n > 0;
	for (int k = 0; k < 2 && f->n; k++)
		f->box[k] = low[k], f->box[k + 2] = high[k] - low[k] + 1;
}

static void set_face(struct export *x, struct export_face *f, uint64_t i)
{
	const struct dataset_stream *d = x->d;
	*f = (struct export_face){.row = d->row + i + 1, .score = NAN};
	f->id = x->id >= 0 ? *(const uint32_t *)dataset_stream_at(d, x->id, i) : (uint32_t)f->row;
	f->image_id = f->id; /* where rows are images: as in an export of other rows of the same set */
	if (x->image_id >= 0)
		f->image_id = *(const int64_t *)dataset_stream_at(d, x->image_id, i);
	if (x->image_id >= 0 && f->image_id < 0)
		die("%s: row %llu: image_id is %lld; without it (tns-select --without image_id) images are numbered by their names",
			d->in->name, (unsigned long long)f->row, (long long)f->image_id);
	const uint32_t *size = x->size >= 0 ? dataset_stream_at(d, x->size, i) : (const uint32_t[]){x->W, x->H};
	f->W = size[0] && size[1] ? size[0] : 0, f->H = f->W ? size[1] : 0;
	f->confidence = x->confidence >= 0 ? dataset_stream_at(d, x->confidence, i) : NULL;
	if (x->score >= 0)
		f->score = (double)*(const float *)dataset_stream_at(d, x->score, i);
	set_name(x, f, i);
	set_points(x, f, i);
	set_box(x, f, i);
	for (int k = 0; k < 2 * x->set.K; k++)
		x->xy[k] += x->set.origin;
}

uint64_t export_run(struct dataset_stream *d, const struct export_options *o)
{
	struct export x = {.d = d};
	struct export_face f;
	uint64_t left = 0;
	for (size_t i = 0; i < sizeof forms / sizeof *forms; i++)
		if (!strcmp(forms[i]->name, o->form))
			x.form = forms[i];
	open_tensors(&x, o);
	x.name = xmalloc(x.source_bytes + 24);
	x.xy = xcalloc((size_t)x.set.K, 2 * sizeof *x.xy);
	struct out *to = x.form->folder ? NULL : out_open(o->output, 0);
	void *state = x.form->begin(&x.set, to);
	const int live = tns_meta_value(d->in, "live") != NULL;
	for (uint64_t rows; (rows = dataset_stream_next(d));) {
		for (uint64_t i = 0; i < rows; i++) {
			set_face(&x, &f, i);
			left += !x.form->face(state, &f);
		}
		if (live && to)
			out_flush(to);
	}
	x.form->end(state);
	if (x.form == &export_coco_results && !x.set.has_image_id && !o->quiet)
		warn("%s: there is no image_id, the data set's numbers of its images: they are numbered from 1 by their names", x.set.name);
	if (to)
		out_close(to);
	names_free(x.set.points);
	free(x.xy), free(x.name);
	return left;
}
