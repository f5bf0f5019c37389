/* libFuzzer target of annotations that are lines of text. The first byte says which: .pts, WFLW's list, YOLO's labels, a YAML file of
 * names, DeepLabCut's table, a table with names of images; the rest is the file. What is taken has a name, finite points, both coordinates
 * or neither, and boxes of a size; what is not has a message that names the file. Opening may end the program: die comes back here, and
 * what it left is freed. With FUZZ_SEEDS=DIR it writes seeds there and exits. */
#include <math.h>

#include "lib/import/form.h"
#include "tests/fuzz_die.h"

enum { PTS, WFLW, YOLO, NAMES, DLC, TABLE, PTS_FOLDER, YOLO_FOLDER, NAME_LIST, KINDS };
static const char *const paths[KINDS] = {"x.pts", "x.list", "x.txt", "y.txt", "x.csv", "x.csv", "", "", "y.txt"};
static const struct annotation_form *const forms[KINDS] = {
	&form_pts, &form_wflw, &form_yolo, &form_yolo, &form_dlc, &form_table, &form_pts, &form_yolo, &form_yolo};
static char folder[] = "/tmp/fuzz_texts.XXXXXX";

/* In the folder each kind's file is a link to the one in memory: a file on a disk costs milliseconds. */
static const char *const linked[] = {"x.pts", "x.list", "x.txt", "x.yaml", "x.csv"};
static const struct {
	const char *name, *text;
} others[] = {{"x.png", ""}, {"y.png", ""}, {"y.txt", "0 .5 .5 1 1 .1 .2 1 .3 .4 2\n"}, {"twice.jpg", ""}, {"twice.png", ""},
	{"twice.txt", "0 .5 .5 1 1\n"}, {"classes.txt", "face\n"}, {"none.txt", "0 .5 .5 1 1\n"}, {"two.pts", "{\n1 2\n3 4\n}\n"},
	{"two.png", ""}, {"two_2.pts", "{\n5 6\n7 8\n}\n"}, {"no_2.pts", "{\n5 6\n}\n"}, {"bad.pts", "{"}, {"alone.png", ""},
	{"empty.txt", ""}, {"empty.png", ""}};

static const char *path_of(const char *name)
{
	static char path[2][64];
	static int i;
	i = !i;
	snprintf(path[i], sizeof path[i], "%s/%s", folder, name);
	return path[i];
}

static void clean(void)
{
	for (size_t i = 0; i < sizeof linked / sizeof *linked; i++)
		unlink(path_of(linked[i]));
	for (size_t i = 0; i < sizeof others / sizeof *others; i++)
		unlink(path_of(others[i].name));
	rmdir(folder);
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	static const char *const texts[] = {"0version: 1\nn_points:  2\n{\n1 2\n3.5 nan // c\nnan nan\n}\n",
		"11 2 3 4 10 20 19 39 0 1 0 0 1 1 a/b c.png\n\n1 2 3 4 10 20 19 39 0 1 0 0 1 1 ../d.png\n",
		"20 0.5 0.25 0.5 0.25 0.1 0.2 2 1.0000001 0 0\n1 .5 .5 1 1 0 0 0 1 1 1\n", "30 .5 .5 1 1 0 0 .1 .2\n",
		"3kpt_shape: [2, 3] # c\nflip_idx: [1, 0]\nkpt_names:\n  0:\n    - 'a'\n    - \"b\"\n  1: [c,\n d]\n",
		"4scorer,m,m,m\nbodyparts,n,n,n\ncoords,x,y,likelihood\nlabeled-data\\v\\a.png,1,\"2\",0.5\nb.png,,,\n",
		"4scorer,,,s,s,s,s\nindividuals,,,p,p,q,q\nbodyparts,,,n,n,n,n\ncoords,,,y,x,x,y\na,b,c.png,1,2,,\n",
		"5# c\nFilename,a_x,a_y,x_b,y_b,age,x,y,w,h\n\"a \"\"b\"\".png\",1,2,,nan,7,1,2,3,4\n\nb\\c.png,+1e3,-2,3,4,,,,,\n",
		"5path;width;height;a.x;a.y;xmin;ymin;xmax;ymax\nb.png;640;480;1,5;2;1;2;3;4\n"};
	(void)argc, (void)argv;
	if (fuzz_seeds_dir()) {
		fuzz_seed_texts("", texts, sizeof texts / sizeof *texts);
		exit(0);
	}
	need(mkdtemp(folder) && !atexit(clean));
	for (size_t i = 0; i < sizeof linked / sizeof *linked; i++)
		need(!symlink(fuzz_path(), path_of(linked[i])));
	for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
		FILE *f = fopen(path_of(others[i].name), "w");
		need(f && fputs(others[i].text, f) >= 0 && !fclose(f));
	}
	return 0;
}

static const char *list; /* NAME_LIST: the input */
static int unlabelled;	 /* images without annotations are faces too */

static void read_faces(void *arg)
{
	int kind = *(const int *)arg;
	const char *names = kind == NAMES ? path_of("x.yaml") : kind == NAME_LIST ? list : NULL;
	const char *path = *paths[kind] ? path_of(paths[kind]) : folder, *operand = path;
	char err[ANNOTATION_ERR];
	struct annotation_options o = {.operands = &operand, .noperands = 1, .origin = -1, .names = names, .unlabelled = unlabelled};
	o.images = kind == PTS || kind == PTS_FOLDER ? NULL : folder;
	struct annotations a = {0};
	void *state = forms[kind]->open(&a, &o);
	if (a.K < (kind != TABLE && kind != YOLO && kind != YOLO_FOLDER) || a.K > ANNOTATION_POINTS || a.names[a.K])
		abort();
	double *points = xmalloc(2 * (size_t)a.K * sizeof *points + 1);
	for (int r = 1; r;) {
		struct annotation face = {.points = points};
		for (int i = 0; i < 2 * a.K; i++)
			points[i] = NAN;
		*err = 0;
		r = forms[kind]->next(state, &a, &face, err);
		if (r < 0 && strncmp(err, path, strlen(path)))
			abort();
		if (r <= 0)
			continue;
		if (kind == TABLE) { /* the rest is what annotations_next looks at, for all forms */
			if (!face.file || !*face.place || (!face.W != !face.H))
				abort();
			continue;
		}
		if (!*face.file || (!*face.place && kind != PTS && kind != YOLO) || (face.path && !*face.path) ||
			(face.has_box && !(face.box[2] > 0 && face.box[3] > 0)))
			abort();
		for (int k = 0; k < a.K; k++)
			if (isnan(points[2 * k]) != isnan(points[2 * k + 1]) || isinf(points[2 * k]) || isinf(points[2 * k + 1]))
				abort();
	}
	free(points);
	for (int k = 0; k < a.K; k++)
		free(a.names[k]);
	free(a.names), free(a.unread), free(a.loops), free(a.flip);
	forms[kind]->close(state);
}

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size)
{
	if (!size || *data < '0' || *data >= '0' + KINDS)
		return 0;
	int kind = *data - '0';
	char *text = NULL;
	fuzz_file(data + 1, size - 1);
	if (kind == NAME_LIST) {
		need((text = malloc(size)) != NULL);
		memcpy(text, data + 1, size - 1);
		text[size - 1] = 0, list = text;
	}
	unlabelled = size % 2;
	fuzz_died(read_faces, &kind);
	free(text);
	return 0;
}
