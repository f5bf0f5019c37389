/* COCO: a whole data set, whose images come last, since they are known only then, or a list of results. An element a line. */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/err.h"
#include "lib/base/lookup.h"
#include "lib/export/export_form.h"
#include "lib/export/text_index.h"

struct coco {
	const struct export_set *s;
	struct out *to;
	struct json j;
	int results;
	struct text_index *index; /* image_id, or name: 1 + its place in image */
	size_t nimages, nids;
	struct image {
		uint64_t id, row;
		char *file;
		uint32_t W, H;
	} * image;
	uint64_t *id, *row; /* (nids) of annotations */
};

/* Room for one more of n elements. */
static void *grown(void *v, size_t n, size_t size)
{
	return n & (n - 1) ? v : xrealloc(v, (n ? 2 * n : 1) * size);
}

static void begin_element(struct coco *c)
{
	out_write(c->to, "\n", 1);
	json_open(&c->j, '{');
}

static void put_number(struct coco *c, double v)
{
	char buf[32];
	json_literal(&c->j, export_number(buf, v));
}

static struct coco *begin(const struct export_set *s, struct out *to)
{
	struct coco *c = xcalloc(1, sizeof *c);
	c->s = s, c->to = to;
	c->j.to = to;
	c->index = text_index_new();
	return c;
}

/* The number of the row's image, which is kept. */
static uint64_t image_of(struct coco *c, const struct export_face *f)
{
	char key[24];
	snprintf(key, sizeof key, "%" PRId64, f->image_id);
	uint64_t *at = text_index_at(c->index, c->s->has_image_id ? key : f->file);
	if (!*at) {
		c->image = grown(c->image, c->nimages, sizeof *c->image);
		*at = c->nimages + 1;
		c->image[c->nimages++] =
			(struct image){c->s->has_image_id ? (uint64_t)f->image_id : *at, f->row, xstrdup(f->file), f->W, f->H};
	}
	const struct image *m = &c->image[*at - 1];
	if (strcmp(m->file, f->file))
		die("%s: row %" PRIu64 ": image_id %" PRIu64 " is '%.300s', but that of row %" PRIu64 ", '%.300s'", c->s->name, f->row,
			m->id, f->file, m->row, m->file);
	if (m->W != f->W || m->H != f->H)
		die("%s: row %" PRIu64 ": its image '%.300s' has %" PRIu32 "x%" PRIu32 " pixels, but in row %" PRIu64 " %" PRIu32
		    "x%" PRIu32,
			c->s->name, f->row, f->file, f->W, f->H, m->row, m->W, m->H);
	return m->id;
}

/* x, y and what is third, K times. */
static void put_keypoints(struct coco *c, const struct export_face *f)
{
	json_key(&c->j, "keypoints");
	json_open(&c->j, '[');
	for (int k = 0; k < c->s->K; k++) {
		int there = !isnan(f->xy[2 * k]);
		float sure = f->confidence && isfinite(f->confidence[k]) ? f->confidence[k] : f->confidence ? 0 : 1;
		put_number(c, there ? f->xy[2 * k] : 0);
		put_number(c, there ? f->xy[2 * k + 1] : 0);
		put_number(c, !there ? 0 : !c->results ? 2 : (double)sure);
	}
	json_close(&c->j, ']');
}

static void put_box(struct coco *c, const struct export_face *f)
{
	json_key(&c->j, "bbox");
	json_open(&c->j, '[');
	for (int i = 0; i < 4; i++)
		put_number(c, f->box[i]);
	json_close(&c->j, ']');
}

/* ---- results ---- */

static void *begin_results(const struct export_set *s, struct out *to)
{
	struct coco *c = begin(s, to);
	c->results = 1;
	json_open(&c->j, '[');
	return c;
}

static double score_of(const struct coco *c, const struct export_face *f)
{
	double sum = 0;
	int n = 0;
	if (!f->confidence)
		return isfinite(f->score) ? f->score : 1;
	for (int k = 0; k < c->s->K; k++)
		if (!isnan(f->xy[2 * k]) && isfinite(f->confidence[k]))
			sum += (double)f->confidence[k], n++;
	return n ? sum / n : 0;
}

