/* Scores against cases computed by hand, AUC against counting all pairs; the program's results and refusals. */
#include <math.h>

#include "lib/base/err.h"
#include "lib/base/philox.h"
#include "lib/predict/score.h"
#include "tests/prog.h"

#define NEAR(a, b) ck_assert_double_eq_tol(a, b, 1e-9)

static char *two[] = {"left_eye_center", "right_eye_center", NULL}, *three[] = {"left_eye_center", "right_eye_center", "nose_tip", NULL};

/* Errors of 3 and 4 in a labelled point, of 1 in a half-labelled one; a row without labels counts for nothing. */
START_TEST(by_hand)
{
	struct score_points s;
	static const float truth[3][6] = {{10, 10, 20, 10, 15, 20}, {NAN, NAN, 20, NAN, NAN, NAN}, {NAN, NAN, NAN, NAN, NAN, NAN}};
	static const float predicted[3][6] = {{13, 14, 20, 10, 15, 22}, {0, 0, 21, 50, 9, 9}, {1, 2, 3, 4, 5, 6}};
	score_points_begin(&s, three, 3);
	for (int i = 0; i < 3; i++)
		ck_assert_int_eq(score_points_add(&s, truth[i], predicted[i]), -1);
	struct score_sum all = score_points_all(&s);
	ck_assert_uint_eq(s.rows, 3);
	ck_assert_uint_eq(all.coords, 7);
	ck_assert_uint_eq(all.points, 3);
	NEAR(score_rmse(&all), sqrt((9 + 16 + 0 + 0 + 0 + 4 + 1) / 7.0));
	NEAR(score_mean(&all), (5 + 0 + 2) / 3.0);
	NEAR(score_rmse_point(&all), sqrt((25 + 0 + 4) / 3.0));
	NEAR(score_within(&all, 0), 1 / 3.0); /* 1 px */
	NEAR(score_within(&all, 1), 2 / 3.0); /* 2 px: the limit itself counts */
	NEAR(score_within(&all, 2), 2 / 3.0); /* 3 px */
	NEAR(score_within(&all, 3), 1.0);     /* 5 px: 3, 4, 5 */
	NEAR(score_normalised(&s), (0.5 + 0 + 0.2) / 3);
	NEAR(score_rmse(&s.point[0]), sqrt(25 / 2.0));
	NEAR(score_rmse(&s.point[1]), sqrt(1 / 3.0));
	ck_assert_uint_eq(s.point[1].coords, 3);
	ck_assert_uint_eq(s.point[1].points, 1);
	NEAR(score_rmse(&s.point[2]), sqrt(4 / 2.0));
	score_points_end(&s);
}
END_TEST

START_TEST(nothing_labelled)
{
	struct score_points s;
	static const float nan[4] = {NAN, NAN, NAN, NAN}, p[4] = {1, 2, 3, 4};
	score_points_begin(&s, two, 2);
	ck_assert_int_eq(score_points_add(&s, nan, p), -1);
	struct score_sum all = score_points_all(&s);
	ck_assert_uint_eq(all.coords, 0);
	ck_assert(isnan(score_rmse(&all)) && isnan(score_mean(&all)) && isnan(score_rmse_point(&all)) && isnan(score_within(&all, 3)) &&
		  isnan(score_normalised(&s)));
	score_points_end(&s);
}
END_TEST

/* A prediction with a NaN or infinity is refused, in unlabelled coordinates too. */
START_TEST(no_number)
{
	struct score_points s;
	static const float truth[4] = {1, 1, NAN, NAN};
	static const float bad[3] = {NAN, INFINITY, -INFINITY};
	score_points_begin(&s, two, 2);
	for (int at = 0; at < 4; at++)
		for (int k = 0; k < 3; k++) {
			float p[4] = {1, 2, 3, 4};
			p[at] = bad[k];
			ck_assert_int_eq(score_points_add(&s, truth, p), at);
		}
	ck_assert_uint_eq(s.rows, 0);
	ck_assert_uint_eq(score_points_all(&s).coords, 0);
	score_points_end(&s);
}
END_TEST

/* Normalised by the labelled distance of the eyes; not where an eye is unlabelled, both coincide, or there are no eyes. */
START_TEST(normalised)
{
	struct score_points s;
	static char *others[] = {"a", "b", NULL};
	static const float apart[4] = {0, 0, 3, 4}, same[4] = {5, 5, 5, 5}, half[4] = {0, 0, 3, NAN}, p[4] = {0, 1, 3, 4};
	score_points_begin(&s, two, 2);
	score_points_add(&s, same, p);
	score_points_add(&s, half, p);
	ck_assert(isnan(score_normalised(&s)));
	score_points_add(&s, apart, p);
	NEAR(score_normalised(&s), (0.2 + 0) / 2);
	score_points_end(&s);
	score_points_begin(&s, others, 2);
	score_points_add(&s, apart, p);
	ck_assert(isnan(score_normalised(&s)));
	score_points_end(&s);
}
END_TEST

START_TEST(classification)
{
	struct score_labels s;
	static const float one[] = {0.5f, 0.49999f, 1, 0};
	static const int label[] = {1, 1, 1, 1};
	score_labels_begin(&s, 2);
	for (int i = 0; i < 4; i++)
		ck_assert_int_eq(score_labels_add(&s, label[i], &one[i], 1), -1);
	ck_assert_uint_eq(s.confusion[3], 2); /* 0.5 is class 1 */
	ck_assert_uint_eq(s.confusion[2], 2);
	ck_assert_uint_eq(s.wrong, 2);
	NEAR(score_error(&s), 0.5);
	ck_assert(isnan(score_auc(&s))); /* one class only */
	score_labels_end(&s);
	/* several classes: the argmax, the first of equal values */
	static const float row[5][3] = {{0, 0, 0}, {0, 1, 1}, {-3, -2, -1}, {0.2f, 0.3f, 0.5f}, {9, 1, 9}};
	static const int truth[5] = {0, 2, 2, 1, 0}, predicted_class[5] = {0, 1, 2, 2, 0};
	uint64_t want[9] = {0};
	score_labels_begin(&s, 3);
	ck_assert(isnan(score_error(&s)));
	for (int i = 0; i < 5; i++) {
		ck_assert_int_eq(score_labels_add(&s, truth[i], row[i], 3), -1);
		want[truth[i] * 3 + predicted_class[i]]++;
	}
	ck_assert_mem_eq(s.confusion, want, sizeof want);
	NEAR(score_error(&s), 2 / 5.0);
	ck_assert(isnan(score_auc(&s)));
	ck_assert_int_eq(score_labels_add(&s, 0, (const float[]){1, NAN, 2}, 3), 1);
	ck_assert_int_eq(score_labels_add(&s, 0, (const float[]){1, 0, INFINITY}, 3), 2);
	ck_assert_uint_eq(s.rows, 5);
	score_labels_end(&s);
}
END_TEST

