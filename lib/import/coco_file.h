/* Private to lib/import/coco*.c: a COCO file read in two passes. The first takes images and categories, in whatever order the lists come,
 * whether annotations have scores, and their ids; the second hands out the annotations. Of annotations only one is in memory. */
#ifndef COCO_FILE_H
#define COCO_FILE_H

#include "lib/import/coco_ids.h"
#include "lib/import/coco_index.h"

enum coco_list { COCO_NO_LIST, COCO_IMAGES, COCO_CATEGORIES, COCO_ANNOTATIONS };
enum coco_field {
	COCO_OTHER,
	COCO_ITS_ID,
	COCO_NAME,
	COCO_WIDTH,
	COCO_HEIGHT,
	COCO_IMAGE_ID,
	COCO_CATEGORY_ID,
	COCO_CROWD,
	COCO_LABELLED,
	COCO_KEYPOINTS,
	COCO_BOX
};

struct coco_category { /* one that has keypoints; names: their zero-terminated names, one after another */
	struct coco_id id;
	char *name, *names;
	int K;
};

struct coco_element {		   /* an object of a list */
	unsigned long long number; /* in its list, from 1 */
	struct coco_id id, image, category;
	int crowd, labelled; /* iscrowd, 1 or 0; num_keypoints, -1: not told */
	int W, H;
	size_t nkeypoints, nbox; /* numbers of keypoints and of bbox */
	int visible;		 /* pass 2: a third number of keypoints is above 0 */
	double box[4];
	char fault[256]; /* of an annotation: the first value that is not what it should be */
};

struct coco_file {
	const char *path;
	struct json_events *json;
	int pass;
	/* position */
	enum coco_list list;
	enum coco_field field; /* of the current element */
	unsigned met;	       /* bits: lists that came so far */
	struct coco_element element;
	int whole;	   /* pass 2: element is an annotation to its end */
	double *keypoints; /* pass 2: (nkeypoints_max), numbers of element */
	size_t nkeypoints_max;
	/* of pass 1 */
	struct coco_index images, categories;
	struct coco_category *with_points;
	int nwith_points;
	int scores, number_ids; /* a third number of keypoints has a fraction; an image's id is a number */
	size_t longest;
	struct coco_ids ids; /* of annotations that are no crowds */
	/* texts of the current image or category */
	char *text, *names;
	size_t text_n, text_room, names_n, names_room;
	int nnames;
};

/* Reads the first pass: 0, or -1 and err, ready to print. f is to be closed in either case. */
int coco_file_open(struct coco_file *f, const char *path, char err[ANNOTATION_ERR]);
/* Begins the second, for K points an annotation. */
int coco_file_again(struct coco_file *f, int K, char err[ANNOTATION_ERR]);
/* The next annotation in f->element: 1; 0: the end; -1 and err. */
int coco_file_next(struct coco_file *f, char err[ANNOTATION_ERR]);
void coco_file_close(struct coco_file *f);

#endif
