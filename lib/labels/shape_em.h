/* Private to lib/labels/shape*.c: EM for a multivariate t distribution of which coordinates are missing. */
#ifndef SHAPE_EM_H
#define SHAPE_EM_H

#include "lib/labels/shape.h"

struct shape_em {
	int p, w, h; /* coordinates; image size */
	size_t n, labelled;
	const float *xy; /* (n, p) */
	uint64_t *mask;	 /* (n) labelled points of each row */
	uint64_t seen;	 /* points that some row has */
	double shrink;	 /* weight, in rows, of shape_target; 0, as at first: of none */
	/* private */
	double *median, *prior; /* (p) of the single coordinates: medians, squared deviations */
	int *order, ngroups;	/* order: row indices by group */
	struct shape_em_group *group;
	double *block, *sum, *scatter, *b, *r, *c, *g, *y, *target; /* scratch, up to (p, p): see accumulate_group */
	int *observed, *missing;
};

/* Of n rows (n, K, 2), which stay the caller's. */
struct shape_em *shape_em_new(int k, const float *xy, size_t n, int w, int h);
void shape_em_free(struct shape_em *f);
/* Independent coordinates: medians and median absolute deviations of all rows. */
void shape_em_start(const struct shape_em *f, struct shape *s);
/* From the model that s holds, up to so many iterations on the rows to keep (n), at fixed degrees of freedom. */
void shape_em_run(struct shape_em *f, struct shape *s, const char *keep, double dof, int steps);
/* The q quantile: element q (n - 1) of v (n) if it were sorted; reorders v. */
double shape_em_quantile(double *v, size_t n, double q);

#endif
