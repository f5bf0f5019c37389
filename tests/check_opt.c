#include <check.h>
#include <math.h>
#include <string.h>

#include "child.h"
#include "lib/base/err.h"
#include "lib/base/opt.h"
#include "lib/base/out.h"

struct options {
	const char *out, *net, *device;
	int quiet, flip;
	int64_t n, any, threads;
	uint64_t seed;
	double rate, free, unset;
	struct opt_size size, given;
	struct opt_list part, names, lists;
	const char *list, *none;
};

static const struct options fresh = {.net = "fc10 relu",
	.device = "cpu",
	.n = 5,
	.seed = 1,
	.rate = 0.05,
	.unset = NAN,
	.given = {96, 96},
	.names = {2, {"left", "right eye"}},
	.none = ""};
static struct options o;

static const struct opt table[] = {OPT_OUTPUT(&o.out), OPT_QUIET(&o.quiet), OPT_SEEDED(&o.seed), OPT_DEVICE(&o.device),
	OPT_THREADS(&o.threads), {'n', "number", OPT_INT, &o.n, 1, 100, "N", "how many", 0},
	{'a', "any", OPT_INT, &o.any, 0, 0, "N", "any whole number that isn't negative", 0},
	{'r', "rate", OPT_REAL, &o.rate, 0, 1, "R", "share of rows", 0}, {0, "free", OPT_REAL, &o.free, 0, 0, "R", "any number", 0},
	{0, "unset", OPT_REAL, &o.unset, 0, 9, "R", "a number that has no default", 0},
	{0, "net", OPT_STR, &o.net, 0, 0, "DESCRIPTION", "the net", 0}, {0, "flip", OPT_FLAG, &o.flip, 0, 0, 0, "mirror", 0},
	{0, "size", OPT_SIZE, &o.size, 0, 0, "WxH", "size of images", 0},
	{0, "given", OPT_SIZE, &o.given, 0, 0, "WxH", "size with a default", 0},
	{'p', "part", OPT_LIST, &o.part, 0, 0, "P", "a part; may be repeated", 0},
	{0, "names", OPT_LIST, &o.names, 0, 0, "NAME",
		"a name; may be repeated, and is explained in so many words that the text goes on in the next line", 0},
	{0, "with-a-very-long-name", OPT_STR, &o.out, 0, 0, "ARGUMENT", "stands above its text", 1},
	{0, "list", OPT_STR, &o.list, 0, 0, "NAME,...", "some names", 0}, {0, "lists", OPT_LIST, &o.lists, 0, 0, "N[,N...]", "lists", 0},
	{0, "none", OPT_STR, &o.none, 0, 0, "N,...", "none by default", 0}, OPT_RENAMED("old", "number"), OPT_RENAMED("old-flip", "flip"),
	OPT_END};

static const struct opt_prog prog = {"prog", "rows to other rows", "[DATA]", 0, 2, table, {"prog -n 3 a.tns | prog", "prog | prog"}};
static const struct opt_prog needs = {"prog", "rows to other rows", "MODEL", 1, 1, table, {0}};

struct args {
	const struct opt_prog *p;
	const char *words[80];
	void (*then)(char **operands, int n);
};

static void parse(void *arg)
{
	struct args *a = arg;
	char *argv[82] = {"whatever"};
	int argc = 1, n;
	for (; a->words[argc - 1]; argc++)
		argv[argc] = (char *)(uintptr_t)a->words[argc - 1];
	o = fresh;
	char **operands = opt_parse(a->p ? a->p : &prog, argc, argv, &n);
	if (a->then)
		a->then(operands, n);
	_exit(0);
}

static void show(char **operands, int n)
{
	printf("%s|", opt_line());
	for (int i = 0; i < n; i++)
		printf("%s|", operands[i]);
	if (operands[n])
		printf("no NULL");
	_exit(finish());
}

/* ---- refused ---- */