START_TEST(auc_by_hand)
{
	static const struct {
		int n, label[6];
		float score[6];
		double auc;
	} cases[] = {
		{2, {0, 1}, {0.1f, 0.9f}, 1},
		{2, {0, 1}, {0.9f, 0.1f}, 0},
		{2, {0, 1}, {0.5f, 0.5f}, 0.5},
		{4, {0, 0, 1, 1}, {0.1f, 0.4f, 0.35f, 0.8f}, 0.75},
		{4, {0, 1, 1, 1}, {0.3f, 0.3f, 0.3f, 0.9f}, (0.5 + 0.5 + 1) / 3},
		{6, {1, 1, 0, 0, 0, 1}, {0.7f, 0.7f, 0.7f, 0.2f, 0.9f, 0.1f}, (0.5 + 1 + 0 + 0.5 + 1 + 0 + 0 + 0 + 0) / 9},
	};
	for (size_t k = 0; k < sizeof cases / sizeof *cases; k++) {
		struct score_labels s;
		score_labels_begin(&s, 2);
		for (int i = 0; i < cases[k].n; i++)
			score_labels_add(&s, cases[k].label[i], &cases[k].score[i], 1);
		NEAR(score_auc(&s), cases[k].auc);
		NEAR(score_auc(&s), cases[k].auc); /* repeats */
		score_labels_end(&s);
	}
}
END_TEST

/* Against all pairs, with many ties; two columns are ranked by their difference. */
START_TEST(auc_by_pairs)
{
	enum { N = 3000 };
	static float score[N][2];
	static int label[N];
	struct score_labels one, both;
	double right = 0, pairs = 0;
	score_labels_begin(&one, 2), score_labels_begin(&both, 2);
	for (int i = 0; i < N; i++) {
		struct philox r = philox(5, PHILOX_TEST, 0, (uint32_t)i, (uint32_t)_i);
		label[i] = r.v[0] % 3 == 0;
		score[i][1] = (float)(philox_below(r.v[1], _i ? 1u << 20 : 20) + (unsigned)label[i] * 2);
		score[i][0] = -score[i][1];
		score_labels_add(&one, label[i], &score[i][1], 1);
		score_labels_add(&both, label[i], score[i], 2);
	}
	for (int i = 0; i < N; i++)
		for (int k = 0; k < N; k++)
			if (label[i] && !label[k]) {
				pairs++;
				right += score[i][1] > score[k][1] ? 1 : score[i][1] == score[k][1] ? 0.5 : 0;
			}
	NEAR(score_auc(&one), right / pairs);
	NEAR(score_auc(&both), right / pairs);
	score_labels_end(&one), score_labels_end(&both);
}
END_TEST

/* ---- the program ---- */

#define FLOATS(...)                                                                                                                        \
	(const float[])                                                                                                                    \
	{                                                                                                                                  \
		__VA_ARGS__                                                                                                                \
	}
static const char *const points2[] = {"points", "left_eye_center,nose_tip", NULL};
static const uint8_t labels4[4] = {0, 1, 1, 0};
static const uint32_t ids[4] = {7, 3, 9, 1};

static const char *points_file(const char *path, uint64_t rows, const float *truth, const float *predicted)
{
	return prog_stream(path, rows,
		(struct prog_col[]){
			{"id", TNS_U32, 0, 0, ids}, {"keypoints", TNS_F32, 2, 2, truth}, {"predicted", TNS_F32, 2, 2, predicted}, {0}},
		points2);
}

START_TEST(program_points)
{
	const float *truth = FLOATS(1, 2, 3, 4, NAN, NAN, 5, 6), *p = FLOATS(1, 2, 6, 8, 9, 9, 5, 6);
	points_file("p.tns", 2, truth, p);
	struct child c = prog("score", "p.tns", NULL);
	prog_went(c);
	ck_assert_ptr_eq(
		strstr(c.out,
			"rmse_px 2.04124\nrows 2\ncoordinates 6\npoints 3\nmean_px 1.66667\nrmse_px_point 2.88675\nwithin_1px 0.6667\n"),
		c.out);
	/* the labels' x are 1 and, of the nose, 3 and 5; y: 2, 4 and 6 */
	ck_assert_ptr_nonnull(strstr(c.out, "\nmean_face rmse_px 0.81650: if every face were answered with these faces' own mean labels"));
	ck_assert_ptr_nonnull(strstr(c.out, "\nleft_eye_center           2   0.00000"));
	struct child in = prog("score", "<p.tns", NULL), j = prog("score", "--json", "p.tns", NULL);
	ck_assert_str_eq(c.out, in.out);
	ck_assert_ptr_nonnull(strstr(j.out, "{\"rmse_px\": 2.0412414523193"));
	ck_assert_ptr_nonnull(strstr(j.out, "\"normalised_error\": null"));
	ck_assert_ptr_nonnull(strstr(j.out, "\"rmse_px_point\": 2.8867513459481"));
	ck_assert_ptr_nonnull(strstr(j.out, "\"mean_face\": {\"rmse_px\": 0.816496580927"));
	ck_assert_ptr_nonnull(strstr(j.out, "\"mean_px\": null, \"rmse_px_point\": null, \"labels\": \"own\"}"));
	prog_went(prog("score", "p.tns", "-o", "s.txt", NULL));
	/* --truth: rows and points in another order, and one point more */
	prog_stream("t.tns", 2,
		(struct prog_col[]){{"id", TNS_U32, 0, 0, (const uint32_t[]){3, 7}},
			{"keypoints", TNS_F32, 3, 2, FLOATS(0, 0, 5, 6, NAN, NAN, 0, 0, 3, 4, 1, 2)}, {0}},
		(const char *const[]){"points", "chin,nose_tip,left_eye_center", NULL});
	struct child t = prog("score", "--truth", "t.tns", "p.tns", NULL);
	prog_went(t);
	ck_assert_str_eq(c.out, t.out);
}
END_TEST

