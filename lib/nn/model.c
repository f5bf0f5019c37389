/* Models read from and written to tensor streams. Parameters are f32 in streams whatever real is. */
#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/err.h"
#include "lib/base/num.h"
#include "lib/stream/named_points.h"
#include "lib/nn/model.h"
#include "lib/nn/netdesc_tell.h"
#include "lib/nn/point_offsets.h"
#include "lib/stream/dataset_stream.h"
#include "lib/stream/history.h"
#include "lib/stream/names.h"

static const char *const target_names[] = {"label", "coords", "heatmap", "map", "image"};

const char *model_target_name(enum target t)
{
	return target_names[t];
}

int model_target(const char *name)
{
	for (int i = 0; i <= TARGET_IMAGE; i++)
		if (!strcmp(name, target_names[i]))
			return i;
	return -1;
}

int model_has_points(enum target t)
{
	return t == TARGET_COORDS || t == TARGET_HEATMAP || t == TARGET_MAP;
}

/* Parses the net of m, whose target has `values` values, and sets d, points, outputs, MW, MH; 0, or -1 and a line in err. */
static int build(struct model *m, int values, char err[256])
{
	struct netdesc_target t = {values, values};
	m->points = model_has_points(m->target) ? values / 2 : 0;
	m->MW = m->W, m->MH = m->H;
	if (m->target == TARGET_HEATMAP)
		m->MW = (m->W + 1) / 2, m->MH = (m->H + 1) / 2, t = (struct netdesc_target){m->points * m->MW * m->MH, m->points};
	if (m->target == TARGET_MAP)
		t = (struct netdesc_target){m->W * m->H, 1};
	if (netdesc_parse(&m->d, m->net, 1, m->H, m->W, t, err))
		return -1;
	const struct layer *last = &m->d.layer[m->d.n - 1];
	if (m->target == TARGET_HEATMAP && last->OC == m->points && last->OH * last->OW > 1)
		m->MW = last->OW, m->MH = last->OH;
	m->outputs = m->d.outputs;
	if (m->target == TARGET_MAP && m->outputs != t.values)
		return snprintf(err, 256, "the net ends with a map of %dx%d (HxW), the target's is %dx%d", last->OH, last->OW, m->H, m->W),
		       m->d.fault = m->d.n - 1, -1;
	return 0;
}

/* One axis of a map: cell = pixel * s + o. Where its cells, times the net's stride, are just the image (convolutions padded alike on both
 * sides), or the layers say nothing of places, it covers the image's area: what is left of the layers' own shift is a constant, which a net
 * learns, and no cell is lost beyond the border. Else, and where geometry is 1, cells lie where the layers put them. */
static void map_scale(const struct model *m, int y, int geometry, float *s, float *o)
{
	int M = y ? m->MH : m->MW, N = y ? m->H : m->W;
	double stride, first;
	*s = (float)M / (float)N, *o = 0.5f * *s - 0.5f;
	if (geometry && m->target == TARGET_HEATMAP && netdesc_geometry(&m->d, y, &stride, &first) && stride * M != N)
		*s = (float)(1 / stride), *o = (float)(-first / stride);
}

/* The scale for labels whose origin is the first pixel's centre: to coordinates in about -1..1, 0 the middle of the image; or to cells. */
static void default_scale(const struct model *m, int geometry, float *sx, float *ox, float *sy, float *oy)
{
	*sx = 2.0f / (float)m->W, *ox = -(float)(m->W - 1) / (float)m->W;
	*sy = 2.0f / (float)m->H, *oy = -(float)(m->H - 1) / (float)m->H;
	if (m->target == TARGET_HEATMAP || m->target == TARGET_MAP)
		map_scale(m, 0, geometry, sx, ox), map_scale(m, 1, geometry, sy, oy);
}

void model_set_offset(struct model *m, double x, double y)
{
	default_scale(m, 1, &m->sx, &m->ox, &m->sy, &m->oy);
	m->offset[0] = x, m->offset[1] = y;
	m->ox = (float)((double)m->ox - x * (double)m->sx), m->oy = (float)((double)m->oy - y * (double)m->sy);
}

/* The label offset from a file's scale, whose maps cover the image's area in models written before they had the layers' geometry; one as
 * small as rounding is 0. */
static void read_offset(struct model *m)
{
	for (int geometry = 1; geometry >= 0 && m->points; geometry--) {
		float sx, ox, sy, oy;
		default_scale(m, geometry, &sx, &ox, &sy, &oy);
		double x = ((double)ox - (double)m->ox) / (double)m->sx, y = ((double)oy - (double)m->oy) / (double)m->sy;
		if (sx != m->sx || sy != m->sy) /* not written by this program */
			continue;
		m->offset[0] = fabs(x) < 1e-4 ? 0 : x, m->offset[1] = fabs(y) < 1e-4 ? 0 : y;
		return;
	}
}

