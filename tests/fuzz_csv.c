/* libFuzzer target of what reads CSV: plain, gzip or zip, in any form that csv.h names. Pieces of all sizes must give the same text, the
 * same rows and the same error. With FUZZ_SEEDS=DIR it writes seeds there and exits. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "lib/base/crc.h"
#include "lib/base/unpack.h"
#include "lib/csv/csv.h"

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size);
int LLVMFuzzerInitialize(int *argc, char ***argv);

static void seed(const char *dir, const char *name, const void *p, size_t n)
{
	char path[1024];
	snprintf(path, sizeof path, "%s/%s", dir, name);
	FILE *f = fopen(path, "wb");
	if (!f || fwrite(p, 1, n, f) != n || fclose(f))
		abort();
}

/* A zip of one stored file, then its directory. */
static void seed_zip(const char *dir, const char *text)
{
	unsigned char z[1000], *p = z;
	uint32_t n = (uint32_t)strlen(text), crc = crc_add(0, text, n), at;
	unsigned char head[26] = {20, 0, 0, 0, 0, 0, 0, 0, 0, 0};
	memcpy(head + 10, &crc, 4), memcpy(head + 14, &n, 4), memcpy(head + 18, &n, 4);
	head[22] = 5;
	memcpy(p, "PK\3\4", 4), memcpy(p + 4, head, 26), memcpy(p + 30, "a.csv", 5), memcpy(p + 35, text, n), p += 35 + n;
	at = (uint32_t)(p - z);
	memcpy(p, "PK\1\2\24\0", 6), memcpy(p + 6, head, 26), memset(p + 32, 0, 14), memcpy(p + 46, "a.csv", 5), p += 51;
	unsigned char end[22] = "PK\5\6\0\0\0\0\1\0\1\0\63\0\0\0";
	memcpy(end + 16, &at, 4);
	memcpy(p, end, 22), p += 22;
	seed(dir, "zip", z, (size_t)(p - z));
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	static const char *const texts[] = {"a_x,a_y,b_x,b_y,Image\n1.5,2,,,0 9 10 255\n3,4,5,6.25,1 2 3 4\n",
		"\xef\xbb\xbf# c\rImageId,a.x,a.y,Image\r7.0,NA,-1e3,\"[1, 2.0]\"\r", "id;x_a;y_a;pixels\r\n1;+1,5;2;1 2 3 4\r\n",
		"Image\tu\n1\t2\n"};
	const char *dir = getenv("FUZZ_SEEDS");
	(void)argc, (void)argv;
	if (!dir)
		return 0;
	for (int i = 0; i < 4; i++) {
		char name[16] = {(char)('0' + i), 0}, path[1024];
		seed(dir, name, texts[i], strlen(texts[i]));
		snprintf(path, sizeof path, "%s/%d.gz", dir, i);
		gzFile z = gzopen(path, "wb");
		if (!z || gzwrite(z, texts[i], (unsigned)strlen(texts[i])) <= 0 || gzclose(z) != Z_OK)
			abort();
	}
	seed_zip(dir, texts[0]);
	exit(0);
}

struct source {
	const unsigned char *p;
	size_t n, step;
};

static long take(void *arg, unsigned char *dst, size_t n, char err[UNPACK_ERR])
{
	struct source *s = arg;
	(void)err;
	n = n < s->n ? n : s->n;
	n = n < s->step ? n : s->step;
	memcpy(dst, s->p, n);
	s->p += n, s->n -= n;
	return (long)n;
}

/* The checksum of the text and the error that follows it. */
static uint32_t unpacked(const unsigned char *data, size_t size, size_t step, size_t piece)
{
	unsigned char text[4096];
	char err[UNPACK_ERR] = "";
	struct source s = {data, size, step};
	struct unpack *u = unpack_new(take, &s, "x", NULL);
	uint32_t crc = 0;
	long n;
	for (size_t all = 0; (n = unpack_read(u, text, piece, err)) > 0 && all < 1 << 20; all += (size_t)n)
		crc = crc_add(crc, text, (size_t)n);
	unpack_free(u);
	return crc_add(crc, err, n > 0 ? 0 : strlen(err));
}

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size)
{
	if (unpacked(data, size, 1 + size % 7, 1 + size % 97) != unpacked(data, size, size + 1, 4096))
		abort();
	for (int w = 0; w < 3; w += 2) {
		struct csv *c = csv_open_memory(data, size, "x", w, w);
		int r = csv_head(c), rows = 0;
		while (r != CSV_ERR && rows++ < 1000 && (r = csv_step(c)) == CSV_ROW)
			if (c->w < 1 || c->h < 1)
				abort();
		if (r == CSV_ERR && !*c->err)
			abort();
		csv_free(c);
	}
	return 0;
}
