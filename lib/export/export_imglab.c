/* dlib's XML (imglab): successive rows of one image are its boxes. */
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/err.h"
#include "lib/export/export_form.h"

struct imglab {
	const struct export_set *s;
	struct out *to;
	char *file; /* of the image that is open */
};

/* As the value of an attribute in single quotes. */
static void put_text(const struct imglab *x, const char *s, uint64_t row)
{
	static const char special[] = "&<>'\"\t\n\r";
	static const char *const as[] = {"&amp;", "&lt;", "&gt;", "&apos;", "&quot;", "&#9;", "&#10;", "&#13;"};
	for (; *s; s++) {
		const char *at = strchr(special, *s);
		if (at)
			out_printf(x->to, "%s", as[at - special]);
		else if ((unsigned char)*s < ' ')
			die("%s: row %" PRIu64 ": the name '%.300s' holds a control character, which XML can't hold", x->s->name, row, s);
		else
			out_write(x->to, s, 1);
	}
}

static long whole(double v)
{
	return (long)floor(v + 0.5);
}

static void *begin_imglab(const struct export_set *s, struct out *to)
{
	struct imglab *x = xcalloc(1, sizeof *x);
	x->s = s, x->to = to;
	out_printf(to, "<?xml version='1.0' encoding='UTF-8'?>\n<dataset>\n<name>keypoints</name>\n<images>\n");
	return x;
}

static void close_image(struct imglab *x)
{
	if (x->file)
		out_printf(x->to, "  </image>\n");
	free(x->file);
	x->file = NULL;
}

static int face_imglab(void *state, const struct export_face *f)
{
	struct imglab *x = state;
	if (!x->file || strcmp(x->file, f->file)) {
		close_image(x);
		x->file = xstrdup(f->file);
		out_printf(x->to, "  <image file='");
		put_text(x, f->file, f->row);
		out_printf(x->to, "'>\n");
	}
	if (!f->has_box)
		return 1;
	long left = whole(f->box[0]), top = whole(f->box[1]), right = whole(f->box[0] + f->box[2]), bottom = whole(f->box[1] + f->box[3]);
	out_printf(x->to, "    <box top='%ld' left='%ld' width='%ld' height='%ld'>\n", top, left, right > left ? right - left : 1,
		bottom > top ? bottom - top : 1);
	for (int k = 0; k < x->s->K; k++) {
		if (isnan(f->xy[2 * k]))
			continue;
		out_printf(x->to, "      <part name='");
		put_text(x, x->s->points[k], f->row);
		out_printf(x->to, "' x='%ld' y='%ld'/>\n", whole(f->xy[2 * k]), whole(f->xy[2 * k + 1]));
	}
	out_printf(x->to, "    </box>\n");
	return 1;
}

static void end_imglab(void *state)
{
	struct imglab *x = state;
	close_image(x);
	out_printf(x->to, "</images>\n</dataset>\n");
	free(x);
}

const struct export_form export_imglab = {"imglab", 0, 1, 0, begin_imglab, face_imglab, end_imglab};