/* What the stream says of the training: the mean face, 3 and 4 px off in one point and 1 in another coordinate, and the rows trained on. */
START_TEST(program_training)
{
	static const uint8_t on[4] = {1, 0, 1, 0}, some[4] = {1, 0, 2, 2};
	const float *truth = FLOATS(1, 2, 3, 4, NAN, NAN, 5, 6, NAN, 8, NAN, NAN, NAN, NAN, NAN, NAN);
	struct prog_col col[] = {{"keypoints", TNS_F32, 2, 2, truth},
		{"predicted", TNS_F32, 2, 2, FLOATS(0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0)}, {"trained", TNS_U8, 0, 0, on}, {0}};
	const char *metas[] = {"points", "left_eye_center,nose_tip", "mean_face", "nose_tip 5 6,left_eye_center 4 6", NULL};
	prog_stream("t.tns", 4, col, metas);
	struct child c = prog("score", "t.tns", NULL), j = prog("score", "-q", "--json", "t.tns", NULL);
	prog_went(c);
	/* squares: 9 + 16, 4 + 4, 0 + 0, y alone 4; distances 5, sqrt 8, 0 */
	char *want = xprintf("\nmean_face rmse_px %.5f, mean_px %.5f, rmse_px_point %.5f: if every face were answered with the training "
			     "set's mean labels\n",
		sqrt(37 / 7.0), (5 + sqrt(8)) / 3, sqrt(33 / 3.0));
	ck_assert_msg(strstr(c.out, want) != NULL, "no %s in %s", want, c.out);
	ck_assert_ptr_nonnull(strstr(
		c.out, "\ntrained 2: of 4 rows that many are among those that the model was trained on, so these figures flatter\n"));
	ck_assert_str_eq(c.err, "score: t.tns: the model was trained on 2 of its 4 rows: the figures flatter\n");
	ck_assert_ptr_nonnull(
		strstr(j.out, "\"labels\": \"training\"}, \"trained_rows\": 2, \"trained_rows_estimated\": false, \"may_flatter\": true"));
	ck_assert_str_eq(j.err, "");
	/* of two rows nothing is known: as many of them as of the others; and a point without a mean */
	col[2].data = some, metas[3] = "nose_tip 5 6";
	prog_stream("s.tns", 4, col, metas);
	c = prog("score", "-q", "s.tns", NULL);
	ck_assert_ptr_nonnull(strstr(c.out, "\ntrained about 2: of 4 rows"));
	ck_assert_ptr_nonnull(strstr(c.out, "these faces' own mean labels"));
	/* labels; and no row that it was trained on */
	prog_stream("l.tns", 4,
		(struct prog_col[]){
			{"label", TNS_U8, 0, 0, labels4}, {"score", TNS_F32, 0, 0, FLOATS(0, 1, 0, 1)}, {"trained", TNS_U8, 0, 0, on}, {0}},
		NULL);
	c = prog("score", "l.tns", NULL);
	ck_assert_ptr_nonnull(strstr(c.out, "\ntrained 2: of 4 rows"));
	col[2].data = (const uint8_t[]){0, 0, 0, 0};
	prog_stream("n.tns", 4, col, metas);
	c = prog("score", "n.tns", NULL);
	ck_assert(!strstr(c.out, "flatter") && !*c.err);
	metas[3] = "nose_tip five 6";
	prog_stream("bad.tns", 4, col, metas);
	prog_refused(prog("score", "bad.tns", "-o", "out", NULL), 1, "score: bad.tns: META mean_face: 'nose_tip five 6' is not NAME X Y");
	col[2].dtype = TNS_I8, col[2].data = on, metas[3] = "nose_tip 5 6"; /* somebody else's */
	prog_stream("i8.tns", 4, col, metas);
	c = prog("score", "i8.tns", NULL);
	ck_assert(c.status == 0 && !strstr(c.out, "flatter"));
	free(want);
}
END_TEST

static char *text_of(const char *path)
{
	static char text[4096];
	FILE *f = fopen(path, "r");
	ck_assert_ptr_nonnull(f);
	text[fread(text, 1, sizeof text - 1, f)] = 0;
	fclose(f);
	return text;
}