/* What else the user may have meant, of a net that ends with maps. */
static const char *ends_hint(const struct model *m)
{
	const struct layer *last = m->d.n ? &m->d.layer[m->d.n - 1] : NULL;
	if (!last || !m->d.outputs || last->OH * last->OW == 1)
		return "";
	return m->target == TARGET_COORDS  ? ": these are maps, for --target heatmap; for --target coords the last layer is fc"
	       : m->target == TARGET_LABEL ? ": these are maps, for --target heatmap; for --target label the last layer is fc"
					   : "";
}

/* What an output loses that is nowhere below 0; NULL: nothing. */
static const char *lost_half(const struct model *m)
{
	return m->target == TARGET_COORDS		      ? "the left and the upper half of an image are: end the net with fc"
	       : m->target == TARGET_LABEL && m->outputs == 1 ? "the first of two labels is: end the net with fc"
							      : NULL;
}

struct model *model_new_from(const struct netdesc_text *net, enum target target, int W, int H, int values, const char *names)
{
	struct model *m = xcalloc(1, sizeof *m);
	char err[256];
	m->net = xstrdup(net->text);
	m->target = target, m->W = W, m->H = H;
	if (build(m, values, err))
		netdesc_tell_refusal(net, m->d.fault, err, ends_hint(m));
	for (int i = 0; i < m->d.n; i++) { /* checked before the training, not when its result is saved */
		const struct layer *l = &m->d.layer[i];
		if (l->nw && l->kind != LAYER_BN && l->nw / (size_t)l->OC > TNS_CHUNK_MAX / sizeof(float)) {
			snprintf(err, sizeof err, "layer %d: an output has %zu weights, a row of a stream holds at most %zu", i + 1,
				l->nw / (size_t)l->OC, TNS_CHUNK_MAX / sizeof(float));
			netdesc_tell_refusal(net, i, err, "");
		}
	}
	netdesc_tell_doubts(net, &m->d, lost_half(m));
	m->names = xstrdup(names);
	m->mul = 1.0f / 255, m->add = 0;
	default_scale(m, 1, &m->sx, &m->ox, &m->sy, &m->oy);
	if (target == TARGET_MAP)
		m->prior = xcalloc((size_t)m->points * MODEL_PRIOR, sizeof *m->prior);
	m->param = xcalloc(m->d.nparam, sizeof *m->param);
	m->stat = xcalloc(m->d.nstat, sizeof *m->stat);
	return m;
}

struct model *model_new(const char *net, enum target target, int W, int H, int values, const char *names)
{
	struct netdesc_text text = {.raw = (char *)net, .text = (char *)net};
	return model_new_from(&text, target, W, H, values, names);
}

int model_is(const struct tns *t)
{
	return tns_meta_value(t, "net") != NULL;
}

static const char *need_meta(const struct tns *t, const char *key)
{
	const char *s = tns_meta_value(t, key);
	if (!s)
		die("%s: a model needs META %s", t->name, key);
	return s;
}

static void read_prior(struct model *m, const struct tns_table *b)
{
	const struct tns *t = tns_table_head(b);
	int id = dataset_stream_require(t, "prior", TNS_F32, 2);
	if (t->def[id].rows != (uint64_t)m->points || t->def[id].dim[1] != MODEL_PRIOR)
		die("%s: prior is not %dx%d", t->name, m->points, MODEL_PRIOR);
	m->prior = xcalloc((size_t)m->points * MODEL_PRIOR, sizeof *m->prior);
	tns_copy(b, id, m->prior);
}

/* Names of a comma-joined list; -1: one is empty. */
static int count_names(const char *list)
{
	int n = 1;
	for (const char *c = list;; c++) {
		if ((*c == ',' || !*c) && (c == list || c[-1] == ','))
			return -1;
		if (!*c)
			return n;
		n += *c == ',';
	}
}

