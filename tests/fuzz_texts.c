/* libFuzzer target of annotations that are lines of text. The first byte says which: .pts, WFLW's list, YOLO's labels, a YAML file of
 * names, DeepLabCut's table, a table with names of images; the rest is the file. What is taken has a name, finite points, both coordinates
 * or neither, and boxes of a size; what is not has a message that names the file. Opening may end the program: die comes back here, and
 * what it left is freed. With FUZZ_SEEDS=DIR it writes seeds there and exits. */
#include <fcntl.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/base/err.h"
#include "lib/import/form.h"

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size);
int LLVMFuzzerInitialize(int *argc, char ***argv);
int __sanitizer_get_ownership(const volatile void *p);
int __sanitizer_install_malloc_and_free_hooks(void (*on_malloc)(const volatile void *, size_t), void (*on_free)(const volatile void *));

/* ---- in the place of lib/base/err.c ---- */

static jmp_buf died;
static void **taken; /* what was allocated in this run; freed or not */
static size_t ntaken, room;
static _Thread_local int running; /* of the thread that reads: what libFuzzer's others allocate is theirs */

const char *err_program(void)
{
	return "fuzz_texts";
}

static void on_malloc(const volatile void *p, size_t n)
{
	static int growing;
	(void)n;
	if (!running || growing)
		return;
	growing = 1;
	if (ntaken == room && !(taken = realloc(taken, (room = 2 * room + 1024) * sizeof *taken)))
		abort();
	growing = 0;
	taken[ntaken++] = (void *)(uintptr_t)p;
}

static void on_free(const volatile void *p)
{
	(void)p;
}

static void *sure(void *p)
{
	if (!p)
		abort();
	return p;
}

void *xmalloc(size_t n)
{
	return sure(malloc(n ? n : 1));
}
void *xcalloc(size_t n, size_t size)
{
	return sure(calloc(n ? n : 1, size ? size : 1));
}
void *xrealloc(void *p, size_t n)
{
	return sure(realloc(p, n ? n : 1));
}
char *xstrdup(const char *s)
{
	return sure(strdup(s));
}
char *xprintf(const char *fmt, ...)
{
	char *s;
	va_list ap;
	va_start(ap, fmt);
	if (vasprintf(&s, fmt, ap) < 0)
		abort();
	va_end(ap);
	return s;
}

static void ended(const char *fmt, va_list ap)
{
	char why[4096];
	if (vsnprintf(why, sizeof why, fmt, ap) <= 0)
		abort();
	longjmp(died, 1);
}

void die(const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	ended(fmt, ap);
	abort();
}
void die_errno(const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	ended(fmt, ap);
	abort();
}
void die_usage(const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	ended(fmt, ap);
	abort();
}

static int by_address(const void *a, const void *b)
{
	const char *x = *(void *const *)a, *y = *(void *const *)b;
	return (x > y) - (x < y);
}

static void free_all(void)
{
	qsort(taken, ntaken, sizeof *taken, by_address);
	for (size_t i = 0; i < ntaken; i++)
		if ((!i || taken[i] != taken[i - 1]) && __sanitizer_get_ownership(taken[i]))
			free(taken[i]);
	closefrom(100); /* the text that was being read; libFuzzer's own are lower */
}

/* ---- one input ---- */

enum { PTS, WFLW, YOLO, NAMES, DLC, TABLE, KINDS };
static const char *const paths[KINDS] = {"x.pts", "x.list", "x.txt", "x.yaml", "x.csv", "x.csv"};
static const struct annotation_form *const forms[KINDS] = {&form_pts, &form_wflw, &form_yolo, &form_yolo, &form_dlc, &form_table};
static char folder[] = "/tmp/fuzz_texts.XXXXXX";

static void write_file(const char *name, const void *data, size_t n)
{
	char path[64];
	snprintf(path, sizeof path, "%s/%s", folder, name);
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0666);
	if (fd < 0 || write(fd, data, n) != (ssize_t)n || close(fd))
		abort();
}

