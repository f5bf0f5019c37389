/* Models written to streams and read back, bit for bit; every refusal of a stream that is no model, with its text; initialization from
 * another model; initial weights. */
#include <check.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "lib/base/err.h"
#include "lib/base/opt.h"
#include "lib/base/philox.h"
#include "lib/nn/layer_alias.h"
#include "lib/nn/model.h"
#include "lib/nn/net.h"
#include "tests/child.h"

static char dir[64];

static const char *at(const char *name)
{
	static char path[4][128];
	static int k;
	k = (k + 1) % 4;
	snprintf(path[k], sizeof path[k], "%s/%s.%d", dir, name, (int)getpid());
	return path[k];
}

/* Numbers that a round trip must keep to the bit: tiny, large and negative zero among them. */
static void fill(struct model *m)
{
	for (size_t i = 0; i < m->d.nparam; i++) {
		struct philox p = philox(3, PHILOX_TEST, 0, (uint32_t)i, 0);
		m->param[i] = philox_normal(p.v[0], p.v[1]) * (i % 7 ? 1 : 1e-30f);
	}
	m->param[0] = -0.0f, m->param[1] = 1e-42f, m->param[2] = 3e38f;
	for (size_t i = 0; i < m->d.nstat; i++)
		m->stat[i] = 0.25f + (float)i;
}

#define FOUR(s) s s s s
#define THREE "relu relu relu "
static const struct {
	const char *net, *names;
	enum target target;
	int W, H, outputs;
} cases[] = {
	{"conv3x2x4p1 bn relu pool2 fc5 tanh dropout0.5 fc", "left_eye,right_eye,nose", TARGET_COORDS, 9, 7, 6},
	{"fc3 sigmoid fc", "other,eye", TARGET_LABEL, 5, 3, 1}, {"fc bn", "a,b,c", TARGET_LABEL, 2, 3, 3},
	{"fc4 sigmoid fc sigmoid", "", TARGET_IMAGE, 5, 3, 15},
	{FOUR(FOUR(FOUR(THREE))) FOUR(FOUR(THREE)) FOUR(THREE) THREE "fc", "a", TARGET_COORDS, 2, 2, 2}, /* 256 layers, the most */
};

START_TEST(round_trip)
{
	const char *one = at("one"), *two = at("two");
	struct model *m = model_new(cases[_i].net, cases[_i].target, cases[_i].W, cases[_i].H, cases[_i].outputs, cases[_i].names);
	fill(m);
	m->mul = 1.0f / 3, m->add = -0.1f, m->ox = 1.0000001f; /* nine digits restore a float */
	m->mean = m->points ? xcalloc((size_t)m->points * 2, sizeof *m->mean) : NULL;
	for (int i = 0; i < 2 * m->points; i++)
		m->mean[i] = 0.125 * i - 0.25;
	uint64_t *hash = xcalloc(2, sizeof *hash);
	hash[0] = trained_hash("abc", 3), hash[1] = trained_hash("abd", 3);
	m->trained = trained_new(hash, 2, NULL);
	model_save(m, one, NULL, 0, NULL);
	struct model *l = model_load(one);
	ck_assert_str_eq(l->net, cases[_i].net);
	ck_assert_str_eq(l->names, cases[_i].names);
	ck_assert(l->target == m->target && l->W == m->W && l->H == m->H && l->outputs == m->outputs);
	ck_assert(!memcmp(&l->mul, &m->mul, 6 * sizeof m->mul));
	ck_assert(l->d.nparam == m->d.nparam && l->d.nstat == m->d.nstat && l->d.n == m->d.n);
	ck_assert(!memcmp(l->param, m->param, m->d.nparam * sizeof *m->param));
	ck_assert(!m->d.nstat || !memcmp(l->stat, m->stat, m->d.nstat * sizeof *m->stat));
	ck_assert(strlen(l->history) > 0);
	ck_assert(!m->points == !l->mean && (!l->mean || !memcmp(l->mean, m->mean, (size_t)m->points * 2 * sizeof *m->mean)));
	ck_assert(l->trained->n == 2 && !memcmp(l->trained->hash, m->trained->hash, 2 * sizeof *m->trained->hash));
	/* saving again gives the same bytes */
	model_save(l, two, NULL, 0, NULL);
	struct model *again = model_load(two);
	ck_assert_uint_eq(again->fingerprint, l->fingerprint);
	model_free(m), model_free(l), model_free(again);
	unlink(one), unlink(two);
}
END_TEST

