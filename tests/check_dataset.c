/* Data sets for training: rows kept, rows left out, streams refused; and parts that keep a source's rows together. */
#include <check.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/base/err.h"
#include "lib/stream/names.h"
#include "lib/train/dataset.h"
#include "tests/child.h"

enum { W = 3, H = 2, N = 40 };

/* Contents of a stream of N rows, for a test to change. */
struct set {
	int images, labels, points, sources; /* numbers of rows; -1: no such tensor */
	int image_type, label_type, point_type, source_type, per_point;
	const char *names, *classes;
	uint8_t label[N];
	float point[N][4];
	uint32_t source[N];
};

static struct set valid_set(void)
{
	struct set s = {.images = N,
		.labels = N,
		.points = N,
		.sources = N,
		.image_type = TNS_U8,
		.label_type = TNS_U8,
		.point_type = TNS_F32,
		.source_type = TNS_U32,
		.per_point = 2,
		.names = "a,b"};
	for (int i = 0; i < N; i++) {
		s.label[i] = (uint8_t)(i % 2);
		s.source[i] = 1000 + (uint32_t)i / 4;
		for (int k = 0; k < 4; k++)
			s.point[i][k] = (float)(10 * i + k);
	}
	return s;
}

static char path[100];

static void define(struct tns_writer *w, const char *name, int type, int ndim, int rows, const uint64_t *dim)
{
	if (rows < 0)
		return;
	uint64_t all[4] = {(uint64_t)rows};
	for (int k = 1; k < ndim; k++)
		all[k] = dim[k - 1];
	int id = tns_define(w, name, type, ndim, all);
	ck_assert_int_ge(id, 0);
}

static void write_set(const struct set *s)
{
	static uint8_t image[N][H][W];
	struct tns_writer *w = tns_create(path);
	for (int i = 0; i < N; i++)
		memset(image[i], i, sizeof image[i]);
	if (s->names)
		tns_put_meta(w, "points", s->names);
	if (s->classes)
		tns_put_meta(w, "classes", s->classes);
	define(w, "image", s->image_type, 3, s->images, (uint64_t[]){H, W});
	define(w, "label", s->label_type, 1, s->labels, NULL);
	define(w, "keypoints", s->point_type, 3, s->points, (uint64_t[]){(uint64_t)(4 / s->per_point), (uint64_t)s->per_point});
	define(w, "source", s->source_type, 1, s->sources, NULL);
	int id = 0;
	for (int i = 0; i < s->images; i++) /* a row's bytes are its number */
		tns_write(w, id, image[i], 1);
	id += s->images >= 0;
	if (s->labels > 0)
		tns_write(w, id, s->label, (uint64_t)s->labels);
	id += s->labels >= 0;
	if (s->points > 0)
		tns_write(w, id, s->point, (uint64_t)s->points);
	id += s->points >= 0;
	if (s->sources > 0)
		tns_write(w, id, s->source, (uint64_t)s->sources);
	tns_close(w);
}

START_TEST(coords)
{
	struct set s = valid_set();
	/* a row without labels is left out, also one with half a label; half a label beside another is none */
	for (int k = 0; k < 4; k++)
		s.point[0][k] = s.point[17][k] = s.point[39][k] = NAN;
	s.point[39][2] = 1, s.point[5][1] = NAN;
	write_set(&s);
	s.point[5][0] = NAN;
	struct dataset *ds = dataset_load(path, TARGET_COORDS);
	ck_assert(ds->n == N - 3 && ds->W == W && ds->H == H && ds->k == 4 && ds->values == 4);
	ck_assert_str_eq(ds->names, "a,b");
	for (uint32_t i = 0; i < ds->n; i++) {
		uint32_t was = i + 1 + (i >= 16);
		for (int p = 0; p < W * H; p++)
			ck_assert_uint_eq(dataset_image(ds, i, NULL)[p], was);
		ck_assert(!memcmp(ds->value + 4 * i, s.point[was], sizeof s.point[0]));
		ck_assert_uint_eq(ds->group[i], s.source[was]);
	}
	dataset_free(ds);
}
END_TEST

/* Without META pairs, mirror partners come from the labels: across the image's middle, or none on one side of it. */
START_TEST(pairs_from_labels)
{
	for (int side = 0; side < 2; side++) {
		struct set s = valid_set();
		for (int i = 0; i < N; i++)
			memcpy(s.point[i], side ? (float[4]){0, 0.5f, 0, 1.5f} : (float[4]){0, 0.5f, 2, 0.5f}, sizeof s.point[i]);
		write_set(&s);
		struct dataset *ds = dataset_load(path, TARGET_COORDS);
		ck_assert_str_eq(ds->pairs, side ? "" : "a:b");
		dataset_free(ds);
	}
}
END_TEST

