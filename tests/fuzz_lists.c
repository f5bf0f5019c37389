/* libFuzzer target of a program's options and of the lists that some of them take. The first byte says which: words of a command line, a
 * line each; two lines of META history; --augment; names and patterns of names; points and their pairs; --parts; points of --feature. What
 * is taken is within its range, and its text, where it has one, reads as the same; what is not ends the program with a reason. Includes the
 * parsers' sources that keep what they parsed, so that a run forgets it. With FUZZ_SEEDS=DIR it writes seeds there and exits. */
#include <math.h>

#include "lib/base/opt_io.h"
#include "lib/base/out.h"
#include "tests/fuzz_die.h"

static void fuzz_exit(void)
{
	die("help");
}
/* --help and --version print and exit */
#define opt_help(p, d) ((void)(p), (void)(d), fuzz_exit())
#define opt_help_table(p, d) ((void)(p), (void)(d), fuzz_exit())
#define exit(status) ((void)(status), fuzz_exit())
#define printf(...) ((void)0)
#define finish() 0
#include "lib/base/opt.c"
#undef exit
#undef printf
#undef finish

#include "lib/filter/globs.h"
#include "lib/labels/patch.h"
#include "lib/labels/split.h"
#include "lib/stream/names.h"
#include "lib/train/spec.h"
#include "lib/train/targets.h"

/* ---- options ---- */

static struct {
	int quiet;
	int64_t epochs, any;
	uint64_t seed;
	double rate, free;
	const char *names, *init, *device, *empty;
	struct opt_size size;
	struct opt_list part;
} o;
static const struct opt options[] = {{'q', "quiet", OPT_FLAG, &o.quiet, 0, 0, 0, "", 1},
	{'e', "epochs", OPT_INT, &o.epochs, 1, 1000, "N", "", 0}, {0, "any", OPT_INT, &o.any, 0, 0, "N", "", 0},
	{'s', "seed", OPT_SEED, &o.seed, 0, 0, "N", "", 0}, {'r', "rate", OPT_REAL, &o.rate, 0, 10, "F", "", 0},
	{0, "free", OPT_REAL, &o.free, 0, 0, "F", "", 0}, {0, "names", OPT_STR, &o.names, 0, 0, "NAME,...", "", 0},
	{0, "init", OPT_STR, &o.init, 0, 0, "FILE", "", 0}, {'d', "device", OPT_CHOICE, &o.device, 0, 0, "ref|cpu|cuda", "", 1},
	{0, "empty", OPT_STR, &o.empty, 0, 0, "NAME,...", "", 0}, {0, "size", OPT_SIZE, &o.size, 0, 0, "WxH", "", 0},
	{'p', "part", OPT_LIST, &o.part, 0, 0, "NAME=F", "", 0}, OPT_RENAMED("patience", "epochs"), OPT_END};
static const struct opt_prog prog = {"fuzz", "", "[FILE]...", 1, 3, options, {NULL}};

/* What opt.c keeps from one call to the next was of a run that is over. */
static void forget(void)
{
	table = NULL, program = NULL, line = command = NULL, operands = words = NULL, noperands = nwords = 0;
	memset(defaults, 0, sizeof defaults), memset(given, 0, sizeof given);
}

enum { WORDS = 100 };

static void command_line(char *text)
{
	char *argv[WORDS + 2] = {(char[]){"fuzz"}}, **operand;
	int argc = 1, n;
	for (char *s = text; s && argc <= WORDS;) {
		argv[argc++] = s;
		if ((s = strchr(s, '\n')))
			*s++ = 0;
	}
	memset(&o, 0, sizeof o);
	o.epochs = 10, o.rate = 0.1, o.free = NAN, o.device = "cpu", o.size = (struct opt_size){8, 8}, o.names = "a", o.empty = "";
	int first = opt_first_operand(options, argc, argv);
	need(first >= 0 && first < argc);
	operand = opt_parse(&prog, argc, argv, &n);
	need(n >= 1 && n <= 3 && operand[0] && !operand[n]);
	need(o.epochs >= 1 && o.epochs <= 1000 && o.rate >= 0 && o.rate <= 10 && o.size.w >= 1 && o.size.h >= 1 && o.any >= 0);
	need(o.part.n <= LIST_MAX && *o.names);
	char *was = xstrdup(opt_line_without((const char *const[]){"epochs", NULL})), *is = xstrdup(opt_line());
	char *difference = opt_line_difference(was, is), *set = opt_setting("epochs");
	need(*difference && atoi(set) == o.epochs && !strchr(opt_command(), '\n'));
	need(opt_given("epochs") >= 0);
	free(was), free(is), free(difference), free(set);
	for (size_t i = 0; i < OPT_MAX; i++)
		free(defaults[i]);
	free(line), free(command);
}