/* Errors by face and point; a half label, none, and a point that is not learned are empty. */
START_TEST(program_rows)
{
	const float *truth = FLOATS(1, 2, 3, 4, NAN, NAN, 5, 6, NAN, NAN, 5, NAN), *p = FLOATS(1, 2, 6, 8, 9, 9, 5, 6.25f, 1, 1, 1, 1);
	points_file("p.tns", 3, truth, p);
	struct child c = prog("score", "p.tns", "--report", "r.tsv", "-o", "s.txt", NULL), plain = prog("score", "p.tns", NULL);
	prog_went(c);
	ck_assert_str_eq(
		text_of("r.tsv"), "id\trow\tmean_px\tleft_eye_center\tnose_tip\n7\t1\t2.5\t0\t5\n3\t2\t0.25\t\t0.25\n9\t3\t\t\t\n");
	ck_assert_str_eq(text_of("s.txt"), plain.out);
	ck_assert_str_eq(prog("score", "p.tns", "--report", "-", "-o", "s.txt", NULL).out, text_of("r.tsv"));
	/* a truth in another order; no ids */
	prog_stream("u.tns", 2, (struct prog_col[]){{"keypoints", TNS_F32, 2, 2, truth}, {"predicted", TNS_F32, 2, 2, p}, {0}},
		(const char *const[]){"points", "left_eye_center,nose_tip", "unlearned", "nose_tip", NULL});
	prog_went(prog("score", "-q", "u.tns", "--report", "u.tsv", NULL));
	ck_assert_str_eq(text_of("u.tsv"), "id\trow\tmean_px\tleft_eye_center\tnose_tip\n\t1\t0\t0\t\n\t2\t\t\t\n");
	/* refused before any work, and with nothing written */
	prog_refused(prog("score", "p.tns", "-o", "out", "--report", "no/r.tsv", NULL), 1, "score: no/r.tsv");
	prog_refused(prog("score", "p.tns", "-o", "out", "--report", "out", NULL), 2, "--report");
	prog_refused(prog("score", "p.tns", "-o", "out", "--report", "p.tns", NULL), 2, "--report p.tns: is the input p.tns");
	prog_refused(prog("score", "p.tns", "--report", "-", NULL), 2, "--report -: stdout is that of --output");
	prog_refused(prog("score", "p.tns", "u.tns", "-o", "out", "--report", "rows", NULL), 2,
		"--report is for one file of predictions, not 2");
	prog_stream(
		"l.tns", 4, (struct prog_col[]){{"label", TNS_U8, 0, 0, labels4}, {"score", TNS_F32, 0, 0, FLOATS(0, 1, 0, 1)}, {0}}, NULL);
	prog_refused(prog("score", "l.tns", "-o", "out", "--report", "rows", NULL), 2, "--report: l.tns has no points");
	points_file("nan.tns", 2, truth, FLOATS(1, 2, 6, 8, 9, 9, NAN, 6));
	prog_refused(prog("score", "nan.tns", "-o", "out", "--report", "rows", NULL), 1, "nan.tns: row 2: predicted nose_tip_x is nan");
	ck_assert(access("rows", F_OK) && access(".rows.tmp", F_OK));
}
END_TEST

/* ---- several files ---- */

/* Of ids 7, 3, 9 model a has distances 0 5, - 1, 2 0, and b 1 0, - 0, 0 5; id 1 is only in a, 5 only in b, chin only in b. */
static const float truth_a[] = {1, 2, 3, 4, NAN, NAN, 5, 6, 0, 0, 10, 0, 7, 7, 7, 7},
		   predicted_a[] = {1, 2, 6, 8, 50, 50, 5, 7, 0, 2, 10, 0, 9, 9, 9, 9},
		   truth_b[] = {10, 0, 0, 0, NAN, NAN, 1, 1, 1, 1, 1, 1, 3, 4, 1, 2, NAN, NAN, 5, 6, NAN, NAN, NAN, NAN},
		   predicted_b[] = {13, 4, 0, 0, 1, 1, 2, 2, 2, 2, 2, 2, 3, 4, 2, 2, 1, 1, 5, 6, -9, -9, 1, 1};
static const uint32_t ids_b[] = {9, 5, 7, 3};
static const char *const points_b[] = {"points", "nose_tip,left_eye_center,chin", NULL};

static void files(const float *labels_b)
{
	points_file("a.tns", 4, truth_a, predicted_a);
	prog_stream("b.tns", 4,
		(struct prog_col[]){{"id", TNS_U32, 0, 0, ids_b}, {"keypoints", TNS_F32, 3, 2, labels_b},
			{"predicted", TNS_F32, 3, 2, predicted_b}, {0}},
		points_b);
}

/* value: of a line of the report. */
static void ck_line(const char *report, const char *measure, const char *file, const char *want)
{
	char *line = xprintf("\n%-16s %s %s", measure, file, want);
	ck_assert_msg(strstr(report, line) != NULL, "no '%s' in %s", line + 1, report);
	free(line);
}

START_TEST(program_several)
{
	files(truth_b);
	struct child c = prog("score", "a.tns", "b.tns", NULL), j = prog("score", "--json", "a.tns", "b.tns", NULL);
	prog_went(c);
	ck_assert_ptr_eq(strstr(c.out, "measure          file      value difference        low       high\n"), c.out);
	ck_line(c.out, "rmse_px", "a.tns", "  1.73205\n");	     /* 30 in 10 coordinates */
	ck_line(c.out, "rmse_px", "b.tns", "  1.61245   -0.11960 "); /* 26 */
	ck_line(c.out, "rmse_px_point", "a.tns", "  2.44949\n");     /* 30 in 5 points */
	ck_line(c.out, "mean_px", "a.tns", "  1.60000\n");	     /* 8 in 5 */
	ck_line(c.out, "mean_px", "b.tns",
		"  1.20000   -0.40000   -2.00000   +1.50000\n"); /* of id 7 alone 2.5 and 0.5, of id 9 1 and 2.5 */
	ck_line(c.out, "within_1px", "a.tns", "  0.60000\n");
	ck_line(c.out, "within_1px", "b.tns", "  0.80000   +0.20000   +0.00000   +0.50000\n");
	ck_line(c.out, "within_5px", "b.tns", "  1.00000   +0.00000   +0.00000   +0.00000\n");
	ck_assert(!strstr(c.out, "normalised_error"));
	ck_assert_ptr_nonnull(strstr(c.out, "\nrows 3\ncoordinates 10\npoints 5\ngroups 3, by ids"));
	ck_assert_str_eq(c.err, "score: points that are not in all files, or not learned by all models, are left out: chin\n"
				"score: a.tns: 1 of 4 rows are not in all files, and left out\nscore: b.tns: 1 of 4 rows are not in all "
				"files, and left out\n");
	ck_assert_ptr_eq(
		strstr(j.out,
			"{\"rows\": 3, \"coordinates\": 10, \"points\": 5, \"groups\": 3, \"grouped_by\": \"ids\", \"resamples\": 2000, "
			"\"seed\": 1, \"confidence\": 0.95, \"left_out_points\": [\"chin\"], "
			"\"shared_px\": {\"all\": 0, \"left_eye_center\": 0, \"nose_tip\": 0}, \"files\": [{\"file\": \"a.tns\", "
			"\"left_out_rows\": 1, "
			"\"rmse_px\": 1.7320508"),
		j.out);
	ck_assert_ptr_nonnull(strstr(j.out, ", \"low\": -2, \"high\": 1.5}, \"rmse_px_point\": {\"difference\": -0.16"));
	/* the other way round; from a pipe; with another seed; with two threads; into a file */
	struct child r = prog("score", "b.tns", "a.tns", NULL), in = prog("score", "<b.tns", "a.tns", "-", NULL),
		     seed = prog("score", "-s", "2", "a.tns", "b.tns", NULL), t = prog("score", "-t", "2", "a.tns", "b.tns", NULL);
	ck_line(r.out, "mean_px", "a.tns", "  1.60000   +0.40000   -1.50000   +2.00000\n");
	ck_assert_ptr_nonnull(strstr(in.out, "mean_px          stdin   1.20000   -0.40000   -2.00000   +1.50000\n"));
	ck_assert_str_eq(t.out, c.out);
	ck_assert_str_ne(seed.out, c.out);
	prog_went(prog("score", "a.tns", "b.tns", "-o", "s.txt", NULL));
	ck_assert_str_eq(text_of("s.txt"), c.out);
}
END_TEST