START_TEST(labels)
{
	static const struct {
		uint8_t most;
		const char *classes, *names;
		int outputs;
	} c[] = {{1, NULL, "0,1", 1}, {0, NULL, "0,1", 1}, {3, NULL, "0,1,2,3", 4}, {1, "other,eye", "other,eye", 1},
		{1, "x,y,z", "x,y,z", 3}};
	for (size_t k = 0; k < sizeof c / sizeof *c; k++) { /* no sources, of other rows, no numbers: each row is its own */
		struct set s = valid_set();
		for (int i = 0; i < N; i++)
			s.label[i] = (uint8_t)(i % (c[k].most + 1));
		s.classes = c[k].classes, s.sources = k % 3 == 2 ? N : k % 3 ? N - 1 : -1, s.source_type = k % 3 == 2 ? TNS_F32 : TNS_U32;
		write_set(&s);
		struct dataset *ds = dataset_load(path, TARGET_LABEL);
		ck_assert(ds->n == N && ds->k == 1);
		ck_assert_str_eq(ds->names, c[k].names);
		ck_assert_int_eq(ds->values, c[k].outputs);
		for (uint32_t i = 0; i < N; i++)
			ck_assert(ds->value[i] == (float)s.label[i] && ds->group[i] == i);
		dataset_free(ds);
	}
	struct set s = valid_set();
	write_set(&s);
	struct dataset *ds = dataset_load_patches(NULL, path, "positive");
	ck_assert_uint_eq(ds->n, N / 2);
	for (uint32_t i = 0; i < ds->n; i++)
		ck_assert(dataset_image(ds, i, NULL)[0] == 2 * i + 1 && dataset_image(ds, i, NULL)[5] == 2 * i + 1 && ds->value[i] == 1);
	dataset_free(ds);
	ds = dataset_load_patches(NULL, path, "all");
	ck_assert(ds->n == N && ds->k == 0 && ds->values == W * H && !*ds->names);
	dataset_free(ds);
}
END_TEST

static void load_coords(void *arg)
{
	(void)arg;
	dataset_free(dataset_load(path, TARGET_COORDS));
}

static void load_label(void *arg)
{
	(void)arg;
	dataset_free(dataset_load(path, TARGET_LABEL));
}

static void load_positive(void *arg)
{
	(void)arg;
	dataset_load_patches(NULL, path, "positive");
}

static void refused(const struct set *s, void (*load)(void *), const char *why)
{
	char want[300];
	write_set(s);
	struct child c = child_run(load, NULL);
	snprintf(want, sizeof want, "%s: %s\n", path, why);
	ck_assert_msg(c.status == 1 && strstr(c.err, want), "'%s': exit %d: %s", why, c.status, c.err);
}

START_TEST(refusals)
{
	struct set s = valid_set();
	s.images = -1;
	refused(&s, load_coords, "there is no tensor image (there are label, keypoints, source)");
	s = valid_set(), s.points = -1;
	refused(&s, load_coords, "there is no tensor keypoints (there are image, label, source); it has labels (cnn-train --target label)");
	s = valid_set(), s.labels = -1;
	refused(&s, load_label,
		"there is no tensor label (there are image, keypoints, source); patches have it, which patch-extract cuts out");
	s = valid_set(), s.image_type = TNS_I8;
	refused(&s, load_coords, "image is i8 with 3 dimensions, not u8 with 3");
	s = valid_set(), s.label_type = TNS_I8;
	refused(&s, load_label, "label is i8 with 1 dimensions, not u8 with 1");
	s = valid_set(), s.point_type = TNS_I32;
	refused(&s, load_coords, "keypoints is i32 with 3 dimensions, not f32 with 3");
	s = valid_set(), s.per_point = 4;
	refused(&s, load_coords, "keypoints has 4 values a point, not 2");
	s = valid_set(), s.points = N - 1;
	refused(&s, load_coords, "image has 40 rows, keypoints has 39");
	s = valid_set(), s.labels = 0;
	refused(&s, load_label, "image has 40 rows, label has 0");
	s = valid_set(), s.images = 0;
	refused(&s, load_label, "there are no rows");
	s = valid_set(), s.names = NULL;
	refused(&s, load_coords, "there is no META points, the names of its points (tns-convert --help: how arrays have it)");
	s = valid_set(), s.names = "a,b,c";
	refused(&s, load_coords, "META points names 3, but there are 2");
	s = valid_set(), s.classes = "x,y", s.label[6] = 2;
	refused(&s, load_label, "row 7: label 2, but there are 2 classes");
	s = valid_set(), s.classes = "x", memset(s.label, 0, sizeof s.label);
	refused(&s, load_label, "row 1: label 0, but there are 1 classes");
	s = valid_set(), s.point[8][3] = INFINITY;
	refused(&s, load_coords, "row 9: keypoints holds inf");
	s = valid_set(), memset(s.label, 0, sizeof s.label);
	refused(&s, load_positive, "no label is positive");
	s = valid_set();
	for (int i = 0; i < N * 4; i++)
		s.point[i / 4][i % 4] = NAN;
	refused(&s, load_coords, "no row has a label");
}
END_TEST

