/* Buffered output; files are replaced atomically: written to .NAME.tmp in the same directory, fsynced, and renamed by out_close.
 * Stdout, pipes and devices are written directly. die and the signals TERM, INT, HUP and PIPE remove the temporary file; one that KILL
 * leaves behind is reused by the next run. Of two concurrent runs on one name the second ends with an error. */
#ifndef OUT_H
#define OUT_H

#include <stddef.h>
#include <stdio.h>

#include "lib/base/err.h"

struct out;

/* path NULL or "-" is stdout. binary: a terminal is refused, exit 2. Ends the program when it can't be opened. */
struct out *out_open(const char *path, int binary);
/* Ends the program, as out_open would, where path can't be written, and leaves it as it is: for outputs that come at the end of long work.
 * NULL: no output. Pipes and devices are not opened. */
void out_check(const char *path, int binary);
/* Opens path now, as out_open does, and keeps it for the out_open of the same name: of two long runs on one name the second ends at its
 * start, not the first at its end. At most one; no effect on stdout. finish removes what was not taken. Returns the final name of a file,
 * links followed; NULL: stdout, a pipe or a device. */
const char *out_hold(const char *path);
const char *out_name(const struct out *o); /* for messages */
void out_write(struct out *o, const void *data, size_t n);
void out_printf(struct out *o, const char *fmt, ...) PRINTF(2, 3);
void out_flush(struct out *o); /* writes the buffer */
/* Flush and fsync: after it, out_close fails only if the rename fails. Programs with several files sync all before they close one. */
void out_sync(struct out *o);
/* Flush, fsync, rename to the final name; frees o. Ends the program on any error: a full disk is never success. */
void out_close(struct out *o);
/* Discards what was written: the temporary file is removed, the old file stays; frees o. */
void out_abandon(struct out *o);

/* What SIGINT prints, a whole line, before it ends the program; NULL: nothing. The text must stay valid until the next call. */
void out_interrupted(const char *line);
const char *out_interruption(void); /* that line, or NULL */
/* From here on all outputs, stdout too, go to /dev/null: of a process that computes with one that writes (lib/ranks). Before any is open.
 */
void out_nothing(void);

/* The end of every main: flushes and closes stdout; ends the program if that fails, else returns 0. */
int finish(void);

#endif
