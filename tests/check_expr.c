/* Conditions on values: what they say, and where what is none goes wrong. Lists of ranges; names with wildcards. */
#include <check.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "lib/filter/expr.h"
#include "lib/filter/globs.h"
#include "lib/base/ranges.h"

/* The names of the tests' values. */
static double value_of(const char *name)
{
	static const struct {
		const char *name;
		double v;
	} all[] = {{"a", 1}, {"b", 2}, {"none", NAN}, {"big", INFINITY}, {"nose_tip.x", 40.5}, {"left eye.x", 7}, {"or", 3}, {"36.y", 4},
		{"and-then", 5}, {"opt/e", 6}, {"order", 8}, {"\xc3\xa4", 9}};
	for (size_t i = 0; i < sizeof all / sizeof *all; i++)
		if (!strcmp(name, all[i].name))
			return all[i].v;
	ck_abort_msg("a name '%s'", name);
}

static int holds(const char *text)
{
	char why[EXPR_WHY];
	double v[16];
	struct expr *e = expr_parse(text, why);
	ck_assert_msg(e != NULL, "'%s': %s", text, why);
	ck_assert_str_eq(why, "");
	for (int i = 0; i < e->nnames; i++)
		v[i] = value_of(e->name[i].name);
	int yes = expr_true(e, v);
	expr_free(e);
	return yes;
}

START_TEST(conditions)
{
	static const char *const yes[] = {"a<b", "a<=1", "b>a", "b>=2", "a==1", "a!=b", "a < b && b > a", "a>b || b>a", "a>b or b>a",
		"a<b and b==2", "!(a>b)", "not a>b", "! ! a<b", "not(a>b)", "(((a<b)))", "a>b || a<b && b==2", "(a<b || a<b) && b==2",
		"a<b || a<b && b==3", "!a>b && b==2", "1<2", "-1.5e3<a", "+1==a", "a>.5", "a>-.5", "a==1.", "1e-3<a", "1E+3>a", "big>1e308",
		"nose_tip.x>40", "'left eye.x'==7", "\"36.y\"==4", "and-then==5", "opt/e==6", "order>5", "or==3", "or>2 or or>5",
		"a<b\t&&\nb<3", " a<b ", "\xc3\xa4==9", "none<1 || a<b", "!(none>=0)", "!(none==none)", "a==1&&b==2&&a<b&&!(b<a)"};
	static const char *const no[] = {"a>b", "a>=b", "b<a", "b<=a", "a==b", "a!=1", "none<1", "none>1", "none<=1", "none>=1",
		"none==none", "none!=none", "none!=1", "1!=none", "a<b && b>2", "a>b || b>2", "!(a<b)", "!a<b || b==3",
		"(a<b || a<b) && b==3", "not not a>b"};
	for (size_t i = 0; i < sizeof yes / sizeof *yes; i++)
		ck_assert_msg(holds(yes[i]), "false: %s", yes[i]);
	for (size_t i = 0; i < sizeof no / sizeof *no; i++)
		ck_assert_msg(!holds(no[i]), "true: %s", no[i]);
}
END_TEST

START_TEST(no_conditions)
{
	static const struct {
		const char *text, *why;
	} bad[] = {{"", "at 1: a number or a name is missing"}, {"  ", "at 3: a number or a name is missing"},
		{"a", "at 2: a comparison (< <= > >= == !=) is missing"}, {"a b", "at 3: a comparison (< <= > >= == !=) is missing"},
		{"a=1", "at 2: equal is =="}, {"a>", "at 3: a number or a name is missing"}, {">1", "at 1: a number or a name is missing"},
		{"a>1 &&", "at 7: a number or a name is missing"}, {"a>1 & b>1", "at 5: '& b>1' is too much"},
		{"a>1, b>1", "at 4: ', b>1' is too much"}, {"a>1)", "at 4: ')' is too much"}, {"(a>1", "at 5: the '(' at 1 is not closed"},
		{"a>1 && (b>1 c", "at 13: the '(' at 8 is not closed"}, {"1<a<3", "at 4: '<3' is too much"},
		{"(a)>1", "at 3: a comparison (< <= > >= == !=) is missing"}, {"a>1x", "at 3: '1x' is no number"},
		{"36.y>1", "at 1: '36.y' is no number (a name that begins so stands in quotes)"}, {"a>1e", "at 3: '1e' is no number"},
		{"a>--1", "at 3: '-' is no number"}, {"a>1e999", "at 3: '1e999' is no number"}, {"a>0x1", "at 3: '0x1' is no number"},
		{"a>.", "at 3: '.' is no number"}, {"'a>1", "at 1: the quote is not closed"}, {"''>1", "at 1: an empty name"},
		{"/a>1", "at 1: a number or a name is missing"}, {"a ! > 1", "at 3: a comparison"},
		{"a>1 not b>1", "at 5: 'not b>1' is too much"}, {"a~1", "at 2: a comparison"}, {"a>1;", "at 4: ';' is too much"}};
	char why[EXPR_WHY];
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		ck_assert_msg(!expr_parse(bad[i].text, why), "taken: %s", bad[i].text);
		ck_assert_msg(!strncmp(why, bad[i].why, strlen(bad[i].why)), "'%s': %s, not %s", bad[i].text, why, bad[i].why);
	}
}
END_TEST