static void history(char *text)
{
	char *second = strchr(text, '\n');
	if (!second)
		return;
	*second++ = 0;
	char *difference = opt_line_difference(text, second);
	need(*difference);
	free(difference);
}

/* ---- lists ---- */

static void augment(const char *text)
{
	struct augment a = {0}, b = {0};
	need(spec_schedule(text) < 4 && spec_extend(text) < 3 && spec_optimizer(text) < 3 && spec_loss(text) < 3);
	for (int kind = 0; kind < 4; kind++)
		for (int e = 1; e < 5; e++)
			need(spec_schedule_factor((enum schedule)kind, e, 4) >= 0 && spec_length(2, e % 2, e, 4) > 0 &&
				spec_warmup_factor(2, e) <= 1);
	spec_augment(text, &a);
	need(a.shift >= 0 && a.shift <= 64 && a.rotate >= 0 && a.rotate <= 180 && a.late >= 0 && a.late <= 1 && a.last >= 0 && a.last <= 1);
	char *whole = spec_augment_text(text);
	spec_augment(whole, &b);
	need(!memcmp(&a, &b, sizeof a));
	b = spec_augment_at(&a, 9, 9);
	need(b.shift <= a.shift);
	free(whole);
}

/* The first line, and the rest as names. */
static char **split_rest(char *text, int *n)
{
	char *rest = strchr(text, '\n');
	if (rest)
		*rest++ = 0;
	return names_split(rest && *rest ? rest : "a,b", n);
}

static void globs(char *text)
{
	int n, to[64];
	char **names = split_rest(text, &n), *none = NULL;
	globs_check("points", text);
	int count = n <= 64 ? globs_match(text, names, n, to, &none) : 0;
	need(count <= n && (n > 64 || count || none));
	for (int i = 0; i < count; i++)
		need(to[i] >= 0 && to[i] < n);
	free(none), names_free(names);
}

static void pairs(char *text)
{
	int n;
	char **names = split_rest(text, &n);
	for (int by_name = 0; by_name < 2; by_name++) {
		int *partner = names_partners(names, by_name ? NULL : text);
		for (int i = 0; i < n; i++) {
			int side = names_side(names[i], names);
			need(side >= 0 && side <= 2 && partner[i] >= -1 && partner[i] < n);
		}
		int open = names_unpaired(names, partner);
		need(open >= -1 && open < n);
		char *again = names_pairs_text(names, partner);
		free(again), free(partner);
	}
	struct nearest near = names_nearest(names, text);
	char **own = names_split(text, &n), *more = names_append(names_append(NULL, "a"), "b");
	int *order = names_order(names, own);
	need(nearest_or_all(&near) && !strcmp(more, "a,b") && (!order || (order[0] >= 0 && order[0] < n)));
	free(order), free(more), names_free(own);
	names_free(names);
}

static void parts(const char *text)
{
	for (int n = 1; n < 4; n++) {
		struct split s = {.seed = 1};
		double sum = 0;
		if (split_parse(&s, text, n))
			continue;
		for (int i = 0; i < n; i++)
			need(s.share[i] > 0 && s.share[i] < 1), sum += s.share[i];
		need(s.n == n && fabs(sum - 1) < 1e-6 && split_part(&s, 3) < n);
	}
}

static void points(char *text)
{
	static struct patch_feature to[PATCH_FEATURES + 1];
	int n, count = 0, *partner;
	char **names = split_rest(text, &n);
	partner = names_partners(names, NULL);
	float *weight = NULL;
	if (strchr(text, '='))
		weight = targets_weights("a,b", (const char *const[]){text}, 1);
	else
		patch_features(to, &count, (const char *const[]){text}, 1, "feature", n % 2, names, partner);
	need(!weight || (weight[0] >= 0 && weight[1] <= 1000));
	free(weight), free(partner), names_free(names);
}

/* ---- one input ---- */

