/* The order of points, in tensors and METAs. */
#include <stdlib.h>
#include <string.h>

#include "lib/base/err.h"
#include "lib/filter/globs.h"
#include "lib/filter/point_order.h"
#include "lib/stream/named_points.h"
#include "lib/stream/names.h"
#include "lib/stream/point_tensors.h"

/* ---- tensors ---- */

int point_axis(const struct tns *t, const struct tns_def *d, int k)
{
	static const char *const known[] = {"keypoints", "predicted", "steps"};
	int axis = points_axis(d, k);
	for (size_t i = 0; i < sizeof known / sizeof *known && !axis; i++)
		if (!strcmp(d->name, known[i]))
			die("%s: %s has %d dimensions, which are not those of points", t->name, d->name, d->ndim);
	if (!axis || points_one_map(d, k))
		return 0;
	if (d->dim[axis] != (uint64_t)k)
		die("%s: META points names %d, but %s is of %llu", t->name, k, d->name, (unsigned long long)d->dim[axis]);
	return axis;
}

/* Bytes of what a row of d has a point, before its next point. */
static size_t inner_bytes(const struct tns_def *d, int axis)
{
	size_t n = tns_size(d->dtype);
	for (int i = axis + 1; i < d->ndim; i++)
		n *= (size_t)d->dim[i];
	return n;
}

size_t point_row_bytes(const struct tns_def *d, int axis, int n)
{
	return d->row_bytes / (size_t)d->dim[axis] * (size_t)n;
}

int point_has_nan(int dtype)
{
	return dtype == TNS_F32 || dtype == TNS_F64 || dtype == TNS_F16 || dtype == TNS_BF16;
}

static void fill_nan(unsigned char *to, int dtype, size_t bytes)
{
	static const uint64_t bits[] = {[TNS_F32] = 0x7FC00000, [TNS_F64] = 0x7FF8000000000000, [TNS_F16] = 0x7E00, [TNS_BF16] = 0x7FC0};
	for (size_t i = 0; i < bytes; i += tns_size(dtype))
		memcpy(to + i, &bits[dtype], tns_size(dtype)); /* little-endian */
}

void point_gather(const struct tns_def *d, int axis, const int *order, int n, const void *from, void *to)
{
	size_t inner = inner_bytes(d, axis), k = (size_t)d->dim[axis], outer = d->row_bytes / (inner * k);
	const unsigned char *src = from;
	unsigned char *dst = to;
	for (size_t o = 0; o < outer; o++, src += k * inner)
		for (int i = 0; i < n; i++, dst += inner) {
			if (order[i] < 0)
				fill_nan(dst, d->dtype, inner);
			else
				memcpy(dst, src + (size_t)order[i] * inner, inner);
		}
}

/* ---- choosing and renaming ---- */

void point_renames_check(const char *const *lists, int n)
{
	for (int i = 0; i < n; i++) {
		globs_check("rename", lists[i]);
		for (const char *s = lists[i]; s; s = strchr(s, ',') ? strchr(s, ',') + 1 : NULL) {
			size_t len = strcspn(s, ","), old = strcspn(s, "=,");
			if (!old || old + 1 >= len)
				die_usage("--rename: '%.*s' is not OLD=NEW", (int)len, s);
			if (strcspn(s + old, "\r\n") < len - old)
				die_usage("--rename: '%.*s': a name is one line", (int)len, s);
		}
	}
}

/* was: the names before any renaming, so that two can be exchanged; done (n): what was renamed. */
static void rename_points(struct point_order *p, const struct tns *t, const char *list, char **was, char *done)
{
	int n;
	char **items = names_split(list, &n);
	for (int i = 0; i < n; i++) {
		char *new = strchr(items[i], '=');
		*new ++ = 0;
		int at = names_index(was, items[i]);
		if (at < 0) {
			struct nearest near = names_nearest(was, items[i]);
			die("%s: --rename: '%s' is none of the points%s", t->name, items[i], nearest_or_all(&near));
		}
		if (done[at]++)
			die("%s: --rename: %s gets two names, %s and %s", t->name, items[i], p->names[at], new);
		free(p->names[at]);
		p->names[at] = xstrdup(new);
	}
	names_free(items);
}

