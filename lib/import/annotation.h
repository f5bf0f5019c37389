/* Annotated faces as foreign files hold them, one after another, whatever the form. A form (form_*.c) parses its files and hands out each
 * face with the file's own numbers; annotations_next (annotations.h) brings all forms to one convention: points are pixel indices ((0, 0)
 * is the centre of the first pixel), boxes corner and size ((0, 0) is the outer corner of the first pixel).
 *
 * Where the numbers of each form begin: the table of README.md; sources: detectron2 (COCO), dlib's image_dataset_metadata, menpo (.pts),
 * ultralytics' converter (YOLO), the lists of WFLW; DeepLabCut labels are drawn with centres at whole numbers. */
#ifndef ANNOTATION_H
#define ANNOTATION_H

#include <stdint.h>

#include "lib/import/doubts.h"
#include "lib/labels/sentinel.h"

enum { ANNOTATION_ERR = 1024, ANNOTATION_POINTS = 4096, ANNOTATION_PLACE = 256 };
enum annotation_origin { ORIGIN_INDEX, ORIGIN_CORNER, ORIGIN_ONE }; /* subtracted from points: 0, 0.5, 1 */

struct annotation {		      /* valid until the next call */
	const char *file;	      /* the image's name as the form has it, '/' between folders; kept as `source` */
	const char *path;	      /* where it can be opened; of a form that leaves it NULL annotations_next tells it by file */
	char place[ANNOTATION_PLACE]; /* for messages: "line 12", "annotation 993", "image 3, box 2"; "": the only operand */
	char kind[64]; /* of a form that tells box from box (imglab's label, YOLO's class) or individuals (DeepLabCut's): which, cut; "":
			  none */
	int W, H;      /* the image's size as the form tells it; 0: it does not */
	int has_box, has_points; /* has_points 0: the face isn't labelled at all, all points are NaN */
	double box[4];		 /* x y w h, corner */
	double *points;		 /* (K, 2), NaN where missing; both or neither of a point: half a label is an error of the form */
	double *confidence;	 /* (K), NaN where unknown; NULL where the form has none */
	int64_t id, image_id;	 /* the form's own, -1 where it has none */
};

struct annotation_options {
	const char *form;	     /* one of ANNOTATION_FORMS */
	const char *const *operands; /* the command line's files and folders */
	int noperands;
	const char *images;   /* folder that image names are relative to; NULL: the form's own rule */
	const char *names;    /* yolo: FILE.yaml or a,b,...; else NULL */
	const char *category; /* coco: NAME; else NULL */
	const char *missing;  /* numbers of labels that are none (sentinels_state), as the file has them; NULL: not stated */
	int origin;	      /* enum annotation_origin, or -1: the form's own */
	int unlabelled;	      /* 1: images without annotations are rows, too, where the form knows of such */
	const char *output;   /* a file that will be written; an image that is this file ends the program; NULL: none */
};

struct annotations {
	int K;				     /* points a face, known after opening; 0: the form has none (folder) */
	char **names;			     /* (K) */
	uint64_t crowd, ignored, unlabelled; /* passed by so far: COCO's iscrowd, imglab's ignore, images without annotations */
	uint64_t miscounted;		     /* so far: COCO's num_keypoints is 0, but keypoints has points, which are taken */
	int has_confidence, has_image_id;    /* after opening: rows may have them */
	int has_box;			     /* boxes without points: rows have them (those with points have boxes in any case) */
	int has_id;			     /* after opening: every face has an id, no two the same, all below 2^32 */
	char *renumbered;		     /* after opening: of a form with ids, the first reason why has_id is 0; NULL: none */
	int *flip;			     /* after opening: (K) of each point its mirror partner; NULL: the form does not tell */
	char *category;			     /* after opening: whose annotations are read, of a form that has such; else NULL */
	int64_t category_id;		     /* its number, 0 where it has none */
	char *nameless;			     /* after opening: the first id of an image that is a text, not kept; NULL: none */
	char *other_kinds;		     /* after opening: images of folders whose kind is not read, "a.heic and 4 more"; NULL: none */
	char *within;			     /* folders in those folders, which are not read, likewise */
	char *loops;			     /* after opening: links in folders to a folder that they lie in, likewise */
	char *unread;			     /* after opening: columns that are not read, quoted, comma-joined; NULL: none */
	int longest;			     /* after opening: bytes of the longest image name, 0 where not known before the end */
	struct sentinels missing;	     /* before opening: as the options state them */
	struct doubts doubts;		     /* so far; nothing of a form of shares */
	struct annotation_reader *reader;    /* private */
};

#endif
