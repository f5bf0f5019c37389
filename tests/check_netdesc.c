/* Every token of a net description, every refusal with its text, the limits, and the counts of the nets that the project names. */
#include <check.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "lib/base/err.h"
#include "lib/nn/layer_alias.h"
#include "lib/nn/netdesc.h"
#include "lib/nn/netdesc_tell.h"
#include "tests/child.h"

#define LENGTH(a) ((int)(sizeof(a) / sizeof *(a)))

static struct netdesc d; /* too large for a sanitizer's stack frame */
static char err[256];

static int parse(const char *text, int C, int H, int W, int target)
{
	memset(&d, 0x5a, sizeof d);
	strcpy(err, "untouched");
	int got = netdesc_parse(&d, text, C, H, W, (struct netdesc_target){target, target}, err);
	ck_assert_msg(got == 0 || got == -1, "returns %d", got);
	ck_assert_msg((got == 0) == !strcmp(err, "untouched"), "%s: %d, but '%s'", text, got, err);
	return got;
}

static void parses(const char *text, int C, int H, int W, int target)
{
	ck_assert_msg(!parse(text, C, H, W, target), "%s: %s", text, err);
}

static void refused(const char *text, int C, int H, int W, int target, const char *why)
{
	ck_assert_msg(parse(text, C, H, W, target) < 0, "'%s' was accepted", text);
	ck_assert_msg(!strcmp(err, why), "'%s': '%s', not '%s'", text, err, why);
}

static void shape(int i, enum layer_kind kind, int OC, int OH, int OW)
{
	const struct layer *l = &d.layer[i];
	ck_assert_msg(i < d.n && l->kind == kind && l->OC == OC && l->OH == OH && l->OW == OW,
		"layer %d of %d: kind %d, %dx%dx%d, not %d, %dx%dx%d", i, d.n, l->kind, l->OC, l->OH, l->OW, kind, OC, OH, OW);
}

START_TEST(tokens)
{
	parses("conv3x2x5s2p1 relu pool2 bn tanh dropout0.25 up3 sigmoid fc7 fc", 2, 11, 14, 4);
	ck_assert_int_eq(d.n, 10);
	shape(0, LAYER_CONV, 5, 6, 8);
	shape(1, LAYER_ACT, 5, 6, 8);
	shape(2, LAYER_POOL, 5, 3, 4);
	shape(3, LAYER_BN, 5, 3, 4);
	shape(4, LAYER_ACT, 5, 3, 4);
	shape(5, LAYER_DROPOUT, 5, 3, 4);
	shape(6, LAYER_UP, 5, 9, 12);
	shape(7, LAYER_ACT, 5, 9, 12);
	shape(8, LAYER_DENSE, 7, 1, 1);
	shape(9, LAYER_DENSE, 4, 1, 1);
	const struct layer *l = d.layer;
	ck_assert(l[0].KH == 3 && l[0].KW == 2 && l[0].S == 2 && l[0].P == 1);
	ck_assert(l[0].act == ACT_RELU && l[1].fused && l[1].act == ACT_RELU);
	ck_assert(l[2].KH == 2 && l[6].KH == 3);
	ck_assert(!l[4].fused && l[4].act == ACT_TANH && !l[7].fused && l[7].act == ACT_SIGMOID);
	ck_assert_float_eq(l[5].p, 0.25f);
	ck_assert_uint_eq(l[0].nw, 2 * 3 * 2 * 5);
	ck_assert_uint_eq(l[0].nb, 5);
	ck_assert(l[3].nw == 5 && l[3].nb == 5 && d.nstat == 10 && l[3].run == 0);
	ck_assert_uint_eq(l[8].nw, 5 * 9 * 12 * 7);
	ck_assert_uint_eq(l[9].nw, 28);
	ck_assert_int_eq(d.outputs, 4);
	/* the parameter block is dense and in order */
	size_t at = 0;
	for (int i = 0; i < d.n; i++)
		if (l[i].nw) {
			ck_assert(l[i].w == at && l[i].b == at + l[i].nw);
			at += l[i].nw + l[i].nb;
		}
	ck_assert_uint_eq(at, d.nparam);
	/* a layer's input has the shape of the output before it */
	ck_assert(l[0].C == 2 && l[0].H == 11 && l[0].W == 14);
	for (int i = 1; i < d.n; i++)
		ck_assert(l[i].C == l[i - 1].OC && l[i].H == l[i - 1].OH && l[i].W == l[i - 1].OW);
}
END_TEST

