/* Which images a model was trained on: the hash against values computed independently (they stand in models, so they must stay), sets and
 * their unions, samples of large ones; streams that hold no such set. */
#include "lib/nn/trained.h"
#include "lib/base/err.h"
#include "lib/base/hash.h"
#include "tests/prog.h"

START_TEST(hashes)
{
	unsigned char hundred[100];
	for (int i = 0; i < 100; i++)
		hundred[i] = (unsigned char)i;
	const struct {
		const void *p;
		size_t n;
		uint64_t h;
		uint32_t more;
	} want[] = {{"", 0, 0x5fd3d0ee4a59ea5b, 0x169810e6}, {"abc", 3, 0x512881b829b0a1f2, 0xb2587cbd},
		{hundred, 100, 0x238159e7209c37b3, 0xe85f642e}};
	for (size_t i = 0; i < sizeof want / sizeof *want; i++) {
		uint64_t h;
		uint32_t more;
		hash_bytes(want[i].p, want[i].n, &h, &more);
		ck_assert_uint_eq(h, want[i].h);
		ck_assert_uint_eq(more, want[i].more);
		hash_bytes(want[i].p, want[i].n, &h, NULL);
		ck_assert_uint_eq(h, want[i].h);
	}
}
END_TEST

/* Images of three bytes, that of number i its digits. */
static uint8_t *numbered(size_t from, size_t n)
{
	uint8_t *image = xcalloc(n, 3);
	for (size_t i = 0; i < n; i++)
		image[3 * i] = (uint8_t)(from + i), image[3 * i + 1] = (uint8_t)((from + i) >> 8),
			  image[3 * i + 2] = (uint8_t)((from + i) >> 16);
	return image;
}

static struct trained *trained_on(const uint8_t *image, size_t n, size_t bytes, const struct trained *before)
{
	uint64_t *hash = calloc(n + 1, sizeof *hash);
	for (size_t i = 0; i < n; i++)
		hash[i] = trained_hash(image + i * bytes, bytes);
	return trained_new(hash, n, before);
}

static void ck_same(const struct trained *a, const struct trained *b)
{
	ck_assert_uint_eq(a->n, b->n);
	ck_assert(!memcmp(a->hash, b->hash, a->n * sizeof *a->hash));
}

/* Each image is known again, no other one is; equal ones count once; what was trained on before is known too. */
START_TEST(small)
{
	uint8_t *image = numbered(0, 1000);
	memcpy(image, image + 3, 3);
	struct trained *half = trained_on(image, 500, 3, NULL), *both = trained_on(image + 1500, 500, 3, half),
		       *all = trained_on(image, 1000, 3, NULL);
	ck_assert_uint_eq(half->n, 499);
	ck_same(both, all);
	for (size_t i = 1; i < 1000; i++) {
		ck_assert_int_eq(trained_has(half, image + 3 * i, 3), i < 500 ? TRAINED_ON : TRAINED_NOT);
		ck_assert_int_eq(trained_has(all, image + 3 * i, 3), TRAINED_ON);
	}
	ck_assert_int_eq(trained_has(all, "\0\0\0", 3), TRAINED_NOT);
	ck_assert_int_eq(trained_has(all, image, 2), TRAINED_NOT);
	struct trained *none = trained_on(image, 0, 3, NULL);
	ck_assert_int_eq(trained_has(none, image, 3), TRAINED_NOT);
	trained_free(half), trained_free(both), trained_free(all), trained_free(none);
	free(image);
}
END_TEST

/* Of twice as many images as are kept, half are known again and of the others nothing is said; of other images none is. Unions of samples
 * are those of the union, in any order. */
START_TEST(sampled)
{
	enum { N = 2 * TRAINED_MAX };
	uint8_t *image = numbered(0, N), *other = numbered(N, 20000);
	struct trained *all = trained_on(image, N, 3, NULL), *most = trained_on(image, N - 100000, 3, NULL),
		       *rest = trained_on(image + 3 * (N - 100000), 100000, 3, NULL),
		       *one = trained_on(image + 3 * (N - 100000), 100000, 3, most), *two = trained_on(image, N - 100000, 3, rest);
	size_t count[3] = {0}, others[3] = {0};
	ck_same(all, one);
	ck_same(all, two);
	ck_assert_uint_eq(all->n, TRAINED_MAX);
	for (size_t i = 0; i < N; i++)
		count[trained_has(all, image + 3 * i, 3)]++;
	ck_assert(count[TRAINED_ON] == TRAINED_MAX && count[TRAINED_UNKNOWN] == TRAINED_MAX);
	for (size_t i = 0; i < 20000; i++)
		others[trained_has(all, other + 3 * i, 3)]++;
	/* half of them, within five standard deviations of such a count */
	ck_assert(others[TRAINED_ON] == 0 && others[TRAINED_UNKNOWN] > 9650 && others[TRAINED_UNKNOWN] < 10350);
	trained_free(all), trained_free(most), trained_free(rest), trained_free(one), trained_free(two);
	free(image), free(other);
}
END_TEST

static void read_set(void *path)
{
	trained_free(trained_read(tns_load(path)));
}

START_TEST(streams)
{
	const struct prog_col ids = {"id", TNS_U32, 0, 0, (const uint32_t[]){1, 2}};
	prog_stream("none.tns", 2, (struct prog_col[]){ids, {0}}, NULL);
	struct tns_table *t = tns_load("none.tns");
	ck_assert_ptr_null(trained_read(t));
	tns_unload(t);
	prog_stream("set.tns", 3, (struct prog_col[]){{"trained", TNS_U64, 0, 0, (const uint64_t[]){1, 5, UINT64_MAX}}, {0}}, NULL);
	struct trained *s = trained_read(t = tns_load("set.tns"));
	ck_assert(s->n == 3 && s->hash[2] == UINT64_MAX);
	tns_unload(t), trained_free(s);
	prog_stream("twice.tns", 3, (struct prog_col[]){{"trained", TNS_U64, 0, 0, (const uint64_t[]){1, 5, 5}}, {0}}, NULL);
	prog_refused(child_run(read_set, "twice.tns"), 1, "twice.tns: trained is not ascending at row 3");
	prog_stream("u32.tns", 2, (struct prog_col[]){{"trained", TNS_U32, 0, 0, (const uint32_t[]){1, 2}}, {0}}, NULL);
	prog_refused(child_run(read_set, "u32.tns"), 1, "u32.tns: trained is u32 with 1 dimensions, not u64 with 1");
	uint64_t *many = xcalloc(TRAINED_MAX + 1, sizeof *many);
	prog_stream("many.tns", TRAINED_MAX + 1, (struct prog_col[]){{"trained", TNS_U64, 0, 0, many}, {0}}, NULL);
	prog_refused(child_run(read_set, "many.tns"), 1, "many.tns: trained has 131073 rows, at most 131072 are kept");
	free(many);
}
END_TEST

int main(void)
{
	prog_begin();
	Suite *s = suite_create("trained");
	TCase *t = tcase_create("trained");
	suite_add_tcase(s, t);
	tcase_add_test(t, hashes);
	tcase_add_test(t, small);
	tcase_add_test(t, sampled);
	tcase_add_test(t, streams);
	return prog_end(s);
}
