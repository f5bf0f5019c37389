/* Checkpoints: a train_state as a tensor stream; a run resumed from it ends with the same bits as one never interrupted. A checkpoint
 * appears whole or not at all (lib/base/out.h): the previous one stays until the next is on disk. */
#ifndef CHECKPOINT_H
#define CHECKPOINT_H

#include "lib/train/dataset.h"
#include "lib/train/train_state.h"

/* The key of this program's run on the data sets, from init's weights (valid and init may be NULL): its options but for the number of
 * epochs, and the inputs' fingerprints. To be freed. */
char *checkpoint_key(const struct dataset *train, const struct dataset *valid, const struct tns *init);

/* key: options and fingerprints of the data, which must be equal in a run that resumes. done: the run is at its end (META
 * opt/done). Ends the program where a weight is not finite. */
void checkpoint_write(const struct train_state *s, const char *path, const char *key, int done);
/* Returns 1, s read from the file, or 0: there is no such file; ends the program where the key or a shape differs. */
int checkpoint_read(struct train_state *s, const char *path, const char *key);

#endif
