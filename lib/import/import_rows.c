#include "lib/import/import_rows.h"

#include <assert.h>
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/err.h"
#include "lib/image/crop.h"
#include "lib/labels/pairs.h"
#include "lib/stream/names.h"

static int define(struct import_rows *r, const char *name, int dtype, int ndim, int a, int b)
{
	int id = tns_define(r->w, name, dtype, ndim, (uint64_t[]){TNS_UNLIMITED, (uint64_t)a, (uint64_t)b});
	assert(id == r->tensors && id < IMPORT_TENSORS);
	r->at[++r->tensors] = r->at[id] + tns_size(dtype) * (size_t)(ndim > 1 ? a : 1) * (size_t)(ndim > 2 ? b : 1);
	return id;
}

static size_t row_bytes(const struct import_rows *r)
{
	return r->at[r->tensors];
}

static void put(struct import_rows *r, int id, const void *value)
{
	if (id >= 0 && r->holding)
		memcpy(r->rows + r->held * row_bytes(r) + r->at[id], value, r->at[id + 1] - r->at[id]);
	else if (id >= 0)
		tns_write(r->w, id, value, 1);
}

/* Partners by labels, names and what the user states. */
static int *find_partners(const struct import_rows *r)
{
	size_t row = 2 * (size_t)r->K;
	float *xy = xmalloc((r->held * row + 1) * sizeof *xy);
	for (size_t i = 0; i < r->held; i++)
		memcpy(xy + i * row, r->rows + i * row_bytes(r) + r->at[r->keypoints], row * sizeof *xy);
	int *partner = r->held < IMPORT_SURE ? names_partners(r->a->names, NULL)
					     : pairs_complete(r->K, xy, r->held, r->w_image, r->h_image, r->a->names);
	free(xy);
	if (r->pairs)
		pairs_state(partner, r->a->names, r->pairs);
	return partner;
}

/* META pairs, but where names spell the same, then the rows held back. */
void import_rows_release(struct import_rows *r)
{
	if (!r->holding)
		return;
	int *partner = find_partners(r), *spelled = names_partners(r->a->names, NULL);
	if (r->pairs || memcmp(partner, spelled, (size_t)r->K * sizeof *partner)) {
		r->found = names_pairs_text(r->a->names, partner);
		tns_put_meta(r->w, "pairs", r->found);
	}
	free(partner), free(spelled);
	r->holding = 0;
	for (size_t i = 0; i < r->held; i++)
		for (int id = 0; id < r->tensors; id++)
			tns_write(r->w, id, r->rows + i * row_bytes(r) + r->at[id], 1);
	free(r->rows);
	r->rows = NULL;
}

/* What the form says of pairs, overruled by what the user states, or the first rows are held back. */
static void begin_pairs(struct import_rows *r)
{
	if (r->pairs)
		names_check_pairs(r->a->names, r->pairs, "this data");
	if (r->a->flip) {
		int *partner = xcalloc((size_t)r->K, sizeof *partner);
		memcpy(partner, r->a->flip, (size_t)r->K * sizeof *partner);
		if (r->pairs)
			pairs_state(partner, r->a->names, r->pairs);
		char *text = names_pairs_text(r->a->names, partner);
		tns_put_meta(r->w, "pairs", text);
		free(text), free(partner);
		return;
	}
	int *spelled = names_partners(r->a->names, NULL), open = 0;
	for (int k = 0; k < r->K; k++)
		open += spelled[k] < 0 ? 2 : spelled[k] == k;
	free(spelled);
	r->holding = r->pairs || open > 1; /* one point without a side lies on the axis */
	if (!r->holding)
		return;
	r->capacity = IMPORT_HELD_BYTES / row_bytes(r);
	r->capacity = r->capacity < IMPORT_SURE ? IMPORT_SURE : r->capacity > IMPORT_HELD ? IMPORT_HELD : r->capacity;
	r->rows = xlarge(r->capacity * row_bytes(r));
}

/* META category and category_id, so that an export has them. */
static void put_category(const struct import_rows *r)
{
	if (!r->a->category)
		return;
	char *id = xprintf("%" PRId64, r->a->category_id);
	tns_put_meta(r->w, "category", r->a->category);
	if (r->a->category_id > 0)
		tns_put_meta(r->w, "category_id", id);
	free(id);
}