/* Groups by a list, a tensor that is named, one called group, and the one by which the data was split: ids 7 and 3 are one person. */
START_TEST(program_several_groups)
{
	static const uint32_t person[] = {5, 5, 2, 5};
	struct prog_col col[] = {{"id", TNS_U32, 0, 0, ids}, {"keypoints", TNS_F32, 2, 2, truth_a},
		{"predicted", TNS_F32, 2, 2, predicted_a}, {"person", TNS_U32, 0, 0, person}, {0}};
	const char *metas[] = {"points", "left_eye_center,nose_tip", "split", "rows,tensor person", NULL};
	files(truth_b);
	FILE *f = fopen("g.csv", "w");
	fputs("id,group\n7,ann\n3,ann\n9,ben\n", f);
	fclose(f);
	prog_stream("split.tns", 4, col, metas);
	metas[2] = NULL;
	prog_stream("by.tns", 4, col, metas);
	col[3].name = "group";
	prog_stream("group.tns", 4, col, metas);
	struct child c[] = {prog("score", "-q", "a.tns", "b.tns", "--groups", "g.csv", NULL),
		prog("score", "-q", "by.tns", "b.tns", "--by", "person", NULL), prog("score", "-q", "group.tns", "b.tns", NULL),
		prog("score", "-q", "split.tns", "b.tns", NULL)};
	static const char *const by[] = {"g.csv", "tensor person", "tensor group", "tensor person"};
	for (int i = 0; i < 4; i++) {
		char *line = xprintf("\ngroups 2, by %s\n", by[i]);
		ck_assert_msg(strstr(c[i].out, line) != NULL, "no %s in %s%s", line, c[i].out, c[i].err);
		/* of ids 7 and 3 6/3 and 1/3 */
		ck_assert_msg(strstr(c[i].out, "1.20000   -0.40000   -1.66667   +1.50000\n") != NULL, "%s", c[i].out);
		free(line);
	}
	f = fopen("g.csv", "w");
	fputs("id,group\n7,ann\n3,ann\n", f);
	fclose(f);
	prog_refused(prog("score", "-q", "a.tns", "a.tns", "--groups", "g.csv", "-o", "out", NULL), 1, "a.tns: id 9 has no group in g.csv");
	prog_refused(prog("score", "-q", "a.tns", "a.tns", "--by", "nobody", "-o", "out", NULL), 1, "a.tns: there is no tensor nobody");
	prog_refused(prog("score", "a.tns", "a.tns", "--by", "predicted", "-o", "out", NULL), 1,
		"predicted is not one whole number or text a row");
	prog_refused(prog("score", "a.tns", "--by", "person", "-o", "out", NULL), 2, "--by and --groups are for several files");
	prog_refused(prog("score", "a.tns", "a.tns", "--by", "id", "--groups", "g.csv", "-o", "out", NULL), 2,
		"--by and --groups exclude each other");
}
END_TEST