/* Where cells lie, in numbers by hand; a scale that is in the file stands, whatever this program would write, and so does the label offset.
 */
static const struct {
	const char *net;
	float sx, ox, area; /* cell = pixel * sx + ox; area: sx where the map covered the image's area whatever the layers are */
} maps[] = {
	{"conv5x5x8s2p2 relu conv3x3", 0.5f, -1, 46.0f / 96},	    /* 96 to 48 to 46 cells, at 2, 4, ... */
	{"conv3x3x8 relu pool2 conv3x3", 0.5f, -1.75f, 45.0f / 96}, /* 94 to 47 to 45, at 3.5, 5.5, ... */
	{"pool2 conv3x3 up2", 1, -2, 92.0f / 96},
	{"conv2x2 up2", 2, -0.5f, 190.0f / 96},
	{"conv3x3x8s2p1 relu conv3x3p1", 0.5f, -0.25f, 0.5f}, /* 48 cells of 2 are the image: its area */
	{"pool2 conv3x3p1", 0.5f, -0.25f, 0.5f},
	{"pool4 fc", 0.5f, -0.25f, 0.5f},
};

START_TEST(map_scale)
{
	struct model *m = model_new(maps[_i].net, TARGET_HEATMAP, 96, 96, 4, "a,b");
	ck_assert_msg(m->sx == maps[_i].sx && fabsf(m->ox - maps[_i].ox) < 1e-6f && m->sy == m->sx && m->oy == m->ox, "%s: %g %g",
		maps[_i].net, (double)m->sx, (double)m->ox);
	for (int old = 0; old < 2; old++) {
		model_set_offset(m, 0.75, -1.5);
		if (old) {
			m->sx = m->sy = maps[_i].area;
			m->ox = 0.5f * m->sx - 0.5f - 0.75f * m->sx, m->oy = 0.5f * m->sy - 0.5f + 1.5f * m->sy;
		}
		model_save(m, at("maps"), NULL, 0, NULL);
		struct model *l = model_load(at("maps"));
		ck_assert(l->sx == m->sx && l->ox == m->ox && l->sy == m->sy && l->oy == m->oy);
		ck_assert_msg(fabs(l->offset[0] - 0.75) < 1e-4 && fabs(l->offset[1] + 1.5) < 1e-4, "%s, %d: offset %g,%g", maps[_i].net,
			old, l->offset[0], l->offset[1]);
		model_free(l);
	}
	model_free(m);
	unlink(at("maps"));
}
END_TEST

