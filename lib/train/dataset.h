/* A data set ready for training: images as bytes and targets, on the host, in order. */
#ifndef DATASET_H
#define DATASET_H

#include <stdint.h>

#include "kernels/backend.h"
#include "lib/nn/model.h"
#include "lib/stream/tns.h"

struct dataset {
	uint32_t n; /* rows */
	int W, H;
	uint8_t *image;	  /* (n, H, W) */
	int k;		  /* values of a row's target: label 1; points 2 each, in pixels, NaN = no label; image: 0 */
	float *value;	  /* (n, k) */
	char *names;	  /* points or classes, comma-joined; "" for image */
	int values;	  /* of the target, as model_new takes them */
	uint32_t *id;	  /* (n): `id` where there is one, else the row from 1 */
	uint32_t *group;  /* (n): `source` where there is one, else the row */
	struct tns *head; /* of the stream: names, METAs, fingerprint; owned by table */
	struct tns_table *table;
};

/* Load a data set for a target; dies where a tensor is missing, has another type, or a label is no class. Rows without any label are left
 * out (targets with points). */
struct dataset *dataset_load(const char *path, enum target target);
/* Those rows whose group is drawn (part = 1), or not (part = 0), by Philox (seed, PHILOX_SPLIT, 0, group) < share: a new set that shares
 * nothing; the whole's names are copied. */
struct dataset *dataset_part(const struct dataset *ds, double share, uint64_t seed, int part);
/* Leave only the rows whose label is not 0; dies when there are none. The set then serves TARGET_IMAGE. */
void dataset_keep_positive(struct dataset *ds);
/* Only names and head stay: once parts have been made of it. */
void dataset_release_rows(struct dataset *ds);
void dataset_free(struct dataset *ds);

#endif