START_TEST(program_several_refused)
{
	float other[24];
	memcpy(other, truth_b, sizeof other);
	other[0] = 11;
	files(other);
	prog_stream("t.tns", 3,
		(struct prog_col[]){{"id", TNS_U32, 0, 0, (const uint32_t[]){3, 9, 7}},
			{"keypoints", TNS_F32, 2, 2, FLOATS(NAN, NAN, 5, 6, 0, 0, 10, 0, 1, 2, 3, 4)}, {0}},
		points2);
	struct child t = prog("score", "--truth", "t.tns", "a.tns", "b.tns", NULL);
	prog_went(t);
	ck_line(t.out, "mean_px", "b.tns", "  1.20000   -0.40000   -2.00000   +1.50000\n");
	/* other labels, and none where there is one */
	struct child c = prog("score", "-q", "a.tns", "b.tns", "-o", "out", NULL);
	ck_assert(c.status == 1 && access("out", F_OK));
	ck_assert_ptr_nonnull(strstr(c.err, "score: b.tns: row 1: nose_tip is labelled 11,0, but 10,0 in a.tns, where the id is the same: "
					    "--truth says which is meant\n"));
	other[0] = NAN;
	files(other);
	c = prog("score", "-q", "a.tns", "b.tns", "-o", "out", NULL);
	ck_assert(c.status == 1 && strstr(c.err, "b.tns: row 1: nose_tip is labelled nan,0, but 10,0 in a.tns"));
	files(truth_b);
	struct prog_col col[] = {
		{"id", TNS_U32, 0, 0, ids}, {"keypoints", TNS_F32, 2, 2, truth_a}, {"predicted", TNS_F32, 2, 2, predicted_a}, {0}};
	prog_stream("truth.tns", 4, col, points2);
	prog_refused(prog("score", "a.tns", "gone.tns", "-o", "out", NULL), 1, "score: gone.tns: No such file or directory");
	col[2].name = "other";
	prog_stream("none.tns", 4, col, points2);
	prog_refused(prog("score", "a.tns", "none.tns", "-o", "out", NULL), 1,
		"score: none.tns: there is no tensor predicted: several files are several models' points (a truth of its own goes with "
		"--truth)");
	prog_refused(prog("score", "a.tns", "a.tns", "-o", "out", "--truth", "none.tns", "-s", "x", NULL), 2, "--seed");
	prog_stream("bare.tns", 4, col + 1, points2);
	col[2].name = "predicted", col[0].data = (const uint32_t[]){7, 3, 7, 1};
	prog_refused(prog("score", "bare.tns", "a.tns", "-o", "out", NULL), 1, "score: bare.tns: there is no tensor predicted");
	prog_stream("bare.tns", 4, col + 1, points2);
	prog_refused(prog("score", "a.tns", "bare.tns", "-o", "out", NULL), 1, "score: bare.tns: there is no tensor id");
	prog_stream("twice.tns", 4, col, points2);
	prog_refused(prog("score", "a.tns", "twice.tns", "-o", "out", NULL), 1, "score: twice.tns: id 7 stands in two rows");
	col[0].data = (const uint32_t[]){70, 30, 90, 10};
	prog_stream("others.tns", 4, col, points2);
	prog_refused(
		prog("score", "a.tns", "others.tns", "-o", "out", NULL), 1, "score: no id is in all files, so nothing can be compared");
	ck_assert(access("out", F_OK));
	col[0].data = ids;
	prog_stream("chin.tns", 4, col, (const char *const[]){"points", "chin,brow", NULL});
	prog_refused(prog("score", "a.tns", "chin.tns", "-o", "out", NULL), 1, "score: no point is in all files");
	/* a point that one model did not learn; one whose prediction is no number is refused otherwise */
	float nan[16];
	memcpy(nan, predicted_a, sizeof nan);
	nan[2] = nan[6] = nan[10] = nan[14] = NAN;
	col[2].data = nan;
	prog_stream("nan.tns", 4, col, points2);
	prog_refused(prog("score", "a.tns", "nan.tns", "-o", "out", NULL), 1, "score: nan.tns: row 1: predicted nose_tip_x is nan");
	prog_stream("nan.tns", 4, col, (const char *const[]){"points", "left_eye_center,nose_tip", "unlearned", "nose_tip", NULL});
	c = prog("score", "a.tns", "nan.tns", NULL);
	prog_went(c);
	ck_assert_str_eq(c.err, "score: points that are not in all files, or not learned by all models, are left out: nose_tip\n");
	ck_assert_ptr_nonnull(strstr(c.out, "\nrows 4\ncoordinates 6\npoints 3\n"));
}
END_TEST

/* Each file's rows that its model was trained on, of those that are in all. */
START_TEST(program_several_trained)
{
	struct prog_col col[] = {{"id", TNS_U32, 0, 0, ids}, {"keypoints", TNS_F32, 2, 2, truth_a},
		{"predicted", TNS_F32, 2, 2, predicted_a}, {"trained", TNS_U8, 0, 0, (const uint8_t[]){1, 0, 1, 1}}, {0}};
	files(truth_b);
	prog_stream("t.tns", 4, col, points2);
	struct child c = prog("score", "b.tns", "t.tns", NULL), j = prog("score", "-q", "--json", "b.tns", "t.tns", NULL);
	prog_went(c);
	ck_assert_ptr_nonnull(strstr(c.out, "\nt.tns: trained 2: of 3 rows that many are among those that the model was trained on"));
	ck_assert_ptr_nonnull(strstr(c.err, "score: t.tns: the model was trained on 2 of its 3 rows: the figures flatter\n"));
	ck_assert_ptr_nonnull(strstr(j.out, "{\"file\": \"t.tns\", \"left_out_rows\": 1, \"trained_rows\": 2, \"trained_rows_estimated\": "
					    "false, \"may_flatter\": true, "));
}
END_TEST

START_TEST(program_points_refused)
{
	const float *truth = FLOATS(1, 2, 3, 4, NAN, NAN, 5, 6), *p = FLOATS(1, 2, 6, 8, 9, 9, 5, 6);
	points_file("nan.tns", 2, truth, FLOATS(1, 2, 6, 8, 9, 9, NAN, 6));
	prog_refused(prog("score", "nan.tns", "-o", "out", NULL), 1, "score: nan.tns: row 2: predicted nose_tip_x is nan");
	points_file("inf.tns", 2, truth, FLOATS(1, 2, 6, -INFINITY, 9, 9, 3, 6));
	prog_refused(prog("score", "inf.tns", "-o", "out", NULL), 1, "score: inf.tns: row 1: predicted nose_tip_y is -inf");
	points_file("none.tns", 2, FLOATS(NAN, NAN, NAN, NAN, NAN, NAN, NAN, NAN), p);
	prog_refused(
		prog("score", "none.tns", "-o", "out", NULL), 1, "score: none.tns: no coordinate is labelled, so nothing can be scored");
	points_file("empty.tns", 0, truth, p);
	prog_refused(prog("score", "empty.tns", "-o", "out", NULL), 1, "no coordinate is labelled");
	prog_refused(prog("score", "gone.tns", "-o", "out", NULL), 1, "score: gone.tns: No such file or directory");
	prog_stream("f64.tns", 1, (struct prog_col[]){{"predicted", TNS_F64, 2, 2, (const double[]){1, 2, 3, 4}}, {0}}, points2);
	prog_refused(prog("score", "f64.tns", "-o", "out", NULL), 1, "predicted is f64 with 3 dimensions, not f32 with 3");
	prog_stream("three.tns", 1, (struct prog_col[]){{"predicted", TNS_F32, 2, 3, FLOATS(1, 2, 3, 4, 5, 6)}, {0}}, points2);
	prog_refused(prog("score", "three.tns", "-o", "out", NULL), 1, "tensor predicted is (rows, 2, 3), not (rows, 2, 2)");
	prog_stream("bare.tns", 1, (struct prog_col[]){{"predicted", TNS_F32, 2, 2, p}, {0}}, points2);
	prog_refused(prog("score", "bare.tns", "-o", "out", NULL), 1, "score: bare.tns: there is no tensor keypoints");
	prog_stream("names.tns", 1, (struct prog_col[]){{"predicted", TNS_F32, 2, 2, p}, {0}}, NULL);
	prog_refused(prog("score", "names.tns", "-o", "out", NULL), 1, "score: names.tns: there is no META points");
	prog_stream("k.tns", 1, (struct prog_col[]){{"predicted", TNS_F32, 1, 2, p}, {0}}, points2);
	prog_refused(prog("score", "k.tns", "-o", "out", NULL), 1, "META points names 2, but there are 1");
	prog_stream("more.tns", 1,
		(struct prog_col[]){{"predicted", TNS_F32, 2, 2, p}, {"keypoints", TNS_F32, 3, 2, FLOATS(1, 2, 3, 4, 5, 6)}, {0}}, points2);
	prog_refused(prog("score", "more.tns", "-o", "out", NULL), 1, "tensor keypoints is (rows, 3, 2), not (rows, 2, 2)");
	prog_stream("id.tns", 1, (struct prog_col[]){{"id", TNS_U32, 0, 0, ids}, {0}}, NULL);
	prog_refused(
		prog("score", "id.tns", "-o", "out", NULL), 1, "no tensor predicted, score or reconstruction: there is nothing to measure");
}
END_TEST

