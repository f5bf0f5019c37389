/* What a file is by its first bytes, where programs here don't read it as it is: packed files, other tables, pictures, arrays, models,
 * pages. A message then names the form and the command that makes it one that is read, instead of what is wrong with its first row. */
#ifndef MAGIC_H
#define MAGIC_H

#include <stddef.h>

#define MAGIC_BYTES 512 /* that magic_find looks at */

enum magic_kind {
	MAGIC_OTHER,  /* nothing makes a CSV of it here */
	MAGIC_PACKED, /* the command writes whatever was packed */
	MAGIC_GZIP,
	MAGIC_ZIP,
	MAGIC_TABLE, /* the command writes a CSV */
	MAGIC_TEXT,  /* perhaps a CSV, of which the command makes a stream */
};

struct magic {
	enum magic_kind kind;
	const char *what; /* with its article: "an xz file" */
	const char *way;  /* a shell command, the file's name behind it, that writes to stdout; MAGIC_OTHER: advice, or NULL */
};

/* Reads the first MAGIC_BYTES of a file, or all that it has, to head, and leaves its offset; how many, or -1 and errno. */
long magic_read(int fd, unsigned char head[MAGIC_BYTES]);
/* The form of a file that begins with these bytes; NULL: none that is known, such as a CSV. */
const struct magic *magic_find(const unsigned char *p, size_t n);
/* For readers of binary files: MAGIC_TEXT, or NULL where it is none. */
const struct magic *magic_text(const unsigned char *p, size_t n);
/* Writes ": COMMAND NAME THEN" into to, or ": ADVICE", or nothing. name: the file's, FILE where it has none. outer: NULL, or a command
 * that must unpack the file first. */
void magic_way(char *to, size_t size, const struct magic *m, const char *outer, const char *name, const char *then);
/* The file's name as a shell's word: in quotes where it has to be; FILE for stdin. */
void magic_word(char *to, size_t size, const char *name);

#endif
