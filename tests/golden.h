/* Six valid streams for tests to damage: plain, zlib, no rows, many tensors, much META, and one of 100 KB in many small chunks, as a
 * foreign writer might write it. The same bytes at every call. */
#ifndef GOLDEN_H
#define GOLDEN_H

#include "wire.h"

enum { GOLDEN = 6, GOLDEN_RECORDS = 512 };
static const char *const golden_name[GOLDEN] = {"plain", "zlib", "no rows", "many tensors", "much META", "100 KB"};

struct golden {
	unsigned char *p;
	size_t n;
	size_t at[GOLDEN_RECORDS + 1]; /* offsets of the records' headers, and of the end */
	int records;
};

static uint32_t golden_state;

static unsigned golden_random(void)
{
	golden_state = golden_state * 1664525u + 1013904223u;
	return golden_state >> 16;
}

/* Compressible, but not periodic. */
static void golden_fill(unsigned char *p, size_t n)
{
	for (size_t i = 0; i < n; i++)
		p[i] = (unsigned char)(i / 7 + (golden_random() & 3));
}

/* A data set of n faces through our writer. */
static void golden_set(const char *path, int n, int compress)
{
	static const uint64_t image[] = {TNS_UNLIMITED, 12, 9}, points[] = {TNS_UNLIMITED, 4, 2}, id[] = {TNS_UNLIMITED};
	struct tns_writer *w = tns_create(path);
	if (compress)
		tns_compress(w);
	tns_define(w, "image", TNS_U8, 3, image);
	tns_define(w, "keypoints", TNS_F32, 3, points);
	tns_define(w, "id", TNS_U32, 1, id);
	tns_put_meta(w, "points", "left_eye,right_eye,nose,mouth");
	for (uint32_t i = 0; i < (uint32_t)n; i++) {
		unsigned char face[12 * 9];
		float at[8];
		golden_fill(face, sizeof face);
		for (int k = 0; k < 8; k++)
			at[k] = (float)(golden_random() % 97) / 4;
		tns_write(w, 0, face, 1);
		tns_write(w, 1, at, 1);
		tns_write(w, 2, &i, 1);
	}
	tns_put_meta(w, "history", "face-synth 0.1.0 < 00000000\ncsv-clean 0.1.0 < 12345678\n");
	tns_close(w);
}

static void golden_many(const char *path)
{
	struct tns_writer *w = tns_create(path);
	unsigned char row[512];
	for (int i = 0; i < 100; i++) {
		char name[32];
		uint64_t dim[8] = {i % 3 + 1, i % 5 + 1, 2, 1, 1, 1, 1, 1};
		snprintf(name, sizeof name, i % 2 ? "%d.weight" : "opt/%d.bias", i);
		tns_define(w, name, 1 + i % 13, i % 9, dim);
	}
	golden_fill(row, sizeof row);
	for (int i = 0; i < 100; i++)
		tns_write(w, i, row, i % 9 ? (uint64_t)(i % 3) + 1 : 1);
	tns_close(w);
}

static void golden_metas(const char *path)
{
	struct tns_writer *w = tns_create(path);
	char key[32], value[1401];
	uint16_t v = 513;
	tns_define(w, "one", TNS_U16, 0, NULL);
	for (int i = 0; i < 100; i++) {
		int n = (int)(golden_random() % 1400);
		for (int k = 0; k < n; k++)
			value[k] = (char)(' ' + golden_random() % 95);
		value[n] = 0;
		snprintf(key, sizeof key, "key %d", i);
		tns_put_meta(w, key, value);
		if (i == 50)
			tns_write(w, 0, &v, 1);
	}
	tns_close(w);
}

static void golden_chunks(struct wire *w)
{
	static const uint64_t wide[2] = {UINT64_MAX, 100}, narrow[1] = {UINT64_MAX};
	uint64_t rows[2] = {0};
	unsigned char data[2500];
	wire_begin(w);
	wire_tdef(w, 0, TNS_U8, 2, wide, "wide");
	wire_meta(w, "scale", "0 1");
	wire_tdef(w, 1, TNS_F64, 1, narrow, "narrow");
	while (w->n < 100000) {
		uint32_t k = golden_random() % 2, n = 1 + golden_random() % 24;
		golden_fill(data, sizeof data);
		if (golden_random() % 5)
			wire_data(w, k, data, n * (k ? 8 : 100));
		else
			wire_zlib(w, "DATA", k, data, n * (k ? 8 : 100));
		rows[k] += n;
		if (golden_random() % 16 == 0)
			wire_record(w, "note", WIRE_NONE, data, n);
	}
	wire_meta(w, "seen", "all");
	wire_end(w, 2, rows);
}

/* To be freed with golden_free. */
static void golden_make(struct golden g[GOLDEN])
{
	golden_state = 20261124;
	for (int i = 0; i < GOLDEN; i++) {
		const char *path = wire_path("golden.tns");
		struct wire w = {0};
		if (i < 3)
			golden_set(path, i == 2 ? 0 : i ? 200 : 100, i == 1);
		else if (i == 3)
			golden_many(path);
		else if (i == 4)
			golden_metas(path);
		else
			golden_chunks(&w);
		g[i].p = w.p;
		g[i].n = w.n;
		if (!w.p)
			g[i].p = wire_slurp(path, &g[i].n);
		g[i].records = 0;
		for (size_t at = 32; at < g[i].n;) {
			uint32_t stored;
			memcpy(&stored, g[i].p + at + 16, 4);
			if (g[i].records == GOLDEN_RECORDS)
				abort();
			g[i].at[g[i].records++] = at;
			for (at += 32 + stored; at % 64 != 32;)
				at++;
			if (at + 64 > g[i].n) /* END's padding is longer */
				at = g[i].n;
		}
		g[i].at[g[i].records] = g[i].n;
	}
}

static void golden_free(struct golden g[GOLDEN])
{
	for (int i = 0; i < GOLDEN; i++)
		free(g[i].p);
}

#endif
