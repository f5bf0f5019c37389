/* Predictions as rows of tensors. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/err.h"
#include "lib/stream/named_points.h"
#include "lib/predict/outputs.h"
#include "lib/stream/names.h"

/* Sets order, names and unlearned. */
static void match_points(struct outputs *o, const struct infer *f, const struct tns *in)
{
	const char *points = tns_meta_value(in, "points");
	int n;
	const char *own = o->m->names;
	if (tns_find(in, "keypoints") >= 0) {
		if (!points)
			die("%s: there is no META points to match the model's by; tns-select --without keypoints drops them, for "
			    "predictions "
			    "alone",
				in->name);
		own = points, o->matched = 1;
	}
	o->names = xstrdup(own);
	char **from = names_split(o->m->names, &n), **to = names_split(o->names, &n);
	o->order = names_order(from, to);
	if (!o->order)
		die("%s: its points are not the model's: %s, not %s; tns-select --without keypoints drops them, for predictions alone",
			in->name, o->names, o->m->names);
	for (int k = 0; k < n; k++)
		if (!infer_learned(f, k))
			o->unlearned = names_append(o->unlearned, from[k]);
	names_free(from), names_free(to);
}

/* Sets order and names: labels of the data are numbers into its own classes, which come first. A model that knows its classes by numbers
 * alone takes the data's names for them. */
static void match_classes(struct outputs *o, const struct tns *in)
{
	const char *classes = tns_find(in, "label") >= 0 ? tns_meta_value(in, "classes") : NULL;
	int n, count, known = 1;
	o->names = xstrdup(classes ? classes : o->m->names);
	if (!classes)
		return;
	char **from = names_split(o->m->names, &n), **own = names_split(classes, &count);
	for (int i = 0; i < count; i++)
		known &= names_index(from, own[i]) >= 0;
	if (!known && (n != count || !names_are_numbers(from)))
		die("%s: its classes are not the model's: %s, not %s; tns-select --without label drops its labels, for predictions alone",
			in->name, o->names, o->m->names);
	for (int i = 0; i < n && known; i++)
		if (names_index(own, from[i]) < 0)
			o->names = names_append(o->names, from[i]);
	char **to = names_split(o->names, &count);
	o->order = known ? names_order(from, to) : NULL;
	names_free(from), names_free(own), names_free(to);
}

struct outputs *outputs_new(struct tns_writer *w, const struct cascade *c, int levels, int with_maps, const struct tns *in)
{
	const struct model *m = cascade_model(c);
	struct outputs *o = xcalloc(1, sizeof *o);
	uint64_t K = (uint64_t)m->outputs, P = (uint64_t)m->points;
	o->w = w, o->c = c, o->m = m, o->levels = levels, o->values = infer_values(cascade_first(c));
	o->main = o->confidence = o->steps = o->maps = o->trained = -1;
	if (m->points) {
		match_points(o, cascade_first(c), in);
		o->main = tns_define(w, "predicted", TNS_F32, 3, (uint64_t[]){TNS_UNLIMITED, P, 2});
		o->confidence = tns_define(w, "confidence", TNS_F32, 2, (uint64_t[]){TNS_UNLIMITED, P});
		if (levels)
			o->steps = tns_define(w, "steps", TNS_F32, 4, (uint64_t[]){TNS_UNLIMITED, (uint64_t)levels, P, 2});
		if (with_maps)
			o->maps = tns_define(w, "maps", TNS_F32, 4,
				(uint64_t[]){TNS_UNLIMITED, (uint64_t)infer_maps(m), (uint64_t)m->MH, (uint64_t)m->MW});
	} else if (m->target == TARGET_LABEL) {
		match_classes(o, in);
		o->main = tns_define(w, "score", TNS_F32, K > 1 ? 2 : 1, (uint64_t[]){TNS_UNLIMITED, K});
	} else {
		o->main = tns_define(w, "reconstruction", TNS_U8, 3, (uint64_t[]){TNS_UNLIMITED, (uint64_t)m->H, (uint64_t)m->W});
	}
	if (m->target != TARGET_IMAGE && cascade_knows_trained(c))
		o->trained = tns_define(w, "trained", TNS_U8, 1, (uint64_t[]){TNS_UNLIMITED});
	o->buf = xcalloc((size_t)m->outputs + 2 * P * (size_t)(1 + levels), sizeof *o->buf);
	return o;
}