static const struct {
	const char *words[4], *says;
} wrong[] = {
	{{"--foo"}, "unknown option '--foo'"},
	{{"--foo=3"}, "unknown option '--foo'"},
	{{"--ephocs"}, "unknown option '--ephocs'"}, /* nothing like it is here */
	{{"--rtae", "3"}, "unknown option '--rtae' (did you mean --rate?)"},
	{{"--Number=3"}, "unknown option '--Number' (did you mean --number?)"},
	{{"--hlep"}, "unknown option '--hlep' (did you mean --help?)"},
	{{"--lr", "3"}, "unknown option '--lr' (here it is --rate)"},
	{{"--learning_rate=3"}, "unknown option '--learning_rate' (here it is --rate)"},
	{{"--num-workers", "3"}, "unknown option '--num-workers' (here it is --threads)"},
	{{"--verbose"}, "unknown option '--verbose' (progress is told unless --quiet is given)"},
	{{"--cuda"}, "unknown option '--cuda' (here it is --device cuda)"},
	{{"--batch-size", "3"}, "unknown option '--batch-size'"}, /* this program has no --batch */
	{{"--n"}, "'--n' is short for more than one option: --number, --net, --names, --none"},
	{{"--nmu"}, "unknown option '--nmu'"},
	{{"-N", "3"}, "unknown option '-N' (did you mean -n, --number?)"},
	{{"-v"}, "unknown option '-v' (did you mean -V, --version?)"},
	{{"-number", "3"}, "'-number' is -n with the value 'umber'; the long name has two dashes: --number"},
	{{"--old", "x"}, "--number: 'x' is not a whole number"}, /* was renamed */
	{{"--old"}, "--number needs N"},
	{{"--old-flip=1"}, "--flip takes no value"},
	{{"--odl", "3"}, "unknown option '--odl'"}, /* an old name is not proposed */
	{{"-x"}, "unknown option '-x'"},
	{{"-qx"}, "unknown option '-x'"},
	{{"--number"}, "--number needs N"},
	{{"-n"}, "--number needs N"},
	{{"--device"}, "--device needs ref|cpu|cuda"},
	{{"--quiet=1"}, "--quiet takes no value"},
	{{"--help=1"}, "--help takes no value"},
	{{"--version=1"}, "--version takes no value"},
	{{"-n", "0"}, "--number: 0 is outside 1 to 100"},
	{{"-n101"}, "--number: 101 is outside 1 to 100"},
	{{"--number=-1"}, "--number: -1 is outside 1 to 100"},
	{{"-n", "x"}, "--number: 'x' is not a whole number"},
	{{"-n", ""}, "--number: '' is not a whole number"},
	{{"-n", "1.5"}, "--number: '1.5' is not a whole number"},
	{{"-n", " 1"}, "--number: ' 1' is not a whole number"},
	{{"-n", "99999999999999999999"}, "--number: '99999999999999999999' is too large a number"},
	{{"--any", "-1"}, "--any: -1 is below 0"},
	{{"--seed", "x"}, "--seed: 'x' is not a whole number from 0 to 18446744073709551615"},
	{{"--seed", "-1"}, "--seed: '-1' is not a whole number from 0 to 18446744073709551615"},
	{{"--seed", "18446744073709551616"}, "--seed: '18446744073709551616' is not a whole number from 0 to 18446744073709551615"},
	{{"--rate", "7"}, "--rate: 7 is outside 0 to 1"},
	{{"--rate", "1.0000000001"}, "--rate: 1.0000000001 is outside 0 to 1"},
	{{"--rate", "nan"}, "--rate: 'nan' is not a number"},
	{{"--rate", "0x1"}, "--rate: '0x1' is not a number"},
	{{"--free", "inf"}, "--free: 'inf' is not a number"},
	{{"--unset", "-0.5"}, "--unset: -0.5 is outside 0 to 9"},
	{{"--threads", "1025"}, "--threads: 1025 is outside 0 to 1024"},
	{{"-d", "gpu"}, "--device: 'gpu' is not one of ref|cpu|cuda (here it is cuda)"},
	{{"-d", "cp"}, "--device: 'cp' is not one of ref|cpu|cuda (did you mean cpu?)"},
	{{"-d", "CUDA"}, "--device: 'CUDA' is not one of ref|cpu|cuda (did you mean cuda?)"},
	{{"-d", "tpux"}, "--device: 'tpux' is not one of ref|cpu|cuda"},
	{{"-d", ""}, "--device: '' is not one of ref|cpu|cuda"},
	{{"-d", "cuda:"}, "--device: 'cuda:' is not one of ref|cpu|cuda (did you mean cuda?)"},
	{{"-d", "cuda:1x"}, "--device: 'cuda:1x' is not one of ref|cpu|cuda"},
	{{"-d", "cuda:1000"}, "--device: 'cuda:1000' is not one of ref|cpu|cuda"},
	{{"-d", "cpu:1"}, "--device: 'cpu:1' is not one of ref|cpu|cuda (did you mean cpu?)"},
	{{"-d", "ref|cpu"}, "--device: 'ref|cpu' is not one of ref|cpu|cuda"},
	{{"--list", "a,,b"}, "--list: 'a,,b': an empty item"},
	{{"--list", ","}, "--list: ',': an empty item"},
	{{"--list=a,"}, "--list: 'a,': an empty item"},
	{{"--list=,a"}, "--list: ',a': an empty item"},
	{{"--list", ""}, "--list: '': an empty item"},
	{{"--lists", "a,b", "--lists=a,,b"}, "--lists: 'a,,b': an empty item"},
	{{"--size", "96"}, "--size: '96' is not WxH, each 1 to 65535"},
	{{"--size", "0x9"}, "--size: '0x9' is not WxH, each 1 to 65535"},
	{{"a", "b", "c"}, "unexpected operand 'c'"},
	{{"--rate", "a\nb"}, "--rate: 'a\\nb' is not a number"},
};

