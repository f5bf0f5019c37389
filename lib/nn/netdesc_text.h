/* The text of a net, from an option or a file: words, a layer each, and where they stand, for messages. White space separates words, #
 * begins a comment up to the end of the line. Words are counted from 0. */
#ifndef NETDESC_TEXT_H
#define NETDESC_TEXT_H

#include <stddef.h>

struct netdesc_text {
	const char *file; /* NULL: the text is an option's */
	char *raw;	  /* as it stands there */
	char *text;	  /* the words, single blanks between them */
};

/* Reads a description: spec itself, or the contents of FILE where spec is "@FILE". spec must outlive it. Dies where the file can't be read,
 * has 64 KiB or more, or a zero byte. */
void netdesc_text_read(struct netdesc_text *t, const char *spec);
void netdesc_text_free(struct netdesc_text *t);
/* The next word at or after *s, *n bytes long, and moves *s behind it; NULL: there is none. */
const char *netdesc_text_word(const char **s, size_t *n);
/* Where word i of raw stands, to be freed: "FILE:3:8" (line and column, in bytes from 1); of a text without a file (NULL) "WHAT: column 8",
 * or "WHAT: line 3, column 8" where that is not its first line. FILE or WHAT alone where there is no such word, or i is -1. */
char *netdesc_text_place(const char *raw, int i, const char *file, const char *what);

#endif
