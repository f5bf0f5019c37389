/* face-synth - synthetic faces and their true points, as the competition's files, as annotated photographs, or as a film */
#include <string.h>

#include "lib/base/each_thread.h"
#include "lib/base/err.h"
#include "lib/base/opt.h"
#include "lib/base/out.h"
#include "lib/synth/face.h"
#include "lib/synth/facecsv.h"
#include "lib/synth/photo_labels.h"
#include "lib/synth/photos.h"
#include "lib/synth/synth.h"

static struct {
	const char *output, *groups, *test, *lookup, *solution, *truth, *fault, *form;
	int64_t n, points, tests, row, threads, photos, film, faces, smallest, largest;
	uint64_t seed;
	struct opt_size size, photo;
	double wild, same;
	int dirt, quiet;
} o = {.n = 1000,
	.points = FACE_STANDARD,
	.tests = 200,
	.seed = 1,
	.size = {96, 96},
	.wild = 1,
	.same = 0.25,
	.form = "coco",
	.photo = {640, 480},
	.faces = 4,
	.smallest = 40,
	.largest = 220};

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
	{0, "solution", OPT_STR, &o.solution, 0, 0, "FILE",
		"write the test set with its true points, as a training file, or those of a film, as a table", 1},
	{0, "dirt", OPT_FLAG, &o.dirt, 0, 0, 0, "leave labels out as the competition does, and plant faults in labels and duplicates", 0},
	{0, "planted", OPT_STR, &o.truth, 0, 0, "FILE", "list what was planted: row, name (- for the whole row), kind", 1},
	{0, "break", OPT_STR, &o.fault, 0, 0, "KIND", "break the training file's structure: " FACECSV_FAULTS, 0},
	{0, "break-row", OPT_INT, &o.row, 0, 4e9, "N", "in that row; 0: the middle one", 0},
	{0, "photos", OPT_INT, &o.photos, 1, PHOTOS_MAX, "N",
		"make photographs (PGM) of one to several faces instead, and their annotations, in the folder --output", 0},
	{0, "film", OPT_INT, &o.film, 1, PHOTOS_MAX, "N", "make frames (PGM, one after another) of a face that moves instead", 0},
	{0, "photo-size", OPT_SIZE, &o.photo, 0, 0, "WxH", "photos, film: size of a picture, 48x48 to 2048x2048", 0},
	{0, "form", OPT_CHOICE, &o.form, 0, 0, PHOTO_FORMS, "photos: form of the annotations: labels.json, labels.xml or labels.csv", 0},
	{0, "faces", OPT_INT, &o.faces, 0, PHOTO_FACES, "N", "photos: most faces on one; 1: portraits, the face about the middle; 0: none",
		0},
	{0, "face-min", OPT_INT, &o.smallest, PHOTO_FACE_MIN, PHOTO_MAX, "PX", "photos: height of the smallest face", 0},
	{0, "face-max", OPT_INT, &o.largest, PHOTO_FACE_MIN, PHOTO_MAX, "PX",
		"photos: of the largest; 0.9 of the picture's shorter side at most", 0},
	{'o', "output", OPT_STR, &o.output, 0, 0, "OUT",
		"write to the file OUT, which appears whole or not at all, instead of stdout; photos: to the folder OUT", 1},
	OPT_THREADS(&o.threads),
	OPT_QUIET(&o.quiet),
	OPT_RENAMED("points", "point-count"),
	OPT_RENAMED("groups", "people"),
	OPT_RENAMED("lookup", "test-lookup"),
	OPT_RENAMED("truth", "planted"),
	OPT_END,
};

static const struct opt_prog prog = {"face-synth",
	"make faces with their true points: a training CSV in the competition's format, photographs or a film", "", 0, 0, opts,
	{"face-synth -n 2000 --dirt | csv-clean | tns-info",
		"face-synth -n 2000 --test test.csv --test-lookup lookup.csv --solution truth.csv -o training.csv",
		"face-synth --photos 40 --form coco -o photos",
		"face-synth --film 100 --photo-size 240x180 | tns-import --form pnm | tns-info", NULL}};

