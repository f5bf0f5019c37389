/* The text of a file, pipe or memory: plain, gzip (RFC 1952; concatenated members are one text), or a zip that holds one CSV; told apart by
 * the first bytes. A byte order mark is skipped, and where the first line ends in CR alone, CR becomes LF. Other files (magic.h) are an
 * error that says what they are. Text is read in pieces of any size: the same bytes, and the same error after them, whatever the sizes.
 *
 * A zip is read as it comes, from its first byte: a CSV is a file whose name ends in .csv, .tsv or .txt, or has no suffix; others,
 * directories and what macOS adds are passed by. That there are more CSVs than one is an error at the end, which names them. */
#ifndef UNPACK_H
#define UNPACK_H

#include <stddef.h>

enum { UNPACK_ERR = 512 }; /* bytes of an error message */
enum unpack_kind { UNPACK_PLAIN, UNPACK_GZIP, UNPACK_ZIP };

/* Reads up to n bytes into dst: how many, 0 at the end, or -1 and the reason in err. */
typedef long unpack_from(void *arg, unsigned char *dst, size_t n, char err[UNPACK_ERR]);

struct unpack;

/* For messages: name, the file's or "stdin", not copied, and then, how a command that writes the text goes on: ">FILE", or NULL for
 * err_then. */
struct unpack *unpack_new(unpack_from *from, void *arg, const char *name, const char *then);
struct unpack *unpack_fd(int fd, const char *name, const char *then);			      /* fd stays open */
struct unpack *unpack_memory(const void *data, size_t n, const char *name, const char *then); /* not copied */
/* Before the first read: what a gzip holds need not be text, its bytes come as they are. */
void unpack_any(struct unpack *u);
/* Reads 1 to n bytes of text into dst: how many, 0 at the end, or -1 and the reason (truncated, damaged, followed by other data, no CSV or
 * several) in err; every later call returns the same error. */
long unpack_read(struct unpack *u, unsigned char *dst, size_t n, char err[UNPACK_ERR]);
enum unpack_kind unpack_kind(const struct unpack *u); /* known after the first read */
void unpack_free(struct unpack *u);

#endif