/* The file's tensors have the names and shapes of the specification; pixel and coordinate scales. */
START_TEST(as_written)
{
	const char *path = at("written");
	struct model *m = model_new(cases[0].net, TARGET_COORDS, 9, 7, 6, cases[0].names);
	ck_assert_float_eq_tol(m->mul * 255 + m->add, 1, 1e-6f);
	for (int k = 0; k < 2; k++) { /* the middle of the image is 0, its borders (half a pixel outside the centres) are -1 and 1 */
		float s = k ? m->sy : m->sx, o = k ? m->oy : m->ox, n = k ? 7 : 9;
		ck_assert_float_eq_tol((n - 1) / 2 * s + o, 0, 1e-6f);
		ck_assert_float_eq_tol(-0.5f * s + o, -1, 1e-6f);
		ck_assert_float_eq_tol((n - 0.5f) * s + o, 1, 1e-6f);
	}
	fill(m);
	model_save(m, path, NULL, 0, "with more");
	struct tns_table *b = tns_load(path);
	const struct tns *t = tns_table_head(b);
	ck_assert(model_is(t));
	static const struct {
		const char *name;
		int ndim, dim[4];
	} want[] = {{"0.weight", 4, {4, 1, 3, 2}}, {"0.bias", 1, {4}}, {"1.weight", 1, {4}}, {"1.bias", 1, {4}}, {"1.mean", 1, {4}},
		{"1.var", 1, {4}}, {"4.weight", 2, {5, 4 * 3 * 5}}, {"4.bias", 1, {5}}, {"7.weight", 2, {6, 5}}, {"7.bias", 1, {6}}};
	ck_assert_int_eq(t->ntensors, (int)(sizeof want / sizeof *want));
	for (int i = 0; i < t->ntensors; i++) {
		ck_assert_str_eq(t->def[i].name, want[i].name);
		ck_assert(t->def[i].dtype == TNS_F32 && t->def[i].ndim == want[i].ndim);
		for (int k = 0; k < want[i].ndim; k++)
			ck_assert_uint_eq(t->def[i].dim[k], (uint64_t)want[i].dim[k]);
	}
	ck_assert_str_eq(tns_meta_value(t, "target"), "coords");
	ck_assert_str_eq(tns_meta_value(t, "input"), "9x7");
	ck_assert_str_eq(tns_meta_value(t, "points"), cases[0].names);
	ck_assert(!tns_meta_value(t, "classes") && strstr(tns_meta_value(t, "history"), "[with more]"));
	ck_assert(!memcmp(tns_row(b, tns_find(t, "1.var"), 0), m->stat + 4, 16));
	tns_unload(b);
	model_free(m);
	unlink(path);
}
END_TEST

/* ---- streams that are no models ---- */

struct bad {
	const char *why;	 /* end of the message */
	const char *key, *value; /* of a META to change; value NULL: to omit */
	const char *tensor;	 /* to change; dtype 0: to omit */
	int dtype, ndim;
	uint64_t dim[4];
};