/* Points and classes are brought into another set's order, by name. */
START_TEST(matched)
{
	struct set s = valid_set();
	write_set(&s);
	s.names = "b,a";
	struct dataset *like = dataset_load(path, TARGET_COORDS);
	write_set(&s);
	struct dataset *ds = dataset_load(path, TARGET_COORDS);
	dataset_match(ds, like);
	ck_assert_str_eq(ds->names, "a,b");
	for (uint32_t i = 0; i < N; i++)
		for (int v = 0; v < 4; v++)
			ck_assert(ds->value[4 * i + (uint32_t)v] == s.point[i][(v + 2) % 4]);
	dataset_free(ds), dataset_free(like);
	for (int i = 0; i < N; i++)
		s.label[i] = (uint8_t)(i % 3);
	s.classes = "z,x,y";
	write_set(&s);
	like = dataset_load(path, TARGET_LABEL);
	s.classes = "x,y,z";
	write_set(&s);
	ds = dataset_load(path, TARGET_LABEL);
	dataset_match(ds, like);
	ck_assert_str_eq(ds->names, "z,x,y");
	for (uint32_t i = 0; i < N; i++)
		ck_assert(ds->value[i] == (float)((i + 1) % 3)); /* x, y, z are 1, 2, 0 there */
	dataset_free(ds), dataset_free(like);
}
END_TEST

/* Each row is in one part, in order; rows of one source in the same part; the held-out share is met on average over seeds. */
START_TEST(parts)
{
	struct set s = valid_set();
	write_set(&s);
	struct dataset *ds = dataset_load(path, TARGET_COORDS);
	double held = 0;
	int differ = 0;
	for (uint64_t seed = 0; seed < 200; seed++) {
		struct dataset *p[2] = {dataset_part(ds, 0.3, seed, 0), dataset_part(ds, 0.3, seed, 1)};
		uint32_t at[2] = {0, 0};
		ck_assert_uint_eq(p[0]->n + p[1]->n, N);
		for (uint32_t i = 0; i < N; i++) {
			int part = at[1] < p[1]->n && dataset_image(p[1], at[1], NULL)[0] == i;
			const struct dataset *q = p[part];
			uint32_t k = at[part]++;
			ck_assert(k < q->n && dataset_image(q, k, NULL)[0] == i && dataset_image(q, k, NULL)[5] == i &&
				  q->group[k] == ds->group[i]);
			ck_assert(!memcmp(q->value + 4 * k, ds->value + 4 * i, 16));
			if (i % 4) /* four rows to a source */
				ck_assert_int_eq(part, differ);
			differ = part;
		}
		ck_assert(p[1]->n % 4 == 0 && p[0]->W == W && p[0]->k == 4 && p[0]->values == 4 && !strcmp(p[0]->names, "a,b"));
		held += p[1]->n;
		dataset_free(p[0]), dataset_free(p[1]);
	}
	ck_assert_msg(fabs(held / 200 / N - 0.3) < 0.04, "%g are held out", held / 200 / N);
	struct dataset *none = dataset_part(ds, 0, 1, 1), *all = dataset_part(ds, 1, 1, 1);
	ck_assert(none->n == 0 && all->n == N);
	dataset_free(none), dataset_free(all), dataset_free(ds);
}
END_TEST

static int from(const struct dataset *ds, uint32_t i, const char *name)
{
	int n;
	char **names = names_split(ds->source.names, &n);
	int at = names_index(names, name);
	names_free(names);
	return ds->from[i] == at;
}

/* Sources of labels by a tensor's values, in order; those of rows that stay. Parts keep them; a held-out set has the training set's
 * numbers. */
