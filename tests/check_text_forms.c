/* Annotations in .pts files, WFLW's lists, YOLO's labels and DeepLabCut's tables: numbers known by hand, what such files look like, faults.
 */
#include <check.h>
#include <math.h>
#include <stdarg.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/base/err.h"
#include "lib/import/form.h"
#include "tests/child.h"

/* ---- files ---- */

static void write_file(const char *path, const char *text)
{
	char folder[256];
	for (const char *s = path; (s = strchr(s, '/')); s++) {
		snprintf(folder, sizeof folder, "%.*s", (int)(s - path), path);
		mkdir(folder, 0777);
	}
	FILE *f = fopen(path, "wb");
	ck_assert_ptr_nonnull(f);
	fwrite(text, 1, strlen(text), f);
	ck_assert_int_eq(fclose(f), 0);
}

static void fresh(void)
{
	ck_assert_int_eq(system("rm -rf ./*"), 0);
}

/* ---- faces as text ---- */

static char text[1 << 16];

static void put(const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	size_t n = strlen(text);
	vsnprintf(text + n, sizeof text - n, fmt, ap);
	va_end(ap);
}

struct request {
	const struct annotation_form *form;
	const char *images, *names;
	int unlabelled;
	const char *operands[3];
};

/* All faces: `FILE PATH (PLACE) [box] points...; `, points of which none is there as -; `!MESSAGE; ` where one is bad; at the end
 * names of points and what was passed by. */
static void read_all(const struct request *q)
{
	struct annotation_options o = {
		.form = q->form->name, .images = q->images, .names = q->names, .unlabelled = q->unlabelled, .origin = -1};
	struct annotations a = {0};
	struct annotation face;
	char err[ANNOTATION_ERR];
	int r;
	o.operands = q->operands;
	while (o.noperands < 3 && q->operands[o.noperands])
		o.noperands++;
	*text = 0;
	void *state = q->form->open(&a, &o);
	double *points = xcalloc((size_t)a.K, 2 * sizeof *points);
	for (;;) {
		memset(&face, 0, sizeof face);
		face.id = face.image_id = -1;
		face.points = points;
		for (int i = 0; i < 2 * a.K; i++)
			points[i] = NAN;
		*err = 0;
		r = q->form->next(state, &a, &face, err);
		if (!r)
			break;
		if (r < 0) {
			put("!%s; ", err);
			continue;
		}
		put("%s %s (%s)", face.file, face.path ? face.path : "?", face.place);
		if (face.has_box)
			put(" [%.7g %.7g %.7g %.7g]", face.box[0], face.box[1], face.box[2], face.box[3]);
		for (int k = 0; face.has_points && k < a.K; k++)
			put(isnan(points[2 * k]) && isnan(points[2 * k + 1]) ? " -" : " %.9g,%.9g", points[2 * k], points[2 * k + 1]);
		for (int k = 0; face.confidence && k < a.K; k++)
			put(" %g", face.confidence[k]);
		put("; ");
		ck_assert(face.id == -1 && face.image_id == -1 && !face.W && !face.H);
	}
	put("|");
	for (int k = 0; k < a.K; k++)
		put(" %s", a.names[k]);
	if (a.unlabelled)
		put(" +%d", (int)a.unlabelled);
	if (a.loops)
		put(" (%s)", a.loops);
	for (int k = 0; k < a.K && a.flip; k++)
		put(" %s%d", k ? "" : "flip ", a.flip[k]);
	free(a.loops), free(a.flip);
	ck_assert(a.names[a.K] == NULL);
	for (int k = 0; k < a.K; k++)
		free(a.names[k]);
	free(a.names);
	free(points);
	q->form->close(state);
}

static void is(struct request q, const char *want)
{
	read_all(&q);
	ck_assert_msg(!strcmp(text, want), "\n%s\nis not\n%s", text, want);
}

static void run(void *arg)
{
	read_all(arg);
	printf("%s", text);
	fflush(stdout);
	_exit(0);
}

/* Opening or reading ends the program with this status and message. */
static void ends(struct request q, int status, const char *want)
{
	struct child c = child_run(run, &q);
	ck_assert_msg(c.status == status, "exit %d, not %d: %s%s", c.status, status, c.err, c.out);
	ck_assert_msg(strstr(c.err, want) != NULL, "no '%s' in: %s", want, c.err);
	ck_assert_msg(strchr(c.err, '\n') == c.err + strlen(c.err) - 1, "not one line: %s", c.err);
}

/* ---- .pts ---- */

#define PTS(...) ((struct request){&form_pts, .operands = {__VA_ARGS__}})
#define TWO "{\n1 2\n3.5 4e1\n}\n"

