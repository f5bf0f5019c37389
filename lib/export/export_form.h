/* What a form of export provides: an entry in the table of forms (export.c), filled by export_NAME.c; and what those share. Private to
 * lib/export/. */
#ifndef EXPORT_FORM_H
#define EXPORT_FORM_H

#include <stdint.h>

#include "lib/base/json.h"
#include "lib/base/out.h"

struct export_set {
	const char *name;    /* of the input, for messages */
	const char *output;  /* pts: the folder */
	int64_t category_id; /* coco, coco-results */
	const char *category;
	int K;	       /* 0: boxes alone */
	char **points; /* (K) names */
	int has_score; /* boxes alone, with scores */
	int has_confidence, has_image_id;
	double origin; /* added to points */
};

struct export_face {
	uint64_t row; /* from 1 */
	uint32_t id;
	int64_t image_id; /* at least 0 if the set has such */
	const char *file;
	uint32_t W, H;		 /* of the image; 0: not known */
	int n;			 /* how many points are there */
	const double *xy;	 /* (K, 2) in pixels of the image, the form's origin added; NaN both or none */
	const float *confidence; /* (K) or NULL */
	int has_box;
	double box[4]; /* x y width height, corner; of `box`, or whole pixels around the points */
	double score;  /* of the box, if the set has such; else NaN */
};

struct export_form {
	const char *name;
	double origin;
	int utf8;   /* names of images must be UTF-8 */
	int folder; /* writes a folder of files itself; else to is open */
	void *(*begin)(const struct export_set *s, struct out *to);
	int (*face)(void *state, const struct export_face *f); /* 0: left out */
	void (*end)(void *state);			       /* frees state; to stays open */
};

extern const struct export_form export_coco, export_coco_results, export_csv, export_imglab, export_pts, export_jsonl;

/* As the fewest digits that read back as the same float, in buf (32 bytes). */
const char *export_number(char *buf, double v);

#endif
