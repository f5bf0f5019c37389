/* Names for the fingerprints that META history tells of a program's inputs. A stream holds no names, since it has the same bytes from a
 * pipe as from a file; but a file that is there has the fingerprint that the history tells, or is not that input. */
#ifndef HISTORY_NAMES_H
#define HISTORY_NAMES_H

/* The history with the names of the streams in dir (plain or gzip, not in directories below) behind the fingerprints they have, in
 * alphabetical order: "predict 0.1.0 < 680ad3a0 (model.tns) 6d7158cf"; to be freed. Each file is read to its verified end; what is no whole
 * stream is passed over. Dies where dir can't be read. */
char *history_names(const char *history, const char *dir);

#endif