START_TEST(pts)
{
	fresh();
	write_file("d/a.pts", "version: 1\nn_points:  2\n" TWO);
	write_file("d/a.png", "");
	is(PTS("d"), "a.png d/a.png (a.pts) 1,2 3.5,40; | 1 2");
	is(PTS("d/"), "a.png d/a.png (a.pts) 1,2 3.5,40; | 1 2");
	is(PTS("d/a.pts"), "d/a.png d/a.png () 1,2 3.5,40; | 1 2");
	/* in the wild: CR LF, blanks, comments, no version, a blank end; numbers before the first pixel; a point that nobody marked */
	write_file("d/sub/B c.pts",
		"\r\n# drawn by hand\r\nn_points :2\t\r\nwhat: ever\r\n  {  \r\n\r\n -1.5\t2 // left\r\nNaN nan\r\n}\r\n\r\n");
	write_file("d/sub/B c.JPEG", "");
	write_file("d/sub/c.PTS", "{\n+1 .5\n1. -0\n}");
	write_file("d/sub/c.pPm", "");
	write_file("d/.hidden.pts", "");
	write_file("d/sub/._c.pts", "");
	write_file("d/sub/._c.png", "");
	write_file("d/note.txt", "");
	is(PTS("d"),
		"a.png d/a.png (a.pts) 1,2 3.5,40; sub/B c.JPEG d/sub/B c.JPEG (sub/B c.pts) -1.5,2 -; sub/c.pPm d/sub/c.pPm (sub/c.PTS) "
		"1,0.5 1,-0; | 1 2");
	/* two operands: names as on the command line, in its order */
	is(PTS("d/sub", "d/a.pts"),
		"d/sub/B c.JPEG d/sub/B c.JPEG (d/sub/B c.pts) -1.5,2 -; d/sub/c.pPm d/sub/c.pPm (d/sub/c.PTS) 1,0.5 1,-0; "
		"d/a.png d/a.png (d/a.pts) 1,2 3.5,40; | 1 2");
	/* images elsewhere */
	write_file("i/a.pgm", "");
	write_file("i/sub/c.jpg", "");
	write_file("i/sub/d.jpg", "");
	struct request q = PTS("d");
	q.images = "i";
	is(q, "a.pgm i/a.pgm (a.pts) 1,2 3.5,40; !d/sub/B c.pts: no image has its name (png, jpg, jpeg, pgm, ppm); sub/c.jpg i/sub/c.jpg "
	      "(sub/c.PTS) 1,0.5 1,-0; "
	      "| 1 2 +1");
	q.unlabelled = 1;
	is(q, "a.pgm i/a.pgm (a.pts) 1,2 3.5,40; !d/sub/B c.pts: no image has its name (png, jpg, jpeg, pgm, ppm); sub/c.jpg i/sub/c.jpg "
	      "(sub/c.PTS) 1,0.5 1,-0; "
	      "sub/d.jpg i/sub/d.jpg (i/sub/d.jpg); | 1 2");
	/* images that two folders share are listed once: what the other has used is not left over */
	write_file("e/d.pts", TWO);
	q.operands[0] = "d/sub", q.operands[1] = "e";
	write_file("i/B c.png", ""), write_file("i/c.png", ""), write_file("i/d.png", "");
	is(q, "B c.png i/B c.png (d/sub/B c.pts) -1.5,2 -; c.png i/c.png (d/sub/c.PTS) 1,0.5 1,-0; d.png i/d.png (e/d.pts) 1,2 3.5,40; "
	      "a.pgm i/a.pgm (i/a.pgm); sub/c.jpg i/sub/c.jpg (i/sub/c.jpg); sub/d.jpg i/sub/d.jpg (i/sub/d.jpg); | 1 2");
	q.operands[0] = "d/a.pts", q.operands[1] = NULL;
	q.unlabelled = 0;
	is(q, "a.pgm i/a.pgm () 1,2 3.5,40; | 1 2");
	/* a.b.png belongs to a.b.pts, not to a.pts */
	fresh();
	write_file("a.pts", TWO), write_file("a.b.pts", TWO), write_file("a.png", ""), write_file("a.b.png", "");
	is(PTS("a.pts"), "a.png a.png () 1,2 3.5,40; | 1 2");
	is(PTS("."), "a.png ./a.png (a.pts) 1,2 3.5,40; a.b.png ./a.b.png (a.b.pts) 1,2 3.5,40; | 1 2");
	write_file("a.PNG", "");
	is(PTS("a.pts"), "!a.pts: two images have its name: 'a.PNG' and 'a.png'; | 1 2");
}
END_TEST

/* Of a long name the end is told. */
START_TEST(places)
{
	char name[400], place[300], want[900];
	fresh();
	sprintf(name, "l/%0130d/%0130d", 1, 2);
	strcpy(place, name + strlen(name) - (ANNOTATION_PLACE - 4 - strlen(".txt, line 2")));
	snprintf(want, sizeof want, "%s.txt", name);
	write_file(want, "\n0 .5 .5 1 1 .1 .2\n");
	*name = 'i';
	snprintf(want, sizeof want, "%s.png", name);
	write_file(want, "");
	snprintf(want, sizeof want, "%s.png %s.png (...%s.txt, line 2) [0 0 1 1] 0.1,0.2; | 1", name + 2, name, place);
	is((struct request){&form_yolo, .images = "i", .operands = {"l"}}, want);
}
END_TEST

