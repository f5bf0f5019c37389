/* Exchanges between ranks: sums against their tree, computed here, in the memory of BACKEND (cpu); run under mpirun by t_ranks.sh and
 * t_ranks_cuda.sh, else by one process, which has no others. With an argument, `differ` or `leave`: one rank's value is another one's, or
 * it goes without a word; both end the run; `fast`: AllReduce makes the sums. */
#include <check.h>
#include <math.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/base/err.h"
#include "lib/base/out.h"
#include "lib/base/crc.h"
#include "lib/base/philox.h"
#include "lib/ranks/ranks.h"
#include "lib/train/dataset.h"
#include "lib/train/rank_backend.h"
#include "tests/backend_of_test.h"

static struct ranks *r;
static struct backend *be;
static int fast;

static float value(int rank, size_t i)
{
	return philox_uniform(philox(7, PHILOX_TEST, (uint32_t)rank, (uint32_t)i, 0).v[0]) - 0.5f;
}

/* The tree over `n` ranks from `from` on. */
static float tree_float(int from, int n, size_t i)
{
	return n == 1 ? value(from, i) : tree_float(from, n / 2, i) + tree_float(from + n / 2, n / 2, i);
}

static double tree_double(int from, int n, size_t i)
{
	return n == 1 ? (double)value(from, i) / 3 : tree_double(from, n / 2, i) + tree_double(from + n / 2, n / 2, i);
}

/* 1: v is as it should be. */
static int right(float v, size_t i)
{
	float want = tree_float(0, ranks_size(r), i);
	return fast ? fabsf(v - want) < 1e-6f : v == want;
}

/* Of several buckets, of one, of a few values and of one; told in pieces, the last of them late; the last: of several of NCCL's buckets. */
START_TEST(sums)
{
	static const size_t sizes[] = {1, 7, 5000, 262144, 262145, 900000, 4194304 + 9000};
	size_t n = sizes[_i];
	float *v = xcalloc(n, sizeof *v), *device = be->alloc(be, n * sizeof *v);
	for (size_t i = 0; i < n; i++)
		v[i] = value(ranks_rank(r), i);
	be->upload(be, device, v, n * sizeof *v);
	uint64_t travelled = r ? r->sums : 0;
	ranks_allreduce_begin(r, device, n);
	for (size_t left = n; left > n / 3; left -= left / 5 + 1)
		ranks_allreduce_from(r, left), ranks_allreduce_poll(r);
	ranks_allreduce_from(r, 0), ranks_allreduce_wait(r);
	be->download(be, v, device, n * sizeof *v), be->release(be, device);
	for (size_t i = 0; i<n; i += n> 10000 ? 37 : 1)
		ck_assert_msg(right(v[i], i), "value %zu of %zu", i, n);
	ck_assert(right(v[n - 1], n - 1));
	ck_assert(ranks_size(r) == 1 || (r->sums == travelled) == fast); /* what AllReduce sends isn't counted */
	ranks_compare(r, crc_add(0, v, n * sizeof *v), "a sum");
	free(v);
}
END_TEST

START_TEST(doubles)
{
	double v[100];
	for (size_t i = 0; i < 100; i++)
		v[i] = (double)value(ranks_rank(r), i) / 3;
	ranks_allreduce(r, v, 100);
	for (size_t i = 0; i < 100; i++)
		ck_assert(v[i] == tree_double(0, ranks_size(r), i));
}
END_TEST

START_TEST(bytes)
{
	unsigned char all[RANKS_MOST] = {0}, text[9] = "";
	int size = ranks_size(r), last = size - 1;
	all[ranks_rank(r)] = (unsigned char)(ranks_rank(r) + 100);
	ranks_allreduce_or(r, all, (size_t)size);
	for (int i = 0; i < size; i++)
		ck_assert_int_eq(all[i], i + 100);
	memcpy(text, ranks_rank(r) ? "........" : "from 0 o", 8);
	ranks_broadcast(r, text, 8);
	ck_assert_str_eq((char *)text, "from 0 o");
	memcpy(text, ranks_rank(r) ? "--------" : "to last.", 8);
	ranks_send(r, last, text, 8);
	ck_assert_str_eq((char *)text, ranks_rank(r) == 0 || ranks_rank(r) == last ? "to last." : "--------");
	ranks_compare(r, 5, "nothing");
}
END_TEST

int main(int argc, char **argv)
{
	r = ranks_open();
	err_name("check_ranks");
	if (argc > 1 && !strcmp(argv[1], "differ"))
		for (uint32_t step = 1;; step++)
			ranks_compare(r, ranks_rank(r) == 2 && step == 3 ? 8 : 7, "its weights after step 3");
	if (argc > 1 && !strcmp(argv[1], "leave")) {
		if (ranks_rank(r) == ranks_size(r) - 1)
			raise(SIGKILL);
		ranks_compare(r, 1, "never"); /* waits for it */
		return 0;
	}
	if (argc > 2 && !strcmp(argv[1], "store")) { /* of several ranks none has the images in memory */
		struct dataset *ds = dataset_load_patches(r, argv[2], "all");
		int in_memory = image_store_in_memory(ds->images);
		dataset_free(ds), ranks_close(r);
		return in_memory != (r == NULL);
	}
	if (argc > 1 && !strcmp(argv[1], "local")) {
		printf("%d\n", r->local);
		ranks_close(r);
		return finish();
	}
	fast = argc > 1 && !strcmp(argv[1], "fast");
	be = rank_backend_open(r, backend_name(), 1, NULL, fast);
	Suite *s = suite_create("ranks");
	TCase *t = tcase_create("ranks");
	suite_add_tcase(s, t);
	tcase_add_loop_test(t, sums, 0, ranks_size(r) == 4 && !fast && strcmp(ranks_allreduce_by(r), "MPI") ? 7 : 6);
	tcase_add_test(t, doubles), tcase_add_test(t, bytes);
	SRunner *runner = srunner_create(s);
	srunner_set_fork_status(runner, CK_NOFORK);
	srunner_run_all(runner, CK_NORMAL);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	rank_backend_close(r, be), ranks_close(r);
	return failed > 0;
}