/* Fills m; what hinders it, to be freed, or NULL. */
static char *read_net(struct model *m, const struct tns *t)
{
	const char *net = tns_meta_value(t, "net"), *goal = tns_meta_value(t, "target"), *input = tns_meta_value(t, "input");
	char err[256];
	if (!net)
		return xstrdup("a model needs META net: cnn-train and dae-pretrain write models");
	m->net = xstrdup(net);
	if (!goal || !input)
		return xprintf("a model needs META %s", goal ? "input" : "target");
	int target = model_target(goal);
	if (target < 0)
		return xprintf("target '%s' is not known here", goal);
	m->target = (enum target)target;
	if (!num_size(input, &m->W, &m->H))
		return xprintf("META input '%s' is not WxH", input);
	if ((long)m->W * m->H > INT_MAX)
		return xprintf("META input '%s' is too large", input);
	const char *key = model_has_points(m->target) ? "points" : "classes";
	const char *names = m->target == TARGET_IMAGE ? "" : tns_meta_value(t, key);
	int n = names && m->target != TARGET_IMAGE ? count_names(names) : 0;
	if (!names || n < 0)
		return names ? xprintf("META %s: '%s': an empty name", key, names) : xprintf("a model needs META %s", key);
	m->names = xstrdup(names);
	if (build(m, m->target == TARGET_IMAGE ? m->W * m->H : model_has_points(m->target) ? 2 * n : n == 2 ? 1 : n, err)) {
		char *place = netdesc_text_place(m->net, m->d.fault, NULL, "META net"), *why = xprintf("%s: %s", place, err);
		free(place);
		return why;
	}
	return NULL;
}

struct model *model_read_net(const struct tns *t, char **why)
{
	struct model *m = xcalloc(1, sizeof *m);
	*why = read_net(m, t);
	if (!*why)
		return m;
	model_free(m);
	return NULL;
}

struct model *model_read_meta(const struct tns *t)
{
	char *why;
	struct model *m = model_read_net(t, &why);
	if (!m)
		die("%s: %s", t->name, why);
	const char *scale = need_meta(t, "scale");
	int n = 0;
	if (sscanf(scale, "pixel %f %f x %f %f y %f %f%n", &m->mul, &m->add, &m->sx, &m->ox, &m->sy, &m->oy, &n) != 6 || scale[n] ||
		m->sx == 0 || m->sy == 0 || !isfinite(m->mul + m->add + m->sx + m->ox + m->sy + m->oy))
		die("%s: META scale '%s' is not 'pixel MUL ADD x MUL ADD y MUL ADD'", t->name, scale);
	if (model_has_points(m->target) && tns_meta_value(t, "pairs")) {
		m->pairs = xstrdup(tns_meta_value(t, "pairs"));
		free(model_partners(m)); /* they are points */
	}
	if (tns_meta_value(t, "crop"))
		m->crop = xstrdup(tns_meta_value(t, "crop"));
	if (model_has_points(m->target) && tns_meta_value(t, "unlearned")) {
		m->unlearned = xstrdup(tns_meta_value(t, "unlearned"));
		free(model_learned(m)); /* they are points */
	}
	read_offset(m);
	char **points = m->points ? names_split(m->names, &n) : NULL;
	m->mean = points ? named_points_read(t, "mean_face", points, m->points) : NULL;
	m->asymmetry = points ? point_offsets_read(t, "asymmetry", points, m->points) : NULL;
	m->sources = points ? sources_read(t, "", points, m->points) : NULL;
	names_free(points);
	const char *rmse = tns_meta_value(t, "rmse_px");
	if (rmse && (!num_real(rmse, &m->rmse) || m->rmse < 0))
		die("%s: META rmse_px '%s' is no length", t->name, rmse);
	return m;
}

struct model *model_from_table(const struct tns_table *b)
{
	const struct tns *t = tns_table_head(b);
	struct model *m = model_read_meta(t);
	/* check that the stream holds all weights before allocating: the net it declares may be of any size */
	double floats = 0;
	for (int i = 0; i < t->ntensors; i++)
		floats += (double)t->def[i].rows * (double)t->def[i].row_bytes / 4;
	if ((double)m->d.nparam > floats)
		die("%s: the net needs %zu parameters, the stream holds %.0f numbers", t->name, m->d.nparam, floats);
	m->param = xlarge(m->d.nparam * sizeof *m->param);
	m->stat = xcalloc(m->d.nstat, sizeof *m->stat);
	model_read(&m->d, b, "", m->param, m->stat);
	if (m->target == TARGET_MAP)
		read_prior(m, b);
	m->trained = trained_read(b);
	m->fingerprint = t->fingerprint;
	m->history = xstrdup(tns_meta_value(t, "history") ? tns_meta_value(t, "history") : "");
	return m;
}

struct model *model_load(const char *path)
{
	struct tns_table *b = tns_load(path);
	struct model *m = model_from_table(b);
	tns_unload(b);
	return m;
}