static const struct bad bad_models[] = {
	{"a model needs META net: cnn-train and dae-pretrain write models", "net", NULL, NULL, 0, 0, {0}},
	{"a model needs META target", "target", NULL, NULL, 0, 0, {0}},
	{"a model needs META input", "input", NULL, NULL, 0, 0, {0}},
	{"a model needs META scale", "scale", NULL, NULL, 0, 0, {0}},
	{"a model needs META points", "points", NULL, NULL, 0, 0, {0}},
	{"target 'maps' is not known here", "target", "maps", NULL, 0, 0, {0}},
	{"a model needs META classes", "target", "label", NULL, 0, 0, {0}},
	{"META input '4' is not WxH", "input", "4", NULL, 0, 0, {0}},
	{"META input '0x3' is not WxH", "input", "0x3", NULL, 0, 0, {0}},
	{"META input '4x3x2' is not WxH", "input", "4x3x2", NULL, 0, 0, {0}},
	{"META input '65536x3' is not WxH", "input", "65536x3", NULL, 0, 0, {0}},
	{"META scale 'pixel 1 0 x 1 0 y 1' is not 'pixel MUL ADD x MUL ADD y MUL ADD'", "scale", "pixel 1 0 x 1 0 y 1", NULL, 0, 0, {0}},
	{"META scale 'pixel 1 0 x 1 0 y 1 0 ' is not 'pixel MUL ADD x MUL ADD y MUL ADD'", "scale", "pixel 1 0 x 1 0 y 1 0 ", NULL, 0, 0,
		{0}},
	{"META scale '' is not 'pixel MUL ADD x MUL ADD y MUL ADD'", "scale", "", NULL, 0, 0, {0}},
	{"META scale 'pixel 1 0 x 0 0 y 1 0' is not 'pixel MUL ADD x MUL ADD y MUL ADD'", "scale", "pixel 1 0 x 0 0 y 1 0", NULL, 0, 0,
		{0}},
	{"META scale 'pixel 1 0 x 1 0 y 0 0' is not 'pixel MUL ADD x MUL ADD y MUL ADD'", "scale", "pixel 1 0 x 1 0 y 0 0", NULL, 0, 0,
		{0}},
	{"META scale 'pixel nan 0 x 1 0 y 1 0' is not 'pixel MUL ADD x MUL ADD y MUL ADD'", "scale", "pixel nan 0 x 1 0 y 1 0", NULL, 0, 0,
		{0}},
	{"META scale 'pixel 1 inf x 1 0 y 1 0' is not 'pixel MUL ADD x MUL ADD y MUL ADD'", "scale", "pixel 1 inf x 1 0 y 1 0", NULL, 0, 0,
		{0}},
	{"META scale 'pixel 1 0 x nan 0 y 1 0' is not 'pixel MUL ADD x MUL ADD y MUL ADD'", "scale", "pixel 1 0 x nan 0 y 1 0", NULL, 0, 0,
		{0}},
	{"META scale 'pixel 1 0 x 1 0 y 1 1e39' is not 'pixel MUL ADD x MUL ADD y MUL ADD'", "scale", "pixel 1 0 x 1 0 y 1 1e39", NULL, 0,
		0, {0}},
	{"META net: column 5: layer 2: 'fcc' is no layer (write fcN, N from 1 to 1000000, or fc for as many as the target has)", "net",
		"fc5 fcc", NULL, 0, 0, {0}},
	{"META net: column 1: layer 1: '@/etc/passwd' is no layer (there are " LAYER_ALIAS_FORMS ")", "net", "@/etc/passwd", NULL, 0, 0,
		{0}},
	{"META mean_face: 'a 1' is not NAME X Y", "mean_face", "a 1,b 1 2", NULL, 0, 0, {0}},
	{"META mean_face: 'a 1 nan' is not NAME X Y", "mean_face", "a 1 nan", NULL, 0, 0, {0}},
	{"META asymmetry: 'a 1' is not NAME X Y", "asymmetry", "a 1,b 1 2", NULL, 0, 0, {0}},
	{"META asymmetry: '' is not NAME X Y of its points, each once at most", "asymmetry", "", NULL, 0, 0, {0}},
	{"META asymmetry: 'a 1 2 3 4' is not NAME X Y of its points, each once at most", "asymmetry", "a 1 2 3 4", NULL, 0, 0, {0}},
	{"META asymmetry: 'a 1 2,c 1 2' is not NAME X Y of its points, each once at most", "asymmetry", "a 1 2,c 1 2", NULL, 0, 0, {0}},
	{"META asymmetry: 'a 1 2,a 1 2' is not NAME X Y of its points, each once at most", "asymmetry", "a 1 2,a 1 2", NULL, 0, 0, {0}},
	{"META asymmetry: -1e+30 pixels are too many", "asymmetry", "a 1 2,b 1 -1e30", NULL, 0, 0, {0}},
	{"META sources: 1 sources, not 2 to 64", "sources", "x", NULL, 0, 0, {0}},
	{"META sources: 'x' stands there twice", "sources", "x,y.csv,x", NULL, 0, 0, {0}},
	{"there is no META source.z, but META sources names it", "sources", "x,z", NULL, 0, 0, {0}},
	{"META source.x: 'a 1 2,c 1 2' is not NAME X Y of its points, each once at most", "source.x", "a 1 2,c 1 2", NULL, 0, 0, {0}},
	{"META source.x: 1e+09 pixels are too many", "source.x", "a 1 1e9", NULL, 0, 0, {0}},
	{"META net: the net has no layers", "net", "", NULL, 0, 0, {0}},
	{"META net: column 1: the net ends with 5 values, the target has 4", "net", "fc5", NULL, 0, 0, {0}},
	{"2.weight is f32 of 4x5, the net needs f32 of 6x5", "points", "a,b,c", NULL, 0, 0, {0}},
	{"'a,,b': an empty name", "points", "a,,b", NULL, 0, 0, {0}},
	{"'a,': an empty name", "points", "a,", NULL, 0, 0, {0}},
	{"'': an empty name", "points", "", NULL, 0, 0, {0}},
	{"there is no tensor 0.weight", NULL, NULL, "0.weight", 0, 0, {0}},
	{"there is no tensor 2.bias", NULL, NULL, "2.bias", 0, 0, {0}},
	{"there is no tensor 1.var", NULL, NULL, "1.var", 0, 0, {0}},
	{"0.weight is f32 of 12x5, the net needs f32 of 5x12", NULL, NULL, "0.weight", TNS_F32, 2, {12, 5}},
	{"0.weight is f32 of 60, the net needs f32 of 5x12", NULL, NULL, "0.weight", TNS_F32, 1, {60}},
	{"0.weight is f32 of 5x12x1, the net needs f32 of 5x12", NULL, NULL, "0.weight", TNS_F32, 3, {5, 12, 1}},
	{"0.weight is f32 of 6x12, the net needs f32 of 5x12", NULL, NULL, "0.weight", TNS_F32, 2, {6, 12}},
	{"2.weight is f64 of 4x5, the net needs f32 of 4x5", NULL, NULL, "2.weight", TNS_F64, 2, {4, 5}},
	{"2.weight is i32 of 4x5, the net needs f32 of 4x5", NULL, NULL, "2.weight", TNS_I32, 2, {4, 5}},
	{"1.mean is f32 of 5x1, the net needs f32 of 5", NULL, NULL, "1.mean", TNS_F32, 2, {5, 1}},
	{"1.weight is f32 of , the net needs f32 of 5", NULL, NULL, "1.weight", TNS_F32, 0, {0}},
	/* declared sizes are not trusted */
	{"the net needs 1000003999934 parameters, the stream holds 169 numbers", "net", "fc1000000 fc999986 fc", NULL, 0, 0, {0}},
	{"META net: column 16: layer 2: fc1000000 does not fit its input of 750000x3x4 (CxHxW)", "net", "conv1x1x750000 fc1000000", NULL, 0,
		0, {0}},
	{"META input '65535x65535' is too large", "input", "65535x65535", NULL, 0, 0, {0}},
	{"META input '46341x46341' is too large", "input", "46341x46341", NULL, 0, 0, {0}},
};