START_TEST(refused)
{
	struct args a = {0};
	memcpy(a.words, wrong[_i].words, sizeof wrong[_i].words);
	struct child c = child_run(parse, &a);
	char want[200];
	snprintf(want, sizeof want, "prog: %s; try prog --help\n", wrong[_i].says);
	ck_assert_str_eq(c.err, want);
	ck_assert_str_eq(c.out, "");
	ck_assert_int_eq(c.status, 2);
}
END_TEST

START_TEST(too_few_operands)
{
	struct args a = {&needs, {"-q"}, NULL};
	struct child c = child_run(parse, &a);
	ck_assert_str_eq(c.err, "prog: too few operands: 0 given, at least 1 needed; try prog --help\n");
	ck_assert_int_eq(c.status, 2);
}
END_TEST

START_TEST(long_lists)
{
	struct args a = {.then = show};
	for (int i = 0; i < 64; i++)
		a.words[i] = "-px";
	struct child c = child_run(parse, &a);
	ck_assert_int_eq(c.status, 0);
	a.words[64] = "-py";
	c = child_run(parse, &a);
	ck_assert_str_eq(c.err, "prog: --part: given more than 64 times; try prog --help\n");
	ck_assert_int_eq(c.status, 2);
}
END_TEST

/* ---- accepted ---- */

static void all_stored(char **operands, int n)
{
	if (strcmp(o.out, "f") || strcmp(o.device, "cuda") || o.quiet != 1 || o.flip != 1 || o.n != 7 || o.any != INT64_MAX ||
		o.seed != UINT64_MAX)
		die("first half");
	if (o.rate != 1 || o.free != -1e300 || o.unset != 0 || o.size.w != 25 || o.size.h != 19 || o.part.n != 2 ||
		strcmp(o.part.v[1], "b c"))
		die("second half");
	if (o.names.n != 1 || strcmp(o.names.v[0], "nose"))
		die("a list's default must go when one is given");
	if (n != 2 || strcmp(operands[0], "x") || strcmp(operands[1], "-n") || operands[2])
		die("operands");
	_exit(42);
}