/* Links are what they lead to; those that lead back are passed by, and told once. */
START_TEST(links)
{
	fresh();
	write_file("far/labels/b.txt", "0 .5 .5 .5 .5 .25 .75"), write_file("far/images/b.png", "");
	write_file("far/labels/b.pts", "{\n1 2\n}");
	write_file("l/a/a.txt", "0 .5 .5 .5 .5 .5 .5"), write_file("i/a/a.png", "");
	ck_assert_int_eq(symlink("../far/labels", "l/b") | symlink("../far/images", "i/b") | symlink("../far", "l/.far"), 0);
	ck_assert_int_eq(symlink("a.txt", "l/a/c.txt") | symlink("a.png", "i/a/c.png"), 0);
	struct request yolo = {&form_yolo, .images = "i", .operands = {"l"}}, pts = {&form_pts, .images = "i", .operands = {"l"}};
	const char *want = "a/a.png i/a/a.png (a/a.txt, line 1) [0.25 0.25 0.5 0.5] 0.5,0.5; "
			   "a/c.png i/a/c.png (a/c.txt, line 1) [0.25 0.25 0.5 0.5] 0.5,0.5; "
			   "b/b.png i/b/b.png (b/b.txt, line 1) [0.25 0.25 0.5 0.5] 0.25,0.75; | 1";
	is(yolo, want);
	is(pts, "b/b.png i/b/b.png (b/b.pts) 1,2; | 1 +2");
	ck_assert_int_eq(symlink("..", "far/labels/up") | symlink("..", "l/a/up") | symlink(".", "i/self"), 0);
	char with[512];
	snprintf(with, sizeof with, "%s ('i/self' and 2 more)", want);
	is(yolo, with); /* and l/a/up, l/b/up/labels */
}
END_TEST

START_TEST(pts_faults)
{
	static const struct {
		const char *file, *message;
	} bad[] = {
		{"version: 1\nn_points: 3\n" TWO, "line 3: n_points is 3, but 2 points follow"},
		{"version: 1\nn_points: 1\n" TWO, "line 3: n_points is 1, but 2 points follow"},
		{"version: 2\n" TWO, "line 1: version '2' is not 1"},
		{"n_points: 2.5\n" TWO, "line 1: n_points '2.5' is not a whole number from 1 to 4096"},
		{"n_points: 9999\n" TWO, "line 1: n_points '9999' is not a whole number from 1 to 4096"},
		{"n_points: x\n" TWO, "line 1: n_points 'x' is not a whole number from 1 to 4096"},
		{"version: 1\n1 2\n3 4\n", "line 2: '1 2' where '{' is expected"},
		{"version: 1\n{\n1 2\n3 4\n", "ends after line 4 without '}': no .pts file, or it was cut"},
		{"version: 1\n", "ends after line 1 without '{': no .pts file, or it was cut"},
		{"", "ends after line 0 without '{': no .pts file, or it was cut"},
		{"{\n1 2\n3 x\n}\n", "line 3: 'x' is not a number"},
		{"{\n1 2\n3 1e999\n}\n", "line 3: '1e999' is not a number"},
		{"{\n1 2\n3 inf\n}\n", "line 3: 'inf' is not a number"},
		{"{\n1 2\n3\n}\n", "line 3: 1 number where a point has 2: '3'"},
		{"{\n1 2\n3 4 5\n}\n", "line 3: 3 numbers where a point has 2: '3 4 5'"},
		{"{\n1 2\n3 nan\n}\n", "line 3: one of two numbers is nan: '3 nan'"},
		{TWO "5 6\n", "line 5: '5 6' behind '}'"},
		{"{\n}\n", "line 1: no points within the braces"},
		{"{\n1 2\n}\n", "1 points where d/b.pts has 2"},
		{"{\n1 2\n3 4\n5 6\n}\n", "3 points where d/b.pts has 2"},
	};
	char want[512];
	fresh();
	write_file("d/b.pts", TWO), write_file("d/b.png", ""), write_file("e/x.txt", "");
	write_file("d/c.pts", ""), write_file("d/c.png", "");
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		write_file("d/c.pts", bad[i].file);
		snprintf(want, sizeof want, "b.png d/b.png (b.pts) 1,2 3.5,40; !d/c.pts: %s; | 1 2", bad[i].message);
		is(PTS("d"), want);
	}
	/* the first is broken: the next tells how many points there are */
	write_file("d/a.pts", "{\n1\n");
	write_file("d/c.pts", TWO);
	is(PTS("d"), "!d/a.pts: line 2: 1 number where a point has 2: '1'; b.png d/b.png (b.pts) 1,2 3.5,40; c.png d/c.png (c.pts) 1,2 "
		     "3.5,40; | 1 2");
	ends(PTS("d/a.pts"), 1, "d/a.pts: line 2: 1 number where a point has 2: '1'");
	ends(PTS("e"), 1, "e: no file *.pts is in it");
	ends(PTS("gone"), 1, "gone: No such file or directory");
	ck_assert_int_eq(mkfifo("d/d.pts", 0666), 0);
	write_file("d/d.png", "");
	is(PTS("d/b.pts", "d/d.pts"), "d/b.png d/b.png (d/b.pts) 1,2 3.5,40; !d/d.pts: is no regular file; | 1 2");
}
END_TEST

/* ---- WFLW ---- */

