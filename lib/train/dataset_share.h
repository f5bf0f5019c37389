/* Private to lib/train/dataset*.c: a data set that came through a pipe to rank 0, which keeps the images and sends each rank those of its
 * rows as it needs them (feed_scatter); all else all ranks have. */
#ifndef DATASET_SHARE_H
#define DATASET_SHARE_H

#include "lib/ranks/ranks.h"
#include "lib/train/dataset.h"

/* ds: rank 0's, which is returned there; of other ranks NULL, who get one whose images are sent to them. by: of dataset_load_by. */
struct dataset *dataset_share(struct ranks *r, struct dataset *ds, const char *by);

#endif