START_TEST(stored)
{
	struct args a = {NULL,
		{"-o", "f", "-dcuda", "-q", "--flip", "x", "-n", "7", "--any=9223372036854775807", "-s18446744073709551615", "-r1",
			"--free", "-1e300", "--unset", "0", "--size=25x19", "-p", "a", "--part", "b c", "--names", "nose", "--", "-n"},
		all_stored};
	struct child c = child_run(parse, &a);
	ck_assert_str_eq(c.err, "");
	ck_assert_int_eq(c.status, 42);
}
END_TEST

static void defaults(char **operands, int n)
{
	if (memcmp(&o, &fresh, sizeof o) || n || operands[0])
		die("changed");
	_exit(42);
}

START_TEST(defaults_stay)
{
	struct args a = {.then = defaults};
	struct child c = child_run(parse, &a);
	ck_assert_str_eq(c.err, "");
	ck_assert_int_eq(c.status, 42);
}
END_TEST

/* ---- the line of history ---- */

#define PROG "prog " KEYPIPE_VERSION
static const struct {
	const char *words[10], *line;
} history[] = {
	{{0}, PROG "|"},
	{{"-q", "-o", "f", "-t3", "-d", "ref"}, PROG "|"},		   /* options that don't affect the result are left out */
	{{"-n", "5", "--net", "fc10 relu", "-r0.050"}, PROG "|"},	   /* the defaults */
	{{"-n6", "a", "--rate", "0.1"}, PROG " --number 6 --rate 0.1|a|"}, /* in the table's order, operands left out */
	{{"-r.1", "-n6"}, PROG " --number 6 --rate 0.1|"},
	{{"--rate", "0.30000000000000004"}, PROG " --rate 0.30000000000000004|"},
	{{"--free", "1e22", "--unset", "1.50"}, PROG " --free 1e+22 --unset 1.5|"},
	{{"--old", "6", "--old-flip"}, PROG " --number 6 --flip|"}, /* as they are called now */
	{{"--list", "a,b c", "--lists", "1", "--lists=2,3", "--none="}, PROG " --list 'a,b c' --lists 1 --lists 2,3|"},
	{{"--flip", "--size", "25x19"}, PROG " --flip --size 25x19|"},
	{{"-p", "a", "-p", "it's", "-p", ""}, PROG " --part a --part 'it'\\''s' --part ''|"},
	{{"--names", "left", "--names", "right eye"}, PROG "|"},
	{{"--names", "left"}, PROG " --names left|"},
	{{"--net", "fc10\nrelu \\ it's"}, PROG " --net $'fc10\\012relu \\\\ it\\'s'|"},
	{{"--net", ""}, PROG " --net ''|"},
	{{"--net", "$(x) \"y\""}, PROG " --net '$(x) \"y\"'|"},
};

START_TEST(line_of_history)
{
	struct args a = {.then = show};
	memcpy(a.words, history[_i].words, sizeof history[_i].words);
	struct child c = child_run(parse, &a);
	ck_assert_str_eq(c.err, "");
	ck_assert_str_eq(c.out, history[_i].line);
}
END_TEST

/* ---- help and version ---- */

static const char help[] = "usage: prog [options] [DATA]\n"
			   "rows to other rows\n"
			   "\n"
			   "options:\n"
			   "  -o, --output FILE          write to FILE, which appears whole or not at all,\n"
			   "                             instead of stdout\n"
			   "  -q, --quiet                no progress and no summary on stderr\n"
			   "  -s, --seed N               seed of all random numbers [1]\n"
			   "  -d, --device ref|cpu|cuda  which backend computes; cuda:N: on GPU N [cpu]\n"
			   "  -t, --threads N            threads; 0: one a processor [0]\n"
			   "  -n, --number N             how many [5]\n"
			   "  -a, --any N                any whole number that isn't negative [0]\n"
			   "  -r, --rate R               share of rows [0.05]\n"
			   "      --free R               any number [0]\n"
			   "      --unset R              a number that has no default\n"
			   "      --net DESCRIPTION      the net [fc10 relu]\n"
			   "      --flip                 mirror\n"
			   "      --size WxH             size of images\n"
			   "      --given WxH            size with a default [96x96]\n"
			   "  -p, --part P               a part; may be repeated\n"
			   "      --names NAME           a name; may be repeated, and is explained in so\n"
			   "                             many words that the text goes on in the next line\n"
			   "                             [left, right eye]\n"
			   "      --with-a-very-long-name ARGUMENT\n"
			   "                             stands above its text\n"
			   "      --list NAME,...        some names\n"
			   "      --lists N[,N...]       lists\n"
			   "      --none N,...           none by default\n"
			   "  -h, --help                 print this text\n"
			   "  -V, --version              print name and version\n"
			   "\n"
			   "examples:\n"
			   "  prog -n 3 a.tns | prog\n"
			   "  prog | prog\n";