#define WFLW(file) ((struct request){&form_wflw, .images = "images", .operands = {file}})

START_TEST(wflw)
{
	fresh();
	/* columns 10 to 19, rows 20 to 39: 10 by 20 pixels, whose outer corner is (10, 20) */
	write_file("l.txt", "1.5 2 -3 4.25 10 20 19 39 0 1 0 0 1 1 37--Soccer/37_Soccer_1.jpg\r\n\r\n  5 6 1000.5 8\t0 0 0 0 0 0 0 0 0 0  "
			    "a b 7.png  \n");
	is(WFLW("l.txt"), "37--Soccer/37_Soccer_1.jpg ? (line 1) [10 20 10 20] 1.5,2 -3,4.25; "
			  "a b 7.png ? (line 3) [0 0 1 1] 5,6 1000.5,8; | 1 2");
	/* names that begin with a number, or are one; folders by backslashes */
	write_file("l.txt",
		"1 2 3 4 10 20 19 39 0 1 0 0 1 1 7 b.png\n1 2 3 4 10 20 19 39 0 1 0 0 1 1 8\n1 2 3 4 10 20 19 39 0 1 0 0 1 1 c\\d.png");
	is(WFLW("l.txt"), "7 b.png ? (line 1) [10 20 10 20] 1,2 3,4; 8 ? (line 2) [10 20 10 20] 1,2 3,4; "
			  "c/d.png ? (line 3) [10 20 10 20] 1,2 3,4; | 1 2");
	/* 98 points: with a box and attributes, and, as in the lists of the test's parts, with the name alone */
	for (int bare = 0; bare < 2; bare++) {
		char line[2000] = "", want[4000] = "x.png ? (line 1)", names[1000] = "; |";
		for (int k = 0; k < 98; k++) {
			sprintf(line + strlen(line), "%d.5 %d ", k, 200 - k);
			sprintf(names + strlen(names), " %d", k + 1);
		}
		strcat(line, bare ? "x.png" : "3 4 5 9 1 1 1 1 1 1 x.png");
		strcat(want, bare ? "" : " [3 4 3 6]");
		for (int k = 0; k < 98; k++)
			sprintf(want + strlen(want), " %d.5,%d", k, 200 - k);
		strcat(want, names);
		write_file("l.txt", line);
		is(WFLW("l.txt"), want);
	}
}
END_TEST

START_TEST(wflw_faults)
{
#define GOOD "1 2 3 4 10 20 19 39 0 1 0 0 1 1 a.png\n"
#define GOOD_IS "a.png ? (line 1) [10 20 10 20] 1,2 3,4; "
	static const struct {
		const char *line, *message;
	} bad[] = {
		{"1 2 3 4x 10 20 19 39 0 1 0 0 1 1 a.png", "y of point 2 is '4x', not a number"},
		{"1 nan 3 4 10 20 19 39 0 1 0 0 1 1 a.png", "y of point 1 is 'nan', not a number"},
		{"1 2 3 4 10 20 19 39 0 1 0 0 1 2 a.png", "attribute blur is '2', not 0 or 1"},
		{"1 2 3 4 10 20 19 39 .5 1 0 0 1 1 a.png", "attribute pose is '.5', not 0 or 1"},
		{"1 2 3 4 10 20 9 39 0 1 0 0 1 1 a.png", "box 10 20 9 39: x_max or y_max is less than x_min or y_min"},
		{"1 2 3 4 10 20 x 39 0 1 0 0 1 1 a.png", "x_max is 'x', not a number"},
		{"1 2 3 4 10 20 19 39 0 1 0 0 1 a.png", "blur is 'a.png', not a number"},
		{
			"1 2 3 4 10 20 19 39 0 1 0 0 1 1",
			"''",
		},
		{"1 2 3 4 10", "ends after 5 numbers, without y_min"},
	};
	char file[512], want[512];
	fresh();
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		snprintf(file, sizeof file, GOOD "%s\n" GOOD, bad[i].line);
		snprintf(want, sizeof want, GOOD_IS "!l.txt: line 2: %s%s; a.png ? (line 3) [10 20 10 20] 1,2 3,4; | 1 2", bad[i].message,
			*bad[i].message == '\'' && bad[i].message[1] == '\'' ? " is no name of an image" : "");
		write_file("l.txt", file);
		is(WFLW("l.txt"), want);
	}
	write_file("l.txt", "1 2 3 4 a.png\n");
	ends(WFLW("l.txt"), 1,
		"l.txt: line 1: 4 numbers, then 'a.png': not 2 for each point, 4 of the box, 6 attributes and the image's name");
	write_file("l.txt", "\n \n");
	ends(WFLW("l.txt"), 1, "l.txt: empty");
	ends(WFLW("gone"), 1, "gone: No such file or directory");
	ends((struct request){&form_wflw, .operands = {"l.txt"}}, 2, "--form wflw: --images tells the folder of the images");
}
END_TEST

/* ---- YOLO ---- */

#define YOLO(names) ((struct request){&form_yolo, .images = "i", .operands = {"l"}}), names

static void yolo_is(struct request q, const char *names, const char *want)
{
	q.names = names;
	is(q, want);
}