/* Tensors in the order of csv-clean's, then what an import has beside them. */
void import_rows_begin(
	struct import_rows *r, struct tns_writer *to, const struct annotations *a, const struct face_frame *frame, const char *pairs)
{
	int w = frame->w, h = frame->h;
	*r = (struct import_rows){.w = to, .K = a ? a->K : 0, .has_id = a && a->has_id, .a = a, .pairs = pairs, .w_image = w, .h_image = h};
	r->keypoints = r->box = r->image_id = r->confidence = -1;
	r->image = define(r, "image", TNS_U8, 3, h, w);
	if (r->K)
		r->keypoints = define(r, "keypoints", TNS_F32, 3, r->K, 2);
	r->id = define(r, "id", TNS_U32, 1, 0, 0);
	r->crop = define(r, "crop", TNS_F32, 2, 6, 0);
	r->source = define(r, "source", TNS_U8, 2, IMPORT_SOURCE, 0);
	r->size = define(r, "image_size", TNS_U32, 2, 2, 0);
	r->turn = a ? define(r, "turn", TNS_U8, 1, 0, 0) : -1;
	if (a && (a->K || a->has_box))
		r->box = define(r, "box", TNS_F32, 2, 4, 0);
	if (a && a->has_image_id)
		r->image_id = define(r, "image_id", TNS_I64, 1, 0, 0);
	if (a && a->has_confidence && r->K)
		r->confidence = define(r, "label_confidence", TNS_F32, 2, r->K, 0);
	r->values = xcalloc(2 * (size_t)r->K + 1, sizeof *r->values);
	char *crop = face_crop_text(frame, a && a->has_box, r->K);
	tns_put_meta(r->w, "crop", crop);
	free(crop);
	if (pairs && !r->K)
		die_usage("--pairs: there are no points");
	if (!r->K)
		return;
	size_t bytes = 1;
	for (int k = 0; k < r->K; k++)
		bytes += strlen(a->names[k]) + 1;
	char *list = xcalloc(bytes, 1), *end = list;
	for (int k = 0; k < r->K; k++) {
		end = stpcpy(end, k ? "," : "");
		end = stpcpy(end, a->names[k]);
	}
	tns_put_meta(r->w, "points", list);
	free(list);
	put_category(r);
	begin_pairs(r);
}

static void add_labels(struct import_rows *r, const float crop[6], const struct annotation *face)
{
	for (int k = 0; k < r->K; k++) {
		double uv[2];
		crop_into(crop, face->points[2 * k], face->points[2 * k + 1], uv);
		r->values[2 * k] = (float)uv[0], r->values[2 * k + 1] = (float)uv[1];
	}
	put(r, r->keypoints, r->values);
	float box[4];
	for (int i = 0; i < 4; i++)
		box[i] = face->has_box ? (float)face->box[i] : NAN;
	put(r, r->box, box);
	put(r, r->image_id, &face->image_id);
	for (int k = 0; k < r->K; k++)
		r->values[k] = face->confidence ? (float)face->confidence[k] : NAN;
	put(r, r->confidence, r->values);
}

void import_rows_add(struct import_rows *r, const uint8_t *image, const float crop[6], const char *source, int W, int H, int turn,
	const struct annotation *face)
{
	char name[IMPORT_SOURCE] = "";
	size_t n = strlen(source);
	assert(n < sizeof name && (face || !r->K));
	memcpy(name, source, n);
	r->n++;
	uint32_t id = r->has_id ? (uint32_t)face->id : (uint32_t)r->n;
	put(r, r->image, image);
	put(r, r->id, &id);
	put(r, r->crop, crop);
	put(r, r->source, name);
	put(r, r->size, (uint32_t[]){(uint32_t)W, (uint32_t)H});
	put(r, r->turn, &(uint8_t){(uint8_t)turn});
	if (face)
		add_labels(r, crop, face);
	if (r->holding && ++r->held == r->capacity)
		import_rows_release(r);
}

void import_rows_end(struct import_rows *r)
{
	import_rows_release(r);
	free(r->values), free(r->found);
	r->values = NULL, r->found = NULL;
}
