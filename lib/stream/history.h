/* META history: how a stream was made, a command line for each program; each program that writes a stream appends its own. */
#ifndef HISTORY_H
#define HISTORY_H

#include "lib/stream/tns.h"

/* Writes META history: the lines of the n inputs' histories without duplicates, then opt_line(), note in brackets (e.g. the checksum of a
 * side file; may be NULL) and the fingerprints of the inputs, which must have been read to their ends. */
void history_put(struct tns_writer *w, const struct tns *const *in, int n, const char *note);

#endif
