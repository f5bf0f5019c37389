/* render - data sets, models and logs into pictures: PNG, SVG or PDF; data sets into films: frames in PPM */
#include "lib/base/confine.h"
#include "lib/base/err.h"
#include "lib/base/opt.h"
#include "lib/base/opt_kind.h"
#include "lib/draw/pict_curves.h"
#include "lib/draw/pict_faces.h"
#include "lib/draw/pict_tiles.h"
#include "lib/draw/pict_video.h"

/* Each kind of picture has its own options, explained in the tables below. */
static struct {
	struct pict_faces faces;
	struct pict_tiles tiles, pairs;
	struct pict_curves curves;
	struct pict_video video;
	struct pict_output to;
	const char *id;
	struct ranges ids;
	int64_t threads;
	int quiet;
} o = {.faces = {.count = 24, .first = 1},
	.tiles = {.count = 500, .first = 1},
	.pairs = {.count = 20, .first = 1},
	.curves = {.size = {900, 560}}};

#define FORMAT                                                                                                                             \
	{                                                                                                                                  \
		0, "format", OPT_CHOICE, &o.to.format, 0, 0, "png|svg|pdf",                                                                \
			"what to write; else the suffix of FILE says it, and png goes to stdout", 0                                        \
	}
#define GOES_TO OPT_OUTPUT(&o.to.path), FORMAT
#define COUNT(to, most, help)                                                                                                              \
	{                                                                                                                                  \
		0, "count", OPT_INT, to, 1, most, "N", help, 0                                                                             \
	}
#define FIRST(to, help)                                                                                                                    \
	{                                                                                                                                  \
		0, "first", OPT_INT, to, 1, 281474976710656, "ROW", help, 0                                                                \
	}
#define FACES_MAX 10000
#define WORDS "faces|maps|tiles|pairs|curves|video"
#define COLUMNS(to)                                                                                                                        \
	{                                                                                                                                  \
		0, "columns", OPT_INT, to, 0, 10000, "C", "images side by side; 0: chosen to fit", 0                                       \
	}
#define ZOOM(to)                                                                                                                           \
	{                                                                                                                                  \
		0, "zoom", OPT_REAL, to, 0, 100, "Z", "pixels of the picture for one of an image; 0: chosen to fit", 0                     \
	}
#define COMMON OPT_THREADS(&o.threads), OPT_QUIET(&o.quiet), OPT_END

/* of maps, too */
static const struct opt faces[] = {
	{'o', "output", OPT_STR, &o.to.path, 0, 0, "OUT",
		"write to the file OUT, which appears whole or not at all, instead of stdout; with --over: to the folder OUT, or of one "
		"image "
		"to the file OUT.png",
		1},
	FORMAT,
	COUNT(&o.faces.count, FACES_MAX, "draw at most N faces"),
	FIRST(&o.faces.first, "begin at this row, counted from 1"),
	{0, "id", OPT_STR, &o.id, 0, 0, "N,N-M,...", "draw only the rows with these ids, all of them without --count: 7,12-20", 0},
	{0, "worst", OPT_FLAG, &o.faces.worst, 0, 0, 0, "draw the faces with the largest errors, largest first", 0},
	{0, "names", OPT_FLAG, &o.faces.names, 0, 0, 0, "write the points' names beside them", 0},
	{0, "over", OPT_STR, &o.faces.over, 0, 0, "DIR",
		"of render faces: draw on the images that tns-import cut the rows from, which are in DIR, a picture each, named as they "
		"are; all faces without --count",
		0},
	COLUMNS(&o.faces.columns),
	ZOOM(&o.faces.zoom),
	COMMON,
};

static const struct opt tiles[] = {
	GOES_TO,
	{0, "tensor", OPT_STR, &o.tiles.tensor, 0, 0, "NAME", "tensor to draw; else image, else 0.weight", 0},
	{0, "size", OPT_SIZE, &o.tiles.size, 0, 0, "WxH", "shape of the tiles that rows of a matrix are; else META input says it", 0},
	{0, "global", OPT_FLAG, &o.tiles.global, 0, 0, 0,
		"one scale of greys for all; else each tile has its own, black its least value and white its largest", 0},
	COUNT(&o.tiles.count, 100000, "draw at most N tiles"),
	FIRST(&o.tiles.first, "begin at this tile, counted from 1"),
	COLUMNS(&o.tiles.columns),
	ZOOM(&o.tiles.zoom),
	COMMON,
};

static const struct opt pairs[] = {
	GOES_TO,
	COUNT(&o.pairs.count, 10000, "draw at most N pairs"),
	FIRST(&o.pairs.first, "begin at this row, counted from 1"),
	COLUMNS(&o.pairs.columns),
	ZOOM(&o.pairs.zoom),
	COMMON,
};

static const struct opt curves[] = {
	GOES_TO,
	{0, "y", OPT_STR, &o.curves.y, 0, 0, "NAME,...",
		"columns to draw; else those that begin with valid_ or train_, else all but times and rates", 0},
	{0, "legend", OPT_STR, &o.curves.names, 0, 0, "NAME,...",
		"a name in the legend for each log, else its file name; equal names have one colour", 0},
	{0, "mean", OPT_FLAG, &o.curves.mean, 0, 0, 0, "of logs with equal names draw the mean, and a band from the least to the largest",
		0},
	{0, "title", OPT_STR, &o.curves.title, 0, 0, "TEXT", "title of the picture", 0},
	{0, "xlabel", OPT_STR, &o.curves.xlabel, 0, 0, "TEXT", "title of the x axis, with its unit; else the first column's name", 0},
	{0, "ylabel", OPT_STR, &o.curves.ylabel, 0, 0, "TEXT",
		"title of the y axis, with its unit; else from the columns' names, and a panel for each quantity (loss, error, ...)", 0},
	{0, "logx", OPT_FLAG, &o.curves.logx, 0, 0, 0, "logarithmic x axis", 0},
	{0, "logy", OPT_FLAG, &o.curves.logy, 0, 0, 0, "logarithmic y axis", 0},
	{0, "size", OPT_SIZE, &o.curves.size, 0, 0, "WxH", "size of the picture in pixels", 0},
	OPT_RENAMED("names", "legend"),
	COMMON,
};