static void put_meta(struct tns_writer *w, const struct bad *b, const char *key, const char *value)
{
	if (!b || !b->key || strcmp(b->key, key))
		tns_put_meta(w, key, value);
	else if (b->value)
		tns_put_meta(w, key, b->value);
}

/* A valid model, fc5 bn fc on 4x3 for two points, with b's change. */
static void write_bad(const char *path, const struct bad *b)
{
	static const struct {
		const char *name;
		int ndim;
		uint64_t dim[2];
	} right[] = {{"0.weight", 2, {5, 12}}, {"0.bias", 1, {5}}, {"1.weight", 1, {5}}, {"1.bias", 1, {5}}, {"1.mean", 1, {5}},
		{"1.var", 1, {5}}, {"2.weight", 2, {4, 5}}, {"2.bias", 1, {4}}, {"more", 1, {60}}};
	struct tns_writer *w = tns_create(path);
	put_meta(w, b, "net", "fc5 bn fc");
	put_meta(w, b, "target", "coords");
	put_meta(w, b, "input", "4x3");
	put_meta(w, b, "scale", "pixel 1 0 x 1 0 y 1 0");
	put_meta(w, b, "points", "a,b");
	put_meta(w, b, "mean_face", "a 1 2,b 3 4");
	put_meta(w, b, "asymmetry", "a 0.5 -0.25,b 0.5 0.25");
	put_meta(w, b, "sources", "x,y.csv");
	put_meta(w, b, "source.x", "a 0 -1,b 2.5 0");
	put_meta(w, b, "source.y.csv", "a 0 2");
	static const double zeros[100];
	int id[10];
	for (int pass = 0; pass < 2; pass++)
		for (int i = 0; i < 9; i++) {
			int changed = b && b->tensor && !strcmp(b->tensor, right[i].name);
			if (changed && !b->dtype)
				continue;
			int ndim = changed ? b->ndim : right[i].ndim;
			const uint64_t *dim = changed ? b->dim : right[i].dim;
			if (!pass)
				id[i] = tns_define(w, right[i].name, changed ? b->dtype : TNS_F32, ndim, dim);
			else
				tns_write(w, id[i], zeros, ndim ? dim[0] : 1);
		}
	tns_close(w);
}

