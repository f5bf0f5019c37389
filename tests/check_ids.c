/* Streams in which no row's id is its number: what names a row by its id must not look it up by its place. */
#include <math.h>

#include "lib/base/err.h"
#include "lib/base/philox.h"
#include "lib/stream/dataset_stream.h"
#include "tests/prog.h"

enum { W = 14, H = 10, N = 40, K = 2, PLANTED = 27 };

static uint32_t id[N], other[N];
static uint8_t images[N][H * W];
static float points[N][K][2];
static const char *const names[] = {"points", "left_eye,right_eye", NULL};

/* Ids are numbers of other rows, in an order that no sorting gives; images and points depend on the row. */
static void fill(void)
{
	for (uint32_t i = 0; i < N; i++) {
		id[i] = (i * 11 + 5) % N + 1;
		other[i] = i / 4;
		if (id[i] == i || id[i] == i + 1) /* so are all rows' ids */
			id[i] += N;
		for (uint32_t k = 0; k < H * W; k++)
			images[i][k] = (uint8_t)philox(29, PHILOX_TEST, i, k, 0).v[0];
		for (uint32_t k = 0; k < K; k++)
			points[i][k][0] = 3 + 7 * (float)k + 0.05f * (float)i, points[i][k][1] = 4 + 0.02f * (float)i;
	}
}

static const char *faces(const char *path)
{
	return prog_stream(path, N,
		(struct prog_col[]){{"image", TNS_U8, H, W, images}, {"keypoints", TNS_F32, K, 2, points}, {"id", TNS_U32, 0, 0, id},
			{"group", TNS_U32, 0, 0, other}, {0}},
		names);
}

static void write_csv(const char *path)
{
	FILE *f = fopen(path, "w");
	fprintf(f, "ImageId,left_eye_x,left_eye_y,right_eye_x,right_eye_y,Image\n");
	for (int i = 0; i < N; i++) {
		fprintf(f, "%u,%g,%g,%g,%g,", id[i], (double)points[i][0][0], (double)points[i][0][1], (double)points[i][1][0],
			(double)points[i][1][1]);
		for (int k = 0; k < H * W; k++)
			fprintf(f, "%s%d", k ? " " : "", images[i][k]);
		fprintf(f, "\n");
	}
	fclose(f);
}

/* csv-clean --blank doubts.tsv faces.csv blanks these labels and keeps the ids. */
static void check_cleaned(int blank[N][K])
{
	prog_went(prog("csv-clean", "-q", "--size", "14x10", "--force", "--blank", "doubts.tsv", "--report", "report.tsv", "faces.csv",
		"-o", "clean.tns", NULL));
	struct tns_table *t = tns_load("clean.tns");
	const struct tns *h = tns_table_head(t);
	int ids = tns_find(h, "id"), keypoints = tns_find(h, "keypoints");
	ck_assert_uint_eq(h->def[ids].rows, N);
	for (uint64_t i = 0; i < N; i++) {
		const float *xy = tns_row(t, keypoints, i);
		ck_assert_uint_eq(*(const uint32_t *)tns_row(t, ids, i), id[i]);
		for (int k = 0; k < K; k++)
			ck_assert_msg(
				isnan(xy[2 * k]) == blank[i][k], "row %d, id %u: point %d is %g", (int)i, id[i], k, (double)xy[2 * k]);
	}
	tns_unload(t);
}