static void clean(void)
{
	static const char *const all[] = {"x.pts", "x.list", "x.txt", "x.yaml", "x.csv", "x.png", "y.txt", "y.png"};
	char path[64];
	for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
		snprintf(path, sizeof path, "%s/%s", folder, all[i]);
		unlink(path);
	}
	rmdir(folder);
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	static const char *const texts[] = {"0version: 1\nn_points:  2\n{\n1 2\n3.5 nan // c\nnan nan\n}\n",
		"11 2 3 4 10 20 19 39 0 1 0 0 1 1 a/b c.png\n\n1 2 3 4 10 20 19 39 0 1 0 0 1 1 ../d.png\n",
		"20 0.5 0.25 0.5 0.25 0.1 0.2 2 1.0000001 0 0\n1 .5 .5 1 1 0 0 0 1 1 1\n", "30 .5 .5 1 1 0 0 .1 .2\n",
		"3kpt_shape: [2, 3] # c\nkpt_names:\n  0:\n    - 'a'\n    - \"b\"\n  1: [c,\n d]\n",
		"4scorer,m,m,m\nbodyparts,n,n,n\ncoords,x,y,likelihood\nlabeled-data\\v\\a.png,1,\"2\",0.5\nb.png,,,\n",
		"4scorer,,,s,s,s,s\nindividuals,,,p,p,q,q\nbodyparts,,,n,n,n,n\ncoords,,,y,x,x,y\na,b,c.png,1,2,,\n",
		"5# c\nFilename,a_x,a_y,x_b,y_b,age,x,y,w,h\n\"a \"\"b\"\".png\",1,2,,nan,7,1,2,3,4\n\nb\\c.png,+1e3,-2,3,4,,,,,\n",
		"5path;width;height;a.x;a.y;xmin;ymin;xmax;ymax\nb.png;640;480;1,5;2;1;2;3;4\n"};
	const char *dir = getenv("FUZZ_SEEDS");
	(void)argc, (void)argv;
	for (size_t i = 0; dir && i < sizeof texts / sizeof *texts; i++) {
		char path[1024];
		snprintf(path, sizeof path, "%s/%zu", dir, i);
		FILE *f = fopen(path, "wb");
		if (!f || fputs(texts[i], f) < 0 || fclose(f))
			abort();
	}
	if (dir)
		exit(0);
	if (!mkdtemp(folder) || !__sanitizer_install_malloc_and_free_hooks(on_malloc, on_free))
		abort();
	atexit(clean);
	write_file("x.png", "", 0);
	/* descriptors of the texts are above libFuzzer's */
	for (int fd = 3; fd < 100; fd++)
		if (fcntl(fd, F_GETFD) < 0)
			(void)!dup2(2, fd);
	return 0;
}

static void read_faces(int kind, const char *path)
{
	const char *operand = path;
	char names[64], err[ANNOTATION_ERR];
	snprintf(names, sizeof names, "%s/x.yaml", folder);
	struct annotation_options o = {.operands = &operand, .noperands = 1, .origin = -1, .names = kind == NAMES ? names : NULL};
	o.images = kind == PTS ? NULL : folder;
	struct annotations a = {0};
	void *state = forms[kind]->open(&a, &o);
	if (a.K < (kind != TABLE && kind != YOLO) || a.K > ANNOTATION_POINTS || a.names[a.K])
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
		if (!*face.file || !*face.place || (face.path && !*face.path) || (face.has_box && !(face.box[2] > 0 && face.box[3] > 0)))
			abort();
		for (int k = 0; k < a.K; k++)
			if (isnan(points[2 * k]) != isnan(points[2 * k + 1]) || isinf(points[2 * k]) || isinf(points[2 * k + 1]))
				abort();
	}
	free(points);
	for (int k = 0; k < a.K; k++)
		free(a.names[k]);
	free(a.names), free(a.unread);
	forms[kind]->close(state);
}

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size)
{
	static const char label[] = "0 .5 .5 1 1 .1 .2 1 .3 .4 2\n";
	char path[64];
	if (!size || *data < '0' || *data >= '0' + KINDS)
		return 0;
	int kind = *data - '0';
	write_file(paths[kind], data + 1, size - 1);
	if (kind == NAMES)
		write_file("x.txt", label, strlen(label));
	snprintf(path, sizeof path, "%s/%s", folder, paths[kind == NAMES ? YOLO : kind]);
	ntaken = 0;
	running = 1;
	int ended_early = setjmp(died);
	if (!ended_early)
		read_faces(kind, path);
	running = 0;
	if (ended_early)
		free_all();
	return 0;
}