static void load(void *arg)
{
#ifndef __SANITIZE_ADDRESS__
	struct rlimit most = {64 << 20, 64 << 20};
	setrlimit(RLIMIT_DATA, &most);
#endif
	model_free(model_load(arg));
}

START_TEST(valid_model)
{
	char *path = xstrdup(at("good"));
	write_bad(path, NULL);
	struct child c = child_run(load, path);
	ck_assert_msg(c.status == 99 && !c.err[0], "%d: %s", c.status, c.err);
	unlink(path), free(path);
}
END_TEST

START_TEST(refusals)
{
	char *path = xstrdup(at("bad"));
	write_bad(path, &bad_models[_i]);
	struct child c = child_run(load, path);
	size_t n = strlen(bad_models[_i].why), len = strlen(c.err);
	ck_assert_msg(c.status == 1, "'%s': exit %d, signal %d: %s", bad_models[_i].why, c.status, c.signal, c.err);
	ck_assert_msg(len > n && c.err[len - 1] == '\n' && !strncmp(c.err + len - 1 - n, bad_models[_i].why, n),
		"'%s' does not end with '%s'", c.err, bad_models[_i].why);
	ck_assert_msg(strchr(c.err, '\n') == c.err + len - 1, "more than a line: %s", c.err);
	unlink(path), free(path);
}
END_TEST

static void new_from_text(void *arg)
{
	model_free(model_new(arg, TARGET_COORDS, 4, 3, 4, "a,b"));
}

/* A bad description from the command line is wrong use (exit 2). */
START_TEST(from_the_user)
{
	struct child c = child_run(new_from_text, "fc5 fcx");
	ck_assert_int_eq(c.status, 2);
	ck_assert_msg(strstr(c.err, "--net: column 5: layer 2: 'fcx' is no layer (write fcN, N from 1 to 1000000") != NULL, "%s", c.err);
	/* model_new takes the text; @FILE was read before */
	c = child_run(new_from_text, "@pipelines/nets/conv.net");
	ck_assert_int_eq(c.status, 2);
	ck_assert_msg(strstr(c.err, "--net: column 1: layer 1: '@pipelines/nets/conv.net' is no layer") != NULL, "%s", c.err);
	c = child_run(new_from_text, "fc5");
	ck_assert_int_eq(c.status, 2);
	ck_assert_msg(strstr(c.err, "--net: column 1: the net ends with 5 values, the target has 4") != NULL, "%s", c.err);
	/* a net that no stream can hold is refused before training */
	c = child_run(new_from_text, "conv1x1x349526 fc");
	ck_assert_int_eq(c.status, 2);
	ck_assert_msg(
		strstr(c.err, "--net: column 16: layer 2: an output has 4194312 weights, a row of a stream holds at most 4194304") != NULL,
		"%s", c.err);
	c = child_run(new_from_text, "conv1x1x349525 fc");
	ck_assert_int_eq(c.status, 99);
}
END_TEST