/* Cells of the maps by pixels of the image, from their first centres on, whatever labels count from. */
static void put_maps_scale(const struct outputs *o)
{
	const struct model *m = o->m;
	double x = (double)m->ox + m->offset[0] * (double)m->sx, y = (double)m->oy + m->offset[1] * (double)m->sy;
	char text[128];
	snprintf(text, sizeof text, "x %.9g %.7g y %.9g %.7g", (double)m->sx, x, (double)m->sy, y);
	tns_put_meta(o->w, "maps_scale", text);
}

static void put_points(const struct outputs *o)
{
	int n;
	double *mean = cascade_mean_face(o->c);
	char **names = names_split(o->m->names, &n);
	tns_put_meta(o->w, "points", o->names);
	if (!o->matched && o->m->pairs)
		tns_put_meta(o->w, "pairs", o->m->pairs);
	named_points_put(o->w, "mean_face", names, mean, n);
	names_free(names), free(mean);
}

void outputs_put_meta(const struct outputs *o)
{
	if (o->m->points)
		put_points(o);
	if (o->unlearned)
		tns_put_meta(o->w, "unlearned", o->unlearned);
	if (o->maps >= 0)
		put_maps_scale(o);
	if (o->m->target == TARGET_LABEL)
		tns_put_meta(o->w, "classes", o->names);
}

/* Writes a row of `rows` times points elements of n floats each, in the data's order of points. */
static void write_points(const struct outputs *o, int id, const float *v, int rows, size_t n)
{
	size_t P = (size_t)o->m->points;
	for (size_t r = 0; r < (size_t)rows; r++)
		for (size_t p = 0; p < P; p++)
			memcpy(o->buf + (r * P + p) * n, v + (r * P + (size_t)o->order[p]) * n, n * sizeof *v);
	tns_write(o->w, id, o->buf, 1);
}

static void write_image(const struct outputs *o, const float *out)
{
	uint8_t *bytes = (uint8_t *)o->buf;
	for (int k = 0; k < o->m->outputs; k++)
		bytes[k] = (uint8_t)lrintf(fminf(fmaxf(out[k], 0), 1) * 255);
	tns_write(o->w, o->main, bytes, 1);
}

/* One column of two classes is the second one's probability. */
static void write_classes(const struct outputs *o, const float *out)
{
	for (int k = 0; k < o->m->outputs; k++)
		o->buf[k] = !o->order ? out[k] : o->m->outputs > 1 ? out[o->order[k]] : o->order[0] ? 1 - out[k] : out[k];
	tns_write(o->w, o->main, o->buf, 1);
}

void outputs_write(const struct outputs *o, const float *out, const float *stddev, const float *steps, const float *maps)
{
	const struct model *m = o->m;
	if (m->target == TARGET_IMAGE)
		write_image(o, out);
	if (m->target == TARGET_LABEL)
		write_classes(o, out);
	if (!m->points)
		return;
	float sure[m->points];
	for (int k = 0; k < m->points; k++)
		sure[k] = 1 / (1 + stddev[k]);
	write_points(o, o->main, out, 1, 2);
	write_points(o, o->confidence, sure, 1, 1);
	if (o->steps >= 0)
		write_points(o, o->steps, steps, o->levels, 2);
	if (o->maps >= 0 && infer_maps(m) == m->points)
		write_points(o, o->maps, maps, 1, (size_t)m->MH * (size_t)m->MW);
	else if (o->maps >= 0)
		tns_write(o->w, o->maps, maps, 1);
}

void outputs_write_trained(const struct outputs *o, const uint8_t *image)
{
	if (o->trained >= 0)
		tns_write(o->w, o->trained, &(uint8_t){(uint8_t)cascade_trained(o->c, image)}, 1);
}

void outputs_free(struct outputs *o)
{
	free(o->order), free(o->names), free(o->unlearned), free(o->buf), free(o);
}
