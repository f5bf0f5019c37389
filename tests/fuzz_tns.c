/* libFuzzer target of the stream's reader. An input is read as it is and again with its record headers repaired; readers from memory and
 * from a descriptor must agree, and a loaded table must have the rows that its head tells; gzip too. With FUZZ_SEEDS=DIR it writes seeds
 * there and exits: small streams of all that format.md names, plain and gzip. */
#include "lib/base/crc.h"
#include "tests/fuzz_die.h"
#include "tests/fuzz_stream.h"
#include "tests/wire.h"

static void seed(const char *name, struct wire *w)
{
	char path[1024];
	fuzz_seed(name, w->p, w->n);
	snprintf(path, sizeof path, "%s/%s.gz", fuzz_seeds_dir(), name);
	gzFile z = gzopen(path, "wb");
	need(z && gzwrite(z, w->p, (unsigned)w->n) > 0 && gzclose(z) == Z_OK);
	free(w->p);
}

static void seeds(void)
{
	static const uint64_t image[] = {UINT64_MAX, 4, 3}, points[] = {UINT64_MAX, 2, 2}, id[] = {UINT64_MAX}, fixed[] = {3, 2};
	static const char *const others[] = {"id,a_x,a_y,Image\n", "PK\3\4", "\x89PNG\r\n\x1a\n", "\xff\xd8\xff", "{\"a\":1}", "",
		"\x93NUMPY\1", "<?xml version='1.0'?><dataset>", "BZh91AY&SY", "\x28\xb5\x2f\xfd", "P5 1 1 255 ", "SQLite format 3"};
	unsigned char row[64] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12};
	struct wire w;
	for (int packed = 0; packed < 2; packed++) {
		wire_begin(&w);
		wire_tdef(&w, 0, TNS_U8, 3, image, "image"), wire_tdef(&w, 1, TNS_F32, 3, points, "keypoints");
		wire_tdef(&w, 2, TNS_U32, 1, id, "id"), wire_meta(&w, "points", "a,b");
		for (uint32_t i = 0; i < 3; i++) {
			packed ? wire_zlib(&w, "DATA", 0, row, 12) : wire_data(&w, 0, row, 12);
			wire_data(&w, 1, row, 16), wire_data(&w, 2, &i, 4);
		}
		wire_meta(&w, "history", "x 0.1 < 00000000\n");
		wire_end(&w, 3, (uint64_t[]){3, 3, 3});
		seed(packed ? "packed" : "plain", &w);
	}
	wire_begin(&w);
	wire_tdef(&w, 0, TNS_F64, 2, fixed, "w"), wire_tdef(&w, 1, TNS_U16, 0, NULL, "one"), wire_tdef(&w, 2, TNS_U8, 1, id, "none");
	wire_data(&w, 0, row, 16), wire_record(&w, "note", WIRE_NONE, row, 5), wire_data(&w, 0, row, 32), wire_data(&w, 1, row, 2);
	wire_end(&w, 3, (uint64_t[]){3, 1, 0});
	seed("fixed", &w);
	wire_begin(&w);
	wire_record(&w, "ABRT", WIRE_NONE, "why it ended", 12);
	seed("ended", &w);
	for (size_t i = 0; i < sizeof others / sizeof *others; i++)
		fuzz_seed((char[]){'o', (char)('a' + i), 0}, others[i], strlen(others[i]));
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	(void)argc, (void)argv;
	if (fuzz_seeds_dir()) {
		seeds();
		exit(0);
	}
	return 0;
}

size_t LLVMFuzzerCustomMutator(unsigned char *data, size_t size, size_t max, unsigned seed)
{
	return fuzz_stream_mutate(data, size, max, seed);
}

/* As wire_read_all of a descriptor, which is the file in memory's. */
static int read_file(const unsigned char *p, size_t n, char *why)
{
	fuzz_file(p, n);
	int fd = dup(fuzz_fd());
	need(fd >= 0 && !lseek(fd, 0, SEEK_SET));
	return wire_read_all(tns_open_fd(fd, "w.tns"), why);
}

struct input {
	const unsigned char *p;
	size_t n;
};

/* The whole table, which ends the program where wire_read refuses; from a path, above so many bytes left in the file. */
static void load(void *arg)
{
	const struct input *in = arg;
	uint32_t crc[3][64] = {{0}};
	fuzz_file(in->p, in->n);
	tns_free(tns_open(fuzz_path())), tns_free(NULL);
	for (int way = 0; way < 3; way++) {
		struct tns_table *b = way ? tns_load_within(fuzz_path(), way == 1 ? 1e9 : 0) : tns_load_memory(in->p, in->n, "w.tns");
		const struct tns *t = tns_table_head(b);
		unsigned char buffer[4096];
		for (int i = 0; i < t->ntensors && i < 64; i++) {
			const struct tns_def *d = &t->def[i];
			for (uint64_t r = 0; r < d->rows && r < 50 && d->row_bytes <= sizeof buffer; r++) {
				need(tns_contiguous_rows(b, i, r) >= 1);
				crc[way][i] = crc_add(crc[way][i], tns_read_row(b, i, r, buffer), d->row_bytes);
			}
			need(crc[way][i] == crc[0][i]);
			if ((double)d->rows * (double)d->row_bytes < 1 << 20) {
				char *all = xmalloc((size_t)d->rows * d->row_bytes);
				tns_copy(b, i, all);
				need(!d->rows || !memcmp(all, tns_row(b, i, 0), d->row_bytes));
				free(all);
			}
			if (d->rows)
				tns_will_read(b, i, 0);
		}
		if (t->ntensors && t->nmeta)
			need(tns_find(t, t->def[t->ntensors - 1].name) == t->ntensors - 1 && tns_meta_value(t, t->meta[0].key) &&
				tns_find(t, "nosuch") < 0 && !tns_meta_value(t, ""));
		if (way)
			tns_release_rows(b);
		tns_unload(b);
	}
}

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size)
{
	char memory[512], file[512];
	unsigned char *p = malloc(size + !size);
	need(p != NULL);
	if (size)
		memcpy(p, data, size);
	for (int repaired = 0; repaired < 2; repaired++) {
		if (repaired && size < 64)
			break;
		if (repaired)
			fuzz_stream_repair(p, size);
		if (repaired && !memcmp(p, data, size))
			break;
		int a = wire_read_all(tns_open_memory(p, size, "w.tns"), memory), b = read_file(p, size, file);
		need(a == b && !strcmp(memory, file));
		struct input in = {p, size};
		if (a || repaired)
			need(fuzz_died(load, &in) == !a);
	}
	free(p);
	return 0;
}
