/* libFuzzer target of the stream's reader. Most inputs are refused at the first checksum, so each is read as it is and again with its
 * record headers repaired; readers from memory and from a descriptor must agree; gzip too. Built and run by pipelines/trust.mk; with
 * FUZZ_SEEDS=DIR it writes the golden streams there as seeds, plain and gzip, and exits. */
#include "golden.h"

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size);
int LLVMFuzzerInitialize(int *argc, char ***argv);

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	const char *dir = getenv("FUZZ_SEEDS");
	(void)argc, (void)argv;
	if (dir) {
		struct golden g[GOLDEN];
		golden_make(g);
		for (int i = 0; i < GOLDEN; i++) {
			char path[1024] = "";
			snprintf(path, sizeof path, "%s/%d.tns", dir, i);
			FILE *f = fopen(path, "wb");
			if (!f || fwrite(g[i].p, 1, g[i].n, f) != g[i].n || fclose(f))
				abort();
			strcat(path, ".gz");
			gzFile z = gzopen(path, "wb");
			if (!z || gzwrite(z, g[i].p, (unsigned)g[i].n) <= 0 || gzclose(z) != Z_OK)
				abort();
		}
		golden_free(g);
		exit(0);
	}
	return 0;
}

/* Repairs checksums, sequence numbers and padding of the records that the lengths delimit. */
static void repair(unsigned char *p, size_t n)
{
	uint32_t chain, seq = 0, crc;
	if (n < 64)
		return;
	memcpy(p, "\x89TNS\r\n\x1a\n\1\0", 10);
	memset(p + 12, 0, 16);
	chain = (uint32_t)crc32(0, p, 28);
	memcpy(p + 28, &chain, 4);
	for (size_t at = 32; n - at >= 32; seq++) {
		unsigned char *h = p + at;
		uint32_t stored;
		memcpy(&stored, h + 16, 4);
		int last = !memcmp(h, "END", 4) || !memcmp(h, "ABRT", 4);
		uint64_t end = at + 32 + (uint64_t)stored;
		while (end % 64 != (last ? 0 : 32))
			end++;
		memcpy(h + 4, &seq, 4);
		if (end <= n) {
			memset(h + 32 + stored, 0, (size_t)(end - at - 32 - stored));
			crc = (uint32_t)crc32(0, h + 32, (uInt)(end - at - 32));
			memcpy(h + 24, &crc, 4);
		}
		chain = (uint32_t)crc32(chain, h, 28);
		memcpy(h + 28, &chain, 4);
		if (end > n || n - end < 32)
			return;
		at = (size_t)end;
	}
}

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size)
{
	char memory[512], file[512];
	unsigned char *p = malloc(size + !size);
	if (!p)
		abort();
	if (size)
		memcpy(p, data, size);
	for (int repaired = 0; repaired < 2; repaired++) {
		if (repaired)
			repair(p, size);
		int a = wire_read(p, size, memory), b = wire_read_file(p, size, file);
		if (a != b || strcmp(memory, file))
			abort();
	}
	free(p);
	return 0;
}
