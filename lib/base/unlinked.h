/* Files without a name: gone however the process ends. */
#ifndef UNLINKED_H
#define UNLINKED_H

#include <stdio.h>

/* Such a file, to read and write, in the directory of the file `near` (NULL: in /tmp; where the file system has none, in /tmp, too). Ends
 * the program where there can't be one: "WHAT: reason". */
FILE *unlinked_open(const char *near, const char *what);

#endif
