/* Principal components of images: the eigenvectors of the covariance of their pixels. Of few pixels, or few rows, the products of all with
 * all are computed, from sums that are exact, and all eigenvalues of them, or, of more, the leading eigenvectors alone; of many of both
 * the leading eigenvectors are found by products with the images (krylov.h). Results are the same bits for any number of threads, on one
 * kind of processor (eigen_kernel). */
#ifndef PCA_H
#define PCA_H

#include <stdint.h>

/* Up to so many pixels, or rows: all eigenvalues; the products of all with all. Beyond, these cost more than products with some vectors. */
enum { PCA_WHOLE = 2048, PCA_MATRIX = 4096 };

struct pca_options {
	int k;		   /* components; 0: as many as energy needs */
	double energy;	   /* share of the variance, above 0 to 1 */
	int whole, matrix; /* PCA_WHOLE, PCA_MATRIX; tests set others */
	int threads;	   /* at least 1 */
	uint64_t seed;	   /* of the random blocks of krylov.h */
};

struct pca {
	int pixels, k;
	double *mean;	   /* (pixels), bytes */
	double *variance;  /* (k), falling: along each component, bytes squared, divided by rows - 1; above 0 */
	double *component; /* (k, pixels), orthonormal; of each the value that is largest without its sign (the first of equals) is above 0
			    */
	double total;	   /* variance of all pixels together */
};

/* image (rows, pixels). Dies, with name, where the rows vary in fewer than k directions, or in none, and rather than explain less than
 * energy. */
struct pca *pca_fit(const uint8_t *image, uint32_t rows, int pixels, const struct pca_options *o, const char *name);
/* Share of the variance that the first n components explain. */
double pca_explained(const struct pca *p, int n);
void pca_free(struct pca *p);

#endif
