/* face-synth - made faces and their true points, as the competition's training, test and lookup files */
#include <stdlib.h>

#include "dirt.h"
#include "err.h"
#include "face.h"
#include "facecsv.h"
#include "opt.h"
#include "out.h"

static struct {
	const char *output, *groups, *test, *lookup, *solution, *truth, *fault;
	int64_t n, points, tests, row;
	uint64_t seed;
	struct opt_size size;
	double wild, same;
	int dirt, quiet;
} o = {.n = 1000, .points = FACE_STANDARD, .tests = 200, .seed = 1, .size = {96, 96}, .wild = 1, .same = 0.25};

static const struct opt opts[] = {
	{'n', "count", OPT_INT, &o.n, 0, 4e9, "N", "how many faces", 0},
	OPT_SEEDED(&o.seed),
	{0, "size", OPT_SIZE, &o.size, 0, 0, "WxH", "size of a picture, 8x8 to 2048x2048; all is scaled with it", 0},
	{0, "points", OPT_INT, &o.points, 1, FACE_POINTS, "N",
		"points a face: first the competition's 15, then lids, nose, lips, jaw, contour", 0},
	{0, "wild", OPT_REAL, &o.wild, 0, 1, "F", "0: passport pictures, 1: as various as photographs", 0},
	{0, "same", OPT_REAL, &o.same, 0, 0.95, "F", "chance that a face is the same person as the one before", 0},
	{0, "groups", OPT_STR, &o.groups, 0, 0, "FILE", "write row,group: the rows of one person have one group", 1},
	{0, "test", OPT_STR, &o.test, 0, 0, "FILE", "write a test set of other faces, in the competition's format", 1},
	{0, "test-count", OPT_INT, &o.tests, 1, 4e9, "N", "how many faces it has", 0},
	{0, "lookup", OPT_STR, &o.lookup, 0, 0, "FILE", "write the table of what is asked of the test set", 1},
	{0, "solution", OPT_STR, &o.solution, 0, 0, "FILE", "write the test set with its true points, as a training file", 1},
	{0, "dirt", OPT_FLAG, &o.dirt, 0, 0, 0, "leave labels out as the competition does, and plant faults in labels and duplicates", 0},
	{0, "truth", OPT_STR, &o.truth, 0, 0, "FILE", "list what was planted: row, name (- for the whole row), kind", 1},
	{0, "break", OPT_CHOICE, &o.fault, 0, 0, FACECSV_FAULTS, "break the training file's structure", 0},
	{0, "break-row", OPT_INT, &o.row, 0, 4e9, "N", "in that row; 0: the middle one", 0},
	OPT_OUTPUT(&o.output),
	OPT_QUIET(&o.quiet),
	OPT_END,
};

static const struct opt_prog prog = {"face-synth", "make faces with their true points: a training CSV in the competition's format", "", 0,
	0, opts,
	{"face-synth -n 2000 --dirt | csv-clean | tns-info",
		"face-synth -n 2000 --test test.csv --lookup lookup.csv --solution truth.csv -o training.csv", NULL}};

/* What is needed to make rows. */
struct maker {
	struct face_style style;
	size_t pixels;
	float *room, *points;
	uint8_t *image, *keep;
	char *text;
};

static void maker_open(struct maker *m)
{
	m->style = (struct face_style){o.size.w, o.size.h, (int)o.points, o.wild, o.same, 0};
	m->pixels = (size_t)o.size.w * (size_t)o.size.h;
	m->room = xcalloc(face_room(&m->style), sizeof *m->room);
	m->points = xcalloc((size_t)o.points, 2 * sizeof *m->points);
	m->image = xmalloc(m->pixels);
	m->keep = xmalloc((size_t)o.points);
	m->text = xmalloc(facecsv_room((int)o.points, m->pixels));
}

static void maker_close(struct maker *m)
{
	free(m->room);
	free(m->points);
	free(m->image);
	free(m->keep);
	free(m->text);
}