static void yolo_ends(const char *names, const char *want)
{
	struct request q = {&form_yolo, .images = "i", .names = names, .operands = {"l"}};
	ends(q, 1, want);
}

START_TEST(yolo)
{
	fresh();
	write_file("i/a.png", "");
	/* 5 + 3 2 numbers; the box is given by its centre; what is a hair outside is clipped; a missing point may have any numbers */
	write_file("l/a.txt", "0 0.5 0.25 0.5 0.25 0.1 0.2 2 1.0000001 -1e-7 1\n3 0.5 0.5 1 1 0 0 0 7 -9 0\n");
	yolo_is(YOLO(NULL),
		"a.png i/a.png (a.txt, line 1) [0.25 0.125 0.5 0.25] 0.1,0.2 1,0; a.png i/a.png (a.txt, line 2) [0 0 1 1] - -; | 1 2");
	/* 5 + 2 2 */
	write_file("l/a.txt", "0 0.5 0.25 0.5 0.25 0.1 0.2 0 0\r\n");
	yolo_is(YOLO("nose, chin"), "a.png i/a.png (a.txt, line 1) [0.25 0.125 0.5 0.25] 0.1,0.2 -; | nose chin");
	/* 5 + 6: two points of three numbers, or three of two */
	write_file("l/a.txt", "0 .5 .5 1 1 .1 .2 1 .3 .4 0\n");
	yolo_is(YOLO(NULL), "a.png i/a.png (a.txt, line 1) [0 0 1 1] 0.1,0.2 -; | 1 2");
	yolo_is(YOLO("a,b"), "a.png i/a.png (a.txt, line 1) [0 0 1 1] 0.1,0.2 -; | a b");
	yolo_is(YOLO("a,b,c"), "a.png i/a.png (a.txt, line 1) [0 0 1 1] 0.1,0.2 1,0.3 0.4,0; | a b c");
	write_file("l/b.txt", "0 .5 .5 1 1 .1 .2 .25 .3 .4 0\n");
	write_file("i/b.png", "");
	yolo_is(YOLO("a,b,c"),
		"a.png i/a.png (a.txt, line 1) [0 0 1 1] 0.1,0.2 1,0.3 0.4,0; b.png i/b.png (b.txt, line 1) [0 0 1 1] 0.1,0.2 "
		"0.25,0.3 0.4,0; | a b c");
	yolo_ends(NULL,
		"l/a.txt: 6 numbers behind the box are 3 points of 2 or 2 of 3 whose third is no visibility (0, 1, 2): --point-names "
		"tells by as many names, or by a YAML file with kpt_shape: [3, 2] or [2, 3]");
	/* folders; files without a face; images without a file; classes.txt; no image */
	fresh();
	write_file("l/t/a.txt", "0 .5 .5 1 1 .1 .2\n"), write_file("i/t/a.JPG", ""), write_file("i/a.png", "");
	write_file("l/t/b.txt", ""), write_file("i/t/b.png", ""), write_file("l/t/c.txt", " \n\n"), write_file("i/t/c.png", "");
	write_file("l/classes.txt", "face\n"), write_file("l/t/d.txt", "1 .5 .5 1 1 .1 .2\n1 .5 .5 1 1 .1 .2\n");
	yolo_is(YOLO(NULL),
		"t/a.JPG i/t/a.JPG (t/a.txt, line 1) [0 0 1 1] 0.1,0.2; !l/t/d.txt: no image has its name (png, jpg, jpeg, pgm, "
		"ppm); | 1 +3");
	struct request q = {&form_yolo, .images = "i", .unlabelled = 1, .operands = {"l"}};
	is(q, "t/a.JPG i/t/a.JPG (t/a.txt, line 1) [0 0 1 1] 0.1,0.2; t/b.png i/t/b.png (t/b.txt); t/c.png i/t/c.png (t/c.txt); "
	      "!l/t/d.txt: no image has its name (png, jpg, jpeg, pgm, ppm); a.png i/a.png (i/a.png); | 1");
}
END_TEST

