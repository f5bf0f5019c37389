/* Runs a program again and again, each time with another one of its calls failing (tests/failing.c), and judges what it leaves.
 * usage: sweep [-n FEW] [-r] [-o FOLDER] [-x FILE] LIBRARY WANT:CALL:ERRNO[:WHERE]... -- PROGRAM [ARGUMENT]...
 *        sweep ... pass:short:SEEDS
 * The program writes into the folder out of the working directory; before each run out holds a file `old NAME opt/epoch` (which --fresh
 * takes for a checkpoint) for each one that it writes. CALL and ERRNO (a number) as in failing.c, on files in WHERE: out, in, or both by
 * default. The first, the second, ... call fails, until a run has fewer; -n: at most FEW, spread, of `alloc` thrice as many. WANT: fail: it
 * ends with 1 and one line, which names the file and says why (or asks for memory); outputs are as they were, or, from its first rename on,
 * whole and new; of one output alone, nothing that opens a file or takes memory comes after its rename; no temporary file is left. pass: it
 * succeeds, with the bytes of a run where nothing fails. either: one of both. any: a library may make other bytes of it, or end it by a
 * signal; what was there before is whole, still. -r: nothing is there before, and after a failure the same command succeeds with the same
 * bytes. -o: what is there before is in FOLDER. -x: an output that grows as the program runs, which is not compared; a file c.tns may be
 * any whole stream. short: the program's reads and writes are short and interrupted, with each of SEEDS seeds. Prints a line for each
 * WANT:...: `CALL ERRNO CALLS ASKED FAILED PASSED SIGNALS`, and to stderr what was wrong; the exit status tells of that. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/failing.h"

enum { FILES = 32, BYTES = 8 << 20, SECONDS = 20, NAME = 256 };

struct file {
	char name[NAME];
	unsigned char *data;
	size_t n;
	unsigned char *old; /* what is there before; NULL: nothing */
	size_t nold;
};

static struct file good[FILES];
static int goods;
static char **command;
static const char *library, *ignored = "", *before;
static int resumed, wrong;
static long few;
static struct failed *page;
static char said[BYTES], first_said[BYTES], here[4096], page_name[64];
static int out_fd, said_fd; /* of files without a name */

static void give_up(const char *what)
{
	perror(what);
	exit(2);
}

static size_t get(const char *path, void *to, size_t size)
{
	int fd = open(path, O_RDONLY);
	size_t n = 0;
	ssize_t r;
	if (fd < 0)
		return (size_t)-1;
	while ((r = read(fd, (char *)to + n, size - n)) > 0)
		n += (size_t)r;
	close(fd);
	return n;
}

static void put(const char *path, const void *data, size_t n)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0666);
	if (fd < 0 || write(fd, data, n) != (ssize_t)n)
		give_up(path);
	close(fd);
}

/* fn for each file in out; a folder is emptied and removed. */
static void each(const char *folder, void (*fn)(const char *path, const char *name))
{
	DIR *d = opendir(folder);
	if (!d)
		give_up(folder);
	for (struct dirent *e; (e = readdir(d));) {
		char path[2 * NAME + 8];
		snprintf(path, sizeof path, "%s/%s", folder, e->d_name);
		if (strcmp(e->d_name, ".") && strcmp(e->d_name, ".."))
			fn(path, e->d_name);
	}
	closedir(d);
}

static void gone(const char *path, const char *name)
{
	(void)name;
	if (unlink(path))
		give_up(path);
}

static void lay(const char *path, const char *name)
{
	static unsigned char all[BYTES];
	char to[NAME + 8];
	snprintf(to, sizeof to, "out/%.255s", name);
	put(to, all, get(path, all, sizeof all));
}

static void keep(const char *path, const char *name)
{
	static unsigned char all[BYTES];
	size_t n = get(path, all, sizeof all);
	if (goods == FILES || n >= BYTES)
		exit(2);
	if (strcmp(name, ignored)) {
		snprintf(good[goods].name, NAME, "%s", name);
		good[goods].data = memcpy(malloc(n + 1), all, n);
		good[goods].n = n;
		char old[2 * NAME + 24];
		n = (size_t)snprintf(old, sizeof old, before ? "%.250s/%.255s" : "old %.0s%.255s opt/epoch\n", before ? before : "", name);
		memcpy(all, old, n + 1);
		if (before && (n = get(old, all, sizeof all)) == (size_t)-1)
			n = 0;
		else if (before || !resumed)
			good[goods].old = memcpy(malloc(n + 1), all, n);
		good[goods++].nold = n;
	}
}

