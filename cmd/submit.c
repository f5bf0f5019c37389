/* submit - predictions into the competition's submission: an answer to every row of its lookup table. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "lib/ds.h"
#include "lib/err.h"
#include "lib/lookup.h"
#include "lib/opt.h"
#include "lib/out.h"
#include "lib/table.h"

static struct {
	const char *lookup, *output;
	int64_t threads;
	int quiet;
} o;

static const struct opt opts[] = {
	{0, "lookup", OPT_STR, &o.lookup, 0, 0, "TABLE", "what is asked: a CSV with RowId, ImageId and FeatureName, plain or gzip", 0},
	OPT_THREADS(&o.threads),
	OPT_QUIET(&o.quiet),
	OPT_OUTPUT(&o.output),
	OPT_END,
};

static const struct opt_prog prog = {"submit", "writes the competition's submission from predictions: RowId,Location, clipped to the image",
	"[PREDICTIONS]", 0, 1, opts,
	{"csv-clean test.csv.gz | predict model.tns | submit --lookup IdLookupTable.csv -o submission.csv", NULL}};

struct predictions {
	char **names;
	int K, W, H;
	float *xy;	  /* (rows, K, 2) */
	uint64_t *id;
	size_t rows;
	const char *name; /* of the stream */
	struct lookup by_id;
};

/* All predictions, without the images. */
static void load(struct predictions *p, struct ds *d)
{
	int image = ds_need(d->in, "image", TNS_U8, 3), xy = ds_need(d->in, "predicted", TNS_F32, 3), id = ds_need(d->in, "id", TNS_U32, 1);
	const struct tns_def *def = &d->in->def[xy];
	size_t size = 0;
	if (def->dim[2] != 2)
		die("%s: predicted has %llu values a point, not 2", d->in->name, (unsigned long long)def->dim[2]);
	p->K = (int)def->dim[1], p->name = d->in->name;
	p->H = (int)d->in->def[image].dim[1], p->W = (int)d->in->def[image].dim[2];
	p->names = ds_points(d->in, p->K);
	for (uint64_t n; (n = ds_next(d));) {
		if (p->rows + n > size) {
			size = 2 * (p->rows + n);
			p->xy = xrealloc(p->xy, size * def->row_bytes);
			p->id = xrealloc(p->id, size * sizeof *p->id);
		}
		memcpy(p->xy + p->rows * 2 * (size_t)p->K, ds_at(d, xy, 0), n * def->row_bytes);
		for (uint64_t i = 0; i < n; i++)
			p->id[p->rows + i] = *(const uint32_t *)ds_at(d, id, i);
		p->rows += n;
	}
	lookup_make(&p->by_id, p->id, p->rows);
	size_t twice = lookup_twice(&p->by_id);
	if (twice < p->rows)
		die("%s: row %zu: id %llu stands twice", p->name, p->by_id.by[twice].row + 1, (unsigned long long)p->by_id.by[twice].key);
}

/* "nose_tip_y" to the place of its value in a row, or -1. */
static int column_of(const struct predictions *p, const char *feature)
{
	size_t n = strlen(feature);
	for (int k = 0; k < p->K; k++)
		if (n == strlen(p->names[k]) + 2 && !strncmp(feature, p->names[k], n - 2) && feature[n - 2] == '_' && (feature[n - 1] == 'x' || feature[n - 1] == 'y'))
			return 2 * k + (feature[n - 1] == 'y');
	return -1;
}

static void row_ids_once(const struct table *t, int row_id)
{
	struct lookup l;
	uint64_t *ids = xcalloc(t->rows, sizeof *ids);
	for (size_t i = 0; i < t->rows; i++)
		ids[i] = table_uint(t, i, row_id, UINT64_MAX - 1);
	lookup_make(&l, ids, t->rows);
	size_t twice = lookup_twice(&l);
	if (twice < t->rows)
		table_die(t, l.by[twice].row, "RowId %llu stands twice", (unsigned long long)l.by[twice].key);
	lookup_free(&l);
	free(ids);
}

int main(int argc, char **argv)
{
	int n;
	char **operand = opt_parse(&prog, argc, argv, &n);
	if (!o.lookup)
		die_usage("--lookup must be given");
	struct table *t = table_read(o.lookup);
	int row_id = table_need(t, "RowId"), image_id = table_need(t, "ImageId"), feature = table_need(t, "FeatureName");
	row_ids_once(t, row_id);
	struct predictions p = {0};
	struct ds *d = ds_open(operand[0]);
	load(&p, d);

	struct out *out = out_open(o.output, 0);
	size_t clipped = 0;
	out_printf(out, "RowId,Location\n");
	for (size_t i = 0; i < t->rows; i++) {
		uint64_t image = table_uint(t, i, image_id, UINT32_MAX);
		size_t at = lookup_first(&p.by_id, image);
		int c = column_of(&p, table_at(t, i, feature));
		if (at == p.rows)
			table_die(t, i, "ImageId %llu is not among the predictions of %s", (unsigned long long)image, p.name);
		if (c < 0)
			table_die(t, i, "FeatureName '%s' is not among the predicted points of ImageId %llu", table_at(t, i, feature), (unsigned long long)image);
		float v = p.xy[p.by_id.by[at].row * 2 * (size_t)p.K + (size_t)c], most = (float)((c & 1 ? p.H : p.W) - 1);
		if (!isfinite(v))
			table_die(t, i, "ImageId %llu: %s was predicted as %g", (unsigned long long)image, table_at(t, i, feature), (double)v);
		clipped += v < 0 || v > most;
		out_printf(out, "%s,%.6g\n", table_at(t, i, row_id), (double)(v < 0 ? 0 : v > most ? most : v));
	}
	out_close(out);
	if (!o.quiet)
		warn("%zu rows answered, %zu clipped to the image", t->rows, clipped);
	lookup_free(&p.by_id);
	ds_free_names(p.names);
	free(p.xy), free(p.id);
	table_free(t);
	ds_close(d);
	return finish();
}