START_TEST(defaults)
{
	parses("conv3x3 fc", 1, 5, 6, 9);
	shape(0, LAYER_CONV, 9, 3, 4);
	ck_assert(d.layer[0].S == 1 && d.layer[0].P == 0);
	parses("conv1x1", 3, 1, 1, 2);
	shape(0, LAYER_CONV, 2, 1, 1);
	parses("conv3x3s2p1", 3, 1, 1, 2);
	shape(0, LAYER_CONV, 2, 1, 1);
	parses("dropout0", 1, 2, 3, 6);
	/* dilation */
	parses("conv3x2x4s2p2d3 conv3x3x2d2 conv1x1x1p0d7", 2, 15, 14, 12);
	shape(0, LAYER_CONV, 4, 7, 8);
	shape(1, LAYER_CONV, 2, 3, 4);
	ck_assert(d.layer[0].D == 3 && d.layer[0].P == 2 && d.layer[0].S == 2 && d.layer[1].D == 2 && d.layer[0].nw == 48);
	parses("conv3x3x2 conv1x1x1", 2, 15, 14, 12 * 13);
	ck_assert(d.layer[0].D == 1);
	parses("relu up2 conv3x3x1p2d2 up2 conv3x3x1p1d1", 1, 2, 2, 64); /* not fused */
	ck_assert(!d.layer[1].fused && d.layer[2].upsample == 1 && d.layer[4].upsample == 2);
	double stride, first;
	parses("conv5x5x2s2p2d2 conv3x3x1p1", 1, 40, 40, 18 * 18);
	ck_assert(netdesc_geometry(&d, 0, &stride, &first) && stride == 2 && first == 2);
}
END_TEST

/* Each )+ closes the last ( that is open, and adds what that reads. */
START_TEST(skips)
{
	parses("( conv3x3x2p1 ( relu ( tanh )+ )+ bn ( conv2x2x5s2 up2 conv1x1x2 )+ conv1x1x1 )+", 1, 6, 4, 24);
	ck_assert_int_eq(d.n, 16);
	static const int add[] = {6, 4, 7, 2, 13, 9, 15, 0};
	for (int k = 0; k < LENGTH(add); k += 2) {
		const struct layer *a = &d.layer[add[k]], *from = &d.layer[add[k + 1]];
		ck_assert(a->kind == LAYER_ADD && a->skip == add[k + 1] && from->kind == LAYER_SKIP);
		shape(add[k], LAYER_ADD, from->C, from->H, from->W);
		shape(add[k + 1], LAYER_SKIP, from->C, from->H, from->W);
		ck_assert(from->fused && !a->fused && !a->nw && !from->nw);
	}
	shape(6, LAYER_ADD, 2, 6, 4);
	/* a ( keeps what is before it from being fused with what is behind it; )+ takes an activation */
	parses("conv1x1x2 ( relu )+ relu bn ( relu ( pool1 )+ )+ up2 ( conv1x1x1 pool2 up2 conv1x1x2 )+ fc ( tanh )+ sigmoid bn", 1, 4, 4,
		3);
	const struct layer *l = d.layer;
	ck_assert(l[0].act == ACT_NONE && !l[2].fused && l[3].act == ACT_RELU && l[4].fused);
	ck_assert(l[5].act == ACT_NONE && !l[7].fused && l[7].act == ACT_RELU && !l[9].fused && l[10].act == ACT_NONE);
	ck_assert(!l[12].fused && l[14].upsample == 1 && l[14].pool == 2 && l[16].fused && l[17].upsample == 2);
	ck_assert(l[19].act == ACT_NONE && !l[21].fused && l[22].act == ACT_SIGMOID && l[23].fused);
	/* nor does folding reach across one */
	parses("conv3x3x2p1 bn relu ( pool1 )+ conv1x1x2 ( bn relu )+ conv1x1x2 bn ( relu )+ fc bn ( relu )+", 1, 4, 4, 3);
	netdesc_fold(&d);
	ck_assert(l[0].bn == 1 && l[0].act == ACT_RELU && l[0].pool == 1 && !l[4].fused);
	ck_assert(!l[6].bn && !l[8].fused && l[8].act == ACT_RELU);
	ck_assert(l[11].bn == 12 && l[11].act == ACT_NONE && !l[14].fused && l[16].bn == 17 && l[16].act == ACT_NONE && !l[19].fused);
	/* weights before a )+ start as its activation wants them: He's normal numbers are above Glorot's largest somewhere */
	parses("fc100 ( bn )+ relu fc100 ( bn )+ tanh fc", 1, 1, 100, 1);
	real *param = malloc(d.nparam * sizeof *param), *stat = malloc(d.nstat * sizeof *stat), top[2] = {0};
	netdesc_init_params(&d, 1, param, stat);
	for (size_t k = 0; k < 20000; k++) {
		real w = param[d.layer[k < 10000 ? 0 : 5].w + k % 10000], *t = &top[k >= 10000];
		*t = w > *t ? w : *t;
	}
	ck_assert_msg(top[0] > 0.4F && top[1] < 0.1733F, "%g %g", (double)top[0], (double)top[1]);
	free(param), free(stat);
}
END_TEST