START_TEST(program_truth_refused)
{
	const float *truth = FLOATS(1, 2, 3, 4, NAN, NAN, 5, 6, 7, 8, 9, 1), *p = FLOATS(1, 2, 6, 8, 9, 9, 5, 6);
	struct prog_col t[] = {{"id", TNS_U32, 0, 0, ids}, {"keypoints", TNS_F32, 2, 2, truth}, {0}};
	points_file("p.tns", 2, truth, p);
	prog_stream("less.tns", 1, t, points2);
	prog_refused(prog("score", "--truth", "less.tns", "p.tns", "-o", "out", NULL), 1, "score: p.tns: row 2: id 3 is not in less.tns");
	prog_stream("more.tns", 3, t, points2);
	prog_refused(prog("score", "--truth", "more.tns", "p.tns", "-o", "out", NULL), 1, "score: p.tns: no row for id 9 of more.tns");
	t[0].data = (const uint32_t[]){7, 7};
	prog_stream("twice.tns", 2, t, points2);
	prog_refused(prog("score", "--truth", "twice.tns", "p.tns", "-o", "out", NULL), 1, "score: twice.tns: id 7 stands in two rows");
	prog_stream("p2.tns", 2, (struct prog_col[]){{"id", TNS_U32, 0, 0, (const uint32_t[]){3, 3}}, {"predicted", TNS_F32, 2, 2, p}, {0}},
		points2);
	t[0].data = ids;
	prog_stream("t.tns", 2, t, points2);
	prog_refused(prog("score", "--truth", "t.tns", "p2.tns", "-o", "out", NULL), 1, "score: p2.tns: row 2: id 3 comes a second time");
	prog_refused(prog("score", "--truth", "gone.tns", "p.tns", "-o", "out", NULL), 1, "score: gone.tns: No such file");
}
END_TEST

