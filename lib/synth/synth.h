/* Writes whole files of synthetic faces: rows are rendered by several threads, in batches, and written in order, so that the bytes are the
 * same for any number of threads and memory doesn't grow with the number of rows. */
#ifndef SYNTH_H
#define SYNTH_H

#include "lib/base/out.h"
#include "lib/synth/face.h"
#include "lib/synth/facecsv.h"

struct synth {
	struct face_style style; /* set is ignored: training files are set 0, test sets set 1 */
	uint64_t seed;
	int threads;		  /* 1 to EACH_THREAD_MAX */
	int label_noise;	  /* 1: label noise (label_noise.h), in the training file only */
	enum facecsv_fault fault; /* malformation of the training file, in row fault_row (from 0) */
	uint32_t fault_row;
};

/* Writes a training file of n rows; groups and truth may be NULL: lines `row,group` and `row TAB name TAB kind`, after a header. Rows count
 * from 1, a group's number is its first row, name is - for the whole row. */
void synth_training(const struct synth *s, uint32_t n, struct out *rows, struct out *groups, struct out *truth);
/* Writes a test set of n faces; any of the three may be NULL. solution: the test set as a training file with all its points. */
void synth_test(const struct synth *s, uint32_t n, struct out *test, struct out *lookup, struct out *solution);

#endif
