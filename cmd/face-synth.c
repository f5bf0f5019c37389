/* face-synth - synthetic faces and their true points, as the competition's training, test and lookup files */
#include <unistd.h>

#include "lib/base/err.h"
#include "lib/base/opt.h"
#include "lib/base/out.h"
#include "lib/synth/face.h"
#include "lib/synth/facecsv.h"
#include "lib/synth/synth.h"

static struct {
	const char *output, *groups, *test, *lookup, *solution, *truth, *fault;
	int64_t n, points, tests, row, threads;
	uint64_t seed;
	struct opt_size size;
	double wild, same;
	int dirt, quiet;
} o = {.n = 1000, .points = FACE_STANDARD, .tests = 200, .seed = 1, .size = {96, 96}, .wild = 1, .same = 0.25};

static const struct opt opts[] = {
	{'n', "count", OPT_INT, &o.n, 0, 4e9, "N", "how many faces", 0},
	OPT_SEEDED(&o.seed),
	{0, "size", OPT_SIZE, &o.size, 0, 0, "WxH", "size of a picture, 8x8 to 2048x2048; all is scaled with it", 0},
	{0, "point-count", OPT_INT, &o.points, 1, FACE_POINTS, "N",
		"points a face: first the competition's 15, then lids, nose, lips, jaw, contour", 0},
	{0, "wild", OPT_REAL, &o.wild, 0, 1, "F", "0: passport pictures, 1: as various as photographs", 0},
	{0, "same", OPT_REAL, &o.same, 0, 0.95, "F", "chance that a face is the same person as the one before", 0},
	{0, "people", OPT_STR, &o.groups, 0, 0, "FILE", "write row,group: the rows of one person have one group", 1},
	{0, "test", OPT_STR, &o.test, 0, 0, "FILE", "write a test set of other faces, in the competition's format", 1},
	{0, "test-count", OPT_INT, &o.tests, 1, 4e9, "N", "how many faces it has", 0},
	{0, "test-lookup", OPT_STR, &o.lookup, 0, 0, "FILE", "write the table of what is asked of the test set", 1},
	{0, "solution", OPT_STR, &o.solution, 0, 0, "FILE", "write the test set with its true points, as a training file", 1},
	{0, "dirt", OPT_FLAG, &o.dirt, 0, 0, 0, "leave labels out as the competition does, and plant faults in labels and duplicates", 0},
	{0, "planted", OPT_STR, &o.truth, 0, 0, "FILE", "list what was planted: row, name (- for the whole row), kind", 1},
	{0, "break", OPT_STR, &o.fault, 0, 0, "KIND", "break the training file's structure: " FACECSV_FAULTS, 0},
	{0, "break-row", OPT_INT, &o.row, 0, 4e9, "N", "in that row; 0: the middle one", 0},
	OPT_OUTPUT(&o.output),
	OPT_THREADS(&o.threads),
	OPT_QUIET(&o.quiet),
	OPT_RENAMED("points", "point-count"),
	OPT_RENAMED("groups", "people"),
	OPT_RENAMED("lookup", "test-lookup"),
	OPT_RENAMED("truth", "planted"),
	OPT_END,
};

static const struct opt_prog prog = {"face-synth", "make faces with their true points: a training CSV in the competition's format", "", 0,
	0, opts,
	{"face-synth -n 2000 --dirt | csv-clean | tns-info",
		"face-synth -n 2000 --test test.csv --test-lookup lookup.csv --solution truth.csv -o training.csv", NULL}};

static struct out *open_if(const char *path)
{
	return path ? out_open(path, 0) : NULL;
}

static void close_if(struct out *f)
{
	if (f)
		out_close(f);
}

int main(int argc, char **argv)
{
	int n;
	opt_parse(&prog, argc, argv, &n);
	if (o.size.w < 8 || o.size.h < 8 || o.size.w > 2048 || o.size.h > 2048)
		die_usage("--size %dx%d: from 8x8 to 2048x2048", o.size.w, o.size.h);
	if (o.fault && facecsv_fault(o.fault) == FACECSV_GOOD)
		die_usage("--break: '%s' is not one of " FACECSV_FAULTS, o.fault);
	if (o.row > o.n)
		die_usage("--break-row %lld: there are %lld rows", (long long)o.row, (long long)o.n);
	int threads = o.threads ? (int)o.threads : (int)sysconf(_SC_NPROCESSORS_ONLN);
	struct synth s = {.style = {o.size.w, o.size.h, (int)o.points, o.wild, o.same, 0}, .seed = o.seed, .label_noise = o.dirt};
	s.threads = threads < 1 ? 1 : threads > 256 ? 256 : threads;
	s.fault = o.fault ? facecsv_fault(o.fault) : FACECSV_GOOD;
	s.fault_row = (uint32_t)(o.row ? o.row - 1 : o.n / 2);
	struct out *rows = out_open(o.output, 0), *groups = open_if(o.groups), *truth = open_if(o.truth);
	struct out *test = open_if(o.test), *lookup = open_if(o.lookup), *solution = open_if(o.solution);
	synth_training(&s, (uint32_t)o.n, rows, groups, truth);
	if (test || lookup || solution)
		synth_test(&s, (uint32_t)o.tests, test, lookup, solution);
	/* all written and synced before the first is renamed to its final name */
	struct out *all[] = {rows, groups, truth, test, lookup, solution};
	for (size_t i = 0; i < sizeof all / sizeof *all; i++)
		if (all[i])
			out_sync(all[i]);
	close_if(groups);
	close_if(truth);
	close_if(test);
	close_if(lookup);
	close_if(solution);
	out_close(rows);
	return finish();
}