START_TEST(helped)
{
	/* the defaults, whatever was given before; no operand is required */
	struct args a = {NULL, {"-n", "9", "--names", "x", "--help"}, NULL}, b = {&needs, {"-h"}, NULL};
	struct child c = child_run(parse, &a);
	ck_assert_str_eq(c.err, "");
	ck_assert_str_eq(c.out, help);
	ck_assert_int_eq(c.status, 0);
	c = child_run(parse, &b);
	ck_assert(!strncmp(c.out, "usage: prog [options] MODEL\n", 28) && !strstr(c.out, "examples"));
	ck_assert_int_eq(c.status, 0);
}
END_TEST

static const char help_table[] = "name\tprog\nversion\t" KEYPIPE_VERSION "\nwhat\trows to other rows\noperands\t[DATA]\n"
				 "option\to\toutput\ttext\tFILE\t\t\twrite to FILE, which appears whole or not at all, instead of stdout\n"
				 "option\tq\tquiet\tflag\t\t\t\tno progress and no summary on stderr\n"
				 "option\ts\tseed\twhole\tN\t1\t\tseed of all random numbers\n"
				 "option\td\tdevice\tchoice\tref|cpu|cuda\tcpu\t\twhich backend computes; cuda:N: on GPU N\n"
				 "option\tt\tthreads\twhole\tN\t0\t0 to 1024\tthreads; 0: one a processor\n"
				 "option\tn\tnumber\twhole\tN\t5\t1 to 100\thow many\n"
				 "option\ta\tany\twhole\tN\t0\t\tany whole number that isn't negative\n"
				 "option\tr\trate\treal\tR\t0.05\t0 to 1\tshare of rows\n"
				 "option\t\tfree\treal\tR\t0\t\tany number\n"
				 "option\t\tunset\treal\tR\t\t0 to 9\ta number that has no default\n"
				 "option\t\tnet\ttext\tDESCRIPTION\tfc10 relu\t\tthe net\n"
				 "option\t\tflip\tflag\t\t\t\tmirror\n"
				 "option\t\tsize\tsize\tWxH\t\t\tsize of images\n"
				 "option\t\tgiven\tsize\tWxH\t96x96\t\tsize with a default\n"
				 "option\tp\tpart\tlist\tP\t\t\ta part; may be repeated\n"
				 "option\t\tnames\tlist\tNAME\tleft, right eye\t\ta name; may be repeated, and is explained in so many "
				 "words that the text goes on in the next line\n"
				 "option\t\twith-a-very-long-name\ttext\tARGUMENT\t\t\tstands above its text\n"
				 "option\t\tlist\ttext\tNAME,...\t\t\tsome names\n"
				 "option\t\tlists\tlist\tN[,N...]\t\t\tlists\n"
				 "option\t\tnone\ttext\tN,...\t\t\tnone by default\n"
				 "option\th\thelp\tflag\t\t\t\tprint this text\n"
				 "option\tV\tversion\tflag\t\t\t\tprint name and version\n"
				 "example\tprog -n 3 a.tns | prog\nexample\tprog | prog\n";

