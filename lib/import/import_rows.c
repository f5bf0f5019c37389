#include "lib/import/import_rows.h"
#include "lib/stream/names.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/err.h"
#include "lib/image/crop.h"

static int define(struct import_rows *r, const char *name, int dtype, int ndim, int a, int b)
{
	return tns_define(r->w, name, dtype, ndim, (uint64_t[]){TNS_UNLIMITED, (uint64_t)a, (uint64_t)b});
}

/* Tensors in the order of csv-clean's, then what an import has beside them. */
void import_rows_begin(struct import_rows *r, struct tns_writer *to, const struct annotations *a, int w, int h)
{
	*r = (struct import_rows){.w = to, .K = a ? a->K : 0, .has_id = a && a->has_id};
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
	char *pairs = a->flip ? names_pairs_text(a->names, a->flip) : NULL;
	if (pairs)
		tns_put_meta(r->w, "pairs", pairs);
	free(list), free(pairs);
}

static void add_labels(struct import_rows *r, const float crop[6], const struct annotation *face)
{
	for (int k = 0; k < r->K; k++) {
		double uv[2];
		crop_into(crop, face->points[2 * k], face->points[2 * k + 1], uv);
		r->values[2 * k] = (float)uv[0], r->values[2 * k + 1] = (float)uv[1];
	}
	if (r->K)
		tns_write(r->w, r->keypoints, r->values, 1);
	float box[4];
	for (int i = 0; i < 4; i++)
		box[i] = face->has_box ? (float)face->box[i] : NAN;
	if (r->box >= 0)
		tns_write(r->w, r->box, box, 1);
	if (r->image_id >= 0)
		tns_write(r->w, r->image_id, &face->image_id, 1);
	for (int k = 0; k < r->K; k++)
		r->values[k] = face->confidence ? (float)face->confidence[k] : NAN;
	if (r->confidence >= 0)
		tns_write(r->w, r->confidence, r->values, 1);
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
	tns_write(r->w, r->image, image, 1);
	tns_write(r->w, r->id, &id, 1);
	tns_write(r->w, r->crop, crop, 1);
	tns_write(r->w, r->source, name, 1);
	tns_write(r->w, r->size, (uint32_t[]){(uint32_t)W, (uint32_t)H}, 1);
	if (r->turn >= 0)
		tns_write(r->w, r->turn, &(uint8_t){(uint8_t)turn}, 1);
	if (face)
		add_labels(r, crop, face);
}

void import_rows_end(struct import_rows *r)
{
	free(r->values);
	r->values = NULL;
}
