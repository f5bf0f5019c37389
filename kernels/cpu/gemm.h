/* General products of matrices, with what follows them in a layer. */
#ifndef GEMM_H
#define GEMM_H

#include "kernels/cpu/cpu.h"

enum { GEMM_LOCAL_COLUMNS = 256 }; /* a task's columns of B where it packs them itself */

struct gemm {
	struct cpu *c;
	int M, N, K, pairs;	  /* K of each pair (a[i], b[i]); the result is the sum over pairs */
	const float *a[2], *b[2]; /* (M, K), (K, N) before transposition */
	long lda, ldb;
	int trans_a, trans_b; /* transposed: a[i][k] at a + i + k lda; b[k][j] at b + j ldb + k */
	int words_a, words_b; /* in bf16: rows along K of words, not of factors: a not transposed, b transposed */
	/* epilogue */
	float *y; /* y[i ldy + j], or y[j ldy + i] where trans_y */
	long ldy;
	int trans_y, add;  /* add: y accumulates */
	const float *bias; /* of j, of i where trans_y */
	enum act act;
	const struct optimizer_step *opt; /* not NULL: the result is the gradient of weights y, with moments m, v */
	float *m, *v, correction1, correction2;
	/* set by cpu_gemm: the tiling; blocks of K and their depths are in words of `word` factors: 1, or in bf16 2 */
	int nr, word, words, k_blocks, m_panels, n_panels, /* nr: columns of a panel of B; blocks of K, over all pairs; panels of A, of B */
		m_group, m_groups, n_group;		   /* A's panels a task, groups of them; B's panels a task */
	const float *packed;
	int in_place, direct; /* B is not packed; tiles are sums in y */
};

/* local_pack: each task packs its panels of B itself: for large weights that a small batch uses once. */
void cpu_gemm(struct cpu *c, struct gemm *g, int local_pack);

#endif
