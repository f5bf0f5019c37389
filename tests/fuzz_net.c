/* libFuzzer target of net descriptions. The first bytes say what the input and the target are, the rest is the text; a text that begins
 * with @ is a file's. What is taken has shapes that follow from each other, parameters side by side, and the same layers when it is read
 * from its words; what is not has a reason and a place. With FUZZ_SEEDS=DIR it writes seeds there and exits. */
#include <limits.h>
#include <math.h>

#include "lib/nn/netdesc.h"
#include "lib/nn/netdesc_text.h"
#include "tests/fuzz_die.h"

enum { HEAD = 2, SMALL = 1 << 14 /* parameters that are drawn and folded */ };

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	static const char *const texts[] = {"00conv3x3x4p1 bn relu pool2 fc5 relu dropout0.5 fc", "10conv5x5x8s2p2 bn relu up2 conv3x3p1",
		"20( conv3x3x1p1 tanh )+ relu conv3x3p2d2",
		"30@# a net\nconv3x3x8s2p1 relu # first\r\n( conv3x3x8p1 bn relu )+ up2 conv1x1\n",
		"40fc12 sigmoid ( fc12 relu )+ fc12 bn sigmoid fc", "00( ( conv3x3x1p1 )+ pool2 up2 )+ relu relu fc",
		"00conv3x3x4 bn relu bn pool2 fc7 tanh bn fc", "01Conv2D(32) relu", "00Max_Pool2d(2)", "00(fc5)+", "00fc0", "00dropout",
		"00relu6 leakyrelu", "00fcc", "00conv3x3x2p3", "00up1025", "00pool16", "00@", "50fc", "60up1024 up1024",
		"00fc1000000 fc1000000", "00my.net", "00)+", "00fc5 ( )+", "00fc5 (", "00fc5 ( fc6 )+", "00dropout1", "00conv3",
		"00linear500", "00dropout2d.5", "00maxpool", "00softmax", "00RELU", "00sigmoid", "00fc5 relu"};
	(void)argc, (void)argv;
	if (fuzz_seeds_dir()) {
		char many[3 + 257 * 5], file[2 + 1 + 70000];
		strcpy(many, "00");
		for (int i = 0; i < 257; i++)
			strcat(many, "relu ");
		memset(file, ' ', sizeof file), memcpy(file, "00@", 3);
		fuzz_seed("many", many, strlen(many));
		fuzz_seed("large-file", file, sizeof file);
		fuzz_seed("zero", "00@fc\0", 6);
		fuzz_seed_texts("", texts, sizeof texts / sizeof *texts);
		exit(0);
	}
	return 0;
}

static const struct {
	int C, H, W, values, channels;
} kinds[] = {{1, 8, 12, 6, 6}, {1, 9, 9, 3 * 5 * 5, 3}, {1, 7, 5, 35, 1}, {1, 16, 16, 2 * 8 * 8, 2}, {2, 3, 2, 1, 1},
	{1, 65535, 65535, 4, 4}, {3, 1, 1, 1, 1}, {1, 96, 96, 30, 30}};

static void check(const struct netdesc *d)
{
	int C = d->C, H = d->H, W = d->W;
	size_t at = 0, stat = 0;
	need(d->n >= 1 && d->n <= NETDESC_LAYERS);
	for (int i = 0; i < d->n; i++) {
		const struct layer *l = &d->layer[i];
		need(l->C == C && l->OC >= 1 && l->OH >= 1 && l->OW >= 1 && (long)l->OC * l->OH * l->OW <= INT_MAX);
		need(l->H == H && l->W == W && l->w == at && l->b == at + l->nw);
		at += l->nw + l->nb;
		if (l->kind == LAYER_BN)
			need(l->run == stat), stat += 2 * (size_t)l->C;
		if (l->kind == LAYER_ADD)
			need(l->skip >= 0 && l->skip < i && d->layer[l->skip].kind == LAYER_SKIP);
		C = l->OC, H = l->OH, W = l->OW;
	}
	need(d->nparam == at && d->nstat == stat && d->outputs == C * H * W);
}

/* What is asked of a net that is taken. */
static void use(struct netdesc *d)
{
	double stride, first;
	int idle = netdesc_idle(d), half = netdesc_half(d);
	need(idle >= -1 && idle < d->n && half >= -1 && half < d->n && netdesc_flops(d) >= 0);
	for (int y = 0; y < 2; y++)
		need(!netdesc_geometry(d, y, &stride, &first) || (isfinite(stride) && stride > 0 && isfinite(first)));
	struct netdesc folded = *d;
	netdesc_fold(&folded);
	need(folded.nparam == d->nparam && folded.n == d->n);
	if (d->nparam + d->nstat > SMALL)
		return;
	real *param = xcalloc(d->nparam, sizeof *param), *stat = xcalloc(d->nstat, sizeof *stat);
	netdesc_init_params(d, 7, param, stat);
	netdesc_fold_weights(&folded, param, stat);
	for (size_t i = 0; i < d->nparam; i++)
		need(isfinite(param[i]));
	free(param), free(stat);
}

struct input {
	int kind;
	char *text;
};

static void parse(void *arg)
{
	static struct netdesc d, again; /* 256 layers */
	const struct input *in = arg;
	struct netdesc_target target = {kinds[in->kind].values, kinds[in->kind].channels};
	struct netdesc_text t;
	char err[256] = "", err_again[256] = "";
	netdesc_text_read(&t, in->text);
	int C = kinds[in->kind].C, H = kinds[in->kind].H, W = kinds[in->kind].W;
	int bad = netdesc_parse(&d, t.text, C, H, W, target, err);
	need(bad == netdesc_parse(&again, t.raw, C, H, W, target, err_again) && !strcmp(err, err_again));
	need(!bad == !*err && (bad == 0 || bad == -1));
	if (bad) {
		need(d.fault >= -1 && d.fault <= NETDESC_LAYERS);
		char *place = netdesc_text_place(t.raw, d.fault, t.file, "--net");
		need(*place);
		free(place);
	} else {
		check(&d);
		need(!memcmp(&d, &again, sizeof d));
		use(&d);
	}
	netdesc_text_free(&t);
}

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size)
{
	if (size < HEAD || *data < '0')
		return 0;
	struct input in = {(*data - '0') % (int)(sizeof kinds / sizeof *kinds), malloc(size - HEAD + 64)};
	need(in.text != NULL);
	if (size > HEAD && data[HEAD] == '@') {
		fuzz_file(data + HEAD + 1, size - HEAD - 1);
		sprintf(in.text, "@%s", fuzz_path());
	} else {
		memcpy(in.text, data + HEAD, size - HEAD);
		in.text[size - HEAD] = 0;
	}
	fuzz_died(parse, &in);
	free(in.text);
	return 0;
}