START_TEST(program_labels)
{
	struct prog_col two[] = {{"label", TNS_U8, 0, 0, labels4}, {"score", TNS_F32, 0, 0, FLOATS(0.1f, 0.4f, 0.8f, 0.4f)}, {0}};
	prog_stream("l.tns", 4, two, (const char *const[]){"classes", "other,eye", NULL});
	struct child c = prog("score", "l.tns", NULL);
	prog_went(c);
	ck_assert_str_eq(c.out, "error_rate 0.250000\nrows 4\nwrong 1\nauc 0.875000\n\n"
				"truth             other      eye\nother                 2        0\neye                   1        1\n");
	c = prog("score", "-j", "<l.tns", NULL);
	ck_assert_str_eq(c.out, "{\"error_rate\": 0.25, \"rows\": 4, \"wrong\": 1, \"auc\": 0.875, \"classes\": [\"other\", \"eye\"], "
				"\"confusion\": [[2, 0], [1, 1]]}\n");
	/* the labels of another stream, by id */
	struct child own = prog("score", "l.tns", NULL);
	two[0] = (struct prog_col){"id", TNS_U32, 0, 0, (const uint32_t[]){4, 3, 2, 1}};
	prog_stream("s.tns", 4, two, (const char *const[]){"classes", "other,eye", NULL});
	struct prog_col truth[] = {{"id", TNS_U32, 0, 0, (const uint32_t[]){2, 4, 1, 3}}, /* labels4 is 0 0 1 1, of 4 to 1 */
		{"label", TNS_U8, 0, 0, (const uint8_t[]){labels4[2], labels4[0], labels4[3], labels4[1]}}, {0}};
	prog_stream("truth.tns", 4, truth, NULL);
	struct child by_id = prog("score", "--truth", "truth.tns", "s.tns", NULL);
	prog_went(by_id);
	ck_assert_str_eq(by_id.out, own.out);
	prog_stream("truth.tns", 3, truth, NULL);
	prog_refused(prog("score", "--truth", "truth.tns", "s.tns", "-o", "out", NULL), 1, "score: s.tns: row 2: id 3 is not in truth.tns");
	prog_refused(prog("score", "--truth", "l.tns", "s.tns", "-o", "out", NULL), 1, "score: l.tns: there is no tensor id");
	prog_refused(prog("score", "--truth", "s.tns", "s.tns", "-o", "out", NULL), 1, "score: s.tns: there is no tensor label");
	prog_refused(prog("score", "--truth", "truth.tns", "l.tns", "-o", "out", NULL), 1, "score: l.tns: there is no tensor id");
	two[0] = (struct prog_col){"label", TNS_U8, 0, 0, labels4};
	/* three classes, without names */
	prog_stream("3.tns", 2,
		(struct prog_col[]){
			{"label", TNS_U8, 0, 0, (const uint8_t[]){2, 1}}, {"score", TNS_F32, 3, 0, FLOATS(1, 2, 3, 1, 0, 0)}, {0}},
		NULL);
	c = prog("score", "--json", "3.tns", NULL);
	ck_assert_str_eq(c.out, "{\"error_rate\": 0.5, \"rows\": 2, \"wrong\": 1, \"auc\": null, \"classes\": [\"0\", \"1\", \"2\"], "
				"\"confusion\": [[0, 0, 0], [1, 0, 0], [0, 0, 1]]}\n");
	/* scores that are no numbers */
	two[1].data = FLOATS(0.1f, NAN, 0.5f, 0.5f);
	prog_stream("nan.tns", 4, two, NULL);
	prog_refused(prog("score", "nan.tns", "-o", "out", NULL), 1, "score: nan.tns: row 2: score 0 is nan");
	two[0].data = (const uint8_t[]){0, 1, 2, 0}, two[1].data = FLOATS(0, 0, 0, 0);
	prog_stream("two.tns", 4, two, NULL);
	prog_refused(prog("score", "two.tns", "-o", "out", NULL), 1, "score: two.tns: row 3: label 2, but there are 2 classes");
	prog_stream("empty.tns", 0, two, NULL);
	prog_refused(prog("score", "empty.tns", "-o", "out", NULL), 1, "score: empty.tns: no rows, so nothing can be scored");
	prog_stream("bare.tns", 4, two + 1, NULL);
	prog_refused(prog("score", "bare.tns", "-o", "out", NULL), 1, "score: bare.tns: there is no tensor label");
	two[0].dtype = TNS_I8;
	prog_stream("i8.tns", 4, two, NULL);
	prog_refused(prog("score", "i8.tns", "-o", "out", NULL), 1, "label is i8 with 1 dimensions, not u8 with 1");
	static const float many[257];
	prog_stream("many.tns", 1, (struct prog_col[]){{"label", TNS_U8, 0, 0, labels4}, {"score", TNS_F32, 257, 0, many}, {0}}, NULL);
	prog_refused(prog("score", "many.tns", "-o", "out", NULL), 1, "tensor score has 257 columns, labels only 256 values");
}
END_TEST

/* Differences of 3, 4 and 12 in two images of six pixels; of the images about their mean 5 and 30, each in both. */
START_TEST(program_images)
{
	static const uint8_t image[] = {10, 20, 30, 40, 50, 60, 20, 20, 30, 40, 50, 0},
			     made[] = {13, 20, 30, 36, 50, 60, 20, 20, 30, 40, 50, 12};
	struct prog_col both[] = {{"image", TNS_U8, 2, 3, image}, {"reconstruction", TNS_U8, 2, 3, made}, {0}};
	prog_stream("i.tns", 2, both, NULL);
	struct child c = prog("score", "i.tns", NULL);
	prog_went(c);
	ck_assert_str_eq(c.out, "rmse_grey 3.75278\nrows 2\nmean_grey 1.58333\nmean_image rmse_grey 12.41639: if every image were answered "
				"with these images' "
				"mean\nexplained 0.908649\nrmse_grey, mean_grey: of pixels, the root of their mean squared error and their "
				"mean error, in grey "
				"levels, 0 to 255\nexplained: share of the images' variance about their mean\n");
	prog_stream("1.tns", 1, both, NULL);
	c = prog("score", "-j", "<1.tns", NULL);
	ck_assert_str_eq(c.out, "{\"rmse_grey\": 2.041241452319315, \"rows\": 1, \"mean_grey\": 1.1666666666666667, "
				"\"mean_image_rmse_grey\": 0, \"explained\": null}\n");
	prog_refused(prog("score", "--truth", "i.tns", "i.tns", "-o", "out", NULL), 2, "--truth: i.tns has no points or labels");
	prog_refused(prog("score", "i.tns", "-o", "out", "--report", "rows", NULL), 2, "--report: i.tns has no points");
	prog_stream("none.tns", 0, both, NULL);
	prog_refused(prog("score", "none.tns", "-o", "out", NULL), 1, "none.tns: no rows, so nothing can be scored");
	both[1] = (struct prog_col){"reconstruction", TNS_U8, 3, 2, made};
	prog_stream("turned.tns", 2, both, NULL);
	prog_refused(prog("score", "turned.tns", "-o", "out", NULL), 1, "turned.tns: image is 3x2, reconstruction 2x3");
	prog_stream("bare.tns", 2, both + 1, NULL);
	prog_refused(prog("score", "bare.tns", "-o", "out", NULL), 1, "bare.tns: there is no tensor image");
}
END_TEST

int main(void)
{
	prog_begin();
	Suite *s = suite_create("score");
	TCase *t = tcase_create("score");
	suite_add_tcase(s, t);
	tcase_add_test(t, by_hand);
	tcase_add_test(t, nothing_labelled);
	tcase_add_test(t, no_number);
	tcase_add_test(t, normalised);
	tcase_add_test(t, classification);
	tcase_add_test(t, auc_by_hand);
	tcase_add_loop_test(t, auc_by_pairs, 0, 2);
	tcase_add_test(t, program_points);
	tcase_add_test(t, program_training);
	tcase_add_test(t, program_rows);
	tcase_add_test(t, program_several);
	tcase_add_test(t, program_several_groups);
	tcase_add_test(t, program_several_refused);
	tcase_add_test(t, program_several_trained);
	tcase_add_test(t, program_points_refused);
	tcase_add_test(t, program_truth_refused);
	tcase_add_test(t, program_labels);
	tcase_add_test(t, program_images);
	return prog_end(s);
}