static struct out *open_if(const char *path, const char *header)
{
	struct out *f = path ? out_open(path, 0) : NULL;
	if (f)
		out_printf(f, "%s", header);
	return f;
}

static void close_if(struct out *f)
{
	if (f)
		out_close(f);
}

static void training(struct maker *m, struct out *to)
{
	enum facecsv_fault fault = o.fault ? facecsv_fault(o.fault) : FACECSV_GOOD;
	int all = fault == FACECSV_EMPTY || fault == FACECSV_HEADER; /* faults of every row */
	struct out *groups = open_if(o.groups, "row,group\n"), *truth = open_if(o.truth, "row\tname\tkind\n");
	uint32_t bad = (uint32_t)(o.row ? o.row - 1 : o.n / 2);
	m->style.set = 0;
	out_write(to, m->text, facecsv_header(m->text, (int)o.points, fault));
	for (uint32_t row = 0; row < (uint32_t)o.n; row++) {
		struct dirt d = {DIRT_NONE, -1, row};
		char room[32];
		if (o.dirt)
			d = dirt_plan(o.seed, row);
		face_draw(&m->style, o.seed, d.of, m->room, m->image, m->points);
		if (o.dirt)
			dirt_plant(&d, o.seed, row, o.size.w, o.size.h, (int)o.points, m->points);
		if (truth && d.kind != DIRT_NONE)
			out_printf(truth, "%lu\t%s\t%s\n", row + 1ul, d.point < 0 ? "-" : face_name(d.point, room), dirt_name(d.kind));
		if (truth && fault != FACECSV_GOOD && row == bad)
			out_printf(truth, "%lu\t-\t%s\n", row + 1ul, o.fault);
		if (groups)
			out_printf(groups, "%lu,%lu\n", row + 1ul, face_first(&m->style, o.seed, d.of) + 1ul);
		out_write(to, m->text,
			facecsv_row(m->text, (int)o.points, m->points, m->pixels, m->image, all || row == bad ? fault : FACECSV_GOOD));
		if (fault == FACECSV_CUT && row == bad)
			break;
	}
	close_if(groups);
	close_if(truth);
}

static void testing(struct maker *m)
{
	struct out *test = open_if(o.test, "ImageId,Image\n"), *lookup = open_if(o.lookup, "RowId,ImageId,FeatureName,Location\n");
	struct out *solution = open_if(o.solution, "");
	uint64_t line = 0;
	m->style.set = 1;
	if (solution)
		out_write(solution, m->text, facecsv_header(m->text, (int)o.points, FACECSV_GOOD));
	for (uint32_t row = 0; row < (uint32_t)o.tests; row++) {
		face_draw(&m->style, o.seed, row, m->room, m->image, m->points);
		dirt_asked(o.seed, row, (int)o.points, m->keep);
		if (test)
			out_write(test, m->text, facecsv_test(m->text, row + 1, m->pixels, m->image));
		if (solution)
			out_write(solution, m->text, facecsv_row(m->text, (int)o.points, m->points, m->pixels, m->image, FACECSV_GOOD));
		if (lookup)
			out_write(lookup, m->text, facecsv_lookup(m->text, &line, row + 1, (int)o.points, m->keep));
	}
	close_if(test);
	close_if(lookup);
	close_if(solution);
}

int main(int argc, char **argv)
{
	struct maker m;
	int n;
	opt_parse(&prog, argc, argv, &n);
	if (o.size.w < 8 || o.size.h < 8 || o.size.w > 2048 || o.size.h > 2048)
		die_usage("--size %dx%d: from 8x8 to 2048x2048", o.size.w, o.size.h);
	if (o.row > o.n)
		die_usage("--break-row %lld: there are %lld rows", (long long)o.row, (long long)o.n);
	struct out *to = out_open(o.output, 0);
	maker_open(&m);
	training(&m, to);
	if (o.test || o.lookup || o.solution)
		testing(&m);
	maker_close(&m);
	out_close(to);
	return finish();
}
