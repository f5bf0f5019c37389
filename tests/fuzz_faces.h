/* What fuzz_coco.c and fuzz_imglab.c share: the file lies in memory, all its faces are read twice. Includer: FUZZ_FORM, FUZZ_BROKEN,
 * FUZZ_BLANKS (1: the form passes by blanks at the beginning), fuzz_seeds. */
#ifndef FUZZ_FACES_H
#define FUZZ_FACES_H

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "lib/base/crc.h"

#define FUZZ_JOIN(a, b) a##b
#define FUZZ_NAME(a, b) FUZZ_JOIN(a, b)

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size);
int LLVMFuzzerInitialize(int *argc, char ***argv);

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	const char *dir = getenv("FUZZ_SEEDS");
	(void)argc, (void)argv;
	if (!dir)
		return 0;
	for (size_t i = 0; i < sizeof fuzz_seeds / sizeof *fuzz_seeds; i++) {
		char path[1024];
		snprintf(path, sizeof path, "%s/%zu", dir, i);
		FILE *f = fopen(path, "wb");
		if (!f || fputs(fuzz_seeds[i], f) < 0 || fclose(f))
			abort();
	}
	exit(0);
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
	free(a.names);
	return crc;
}

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size)
{
	static char blanks[64 << 10];
	static int fd = -1;
	char path[64];
	if (fd < 0)
		fd = memfd_create("fuzz", MFD_CLOEXEC);
	snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
	uint32_t crc[2][2];
	memset(blanks, '\n', sizeof blanks);
	/* a 16th of them a second time behind blanks, where they change nothing, so that a buffer ends in its midst */
	for (int shifted = 0; shifted < (size % 16 ? 1 : 2); shifted++) {
		size_t before = shifted && FUZZ_BLANKS && size && *data != 0xef && *data != 0x1f ? sizeof blanks - size / 2 : 0;
		if (fd < 0 || ftruncate(fd, 0) || pwrite(fd, blanks, before, 0) != (ssize_t)before ||
			pwrite(fd, data, size, (off_t)before) != (ssize_t)size)
			abort();
		for (int unlabelled = 0; unlabelled < 2; unlabelled++)
			crc[shifted][unlabelled] = fuzz_read(path, unlabelled);
	}
	if (size % 16 == 0 && memcmp(crc[0], crc[1], sizeof crc[0]) != 0)
		abort();
	return 0;
}

#endif
