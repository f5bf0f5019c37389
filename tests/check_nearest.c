#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/nearest.h"

/* Distances counted by hand. */
static const struct {
	const char *a, *b;
	size_t d;
} known[] = {{"", "", 0}, {"a", "", 1}, {"", "abc", 3}, {"epochs", "ephocs", 2}, {"epochs", "epochs", 0}, {"Epochs", "epochs", 0},
	{"batch_size", "batch-size", 0}, {"ab", "ba", 1}, {"abc", "ca", 3}, {"kitten", "sitting", 3}, {"valid", "vaild", 1},
	{"fc", "bn", 2}, {"left_eye_center", "left_eye_centre", 1}, {"sunday", "saturday", 3}};

START_TEST(counted)
{
	ck_assert_uint_eq(nearest_distance(known[_i].a, known[_i].b), known[_i].d);
	ck_assert_uint_eq(nearest_distance(known[_i].b, known[_i].a), known[_i].d);
}
END_TEST

/* The recursion of the definition, all of it: exponential, so for short words only. */
static size_t defined(const char *a, size_t i, const char *b, size_t j)
{
	if (!i || !j)
		return i + j;
	size_t d = defined(a, i - 1, b, j - 1) + (a[i - 1] != b[j - 1]), e = defined(a, i - 1, b, j) + 1, f = defined(a, i, b, j - 1) + 1;
	d = e < d ? e : d, d = f < d ? f : d;
	if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] && (e = defined(a, i - 2, b, j - 2) + 1) < d)
		d = e;
	return d;
}

START_TEST(as_defined)
{
	unsigned seed = 5;
	for (int k = 0; k < 300; k++) {
		char word[2][8] = {"", ""};
		for (int w = 0; w < 2; w++)
			for (int i = 0, n = rand_r(&seed) % 6; i < n; i++)
				word[w][i] = (char)('a' + rand_r(&seed) % 3);
		ck_assert_uint_eq(nearest_distance(word[0], word[1]), defined(word[0], strlen(word[0]), word[1], strlen(word[1])));
	}
}
END_TEST

static const struct {
	const char *word, *names, *hint, *or_all;
} hints[] = {
	{"ephocs", "batch|epochs|rate", " (did you mean epochs?)", " (did you mean epochs?)"},
	{"RATE", "batch|epochs|rate", " (did you mean rate?)", " (did you mean rate?)"},
	{"colour", "batch|epochs|rate", "", " (there are batch, epochs, rate)"},
	{"colour", "rate", "", " (there is rate)"},
	{"bn2", "fc|bn", " (did you mean bn?)", " (did you mean bn?)"},		 /* 1 of 3 bytes */
	{"bats", "bets|bits", " (did you mean bets?)", " (did you mean bets?)"}, /* equally near: the first */
	{"bats", "boss|bits", " (did you mean bits?)", " (did you mean bits?)"}, /* 2 of 4 bytes is not near */
	{"bats", "boss", "", " (there is boss)"},
	{"x", "y", "", " (there is y)"},
	{"", "a", "", " (there is a)"},
};

START_TEST(hinted)
{
	struct nearest n = nearest_of(hints[_i].word);
	nearest_add_choices(&n, hints[_i].names);
	ck_assert_str_eq(nearest_hint(&n), hints[_i].hint);
	ck_assert_str_eq(nearest_or_all(&n), hints[_i].or_all);
}
END_TEST

START_TEST(long_names)
{
	char word[200], name[16];
	memset(word, 'a', 199), word[199] = 0;
	struct nearest n = nearest_of(word);
	ck_assert_str_eq(nearest_or_all(&n), "");
	nearest_add(&n, word); /* too long to be compared */
	ck_assert_str_eq(nearest_hint(&n), "");
	ck_assert_str_eq(nearest_or_all(&n), " (there is ...)");
	n = nearest_of("zz"), word[63] = 0;
	ck_assert_uint_eq(nearest_distance(word, word), 0);
	for (int i = 0; i < 50; i++) {
		snprintf(name, sizeof name, "name%d", i);
		nearest_add(&n, i == 40 ? "b" : name);
	}
	const char *all = nearest_or_all(&n); /* as many as fit, then one mark that there are more */
	ck_assert(!strncmp(all, " (there are name0, name1, ", 26) && !strcmp(all + strlen(all) - 6, ", ...)"));
	ck_assert_ptr_eq(strstr(all, "..."), all + strlen(all) - 4);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("nearest");
	TCase *t = tcase_create("nearest");
	suite_add_tcase(s, t);
	tcase_add_loop_test(t, counted, 0, sizeof known / sizeof *known);
	tcase_add_test(t, as_defined);
	tcase_add_loop_test(t, hinted, 0, sizeof hints / sizeof *hints);
	tcase_add_test(t, long_names);
	SRunner *r = srunner_create(s);
	srunner_run_all(r, CK_NORMAL);
	int failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed != 0;
}
