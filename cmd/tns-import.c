/* tns-import - annotated images, folders and frames into a data set of crops */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/base/each_thread.h"
#include "lib/base/err.h"
#include "lib/base/opt.h"
#include "lib/base/out.h"
#include "lib/import/annotations.h"
#include "lib/import/import.h"
#include "lib/stream/history.h"
#include "lib/stream/tns.h"

static struct {
	const char *form, *images, *names, *category, *crop, *origin, *exif, *pixels, *pairs, *missing, *output;
	struct opt_size size, frame;
	double margin;
	int64_t threads;
	int keep_going, unlabelled, live, quiet;
} o = {.pixels = "gray8", .size = {96, 96}, .margin = -1};

static const struct opt opts[] = {
	{0, "form", OPT_CHOICE, &o.form, 0, 0, ANNOTATION_FORMS "|pnm|raw",
		"what is read: a COCO keypoint file, dlib's imglab XML, 300-W's .pts, WFLW's list, YOLO pose labels, DeepLabCut's CSV, a "
		"table (CSV) with columns filename, NAME_x, NAME_y and perhaps a box (x,y,w,h, bbox_x,bbox_y,bbox_w,bbox_h, "
		"left,top,right,bottom "
		"or x1,y1,x2,y2), images of folders (or named one by one), or frames "
		"from stdin (PGM and PPM, or raw video)",
		0},
	{0, "images", OPT_STR, &o.images, 0, 0, "DIR", "folder of the images, where it is not the annotations' own", 1},
	{0, "crop", OPT_CHOICE, &o.crop, 0, 0, "box|points|whole",
		"what a row shows: the face's box, what is around its points, or the whole image; else the first of them that there is", 0},
	{0, "margin", OPT_REAL, &o.margin, -1, 100, "F",
		"make crops wider at each side, by this share of the box, or of the larger side of what the points take; -1: 0 for boxes, "
		"0.25 for points",
		0},
	{0, "size", OPT_SIZE, &o.size, 0, 0, "WxH", "the rows' size; crops get its aspect by growing, pixels stay squares", 0},
	{0, "origin", OPT_CHOICE, &o.origin, 0, 0, "index|corner|one",
		"what the centre of the first pixel is in the file: 0, 0.5 or 1; else as its form has it", 0},
	{0, "exif", OPT_CHOICE, &o.exif, 0, 0, "obey|ignore",
		"turn photographs as their EXIF tag says, or leave them; else they are turned, unless the file's width and height are "
		"those of the unturned one",
		0},
	{0, "point-names", OPT_STR, &o.names, 0, 0, "NAMES", "yolo: names of the points, FILE.yaml or a,b,...", 0},
	{0, "pairs", OPT_STR, &o.pairs, 0, 0, "A:B,...",
		"points that are each other's mirror image, or lie on the axis (a name alone), instead of what the form, labels and names "
		"show",
		0},
	{0, "missing", OPT_STR, &o.missing, 0, 0, "X,...",
		"numbers that mean no label where both coordinates in the file have one (-1,0: -1,-1 and 0,0, too), or none; not for coco, "
		"whose visibility tells",
		0},
	{0, "category", OPT_STR, &o.category, 0, 0, "NAME", "coco: the category that is read, where several have points", 0},
	{0, "unlabelled", OPT_FLAG, &o.unlabelled, 0, 0, 0, "images without annotations are rows, too", 0},
	{0, "keep-going", OPT_FLAG, &o.keep_going, 0, 0, 0, "pass by bad faces and images, and count them, instead of ending", 0},
	{0, "frame", OPT_SIZE, &o.frame, 0, 0, "WxH", "raw: size of the frames, where it is not --size", 0},
	{0, "live", OPT_FLAG, &o.live, 0, 0, 0,
		"pnm, raw: hand each frame on as soon as it is there, a row a chunk, and have the programs behind do so: for cameras", 0},
	{0, "pixels", OPT_CHOICE, &o.pixels, 0, 0, "gray8|rgb24", "raw: what a pixel is", 0},
	OPT_OUTPUT(&o.output),
	OPT_THREADS(&o.threads),
	OPT_QUIET(&o.quiet),
	OPT_RENAMED("names", "point-names"),
	OPT_END,
};

static const struct opt_prog prog = {
	"tns-import",
	"make a data set of annotated images: a row a face, cut out and resampled, with its points, and where it is from",
	"[FILE|DIR]...",
	0,
	1 << 20,
	opts,
	{
		"tns-import --form coco --images photos labels.json -o photos.tns",
		"tns-import --form table --images photos labels.csv -o photos.tns",
		"tns-import --form folder photos | predict model.tns | tns-table",
		"ffmpeg -i film.mp4 -f image2pipe -c:v pgm - | tns-import --form pnm | predict model.tns | tns-info --head 3",
		NULL,
	},
};

