/* What predict adds to a data set and what it drops: maps and where their cells lie, in the data's order of points; outputs of other
 * targets stay; values as bytes of reconstructions. */
#include <math.h>

#include "lib/nn/model.h"
#include "lib/stream/dataset_stream.h"
#include "tests/prog.h"

enum { W = 14, H = 9, N = 3, K = 2 };

static uint8_t images[N][H * W];
static float points[N][K][2];

static void save(const struct model *m, const char *path)
{
	struct tns_writer *w = tns_create(path);
	model_put_meta(m, w);
	model_write(&m->d, w, model_define(&m->d, w, "", 1), m->param, m->stat);
	tns_close(w);
}

/* As model_save, but for the history. */
static void save_trained(const struct model *m, const char *path)
{
	struct tns_writer *w = tns_create(path);
	model_put_meta(m, w);
	int id = model_define(&m->d, w, "", 1), trained = trained_define(m->trained, w);
	model_write(&m->d, w, id, m->param, m->stat);
	trained_write(m->trained, w, trained);
	tns_close(w);
}

/* A model whose map of point p is the image's pixels times p + 1: cells of the unpadded net are at every other pixel, from 2,1 on. */
static struct model *picking(void)
{
	struct model *m = model_new("conv3x5s2", TARGET_HEATMAP, W, H, 2 * K, "left_eye,right_eye");
	for (int p = 0; p < K; p++)
		m->param[p * 15 + 7] = (float)(p + 1);
	m->mul = 0.01f;
	model_set_offset(m, 0.75, -0.25);
	return m;
}

static void write_faces(const char *path)
{
	static const uint32_t id[N] = {9, 4, 6};
	for (int i = 0; i < N; i++)
		for (int k = 0; k < H * W; k++)
			images[i][k] = (uint8_t)(k * 37 + i * 101 + k * k % 11 * 17);
	prog_stream(path, N,
		(struct prog_col[]){{"image", TNS_U8, H, W, images}, {"keypoints", TNS_F32, K, 2, points}, {"id", TNS_U32, 0, 0, id}, {0}},
		(const char *const[]){"points", "right_eye,left_eye", "camera", "old", NULL});
}

START_TEST(maps)
{
	struct model *m = picking();
	ck_assert(m->MW == 5 && m->MH == 4);
	save(m, "heat.tns");
	write_faces("faces.tns");
	prog_went(prog("predict", "-q", "--maps", "heat.tns", "faces.tns", "-o", "maps.tns", NULL));
	struct tns_table *t = tns_load("maps.tns");
	const struct tns *h = tns_table_head(t);
	const float *p = tns_row(t, dataset_stream_require(h, "maps", TNS_F32, 4), 0);
	/* without the labels' offset: heat lies over what the net saw */
	ck_assert_str_eq(tns_meta_value(h, "maps_scale"), "x 0.5 -1 y 0.5 -0.5");
	for (int i = 0; i < N; i++)
		for (int k = 0; k < K; k++) { /* the data's points: the model's second, then its first */
			double e[20], sum = 0;
			for (int c = 0; c < 20; c++)
				sum += e[c] = exp((K - k) * 0.01 * images[i][(2 * (c / 5) + 1) * W + 2 * (c % 5) + 2]);
			for (int c = 0; c < 20; c++)
				ck_assert_double_eq_tol((double)p[(i * K + k) * 20 + c], e[c] / sum, 1e-6);
		}
	tns_unload(t);
	/* predicted again without maps: old maps and where they lay are gone, what is not its own stays */
	prog_went(prog("predict", "-q", "heat.tns", "maps.tns", "-o", "again.tns", NULL));
	h = tns_table_head(t = tns_load("again.tns"));
	ck_assert(tns_find(h, "maps") < 0 && !tns_meta_value(h, "maps_scale"));
	ck_assert_str_eq(tns_meta_value(h, "camera"), "old");
	tns_unload(t);
	/* patches are no maps */
	prog_went(prog("patch-extract", "-q", "--around", "predicted", "--size", "5x3", "maps.tns", "-o", "patches.tns", NULL));
	h = tns_table_head(t = tns_load("patches.tns"));
	ck_assert(!tns_meta_value(h, "maps_scale") && tns_meta_value(h, "camera"));
	tns_unload(t);
	/* a map of the same size whose cells lie elsewhere is not averaged with it */
	struct model *other = picking();
	other->sx = 5.0f / W, other->ox = 0.5f * other->sx - 0.5f;
	save(other, "area.tns");
	prog_refused(prog("predict", "-q", "--maps", "heat.tns", "area.tns", "faces.tns", "-o", "out", NULL), 1,
		"model 2 has no maps like those of model 1");
	model_set_offset(other, 0, 0); /* another offset of labels moves no cells */
	save(other, "other.tns");
	prog_went(prog("predict", "-q", "--maps", "heat.tns", "other.tns", "faces.tns", "-o", "both.tns", NULL));
	/* maps of 7x5 over 14x9 pixels: scales that differ by axis */
	struct model *uneven = model_new("fc", TARGET_HEATMAP, W, H, 2 * K, "left_eye,right_eye");
	double x[2], y[2];
	model_set_offset(uneven, -2, 3);
	save(uneven, "uneven.tns");
	prog_went(prog("predict", "-q", "--maps", "uneven.tns", "faces.tns", "-o", "maps.tns", NULL));
	const char *scale = tns_meta_value(tns_table_head(t = tns_load("maps.tns")), "maps_scale");
	ck_assert_int_eq(sscanf(scale, "x %lf %lf y %lf %lf", &x[0], &x[1], &y[0], &y[1]), 4);
	ck_assert_msg(fabs(x[0] - 0.5) + fabs(x[1] + 0.25) + fabs(y[0] - 5 / 9.0) + fabs(y[1] + 2 / 9.0) < 1e-6, "%s", scale);
	tns_unload(t);
	model_free(m), model_free(other), model_free(uneven);
}
END_TEST