START_TEST(yolo_names)
{
	fresh();
	write_file("i/a.png", "");
	write_file("l/a.txt", "0 .5 .5 1 1 .1 .2 1 .3 .4 0\n");
#define FACE2 "a.png i/a.png (a.txt, line 1) [0 0 1 1] 0.1,0.2 -; | "
#define FACE3 "a.png i/a.png (a.txt, line 1) [0 0 1 1] 0.1,0.2 1,0.3 0.4,0; | "
	write_file("y.yaml", "path: ../sets # here\nnames:\n  0: person\n  1: dog\nkpt_shape: [2, 3] # two\nflip_idx: [1, 0]\n");
	yolo_is(YOLO("y.yaml"), FACE2 "1 2 flip 1 0");
	write_file("y.yaml", "flip_idx:\n- 0\n- 1\nkpt_names: [nose, chin]\n");
	yolo_is(YOLO("y.yaml"), FACE2 "nose chin flip 0 1");
	write_file("y.yaml", "flip_idx: [1]\nkpt_shape: [2, 3]\n");
	yolo_ends("y.yaml", "y.yaml: flip_idx has 1 points, kpt_shape 2");
	write_file("y.yaml", "flip_idx: [1, 1]\nkpt_shape: [2, 3]\n");
	yolo_ends("y.yaml", "y.yaml: flip_idx: 1 is at 0, so 0 must be at 1");
	write_file("y.yaml", "flip_idx: [0, 2]\nkpt_shape: [2, 3]\n");
	yolo_ends("y.yaml", "y.yaml: flip_idx: 2 is at 1, so 1 must be at 2");
	write_file("y.yaml", "flip_idx: [1, -1]\nkpt_shape: [2, 3]\n");
	yolo_ends("y.yaml", "y.yaml: line 1: flip_idx: '-1' where the number of a point is expected, from 0");
	write_file("y.yaml", "kpt_shape: [ 3,2 ]\n");
	yolo_is(YOLO("y.yaml"), FACE3 "1 2 3");
	write_file("y.YML", "kpt_shape:\n- 3\n- 2\n\nkpt_names:\n  0:\n    - nose # tip\n    - \"left eye\"\n    - 'chin'\n  1:\n    - "
			    "a\nnames: [x]\n");
	yolo_is(YOLO("y.YML"), FACE3 "nose left eye chin");
	write_file("y.yaml", "kpt_names: [nose, 'left eye']\n");
	yolo_is(YOLO("y.yaml"), FACE2 "nose left eye");
	write_file("y.yaml", "kpt_names:\n  person: [nose,\n    left,\n  ]\n  other: [b]\n");
	yolo_is(YOLO("y.yaml"), FACE2 "nose left");
	/* a map in braces: of the first class */
	write_file("y.yaml", "kpt_names: {0: [left, right]}\n");
	yolo_is(YOLO("y.yaml"), FACE2 "left right");
	write_file("y.yaml", "kpt_names:\n  { face : ['left', \"right\"] , other: [a, b, c] } # two\n");
	yolo_is(YOLO("y.yaml"), FACE2 "left right");
	write_file("y.yaml", "kpt_names: {0: [left,\n  right]}\n");
	yolo_ends("y.yaml", "y.yaml: line 1: kpt_names: '{0: [left,' where {CLASS: [NAME, ...]} on one line is expected");
	write_file("y.yaml", "kpt_names:\n  {0: left}\n");
	yolo_ends("y.yaml", "y.yaml: line 2: kpt_names: '{0: left}' where {CLASS: [NAME, ...]} on one line is expected");
	write_file("y.yaml", "names: [a, b]\n");
	yolo_ends("y.yaml", "y.yaml: neither kpt_shape nor kpt_names");
	write_file("y.yaml", "kpt_shape: [2, 4]\n");
	yolo_ends("y.yaml", "y.yaml: line 1: kpt_shape: '4' where [1 to 4096 points, 2 or 3 numbers] is expected");
	write_file("y.yaml", "kpt_shape: [0, 3]\n");
	yolo_ends("y.yaml", "y.yaml: line 1: kpt_shape: '0' where");
	write_file("y.yaml", "a: b\nkpt_shape: [2, 3, 1]\n");
	yolo_ends("y.yaml", "y.yaml: line 2: kpt_shape: '1' where");
	write_file("y.yaml", "kpt_shape: [2, 3]\nkpt_names: [a, b, c]\n");
	yolo_ends("y.yaml", "y.yaml: kpt_shape has 2 points, kpt_names 3");
	write_file("y.yaml", "kpt_shape: [4, 3]\n");
	yolo_ends("y.yaml", "l/a.txt: 6 numbers behind the box, but --point-names tells of 4 points");
	write_file("y.yaml", "kpt_shape: [2, 2]\n");
	yolo_ends("y.yaml", "l/a.txt: 6 numbers behind the box, but --point-names tells of 2 points");
	yolo_ends("gone.yaml", "gone.yaml: No such file or directory");
	yolo_ends("a,,b", "--point-names: a name of a point is empty");
	yolo_ends("a,b,a", "--point-names: two points are named 'a'");
	yolo_ends("a,b,c,d", "l/a.txt: 6 numbers behind the box, but --point-names tells of 4 points");
}
END_TEST

