/* window-extract - faces, and images without any, into the windows of one size that a finder of faces learns from. */
#include <stdlib.h>
#include <string.h>

#include "lib/base/err.h"
#include "lib/base/log.h"
#include "lib/base/opt.h"
#include "lib/base/out.h"
#include "lib/find/window.h"
#include "lib/stream/dataset_stream.h"
#include "lib/stream/history.h"
#include "lib/stream/patch_rows.h"

static struct {
	const char *output;
	struct opt_list others;
	struct opt_size size;
	int64_t negatives, windows, threads;
	double margin, jitter;
	uint64_t seed;
	int quiet;
} o = {.size = {24, 24}, .negatives = 2, .windows = 20, .jitter = 1.5, .seed = 1};

static const struct opt opts[] = {
	{0, "others", OPT_LIST, &o.others, 0, 0, "DATA",
		"a data set of images without faces, of any size; may be repeated. An image as large as a window is a negative as a whole: "
		"so false alarms of face-find are learned from",
		1},
	{0, "size", OPT_SIZE, &o.size, 0, 0, "WxH", "size of a window in pixels", 0},
	{0, "negatives", OPT_INT, &o.negatives, -1, 1000, "N", "random places of a face's image that hold little of the face; -1: none", 0},
	{0, "windows", OPT_INT, &o.windows, 0, 100000, "N", "random places of each other image", 0},
	{0, "margin", OPT_REAL, &o.margin, -1, 100, "F",
		"how much wider than its box at each side a face was cut, as tns-import --margin says; -1: not", 0},
	{0, "jitter", OPT_REAL, &o.jitter, 0, 1000, "PX",
		"move each face's window at random, and widen or narrow it, by up to PX of its pixels", 0},
	OPT_SEEDED(&o.seed),
	OPT_THREADS_ONE(&o.threads),
	OPT_QUIET(&o.quiet),
	OPT_OUTPUT(&o.output),
	OPT_END,
};

static const struct opt_prog prog = {"window-extract",
	"cut windows to train a finder of faces on: each image's face, mirrored too, and what is none", "[FACES]", 0, 1, opts,
	{"window-extract --margin 0.2 crops.tns --others backgrounds.tns -o windows.tns",
		"cnn-train --target label -n 'conv5x5x8s2 relu fc' windows.tns -o finder.tns", NULL}};

/* All images of a data set: of faces (set -1), or of set number `set` without any. Returns how many. */
static uint64_t extract(struct window_cutter *k, struct dataset_stream *d, int set)
{
	struct patch_rows *w = k->arg;
	int image = dataset_stream_require(d->in, "image", TNS_U8, 3), id = dataset_stream_require(d->in, "id", TNS_U32, 1);
	const struct tns_def *def = &d->in->def[image];
	struct image im = {.W = (int)def->dim[2], .H = (int)def->dim[1], .channels = 1, .turn = 1};
	struct progress bar;
	uint64_t n = 0;
	progress_begin(&bar, set < 0 ? "faces" : "images", o.quiet);
	for (uint64_t rows; (rows = dataset_stream_next(d));)
		for (uint64_t i = 0; i < rows; i++) {
			im.pixels = (uint8_t *)(uintptr_t)dataset_stream_at(d, image, i);
			w->id = *(const uint32_t *)dataset_stream_at(d, id, i);
			if (set < 0)
				window_face(k, &im, w->id);
			else
				window_other(k, &im, (uint32_t)set, w->id);
			progress_tick(&bar, ++n, 0);
		}
	progress_end(&bar);
	return n;
}

int main(int argc, char **argv)
{
	int n, sets = 0;
	char **operand = opt_parse(&prog, argc, argv, &n);
	tns_promise(o.output);
	if (o.margin < 0 && o.margin > -1)
		die_usage("--margin: %g is neither -1 nor 0 or more", o.margin);
	if (o.jitter > 0.25 * (o.size.w < o.size.h ? o.size.w : o.size.h))
		die_usage("--jitter %g: a quarter of a window's shorter side, %d, at most", o.jitter,
			o.size.w < o.size.h ? o.size.w : o.size.h);
	struct window_plan plan = {.w = o.size.w, .h = o.size.h, .margin = o.margin < 0 ? 0 : o.margin, .jitter = o.jitter};
	plan.negatives = o.negatives < 0 ? 0 : (int)o.negatives, plan.of_another = (int)o.windows, plan.seed = o.seed;
	struct dataset_stream *d[1 + sizeof o.others.v / sizeof *o.others.v] = {dataset_stream_open(operand[0])};
	const struct tns *in[sizeof d / sizeof *d] = {d[0]->in};
	struct patch_rows w = {.w = NULL};
	patch_rows_begin(&w, tns_create(o.output), plan.w, plan.h, 0);
	tns_put_meta(w.w, "classes", "other,face");
	if (tns_meta_value(in[0], "split"))
		tns_put_meta(w.w, "split", tns_meta_value(in[0], "split"));
	struct window_cutter k = {.plan = &plan, .window = xmalloc((size_t)plan.w * (size_t)plan.h), .emit = patch_rows_add, .arg = &w};
	uint64_t faces = extract(&k, d[0], -1), others = 0;
	for (; sets < o.others.n; sets++) {
		d[sets + 1] = dataset_stream_open(o.others.v[sets]);
		in[sets + 1] = d[sets + 1]->in;
		others += extract(&k, d[sets + 1], sets);
	}
	history_put(w.w, in, sets + 1, NULL);
	tns_close(w.w);
	if (!o.quiet)
		warn("%llu faces, %llu other images: %llu windows of faces, %llu of others; without a place: %llu",
			(unsigned long long)faces, (unsigned long long)others, (unsigned long long)k.c.positive,
			(unsigned long long)k.c.negative, (unsigned long long)k.c.lost);
	for (int i = 0; i <= sets; i++)
		dataset_stream_close(d[i]);
	crop_buffer_free(&k.tmp);
	free(k.window);
	return finish();
}
