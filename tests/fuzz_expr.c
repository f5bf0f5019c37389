/* libFuzzer target of conditions (tns-select --where) and of lists of ranges. What is taken is evaluated, and its names are those of the
 * text; what is not has a reason with a place in the text. With FUZZ_SEEDS=DIR it writes seeds there and exits. */
#include <math.h>
#include "lib/filter/expr.h"
#include "lib/base/ranges.h"
#include "tests/fuzz.h"

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	static const char *const texts[] = {"error>5 && labels>=4", "!(nose_tip.x<=1e2) or not a/b!=-.5 and \"36.y\"==+3", "10-20,35,100-",
		"((a<b||b<a)&&('c d'>1))", "0,18446744073709551615,7-9,8-"};
	(void)argc, (void)argv;
	if (fuzz_seeds_dir()) {
		fuzz_seed_texts("", texts, sizeof texts / sizeof *texts);
		exit(0);
	}
	return 0;
}

static void condition(const char *text)
{
	char why[EXPR_WHY];
	long at;
	struct expr *e = expr_parse(text, why);
	if (!e) {
		if (sscanf(why, "at %ld: ", &at) != 1 || at < 1 || (size_t)at > strlen(text) + 1)
			abort();
		return;
	}
	double *value = calloc((size_t)e->nnames + 1, sizeof *value);
	if (!value || why[0])
		abort();
	for (int i = 0; i < e->nnames; i++) {
		const char *s = text + e->name[i].at - 1;
		s += *s == '\'' || *s == '"';
		if (strncmp(s, e->name[i].name, strlen(e->name[i].name)))
			abort();
		value[i] = i % 3 ? i : NAN;
	}
	int yes = expr_true(e, value);
	if (yes != 0 && yes != 1)
		abort();
	free(value);
	expr_free(e);
}

static void list(const char *text)
{
	struct ranges r;
	char *why = ranges_parse(&r, text, 0);
	if (!why && (!r.n || !ranges_take(&r, r.range[0].first) || !ranges_take(&r, r.range[r.n - 1].last)))
		abort();
	for (int i = 0; i < r.n; i++)
		if (r.range[i].first > r.range[i].last || (i && r.range[i].first <= r.range[i - 1].last))
			abort();
	if (why && r.n)
		abort();
	free(why);
	if (r.n) {
		char *text_of = range_text(&r.range[r.n - 1]), *unmet = ranges_unmet(&r, "rows");
		const struct range *over = ranges_over(&r, 100);
		need(*text_of && (!unmet || *unmet) && (!over || over->first > 100 || over->last > 100));
		free(text_of), free(unmet);
	}
	ranges_free(&r);
	free(ranges_parse(&r, text, 1));
	need(!r.n || r.range[0].first >= 1);
	if (r.n) {
		(void)ranges_take(&r, 50);
		free(ranges_unmet(&r, "rows"));
	}
	ranges_free(&r);
}

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size)
{
	char *text = malloc(size + 1);
	if (!text)
		abort();
	if (size)
		memcpy(text, data, size);
	text[size] = 0;
	condition(text);
	list(text);
	free(text);
	return 0;
}
