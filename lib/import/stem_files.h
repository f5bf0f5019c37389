/* Files of annotations that hold one image's faces each, and their images: a.pts and a.png, train/7.txt and train/7.JPG. They belong
 * together where their names are the same but for the suffix, folders included; a_2.pts is of a's image where a_2 has none (export_pts.c);
 * a folder is searched with all folders in it and those that links in it lead to; hidden files are passed by. Images: png, jpg, jpeg, pgm,
 * ppm, in any case. Private to lib/import/. */
#ifndef STEM_FILES_H
#define STEM_FILES_H

#include <stddef.h>

#include "lib/import/annotation.h"

struct stem_file {
	char *label;   /* the annotations, as a path; NULL: an image without */
	char *file;    /* the image: its name within its folder; NULL: there is none */
	char *path;    /* where it can be opened */
	size_t within; /* bytes of label that are the only operand; 0: there are several */
	char *other;   /* the name of a second image of the same stem, which leaves open which one is meant; NULL: there is none */
};

struct stem_files {
	size_t n;
	struct stem_file *v; /* by operand, then by name; behind them, by name, images of the operands' folders without annotations */
	size_t loops;	     /* links to a folder that they lie in, which are passed by: it is read itself */
	char *loop;	     /* the first of them by name */
	int longest;	     /* bytes of the longest image name */
};

/* o's operands: files, or folders, of which files with the suffix (".pts") are taken. Images are looked for in o->images, or beside the
 * annotations; then names begin within the operand where it is the only one and a folder, else as the operand does. Ends the program where
 * an operand can't be read or nothing is found. */
void stem_files_find(struct stem_files *s, const struct annotation_options *o, const char *suffix);
void stem_files_free(struct stem_files *s);
char *stem_files_loops(const struct stem_files *s); /* "'d/a' and 4 more", to be freed; NULL: there are none */
/* For annotation.place: where a face stands within the only operand, or with the operand it is from, of several; line 0: all of the file.
 */
void stem_file_place(const struct stem_file *f, long line, char place[ANNOTATION_PLACE]);
/* -1 and a message that begins with name: there is no image, or two. Else 0. */
int stem_file_fault(const struct stem_file *f, const char *name, char err[ANNOTATION_ERR]);

#endif