/* Layers are fused with their direct neighbours only. */
START_TEST(fusing)
{
	parses("fc3 tanh relu fc sigmoid", 1, 1, 4, 2);
	ck_assert(d.layer[0].act == ACT_TANH && d.layer[1].fused && !d.layer[2].fused && d.layer[3].act == ACT_SIGMOID && d.layer[4].fused);
	parses("relu fc bn relu", 1, 1, 4, 2);
	ck_assert(!d.layer[0].fused && d.layer[1].act == ACT_NONE && d.layer[2].act == ACT_RELU && d.layer[3].fused);
	parses("fc bn tanh", 1, 1, 4, 2);
	ck_assert(d.layer[1].act == ACT_NONE && !d.layer[2].fused);
	/* netdesc_fold, for inference: a batch norm is folded into the weights before it, and the layers behind it are fused with those */
	parses("conv3x3x2p1 bn relu pool2 fc bn tanh relu bn", 1, 8, 8, 2);
	netdesc_fold(&d);
	ck_assert(d.layer[0].bn == 1 && d.layer[1].fused && d.layer[0].act == ACT_RELU && d.layer[2].fused && d.layer[0].pool == 2);
	ck_assert(d.layer[3].fused && !d.layer[4].fused && d.layer[4].bn == 5 && d.layer[4].act == ACT_NONE && !d.layer[6].fused);
	ck_assert(!d.layer[8].fused);
	parses("conv1x1x2 dropout0.5 relu", 1, 1, 1, 2);
	ck_assert(d.layer[0].act == ACT_NONE && !d.layer[2].fused);
	/* a convolution is fused with an upsample of 2 before it, its pool, and the activation on either side of the pool */
	parses("conv3x3x2p1 relu pool2 tanh fc", 1, 8, 8, 2);
	ck_assert(d.layer[0].act == ACT_RELU && d.layer[0].pool == 2 && d.layer[1].fused && d.layer[2].fused && !d.layer[3].fused);
	parses("conv3x3x2 pool3 sigmoid up2 conv1x1x3 pool2 pool2", 1, 8, 8, 3);
	ck_assert(d.layer[0].act == ACT_SIGMOID && d.layer[0].pool == 3 && d.layer[2].fused && d.layer[0].upsample == 1);
	ck_assert(d.layer[3].fused && d.layer[4].upsample == 2 && d.layer[4].pool == 2 && d.layer[5].fused && !d.layer[6].fused);
	parses("up2 conv2x2x1s2 bn relu", 1, 2, 2, 4); /* not where upsample is the first layer, nor with a stride */
	ck_assert(!d.layer[0].fused && d.layer[1].upsample == 1 && d.layer[1].act == ACT_NONE);
	parses("relu up2 conv2x2x1s2", 1, 2, 2, 4);
	ck_assert(!d.layer[1].fused && d.layer[2].upsample == 1);
	parses("relu up3 conv3x3x1p1", 1, 2, 2, 36);
	ck_assert(!d.layer[1].fused && d.layer[2].upsample == 1);
}
END_TEST

