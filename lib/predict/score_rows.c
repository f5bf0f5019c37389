/* A line a row. */
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/err.h"
#include "lib/base/json.h"
#include "lib/base/out.h"
#include "lib/predict/score_rows.h"

struct score_rows {
	struct out *to;
	int k, id; /* points; number of the tensor id, or -1 */
	const char *left_out;
	double *distance; /* (K): of the row; NaN: none */
};

struct score_rows *score_rows_open(const char *path, const struct tns *in, char **names, int k, const char *left_out)
{
	if (!path)
		return NULL;
	struct score_rows *r = xcalloc(1, sizeof *r);
	r->to = out_open(path, 0);
	r->id = tns_find(in, "id");
	if (r->id >= 0 && (in->def[r->id].dtype != TNS_U32 || in->def[r->id].ndim != 1))
		r->id = -1;
	r->k = k, r->left_out = left_out;
	r->distance = xcalloc((size_t)k + 1, sizeof *r->distance);
	out_printf(r->to, "id\trow\tmean_px");
	for (int i = 0; i < k; i++) {
		if (strpbrk(names[i], "\t\r\n"))
			die("%s: point %d has a name that is no header of a column", path, i + 1);
		out_printf(r->to, "\t%s", names[i]);
	}
	out_write(r->to, "\n", 1);
	return r;
}

static void cell(struct out *to, double v)
{
	char buf[32];
	out_printf(to, "\t%s", isnan(v) ? "" : json_digits(buf, v, 1));
}

void score_rows_add(struct score_rows *r, const struct dataset_stream *d, uint64_t row, const float *truth, const float *predicted)
{
	double sum = 0;
	int n = 0;
	if (!r)
		return;
	for (int i = 0; i < r->k; i++) {
		double x = (double)predicted[2 * i] - truth[2 * i], y = (double)predicted[2 * i + 1] - truth[2 * i + 1];
		r->distance[i] = r->left_out[i] || isnan(x) || isnan(y) ? NAN : hypot(x, y);
		if (!isnan(r->distance[i]))
			sum += r->distance[i], n++;
	}
	if (r->id >= 0)
		out_printf(r->to, "%" PRIu32, *(const uint32_t *)dataset_stream_at(d, r->id, row));
	out_printf(r->to, "\t%" PRIu64, d->row + row + 1);
	cell(r->to, n ? sum / n : NAN);
	for (int i = 0; i < r->k; i++)
		cell(r->to, r->distance[i]);
	out_write(r->to, "\n", 1);
}

void score_rows_sync(struct score_rows *r)
{
	if (r)
		out_sync(r->to);
}

void score_rows_close(struct score_rows *r)
{
	if (!r)
		return;
	out_close(r->to);
	free(r->distance), free(r);
}
