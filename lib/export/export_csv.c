/* CSV: filename, NAME_x, NAME_y, NAME_confidence, a line a row; without points left, top, right, bottom, score. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "lib/export/export_form.h"

struct csv_out {
	const struct export_set *s;
	struct out *to;
};

/* In quotes where it has to be. */
static void put_text(struct out *to, const char *s)
{
	size_t n = strlen(s);
	if (n && *s != ' ' && *s != '#' && s[n - 1] != ' ' && !strpbrk(s, ",;\t\"\r\n")) {
		out_write(to, s, n);
		return;
	}
	out_write(to, "\"", 1);
	for (; *s; s++)
		out_write(to, *s == '"' ? "\"\"" : s, *s == '"' ? 2 : 1);
	out_write(to, "\"", 1);
}

static void put_name(struct out *to, const char *point, const char *suffix)
{
	char *name = xprintf("%s_%s", point, suffix);
	out_write(to, ",", 1);
	put_text(to, name);
	free(name);
}

static void *begin_csv(const struct export_set *s, struct out *to)
{
	struct csv_out *c = xcalloc(1, sizeof *c);
	c->s = s, c->to = to;
	out_printf(to, "filename");
	for (int k = 0; k < s->K; k++) {
		put_name(to, s->points[k], "x");
		put_name(to, s->points[k], "y");
		if (s->has_confidence)
			put_name(to, s->points[k], "confidence");
	}
	if (!s->K)
		out_printf(to, ",left,top,right,bottom%s", s->has_score ? ",score" : "");
	out_write(to, "\n", 1);
	return c;
}

static void put_number(struct out *to, double v)
{
	char buf[32];
	out_printf(to, ",%s", isfinite(v) ? export_number(buf, v) : "");
}

static int face_csv(void *state, const struct export_face *f)
{
	struct csv_out *c = state;
	put_text(c->to, f->file);
	for (int k = 0; k < c->s->K; k++) {
		put_number(c->to, f->xy[2 * k]);
		put_number(c->to, f->xy[2 * k + 1]);
		if (f->confidence)
			put_number(c->to, (double)f->confidence[k]);
	}
	for (int k = 0; k < 4 && !c->s->K; k++)
		put_number(c->to, !f->has_box ? NAN : k < 2 ? f->box[k] : (double)(float)(f->box[k - 2] + f->box[k]));
	if (c->s->has_score)
		put_number(c->to, f->score);
	out_write(c->to, "\n", 1);
	return 1;
}

const struct export_form export_csv = {"csv", 0, 0, 0, begin_csv, face_csv, free};