/* The exit status; 128 and more: a signal. call: none, if NULL. */
static int run(const char *call, long nth, int err, const char *where)
{
	if (ftruncate(out_fd, 0) || ftruncate(said_fd, 0) || lseek(out_fd, 0, SEEK_SET) || lseek(said_fd, 0, SEEK_SET))
		give_up("memfd");
	memset(page, 0, sizeof *page);
	pid_t pid = fork();
	if (!pid) {
		char fail[64], in[4200];
		snprintf(fail, sizeof fail, "%s:%ld:%d", call ? call : "none", nth, err);
		snprintf(in, sizeof in, "%s%s%s", here, *where ? "/" : "", where);
		setenv("FAIL", fail, 1), setenv("FAIL_IN", in, 1), setenv("FAILED", page_name, 1);
		if (call)
			setenv("LD_PRELOAD", library, 1);
		if (call && !strcmp(call, "short"))
			setenv("SHORT", strchr(fail, ':') + 1, 1);
		int null = open("/dev/null", O_RDONLY);
		dup2(null, 0), dup2(out_fd, 1), dup2(said_fd, 2);
		close(null);
		alarm(10 * SECONDS);
		setrlimit(RLIMIT_CPU, &(struct rlimit){SECONDS, SECONDS});
		execvp(*command, command);
		_exit(127);
	}
	int status;
	if (pid < 0 || waitpid(pid, &status, 0) < 0)
		give_up("fork");
	ssize_t n = pread(said_fd, said, sizeof said - 1, 0);
	said[n < 0 ? 0 : n] = 0;
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

static const char *spec;

static void fault(long nth, const char *what, const char *of)
{
	fprintf(stderr, "%s, call %ld (%s): %s%s:", spec, nth, page->name, what, of);
	for (char **s = command; *s; s++)
		fprintf(stderr, " %s", *s);
	fprintf(stderr, "\n");
	wrong++;
}

static long at; /* the call that fails, for strays */

static void stray(const char *path, const char *name)
{
	size_t n = strlen(name);
	(void)path;
	/* what can't be locked may be another's, and stays; so does what can't be removed */
	if (n > 4 && !strcmp(name + n - 4, ".tmp") && !strstr(spec, "flock") && !strstr(spec, "fstat") && !strstr(spec, "unlink"))
		fault(at, name, " is left");
}

static void begin(void)
{
	char path[NAME + 8];
	each("out", gone);
	for (int i = 0; i < goods; i++) {
		snprintf(path, sizeof path, "out/%.255s", good[i].name);
		if (good[i].old)
			put(path, good[i].old, good[i].nold);
	}
}

static int is_whole(const char *path)
{
	char line[NAME + 40];
	snprintf(line, sizeof line, "tns-info --check %.260s >/dev/null 2>&1", path);
	return !system(line);
}

/* Counts outputs that are as they were; new ones are whole. */
static int olds(long nth)
{
	static unsigned char all[BYTES];
	int n = 0;
	for (int i = 0; i < goods; i++) {
		char path[NAME + 8];
		snprintf(path, sizeof path, "out/%.255s", good[i].name);
		size_t size = get(path, all, sizeof all);
		if (!good[i].old ? size == (size_t)-1 : size == good[i].nold && !memcmp(all, good[i].old, size))
			n++;
		else if ((size != good[i].n || memcmp(all, good[i].data, size)) && (strcmp(good[i].name, "c.tns") || !is_whole(path)))
			fault(nth, good[i].name, " is neither old nor whole");
	}
	return n;
}

/* The one line names the program, the file, and the reason. */
static void check_line(long nth, const char *call, int err)
{
	const char *slash = strrchr(*command, '/'), *program = slash ? slash + 1 : *command;
	size_t n = strlen(program);
	const char *end = strchr(said, '\n');
	size_t warned = strlen(first_said); /* what it says anyway */
	if (warned && !strncmp(said, first_said, warned)) {
		memmove(said, said + warned, strlen(said + warned) + 1);
		end = strchr(said, '\n');
	}
	int memory = !strcmp(call, "alloc") || !strcmp(call, "library") || !strcmp(call, "thread");
	if (!end || end[1] || strncmp(said, program, n) || (strncmp(said + n, ": ", 2) && said[n] != ' ')) {
		fault(nth, "is not one line: ", said);
		return;
	}
	if (memory ? !strcmp(call, "alloc") && !strstr(said, "memory") && !strstr(said, "allocate") && !strstr(said, "thread")
		   : err && !strstr(said, strerror(err)))
		fault(nth, "does not say why: ", said);
	if (memory)
		return;
	char name[4096];
	slash = strrchr(page->name, '/');
	snprintf(name, sizeof name, "%s", slash ? slash + 1 : page->name);
	char *file = *name == '.' && name[1] ? name + 1 : name; /* .NAME.tmp is NAME's */
	n = strlen(file);
	if (file > name && n > 4 && !strcmp(file + n - 4, ".tmp"))
		file[n - 4] = 0;
	if (!strstr(said, file) && *file != '#' && !strstr(said, "temporary file")) /* one that never had a name */
		fault(nth, "does not name the file: ", said);
}

static void again(long nth)
{
	if (run(NULL, 0, 0, ""))
		fault(nth, "the next run fails: ", said);
	else if (olds(nth))
		fault(nth, "the next run", " writes nothing");
}

/* How many such calls there are; of files anywhere in the working directory, what one run has counted holds for all. */
static long total_of(int kind, const char *where)
{
	static struct failed all;
	static char counted[64] = "?";
	if (kind == CALLS)
		return few;
	if (strcmp(counted, where)) {
		begin();
		run("none", 0, 0, where);
		all = *page;
		snprintf(counted, sizeof counted, "%s", where);
	}
	return all.count[kind];
}

static void sweep(char *text)
{
	char want[16], call[16], where[64] = "";
	int err;
	long total = -1, asked = 0, ended = 0, passed = 0, signals = 0;
	spec = text;
	if (sscanf(text, "%15[a-z]:%15[a-z]:%d:%63s", want, call, &err, where) < 3)
		exit(2);
	int kind = 0, shorter = !strcmp(call, "short");
	while (kind < CALLS && strcmp(calls[kind], call))
		kind++;
	if (kind == CALLS && !shorter)
		exit(2);
	if (few)
		total = total_of(kind, where);
	else if (shorter)
		total = err;
	long most = few ? few * (strcmp(call, "alloc") ? 1 : 3) : -1;
	if (most < 0 || (total >= 0 && most > total))
		most = total;
	for (long i = 0; most < 0 || i < most; i++) {
		long nth = most < total ? 1 + (2 * i + 1) * total / (2 * most) : i + 1;
		begin();
		int status = run(call, nth, err, where);
		if (shorter ? !page->shortened : !page->reached) {
			if (total >= 0)
				continue; /* threads divide work in more than one way */
			total = i;
			break;
		}
		struct failed was = *page;
		at = nth;
		asked++, ended += status != 0, passed += status == 0;
		if (!strcmp(want, "any")) {
			if (status && olds(nth) < goods)
				fault(nth, "failure, and an output is new", "");
			if (status == 1)
				each("out", stray), check_line(nth, call, err);
			signals += status > 1;
			continue;
		}
		each("out", stray);
		int old = olds(nth);
		if (status == 0) {
			if (!strcmp(want, "fail"))
				fault(nth, "success", "");
			if (old)
				fault(nth, "success, and outputs are", " old");
		} else if (status != 1) {
			char how[32];
			snprintf(how, sizeof how, "exit %d: ", status);
			fault(nth, how, said);
		} else {
			if (!strcmp(want, "pass"))
				fault(nth, "failure: ", said);
			check_line(nth, call, err);
			int late = was.after && goods == 1 && (!strcmp(call, "alloc") || !strcmp(call, "open"));
			if (late) /* what can fail but the folder's fsync and closing is done before the rename */
				fault(nth, "fails after the rename: ", said);
			if (!was.after && old < goods)
				fault(nth, "an output is new, and ", "no rename was before");
			if (resumed)
				again(nth);
		}
	}
	printf("%s %d %ld %ld %ld %ld %ld\n", call, err, total, asked, ended - signals, passed, signals);
}

int main(int argc, char **argv)
{
	int c, fd, first;
	while ((c = getopt(argc, argv, "+n:o:rx:")) > 0)
		if (c == 'n')
			few = atol(optarg);
		else if (c == 'r')
			resumed = 1;
		else if (c == 'x')
			ignored = optarg;
		else if (c == 'o')
			before = optarg;
		else
			return 2;
	library = argv[optind++];
	for (first = optind; optind < argc && strcmp(argv[optind], "--"); optind++)
		;
	if (optind + 1 >= argc || !getcwd(here, sizeof here))
		return 2;
	int last = optind;
	command = argv + optind + 1;
	mkdir("out", 0777);
	fd = memfd_create("failed", MFD_CLOEXEC);
	out_fd = memfd_create("out", MFD_CLOEXEC), said_fd = memfd_create("err", MFD_CLOEXEC);
	if (ftruncate(fd, sizeof *page) || (page = mmap(NULL, sizeof *page, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0)) == MAP_FAILED)
		give_up("memfd_create");
	snprintf(page_name, sizeof page_name, "/proc/%d/fd/%d", getpid(), fd);
	each("out", gone);
	if (before)
		each(before, lay);
	spec = "none";
	if (run(NULL, 0, 0, "")) {
		fault(0, "fails: ", said);
		return 1;
	}
	strcpy(first_said, said);
	each("out", keep);
	for (int i = first; i < last; i++)
		sweep(argv[i]);
	return wrong != 0;
}
