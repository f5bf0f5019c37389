/* Turns rows of a CSV into rows of a data set: merges duplicates, blanks wrong labels or drops their rows, reports every fault.
 *
 * The first CLEAN_BUFFER_ROWS rows are buffered (fewer if their pixels would exceed CLEAN_BUFFER_BYTES, but at least CLEAN_BUFFER_LEAST);
 * the shape model is fitted to them and does not change afterwards. From then on memory grows by 16 bytes a row (image_hash_set.h).
 * Duplicates among the buffered rows complete each other's labels; a later duplicate is only dropped. Rows are written in input order. */
#ifndef CLEAN_H
#define CLEAN_H

#include "lib/base/out.h"
#include "lib/csv/csv.h"
#include "lib/labels/fault.h"
#include "lib/labels/sentinel.h"
#include "lib/labels/suspects.h"
#include "lib/stream/tns.h"

#define CLEAN_BUFFER_ROWS 2000
#define CLEAN_BUFFER_LEAST 100
#define CLEAN_BUFFER_BYTES (256u << 20)

struct clean {
	/* set by the caller before the first row */
	struct out *report;	    /* TSV: row name kind value action; or NULL */
	const char *need;	    /* (K) 1: rows without this label are not written; or NULL */
	struct sentinels sentinels; /* sentinels_state: stated, or to be found */
	const char *pairs;	    /* pairs that the user states, see pairs_state; or NULL */
	struct suspects *suspects;  /* further labels to blank; or NULL */
	int keep_all;		    /* 1: only report: no merging, blanking, dropping; need still applies */
	/* counted */
	uint64_t read, kept, dropped, lacking, merged,
		blanked;	    /* blanked: labels, but for those that are none (sentinels); the others: rows */
	uint64_t wrong;		    /* rows with a fault; duplicates are not counted */
	uint64_t kind[FAULT_KINDS]; /* faults of each kind */
	float far;		    /* the largest coordinate that was read, signs apart */
	uint64_t means;		    /* sentinels that are a point's mean */
	uint64_t same_id;	    /* rows, less duplicates, with the id of the row before */
	size_t *filled, first_rows; /* (K) as of filled_find, of the first rows; NULL before */
	const int *partner;	    /* (K) mirror partners, once the first rows were read; else NULL */
	int *rather;		    /* (K) as of pairs_find; else NULL */
	int fitted;		    /* 1: there is a shape model (needs SHAPE_ROWS_MIN rows) */
	size_t model_rows;	    /* labelled rows that it was, or would have been, fitted to */
	double shrunk;		    /* as shape's */
	struct clean_state *state;  /* private */
};

/* For the rows of c, written to w, whose tensors and META points are defined once the image size is known. */
struct clean *clean_new(const struct csv *c, struct tns_writer *w);
void clean_row(struct clean *cl); /* the current row of c */
/* Writes the buffered rows and, as METAs, the counts; if there was no row, defines the tensors (c's size must be known). Closes neither w
 * nor report. */
void clean_end(struct clean *cl);
void clean_free(struct clean *cl);

#endif
