/* Whole files of made faces: rows are made by several threads, a few at a time, and written in order, so that the bytes are the same
 * for any number of threads and memory doesn't grow with the number of rows. */
#ifndef SYNTH_H
#define SYNTH_H

#include "lib/base/out.h"
#include "lib/synth/face.h"
#include "lib/synth/facecsv.h"

struct synth {
	struct face_style style; /* set is ignored: training makes set 0, test set 1 */
	uint64_t seed;
	int threads;		  /* at least 1 */
	int dirt;		  /* leave labels out and plant faults; in the training file only */
	enum facecsv_fault fault; /* break the training file, in row bad (from 0) */
	uint32_t bad;
};

/* Write n rows of a training file. groups and truth may be NULL: lines `row,group` and `row TAB name TAB kind`, after a header;
 * rows from 1, a group is called after its first row, name is - where the whole row is meant. */
void synth_training(const struct synth *s, uint32_t n, struct out *rows, struct out *groups, struct out *truth);
/* Write a test set of n faces; any of the three may be NULL. solution is the test set as a training file with all its points. */
void synth_test(const struct synth *s, uint32_t n, struct out *test, struct out *lookup, struct out *solution);

#endif
