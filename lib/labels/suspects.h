/* Labels that a net stayed far from in training (cnn-train --suspects): read from a report of the form row, name, kind, value, action; the
 * rows whose kind is "suspect" count, and row is the data set's id. Those of kind "unsure" are of a net that knew too little, or too many.
 */
#ifndef SUSPECTS_H
#define SUSPECTS_H

#include <stddef.h>
#include <stdint.h>

struct suspects;

/* names: the points (K, NULL-terminated). Dies, naming row and value, over a point that is none of them. crc: of the file's text. force:
 * unsure ones count too; *unsure: how many don't. */
struct suspects *suspects_load(const char *path, char **names, int force, uint32_t *crc, size_t *unsure);
/* The next suspect label of a row: its point, or -1; *at from 0 on for each row; value: how far off, as it stands in the file. */
int suspects_next(struct suspects *s, uint32_t id, size_t *at, const char **value);
/* Dies over the first suspect of a row that never came. */
void suspects_end(const struct suspects *s);
void suspects_free(struct suspects *s);

#endif