/* The place of a choice in its list, or -1: none was made. */
static int choice(const char *value, const char *a, const char *b)
{
	return !value ? -1 : !strcmp(value, a) ? 0 : !strcmp(value, b) ? 1 : 2;
}

static uint64_t frames(int noperands, char **operands, struct tns_writer *w)
{
	static const char *const others[] = {"images", "crop", "margin", "origin", "exif", "point-names", "pairs", "missing", "category",
		"unlabelled", "keep-going", NULL};
	int raw = !strcmp(o.form, "raw");
	struct import_frames f = {.w = o.size.w, .h = o.size.h, .live = o.live, .quiet = o.quiet};
	if (noperands > 1 || (noperands && strcmp(operands[0], "-")))
		die_usage("--form %s reads stdin: unexpected operand '%s'", o.form, operands[noperands > 1]);
	for (int i = 0; others[i]; i++)
		if (opt_given(others[i]))
			die_usage("--%s is not for --form %s", others[i], o.form);
	if (!raw && (opt_given("frame") || opt_given("pixels")))
		die_usage("--frame and --pixels are for --form raw: PGM and PPM tell of themselves");
	if (isatty(STDIN_FILENO))
		die_usage("stdin is a terminal: frames come from a pipe");
	if (raw) {
		f.W = o.frame.w ? o.frame.w : o.size.w, f.H = o.frame.h ? o.frame.h : o.size.h;
		f.channels = strcmp(o.pixels, "gray8") ? 3 : 1;
	}
	return import_frames(&f, w);
}

/* What makes text of a file is piped to this command, if its form reads a pipe, which does not tell the folder of the images. */
static char *way(int noperands, char **operands)
{
	int reads = !strcmp(o.form, "table") || !strcmp(o.form, "dlc") || !strcmp(o.form, "wflw");
	const char *slash = noperands == 1 && !o.images ? strrchr(operands[0], '/') : NULL;
	if (!reads || noperands != 1)
		return xstrdup(">OTHER");
	char *folder = xprintf("%.*s", slash ? (int)(slash - operands[0]) + (slash == operands[0]) : 0, operands[0]);
	char *text = opt_piped(slash ? "images" : NULL, folder);
	free(folder);
	return text;
}

static struct import_counts faces(int noperands, char **operands, struct tns_writer *w)
{
	struct import_options m = {.pairs = o.pairs, .keep_going = o.keep_going, .quiet = o.quiet};
	m.from.annotations = (struct annotation_options){.form = o.form,
		.operands = (const char *const *)operands,
		.noperands = noperands,
		.images = o.images,
		.names = o.names,
		.category = o.category,
		.missing = o.missing,
		.origin = choice(o.origin, "index", "corner"),
		.unlabelled = o.unlabelled,
		.output = o.output};
	m.from.frame = (struct face_frame){(enum face_crop)(1 + choice(o.crop, "box", "points")), o.margin, o.size.w, o.size.h};
	m.from.exif = (enum face_exif)(1 + choice(o.exif, "obey", "ignore"));
	m.from.threads = threads_wanted(o.threads);
	if (o.margin < 0 && o.margin > -1)
		die_usage("--margin: %g is neither -1 nor 0 or more", o.margin);
	if (opt_given("frame") || opt_given("pixels"))
		die_usage("--frame and --pixels are for --form raw");
	if (o.live)
		die_usage("--live is for --form pnm and raw");
	char *then = way(noperands, operands);
	err_set_then(then);
	struct import_counts c = import_faces(&m, w);
	err_set_then(NULL);
	free(then);
	return c;
}

int main(int argc, char **argv)
{
	int n;
	char **operands = opt_parse(&prog, argc, argv, &n);
	tns_promise(o.output);
	if (!o.form)
		die_usage("--form tells what is read: " ANNOTATION_FORMS "|pnm|raw");
	struct tns_writer *w = tns_create(o.output);
	struct import_counts c = {0};
	uint64_t shown = 0;
	if (!strcmp(o.form, "pnm") || !strcmp(o.form, "raw"))
		shown = frames(n, operands, w);
	else
		c = faces(n, operands, w);
	history_put(w, NULL, 0, NULL);
	tns_close(w);
	if (!o.quiet && shown)
		warn("%llu frames", (unsigned long long)shown);
	else if (!o.quiet)
		import_summary(&c);
	return finish();
}
