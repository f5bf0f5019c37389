/* What forms of annotations that are lines of text share: opening, words, numbers, names of images, and messages, which are ready to print
 * (FILE: PLACE: REASON). Private to lib/import/. */
#ifndef TEXT_H
#define TEXT_H

#include "lib/base/err.h"
#include "lib/csv/csv_fields.h"
#include "lib/import/annotation.h"

enum { TEXT_SHOWN = 48 };

const char *text_input(const char *path); /* for messages: "stdin" for "-", else path */
/* The lines of a file, plain or gzip, or of stdin ("-"); NULL and the reason in err where it can't be opened. regular: folders, devices and
 * FIFOs are refused, and stdin. path is kept for messages, not copied. */
struct lines *text_open(const char *path, int regular, char err[ANNOTATION_ERR]);
/* The next line that is not empty; *line counts all. 1; 0: the end; -1 and err, name the file's: it can't be read further. */
int text_line(struct lines *l, long *line, const char *name, char err[ANNOTATION_ERR]);
/* The next word of *rest, which moves behind it; words stand between blanks and tabs. 0: there is none. */
int text_word(struct span *rest, struct span *word);
int text_is(struct span s, const char *word);
/* 1 and *v: a finite decimal number, nothing else. */
int text_real(struct span s, double *v);
/* 1: nan in any case. */
int text_nan(struct span s);
/* The value for a message, cut where it is long. Returns buf. */
const char *text_show(char buf[TEXT_SHOWN], struct span s);
/* Puts the message into err; returns -1. */
int text_bad(char err[ANNOTATION_ERR], const char *fmt, ...) PRINTF(2, 3);
/* "1", "2", ... "K"; NULL-terminated, to be freed one by one. */
char **text_numbered(int K);
/* A CSV's field without blanks around it, its doubled quotes made one; to be freed. */
char *text_field(struct span f);
/* Backslashes become '/', as in names of images. */
void text_slashes(char *name);
/* The name of an image as a string, to be freed, its backslashes '/'. NULL: it is empty or holds a zero byte. */
char *text_image_name(struct span s);
/* folder/name, to be freed; name alone where folder is "". */
char *text_path(const char *folder, const char *name);
/* The folder of a file, to be freed: "" where the path has none. */
char *text_folder(const char *path);

#endif