START_TEST(yolo_faults)
{
	static const struct {
		const char *line, *message;
	} bad[] = {
		{"0 .5 .5 1 1 .1 .2 2 1.2 .4 1", "x of point 2 is '1.2', not a share of the image from 0 to 1"},
		{"0 .5 .5 1 1 .1 -.2 2 1 .4 1", "y of point 1 is '-.2', not a share of the image from 0 to 1"},
		{"0 .5 .5 1 1 .1 .2 3 1 .4 1", "visibility of point 1 is 3, not 0, 1 or 2"},
		{"0 .5 .5 1 1 .1 .2 .9 1 .4 1", "visibility of point 1 is 0.9, not 0, 1 or 2"},
		{"0 .5 .5 1 1 .1 x 2 1 .4 1", "y of point 1 is 'x', not a number"},
		{"0 .5 .5 1 1 .1 nan 0 1 .4 1", "y of point 1 is 'nan', not a number"},
		{"0 .5 .5 1 1 .1 .2 2", "8 numbers instead of 11 (class, box, 2 points of 3)"},
		{"0 .5 .5 1 1 .1 .2 2 1 1 1 1", "12 numbers instead of 11 (class, box, 2 points of 3)"},
		{"-1 .5 .5 1 1 .1 .2 2 1 .4 1", "class -1 is not a whole number"},
		{"0.5 .5 .5 1 1 .1 .2 2 1 .4 1", "class 0.5 is not a whole number"},
		{"face .5 .5 1 1 .1 .2 2 1 .4 1", "class is 'face', not a number"},
		{"0 .5 .5 0 1 .1 .2 2 1 .4 1", "the box has no size: 0 by 1"},
		{"0 .5 1.5 1 1 .1 .2 2 1 .4 1", "y of the box is '1.5', not a share of the image from 0 to 1"},
		{"0 .5 .5 300 1 .1 .2 2 1 .4 1", "width of the box is '300', not a share of the image from 0 to 1"},
	};
	char file[512], want[512];
	fresh();
	write_file("i/a.png", "");
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		snprintf(file, sizeof file, "0 .5 .5 1 1 .1 .2 1 .3 .4 1\n%s\n0 .5 .5 1 1 .1 .2 1 .3 .4 1\n", bad[i].line);
		snprintf(want, sizeof want,
			"a.png i/a.png (a.txt, line 1) [0 0 1 1] 0.1,0.2 0.3,0.4; !l/a.txt: line 2: %s; a.png i/a.png (a.txt, line 3) [0 0 "
			"1 1] 0.1,0.2 "
			"0.3,0.4; | p q",
			bad[i].message);
		write_file("l/a.txt", file);
		yolo_is(YOLO("p,q"), want);
	}
	write_file("l/a.txt", "0 .5 .5 1 1\n");
	yolo_is(YOLO(NULL), "a.png i/a.png (a.txt, line 1) [0 0 1 1]; |");
	yolo_ends("p,q", "l/a.txt: 0 numbers behind the box, but --point-names tells of 2 points");
	write_file("l/a.txt", "0\n");
	yolo_ends(NULL, "l/a.txt: 1 number: a class and a box have 5, then come points");
	write_file("l/a.txt", "0 .5 .5 1 1 .1\n");
	yolo_ends(NULL, "l/a.txt: 1 numbers behind the box: not two or three a point");
	write_file("l/a.txt", "");
	yolo_ends(NULL, "l/a.txt: no face is in it, so that the number of points is not known (--point-names tells it)");
	yolo_is(YOLO("p,q"), "| p q +1");
	ends((struct request){&form_yolo, .operands = {"l"}}, 2, "--form yolo: --images tells the folder of the images");
	ends((struct request){&form_yolo, .images = "i", .operands = {"i"}}, 1, "i: no file *.txt is in it");
	ends((struct request){&form_yolo, .images = "gone", .operands = {"l"}}, 1, "gone: No such file or directory");
}
END_TEST

/* ---- DeepLabCut ---- */

#define DLC(file) ((struct request){&form_dlc, .operands = {file}})
#define HEAD "scorer,me,me,me,me\nbodyparts,nose,nose,tail,tail\ncoords,x,y,x,y\n"

START_TEST(dlc)
{
	fresh();
	write_file("labeled-data/v/t.csv",
		HEAD "labeled-data/v/img1.png,1.5,2,,\nlabeled-data\\v\\img2.png,,,-1,NaN\nlabeled-data/v/img3.png,,,,\n");
	is(DLC("labeled-data/v/t.csv"), "labeled-data/v/img1.png ? (line 4) 1.5,2 -; "
					"!labeled-data/v/t.csv: line 5: tail has no y, but an x; | nose tail +1");
	/* images beside the table, as DeepLabCut keeps them, or in the project's folder */
	write_file("labeled-data/v/img1.png", "");
	write_file("labeled-data/v/t.csv", HEAD "labeled-data/v/img1.png,1.5,2,\"3\", 4e0 \r\nlabeled-data\\v\\img3.png,,,,\n");
	is(DLC("labeled-data/v/t.csv"), "labeled-data/v/img1.png labeled-data/v/img1.png (line 4) 1.5,2 3,4; | nose tail +1");
	struct request q = DLC("labeled-data/v/t.csv");
	q.images = ".", q.unlabelled = 1;
	is(q, "labeled-data/v/img1.png ? (line 4) 1.5,2 3,4; labeled-data/v/img3.png ? "
	      "(line 5); | nose tail");
	/* an index of three columns; likelihood; quotes */
	write_file("t.csv", "scorer,,,a,a,a\nbodyparts,,,nose,nose,nose\ncoords,,,x,y,likelihood\nlabeled-data,v,img1.png,1,2,0.75\n\"x,"
			    "\"\"y\",v,b c.png,,,1e-3\n");
	q = DLC("t.csv");
	q.unlabelled = 1;
	is(q, "labeled-data/v/img1.png ? (line 4) 1,2 0.75; x,\"y/v/b c.png ? (line 5) 0.001; | nose");
	/* individuals: a row for each that is there; a body part that one of them alone has */
	write_file("t.csv",
		"scorer,s,s,s,s,s,s,s,s\nindividuals,m1,m1,m2,m2,m2,m2,single,single\nbodyparts,nose,nose,tail,tail,nose,nose,lamp,lamp\n"
		"coords,x,y,x,y,x,y,y,x\na.png,1,2,3,4,5,6,8,7\nb.png,,,,,5,6,,\nc.png,,,,,,,,\n");
	is(DLC("t.csv"), "a.png ? (line 5, m1) 1,2 - -; a.png ? (line 5, m2) 5,6 3,4 -; a.png ? (line 5, single) - - 7,8; "
			 "b.png ? (line 6, m2) 5,6 - -; | nose tail lamp +1");
	write_file("t.csv", HEAD);
	is(DLC("t.csv"), "| nose tail");
}
END_TEST

