/* Models and data sets from strangers: valid streams, changed at any place and with all checksums mended, through the programs themselves,
 * whose main functions are linked in here: each case is a child of this process, in a limit of memory and time. None may end by a signal,
 * pass a limit, ask the system for memory that a file only declares, or fail with anything but one line. What a case is depends on its
 * number alone.
 *   strangers N [FIRST]      runs N cases from number FIRST on (0) of the streams in the folder SEEDS: models are m-*.tns, data sets
 * d-*.tns strangers dump CASE DIR  writes the case's streams there and prints its command */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <time.h>

#include <cairo.h>

#include "lib/base/err.h"
#include "lib/nn/model.h"
#include "strangers.h"

int main_predict(int argc, char **argv);
int main_render(int argc, char **argv);
int main_info(int argc, char **argv);
int main_export(int argc, char **argv);

enum { SECONDS = 10, MIB = 256 };
#ifdef __SANITIZE_ADDRESS__
enum { LIMITED = 0 }; /* shadow memory is larger than any limit */
#else
enum { LIMITED = 1 };
#endif

/* M: a model, N: another of the same case, D: a data set that fits the model, or seems to. */
static const struct command {
	int (*main)(int argc, char **argv);
	const char *words;
} commands[] = {{main_predict, "predict -q -t 1 -o /dev/null M D"}, {main_predict, "predict -q -t 2 --maps -o /dev/null M D"},
	{main_predict, "predict -q -t 1 --flip --tta 3 --align --denoise -o /dev/null M D"},
	{main_predict, "predict -q -t 1 -d ref -o /dev/null M D"}, {main_predict, "predict -q -t 1 --flip -o /dev/null M N D"},
	{main_predict, "predict -q -t 1 -o /dev/null M D --refine N"}, {main_info, "tns-info -o /dev/null M"},
	{main_info, "tns-info -o /dev/null --json --head 3 M"}, {main_info, "tns-info --check D"},
	{main_info, "tns-info -o /dev/null --head 2 D"}, {main_export, "model-export -q --form onnx -o /dev/null M"},
	{main_export, "model-export -q --form onnx --fold --flip -o /dev/null M"},
	{main_export, "model-export -q --form safetensors -o /dev/null M"},
	{main_render, "render tiles -q --count 20 --format png -o /dev/null M"},
	{main_render, "render tiles -q --global --format svg -o /dev/null M D"},
	{main_render, "render faces -q --format png -o /dev/null D"},
	{main_render, "render faces -q --worst --names --count 3 --format pdf -o /dev/null D"},
	{main_render, "render maps -q --format png -o /dev/null D"}, {main_render, "render pairs -q --format svg -o /dev/null D"},
	{main_render, "render video -q -o /dev/null D"}};

enum { COMMANDS = sizeof commands / sizeof *commands };

static struct seeds models, sets;

/* Two thirds of all time would go into libpng, which compresses what was drawn: one picture in 32 is. */
static int pictures_kept;
cairo_status_t __real_cairo_surface_write_to_png_stream(cairo_surface_t *surface, cairo_write_func_t write, void *to);
cairo_status_t __wrap_cairo_surface_write_to_png_stream(cairo_surface_t *surface, cairo_write_func_t write, void *to);
cairo_status_t __wrap_cairo_surface_write_to_png_stream(cairo_surface_t *surface, cairo_write_func_t write, void *to)
{
	const cairo_status_t drawn = cairo_surface_status(surface);
	if (pictures_kept)
		return __real_cairo_surface_write_to_png_stream(surface, write, to);
	return drawn ? drawn : write(to, (const unsigned char *)"picture", 7);
}

struct stranger {
	const struct command *c;
	struct piece file[3]; /* M, N, D; without bytes: not used */
};

/* The case of this number. */
static struct stranger make(uint64_t number)
{
	struct stranger s = {0};
	struct dice d = dice_of(number);
	s.c = &commands[dice(&d, COMMANDS)];
	int W = 0, H = 0;
	for (int i = 0; i < 2; i++) {
		if (!strchr(s.c->words, i ? 'N' : 'M'))
			continue;
		const int fresh = dice(&d, 3) == 0;
		s.file[i] = fresh ? stranger_model(&d, &W, &H) : stranger_copy(&models, &d);
		if (!fresh || dice(&d, 4) == 0)
			stranger_change(&s.file[i], &d, &models);
	}
	if (strchr(s.c->words, 'D')) {
		s.file[2] = W ? stranger_set(&d, W, H) : stranger_copy(&sets, &d);
		if (!W ? s.c->main != main_predict || dice(&d, 2) : dice(&d, 4) == 0)
			stranger_change(&s.file[2], &d, &sets);
	}
	return s;
}

static void unmake(struct stranger *s)
{
	for (int i = 0; i < 3; i++)
		free(s->file[i].p);
}

