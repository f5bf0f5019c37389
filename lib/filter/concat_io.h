/* Private to lib/filter/concat*.c: the inputs, and how each one's tensors, points and numbers become those of the result. */
#ifndef CONCAT_IO_H
#define CONCAT_IO_H

#include "lib/filter/concat.h"
#include "lib/stream/dataset_stream.h"

/* Tensors of numbers into a list of names in a META. */
enum { CONCAT_LABEL, CONCAT_FILE, CONCAT_TABLES };

struct concat_input {
	const char *path;
	struct tns head;	  /* copies of definitions and METAs (late ones after the end), fingerprint after the end; nothing else */
	struct dataset_stream *d; /* a pipe from the start, a file while it is read; or NULL */
	int *tensor;		  /* (ntensors) its tensor for each of the result; -1: it has none (file) */
	int k;			  /* points */
	char **points;		  /* (k) names, or NULL */
	int *order;		  /* (npoints) its point for each of the result, or -1; NULL where they are the same */
	uint32_t *number[CONCAT_TABLES]; /* its numbers to those of the result; NULL: the same */
	int numbers[CONCAT_TABLES];
};

struct concat_tensor {
	struct tns_def def; /* of the result */
	int axis;	    /* point_axis, 0: no points */
	int table;	    /* CONCAT_LABEL, CONCAT_FILE or -1 */
	int id;		    /* in the output */
};

struct concat {
	struct concat_options o;
	int n, ntensors, npoints;
	struct concat_input *in;
	struct concat_tensor *tensor;
	char **points;		     /* (npoints) NULL: none are matched */
	char **table[CONCAT_TABLES]; /* names; NULL: none are matched */
};

/* Sets tensor, ntensors and each input's (concat_match.c), or ends the program. */
void concat_match(struct concat *c);
/* METAs before the rows and after them (concat_meta.c). */
void concat_early_metas(const struct concat *c, struct tns_writer *w);
void concat_late_metas(const struct concat *c, struct tns_writer *w);

/* Adds the name unless it is there; returns its number. *n: how many there are. */
int concat_add_name(char ***names, int *n, const char *name);

#endif
