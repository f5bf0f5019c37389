/* What fuzz_coco.c and fuzz_imglab.c share: the file lies in memory, all its faces are read twice. Includer: FUZZ_FORM, FUZZ_BROKEN,
 * FUZZ_BLANKS (1: the form passes by blanks at the beginning), fuzz_seeds. */
#ifndef FUZZ_FACES_H
#define FUZZ_FACES_H

#include <math.h>

#include "lib/base/crc.h"
#include "tests/fuzz.h"

#define FUZZ_JOIN(a, b) a##b
#define FUZZ_NAME(a, b) FUZZ_JOIN(a, b)

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	(void)argc, (void)argv;
	if (fuzz_seeds_dir()) {
		fuzz_seed_texts("", fuzz_seeds, sizeof fuzz_seeds / sizeof *fuzz_seeds);
		exit(0);
	}
	return 0;
}

static void fuzz_face(const struct annotations *a, const struct annotation *face)
{
	int known = 0;
	if (!face->file || !*face->file || !*face->place || face->W < 0 || face->H < 0)
		abort();
	for (int k = 0; k < a->K; k++) {
		if (isnan(face->points[2 * k]) != isnan(face->points[2 * k + 1]) || isinf(face->points[2 * k]) ||
			isinf(face->points[2 * k + 1]))
			abort();
		known += !isnan(face->points[2 * k]);
	}
	if (known && !face->has_points)
		abort();
	if (face->has_box && !(face->box[2] > 0 && face->box[3] > 0 && isfinite(face->box[0]) && isfinite(face->box[1])))
		abort();
	if (!!face->confidence != !!a->has_confidence)
		abort();
	if ((int)strlen(face->file) > a->longest)
		abort();
}

/* A checksum of all that comes out, but the words for what is wrong with the file, which tell places. */
static uint32_t fuzz_read(const char *path, int unlabelled)
{
	struct annotations a = {0};
	struct annotation_options o = {.unlabelled = unlabelled, .images = unlabelled ? "/" : NULL, .category = unlabelled ? "face" : NULL};
	char err[ANNOTATION_ERR] = "";
	struct FUZZ_FORM *f = FUZZ_NAME(FUZZ_FORM, _open)(path, &a, &o, err);
	if (!f) {
		if (!*err || a.names)
			abort();
		return 1;
	}
	double *points = malloc(((size_t)a.K * 2 + 1) * sizeof *points);
	uint32_t crc = 0;
	for (int r = 1; r && r != FUZZ_BROKEN;) {
		struct annotation face = {.points = points};
		for (int i = 0; i < 2 * a.K; i++)
			points[i] = NAN;
		*err = 0;
		r = FUZZ_NAME(FUZZ_FORM, _next)(f, &a, &face, err);
		if ((r < 0) != !!*err)
			abort();
		if (r == 1)
			fuzz_face(&a, &face);
		const char *says = r == 1 ? face.place : r == -1 ? err : "end";
		crc = crc_add(crc, says, strlen(says));
		crc = crc_add(crc, points, (size_t)a.K * 2 * sizeof *points);
	}
	FUZZ_NAME(FUZZ_FORM, _close)(f);
	free(points);
	for (int i = 0; i < a.K; i++)
		free(a.names[i]);
	free(a.names), free(a.renumbered), free(a.nameless), free(a.category);
	return crc;
}

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size)
{
	static unsigned char file[64 + (1 << 20)];
	uint32_t crc[2][2];
	/* a 16th of them a second time behind blanks, where they change nothing, so that buffers end at other places */
	int ways = size % 16 || size > 1 << 20 ? 1 : 2;
	for (int shifted = 0; shifted < ways; shifted++) {
		size_t before = shifted && FUZZ_BLANKS && size && *data != 0xef && *data != 0x1f ? 1 + size / 16 % 61 : 0;
		if (before) {
			memset(file, '\n', before), memcpy(file + before, data, size);
			fuzz_file(file, before + size);
		} else {
			fuzz_file(data, size);
		}
		for (int unlabelled = 0; unlabelled < 2; unlabelled++)
			crc[shifted][unlabelled] = fuzz_read(fuzz_path(), unlabelled);
	}
	need(ways == 1 || !memcmp(crc[0], crc[1], sizeof crc[0]));
	return 0;
}

#endif
