#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/nn/layer_alias.h"
#include "lib/nn/netdesc.h"

static const struct {
	const char *token, *hint;
} known[] = {
	{"maxpool2", " (here it is pool2)"},
	{"MaxPool2d(2)", " (here it is pool2)"},
	{"max_pool_3", " (here it is pool3)"},
	{"maxpool", " (here it is poolN)"},
	{"batchnorm", " (here it is bn)"},
	{"BatchNorm2d(32)", " (here it is bn)"},
	{"Linear", " (here it is fc)"},
	{"Linear(500)", " (here it is fc500)"},
	{"dense128", " (here it is fc128)"},
	{"dropoff0.3", " (did you mean dropout0.3?)"},
	{"drop0.5", " (here it is dropout0.5)"},
	{"Dropout(0.5)", " (here it is dropout0.5)"},
	{"Dropout", " (here it is dropoutF)"},
	{"UpSampling2D(2)", " (here it is up2)"},
	{"logistic", " (here it is sigmoid)"},
	{"Conv2D(32,3)", " (here it is convHxWxC[sS][pP][dD])"},
	{"softmax", " (leave it out: the target's loss has it)"},
	{"flatten", " (leave it out: fc takes all values before it)"},
	{"small.net", " (a file is named @small.net)"},
	{"nets/heat.net", " (a file is named @nets/heat.net)"},
	{"gelu", " (activations are relu, tanh and sigmoid)"},
	{"ReLU", " (did you mean relu?)"},
	{"FC(500)", " (did you mean fc500?)"},
	{"Conv3x3x32", " (did you mean conv3x3x32?)"},
	{"cnov3x3x32", " (did you mean conv3x3x32?)"},
	{"rleu", " (did you mean relu?)"},
	{"sigmiod", " (did you mean sigmoid?)"},
	{"conv2d", " (write convHxWxC[sS][pP][dD], H, W, C, S and D from 1 to 1000000, P up to D (H - 1) and D (W - 1))"},
	{"conv3", " (write convHxWxC[sS][pP][dD], H, W, C, S and D from 1 to 1000000, P up to D (H - 1) and D (W - 1))"},
	{"pool", " (write poolN, N from 1 to 15)"},
	{"fcx", " (write fcN, N from 1 to 1000000, or fc for as many as the target has)"},
	{"relu6", " (write relu)"},
	{"dropout1.5", " (write dropoutF, F from 0 to below 1)"},
	{"(", " (write ( and )+, each as a word of its own)"},
	{"(conv3x3x4", " (write ( and )+, each as a word of its own)"},
	{"conv3x3x4)+", " (write ( and )+, each as a word of its own)"},
	{"add3", " (write ( before the layers that a skip passes by, )+ after them)"},
	{"Concat", " (skips are added, not joined: ( before the layers that one passes by, )+ after them)"},
	{"attention", " (there are " LAYER_ALIAS_FORMS ")"},
	{"@net", " (there are " LAYER_ALIAS_FORMS ")"},
	{"", " (there are " LAYER_ALIAS_FORMS ")"},
};

START_TEST(told)
{
	char hint[LAYER_ALIAS_HINT];
	ck_assert_str_eq(layer_alias_hint(known[_i].token, hint), known[_i].hint);
}
END_TEST

/* A net without the mistake that the message speaks of is one: what is named after "here it is" and "did you mean" is a layer, unless it is
 * a form with capitals for numbers. */
START_TEST(is_a_layer)
{
	static struct netdesc d;
	char hint[LAYER_ALIAS_HINT], err[256];
	const char *was = known[_i].token, *at;
	layer_alias_hint(was, hint);
	if (!(at = strstr(hint, "here it is ")) && !(at = strstr(hint, "did you mean ")))
		return;
	at += strncmp(at, "here", 4) ? 13 : 11;
	char *text = strdup(at);
	text[strcspn(text, "?)")] = 0;
	if (!strpbrk(text, "NFHW")) {
		snprintf(hint, sizeof hint, "%s fc", text);
		ck_assert_msg(!netdesc_parse(&d, hint, 1, 9, 9, (struct netdesc_target){7, 7}, err), "%s: %s", was, err);
	}
	free(text);
}
END_TEST

/* The forms are those of the parser: with numbers for N, F, H, W, C, S and P each is a layer; the last one has layers within. */
START_TEST(forms)
{
	static struct netdesc d;
	char text[200] = "", err[256];
	size_t n = 0;
	for (const char *s = LAYER_ALIAS_FORMS; *s; s++)
		if (!strncmp(s, "...", 3))
			n += (size_t)snprintf(text + n, sizeof text - n, "relu"), s += 2;
		else if (!strchr("[],", *s))
			n += (size_t)snprintf(text + n, sizeof text - n, "%s",
				*s == 'F'		 ? "0.5"
				: *s >= 'A' && *s <= 'Z' ? *s == 'P' ? "0" : "1"
							 : (char[]){*s, 0});
	strcat(text, " fc");
	ck_assert_msg(!netdesc_parse(&d, text, 1, 9, 9, (struct netdesc_target){7, 7}, err), "%s: %s", text, err);
	ck_assert_int_eq(d.n, 13);
	ck_assert(d.layer[9].kind == LAYER_SKIP && d.layer[11].kind == LAYER_ADD);
	ck_assert(d.layer[0].kind == LAYER_CONV && d.layer[1].kind == LAYER_POOL && d.layer[2].kind == LAYER_UP && d.layer[5].p == 0.5F);
}
END_TEST

/* However long a token, the hint fits. */
START_TEST(long_tokens)
{
	char token[300], hint[LAYER_ALIAS_HINT + 1];
	for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
		snprintf(token, sizeof token, "%s", known[i].token);
		for (size_t n = strlen(token); n < sizeof token - 1; n++)
			token[n] = (char)(n % 2 ? '5' : 'x'), token[n + 1] = 0;
		hint[LAYER_ALIAS_HINT] = '#';
		ck_assert(strlen(layer_alias_hint(token, hint)) < LAYER_ALIAS_HINT);
		ck_assert(hint[LAYER_ALIAS_HINT] == '#');
	}
}
END_TEST

int main(void)
{
	Suite *s = suite_create("layer_alias");
	TCase *t = tcase_create("layer_alias");
	suite_add_tcase(s, t);
	tcase_add_loop_test(t, told, 0, sizeof known / sizeof *known);
	tcase_add_loop_test(t, is_a_layer, 0, sizeof known / sizeof *known);
	tcase_add_test(t, forms);
	tcase_add_test(t, long_tokens);
	SRunner *r = srunner_create(s);
	srunner_run_all(r, CK_NORMAL);
	int failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed != 0;
}
