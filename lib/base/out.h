/* Output that appears whole or not at all: a file is written beside its name as .NAME.tmp, synced, and renamed by out_close.
 * Stdout, pipes and devices are written as they come. Death and the signals TERM, INT, HUP and PIPE remove the temporary file;
 * what KILL leaves behind is taken over by the next run. Two runs at once on one name: the second dies. */
#ifndef OUT_H
#define OUT_H

#include <stddef.h>
#include <stdio.h>

#include "lib/base/err.h"

struct out;

/* path NULL or "-" is stdout. binary refuses a terminal with exit 2. Dies when it can't be opened. */
struct out *out_open(const char *path, int binary);
const char *out_name(const struct out *o); /* for messages */
void out_write(struct out *o, const void *data, size_t n);
void out_printf(struct out *o, const char *fmt, ...) PRINTF(2, 3);
void out_flush(struct out *o); /* pass on what waits */
/* Flush and sync: after it, out_close fails only if the name can't be changed. Programs with several files sync all before they close one.
 */
void out_sync(struct out *o);
/* Flush, sync, rename into place; frees o. Dies on any error: a full disk is never success. */
void out_close(struct out *o);
/* Give up what was written: the temporary file goes, the old file stays; frees o. */
void out_abandon(struct out *o);

/* The end of every main: dies if stdout can't take what was printed, else returns 0. */
int finish(void);

#endif