/* Numbers of the points that the patterns match; ends the program where one matches none. */
static int match(const struct tns *t, const char *option, const char *list, char **names, int k, int *to)
{
	char *none;
	int n = globs_match(list, names, k, to, &none);
	if (none) {
		struct nearest near = names_nearest(names, none);
		die("%s: --%s: none of its %d points is '%s'%s", t->name, option, k, none, nearest_or_all(&near));
	}
	return n;
}

struct point_order *point_order_new(const struct tns *t, const char *points, const char *drop, const char *const *lists, int n)
{
	struct point_order *p = xcalloc(1, sizeof *p);
	const char *list = tns_meta_value(t, "points");
	if (!list)
		die("%s: there is no META points, the names of its points (tns-convert --help: how arrays have it)", t->name);
	p->from = names_split(list, &p->k);
	p->order = xcalloc((size_t)p->k, sizeof *p->order);
	p->names = xcalloc((size_t)p->k + 1, sizeof *p->names);
	if (points)
		p->n = match(t, "points", points, p->from, p->k, p->order);
	for (int i = 0; i < p->k && !points; i++)
		p->order[p->n++] = i;
	int *dropped = xcalloc((size_t)p->k, sizeof *dropped), ndropped = drop ? match(t, "drop", drop, p->from, p->k, dropped) : 0,
	    left = 0;
	for (int i = 0; i < p->n; i++) {
		int keep = 1;
		for (int d = 0; d < ndropped; d++)
			keep &= p->order[i] != dropped[d];
		if (keep)
			p->order[left++] = p->order[i];
	}
	p->n = left;
	free(dropped);
	if (!p->n)
		die("%s: no point is left", t->name);
	char **was = xcalloc((size_t)p->n + 1, sizeof *was), *done = xcalloc((size_t)p->n, 1);
	for (int i = 0; i < p->n; i++)
		was[i] = p->from[p->order[i]], p->names[i] = xstrdup(was[i]);
	for (int i = 0; i < n; i++)
		rename_points(p, t, lists[i], was, done);
	free(was), free(done);
	for (int i = 0; i < p->n; i++)
		if (names_index(p->names, p->names[i]) != i)
			die("%s: two points would be named %s", t->name, p->names[i]);
	return p;
}

/* ---- METAs ---- */

int point_order_is_meta(const char *key)
{
	return !strcmp(key, "points") || !strcmp(key, "pairs") || !strcmp(key, "unlearned") || !strcmp(key, "mean_face");
}

/* The names of the points that are marked (NULL: of all), comma-joined; NULL for none. */
static char *join(const struct point_order *p, const char *marked)
{
	char *text = NULL;
	for (int i = 0; i < p->n; i++)
		if (!marked || marked[p->order[i]])
			text = names_append(text, p->names[i]);
	return text;
}

static char *pairs_left(const struct point_order *p, const char *pairs)
{
	int *partner = names_partners(p->from, pairs), *left = xcalloc((size_t)p->n, sizeof *left);
	for (int i = 0; i < p->n; i++) {
		left[i] = NAMES_NO_PARTNER;
		for (int k = 0; k < p->n; k++)
			if (partner[p->order[i]] == p->order[k])
				left[i] = k;
	}
	char *text = names_pairs_text(p->names, left);
	free(partner), free(left);
	return text;
}

static char *mean_face_left(const struct point_order *p, const struct tns *t)
{
	double *xy = named_points_read(t, "mean_face", p->from, p->k), *left = xcalloc(2 * (size_t)p->n + 1, sizeof *left);
	for (int i = 0; i < 2 * p->n; i++)
		left[i] = xy[2 * p->order[i / 2] + i % 2];
	char *text = named_points_text(p->names, left, p->n);
	free(xy), free(left);
	return text;
}

char *point_order_meta(const struct point_order *p, const struct tns *t, const char *key)
{
	if (!strcmp(key, "points"))
		return join(p, NULL);
	if (!strcmp(key, "pairs"))
		return pairs_left(p, tns_meta_value(t, "pairs"));
	if (!strcmp(key, "mean_face"))
		return mean_face_left(p, t);
	if (strcmp(key, "unlearned"))
		return NULL;
	char *mark = names_marks(t, "unlearned", p->k), *text = join(p, mark);
	free(mark);
	return text;
}

void point_order_free(struct point_order *p)
{
	if (!p)
		return;
	names_free(p->from), names_free(p->names);
	free(p->order), free(p);
}