/* ---- initialization from another model ---- */

static int copied(const char *from, int W, const char *to, struct model **was, struct model **m)
{
	const char *path = at("init");
	*was = model_new(from, TARGET_IMAGE, W, 3, W * 3, "");
	fill(*was);
	model_save(*was, path, NULL, 0, NULL);
	*m = model_new(to, TARGET_COORDS, 4, 3, 4, "a,b");
	for (size_t i = 0; i < (*m)->d.nparam; i++)
		(*m)->param[i] = 77;
	for (size_t i = 0; i < (*m)->d.nstat; i++)
		(*m)->stat[i] = 55;
	struct tns_table *b = tns_load(path);
	int n = model_init_from(&(*m)->d, b, (*m)->param, (*m)->stat);
	tns_unload(b);
	unlink(path);
	return n;
}

START_TEST(init_from)
{
	static const struct {
		const char *from, *to;
		int W, layers;
		size_t same; /* parameters copied: those of the first layers, in order */
	} c[] = {
		{"fc5 sigmoid fc sigmoid", "fc5 sigmoid fc", 4, 1, 65},
		{"fc5 sigmoid fc7 sigmoid fc", "fc5 relu fc7 fc", 4, 2, 65 + 42}, /* layer 3 is an activation in `from`, fc in `to` */
		{"fc5 sigmoid fc7 sigmoid fc", "fc5 relu fc7 relu fc", 4, 2, 65 + 42},
		{"fc5 sigmoid fc", "fc6 sigmoid fc", 4, 0, 0},
		{"fc5 sigmoid fc", "fc5 sigmoid fc", 5, 0, 0}, /* another input size */
		{"fc5 sigmoid fc", "relu fc5 fc", 4, 1, 65},
		{"fc5 sigmoid fc7 sigmoid fc", "dropout0.5 fc5 sigmoid dropout0.5 fc7 fc", 4, 2,
			65 + 42}, /* layers without weights between */
		{"pool1 fc5 sigmoid fc", "fc5 relu fc7 fc", 4, 1, 65},
		{"fc5 sigmoid fc", "conv3x4x5 tanh fc", 4, 1, 65}, /* patches of 4x3, and the same transposed, or otherwise as large */
		{"fc5 sigmoid fc", "conv4x3x5p2 tanh fc", 4, 0, 0},
		{"conv3x4x5 tanh fc", "fc5 sigmoid fc", 4, 1, 65},
		{"conv2x2x3 relu fc", "conv2x2x3 tanh fc", 4, 1, 15},
		{"conv2x2x3 relu fc", "conv2x2x3 tanh fc", 9, 1, 15}, /* a convolution does not depend on the input size */
		{"conv2x2x3 relu fc", "conv2x3x2 tanh fc", 4, 0, 0},  /* as many weights, another shape */
		{"bn fc7 fc", "bn fc7 fc", 4, 2, 2 + 91},
	};
	for (size_t i = 0; i < sizeof c / sizeof *c; i++) {
		struct model *was, *m;
		int n = copied(c[i].from, c[i].W, c[i].to, &was, &m);
		ck_assert_msg(n == c[i].layers, "%s from %s: %d layers, not %d", c[i].to, c[i].from, n, c[i].layers);
		for (size_t k = 0; k < m->d.nparam; k++)
			ck_assert_msg(k < c[i].same ? !memcmp(&m->param[k], &was->param[k], sizeof(real)) : m->param[k] == 77,
				"%s from %s: parameter %zu", c[i].to, c[i].from, k);
		if (m->d.nstat) /* the running statistics of a copied batch norm, too */
			ck_assert(m->d.nstat == was->d.nstat && !memcmp(m->stat, was->stat, m->d.nstat * sizeof *m->stat));
		model_free(was), model_free(m);
	}
}
END_TEST