START_TEST(dlc_faults)
{
	static const struct {
		const char *line, *message;
	} bad[] = {
		{"b.png,1,2,3", "fewer fields than the 5 of the header"},
		{"b.png,1,2,3,4,5", "more fields than the 5 of the header"},
		{"b.png,1,2,x,4", "x of tail is 'x', not a number"},
		{"b.png,1,inf,3,4", "y of nose is 'inf', not a number"},
		{"b.png,1,,3,4", "nose has no y, but an x"},
		{"b.png,,2,3,4", "nose has no x, but a y"},
		{"b.png,\"1,2,3,4", "field 2: its quotes are not closed, or not at its ends"},
		{",1,2,3,4", "'' is no name of an image"},
	};
	static const struct {
		const char *file, *message;
	} no_dlc[] = {
		{"", "t.csv: empty"},
		{"a,b\n1,2\n", "t.csv: line 1: begins with 'a' where the header line scorer is expected"},
		{"scorer,a,a\n", "t.csv: ends after its header line scorer"},
		{"scorer,a,a\nbodyparts,n,n\n", "t.csv: ends after its header line bodyparts"},
		{"scorer,a,a\nbodyparts,n,n\na.png,1,2\n", "t.csv: line 3: begins with 'a.png' where the header line coords is expected"},
		{"scorer,a,a\nbodyparts,n,n,m,m\ncoords,x,y,x,y\n", "t.csv: line 2: 5 fields where line 1 has 3"},
		{"scorer,a,a\nbodyparts,n,n\ncoords,x,z\n", "t.csv: line 3: field 3 is 'z', not x, y or likelihood"},
		{"scorer,a,a\nbodyparts,n,n\ncoords,x,x\n", "t.csv: header, field 3: a second x of 'n'"},
		{"scorer,a,a\nbodyparts,n,m\ncoords,x,y\n", "t.csv: header: 'n' has no y"},
		{"scorer,a,a\nbodyparts,n,\ncoords,x,y\n", "t.csv: header, field 3: '' is no name of a body part"},
		{"scorer,a,a\nbodyparts,n,n\ncoords,,\n", "t.csv: line 3: coords without x and y"},
		{"scorer,a,a\nbodyparts,\"n,n\ncoords,x,y\n", "t.csv: line 2: field 2: its quotes are not closed"},
	};
	char file[512], want[512];
	fresh();
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		snprintf(file, sizeof file, HEAD "a.png,1,2,3,4\n%s\na.png,1,2,3,4\n", bad[i].line);
		snprintf(want, sizeof want, "a.png ? (line 4) 1,2 3,4; !t.csv: line 5: %s; a.png ? (line 6) 1,2 3,4; | nose tail",
			bad[i].message);
		write_file("t.csv", file);
		is(DLC("t.csv"), want);
	}
	for (size_t i = 0; i < sizeof no_dlc / sizeof *no_dlc; i++) {
		write_file("t.csv", no_dlc[i].file);
		ends(DLC("t.csv"), 1, no_dlc[i].message);
	}
	write_file("t.csv", "scorer,s,s\nindividuals,m,m\nbodyparts,n,n\ncoords,x,y\na.png,1,x\n");
	is(DLC("t.csv"), "!t.csv: line 5: y of n of m is 'x', not a number; | n");
	ends(DLC("gone"), 1, "gone: No such file or directory");
}
END_TEST

int main(void)
{
	char dir[1024];
	const char *tmp = getenv("TMP");
	snprintf(dir, sizeof dir, "%s/forms.XXXXXX", tmp ? tmp : "/tmp");
	if (!mkdtemp(dir) || chdir(dir))
		abort();
	Suite *s = suite_create("text_forms");
	TCase *t = tcase_create("all");
	tcase_add_test(t, pts);
	tcase_add_test(t, places);
	tcase_add_test(t, links);
	tcase_add_test(t, pts_faults);
	tcase_add_test(t, wflw);
	tcase_add_test(t, wflw_faults);
	tcase_add_test(t, yolo);
	tcase_add_test(t, yolo_names);
	tcase_add_test(t, yolo_faults);
	tcase_add_test(t, dlc);
	tcase_add_test(t, dlc_faults);
	suite_add_tcase(s, t);
	SRunner *r = srunner_create(s);
	srunner_run_all(r, CK_NORMAL);
	int failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed != 0;
}
