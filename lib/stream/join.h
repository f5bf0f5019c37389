/* Two data sets as one: each row of the first (A, which streams) gets the tensors of the row of the second (B, held in memory) that has
 * its key. B is read to its end before A: pipes to both from one producer (tee) stand still once A's is full, whatever is done here, since
 * the first row of A may belong to the last of B. A's tensors come first, then B's; the points of B's tensors (point_tensors.h) are brought
 * into the order of A's META points. METAs: A's, then those of B whose keys A lacks; those of a tensor (points_meta_of) go with it.
 *
 * Several rows of A may have one key; in B a key stands once. A tensor of B that A has too must hold the same bytes, row by row, and is
 * not taken, unless prefix renames it; the key is never taken. */
#ifndef JOIN_H
#define JOIN_H

#include "lib/stream/tns.h"

/* What becomes of rows without a partner. */
enum join_missing {
	JOIN_ERROR, /* the program ends, naming file, row and key */
	JOIN_INNER, /* they are dropped and counted */
	JOIN_LEFT,  /* A's stay, with NaN in B's f32 and f64 tensors (other types end the program); B's are dropped; both counted */
};

struct join_options {
	const char *by;	    /* a tensor of one whole number a row in both; "row": by position; NULL: id */
	const char *take;   /* names, comma-joined, of B's tensors; NULL: all */
	const char *prefix; /* before names that A has too; NULL: they must be equal */
	enum join_missing missing;
};

struct join_counts {
	uint64_t rows, a, b; /* written; of A and of B without a partner */
};

struct join;

/* Opens both (NULL or "-": stdin, not both) and loads B; what doesn't fit together ends the program with one line. o is not copied. */
struct join *join_open(const char *a, const char *b, const struct join_options *o);
/* Defines the tensors on w, writes all rows, METAs and the history; frees j. */
struct join_counts join_run(struct join *j, struct tns_writer *w);

#endif