/* Initial weights: the papers' standard deviations, biases 0, no two layers or seeds alike. */
START_TEST(initial_weights)
{
	/* a bn or pool between a layer and its activation doesn't change the layer's range */
	struct model *m = model_new(
			     "fc400 bn relu fc300 tanh fc200 sigmoid up20 conv5x4x40p2 pool3 tanh fc", TARGET_IMAGE, 20, 20, 400, ""),
		     *other;
	netdesc_init_params(&m->d, 1, m->param, m->stat);
	for (int i = 0; i < m->d.n; i++) {
		const struct layer *l = &m->d.layer[i];
		double sum = 0, square = 0, most = 0;
		for (size_t k = 0; k < l->nw; k++) {
			double v = (double)m->param[l->w + k];
			sum += v, square += v * v, most = fabs(v) > most ? fabs(v) : most;
		}
		for (size_t k = 0; k < l->nb; k++)
			ck_assert(m->param[l->b + k] == 0);
		if (l->kind == LAYER_BN)
			for (int k = 0; k < l->C; k++)
				ck_assert(m->param[l->w + (size_t)k] == 1 && m->stat[l->run + (size_t)k] == 0 &&
					  m->stat[l->run + (size_t)(l->C + k)] == 1);
		if (l->kind != LAYER_DENSE && l->kind != LAYER_CONV)
			continue;
		/* a convolution's fans: inputs to an output position, outputs of an input position */
		double in = l->kind == LAYER_CONV ? 200 * 20 : l->C * l->H * l->W, out = l->kind == LAYER_CONV ? 40 * 20 : l->OC;
		double range = sqrt(6 / (in + out)) * (i == 5 ? 4 : 1);
		double want = i == 0 ? sqrt(2 / in) : range / sqrt(3), n = (double)l->nw;
		ck_assert_msg(fabs(sum / n) < 5 * want / sqrt(n), "layer %d: mean %g", i, sum / n);
		ck_assert_msg(
			fabs(sqrt(square / n) / want - 1) < 0.02, "layer %d: standard deviation %g, not %g", i, sqrt(square / n), want);
		ck_assert_msg(i == 0 ? most > 3.5 * want : most <= range && most > 0.99 * range, "layer %d: largest %g", i, most);
	}
	other = model_new(m->net, TARGET_IMAGE, 20, 20, 400, "");
	netdesc_init_params(&other->d, 1, other->param, other->stat);
	ck_assert(!memcmp(other->param, m->param, m->d.nparam * sizeof(real)));
	netdesc_init_params(&other->d, 2, other->param, other->stat);
	ck_assert(memcmp(other->param, m->param, 1000) != 0);
	ck_assert(memcmp(m->param, m->param + 400, 400 * sizeof(real)) != 0);
	model_free(m), model_free(other);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("model");
	TCase *t = tcase_create("model");
	snprintf(dir, sizeof dir, "%s", getenv("TMP") ? getenv("TMP") : "/tmp");
	static const struct opt none[] = {OPT_END};
	static const struct opt_prog prog = {"check", "", "", 0, 0, none, {NULL}};
	int n;
	opt_parse(&prog, 1, (char *[]){"check", NULL}, &n); /* model_save writes the command line to META history */
	tcase_add_loop_test(t, round_trip, 0, sizeof cases / sizeof *cases);
	tcase_add_loop_test(t, map_scale, 0, sizeof maps / sizeof *maps);
	tcase_add_test(t, as_written);
	tcase_add_test(t, valid_model);
	tcase_add_loop_test(t, refusals, 0, sizeof bad_models / sizeof *bad_models);
	tcase_add_test(t, from_the_user);
	tcase_add_test(t, init_from);
	tcase_add_test(t, initial_weights);
	suite_add_tcase(suite, t);
	SRunner *r = srunner_create(suite);
	srunner_run_all(r, CK_ENV);
	int failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed != 0;
}
