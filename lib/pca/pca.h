/* Principal components of images: the eigenvectors of the covariance of their pixels. Of few pixels the covariance is computed whole, from
 * sums that are exact; of many its leading eigenvectors are found by products with it alone (krylov.h). Results are the same bits for any
 * number of threads, on one kind of processor (eigen_kernel). */
#ifndef PCA_H
#define PCA_H

#include <stdint.h>

enum { PCA_WHOLE = 2048 }; /* up to so many pixels the whole covariance; beyond, its eigenvectors cost more than the products */

struct pca_options {
	int k;	       /* components; 0: as many as energy needs */
	double energy; /* share of the variance, above 0 to 1 */
	int whole;     /* PCA_WHOLE; tests set others */
	int threads;   /* at least 1 */
	uint64_t seed; /* of the first block of krylov.h */
};

struct pca {
	int pixels, k;
	double *mean;	   /* (pixels), bytes */
	double *variance;  /* (k), falling: along each component, bytes squared, divided by rows - 1; above 0 */
	double *component; /* (k, pixels), orthonormal; of each the value that is largest without its sign (the first of equals) is above 0
			    */
	double total;	   /* variance of all pixels together */
};

/* image (rows, pixels). Dies, with name, where the rows vary in fewer than k directions, or in none. */
struct pca *pca_fit(const uint8_t *image, uint32_t rows, int pixels, const struct pca_options *o, const char *name);
/* Share of the variance that the first n components explain. */
double pca_explained(const struct pca *p, int n);
void pca_free(struct pca *p);

#endif
