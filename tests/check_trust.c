/* Lines 1 and 2 of the table of trust: six golden streams, damaged in many ways, none of which may be accepted: every truncation, every
 * flipped bit, pairs of flips, records swapped, dropped, repeated and spliced. Prints the counts. TRUST=1, the long form, reads every
 * damaged stream from its beginning; the short form reads the undamaged records before it once and restores the reader's state there,
 * for which it includes the reader's source. */
#include "lib/stream/tns.c"

#include <check.h>
#include <pthread.h>

#include "golden.h"

enum { THREADS = 4 };

static struct golden g[GOLDEN];
static int full;

static void make(void)
{
	golden_make(g);
	full = getenv("TRUST") != NULL;
}

static void unmake(void)
{
	golden_free(g);
}

static int accepted(const unsigned char *p, size_t n)
{
	struct tns *t = tns_open_memory(p, n, "memory");
	int rc;
	while ((rc = tns_step(t)) == TNS_DATA)
		;
	tns_free(t);
	return rc == TNS_DONE;
}

static int is_golden(const unsigned char *p, size_t n)
{
	for (int i = 0; i < GOLDEN; i++)
		if (n == g[i].n && !memcmp(p, g[i].p, n))
			return 1;
	return 0;
}

/* A thread's share, with its own random numbers, so that the counts are the same on any machine. */
struct job {
	void (*fn)(struct job *j);
	unsigned part;
	uint64_t state, tried, accepted_count;
};

static uint64_t next_random(struct job *j)
{
	j->state ^= j->state << 13, j->state ^= j->state >> 7, j->state ^= j->state << 17;
	return j->state >> 8;
}

static void *work(void *arg)
{
	struct job *j = arg;
	j->fn(j);
	return NULL;
}

static void run(const char *line, const char *what, void (*fn)(struct job *j))
{
	struct job j[THREADS];
	pthread_t id[THREADS];
	uint64_t tried = 0, accepted_count = 0;
	for (unsigned i = 0; i < THREADS; i++) {
		j[i] = (struct job){fn, i, 0x9E3779B97F4A7C15u * (i + 1), 0, 0};
		ck_assert(!pthread_create(&id[i], NULL, work, &j[i]));
	}
	for (unsigned i = 0; i < THREADS; i++) {
		pthread_join(id[i], NULL);
		tried += j[i].tried, accepted_count += j[i].accepted_count;
	}
	printf("trust: %s | %s | %llu | %llu accepted\n", line, what, (unsigned long long)tried, (unsigned long long)accepted_count);
	fflush(stdout);
	ck_assert_uint_gt(tried, 0);
	ck_assert_uint_eq(accepted_count, 0);
}

/* Reads a damaged stream, unless it equals a golden one; in the short form one of `one_of`, at random. */
static void try_it(struct job *j, const unsigned char *p, size_t n, unsigned one_of)
{
	if (!full && one_of > 1 && next_random(j) % one_of)
		return;
	if (is_golden(p, n))
		return;
	j->tried++;
	j->accepted_count += (uint64_t)accepted(p, n);
}

/* The undamaged streams are accepted. */
START_TEST(whole)
{
	size_t all = 0;
	for (int i = 0; i < GOLDEN; i++) {
		char why[512];
		ck_assert_msg(wire_read(g[i].p, g[i].n, why), "%s: %s", golden_name[i], why);
		ck_assert_msg(wire_read_pipe(g[i].p, g[i].n, 1000, why), "%s: %s", golden_name[i], why);
		all += g[i].n;
		if (full)
			printf("trust: 1 | golden stream of bytes: %s | %zu | %d records, accepted\n", golden_name[i], g[i].n,
				g[i].records);
	}
	ck_assert_uint_gt(all, 200000);
	ck_assert_uint_gt(g[5].n, 100000);
}
END_TEST

/* A reader and a copy of its state before a record. */
struct mark {
	struct tns *t, t0;
	struct tns_source s0;
};

static struct mark mark_begin(const unsigned char *p, size_t n)
{
	struct mark m = {.t = tns_open_memory(p, n, "memory")};
	if (tns_read_preamble(m.t) != TNS_DONE)
		abort();
	return m;
}

static void mark_set(struct mark *m)
{
	m->t0 = *m->t;
	m->s0 = *m->t->src;
}

/* Reads to the end, then restores the state: a damaged record is refused before anything is allocated for it. */
static int mark_try(struct mark *m)
{
	int rc;
	while ((rc = tns_step(m->t)) == TNS_DATA)
		;
	*m->t->src = m->s0;
	*m->t = m->t0;
	return rc == TNS_DONE;
}

