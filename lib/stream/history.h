/* META history: how a file came to be, a line a program; grown by each program that writes a stream. */
#ifndef HISTORY_H
#define HISTORY_H

#include "lib/stream/tns.h"

/* Puts META history: the histories of the n inputs, each line once, then opt_line() with the inputs' fingerprints (at their ends) and,
 * in brackets, any further words (may be NULL), e.g. the checksum of a side file. */
void history_put(struct tns_writer *w, const struct tns *const *in, int n, const char *more);

#endif
