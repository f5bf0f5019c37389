/* Folders that files are written to. */
#ifndef FOLDER_H
#define FOLDER_H

#include <stddef.h>

/* Makes the folder where it is not there; ends the program where it can't, or something else has its name. */
void folder_make(const char *path);
/* The same for the folders on the way to a file, path[from] being the first character of a name below a folder that is there. path is
 * changed, and restored. */
void folder_make_above(char *path, size_t from);

#endif
