/* Values of a row: names to tensors and elements, once a stream; numbers, once a row. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/err.h"
#include "lib/filter/row_value.h"
#include "lib/stream/names.h"
#include "lib/stream/point_tensors.h"

/* ---- names ---- */

static int is_points(const struct tns_def *d)
{
	return d->ndim == 3 && d->dim[2] == 2;
}

/* The number of names[0..n) that is text without its last `drop` bytes, or -1. */
static int index_of(const char *list, uint64_t n, const char *text, size_t len)
{
	if (!list)
		return -1;
	int count, at = -1;
	char **names = names_split(list, &count);
	for (int i = 0; i < count && (uint64_t)count == n && at < 0; i++)
		if (strlen(names[i]) == len && !memcmp(names[i], text, len))
			at = i;
	names_free(names);
	return at;
}

/* The element of tensor d that rest names: "POINT.x", "POINT" or "CLASS"; or -1. */
static int64_t element_of(const struct tns *t, const struct tns_def *d, const char *rest)
{
	size_t len = strlen(rest);
	const char *points = tns_meta_value(t, "points"), *classes = tns_meta_value(t, "classes");
	if (is_points(d)) {
		if (len < 3 || rest[len - 2] != '.' || (rest[len - 1] != 'x' && rest[len - 1] != 'y'))
			return -1;
		int at = index_of(points, d->dim[1], rest, len - 2);
		return at < 0 ? -1 : 2 * at + (rest[len - 1] == 'y');
	}
	if (d->ndim != 2)
		return -1;
	int at = index_of(points, d->dim[1], rest, len);
	return at >= 0 ? at : index_of(classes, d->dim[1], rest, len);
}

/* Finds `TENSOR.REST`; longer names of tensors, which may hold dots, first. */
static int find_element(struct row_value *v, const struct tns *t, const char *name)
{
	size_t longest = 0;
	for (int i = 0; i < t->ntensors; i++) {
		const struct tns_def *d = &t->def[i];
		size_t len = strlen(d->name);
		if (len < longest || strncmp(name, d->name, len) || name[len] != '.')
			continue;
		int64_t at = element_of(t, d, name + len + 1);
		if (at >= 0)
			longest = len, v->id = i, v->element = (size_t)at;
	}
	if (longest)
		return 1;
	int keypoints = tns_find(t, "keypoints");
	int64_t at = keypoints < 0 || !is_points(&t->def[keypoints]) ? -1 : element_of(t, &t->def[keypoints], name);
	if (at < 0)
		return 0;
	v->id = keypoints, v->element = (size_t)at;
	return 1;
}

static int require_points(const struct tns *t, const char *tensor, const char *name, const char *option, int k)
{
	int id = tns_find(t, tensor);
	if (id < 0)
		die("%s: %s: there is no tensor %s for %s%s", t->name, option, tensor, name, dataset_stream_source(t, tensor));
	dataset_stream_require(t, tensor, TNS_F32, 3);
	const struct tns_def *d = &t->def[id];
	if (d->dim[2] != 2 || (k && d->dim[1] != (uint64_t)k))
		die("%s: %s is (rows, %llu, %llu), not points as keypoints", t->name, tensor, (unsigned long long)d->dim[1],
			(unsigned long long)d->dim[2]);
	return id;
}

/* error, error.POINT, labels, row. */
static int find_own(struct row_value *v, const struct tns *t, const char *name, const char *option)
{
	int of_point = !strncmp(name, "error.", 6);
	v->kind = !strcmp(name, "error") ? ROW_ERROR : of_point ? ROW_POINT_ERROR : !strcmp(name, "labels") ? ROW_LABELS : ROW_NUMBER;
	if (v->kind == ROW_NUMBER)
		return !strcmp(name, "row");
	v->truth = require_points(t, "keypoints", name, option, 0);
	v->k = (int)t->def[v->truth].dim[1];
	if (v->kind == ROW_LABELS)
		return 1;
	v->predicted = require_points(t, "predicted", name, option, v->k);
	if (v->kind == ROW_ERROR) {
		v->unlearned = names_marks(t, "unlearned", v->k);
		return 1;
	}
	int at = index_of(tns_meta_value(t, "points"), (uint64_t)v->k, name + 6, strlen(name) - 6);
	v->element = (size_t)at;
	return at >= 0;
}

