/* Errors by face and point as a table of tab-separated values: columns id, row (from 1), mean_px, then one a point by its name. A cell is
 * the distance of a point from its label, px; mean_px is the mean of the row's cells. Empty where there is no label, or no model learned
 * the point; id: where the predictions have none. */
#ifndef SCORE_ROWS_H
#define SCORE_ROWS_H

#include "lib/stream/dataset_stream.h"

struct score_rows;

/* Opens the file, as out_open, and writes the header; path NULL: NULL, and the other calls do nothing. in: the predictions; names, K of
 * them, and left_out (K) outlive it. Dies where a name holds a tab or a line's end. */
struct score_rows *score_rows_open(const char *path, const struct tns *in, char **names, int k, const char *left_out);
/* Row i of d's block; truth, predicted (K, 2), px. */
void score_rows_add(struct score_rows *r, const struct dataset_stream *d, uint64_t i, const float *truth, const float *predicted);
/* On disk but for its name: out_sync, so that several outputs appear together; then out_close, and it is freed. */
void score_rows_sync(struct score_rows *r);
void score_rows_close(struct score_rows *r);

#endif