/* The command's words, its streams in memory. */
static int words(struct stranger *s, char *text, char path[3][64], char *argv[32])
{
	static const char letters[] = "MND";
	int n = 0;
	strcpy(text, s->c->words);
	for (char *w = strtok(text, " "); w; w = strtok(NULL, " ")) {
		const char *at = w[1] ? NULL : strchr(letters, *w);
		argv[n++] = at ? path[at - letters] : w;
	}
	argv[n] = NULL;
	return n;
}

static int limit(int what, rlim_t to)
{
	return setrlimit(what, &(struct rlimit){to, to});
}

NORETURN static void child(struct stranger *s, int err)
{
	char text[256], path[3][64], *argv[32];
	for (int i = 0; i < 3; i++) {
		int fd = s->file[i].n ? memfd_create("stranger", 0) : -1;
		if (fd >= 0 && write(fd, s->file[i].p, s->file[i].n) != (ssize_t)s->file[i].n)
			_exit(100);
		snprintf(path[i], sizeof path[i], "/proc/self/fd/%d", fd);
	}
	int null = open("/dev/null", O_RDWR);
	dup2(null, 0), dup2(null, 1), dup2(err, 2);
	if (limit(RLIMIT_CPU, SECONDS) || limit(RLIMIT_CORE, 0) || (LIMITED && limit(RLIMIT_DATA, (rlim_t)MIB << 20)))
		_exit(100);
	exit(s->c->main(words(s, text, path, argv), argv));
}

static void describe(uint64_t number, const char *what, const char *err)
{
	struct stranger s = make(number);
	printf("case %llu: %s: %s: %s\n", (unsigned long long)number, s.c->words, what, err);
	fflush(stdout);
	unmake(&s);
}

struct counts {
	uint64_t taken, refused, bad;
	double slowest;
};

static void judge(uint64_t number, int status, const char *err, size_t n, double seconds, struct counts *c)
{
	char what[64];
	int lines = 0;
	for (size_t i = 0; i < n; i++)
		lines += err[i] == '\n';
	int code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
	c->slowest = seconds > c->slowest ? seconds : c->slowest;
	if (code > 2 || (code && lines != 1) || (!code && lines > 1) || strstr(err, "out of memory")) {
		snprintf(what, sizeof what, "exit %d, %d lines, %.2f s", code, lines, seconds);
		describe(number, what, err);
		c->bad++;
	} else if (code)
		c->refused++;
	else
		c->taken++;
}

static void run(uint64_t number, struct counts *c)
{
	static int err = -1;
	char text[4096] = "";
	int status;
	struct rusage use;
	struct stranger s = make(number);
	if (err < 0)
		err = memfd_create("stderr", MFD_CLOEXEC);
	if (err < 0 || ftruncate(err, 0) || lseek(err, 0, SEEK_SET))
		abort();
	pid_t pid = fork();
	if (pid < 0)
		abort();
	pictures_kept = number % 32 == 0;
	if (!pid)
		child(&s, err);
	while (wait4(pid, &status, 0, &use) < 0)
		if (errno != EINTR)
			abort();
	ssize_t n = pread(err, text, sizeof text - 1, 0);
	double seconds = (double)(use.ru_utime.tv_sec + use.ru_stime.tv_sec) + 1e-6 * (double)(use.ru_utime.tv_usec + use.ru_stime.tv_usec);
	judge(number, status, text, n > 0 ? (size_t)n : 0, seconds, c);
	unmake(&s);
}

static int dump(uint64_t number, const char *dir)
{
	char text[256], path[3][64], *argv[32];
	struct stranger s = make(number);
	for (int i = 0; i < 3; i++) {
		char *to = xprintf("%s/%c.tns", dir, "MND"[i]);
		FILE *f = s.file[i].n ? fopen(to, "wb") : NULL;
		if (f && (fwrite(s.file[i].p, 1, s.file[i].n, f) != s.file[i].n || fclose(f)))
			return 1;
		snprintf(path[i], sizeof path[i], "%s", to);
		free(to);
	}
	for (int i = 0, n = words(&s, text, path, argv); i < n; i++)
		printf("%s%c", argv[i], i + 1 < n ? ' ' : '\n');
	unmake(&s);
	return 0;
}

int main(int argc, char **argv)
{
	err_name("strangers");
	seeds_read(&models, getenv("SEEDS"), "m-"), seeds_read(&sets, getenv("SEEDS"), "d-");
	if (argc < 2 || !models.n || !sets.n)
		return 2;
	if (argc == 4 && !strcmp(argv[1], "dump"))
		return dump(strtoull(argv[2], NULL, 10), argv[3]);
	struct counts c = {0};
	uint64_t n = strtoull(argv[1], NULL, 10), first = argc > 2 ? strtoull(argv[2], NULL, 10) : 0;
	for (uint64_t i = first; i < first + n; i++)
		run(i, &c);
	printf("strangers: %llu %llu %llu %.2f\n", (unsigned long long)c.taken, (unsigned long long)c.refused, (unsigned long long)c.bad,
		c.slowest);
	return c.bad != 0;
}
