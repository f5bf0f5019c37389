/* A data set: images as bytes, in memory or in their file, and targets, in host memory, in the order of the stream. */
#ifndef DATASET_H
#define DATASET_H

#include <stdint.h>

#include "kernels/backend.h"
#include "lib/nn/model.h"
#include "lib/ranks/ranks.h"
#include "lib/stream/tns.h"
#include "lib/train/image_store.h"
#include "lib/train/source_rows.h"

struct dataset {
	uint32_t n; /* rows */
	int W, H;
	struct image_store *images; /* (H, W) each */
	uint32_t *row;		    /* (n): of the store; NULL: row i is its i-th */
	int k;			    /* values of a row's target: label: 1; points: 2 each, in pixels, both NaN: no label; image: 0 */
	float *value;		    /* (n, k) */
	float *weight;		    /* (n, k / 2): of a label, see teacher.h; NULL: all 1 */
	unsigned char *own;	    /* (n, k / 2) 1: a label of the data set, 0: a prediction (teacher.h); NULL: all 1 */
	uint32_t taught[2];	    /* the fingerprints of the teacher's files, 0: none */
	int *from;		    /* (n): the row's source of labels, or SOURCES_NONE; NULL: they are not told apart */
	struct source_rows source;  /* which sources there are */
	char *pairs;		    /* of points: META pairs, else found from the labels (lib/labels/pairs.h); else NULL */
	char *names;		    /* points or classes, comma-joined; "" for image */
	int values;		    /* of the target: model_new's argument */
	uint32_t *id;		    /* (n): the tensor `id` where there is one, else the row number from 1 */
	uint32_t *group; /* (n): by the tensor `source` where there is one, else the row number from 0; rows of a group are never split */
	struct ranks *ranks; /* that share it; NULL: this process has all */
	int scattered;	     /* rank 0 has the images, and sends the others those of their rows (feed_scatter) */
	struct tns *head;    /* of the stream: names, METAs, fingerprint; owned by table, or by itself */
	int owns_head;	     /* of a rank that got it from rank 0 */
	struct tns_table *table;
};

/* Loads a data set for a target; images of a file too large for memory stay there (image_store.h); dies where a tensor is missing, has
 * another type, or a label is no class. Targets with points: half a label, x without y, counts as none, which a line on stderr tells; rows
 * without any label are left out, which is told, too. */
struct dataset *dataset_load(const char *path, enum target target);
/* The same, of a target with points, with sources of labels told by `by` (source_rows.h), which outlives it; NULL: none. r: the ranks that
 * share it, NULL: none. Each of several leaves the images in the file and reads those that it needs; from a pipe rank 0 alone reads. */
struct dataset *dataset_load_by(struct ranks *r, const char *path, enum target target, const char *by);
/* The same of patches that have no target but themselves (TARGET_IMAGE). which: the option --patches: "all", or "positive": those whose
 * label is not 0; dies where there are none. */
struct dataset *dataset_load_patches(struct ranks *r, const char *path, const char *which);
uint32_t dataset_groups(const struct dataset *ds); /* how many groups its rows are of */
/* A random part, split by groups: the rows for which Philox (seed, PHILOX_SPLIT, 0, group) < share (part = 1), or the others (part = 0). A
 * copy, but head and table are NULL; the images are shared, and ds is freed last. */
struct dataset *dataset_part(const struct dataset *ds, double share, uint64_t seed, int part);
/* The training set *train and, or NULL, the held-out set *valid: of a file, matched with dataset_match, or a part of the data, where share
 * is above 0; *all: the data, whose head stays valid. Dies where a part would be empty. */
void dataset_hold_out(struct dataset *all, const char *valid_path, double share, uint64_t seed, enum target target, struct dataset **train,
	struct dataset **valid);
/* What m, a model of ds's points or classes, keeps of them besides: pairs and crop. */
void dataset_about(const struct dataset *ds, struct model *m);
/* Brings ds's points or classes, and its sources, into the order of like's, by name; dies where they are not the same, or the images' sizes
 * differ. */
void dataset_match(struct dataset *ds, const struct dataset *like);
/* An image (H, W): in memory, or read into buffer; of images in memory buffer may be NULL. */
const uint8_t *dataset_image(const struct dataset *ds, uint32_t i, uint8_t *buffer);
void dataset_will_read(const struct dataset *ds, uint32_t i); /* lets the system read it ahead, if it is in a file */
/* Their hashes (n, trained.h), to be freed. */
uint64_t *dataset_hashes(const struct dataset *ds);
/* How many pixels of all images have each value; of ranks rank 0 counts them. */
void dataset_count_pixels(const struct dataset *ds, uint64_t count[256]);
/* All images (n, H, W) in memory, to be freed; ds has none afterwards. */
uint8_t *dataset_take_images(struct dataset *ds);
/* Frees values, groups, ids and its share of the images; names and head stay. For a data set whose parts are in use. */
void dataset_release_rows(struct dataset *ds);
void dataset_free(struct dataset *ds);

#endif
