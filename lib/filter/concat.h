/* Data sets one after another, as one data set. Tensors are matched by name; points, classes and sources too: in the result they stand in
 * the order of their first appearance, and points that an input lacks are NaN. Memory is that of one input's block of rows (and of the
 * first chunk of each pipe): a file's head is read first, the file again when its turn comes. */
#ifndef CONCAT_H
#define CONCAT_H

#include "lib/stream/tns.h"

struct concat_options {
	int common;   /* 1: only the tensors that all inputs have; else all must have the same */
	int source;   /* 1: adds tensor `file` u32 [N], a number from 0 in META `sources`, the inputs' base names, comma-joined */
	int renumber; /* 1: tensor `id` becomes 1, 2, ... */
	int ids;      /* 1: repeated ids are counted */
};

struct concat_counts {
	uint64_t rows;
	uint64_t repeated; /* rows whose id an earlier row has */
	uint32_t id;	   /* the first such id, */
	const char *in;	   /* and its input's name */
};

struct concat;

/* Reads the heads of the n inputs ("-" is stdin, once, else wrong use) and matches them, or ends the program with the names of two that
 * don't match. */
struct concat *concat_open(char *const *path, int n, const struct concat_options *o);
/* Defines the tensors and writes all: METAs, rows, late METAs (equal ones; counts are added up), history with this program's line. */
struct concat_counts concat_write(struct concat *c, struct tns_writer *w);
void concat_free(struct concat *c);

#endif
