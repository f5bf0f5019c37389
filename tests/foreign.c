/* What tests/t_foreign.sh runs here and, built by other compilers, in place of other machines: reads a stream, as a pipe would come or as a
 * file (mapped), prints what it holds as text, and writes it again.
 *   foreign pipe|file IN OUT */
#include <inttypes.h>
#include <string.h>

#include "lib/base/err.h"
#include "lib/base/out.h"
#include "lib/stream/tns.h"

static void print_value(int dtype, const unsigned char *p)
{
	union {
		uint8_t u8;
		uint16_t u16;
		uint32_t u32;
		uint64_t u64;
		float f32;
		double f64;
	} v;
	memcpy(&v, p, tns_size(dtype));
	if (dtype == TNS_F32)
		printf(" %.9g", (double)v.f32);
	else if (dtype == TNS_F64)
		printf(" %.17g", v.f64);
	else
		printf(" %" PRIu64, tns_size(dtype) == 1 ? v.u8 : tns_size(dtype) == 2 ? v.u16 : tns_size(dtype) == 4 ? v.u32 : v.u64);
}

static void print_rows(const struct tns_def *d, uint64_t row, uint64_t n, const unsigned char *p)
{
	size_t size = tns_size(d->dtype);
	printf("%s from %" PRIu64 ":", d->name, row);
	for (size_t i = 0; i < n * d->row_bytes; i += size)
		print_value(d->dtype, p + i);
	printf("\n");
}

static void put_metas(const struct tns *t, struct tns_writer *w, int late)
{
	for (int i = 0; i < t->nmeta; i++)
		if (t->meta[i].late == late) {
			printf("%s: %s\n", t->meta[i].key, t->meta[i].value);
			tns_copy_meta(w, &t->meta[i]);
		}
}

static void define(const struct tns *t, struct tns_writer *w)
{
	for (int i = 0; i < t->ntensors; i++)
		tns_define(w, t->def[i].name, t->def[i].dtype, t->def[i].ndim, t->def[i].dim);
	put_metas(t, w, 0);
}

static void from_pipe(const char *path, struct tns_writer *w)
{
	struct tns *t = tns_open(path);
	define(t, w);
	while (tns_next(t)) {
		print_rows(&t->def[t->id], t->row, t->rows, t->data);
		tns_write(w, t->id, t->data, t->rows);
	}
	put_metas(t, w, 1);
	printf("%08" PRIx32 "\n", t->fingerprint);
	tns_free(t);
}

static void from_file(const char *path, struct tns_writer *w)
{
	struct tns_table *b = tns_load(path);
	const struct tns *t = tns_table_head(b);
	define(t, w);
	for (int i = 0; i < t->ntensors; i++)
		for (uint64_t r = 0; r < t->def[i].rows; r++) {
			print_rows(&t->def[i], r, 1, tns_row(b, i, r));
			tns_write(w, i, tns_row(b, i, r), 1);
		}
	put_metas(t, w, 1);
	printf("%08" PRIx32 "\n", t->fingerprint);
	tns_unload(b);
}

int main(int argc, char **argv)
{
	err_name("foreign");
	if (argc != 4)
		die_usage("foreign pipe|file IN OUT");
	struct tns_writer *w = tns_create(argv[3]);
	(*argv[1] == 'p' ? from_pipe : from_file)(argv[2], w);
	printf("%08" PRIx32 "\n", tns_close(w));
	return finish();
}
