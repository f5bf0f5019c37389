/* Progress of a long run on stderr (a bar on a terminal, else only the plain lines of progress_line), and a TSV log, one line an epoch. */
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
/* total 0: unknown. Cheap enough for every row: it draws at most ten times a second, and on a terminal only. */
void progress_tick(struct progress *p, uint64_t done, uint64_t total);
/* A plain line, e.g. of an epoch, unless quiet; on a terminal it is printed above the bar. */
void progress_line(struct progress *p, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void progress_end(struct progress *p); /* clears the bar */

/* `program version, wall s, peak MiB` on stderr, unless quiet: the provenance line. */
void log_provenance(int quiet);

/* TSV: a header line, then a line of values an epoch, each by one write(2), so that tail -f sees whole lines. columns: tab-separated names.
 * keep: a resumed run keeps the header and the lines whose first column is at most keep; 0 truncates. path NULL: all calls do nothing. */
struct tlog;
struct tlog *tlog_open(const char *path, const char *columns, uint64_t keep);
void tlog_line(struct tlog *l, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void tlog_close(struct tlog *l);

double log_seconds(void); /* monotonic */

#endif