/* A model of labels, and one of images, leave points, their maps and what belongs to them as they are. */
START_TEST(other_targets)
{
	struct model *heat = picking(), *label = model_new("fc", TARGET_LABEL, W, H, 1, "no,yes"),
		     *image = model_new("fc", TARGET_IMAGE, W, H, W * H, "");
	heat->unlearned = malloc(20);
	strcpy(heat->unlearned, "left_eye");
	save(heat, "heat.tns");
	for (int i = 0; i < W * H; i++)
		label->param[i] = i % 2 ? 0.01f : -0.01f;
	for (int i = 0; i < W * H; i++)
		image->param[i * W * H + i] = 2, image->param[W * H * W * H + i] = -0.5f;
	label->param[W * H] = 0.25f, label->mul = 1, image->mul = 1.0f / 255;
	save(label, "label.tns"), save(image, "image.tns");
	write_faces("faces.tns");
	prog_went(prog("predict", "-q", "--maps", "heat.tns", "faces.tns", "-o", "maps.tns", NULL));
	prog_went(prog("predict", "-q", "label.tns", "maps.tns", "-o", "labels.tns", NULL));
	prog_went(prog("predict", "-q", "image.tns", "labels.tns", "-o", "images.tns", NULL));
	struct tns_table *was = tns_load("maps.tns"), *t = tns_load("images.tns");
	const struct tns *h = tns_table_head(t), *before = tns_table_head(was);
	static const char *const metas[] = {"points", "unlearned", "maps_scale", "camera"}, *const kept[] = {"predicted", "confidence",
												    "maps", "id"};
	for (int i = 0; i < 4; i++) {
		ck_assert_msg(tns_meta_value(h, metas[i]) && !strcmp(tns_meta_value(h, metas[i]), tns_meta_value(before, metas[i])), "%s",
			metas[i]);
		int a = tns_find(before, kept[i]), b = tns_find(h, kept[i]);
		ck_assert_msg(b >= 0 && h->def[b].rows == N, "%s", kept[i]);
		ck_assert(!memcmp(tns_row(was, a, 0), tns_row(t, b, 0), N * h->def[b].row_bytes));
	}
	ck_assert_str_eq(tns_meta_value(h, "classes"), "no,yes");
	const float *score = tns_row(t, dataset_stream_require(h, "score", TNS_F32, 1), 0);
	const uint8_t *byte = tns_row(t, dataset_stream_require(h, "reconstruction", TNS_U8, 3), 0);
	for (int i = 0; i < N; i++) {
		double z = 0.25;
		for (int k = 0; k < W * H; k++) {
			double v = fmin(fmax(2.0 * images[i][k] / 255 - 0.5, 0), 1) * 255;
			z += (k % 2 ? 0.01 : -0.01) * images[i][k];
			ck_assert_msg(fabs(byte[i * W * H + k] - v) < 0.51, "image %d, pixel %d: %d, not %g", i, k, byte[i * W * H + k], v);
		}
		ck_assert_double_eq_tol((double)score[i], 1 / (1 + exp(-z)), 1e-5);
	}
	tns_unload(was), tns_unload(t);
	model_free(heat), model_free(label), model_free(image);
}
END_TEST