void model_free(struct model *m)
{
	if (!m)
		return;
	free(m->net), free(m->names), free(m->pairs), free(m->crop), free(m->unlearned), free(m->ranks), free(m->mean), free(m->asymmetry),
		sources_free(m->sources), trained_free(m->trained), free(m->prior), free(m->param), free(m->stat), free(m->history),
		free(m);
}

char *model_learned(const struct model *m)
{
	int n, count;
	char **names = names_split(m->names, &n), *learned = xmalloc((size_t)n + 1);
	memset(learned, 1, (size_t)n + 1);
	char **unlearned = m->unlearned ? names_split(m->unlearned, &count) : NULL;
	for (int i = 0; unlearned && unlearned[i]; i++) {
		int k = names_index(names, unlearned[i]);
		if (k < 0)
			die("META unlearned: '%s' is none of the points", unlearned[i]);
		learned[k] = 0;
	}
	names_free(names), names_free(unlearned);
	return learned;
}

int *model_partners(const struct model *m)
{
	int n;
	char **names = names_split(m->names, &n);
	int *partner = names_partners(names, m->pairs);
	names_free(names);
	return partner;
}

void model_require_partners(const struct model *m, const char *option)
{
	int n;
	char **names = names_split(m->names, &n);
	free(names_require_partners(names, m->pairs, option));
	names_free(names);
}

void model_set_asymmetry(struct model *m, const double *asymmetry)
{
	size_t bytes = 2 * (size_t)m->points * sizeof *asymmetry;
	free(m->asymmetry);
	m->asymmetry = asymmetry ? memcpy(xmalloc(bytes), asymmetry, bytes) : NULL;
}

void model_add_asymmetry(const struct model *m, float *xy, int B)
{
	for (int i = 0; m->asymmetry && i < B * 2 * m->points; i++)
		xy[i] += (float)m->asymmetry[i % (2 * m->points)];
	for (int b = 0; m->sources && b < B; b++)
		sources_add(m->sources, m->sources->chosen, xy + b * 2 * m->points);
}

int model_finite(const struct model *m)
{
	for (size_t i = 0; i < m->d.nparam; i++)
		if (!isfinite(m->param[i]))
			return 0;
	for (size_t i = 0; i < m->d.nstat; i++)
		if (!isfinite(m->stat[i]))
			return 0;
	return 1;
}

void model_scale_text(const struct model *m, char text[256])
{
	snprintf(text, 256, "pixel %.9g %.9g x %.9g %.9g y %.9g %.9g", (double)m->mul, (double)m->add, (double)m->sx, (double)m->ox,
		(double)m->sy, (double)m->oy);
}

void model_put_meta(const struct model *m, struct tns_writer *w)
{
	char text[256];
	tns_put_meta(w, "net", m->net);
	tns_put_meta(w, "target", model_target_name(m->target));
	snprintf(text, sizeof text, "%dx%d", m->W, m->H);
	tns_put_meta(w, "input", text);
	model_scale_text(m, text);
	tns_put_meta(w, "scale", text);
	if (m->rmse > 0) {
		snprintf(text, sizeof text, "%.6g", m->rmse);
		tns_put_meta(w, "rmse_px", text);
	}
	if (m->target != TARGET_IMAGE)
		tns_put_meta(w, model_has_points(m->target) ? "points" : "classes", m->names);
	if (m->pairs)
		tns_put_meta(w, "pairs", m->pairs);
	if (m->crop)
		tns_put_meta(w, "crop", m->crop);
	if (m->unlearned)
		tns_put_meta(w, "unlearned", m->unlearned);
	if (m->ranks)
		tns_put_meta(w, "ranks", m->ranks);
	int n;
	char **points = m->points ? names_split(m->names, &n) : NULL;
	if (m->mean)
		named_points_put(w, "mean_face", points, m->mean, m->points);
	if (m->asymmetry)
		named_points_put(w, "asymmetry", points, m->asymmetry, m->points);
	sources_put(m->sources, w, "", points);
	names_free(points);
}

void model_save(const struct model *m, const char *path, const struct tns *const *in, int n, const char *more)
{
	struct tns_writer *w = tns_create(path);
	model_put_meta(m, w);
	int id = model_define(&m->d, w, "", 1);
	int prior = m->prior ? tns_define(w, "prior", TNS_F32, 2, (uint64_t[]){(uint64_t)m->points, MODEL_PRIOR}) : -1;
	int trained = trained_define(m->trained, w);
	model_write(&m->d, w, id, m->param, m->stat);
	if (m->prior)
		tns_write(w, prior, m->prior, (uint64_t)m->points);
	trained_write(m->trained, w, trained);
	history_put(w, in, n, more);
	tns_close(w);
}
