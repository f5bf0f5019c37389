/* JSON lines: an object a row. */
#include <math.h>
#include <stdlib.h>

#include "lib/export/export_form.h"

struct jsonl {
	const struct export_set *s;
	struct out *to;
};

static void *begin_jsonl(const struct export_set *s, struct out *to)
{
	struct jsonl *l = xcalloc(1, sizeof *l);
	l->s = s, l->to = to;
	return l;
}

static void put_number(struct json *j, double v)
{
	char buf[32];
	json_literal(j, isfinite(v) ? export_number(buf, v) : "null");
}

static int face_jsonl(void *state, const struct export_face *f)
{
	struct jsonl *l = state;
	struct json j;
	json_begin(&j, l->to);
	json_key(&j, "file");
	json_string(&j, f->file);
	json_key(&j, "id");
	json_uint(&j, f->id);
	if (!l->s->K) {
		json_key(&j, "box");
		json_open(&j, '[');
		for (int k = 0; k < 4 && f->has_box; k++)
			put_number(&j, f->box[k]);
		json_close(&j, ']');
		if (l->s->has_score) {
			json_key(&j, "score");
			put_number(&j, f->score);
		}
		json_finish(&j);
		return 1;
	}
	json_key(&j, "points");
	json_open(&j, '{');
	for (int k = 0; k < l->s->K; k++) {
		json_key(&j, l->s->points[k]);
		if (isnan(f->xy[2 * k])) {
			json_literal(&j, "null");
			continue;
		}
		json_open(&j, '[');
		put_number(&j, f->xy[2 * k]);
		put_number(&j, f->xy[2 * k + 1]);
		if (f->confidence)
			put_number(&j, (double)f->confidence[k]);
		json_close(&j, ']');
	}
	json_close(&j, '}');
	json_finish(&j);
	return 1;
}

const struct export_form export_jsonl = {"jsonl", 0, 1, 0, begin_jsonl, face_jsonl, free};