START_TEST(sources_by_tensor)
{
	struct set s = valid_set();
	char want[20];
	for (int k = 0; k < 4; k++)
		s.point[0][k] = s.point[17][k] = NAN;
	for (int i = 0; i < N; i++)
		s.source[i] = 9 + 13 * (uint32_t)(i % 3 == 1 ? 2 : i % 3 == 2);
	write_set(&s);
	struct dataset *ds = dataset_load_by(NULL, path, TARGET_COORDS, "source");
	ck_assert_str_eq(ds->source.names, "9,22,35");
	for (uint32_t i = 0; i < ds->n; i++) {
		snprintf(want, sizeof want, "%u", s.source[i + 1 + (i >= 16)]);
		ck_assert(from(ds, i, want));
	}
	uint32_t rows = 0;
	for (uint64_t seed = 1; seed < 9; seed++) {
		struct dataset *part = dataset_part(ds, 0.5, seed, 1);
		ck_assert_str_eq(part->source.names, ds->source.names);
		for (uint32_t i = 0; i < part->n; i++)
			ck_assert_int_eq(part->from[i], part->group[i] == 9 ? 0 : part->group[i] == 22 ? 1 : 2);
		rows += part->n;
		dataset_free(part);
	}
	ck_assert(rows > 0 && rows < 8 * ds->n);
	for (int i = 0; i < N; i++)
		s.source[i] = i % 2 ? 22 : 7;
	write_set(&s);
	struct dataset *train, *valid;
	dataset_hold_out(ds, path, 0, 1, TARGET_COORDS, &train, &valid);
	for (uint32_t i = 0; i < valid->n; i++)
		ck_assert_int_eq(valid->from[i], valid->group[i] == 22 ? 1 : -1);
	dataset_free(valid), dataset_free(ds);
}
END_TEST

/* By the points that a row has: 20 rows with both, 16 with the second alone, and 3 with the first, which are no tenth: they differ from
 * those with both in one point. */
START_TEST(sources_by_points)
{
	struct set s = valid_set();
	for (int i = 0; i < N; i++) {
		if (i >= 20)
			s.point[i][i < 23 ? 2 : 0] = s.point[i][i < 23 ? 3 : 1] = NAN;
		if (i == 39)
			s.point[i][2] = s.point[i][3] = NAN;
	}
	write_set(&s);
	struct dataset *ds = dataset_load_by(NULL, path, TARGET_COORDS, "missing");
	ck_assert_uint_eq(ds->n, N - 1);
	ck_assert_str_eq(ds->source.names, "2points,1points");
	for (uint32_t i = 0; i < ds->n; i++)
		ck_assert_int_eq(ds->from[i], i >= 23);
	for (int i = 0; i < N; i++)
		s.point[i][2 * (i % 2)] = s.point[i][2 * (i % 2) + 1] = NAN; /* from 20 on some have none */
	write_set(&s);
	struct dataset *train, *valid;
	dataset_hold_out(ds, path, 0, 1, TARGET_COORDS, &train, &valid);
	for (uint32_t i = 0; i < valid->n; i++)
		ck_assert_int_eq(valid->from[i], isnan(valid->value[4 * i]));
	dataset_free(valid), dataset_free(ds);
}
END_TEST

static const char *by;

static void load_sources(void *arg)
{
	(void)arg;
	dataset_free(dataset_load_by(NULL, path, TARGET_COORDS, by));
}

START_TEST(sources_refused)
{
	struct set s = valid_set();
	by = "sauce";
	refused(&s, load_sources, "there is no tensor sauce (did you mean source?)");
	by = "keypoints";
	refused(&s, load_sources, "keypoints is not one whole number or text a row");
	by = "missing";
	refused(&s, load_sources,
		"--sources missing: 1 sets of labelled points have a tenth of the rows or more, so there are no two sources");
	by = "source", memset(s.source, 0, sizeof s.source);
	refused(&s, load_sources, "--sources source: all rows have the value 0, so there are no two sources");
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("dataset");
	TCase *t = tcase_create("dataset");
	snprintf(path, sizeof path, "%s/rows.%d.tns", getenv("TMP") ? getenv("TMP") : "/tmp", (int)getpid());
	tcase_add_test(t, coords);
	tcase_add_test(t, pairs_from_labels);
	tcase_add_test(t, labels);
	tcase_add_test(t, refusals);
	tcase_add_test(t, matched);
	tcase_add_test(t, parts);
	tcase_add_test(t, sources_by_tensor);
	tcase_add_test(t, sources_by_points);
	tcase_add_test(t, sources_refused);
	suite_add_tcase(suite, t);
	SRunner *r = srunner_create(suite);
	srunner_run_all(r, CK_ENV);
	int failed = srunner_ntests_failed(r);
	srunner_free(r);
	unlink(path);
	return failed != 0;
}