START_TEST(space)
{
	parses(" \t\r\n fc3 # a comment # fc8\n\trelu#fc9\r\n fc#the last", 1, 1, 4, 2);
	ck_assert_int_eq(d.n, 3);
	ck_assert_int_eq(d.layer[0].OC, 3);
}
END_TEST

static const char *const no_layer[] = {"fx", "FC3", "fc3x", "fc-1", "fc+3", "fc3.5", "fc0", "fc1000001", "fc99999999999999999999", "fc 3x",
	"conv", "conv3", "conv3x", "convx3", "conv3x3x", "conv3x3x0", "conv0x3x1", "conv3x0x1", "conv3x3x4s", "conv3x3x4s0", "conv3x3x4p",
	"conv3x3x4p1s2", "conv3x3x4p3", "conv3x3x4d", "conv3x3x4d0", "conv3x3x4p5d2", "conv3x2x4p3d2", "conv3x3x4d2p1", "conv1x3x4p1d9",
	"conv3x3x4d1000001", "conv3x2x4p2", "conv2x3x4p2", "conv3x3x4s2p1x", "conv3X3", "conv-3x3", "conv1000001x1", "conv3x3xfour", "pool",
	"pool0", "pool16", "pool2x2", "pool99999999999", "up", "up0", "up1025", "up2.0", "bn2", "bnx", "dropout", "dropout.5", "dropout1",
	"dropout1.5", "dropout-0.5", "dropout0.5x", "dropout0.5.5", "dropout0x1", "dropout1e-3", "dropoutnan", "dropout0.99999999999",
	"dropoutinf", "relu6", "relu,", "tanhh", "sigmoid:", "softmax", ",", "fc3,relu", "\"fc\"", "conv3x3x4 s2", "fc\v3", "\xc3\xa9",
	"@net", "((", ")", "(fc3", "fc3)+", ")++", "+", "()", "a123456789b123456789c123456789d123456789e123456789f123456789"};

/* A bad token is named with its number, from 1, and what layers there are. */
START_TEST(not_a_layer)
{
	char text[128], want[400], word[128];
	const char *bad = no_layer[_i];
	snprintf(text, sizeof text, "tanh %s", bad);
	int number = 2;
	/* where the text holds several words, the last is the bad one */
	if (strrchr(bad, ' '))
		number = 3, bad = strrchr(bad, ' ') + 1;
	snprintf(word, sizeof word, "%s", bad);
	snprintf(want, sizeof want, "layer %d: '%s' is no layer%s", number, word, layer_alias_hint(word, (char[LAYER_ALIAS_HINT]){0}));
	refused(text, 1, 8, 8, 64, want);
	ck_assert(d.fault == number - 1 && d.outputs == 0);
}
END_TEST

/* Where a layer stands: a file's line and column; of an option's text the column, and the line where it is not the first. */
START_TEST(places)
{
	static const char text[] = "# 3x3\nconv3x3 relu # fc\n\n\t fc5#x\r\nfc  tanh";
	static const struct {
		int i;
		const char *file, *option;
	} at[] = {{0, "a.net:2:1", "--net: line 2, column 1"}, {1, "a.net:2:9", "--net: line 2, column 9"},
		{2, "a.net:4:3", "--net: line 4, column 3"}, {3, "a.net:5:1", "--net: line 5, column 1"},
		{4, "a.net:5:5", "--net: line 5, column 5"}, {5, "a.net", "--net"}, {-1, "a.net", "--net"}};
	for (size_t i = 0; i < sizeof at / sizeof *at; i++) {
		char *file = netdesc_text_place(text, at[i].i, "a.net", "--net"),
		     *option = netdesc_text_place(text, at[i].i, NULL, "--net");
		ck_assert_str_eq(file, at[i].file);
		ck_assert_str_eq(option, at[i].option);
		free(file), free(option);
	}
	char *first = netdesc_text_place("  fc3 fcx", 1, NULL, "--net");
	ck_assert_str_eq(first, "--net: column 7");
	free(first);
	/* whose fault a refusal is: the last layer's where the output is none for the target */
	ck_assert(parse("fc7 relu", 1, 2, 2, 4) < 0 && d.fault == 1 && d.outputs == 7);
	ck_assert(parse("conv2x2x3 pool3 fc", 1, 3, 3, 4) < 0 && d.fault == 1);
	ck_assert(parse("", 1, 2, 2, 4) < 0 && d.fault == -1);
}
END_TEST

