/* From rows of a CSV to rows of a data set: duplicates merged, wrong labels blanked or their rows dropped, every fault told to a report.
 *
 * The first CLEAN_HOLD rows are held (fewer if their pixels would be more than CLEAN_HOLD_BYTES, but 100 at least), the shape model is
 * fitted to them, and from then on it stays as it is: after that a row costs 16 bytes (image_hash_set.h). While rows are held, duplicates complete
 * each other's labels; a later duplicate is only dropped. Rows leave in the order in which they came. */
#ifndef CLEAN_H
#define CLEAN_H

#include "lib/base/out.h"
#include "lib/csv/csv.h"
#include "lib/labels/fault.h"
#include "lib/labels/suspects.h"
#include "lib/stream/tns.h"

#define CLEAN_HOLD 2000
#define CLEAN_HOLD_BYTES (256u << 20)

struct clean {
	/* set by the caller before the first row */
	struct out *report;	   /* TSV: row name kind value action; or NULL */
	const char *need;	   /* (K) 1: rows without this label are left out; or NULL */
	struct suspects *suspects; /* labels to blank besides; or NULL */
	int keep_all;		   /* only report */
	/* counted */
	uint64_t read, kept, dropped, lacking, merged, blanked; /* blanked: labels, the others: rows */
	uint64_t wrong;						/* rows with a fault, duplicates aside */
	uint64_t kind[FAULT_KINDS];				/* faults */
	int fitted;						/* is there a shape model? Not for fewer than SHAPE_ROWS_MIN rows */
	struct clean_hold *hold;				/* private */
};

/* For the rows of c, into w, on which the tensors are defined and META points is put once the image's size is known. */
struct clean *clean_new(const struct csv *c, struct tns_writer *w);
void clean_row(struct clean *cl); /* the row that c has just read */
/* Held rows leave, the counts are put as METAs, tensors are defined if there was no row (c's size must be known). Closes neither w nor
 * report. */
void clean_end(struct clean *cl);
void clean_free(struct clean *cl);

#endif