static void mark_next(struct mark *m)
{
	if (advance(m->t) == TNS_ERR)
		abort();
	m->t->src->pending = 0;
}

static void cuts(struct job *j)
{
	for (int i = 0; i < GOLDEN; i++) {
		const struct golden *x = &g[i];
		for (size_t n = j->part; n < (full ? x->n : 32); n += THREADS) {
			j->tried++;
			j->accepted_count += (uint64_t)accepted(x->p, n);
		}
		struct mark m = mark_begin(x->p, x->n);
		for (int k = 0; k < x->records && !full; k++) {
			mark_set(&m);
			for (size_t n = x->at[k] + j->part; n < x->at[k + 1]; n += THREADS) {
				m.t->src->left = n - x->at[k];
				j->tried++;
				j->accepted_count += (uint64_t)mark_try(&m);
			}
			mark_next(&m);
		}
		tns_free(m.t);
	}
}

START_TEST(every_cut)
{
	run("1", "truncated at every byte", cuts);
}
END_TEST

/* The same from a descriptor, where the end is found by read. */
static void cuts_of_files(struct job *j)
{
	for (int i = 0; i < GOLDEN; i++)
		for (size_t n = j->part; n < g[i].n; n += THREADS * (full ? 1 : 97)) {
			j->tried++;
			j->accepted_count += (uint64_t)wire_read_file(g[i].p, n, NULL);
		}
}

START_TEST(file_cuts)
{
	run("1", "the same, read from files", cuts_of_files);
}
END_TEST

static unsigned char *copy(const struct golden *x)
{
	unsigned char *p = malloc(x->n);
	if (!p)
		abort();
	return memcpy(p, x->p, x->n);
}

static void flips(struct job *j)
{
	for (int i = 0; i < GOLDEN; i++) {
		const struct golden *x = &g[i];
		unsigned char *p = copy(x);
		for (size_t bit = j->part; bit < 8 * (full ? x->n : 32); bit += THREADS) {
			p[bit / 8] ^= (unsigned char)(1 << bit % 8);
			j->tried++;
			j->accepted_count += (uint64_t)accepted(p, x->n);
			p[bit / 8] = x->p[bit / 8];
		}
		struct mark m = mark_begin(p, x->n);
		for (int k = 0; k < x->records && !full; k++) {
			mark_set(&m);
			for (size_t bit = 8 * x->at[k] + j->part; bit < 8 * x->at[k + 1]; bit += THREADS) {
				p[bit / 8] ^= (unsigned char)(1 << bit % 8);
				j->tried++;
				j->accepted_count += (uint64_t)mark_try(&m);
				p[bit / 8] = x->p[bit / 8];
			}
			mark_next(&m);
		}
		tns_free(m.t);
		free(p);
	}
}

START_TEST(every_flip)
{
	run("2", "every single bit flipped", flips);
}
END_TEST

static uint64_t rounds(uint64_t shorter, uint64_t longer)
{
	return (full ? longer : shorter) / THREADS;
}

static void doubles(struct job *j)
{
	unsigned char *p[GOLDEN];
	for (int i = 0; i < GOLDEN; i++)
		p[i] = copy(&g[i]);
	for (uint64_t k = rounds(20000, 1000000); k--;) {
		int i = (int)(next_random(j) % GOLDEN);
		size_t a = next_random(j) % (8 * g[i].n), b = next_random(j) % (8 * g[i].n);
		if (k % 2) /* near each other, as in one header */
			b = (a + 1 + next_random(j) % 255) % (8 * g[i].n);
		if (a == b)
			b = (a + 1) % (8 * g[i].n);
		p[i][a / 8] ^= (unsigned char)(1 << a % 8);
		p[i][b / 8] ^= (unsigned char)(1 << b % 8);
		j->tried++;
		j->accepted_count += (uint64_t)accepted(p[i], g[i].n);
		p[i][a / 8] = g[i].p[a / 8];
		p[i][b / 8] = g[i].p[b / 8];
	}
	for (int i = 0; i < GOLDEN; i++)
		free(p[i]);
}

START_TEST(double_flips)
{
	run("2", "two random bits flipped", doubles);
}
END_TEST

/* ---- records ---- */

struct piece {
	unsigned char *p;
	size_t n;
};

static void add(struct piece *to, const struct golden *x, int from, int upto)
{
	size_t n = x->at[upto] - x->at[from];
	memcpy(to->p + to->n, x->p + x->at[from], n);
	to->n += n;
}

