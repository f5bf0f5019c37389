/* The faces of a file of dlib's imglab, as form_imglab hands them out, but faults of the file are returned, not fatal. */
#ifndef IMGLAB_H
#define IMGLAB_H

#include "lib/import/annotation.h"

enum { IMGLAB_BROKEN = -2 };

struct imglab;

/* Reads the parts' names; sets a's K, names and longest, on success alone. NULL: the file can't be read; err is ready to print. */
struct imglab *imglab_open(const char *path, struct annotations *a, const struct annotation_options *o, char err[ANNOTATION_ERR]);
/* As next of struct annotation_form; IMGLAB_BROKEN: no further faces can be had, err says why. */
int imglab_next(struct imglab *m, struct annotations *a, struct annotation *face, char err[ANNOTATION_ERR]);
void imglab_close(struct imglab *m);

#endif
