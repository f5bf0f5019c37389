/* What a long run says: progress on stderr (a bar on a terminal, else one plain line when told), and a TSV log of one line an epoch. */
#ifndef LOG_H
#define LOG_H

#include <stdint.h>

struct progress {
	const char *unit; /* "rows", "faces" */
	int quiet, tty, shown;
	double start, last;
	uint64_t last_done;
};

void progress_begin(struct progress *p, const char *unit, int quiet);
/* total 0: unknown. Cheap enough for every row: it draws ten times a second, and on a terminal only. */
void progress_tick(struct progress *p, uint64_t done, uint64_t total);
/* A plain line an epoch, unless quiet; on a terminal it stands above the bar. */
void progress_line(struct progress *p, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void progress_end(struct progress *p); /* clears the bar */

/* `program version, wall s, peak MiB` on stderr, unless quiet: the provenance line. */
void log_provenance(int quiet);

/* TSV: a line of names, then a line of values an epoch, each flushed as it is written, so that it can be followed. columns is tab-joined.
 * keep: a resumed run keeps the header and the lines whose first column is at most keep; 0 begins anew. path NULL: all calls do nothing. */
struct tlog;
struct tlog *tlog_open(const char *path, const char *columns, uint64_t keep);
void tlog_line(struct tlog *l, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void tlog_close(struct tlog *l);

double log_seconds(void); /* monotonic */

#endif
