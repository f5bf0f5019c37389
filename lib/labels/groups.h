/* Groups of rows that show one person: by a CSV (row,group or id,group; a group is a whole number or a name), or by a tensor of one whole
 * number or text (u8, NUL-terminated: tns-import's source) a row. */
#ifndef GROUPS_H
#define GROUPS_H

#include <stdint.h>

#include "lib/stream/tns.h"

struct groups;

/* Dies, naming the row, over a cell that is no number or is empty, and over an id that stands twice. */
struct groups *groups_read(const char *path);
/* The group of an id: its number, or for a name a value that no number equals. Dies where the file has no such id; name: the data's, for
 * the message. */
uint64_t groups_of(const struct groups *g, uint32_t id, const char *name);
uint32_t groups_crc(const struct groups *g); /* of the file's text */
void groups_free(struct groups *g);

/* The number of tensor `by`; dies where there is none, or it is not one whole number or text a row. */
int groups_tensor(const struct tns *t, const char *by);
/* Its value in a row, to be compared with others of the tensor. */
uint64_t groups_value(const struct tns_def *d, const void *row);

#endif
