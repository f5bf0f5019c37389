/* libFuzzer target of what reads tables: with notes and without, CSV, TSV and semicolons. What is accepted must be a stream that the writer
 * takes (names, dimensions, METAs), and a fault must have its reason. With FUZZ_SEEDS=DIR it writes seeds there and exits. */
#include "lib/base/crc.h"
#include "lib/table/table_in.h"
#include "tests/fuzz_die.h"

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	static const char *const texts[] = {
		"# keypipe table 1 (tns-table --read)\n# tensor image u8 2,2\n# meta points: a,b\n# tensor keypoints f32 2,2\n# tensor id "
		"u32\n"
		"id,a_x,a_y,b_x,b_y,Image\n1,0.5,2,,-nan,0 9 10 255\n2,3,4,5,inf,1 2 3 4\n# meta history: x 0.1\\\\\\n\\x07\n"
		"# end: text 00000000, stream 00000000\n",
		"# keypipe table 1 (tns-table --read)\n# meta classes: x,y\n# tensor score f32 2\n# tensor v f64 65\n# tensor w i16 3\n# "
		"tensor h f16\n"
		"# tensor b bool\nscore_x\tscore_y\tb\th\tw_1\tw_2\tw_3\tv\n",
		"\xef\xbb\xbfImageId,a_x,a_y,predicted_a_x,predicted_a_y,confidence_a,score,label,error,pixels\r\n7.0,1,2,NA,,\" 3 "
		"\",1,2,0,1 2 3 4\r\n",
		"id;a_x;a_y;age\n1;+1,5;2;1e3\n", "# c\nid\n\"1\"\n\n"};
	(void)argc, (void)argv;
	if (fuzz_seeds_dir()) {
		fuzz_seed_texts("", texts, sizeof texts / sizeof *texts);
		exit(0);
	}
	return 0;
}

static void check_def(const struct table_in *t, int i)
{
	const struct tns_def *d = &t->def[i];
	size_t bytes = tns_size(d->dtype), len = strlen(d->name);
	if (!bytes || d->ndim < 1 || d->ndim > 8 || d->dim[0] != TNS_UNLIMITED || !len || len > 255)
		abort();
	for (int k = 1; k < d->ndim; k++)
		bytes *= (size_t)d->dim[k];
	if (bytes != d->row_bytes || !bytes || bytes > TNS_CHUNK_MAX)
		abort();
	for (int k = 0; k < i && i < 100; k++)
		if (!strcmp(t->def[k].name, d->name))
			abort();
}

static void open_file(void *arg)
{
	struct table_in *t = table_in_open(fuzz_path());
	(void)arg;
	if (table_in_head(t) != TABLE_IN_ERR)
		while (table_in_step(t) == TABLE_IN_ROW)
			;
	table_in_free(t);
}

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size)
{
	static const char *const further[] = {"age", "a b", "id", "other"};
	char *others[] = {(char *)(uintptr_t)further[size % 8 < 5 ? 0 : size % 8 - 4], NULL};
	if (size % 16 == 0) {
		fuzz_file(data, size);
		need(!fuzz_died(open_file, NULL));
	}
	for (int way = 0; way < 2; way++) {
		struct table_in *t = table_in_open_memory(data, size, "x");
		uint32_t crc = 0;
		if (way)
			t->others = others, t->w = t->h = 2;
		int r = table_in_head(t);
		for (int i = 0; r != TABLE_IN_ERR && i < t->ntensors; i++)
			check_def(t, i);
		while (r != TABLE_IN_ERR && (r = table_in_step(t)) == TABLE_IN_ROW)
			for (int i = 0; i < t->ntensors; i++)
				crc = crc_add(crc, t->value[i], t->def[i].row_bytes);
		for (int i = 0; r != TABLE_IN_ERR && i < t->nmeta; i++)
			if (!t->meta[i].key_len || strlen(t->meta[i].key) != t->meta[i].key_len || t->place[i] > t->ntensors)
				abort();
		if ((r == TABLE_IN_ERR) != !!*t->err)
			abort();
		table_in_free(t);
	}
	return 0;
}
