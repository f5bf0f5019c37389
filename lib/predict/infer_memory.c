#include "lib/predict/infer_memory.h"

#include <string.h>

#include "lib/base/memory.h"
#include "lib/nn/net_need.h"

void infer_require_memory(const struct backend *be, struct model **m, int n, int flip, int B)
{
	const int gpu = !strcmp(be->name, "cuda");
	double bytes = 0, row = 20.0 * m[0]->W * m[0]->H + 32.0 * m[0]->outputs;
	for (int i = 0; i < n; i++) {
		const double need = net_need(be, &m[i]->d, B), mapped = m[i]->d.nstat ? 0 : (double)m[i]->d.nparam * sizeof(real);
		bytes += gpu ? 0 : need - mapped;
		row += 2.0 * (1 + flip) * sizeof(real) * m[i]->outputs;
	}
	memory_require(bytes + B * row, n > 1 ? "a batch of these models" : "a batch of this model");
}
