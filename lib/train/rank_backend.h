/* The backend of a rank: of its machine's GPUs one of its own, and how ranks sum what lies in a GPU's memory (lib/ranks). Without ranks it
 * is that of backend_open. */
#ifndef RANK_BACKEND_H
#define RANK_BACKEND_H

#include "kernels/backend.h"
#include "lib/ranks/ranks.h"

#define OPT_FAST(to)                                                                                                                       \
	{                                                                                                                                  \
		0, "fast", OPT_FLAG, to, 0, 0, 0,                                                                                          \
			"ranks may sum gradients by AllReduce: perhaps faster; the bits then depend on their number", 0                    \
	}

/* device, threads, precision: as backend_open's. Of ranks "cuda" is, where KEYPIPE_GPU names none, the machine's first GPU for its first
 * rank, and so on, and around; ends the run where ranks compute by different kernels. fast: AllReduce sums gradients, which a line says. r
 * NULL: there are no ranks. */
struct backend *rank_backend_open(struct ranks *r, const char *device, int threads, const char *precision, int fast);
/* And its close. */
void rank_backend_close(struct ranks *r, struct backend *be);

#endif
