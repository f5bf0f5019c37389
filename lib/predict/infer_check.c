#include "lib/predict/infer_check.h"

#include <stdlib.h>
#include <string.h>

#include "lib/base/err.h"
#include "lib/stream/dataset_stream.h"
#include "lib/stream/names.h"

static void check_compatible(struct model **m, int n)
{
	for (int i = 1; i < n; i++) {
		int same_target = m[i]->target == m[0]->target || (m[i]->points && m[0]->points);
		if (!same_target || m[i]->W != m[0]->W || m[i]->H != m[0]->H || strcmp(m[i]->names, m[0]->names))
			die("models 1 and %d differ in target, input or names: they can't be averaged", i + 1);
	}
}

/* mirror: the first model's partners. */
static void check_partners(const struct model *m, int i, const int *mirror)
{
	int *partner = model_partners(m), n;
	char **names = names_split(m->names, &n);
	for (int p = 0; p < n; p++)
		if (partner[p] != mirror[p])
			die("models 1 and %d differ in META pairs: '%s' is the mirror image of '%s', and of '%s': they can't be averaged "
			    "with --flip",
				i + 1, names[p], names[mirror[p]], names[partner[p]]);
	names_free(names), free(partner);
}

void infer_check(struct model **m, int n, int flip)
{
	check_compatible(m, n);
	int *mirror = m[0]->points && flip ? model_partners(m[0]) : NULL;
	for (int i = 0; mirror && i < n; i++) {
		model_require_partners(m[i], "--flip");
		if (i)
			check_partners(m[i], i, mirror);
	}
	free(mirror);
}

static int is_whole(const char *crop)
{
	return !strncmp(crop, "whole", 5);
}

/* Whole images are what the user says fills them as the crops were filled. 1: it was told. */
static int check_crop(const struct model *m, const struct tns *in)
{
	const char *crop = tns_meta_value(in, "crop");
	if (!m->crop || !crop || !strcmp(m->crop, crop) || is_whole(m->crop) || is_whole(crop))
		return 0;
	warn("%s: faces are cut out otherwise (%s) than those that the model learned from (%s), so points may be far off: --crop and "
	     "--margin "
	     "of tns-import, --margin of face-find",
		in->name, crop, m->crop);
	return 1;
}

int infer_check_data(struct model *const *models, int n, const struct tns *in)
{
	const struct model *m = models[0];
	int image = dataset_stream_require(in, "image", TNS_U8, 3);
	const struct tns_def *def = &in->def[image];
	if (def->dim[1] != (uint64_t)m->H || def->dim[2] != (uint64_t)m->W)
		die("%s: image is %llux%llu, the model takes %dx%d: tns-import and patch-extract make that size by --size", in->name,
			(unsigned long long)def->dim[2], (unsigned long long)def->dim[1], m->W, m->H);
	for (int i = 0; i < n && !check_crop(models[i], in);)
		i++;
	return image;
}