static struct piece piece(const struct golden *x)
{
	struct piece p = {malloc(400000), 32};
	memcpy(p.p, x->p, 32);
	return p;
}

static void records(struct job *j)
{
	for (int i = 0; i < GOLDEN; i++) {
		const struct golden *x = &g[i];
		struct piece p = piece(x);
		int n = x->records;
		for (int a = (int)j->part; a < n; a += THREADS) {
			/* records a to b dropped */
			for (int b = a + 1; b <= n; b++) {
				p.n = 32;
				add(&p, x, 0, a), add(&p, x, b, n);
				try_it(j, p.p, p.n, 8);
			}
			/* record a repeated anywhere */
			for (int b = 0; b <= n; b++) {
				p.n = 32;
				add(&p, x, 0, b), add(&p, x, a, a + 1), add(&p, x, b, n);
				try_it(j, p.p, p.n, 8);
			}
			/* records a and b swapped */
			for (int b = a + 1; b < n; b++) {
				p.n = 32;
				add(&p, x, 0, a), add(&p, x, b, b + 1), add(&p, x, a + 1, b), add(&p, x, a, a + 1), add(&p, x, b + 1, n);
				try_it(j, p.p, p.n, 8);
			}
		}
		free(p.p);
	}
}

START_TEST(moved_records)
{
	run("2", "records dropped, repeated, swapped", records);
}
END_TEST

/* The head of one stream and the tail of another; one record replaced by another stream's, whole or its header alone. */
static void splices(struct job *j)
{
	for (uint64_t k = rounds(6000, 1000000); k--;) {
		const struct golden *x = &g[next_random(j) % GOLDEN], *y = &g[next_random(j) % GOLDEN];
		struct piece p = piece(x);
		int a = (int)(next_random(j) % (uint64_t)(x->records + 1)), b = (int)(next_random(j) % (uint64_t)(y->records));
		if (k % 4 == 0 && a < y->records) /* the same position: sequence numbers agree */
			b = a;
		add(&p, x, 0, a);
		if (k % 3 == 0 || a == x->records) {
			add(&p, y, b, y->records);
		} else if (k % 3 == 1) {
			add(&p, y, b, b + 1), add(&p, x, a + 1, x->records);
		} else { /* y's header before x's payload */
			add(&p, x, a, x->records);
			memcpy(p.p + x->at[a], y->p + y->at[b], 32);
		}
		try_it(j, p.p, p.n, 1);
		free(p.p);
	}
}

START_TEST(spliced_records)
{
	run("2", "records and streams spliced", splices);
}
END_TEST

/* Faults of disks and editors: ranges zeroed, overwritten, lost, doubled. */
static void ranges(struct job *j)
{
	for (uint64_t k = rounds(6000, 1000000); k--;) {
		const struct golden *x = &g[next_random(j) % GOLDEN];
		unsigned char *p = malloc(2 * x->n);
		size_t at = next_random(j) % x->n, n = 1 + next_random(j) % (k % 2 ? 64 : x->n), size = x->n;
		n = n < x->n - at ? n : x->n - at;
		memcpy(p, x->p, x->n);
		switch (k % 5) {
		case 0:
			memset(p + at, 0, n);
			break;
		case 1:
			memset(p + at, (int)(next_random(j) & 255), n);
			break;
		case 2:
			memmove(p + at, p + at + n, x->n - at - n);
			size -= n;
			break;
		case 3:
			memcpy(p + at + n, x->p + at, x->n - at);
			size += n;
			break;
		case 4:
			for (size_t i = 0; i < n; i++)
				p[at + i] = (unsigned char)next_random(j);
			break;
		}
		try_it(j, p, size, 1);
		free(p);
	}
}

START_TEST(damaged_ranges)
{
	run("2", "ranges zeroed, overwritten, lost, doubled", ranges);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("trust");
	TCase *t = tcase_create("trust");
	suite_add_tcase(s, t);
	tcase_add_checked_fixture(t, make, unmake);
	tcase_set_timeout(t, 1800);
	tcase_add_test(t, whole);
	tcase_add_test(t, every_cut);
	tcase_add_test(t, file_cuts);
	tcase_add_test(t, every_flip);
	tcase_add_test(t, double_flips);
	tcase_add_test(t, moved_records);
	tcase_add_test(t, spliced_records);
	tcase_add_test(t, damaged_ranges);
	SRunner *r = srunner_create(s);
	srunner_run_all(r, CK_NORMAL);
	int failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed != 0;
}