static void run(void *arg)
{
	char *text = arg;
	switch (*text++) {
	case '0':
		command_line(text);
		break;
	case '1':
		history(text);
		break;
	case '2':
		augment(text);
		break;
	case '3':
		globs(text);
		break;
	case '4':
		pairs(text);
		break;
	case '5':
		parts(text);
		break;
	case '6':
		points(text);
		break;
	}
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	static const char *const texts[] = {"0-q\n-e\n5\n--seed=7\n--rate\n1e-1\n--size\n3x4\n-pa=1\n-p\nb=2\nin",
		"0--names\na,b\n--device\ncuda:1\n--\nin", "0--patience\n3\n--free\n-.5\n--any\n9\n--empty\n\nx\ny\nz", "0--lr\n3\nin",
		"0--epoc=3\nin\nin\nin\nin", "0-E\nin", "0-v\nin", "0--quiet=1\nin", "0--device\ngpu\nin", "0--epochs\n0\nin",
		"0--any\n-1\nin", "0--rate\nx\nin", "0--seed\n-1\nin", "0--size\n0x0\nin", "0--names\na,,b\nin", "0--init\n\nin",
		"0-epochs\nin", "0--e\nin", "0-h\nin", "0-V\nin", "0--help=table", "0--help=1\nin", "0-e", "0--epochs", "0\n",
		"0--names\n\nin", "0--e\n99999999999999999999\nin", "0-x\nin", "0--device\nnot\nin", "0--names\na'b\\\tc\nin", "0--s=1\nin",
		"0--gpu\nin", "0--seed\n1\n/dev/null", "0-H\nin", "0--version=2\nin", "0--quie\n-\nin",
		"1fuzz 0.2.0 --epochs 5 --names 'a b' --quiet < 1\nfuzz 0.2.0 --epochs 6 --part x --part y < 2", "1a 1\nb 2",
		"1fuzz 0.2.0 --a $'x\\'\\n' --a 2\nfuzz 0.1.0 --a 3", "1fuzz 1\nfuzz 1",
		"2flip,shift=4,rotate=10,scale=0.1,contrast=0.2,brightness=0.1,noise=0.02", "2robust,late=0,cutout=0.9", "2default",
		"2flip=alternate,squared,blur=1,motion=3,elastic=2,late=.5,last=.2", "2squared", "2shif=4", "2shift,default", "2flip=2",
		"2rotate=181", "2constant", "2adam", "2wing", "2stretch", "2shift=1,robust", "2late=.5,shift=1", "3a*,b\nab,b,c", "3,\na",
		"3x\na,b", "3[a\n[a,b", "3b,b\nb", "4left:right,nose\nleft,right,nose",
		"4a:b\nleft_eye,right_eye,tip,l.x,r.x,upleft,upright,LeftEar,RightEar", "4a:a\na,b", "4a:b,a:c\na,b,c", "4a:x\na,b",
		"4x\na,b", "4a:b:c\na:b,c", "4\na", "4leftmost\nleftmost,rightmost,L1,R1", "50.5,0.5", "50.9,0.1", "51", "50.3,0.3,0.4",
		"5,", "50.5,0.6", "5x,1", "6left,right\nleft,right,a", "6left\nleft,a", "6x\na,b", "6,\na", "6\na", "6a=2", "6a=x", "6c=2",
		"6a=1001", "6a=", "6left\nleft,b,right", "6left,left,left,left,left,left,left,left,left,left,left\nleft,b,right"};
	(void)argc, (void)argv;
	if (fuzz_seeds_dir()) {
		char often[8 + 65 * 7] = "0", long_name[3100];
		for (int i = 0; i < 65; i++)
			strcat(often, "-pa=1\n");
		strcat(often, "in");
		fuzz_seed("often", often, strlen(often));
		memset(long_name, 'a', sizeof long_name), long_name[0] = '3', long_name[1500] = '\n';
		fuzz_seed("long", long_name, sizeof long_name);
		fuzz_seed_texts("", texts, sizeof texts / sizeof *texts);
		exit(0);
	}
	return 0;
}

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size)
{
	char *text = malloc(size + 1);
	need(text != NULL);
	if (size)
		memcpy(text, data, size);
	text[size] = 0;
	if (size)
		fuzz_died(run, text);
	forget();
	free(text);
	return 0;
}