/* A relu whose input is nowhere below 0, and an output that is: layers' numbers from 0, or -1. */
START_TEST(doubts)
{
	static const struct {
		const char *text;
		int idle, half;
	} c[] = {{"fc3 relu fc", -1, -1}, {"fc3 relu relu fc", 2, -1}, {"fc3 sigmoid dropout0.5 relu relu fc", 3, -1},
		{"conv3x3x2 relu pool2 up2 relu fc", 4, -1}, {"fc3 relu bn relu fc", -1, -1}, {"fc3 tanh relu fc", -1, -1},
		{"fc3 relu tanh fc", -1, -1}, {"relu fc", -1, -1}, {"fc relu", -1, 1}, {"fc sigmoid", -1, 1}, {"fc tanh", -1, -1},
		{"fc3 relu ( relu )+ relu fc", 3, -1}, {"fc3 relu ( fc3 relu )+ pool1 relu fc", 7, -1},
		{"fc3 relu ( fc3 )+ relu fc", -1, -1}, {"fc3 ( relu )+ relu fc", -1, -1}, {"fc4 relu ( sigmoid )+", -1, 4},
		{"( relu )+ relu fc", -1, -1}, {"fc3 sigmoid ( ( fc3 relu )+ bn )+ ( relu )+ relu fc", -1, -1},
		{"fc relu dropout0.1", -1, 1}, {"fc relu bn", -1, -1}, {"fc sigmoid relu", 2, 2}, {"dropout0.5 fc", -1, -1}};
	for (size_t i = 0; i < sizeof c / sizeof *c; i++) {
		parses(c[i].text, 1, 8, 8, 4);
		ck_assert_msg(netdesc_idle(&d) == c[i].idle, "%s: idle %d", c[i].text, netdesc_idle(&d));
		ck_assert_msg(netdesc_half(&d) == c[i].half, "%s: half %d", c[i].text, netdesc_half(&d));
	}
}
END_TEST

START_TEST(long_token)
{
	char text[5000];
	memset(text, '1', sizeof text - 1);
	memcpy(text, "fc", 2);
	text[sizeof text - 1] = 0;
	ck_assert(parse(text, 1, 8, 8, 64) < 0);
	ck_assert_msg(!strncmp(err, "layer 1: 'fc111", 15) && strstr(err, "' is no layer"), "%s", err);
	/* leading zeros count for the longest token */
	parses("fc000000000000000000000000000000000000000000000000000000003", 1, 1, 1, 3);
	ck_assert(parse("fc0000000000000000000000000000000000000000000000000000000000003", 1, 1, 1, 3) < 0);
}
END_TEST