/* The values that a row has. */
static struct nearest values(const struct tns *t, const char *name)
{
	static const char *const own[] = {"error", "labels", "row"};
	struct nearest near = nearest_of(name);
	const char *points = tns_meta_value(t, "points");
	for (int i = 0; i < 3; i++)
		nearest_add(&near, own[i]);
	int n = 0;
	char **names = points && *points ? names_split(points, &n) : NULL;
	for (int k = -1; k < n; k++)
		for (int i = -1; i < t->ntensors; i++) {
			const struct tns_def *d = i < 0 ? NULL : &t->def[i];
			int two = !d || is_points(d);
			if (k < 0 && d && d->row_bytes == tns_size(d->dtype))
				nearest_add(&near, d->name);
			for (int c = 0; k >= 0 && c <= two; c++) {
				char *value = xprintf("%s%s%s%s", d ? d->name : "", d ? "." : "", names[k], !two ? "" : c ? ".y" : ".x");
				nearest_add(&near, value);
				free(value);
			}
		}
	for (int k = 0; k < n; k++) {
		char *value = xprintf("error.%s", names[k]);
		nearest_add(&near, value);
		free(value);
	}
	names_free(names);
	return near;
}

void row_value_find(struct row_value *v, const struct tns *t, const char *name, const char *option)
{
	*v = (struct row_value){.kind = ROW_ELEMENT};
	v->id = tns_find(t, name);
	int one = v->id >= 0 && t->def[v->id].row_bytes == tns_size(t->def[v->id].dtype);
	int found = one || find_element(v, t, name) || find_own(v, t, name, option);
	if (!found) {
		struct nearest near = values(t, name);
		die("%s: %s: there is no value '%s' in a row: TENSOR (of one value), error, error.POINT, labels, row, POINT.x, POINT.y, "
		    "TENSOR.POINT.x, TENSOR.POINT%s",
			t->name, option, name, nearest_hint(&near));
	}
	if (v->kind != ROW_ELEMENT)
		return;
	v->dtype = t->def[v->id].dtype;
	if (v->dtype == TNS_F16 || v->dtype == TNS_BF16)
		die("%s: %s: %s is %s, which is not computed with", t->name, option, name, tns_dtype_name(v->dtype));
}

/* ---- numbers ---- */

static double element(const void *row, int dtype, size_t i)
{
	const char *p = (const char *)row + i * tns_size(dtype);
	union {
		uint8_t u8;
		int8_t i8;
		uint16_t u16;
		int16_t i16;
		uint32_t u32;
		int32_t i32;
		float f32;
		uint64_t u64;
		int64_t i64;
		double f64;
	} v;
	memcpy(&v, p, tns_size(dtype));
	switch (dtype) {
	case TNS_I8:
		return v.i8;
	case TNS_U16:
		return v.u16;
	case TNS_I16:
		return v.i16;
	case TNS_U32:
		return v.u32;
	case TNS_I32:
		return v.i32;
	case TNS_F32:
		return (double)v.f32;
	case TNS_U64:
		return (double)v.u64;
	case TNS_I64:
		return (double)v.i64;
	case TNS_F64:
		return v.f64;
	}
	return v.u8;
}

static double point_error(const float *truth, const float *predicted)
{
	if (isnan(truth[0]) || isnan(truth[1]))
		return NAN;
	double d = hypot((double)truth[0] - (double)predicted[0], (double)truth[1] - (double)predicted[1]);
	return isnan(d) ? INFINITY : d;
}

double row_value_get(const struct row_value *v, const struct row_ref *r)
{
	int n = 0;
	const float *truth = v->kind == ROW_ELEMENT || v->kind == ROW_NUMBER ? NULL : row_tensor(r, v->truth);
	switch (v->kind) {
	case ROW_ERROR:
		return points_error(truth, row_tensor(r, v->predicted), v->k, v->unlearned);
	case ROW_POINT_ERROR:
		return point_error(truth + 2 * v->element, (const float *)row_tensor(r, v->predicted) + 2 * v->element);
	case ROW_LABELS:
		for (int i = 0; i < v->k; i++)
			n += !isnan(truth[2 * i]) && !isnan(truth[2 * i + 1]);
		return n;
	case ROW_NUMBER:
		return (double)r->number + 1;
	case ROW_ELEMENT:
		break;
	}
	return element(row_tensor(r, v->id), v->dtype, v->element);
}

void row_value_free(struct row_value *v)
{
	free(v->unlearned);
}
