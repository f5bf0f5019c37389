/* libFuzzer target of side tables: lookup tables of a submission, groups of rows, suspect labels, and any table. The first byte says which,
 * the rest is the file. What is taken answers for every row, what is not ends the program with the file's name. With FUZZ_SEEDS=DIR it
 * writes seeds there and exits. */
#include <math.h>
#include <zlib.h>

#include "lib/labels/groups.h"
#include "lib/labels/suspects.h"
#include "lib/predict/submission.h"
#include "tests/fuzz_die.h"

/* In the place of lib/base/out.c: what is written of a submission. */
static int lines;

void out_printf(struct out *o, const char *fmt, ...)
{
	char text[4096];
	va_list ap;
	(void)o;
	va_start(ap, fmt);
	need(vsnprintf(text, sizeof text, fmt, ap) > 0);
	va_end(ap);
	lines++;
}

static char *names[] = {(char[]){"nose"}, (char[]){"left_eye"}, NULL};

static void lookup(int fill)
{
	struct submission *a = submission_open(fuzz_path(), names);
	size_t rows = a->table->rows;
	float at[4] = {1, -2, 300, NAN};
	int filled = 0;
	for (uint32_t image = 0; image < 4; image++)
		filled += submission_add(a, image, at, 8, 6);
	need(filled >= 0 && (size_t)filled <= rows);
	for (size_t i = 0; i < rows; i++)
		need(a->coord[i] >= 0 && a->coord[i] < 4 && !(a->value[i] < 0) && !(a->value[i] > 7));
	at[0] = 2;
	int same = submission_add(a, 1, at, 8, 6);
	need(same >= -1 && same <= (int)rows);
	if (fill)
		need(submission_fill_mean(a) <= rows);
	lines = 0;
	submission_close(a, NULL, fill ? NULL : "left_eye");
	need((size_t)lines == rows + 1);
}

static void groups(int id)
{
	struct groups *g = groups_read(fuzz_path());
	uint64_t group = groups_of(g, (uint32_t)id, "x");
	need(group == groups_of(g, (uint32_t)id, "x"));
	(void)groups_crc(g);
	groups_free(g);
}

static void suspects(int force)
{
	uint32_t crc;
	size_t unsure, at = 0;
	struct suspects *s = suspects_load(fuzz_path(), names, force, &crc, &unsure);
	const char *value = NULL;
	for (int k; (k = suspects_next(s, 1, &at, &value)) >= 0;)
		need(k < 2 && value);
	need(!force || !unsure);
	suspects_end(s);
	suspects_free(s);
}

static void any(void)
{
	struct table *t = table_read(fuzz_path());
	uint64_t v;
	need(t->cols >= 1);
	for (size_t r = 0; r < t->rows; r++)
		for (int c = 0; c < t->cols; c++) {
			if (table_number(table_cell(t, r, c), 1000, &v))
				need(v <= 1000 && table_uint(t, r, c, 1000) == v);
		}
	need(table_require(t, table_cell(t, (size_t)-1, 0)) == 0);
	table_require(t, "RowId");
	table_free(t);
}

static void run(void *arg)
{
	switch (*(const char *)arg) {
	case '0':
	case '1':
		lookup(*(const char *)arg == '1');
		break;
	case '2':
	case '3':
		groups(*(const char *)arg - '0');
		break;
	case '4':
	case '5':
		suspects(*(const char *)arg == '5');
		break;
	case '6':
		any();
		break;
	}
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	static const char *const texts[] = {"0RowId,ImageId,FeatureName,Location\n1,1,nose_x,\n2,1,nose_y,\n3,2,nose_x,\n",
		"0\xef\xbb\xbf\"RowId\"\t\"ImageId\"\tFeatureName\r\n1\t1.0\t nose_y \r\n\r\n",
		"0RowId;FeatureName;ImageId\n7.00;left_eye_x;3\n",
		"1RowId|FeatureName|ImageId\n1|left_eye_y|1\n2|nose_x|1\n3|nose_x|9\n4|left_eye_y|9\n",
		"1RowId,ImageId,FeatureName\n1,9,nose_x\n", "0RowId,ImageId,FeatureName\n1,1,nose_x\n1,1,nose_y\n",
		"0RowId,ImageId,FeatureName\n1,1,nosex\n", "0RowId,ImageId,FeatureName\n1,1,no_x\n",
		"0RowId,ImageId,FeatureName\n1,4294967296,nose_x\n", "0RowId,ImageId\n", "0RowId,ImageId,FeatureName\n1,1\n",
		"0RowId,ImageId,FeatureName\n1,1,x\n", "1RowId,ImageId,FeatureName\n1,1,left_eye_y\n2,1,nose_y\n",
		"1RowId,ImageId,FeatureName\n1,9,left_eye_y\n2,1,nose_y\n", "0RowId,ImageId,FeatureName\n1,1,nose_z\n",
		"0RowId,ImageId,FeatureName\n1,1,nose-x\n", "2row,group\n1,7\n2,\"a \"\"b\"\"\"\n3,x\n",
		"3id,group\n3,4294967295\n2,4294967296\n", "2row,group\n1,\n", "2row,group\n2,1\n2,2\n", "2id,grp\n1,1\n",
		"3row,group\n5,5\n", "2row,group\nx,1\n", "4row,name,kind,value\n1,nose,suspect,1 2\n1,left_eye,unsure,\n2,nose,fault,\n",
		"5row,name,kind,value\n1,nose,suspect,1 2\n1,left_eye,unsure,\n", "4row,name,kind,value\n1,mouth,suspect,\n",
		"4row,name,kind,value\n2,nose,suspect,\n", "6a,b\n\"1,\n2\" ,2.\n", "6a\n\"x\n", "6", "6\n \n", "6a,b\n1\n",
		"6 a ,\n 1\t,\n", "6RowId\r1000\r1001\r", "6RowId\n000000000000000000000000001\n1.0x\n1e3\n", "6\x89PNG\r\n\x1a\n",
		"6a,b\n1,2"};
	(void)argc, (void)argv;
	if (fuzz_seeds_dir()) {
		char path[1024], part[4096];
		memset(part, '1', sizeof part);
		for (int i = 0; i < 3; i++) { /* packed: a small table, one larger than the first buffer, one that is cut */
			snprintf(path, sizeof path, "%s/packed%d", fuzz_seeds_dir(), i);
			FILE *f = fopen(path, "wb");
			need(f && fputc('6', f) == '6' && !fclose(f));
			gzFile z = gzopen(path, "ab");
			need(z && gzputs(z, "RowId\n") > 0);
			for (int k = 0; i && k < 40; k++)
				need(gzwrite(z, part, sizeof part) == sizeof part);
			need(gzclose(z) == Z_OK && (i < 2 || !truncate(path, 100)));
		}
		fuzz_seed("zero", "6a\n\0\n", 5);
		fuzz_seed_texts("", texts, sizeof texts / sizeof *texts);
		exit(0);
	}
	return 0;
}

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size)
{
	if (!size || *data < '0' || *data > '6')
		return 0;
	char which = (char)*data;
	fuzz_file(data + 1, size - 1);
	if (fuzz_died(run, &which))
		need(strstr(fuzz_why, fuzz_path()) || strstr(fuzz_why, "%s: row"));
	return 0;
}