/* A label that is far off is listed by its row's id, and csv-clean blanks it in the row of that id. */
START_TEST(suspects)
{
	float kept = points[PLANTED][1][0];
	for (int i = 0; i < N; i++) /* nothing by which a net could tell this row from its neighbours */
		memset(images[i], 20 + 4 * i, sizeof images[i]);
	points[PLANTED][1][0] = 2; /* 9 pixels off */
	faces("planted.tns");
	points[PLANTED][1][0] = kept;
	prog_went(prog("cnn-train", "-q", "-n", "fc", "-e", "60", "-r", "0.003", "--optimizer", "adam", "--distrust", "6", "--suspects",
		"doubts.tsv", "planted.tns", "-o", "m.tns", NULL));
	FILE *f = fopen("doubts.tsv", "r");
	unsigned row;
	char name[30], line[200];
	int found = 0, lines = 0, blank[N][K] = {{0}};
	while (f && fgets(line, sizeof line, f))
		if (sscanf(line, "%u %29s suspect", &row, name) == 2)
			lines++, found += row == id[PLANTED] && !strcmp(name, "right_eye");
	fclose(f);
	ck_assert_msg(found == 1 && lines == 1, "%d lines, %d of id %u", lines, found, id[PLANTED]);
	blank[PLANTED][1] = 1;
	write_csv("faces.csv");
	check_cleaned(blank);
}
END_TEST

/* Several suspects, listed in no order. */
START_TEST(listed)
{
	static const uint32_t row[] = {30, 4, 17, 4, 29};
	static const int point[] = {1, 0, 1, 1, 0};
	int blank[N][K] = {{0}};
	write_csv("faces.csv");
	FILE *f = fopen("doubts.tsv", "w");
	fprintf(f, "row\tname\tkind\tvalue\taction\n");
	for (int i = 0; i < 5; i++) {
		fprintf(f, "%u\t%s\tfar\t1\tnone\n", id[10 + i], "left_eye"); /* another kind */
		fprintf(f, "%u\t%s\tsuspect\t%d\tnone\n", id[row[i]], point[i] ? "right_eye" : "left_eye", 10 + i);
		blank[row[i]][point[i]] = 1;
	}
	fclose(f);
	check_cleaned(blank);
	char line[200], name[30];
	unsigned number;
	int value, told = 0;
	f = fopen("report.tsv", "r");
	while (f && fgets(line, sizeof line, f))
		if (sscanf(line, "%u %29s suspect %d blanked", &number, name, &value) == 3) { /* its value is the list's */
			ck_assert(value >= 10 && value < 15 && number == row[value - 10] + 1);
			ck_assert_str_eq(name, point[value - 10] ? "right_eye" : "left_eye");
			told++;
		}
	fclose(f);
	ck_assert_int_eq(told, 5);
}
END_TEST

/* Groups by a list of ids, which names the rows' numbers too, otherwise: the parts are those of the same groups as a tensor. */
START_TEST(groups)
{
	FILE *f = fopen("groups.csv", "w");
	int listed[3 * N] = {0};
	fprintf(f, "group,id\n");
	for (int i = N - 1; i >= 0; i--)
		fprintf(f, "%u,%u\n", other[i], id[i]), listed[id[i]] = 1;
	for (int i = 0; i <= N; i++)
		if (!listed[i])
			fprintf(f, "%d,%d\n", 100 + i, i);
	fclose(f);
	faces("faces.tns");
	prog_went(prog("tns-split", "-q", "--groups", "groups.csv", "--parts", "0.5,0.5", "faces.tns", "-o", "a", "-o", "b", NULL));
	prog_went(prog("tns-split", "-q", "--by", "group", "--parts", "0.5,0.5", "faces.tns", "-o", "c", "-o", "d", NULL));
	for (int part = 0; part < 2; part++) {
		struct tns_table *t = tns_load(part ? "b" : "a"), *u = tns_load(part ? "d" : "c");
		int ids = tns_find(tns_table_head(t), "id");
		uint64_t n = tns_table_head(t)->def[ids].rows;
		ck_assert(n > 8 && n == tns_table_head(u)->def[ids].rows);
		for (uint64_t i = 0; i < n; i++)
			ck_assert_uint_eq(*(const uint32_t *)tns_row(t, ids, i), *(const uint32_t *)tns_row(u, ids, i));
		tns_unload(t), tns_unload(u);
	}
}
END_TEST