static const struct opt video[] = {
	OPT_OUTPUT(&o.video.path),
	ZOOM(&o.video.zoom),
	COMMON,
};

static const struct opt common[] = {GOES_TO, COMMON};

static const struct opt_prog
	faces_prog = {"render faces", "draw faces with their points: truth, prediction, or both and the error in pixels.", "[DATA]", 0, 1,
		faces,
		{"face-synth -n 100 | csv-clean | render faces --count 12 -o faces.png", "render faces --worst -o worst.pdf predicted.tns",
			"render faces --id 7,12-20 -o some.png predicted.tns",
			"tns-import --form folder photos | predict model.tns | render faces --over photos -o drawn"}},
	maps_prog = {"render maps", "draw heat maps over their faces, with the points; predict --maps makes them.", "[DATA]", 0, 1, faces,
		{"predict --maps heat.tns faces.tns | render maps -o maps.png"}},
	tiles_prog = {"render tiles", "draw filters of models, or patches, as tiles; several files side by side.", "[DATA...]", 0, 16,
		tiles,
		{"face-synth -n 100 | csv-clean | patch-extract --preset eyes | render tiles -o eyes.png",
			"render tiles --count 100 -o filters.png model.tns", "render tiles --count 50 -o filters.png dae.tns model.tns"}},
	pairs_prog = {"render pairs", "draw original images over their reconstructions.", "[DATA]", 0, 1, pairs,
		{"render pairs --count 20 -o pairs.png reconstructed.tns"}},
	curves_prog = {"render curves", "draw curves from the logs of training runs (TSV).", "[LOG...]", 0, 500, curves,
		{"render curves --y valid_error -o curves.svg a.tsv b.tsv",
			"render curves --legend old,old,new,new --mean -o runs.png old1.tsv old2.tsv new1.tsv new2.tsv"}},
	video_prog = {"render video", "write a frame a row, its image with the points, as a stream of PPM, as rows come; for ffmpeg.",
		"[DATA]", 0, 1, video,
		{"ffmpeg -i film.mp4 -f image2pipe -c:v pgm - | tns-import --form pnm | predict model.tns | render video -o points.ppm",
			"render video predicted.tns | ffmpeg -y -f image2pipe -c:v ppm -framerate 25 -i - points.mp4"}},
	prog = {"render",
		"draw a picture: faces (with their points), maps (heat over faces), tiles (filters of a model, patches), pairs (originals "
		"over reconstructions) or curves (training logs); or a film: video. Each has options of its own: render faces --help "
		"shows those of faces.",
		WORDS " [FILE...]", 0, 0, common,
		{"face-synth -n 100 | csv-clean | render faces -o faces.png",
			"face-synth -n 100 | csv-clean | patch-extract --preset eyes | render tiles -o eyes.png"}};

static const struct opt_prog *const kinds[] = {&faces_prog, &maps_prog, &tiles_prog, &pairs_prog, &curves_prog, &video_prog};

/* --id, --over and what is drawn without --count. */
static void take_faces(int maps)
{
	char *why = o.id ? ranges_parse(&o.ids, o.id, 0) : NULL;
	if (why)
		die_usage("--id: %s", why);
	if (o.faces.over && maps)
		die_usage("--over is for render faces");
	if (o.faces.over && opt_given("columns"))
		die_usage("--columns is not for --over, which draws a picture an image");
	if (o.id)
		o.faces.ids = &o.ids;
	if (!opt_given("count") && o.faces.over && !o.faces.worst)
		o.faces.count = INT64_MAX;
	else if (!opt_given("count") && o.id)
		o.faces.count = FACES_MAX;
}

int main(int argc, char **argv)
{
	enum { FACES, MAPS, TILES, PAIRS, CURVES, VIDEO, KINDS };
	const char *missing = "what to draw is missing: faces, maps, tiles, pairs, curves or video";
	int n, kind = opt_kind(&prog, kinds, KINDS, WORDS, missing, argc, argv);
	char **operand = opt_parse(kinds[kind], argc - 1, argv, &n);
	if (kind == FACES || kind == MAPS)
		take_faces(kind == MAPS);
	err_name("render");
	o.faces.to = o.tiles.to = o.pairs.to = o.curves.to = o.to;
	o.curves.quiet = o.quiet;
	o.faces.maps = kind == MAPS;
	if (o.faces.over)
		confine_but_files();
	else
		confine(kind == VIDEO ? o.video.path : o.to.path);
	if (kind == FACES || kind == MAPS)
		pict_faces(operand[0], &o.faces);
	else if (kind == TILES)
		pict_tiles(operand, n, &o.tiles);
	else if (kind == PAIRS)
		pict_pairs(operand[0], &o.pairs);
	else if (kind == CURVES)
		pict_curves(operand, n, &o.curves);
	else
		pict_video(operand[0], &o.video);
	return finish();
}
