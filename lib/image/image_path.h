/* Where the image of a name in a file of annotations can be opened. Names are relative to the folder of that file, or to --images. A name
 * that leads out of there (absolute, or by ..) is refused, unless --images is given and the place that it has from the file's own folder
 * lies within --images, by the names of folders or where links among them lead. */
#ifndef IMAGE_PATH_H
#define IMAGE_PATH_H

#include <stddef.h>

struct image_path {
	char *own, *images; /* private: folders; images NULL: not given */
	char *path;	    /* the last result */
	size_t below;	    /* where in path the name within its folder begins, after a result */
	size_t room;
	char *decoded; /* private */
};

/* file: of annotations, NULL: names are relative to the working folder; images: NULL, or of --images. */
void image_path_begin(struct image_path *p, const char *file, const char *images);
/* The path of a name with '/' between folders, valid until the next call; NULL: it is empty or leads out. */
const char *image_path(struct image_path *p, const char *name);
/* The path as it is, or, if there is no such file but one by the path without its percent code (%20), that; valid until the next call. */
const char *image_path_there(struct image_path *p, const char *path);
void image_path_end(struct image_path *p);

#endif
