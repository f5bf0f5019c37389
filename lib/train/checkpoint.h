/* Checkpoints: a train_state as a tensor stream, from which a killed run goes on to the same bits. A checkpoint appears whole or not at all
 * (lib/base/out.h), so the one before it stays until the next is on disk. */
#ifndef CHECKPOINT_H
#define CHECKPOINT_H

#include "lib/train/train_state.h"

/* key: what a run that resumes must agree with: options and fingerprints of the data. Ends the program where a weight is not finite. */
void checkpoint_write(const struct train_state *s, const char *path, const char *key);
/* 1: s is the checkpoint's, 0: there is no such file; ends the program where the key or a shape differs. */
int checkpoint_read(struct train_state *s, const char *path, const char *key);

#endif