START_TEST(helped_scripts)
{
	struct args a = {NULL, {"--help=table"}, NULL}, b = {NULL, {"-q", "--help=table"}, NULL};
	struct child c = child_run(parse, &a);
	ck_assert_str_eq(c.err, "");
	ck_assert_str_eq(c.out, help_table);
	ck_assert_int_eq(c.status, 0);
	c = child_run(parse, &b); /* for scripts, which ask for nothing else */
	ck_assert_str_eq(c.err, "prog: --help takes no value; try prog --help\n");
	ck_assert_int_eq(c.status, 2);
}
END_TEST

START_TEST(versioned)
{
	struct args a = {NULL, {"-V"}, NULL};
	struct child c = child_run(parse, &a);
	ck_assert_str_eq(c.out, "prog " KEYPIPE_VERSION "\n");
	ck_assert_str_eq(c.err, "");
	ck_assert_int_eq(c.status, 0);
}
END_TEST

static void parse_twice(void *arg)
{
	char *one[] = {"prog", "-qn3", "x", NULL}, *two[] = {"prog", "-n4", "-s9", NULL};
	int n;
	(void)arg;
	o = fresh;
	opt_parse(&prog, 3, one, &n);
	opt_parse(&prog, 3, two, &n);
	if (o.n != 4 || o.seed != 9 || n)
		die("not begun anew");
	_exit(42);
}

START_TEST(parsed_twice)
{
	struct child c = child_run(parse_twice, NULL);
	ck_assert_str_eq(c.err, "");
	ck_assert_int_eq(c.status, 42);
}
END_TEST

static void help_to_full_disk(void *arg)
{
	if (!freopen("/dev/full", "w", stdout))
		_exit(98);
	parse(arg);
}

START_TEST(help_is_not_lost)
{
	struct args a = {NULL, {"--help"}, NULL};
	struct child c = child_run(help_to_full_disk, &a);
	ck_assert_str_eq(c.err, "prog: stdout: No space left on device\n");
	ck_assert_int_eq(c.status, 1);
}
END_TEST

static void closed_std(void *arg)
{
	close(0);
	close(1);
	parse(arg);
}

static void open_file(char **operands, int n)
{
	(void)operands, (void)n;
	FILE *f = tmpfile();
	if (!f || fileno(f) < 3)
		die("a file took the place of stdin or stdout");
	char byte;
	if (read(0, &byte, 1) >= 0 || write(1, "x", 1) >= 0)
		die("a closed descriptor gives no error");
	_exit(finish());
}

/* Programs started with stdin or stdout closed. */
START_TEST(closed_descriptors)
{
	struct args a = {.then = open_file};
	struct child c = child_run(closed_std, &a);
	ck_assert_str_eq(c.err, "");
	ck_assert_int_eq(c.status, 0);
}
END_TEST

/* ---- how two lines differ ---- */

static const struct {
	const char *was, *is, *text;
} differences[] = {
	{"prog 1 < 1", "prog 1 < 1", "another version"},
	{"prog 1 < 1", "prog 1", "another version"},
	{"prog 1 --rate 2 < 1", "prog 1 --rate 3 < 1", "--rate is 3, was 2"},
	{"prog 1 --rate 2 < 1", "prog 1 < 2", "--rate is default, was 2; other data"},
	{"prog 1 < 1", "prog 1 --rate 3 --flip < 1", "--rate is 3, was default; --flip is given, was default"},
	{"prog 1 --flip --rate 3 < 1", "prog 1 --rate 3 < 1", "--flip is default, was given"},
	{"prog 1 --flip", "prog 1", "--flip is default, was given"},
	{"prog 1 --flip < 1", "prog 1 --flip 2 < 1", "--flip is 2, was given"},
	{"prog 1 --net 'fc 5' --rate 3 < 1", "prog 1 --net 'fc 6' --rate 3 < 1", "--net is 'fc 6', was 'fc 5'"},
	/* quotes: a blank and -- within them are no option, a quoted quote does not end them */
	{"prog 1 --net 'a --flip' < 1", "prog 1 --net 'a --flop' < 1", "--net is 'a --flop', was 'a --flip'"},
	{"prog 1 --net 'it'\\''s a' < 1", "prog 1 --net 'it'\\''s b' < 1", "--net is 'it'\\''s b', was 'it'\\''s a'"},
	{"prog 1 --net $'a\\' b' --rate 2 < 1", "prog 1 --net $'a\\' b' --rate 3 < 1", "--rate is 3, was 2"},
	{"prog 1 --net a\\", "prog 1 --net b\\", "--net is b\\, was a\\"},
	{"other 1 --rate 2 < 1", "prog 1 --rate 2 < 1", "it is of other"},
	{"progs 1 < 1", "prog 1 < 1", "it is of progs"},
	{"pro 1 < 1", "prog 1 < 1", "it is of pro"},
	{"prog", "prog 1", "another version"},
	{"", "prog 1 --rate 2", "--rate is 2, was default; it is of "},
	/* an option of several values */
	{"prog 1 --part a --part b --rate 2", "prog 1 --part a --part b --rate 3", "--rate is 3, was 2"},
	{"prog 1 --part a --part b", "prog 1 --part a --part c", "--part is a c, was a b"},
	{"prog 1 --part a --part b", "prog 1 --part a", "--part is a, was a b"},
	{"prog 1 --part a --part b", "prog 1", "--part is default, was a b"},
};