static const struct {
	const char *text;
	int C, H, W;
	const char *why;
} misfits[] = {
	{"conv3x3x1", 1, 2, 9, "layer 1: conv3x3x1 does not fit its input of 1x2x9 (CxHxW)"},
	{"conv3x3x1d4", 1, 9, 8, "layer 1: conv3x3x1d4 does not fit its input of 1x9x8 (CxHxW)"},
	{"conv1000000x1x1d1000000", 1, 9, 8, "layer 1: conv1000000x1x1d1000000 does not fit its input of 1x9x8 (CxHxW)"},
	{"conv3x3x1", 1, 9, 2, "layer 1: conv3x3x1 does not fit its input of 1x9x2 (CxHxW)"},
	{"relu conv5x5x4p1", 2, 2, 9, "layer 2: conv5x5x4p1 does not fit its input of 2x2x9 (CxHxW)"},
	{"pool3", 4, 2, 9, "layer 1: pool3 does not fit its input of 4x2x9 (CxHxW)"},
	{"pool3", 4, 9, 2, "layer 1: pool3 does not fit its input of 4x9x2 (CxHxW)"},
	{"fc7 pool2", 1, 9, 9, "layer 2: pool2 does not fit its input of 7x1x1 (CxHxW)"},
	{"fc7 conv2x1x3", 1, 9, 9, "layer 2: conv2x1x3 does not fit its input of 7x1x1 (CxHxW)"},
	{")+ fc", 1, 9, 9, "layer 1: )+ has no ( before it"},
	{"( tanh )+ fc3 relu )+", 1, 9, 9, "layer 6: )+ has no ( before it"},
	{"tanh ( fc3", 1, 9, 9, "layer 2: ( has no )+ after it"},
	{"( tanh ( relu ( relu )+", 1, 9, 9, "layer 3: ( has no )+ after it"},
	{"fc1 (", 1, 9, 9, "layer 2: ( has no )+ after it"},
	{"fc1 ( )+", 1, 9, 9, "layer 3: there is nothing between )+ and its ("},
	{"fc1 ( ( relu )+ ( )+ )+", 1, 9, 9, "layer 7: there is nothing between )+ and its ("},
	{"conv3x3x2 ( conv3x3x2p1 relu conv1x1x3 )+", 1, 9, 8, "layer 6: )+ can't add 3x7x6 to the 2x7x6 (CxHxW) at its (, layer 2"},
	{"( conv3x2x4 ( tanh )+ )+", 4, 9, 8, "layer 6: )+ can't add 4x7x7 to the 4x9x8 (CxHxW) at its (, layer 1"},
	{"( conv3x3x2s2p1 up2 )+", 2, 8, 7, "layer 4: )+ can't add 2x8x8 to the 2x8x7 (CxHxW) at its (, layer 1"},
	/* above 2^31 - 1 values */
	{"up1000 up1000", 1, 40, 40, "layer 2: up1000 does not fit its input of 1x40000x40000 (CxHxW)"},
	{"conv1x1x1000000", 1, 50, 50, "layer 1: conv1x1x1000000 does not fit its input of 1x50x50 (CxHxW)"},
	{"fc1000000 up1024", 1, 1, 1, "layer 2: up1024 does not fit its input of 1000000x1x1 (CxHxW)"},
	{"up1024 up1024 up1024 up1024 up1024 up1024", 1, 1, 1, "layer 2: up1024 does not fit its input of 1x1024x1024 (CxHxW)"},
	/* above 2^40 weights, or an overflow */
	{"fc1000000 conv1x1x1000000 conv1x1x1000000", 1, 2, 1, NULL},
	{"conv1000000x1000000x1000000p999999", 1000000, 2, 2, NULL},
	{"conv1000000x1000000x1000000p999999", 1000, 1000, 1000, NULL},
};

START_TEST(misfit)
{
	ck_assert_msg(parse(misfits[_i].text, misfits[_i].C, misfits[_i].H, misfits[_i].W, 1) < 0, "'%s' was accepted", misfits[_i].text);
	if (misfits[_i].why)
		ck_assert_str_eq(err, misfits[_i].why);
}
END_TEST

START_TEST(ends)
{
	refused("", 1, 2, 2, 4, "the net has no layers");
	refused(" # fc\n", 1, 2, 2, 4, "the net has no layers");
	refused("fc7 relu", 1, 2, 2, 4, "the net ends with 7 values, the target has 4");
	refused("conv2x2", 1, 3, 3, 4, "the net ends with 4x2x2 values (CxHxW), the target has 4");
	refused("conv1x2x3", 2, 3, 5, 4, "the net ends with 3x3x4 values (CxHxW), the target has 4");
	parses("relu", 1, 2, 2, 4);
}
END_TEST