static struct out *open_if(const char *path)
{
	return path ? out_open(path, 0) : NULL;
}

static void close_if(struct out *f)
{
	if (f)
		out_close(f);
}

static int threads(void)
{
	int n = threads_wanted(o.threads);
	return n > EACH_THREAD_MAX ? EACH_THREAD_MAX : n;
}

/* Ends the program where an option is given that is not for this kind of output, which the option `kind` asks for. */
static void only_for(const char *kind, const char *const *others)
{
	for (int i = 0; others[i]; i++)
		if (opt_given(others[i]))
			die_usage("--%s is not for --%s", others[i], kind);
}

static void photos(void)
{
	static const char *const no_photos[] = {"count", "size", "same", "people", "test", "test-count", "test-lookup", "solution", "dirt",
		"planted", "break", "break-row", "film", NULL},
				 *const no_film[] = {"count", "size", "same", "people", "test", "test-count", "test-lookup", "dirt",
					 "planted", "break", "break-row", "form", "faces", "face-min", "face-max", NULL};
	struct photo_style s = {o.photo.w, o.photo.h, (int)o.faces, (int)o.smallest, (int)o.largest, (int)o.points, o.wild};
	only_for(o.photos ? "photos" : "film", o.photos ? no_photos : no_film);
	if (s.w < PHOTO_MIN || s.h < PHOTO_MIN || s.w > PHOTO_MAX || s.h > PHOTO_MAX)
		die_usage("--photo-size %dx%d: from %dx%d to %dx%d", s.w, s.h, PHOTO_MIN, PHOTO_MIN, PHOTO_MAX, PHOTO_MAX);
	if (s.smallest > s.largest)
		die_usage("--face-min %d: --face-max is %d", s.smallest, s.largest);
	if (o.photos && s.smallest > PHOTO_SHARE * (s.w < s.h ? s.w : s.h))
		die_usage("--face-min %d: a picture of %dx%d has no room for it", s.smallest, s.w, s.h);
	if (o.photos && (!o.output || !strcmp(o.output, "-")))
		die_usage("--photos writes files: --output tells the folder");
	if (o.photos) {
		photos_write(&s, o.seed, (uint32_t)o.photos, threads(), o.output, o.form);
		return;
	}
	struct out *film = out_open(o.output, 1), *truth = open_if(o.solution);
	photos_film(&s, o.seed, (uint32_t)o.film, threads(), film, truth);
	out_sync(film);
	close_if(truth);
	out_close(film);
}

int main(int argc, char **argv)
{
	int n;
	static const char *const photo_options[] = {"photo-size", "form", "faces", "face-min", "face-max"};
	opt_parse(&prog, argc, argv, &n);
	if (o.photos || o.film) {
		photos();
		return finish();
	}
	for (size_t i = 0; i < sizeof photo_options / sizeof *photo_options; i++)
		if (opt_given(photo_options[i]))
			die_usage("--%s is for --photos%s", photo_options[i], i ? "" : " and --film");
	if (o.size.w < 8 || o.size.h < 8 || o.size.w > 2048 || o.size.h > 2048)
		die_usage("--size %dx%d: from 8x8 to 2048x2048", o.size.w, o.size.h);
	if (o.fault && facecsv_fault(o.fault) == FACECSV_GOOD)
		die_usage("--break: '%s' is not one of " FACECSV_FAULTS, o.fault);
	if (opt_given("break-row") && !o.fault)
		die_usage("--break-row goes with --break");
	if (opt_given("test-count") && !o.test && !o.lookup && !o.solution)
		die_usage("--test-count goes with --test, --test-lookup or --solution");
	if (o.row > o.n)
		die_usage("--break-row %lld: there are %lld rows", (long long)o.row, (long long)o.n);
	struct synth s = {.style = {o.size.w, o.size.h, (int)o.points, o.wild, o.same, 0}, .seed = o.seed, .label_noise = o.dirt};
	s.threads = threads();
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
