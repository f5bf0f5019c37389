/* libFuzzer target of npy, npz and safetensors: headers, zip directories, values of all arrays in C order. What is read and written again
 * must be read as the same. With FUZZ_SEEDS=DIR it writes seeds there and exits. */
#include <zlib.h>

#include "lib/convert/json_in.h"
#include "lib/convert/metas.h"
#include "lib/convert/npy.h"
#include "lib/convert/safetensors.h"
#include "tests/fuzz.h"

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	static const struct array arrays[] = {{.name = "a", .dtype = TNS_F32, .ndim = 2, .dim = {2, 3}, .bytes = 24},
		{.name = "b/c", .dtype = TNS_U8, .ndim = 1, .dim = {5}, .bytes = 5}, {.name = "d", .dtype = TNS_I64, .bytes = 8}};
	static const char orders[][64] = {
		"{'descr': '>f4', 'fortran_order': True, 'shape': (2, 3), }\n", "{'shape':(2L,3),'fortran_order':False,'descr':'|O'}\n"};
	const char *dir = fuzz_seeds_dir();
	char path[1024];
	(void)argc, (void)argv;
	if (!dir)
		return 0;
	struct buffer npy = {0}, safe = {0};
	struct tns_meta meta = {"k\"\n", "v\\u0041", 3, 7, 0};
	int order[3], place = 0;
	struct arrays s = {.array = (struct array *)arrays, .n = 3, .meta = &meta, .nmeta = 1, .place = &place};
	safetensors_header(&safe, &s, "01234567 89abcdef ogg 0", order);
	buffer_add(&safe, "0123456789abcdef0123456789abcdef01234", 37);
	fuzz_seed("safetensors", safe.p, safe.n);
	snprintf(path, sizeof path, "%s/npz", dir);
	struct zip_out z = {.to = out_open(path, 1)};
	for (int i = 0; i < 3; i++) {
		char name[8] = {(char)('0' + i), 0};
		npy.n = 0;
		npy_header(&npy, &arrays[i]);
		buffer_add(&npy, "0123456789abcdef01234567", arrays[i].bytes);
		fuzz_seed(name, npy.p, npy.n);
		strcat(name, ".npy");
		zip_out_member(&z, name, npy.n, (uint32_t)crc32(0, (unsigned char *)npy.p, (uInt)npy.n));
		zip_out_put(&z, npy.p, npy.n);
	}
	zip_out_end(&z);
	out_close(z.to);
	for (int i = 0; i < 2; i++) {
		char b[128] = "\x93NUMPY\1\0";
		b[8] = (char)strlen(orders[i]);
		memcpy(b + 10, orders[i], strlen(orders[i]));
		fuzz_seed(i ? "object" : "order", b, 10 + strlen(orders[i]) + 24);
	}
	exit(0);
}

/* Values in pieces of several sizes. */
static void read_values(const struct arrays *s, const struct array *a)
{
	unsigned char some[4096];
	size_t size = tns_size(a->dtype);
	if (!size)
		return;
	need(a->ndim <= ARRAY_DIMS && a->bytes % size == 0);
	struct array_reader *r = array_open(s, a);
	for (uint64_t left = a->bytes, n = size; left && !*array_why(r); left -= n, n = (5 * n) % 4096 / size * size) {
		n = n ? n : size;
		n = n < left ? n : left;
		if (array_read(r, some, n))
			break;
	}
	array_close(r);
}

static int same_shape(const struct array *a, const struct array *b)
{
	return a->dtype == b->dtype && a->ndim == b->ndim && a->bytes == b->bytes &&
	       !memcmp(a->dim, b->dim, (size_t)a->ndim * sizeof *a->dim);
}

/* Its header again, of values that are not there. */
static void again_npy(const struct array *a)
{
	struct buffer t = {0};
	struct array b = {0};
	char err[ARRAY_ERR];
	if (!a->dtype)
		return;
	npy_header(&t, a);
	need(t.n % 64 == 0 && !npy_parse(&b, (unsigned char *)t.p, t.n, t.n + a->bytes, err) && same_shape(a, &b) && !b.swapped &&
		!b.fortran);
	buffer_free(&t);
}

static void try_npy(const unsigned char *p, size_t n)
{
	struct arrays s = {.name = "x"};
	struct array *a = array_add(&s, xstrdup("x"));
	a->member = (struct zip_member){.p = p, .packed = n, .size = n};
	if (!npy_parse(a, p, n, n, s.err)) {
		read_values(&s, a);
		again_npy(a);
	} else {
		need(*s.err);
	}
	arrays_free(&s);
}

static void try_npz(const unsigned char *p, size_t n)
{
	struct zip z;
	char err[ZIP_ERR] = "", why[ARRAY_ERR];
	static unsigned char head[NPY_HEADER];
	struct arrays s = {.name = "x"};
	int bad = zip_read(&z, p, n, err);
	need(!bad == !*err);
	for (int i = 0; i < z.n && !bad; i++) {
		struct array a = {.name = z.member[i].name, .member = z.member[i]};
		if (!npy_parse(&a, head, array_peek(&a.member, head, NPY_HEADER), a.member.size, why))
			read_values(&s, &a);
	}
	zip_free(&z);
}

static void try_safetensors(const unsigned char *p, size_t n)
{
	struct arrays s = {.name = "x"}, again = {.name = "x"};
	int bad = safetensors_parse(&s, p, n), known = 1, *order = xcalloc((size_t)s.n + 1, sizeof *order);
	need(!bad == !*s.err);
	need(!safetensors_is(p, n) || n > 8);
	for (int i = 0; i < s.n && !bad; i++) {
		read_values(&s, &s.array[i]);
		known &= s.array[i].dtype != 0;
	}
	if (!bad && known) {
		struct buffer t = {0};
		safetensors_header(&t, &s, s.noted, order);
		size_t all = t.n;
		for (int i = 0; i < s.n; i++)
			all += s.array[i].bytes;
		unsigned char *b = xcalloc(all + 1, 1);
		memcpy(b, t.p, t.n);
		need(!safetensors_parse(&again, b, all) && again.n == s.n && again.nmeta == s.nmeta && !again.noted == !s.noted);
		for (int i = 0; i < s.n; i++)
			need(!strcmp(s.array[i].name, again.array[i].name) && same_shape(&s.array[i], &again.array[i]));
		for (int i = 0; i < s.nmeta; i++)
			need(!strcmp(s.meta[i].key, again.meta[i].key) && s.meta[i].value_len == again.meta[i].value_len &&
				!memcmp(s.meta[i].value, again.meta[i].value, s.meta[i].value_len));
		uint32_t content, fingerprint;
		char *open = xcalloc((size_t)again.n + 1, 1);
		metas_read_note(&again, &content, &fingerprint, open);
		buffer_free(&t), free(b), free(open);
	}
	free(order);
	arrays_free(&s), arrays_free(&again);
}

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size)
{
	if (npy_is(data, size))
		try_npy(data, size);
	else if (size > 1 && data[0] == 'P')
		try_npz(data, size);
	else
		try_safetensors(data, size);
	return 0;
}
