/* A table as rows of a data set: one that tns-table wrote, with its notes (notes.h) or without them, or another of such columns; CSV, TSV
 * or separated by bars or semicolons (then with decimal commas too), plain, gzip or zip, from a file or a pipe.
 *
 * With notes the tensors are those that they name. Without them, columns are told by their names (columns.h): id, Image (as bytes), label
 * (u8), POINT_x and POINT_y, predicted_..., confidence_..., score (f32); others are ignored, unless `others` names them: f32, one value a
 * row. The points of predicted and confidence must be those of the keypoints. Fields may be quoted, blanks stand around them; NaN is an
 * empty field, nan, NA, N/A, null, none. */
#ifndef TABLE_IN_H
#define TABLE_IN_H

#include "lib/stream/tns.h"

struct table_in {
	const char *name;    /* the file or "stdin", for messages */
	char **others;	     /* set before table_in_head: see above; NULL: none */
	int w, h;	     /* set before it: size of images in a table without notes, or 0: square */
	struct tns_def *def; /* known after table_in_head; dim[0] is TNS_UNLIMITED */
	int ntensors, nmeta; /* late METAs come at the end */
	struct tns_meta *meta;
	int *place;	       /* (nmeta) how many tensors were defined before it */
	char *ignored;	       /* names of columns that are ignored, quoted, comma-joined; NULL: none */
	uint64_t row;	       /* the current row's number, from 1 */
	unsigned char **value; /* (ntensors) its values, row_bytes each; valid until the next call */
	/* after the end */
	int noted;	 /* 1: there were notes */
	int same;	 /* 1: and header and rows are those of the whole stream: nothing was changed or left out */
	uint32_t stream; /* its fingerprint, from the notes */
	uint32_t text;	 /* crc32 of header and rows */
	char err[512];
	struct table_in_source *src; /* private */
};

enum { TABLE_IN_ERR = -1, TABLE_IN_DONE = 0, TABLE_IN_ROW = 1 };

/* path NULL or "-" is stdin. */
struct table_in *table_in_open(const char *path);
struct table_in *table_in_open_memory(const void *data, size_t n, const char *name); /* not copied */
/* TABLE_IN_DONE, or TABLE_IN_ERR and the reason in err: "header: ..." */
int table_in_head(struct table_in *t);
/* TABLE_IN_ROW; TABLE_IN_DONE at the end, of a noted table after its last line; TABLE_IN_ERR, the reason in err: "row N: ..." */
int table_in_step(struct table_in *t);
void table_in_free(struct table_in *t);

#endif