/* A truth in another order is met by id: the error of each row is its own. */
START_TEST(truth)
{
	static float predicted[N][K][2], turned[N][K][2];
	static uint32_t turned_id[N];
	double sum = 0;
	for (int i = 0; i < N; i++) {
		int to = (i * 7 + 3) % N;
		turned_id[to] = id[i];
		memcpy(turned[to], points[i], sizeof turned[to]);
		for (int k = 0; k < K; k++) {
			predicted[i][k][0] = points[i][k][0] + 0.1f * (float)i, predicted[i][k][1] = points[i][k][1] - 0.5f;
			sum += pow((double)(predicted[i][k][0] - points[i][k][0]), 2) +
			       pow((double)(predicted[i][k][1] - points[i][k][1]), 2);
		}
	}
	prog_stream(
		"turned.tns", N, (struct prog_col[]){{"keypoints", TNS_F32, K, 2, turned}, {"id", TNS_U32, 0, 0, turned_id}, {0}}, names);
	prog_stream("p.tns", N, (struct prog_col[]){{"id", TNS_U32, 0, 0, id}, {"predicted", TNS_F32, K, 2, predicted}, {0}}, names);
	struct child c = prog("score", "--truth", "turned.tns", "p.tns", NULL);
	double rmse = 0;
	prog_went(c);
	ck_assert_int_eq(sscanf(c.out, "rmse_px %lf", &rmse), 1);
	ck_assert_double_eq_tol(rmse, sqrt(sum / (N * K * 2)), 1e-4);
}
END_TEST

/* Answers by image and point, whatever the order of the table and of the predictions. */
START_TEST(answers)
{
	faces("faces.tns");
	prog_stream("p.tns", N,
		(struct prog_col[]){{"image", TNS_U8, H, W, images}, {"id", TNS_U32, 0, 0, id}, {"predicted", TNS_F32, K, 2, points}, {0}},
		names);
	FILE *f = fopen("lookup.csv", "w");
	fprintf(f, "RowId,ImageId,FeatureName\n");
	for (uint32_t i = 0; i < 60; i++)
		fprintf(f, "%u,%u,%s_%c\n", 900 - i, id[(i * 13 + 8) % N], i % 2 ? "right_eye" : "left_eye", i % 3 ? 'y' : 'x');
	fclose(f);
	struct child c = prog("submit", "-q", "--lookup", "lookup.csv", "p.tns", NULL);
	prog_went(c);
	char *line = strchr(c.out, '\n');
	for (uint32_t i = 0; i < 60; i++, line = strchr(line + 1, '\n')) {
		unsigned row;
		double v;
		ck_assert_int_eq(sscanf(line, "\n%u,%lf", &row, &v), 2);
		ck_assert_uint_eq(row, 900 - i);
		ck_assert_double_eq_tol(v, (double)points[(i * 13 + 8) % N][i % 2][i % 3 ? 1 : 0], 1e-4);
	}
}
END_TEST

/* A patch's source is its face's id. */
START_TEST(sources)
{
	faces("faces.tns");
	prog_went(prog("patch-extract", "-q", "--around", "left_eye", "--size", "3x5", "faces.tns", "-o", "p.tns", NULL));
	struct tns_table *t = tns_load("p.tns");
	int source = tns_find(tns_table_head(t), "source"), image = tns_find(tns_table_head(t), "image");
	ck_assert_uint_eq(tns_table_head(t)->def[source].rows, N);
	for (uint32_t i = 0; i < N; i++) {
		int x0 = (int)floor(points[i][0][0] - 0.5), y0 = (int)floor(points[i][0][1] - 1.5);
		const uint8_t *p = tns_row(t, image, i);
		ck_assert_uint_eq(*(const uint32_t *)tns_row(t, source, i), id[i]);
		for (int k = 0; k < 15; k++)
			ck_assert_uint_eq(p[k], images[i][(y0 + k / 3) * W + x0 + k % 3]);
	}
	tns_unload(t);
}
END_TEST

int main(void)
{
	prog_begin();
	fill();
	Suite *s = suite_create("ids");
	TCase *t = tcase_create("ids");
	suite_add_tcase(s, t);
	tcase_add_test(t, suspects);
	tcase_add_test(t, listed);
	tcase_add_test(t, groups);
	tcase_add_test(t, truth);
	tcase_add_test(t, answers);
	tcase_add_test(t, sources);
	return prog_end(s);
}