/* Long and deep ones are refused before memory or stack are gone; the longest that are taken are evaluated. */
START_TEST(limits)
{
	char *text = calloc(1 << 20, 1), why[EXPR_WHY];
	memset(text, '(', 1 << 16);
	ck_assert(!expr_parse(text, why) && strstr(why, "parentheses in one another"));
	memset(text, '!', 1 << 16);
	ck_assert(!expr_parse(text, why) && strstr(why, "parentheses in one another"));
	strcpy(text, "a<b");
	for (int i = 0; i < 1000; i++)
		strcat(text, "&&a<b");
	ck_assert(holds(text));
	for (int i = 0; i < 1000; i++)
		strcat(text, "||a<b");
	ck_assert(!expr_parse(text, why) && strstr(why, "more than 4096"));
	memset(text, 'a', 1 << 16);
	ck_assert(!expr_parse(text, why) && strstr(why, "a comparison"));
	memset(text, '9', 1 << 16);
	ck_assert(!expr_parse(text, why) && strstr(why, "is no number"));
	free(text);
}
END_TEST

/* Each name once, with the place where it first stands. */
START_TEST(names)
{
	char why[EXPR_WHY];
	struct expr *e = expr_parse("label==1 && (error>2 || 'label'!=3) && id<error", why);
	ck_assert(e && e->nnames == 3);
	ck_assert_str_eq(e->name[0].name, "label");
	ck_assert_str_eq(e->name[1].name, "error");
	ck_assert_str_eq(e->name[2].name, "id");
	ck_assert(e->name[0].at == 1 && e->name[1].at == 14 && e->name[2].at == 40);
	expr_free(e);
}
END_TEST

START_TEST(ranges)
{
	struct ranges r;
	ck_assert(!ranges_parse(&r, "30-40,7,100-,35-50,9-9,8", 1));
	for (uint64_t v = 0; v < 300; v++)
		ck_assert_int_eq(ranges_take(&r, v), (v >= 7 && v <= 9) || (v >= 30 && v <= 50) || v >= 100);
	ck_assert(ranges_take(&r, UINT64_MAX));
	ck_assert_ptr_null(ranges_over(&r, 100));
	char *over = range_text(ranges_over(&r, 99)), *also = range_text(ranges_over(&r, 49));
	ck_assert_str_eq(over, "100-");
	ck_assert_str_eq(also, "30-50"); /* overlapping ones are one */
	free(over), free(also);
	ranges_free(&r);
	ck_assert(!ranges_parse(&r, "5,7-9", 0) && ranges_take(&r, 8) && !ranges_take(&r, 6));
	ck_assert(!r.range[0].met && r.range[1].met);
	ranges_free(&r);
	static const struct {
		const char *text, *why;
	} bad[] = {{"", "'' is no number, no A-B and no A-"}, {"1,", "'' is no"}, {",1", "'' is no"}, {"-5", "'-5' is no"},
		{"a", "'a' is no"}, {"1-b", "'1-b' is no"}, {"1-2-3", "'1-2-3' is no"}, {"1 ", "'1 ' is no"},
		{"20-10", "20-10 is reversed"}, {"3,20-10", "20-10 is reversed"}, {"0", "0: numbers begin at 1"},
		{"0-3", "0-3: numbers begin at 1"}, {"99999999999999999999", "'99999999999999999999' is no"}, {"1.5", "'1.5' is no"},
		{"+1", "'+1' is no"}};
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		char *why = ranges_parse(&r, bad[i].text, 1);
		ck_assert_msg(why && !strncmp(why, bad[i].why, strlen(bad[i].why)), "'%s': %s", bad[i].text, why ? why : "taken");
		ck_assert(!r.range && !r.n && !ranges_take(&r, 1));
		free(why);
	}
}
END_TEST

START_TEST(globs)
{
	static char *const points[] = {"left_eye", "right_eye", "nose", "mouth[1]", "mouth[2]", "left_brow"};
	static const struct {
		const char *list;
		int n, to[6];
		const char *none;
	} g[] = {{"nose", 1, {2}, NULL}, {"*eye", 2, {0, 1}, NULL}, {"nose,*eye,left*", 4, {2, 0, 1, 5}, NULL},
		{"*", 6, {0, 1, 2, 3, 4, 5}, NULL}, {"mouth[1]", 1, {3}, NULL}, {"mouth?1?", 1, {3}, NULL}, {"[ln]*", 3, {0, 2, 5}, NULL},
		{"eye", 0, {0}, "eye"}, {"no*,ear*,chin", 1, {2}, "ear*"}, {"nose,nose", 1, {2}, NULL}, {"NOSE", 0, {0}, "NOSE"}};
	for (size_t i = 0; i < sizeof g / sizeof *g; i++) {
		int to[6];
		char *none;
		ck_assert_int_eq(globs_match(g[i].list, points, 6, to, &none), g[i].n);
		ck_assert(!memcmp(to, g[i].to, (size_t)g[i].n * sizeof *to));
		ck_assert_msg(!none == !g[i].none && (!none || !strcmp(none, g[i].none)), "%s: %s", g[i].list, none ? none : "all match");
		free(none);
	}
}
END_TEST

int main(void)
{
	Suite *s = suite_create("expr");
	TCase *t = tcase_create("expr");
	tcase_add_test(t, conditions);
	tcase_add_test(t, no_conditions);
	tcase_add_test(t, limits);
	tcase_add_test(t, names);
	tcase_add_test(t, ranges);
	tcase_add_test(t, globs);
	suite_add_tcase(s, t);
	SRunner *r = srunner_create(s);
	srunner_run_all(r, CK_NORMAL);
	int failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed != 0;
}
