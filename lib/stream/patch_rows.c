#include "lib/stream/patch_rows.h"

void patch_rows_begin(struct patch_rows *r, struct tns_writer *w, int width, int height, int points)
{
	r->w = w;
	r->image = tns_define(w, "image", TNS_U8, 3, (uint64_t[]){TNS_UNLIMITED, (uint64_t)height, (uint64_t)width});
	r->label = points ? tns_define(w, "keypoints", TNS_F32, 3, (uint64_t[]){TNS_UNLIMITED, (uint64_t)points, 2})
			  : tns_define(w, "label", TNS_U8, 1, (uint64_t[]){TNS_UNLIMITED});
	r->source = tns_define(w, "source", TNS_U32, 1, (uint64_t[]){TNS_UNLIMITED});
}

static void add(struct patch_rows *r, const uint8_t *patch, const void *label)
{
	tns_write(r->w, r->image, patch, 1);
	tns_write(r->w, r->label, label, 1);
	tns_write(r->w, r->source, &r->id, 1);
}

void patch_rows_add(void *arg, const uint8_t *patch, int label)
{
	uint8_t value = (uint8_t)label;
	add(arg, patch, &value);
}

void patch_rows_add_points(void *arg, const uint8_t *patch, const float *label)
{
	add(arg, patch, label);
}
