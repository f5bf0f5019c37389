/* Hashes of training images: sorted, sampled by size, looked up. */
#include <stdlib.h>
#include <string.h>

#include "lib/base/ascending.h"
#include "lib/base/err.h"
#include "lib/base/hash.h"
#include "lib/nn/trained.h"
#include "lib/stream/dataset_stream.h"

uint64_t trained_hash(const void *image, size_t bytes)
{
	uint64_t h;
	hash_bytes(image, bytes, &h, NULL);
	return h;
}

/* The smallest of the union of two such sets are those of both: no hash below either's last is missing. */
struct trained *trained_new(uint64_t *hash, size_t n, const struct trained *before)
{
	struct trained *t = xcalloc(1, sizeof *t);
	size_t old = before ? before->n : 0;
	t->hash = xrealloc(hash, (n + old + 1) * sizeof *t->hash);
	if (old)
		memcpy(t->hash + n, before->hash, old * sizeof *t->hash);
	qsort(t->hash, n + old, sizeof *t->hash, ascending_u64);
	for (size_t i = 0; i < n + old && t->n < TRAINED_MAX; i++)
		if (!t->n || t->hash[i] != t->hash[t->n - 1])
			t->hash[t->n++] = t->hash[i];
	return t;
}

int trained_has(const struct trained *t, const void *image, size_t bytes)
{
	uint64_t h = trained_hash(image, bytes);
	if (bsearch(&h, t->hash, t->n, sizeof h, ascending_u64))
		return TRAINED_ON;
	return t->n == TRAINED_MAX && h > t->hash[t->n - 1] ? TRAINED_UNKNOWN : TRAINED_NOT;
}

struct trained *trained_read(const struct tns_table *b)
{
	const struct tns *h = tns_table_head(b);
	if (tns_find(h, "trained") < 0)
		return NULL;
	int id = dataset_stream_require(h, "trained", TNS_U64, 1);
	uint64_t n = h->def[id].rows;
	if (n > TRAINED_MAX)
		die("%s: trained has %llu rows, at most %d are kept", h->name, (unsigned long long)n, TRAINED_MAX);
	struct trained *t = xcalloc(1, sizeof *t);
	t->n = (size_t)n, t->hash = xcalloc(t->n + 1, sizeof *t->hash);
	tns_copy(b, id, t->hash);
	for (size_t i = 1; i < t->n; i++)
		if (t->hash[i] <= t->hash[i - 1])
			die("%s: trained is not ascending at row %zu", h->name, i + 1);
	return t;
}

int trained_define(const struct trained *t, struct tns_writer *w)
{
	return t ? tns_define(w, "trained", TNS_U64, 1, (uint64_t[]){t->n}) : -1;
}

void trained_write(const struct trained *t, struct tns_writer *w, int id)
{
	if (id >= 0 && t->n)
		tns_write(w, id, t->hash, t->n);
}

void trained_free(struct trained *t)
{
	if (t)
		free(t->hash);
	free(t);
}
