#include <math.h>
#include <string.h>

#include "lib/base/err.h"
#include "lib/stream/point_tensors.h"

static int ends_in(const char *name, const char *end)
{
	size_t n = strlen(name), m = strlen(end);
	return n >= m && !strcmp(name + n - m, end);
}

/* By the name; 0: it says nothing. */
static int named_axis(const struct tns_def *d)
{
	static const struct {
		const char *name;
		int ndim, axis;
	} known[] = {{"keypoints", 3, 1}, {"predicted", 3, 1}, {"confidence", 2, 1}, {"steps", 4, 2}, {"maps", 4, 1}};
	for (size_t i = 0; i < sizeof known / sizeof *known; i++)
		if (d->ndim == known[i].ndim && ends_in(d->name, known[i].name))
			return known[i].axis;
	return 0;
}

int points_axis(const struct tns_def *d, int k)
{
	int axis = named_axis(d);
	return axis ? axis : k > 0 && d->ndim == 3 && d->dim[1] == (uint64_t)k && d->dim[2] == 2 ? 1 : 0;
}

int points_named(const struct tns_def *d)
{
	return named_axis(d) > 0;
}

int points_one_map(const struct tns_def *d, int k)
{
	return k != 1 && d->ndim == 4 && d->dim[1] == 1 && ends_in(d->name, "maps");
}

/* The name, perhaps behind a prefix that ends with no letter (face_score is another). */
static int is_named(const char *name, const char *end)
{
	size_t n = strlen(name), k = strlen(end);
	return ends_in(name, end) && (n == k || strchr("./-", name[n - k - 1]));
}

const char **points_beside(const struct tns *t, int k)
{
	const char **names = xcalloc((size_t)t->ntensors + 1, sizeof *names);
	int n = 0;
	for (int i = 0; i < t->ntensors; i++) {
		const char *name = t->def[i].name;
		if (!strcmp(name, "keypoints") || !strcmp(name, "label_confidence"))
			continue;
		if (points_axis(&t->def[i], k) || is_named(name, "score") || is_named(name, "reconstruction") || is_named(name, "trained"))
			names[n++] = name;
	}
	return names;
}

const char *points_meta_of(const char *key)
{
	return !strcmp(key, "unlearned") || !strcmp(key, "mean_face") ? "predicted" : !strcmp(key, "maps_scale") ? "maps" : NULL;
}

double points_error(const float *truth, const float *predicted, int k, const char *unlearned)
{
	double sum = 0;
	int n = 0;
	for (int i = 0; i < 2 * k; i++)
		if (!isnan(truth[i]) && !(unlearned && unlearned[i / 2])) {
			double e = (double)truth[i] - (double)predicted[i];
			sum += isfinite(e) ? e * e : INFINITY;
			n++;
		}
	return n ? sqrt(sum / n) : (double)NAN;
}