static int face_results(void *state, const struct export_face *f)
{
	struct coco *c = state;
	uint64_t image = image_of(c, f);
	if (!c->s->K && !f->has_box)
		return 1;
	begin_element(c);
	json_key(&c->j, "image_id");
	json_uint(&c->j, image);
	json_key(&c->j, "category_id");
	json_uint(&c->j, (uint64_t)c->s->category_id);
	if (c->s->K)
		put_keypoints(c, f);
	else
		put_box(c, f);
	json_key(&c->j, "score");
	put_number(c, score_of(c, f));
	json_close(&c->j, '}');
	return 1;
}

static void free_all(struct coco *c)
{
	text_index_free(c->index);
	for (size_t i = 0; i < c->nimages; i++)
		free(c->image[i].file);
	free(c->image), free(c->id), free(c->row), free(c);
}

static void end_results(void *state)
{
	struct coco *c = state;
	out_write(c->to, "\n", 1);
	json_close(&c->j, ']');
	out_write(c->to, "\n", 1);
	free_all(c);
}

/* ---- data set ---- */

static void *begin_coco(const struct export_set *s, struct out *to)
{
	struct coco *c = begin(s, to);
	json_begin(&c->j, to);
	json_key(&c->j, "categories");
	json_open(&c->j, '[');
	begin_element(c);
	json_key(&c->j, "id");
	json_uint(&c->j, (uint64_t)s->category_id);
	json_key(&c->j, "name");
	json_string(&c->j, s->category);
	json_key(&c->j, "keypoints");
	json_open(&c->j, '[');
	for (int k = 0; k < s->K; k++)
		json_string(&c->j, s->points[k]);
	json_close(&c->j, ']');
	json_key(&c->j, "skeleton");
	json_open(&c->j, '[');
	json_close(&c->j, ']');
	json_close(&c->j, '}');
	json_close(&c->j, ']');
	json_key(&c->j, "annotations");
	json_open(&c->j, '[');
	return c;
}

static int face_coco(void *state, const struct export_face *f)
{
	struct coco *c = state;
	uint64_t image = image_of(c, f);
	if (!f->has_box) /* no points either: an image without annotations */
		return 1;
	c->id = grown(c->id, c->nids, sizeof *c->id), c->row = grown(c->row, c->nids, sizeof *c->row);
	c->id[c->nids] = f->id, c->row[c->nids++] = f->row;
	begin_element(c);
	json_key(&c->j, "id");
	json_uint(&c->j, f->id);
	json_key(&c->j, "image_id");
	json_uint(&c->j, image);
	json_key(&c->j, "category_id");
	json_uint(&c->j, (uint64_t)c->s->category_id);
	json_key(&c->j, "iscrowd");
	json_uint(&c->j, 0);
	put_box(c, f);
	json_key(&c->j, "area");
	put_number(c, f->box[2] * f->box[3]);
	json_key(&c->j, "num_keypoints");
	json_uint(&c->j, (uint64_t)f->n);
	put_keypoints(c, f);
	json_close(&c->j, '}');
	return 1;
}

static void end_coco(void *state)
{
	struct coco *c = state;
	struct lookup l;
	lookup_make(&l, c->id, c->nids);
	size_t same = lookup_duplicate(&l);
	if (same < l.n)
		die("%s: rows %" PRIu64 " and %" PRIu64 " have one id, %" PRIu64 "; without it (tns-select --without id) they are numbered",
			c->s->name, c->row[l.by[same - 1].row], c->row[l.by[same].row], l.by[same].key);
	lookup_free(&l);
	json_close(&c->j, ']');
	json_key(&c->j, "images");
	json_open(&c->j, '[');
	for (size_t i = 0; i < c->nimages; i++) {
		begin_element(c);
		json_key(&c->j, "id");
		json_uint(&c->j, c->image[i].id);
		json_key(&c->j, "file_name");
		json_string(&c->j, c->image[i].file);
		if (c->image[i].W) {
			json_key(&c->j, "width");
			json_uint(&c->j, c->image[i].W);
			json_key(&c->j, "height");
			json_uint(&c->j, c->image[i].H);
		}
		json_close(&c->j, '}');
	}
	json_close(&c->j, ']');
	json_finish(&c->j);
	free_all(c);
}

const struct export_form export_coco = {"coco", 0, 1, 0, begin_coco, face_coco, end_coco};
const struct export_form export_coco_results = {"coco-results", 0, 1, 0, begin_results, face_results, end_results};
