#include "lib/train/train_memory.h"

#include <stdlib.h>
#include <string.h>

#include "lib/base/err.h"
#include "lib/base/memory.h"
#include "lib/nn/net_need.h"
#include "lib/nn/net_table.h"

struct train_memory train_memory(const struct backend *be, const struct netdesc *d, const struct train_options *a, uint32_t rows)
{
	int B = (uint32_t)a->batch < rows ? a->batch : (int)rows, moments = a->optimizer == OPTIMIZER_ADAM ? 2 : 1;
	int sharded = a->shards > 1, mine = sharded ? shards_rows(B, a->shards) * (a->shards / ranks_size(a->ranks)) : B;
	struct train_memory m = {.rows = mine};
	double gradients = 0;
	for (int i = 0; i < d->n; i++) /* those of dense weights are not stored where batches are whole */
		gradients += (double)(d->layer[i].nb + (d->layer[i].kind == LAYER_DENSE && !sharded ? 0 : d->layer[i].nw));
	m.weights = net_table_weights(d) + sizeof(real) * gradients;
	m.batch = (double)net_bytes(be, d, mine, sharded ? NET_GRADIENT : NET_TRAIN) - m.weights +
		  sizeof(real) * (double)mine * ((double)d->C * d->H * d->W + d->outputs);
	m.weights += sizeof(real) * ((double)moments * (double)d->nparam + (a->average > 0 ? (double)(d->nparam + d->nstat) : 0));
	return m;
}

void train_memory_require(const struct backend *be, const struct netdesc *d, const struct train_options *a, const struct dataset *train,
	const struct dataset *valid)
{
	if (!strcmp(be->name, "cuda"))
		return;
	struct train_memory m = train_memory(be, d, a, valid && valid->n > train->n ? valid->n : train->n);
	char *what = xprintf("training in batches of %d rows (--batch)", m.rows);
	memory_require(m.weights + m.batch, what);
	free(what);
}