START_TEST(limits)
{
	char text[NETDESC_LAYERS * 5 + 16] = "";
	for (int i = 0; i < NETDESC_LAYERS; i++)
		strcat(text, "relu ");
	parses(text, 1, 1, 1, 1);
	ck_assert_int_eq(d.n, NETDESC_LAYERS);
	strcat(text, "# no layer");
	parses(text, 1, 1, 1, 1);
	strcat(text, "\nrelu");
	refused(text, 1, 1, 1, 1, "the net has more than 256 layers");
	/* the widest input that there is, and one value more */
	parses("pool15 fc", 1, 46340, 46340, 3);
	ck_assert_int_eq(parse("pool15 fc", 1, 46341, 46341, 3), -1);
	ck_assert_str_eq(err, "the input of 1x46341x46341 (CxHxW) is too large");
	parses("fc", 1, 1, INT_MAX, 1);
	ck_assert_int_eq(parse("fc", 2, 1, INT_MAX, 1), -1);
	ck_assert_int_eq(parse("fc", INT_MAX, INT_MAX, INT_MAX, 1), -1);
	parses("fc1000000 fc1000000", 1, 1, 1, 1000000);
	ck_assert_uint_eq(d.nparam, 2000000ull + 1000000ull * 1000000ull + 1000000ull);
}
END_TEST

START_TEST(named_nets)
{
	parses("conv3x3x32 relu pool2 conv2x2x64 relu pool2 conv2x2x128 relu pool2 fc500 relu fc500 relu fc", 1, 96, 96, 30);
	ck_assert_uint_eq(d.nparam, 320 + 8256 + 32896 + 7744500 + 250500 + 15030);
	ck_assert_uint_eq(d.nparam * 4 / 1000000, 32); /* 30.7 MiB */
	ck_assert_uint_eq(d.nparam * 4 >> 20, 30);
	ck_assert_double_eq(
		netdesc_flops(&d), 2.0 * (288.0 * 94 * 94 + 8192.0 * 46 * 46 + 32768.0 * 22 * 22 + 15488.0 * 500 + 500.0 * 500 + 500 * 30));
	parses("conv3x3x32s2p1 relu conv3x3x32p1 relu conv3x3x64s2p1 relu conv3x3x64p1 relu conv3x3x128s2p1 relu conv3x3x128p1 relu up2 "
	       "conv3x3x64p1 relu up2 "
	       "conv3x3x32p1 relu conv1x1x15",
		1, 96, 96, 15 * 48 * 48);
	shape(d.n - 1, LAYER_CONV, 15, 48, 48);
	ck_assert_uint_eq(d.nparam, 320 + 9248 + 18496 + 36928 + 73856 + 147584 + 73792 + 18464 + 495);
	parses("conv5x5x50 pool2 sigmoid fc9216", 1, 96, 96, 9216);
	ck_assert_uint_eq(d.nparam, 975052800ull + 9216 + 1300);
	parses("fc500 sigmoid fc475 sigmoid", 1, 19, 25, 475);
	ck_assert_uint_eq(d.nparam, 2 * 475 * 500 + 975);
}
END_TEST

static char path[64];

static void write_file(const char *data, size_t n)
{
	FILE *f = fopen(path, "w");
	ck_assert(f && fwrite(data, 1, n, f) == n && !fclose(f));
}

static void text_of(void *arg)
{
	struct netdesc_text t;
	netdesc_text_read(&t, arg);
	netdesc_text_free(&t);
}

START_TEST(texts)
{
	struct netdesc_text t;
	char at[80];
	static const char *const pairs[][2] = {{"fc", "fc"}, {"", ""}, {"  ", ""}, {" fc3\t relu\r\n\nfc ", "fc3 relu fc"},
		{"# only this", ""}, {"fc3#x\nrelu # fc # fc\n#\nfc", "fc3 relu fc"}, {"a#", "a"}, {"#a\nb", "b"}, {"a b#c", "a b"}};
	for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++) {
		netdesc_text_read(&t, pairs[i][0]);
		ck_assert_str_eq(t.text, pairs[i][1]);
		ck_assert(!strcmp(t.raw, pairs[i][0]) && !t.file);
		netdesc_text_free(&t);
		write_file(pairs[i][0], strlen(pairs[i][0]));
		snprintf(at, sizeof at, "@%s", path);
		netdesc_text_read(&t, at);
		ck_assert_str_eq(t.text, pairs[i][1]);
		ck_assert(!strcmp(t.raw, pairs[i][0]) && !strcmp(t.file, path));
		netdesc_text_free(&t);
	}
	unlink(path);
}
END_TEST