/* Several models' training images and mean faces; what an earlier prediction says of them is replaced. */
START_TEST(training)
{
	struct model *a = picking(), *b = picking();
	write_faces("faces.tns");
	save(a, "old.tns");
	a->mean = calloc(4, sizeof *a->mean), b->mean = calloc(4, sizeof *b->mean);
	memcpy(a->mean, (const double[]){1, 2, 3, 4}, 32), memcpy(b->mean, (const double[]){5, 8, 0, 0}, 32);
	b->unlearned = malloc(20);
	strcpy(b->unlearned, "right_eye");
	uint64_t *hash[2] = {malloc(sizeof **hash), malloc(sizeof **hash)};
	*hash[0] = trained_hash(images[0], W * H), *hash[1] = trained_hash(images[2], W * H);
	a->trained = trained_new(hash[0], 1, NULL), b->trained = trained_new(hash[1], 1, NULL);
	save_trained(a, "a.tns"), save_trained(b, "b.tns");
	static const struct {
		const char *models[3], *mean;
		int told;
		uint8_t trained[N];
	} cases[] = {{{"old.tns"}, NULL, 0, {0}}, {{"a.tns"}, "left_eye 1 2,right_eye 3 4", 1, {1, 0, 0}},
		{{"b.tns"}, "left_eye 5 8", 1, {0, 0, 1}}, {{"old.tns", "a.tns"}, "left_eye 1 2,right_eye 3 4", 1, {1, 0, 0}},
		{{"a.tns", "b.tns"}, "left_eye 3 5,right_eye 3 4", 1, {1, 0, 1}}, {{"old.tns"}, NULL, 0, {0}}};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		const char *data = i ? "p.tns" : "faces.tns", *one = cases[i].models[0], *two = cases[i].models[1];
		prog_went(two ? prog("predict", "-q", one, two, data, "-o", "q.tns", NULL)
			      : prog("predict", "-q", one, data, "-o", "q.tns", NULL));
		ck_assert(!rename("q.tns", "p.tns"));
		struct tns_table *t = tns_load("p.tns");
		const struct tns *h = tns_table_head(t);
		const char *mean = tns_meta_value(h, "mean_face");
		int id = tns_find(h, "trained");
		ck_assert_msg(!cases[i].mean == !mean, "case %zu: %s", i, mean ? mean : "no mean face");
		if (mean) /* of a point that a model didn't learn it says nothing */
			ck_assert_str_eq(mean, cases[i].mean);
		ck_assert_int_eq(cases[i].told, id >= 0);
		for (uint64_t k = 0; id >= 0 && k < N; k++)
			ck_assert_msg(*(const uint8_t *)tns_row(t, id, k) == cases[i].trained[k], "case %zu, row %d", i, (int)k);
		tns_unload(t);
	}
	/* of patches the mean face says nothing: it counts from a face's corner */
	prog_went(prog("predict", "-q", "a.tns", "faces.tns", "-o", "p.tns", NULL));
	prog_went(prog("patch-extract", "-q", "--around", "predicted", "--size", "5x3", "p.tns", "-o", "patches.tns", NULL));
	struct tns_table *t = tns_load("patches.tns");
	ck_assert(!tns_meta_value(tns_table_head(t), "mean_face") && tns_meta_value(tns_table_head(t), "camera"));
	tns_unload(t);
	model_free(a), model_free(b);
}
END_TEST

int main(void)
{
	prog_begin();
	Suite *s = suite_create("outputs");
	TCase *t = tcase_create("outputs");
	suite_add_tcase(s, t);
	tcase_add_test(t, maps);
	tcase_add_test(t, other_targets);
	tcase_add_test(t, training);
	return prog_end(s);
}