START_TEST(difference)
{
	char *text = opt_line_difference(differences[_i].was, differences[_i].is);
	ck_assert_str_eq(text, differences[_i].text);
	free(text);
}
END_TEST

/* What the options are of a program that has begun: its defaults are known, but not those of another version. */
static const struct {
	const char *was, *is, *text;
} of_program[] = {
	{PROG " < 1", PROG " --number 64 < 1", "--number is 64, was 5, the default"},
	{PROG " --number 64 < 1", PROG " < 1", "--number is 5, the default, was 64"},
	{PROG, PROG " --net fc", "--net is fc, was 'fc10 relu', the default"},
	{PROG " --names x", PROG, "--names is 'left, right eye', the default, was x"},
	{PROG, PROG " --unset 3 --flip --part a", "--unset is 3, was default; --flip is given, was default; --part is a, was default"},
	{PROG " --none 3", PROG, "--none is default, was 3"},
	{PROG, PROG " --num 3", "--num is 3, was default"},
	{"prog 0.0.1", PROG " --number 64", "--number is 64, was default"},
	{"prog 0.0.1 --number 64", PROG, "--number is 5, the default, was 64"},
	{"other " KEYPIPE_VERSION, PROG " --number 64", "--number is 64, was default; it is of other"},
};

static int pair;

static void show_difference(char **operands, int n)
{
	(void)operands, (void)n;
	printf("%s", opt_line_difference(of_program[pair].was, of_program[pair].is));
	_exit(finish());
}

START_TEST(difference_of_program)
{
	struct args a = {.words = {"-n", "9"}, .then = show_difference};
	pair = _i;
	struct child c = child_run(parse, &a);
	ck_assert_str_eq(c.err, "");
	ck_assert_str_eq(c.out, of_program[_i].text);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("opt");
	TCase *t = tcase_create("opt");
	suite_add_tcase(s, t);
	tcase_add_loop_test(t, refused, 0, sizeof wrong / sizeof *wrong);
	tcase_add_test(t, too_few_operands);
	tcase_add_test(t, long_lists);
	tcase_add_test(t, stored);
	tcase_add_test(t, defaults_stay);
	tcase_add_loop_test(t, line_of_history, 0, sizeof history / sizeof *history);
	tcase_add_loop_test(t, difference, 0, sizeof differences / sizeof *differences);
	tcase_add_loop_test(t, difference_of_program, 0, sizeof of_program / sizeof *of_program);
	tcase_add_test(t, helped);
	tcase_add_test(t, helped_scripts);
	tcase_add_test(t, versioned);
	tcase_add_test(t, parsed_twice);
	tcase_add_test(t, help_is_not_lost);
	tcase_add_test(t, closed_descriptors);
	SRunner *r = srunner_create(s);
	srunner_run_all(r, CK_NORMAL);
	int failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed != 0;
}