START_TEST(bad_files)
{
	char at[80], want[200], *big = calloc(1 << 17, 1);
	snprintf(at, sizeof at, "@%s", path);
	struct child c = child_run(text_of, at);
	snprintf(want, sizeof want, "%s: No such file or directory\n", path);
	ck_assert_int_eq(c.status, 1);
	ck_assert_msg(strstr(c.err, want) != NULL, "%s", c.err);
	write_file("fc\0fc", 5);
	c = child_run(text_of, at);
	snprintf(want, sizeof want, "%s: is not a net description\n", path);
	ck_assert_int_eq(c.status, 1);
	ck_assert_msg(strstr(c.err, want) != NULL, "%s", c.err);
	memset(big, ' ', 1 << 17);
	write_file(big, (1 << 16) - 1);
	c = child_run(text_of, at);
	ck_assert_int_eq(c.status, 99);
	write_file(big, 1 << 16);
	c = child_run(text_of, at);
	ck_assert_int_eq(c.status, 1);
	ck_assert_msg(strstr(c.err, want) != NULL, "%s", c.err);
	unlink(path);
	ck_assert(!mkdir(path, 0700));
	c = child_run(text_of, at);
	ck_assert_int_eq(c.status, 1);
	ck_assert_msg(strstr(c.err, "Is a directory") != NULL, "%s", c.err);
	rmdir(path);
	free(big);
}
END_TEST

/* Random text: the parser returns, and what it accepts has valid shapes. */
START_TEST(random_text)
{
	static const char *const bits[] = {"fc", "conv", "pool", "up", "bn", "dropout", "relu", "tanh", "sigmoid", "( ", ")+ ",
		" ( relu )+ ", "x", "s", "p", "d", "0", "1", "2", "3", "7", "15", "1000000", " ", " ", " ", "#", "\n", ".", "-",
		"9999999999", "0.5"};
	uint32_t r = 1, accepted = 0;
	for (int i = 0; i < 200000; i++) {
		char text[200] = "";
		for (int k = 0, n = (int)(i % 14) + 1; k < n; k++) {
			r = r * 1664525u + 1013904223u;
			strcat(text, bits[(r >> 16) % (sizeof bits / sizeof *bits)]);
		}
		if (netdesc_parse(&d, text, 1 + i % 3, 1 + i % 40, 1 + i % 37, (struct netdesc_target){1 + i % 50, 1 + i % 50}, err))
			continue;
		accepted++;
		for (int k = 0; k < d.n; k++)
			ck_assert(d.layer[k].OC > 0 && d.layer[k].OH > 0 && d.layer[k].OW > 0 &&
				  (long long)d.layer[k].OC * d.layer[k].OH * d.layer[k].OW <= INT_MAX && d.layer[k].nw <= (size_t)1 << 40);
	}
	ck_assert_msg(accepted > 200, "only %u were accepted: nothing was tried", accepted);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("netdesc");
	TCase *t = tcase_create("netdesc");
	snprintf(path, sizeof path, "%s/netdesc.%d.txt", getenv("TMP") ? getenv("TMP") : "/tmp", (int)getpid());
	tcase_add_test(t, tokens);
	tcase_add_test(t, defaults);
	tcase_add_test(t, skips);
	tcase_add_test(t, fusing);
	tcase_add_test(t, space);
	tcase_add_loop_test(t, not_a_layer, 0, sizeof no_layer / sizeof *no_layer);
	tcase_add_test(t, places);
	tcase_add_test(t, doubts);
	tcase_add_test(t, long_token);
	tcase_add_loop_test(t, misfit, 0, sizeof misfits / sizeof *misfits);
	tcase_add_test(t, ends);
	tcase_add_test(t, limits);
	tcase_add_test(t, named_nets);
	tcase_add_test(t, texts);
	tcase_add_test(t, bad_files);
	tcase_add_test(t, random_text);
	suite_add_tcase(suite, t);
	SRunner *r = srunner_create(suite);
	srunner_run_all(r, CK_ENV);
	int failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed != 0;
}
