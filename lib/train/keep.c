/* The checkpoint's file, and the line for SIGINT. */
#include "lib/train/keep.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/base/err.h"
#include "lib/base/log.h"
#include "lib/base/num.h"
#include "lib/base/opt.h"
#include "lib/base/out.h"

/* The line is left to the handler until the next one replaces it; the one before that is freed. */
static void say(char *line)
{
	static char *now, *before;
	free(before);
	before = now, now = line;
	out_interrupted(line);
}

/* 1: a regular file, 2: something else, 0: nothing has this name. */
static int what_is(const char *path)
{
	struct stat st;
	if (!stat(path, &st))
		return S_ISREG(st.st_mode) ? 1 : 2;
	if (errno != ENOENT && errno != ENOTDIR)
		die_errno("%s", path);
	return 0;
}

int keep_is_there(const char *path)
{
	return what_is(path) != 0;
}

static NORETURN void die_of_other(const char *path)
{
	die("%s: is no checkpoint, so it is not written over", path);
}

/* 1: the file is empty, or a checkpoint, perhaps one that is damaged: its METAs stand at its beginning. */
static int may_begin_over(const char *path)
{
	enum { MOST = 2 << 20 };
	static const char key[] = "opt/epoch";
	FILE *f = fopen(path, "rb");
	char *text = xmalloc(MOST);
	size_t n = f ? fread(text, 1, MOST, f) : 0;
	if (!f || ferror(f))
		die_errno("%s", path);
	int is = !n || memmem(text, n, key, sizeof key - 1);
	fclose(f), free(text);
	return is;
}

/* A run that is there already must not be lost by a forgotten --resume. */
static void check_there(const struct keep *k)
{
	struct tns *t = tns_open(k->path);
	const char *epoch = tns_meta_value(t, "opt/epoch"), *planned = tns_meta_value(t, "opt/planned");
	if (!epoch)
		die_of_other(k->path);
	if (!tns_meta_value(t, "opt/done"))
		die("%s: keeps epoch %s of %s of a run: --resume goes on, --fresh starts over", k->path, epoch, planned ? planned : "?");
	tns_free(t);
}

void keep_open(struct keep *k, const char *checkpoint, const char *output, int resume, int fresh)
{
	*k = (struct keep){0};
	int to_file = output && strcmp(output, "-") && what_is(output) != 2;
	if (checkpoint)
		k->path = xstrdup(checkpoint);
	else if (to_file)
		k->path = xprintf("%s.last", output), k->own = 1;
	if (resume && !k->path)
		die_usage("--resume needs --checkpoint, or --output FILE, beside which FILE.last is kept");
	if (resume && fresh)
		die_usage("--resume goes on, --fresh starts over: not both");
	int there = k->path && !resume && what_is(k->path) == 1;
	if (there && !fresh)
		check_there(k);
	if (there && fresh && !may_begin_over(k->path))
		die_of_other(k->path);
	say(xprintf("\n%s: interrupted: nothing is kept%s\n", err_program(),
		k->path ? "" : ", as nothing is of a run to stdout (--checkpoint FILE keeps its epochs)"));
}

void keep_not_mine(struct keep *k, int not_mine)
{
	k->own &= !not_mine;
}

struct keep_clock keep_clock(int own)
{
	return (struct keep_clock){own ? log_seconds() : 0, 0};
}

int keep_due(const struct keep_clock *c, int own, int at_end)
{
	double wait = 20 * c->cost > KEEP_SECONDS || !own ? 20 * c->cost : KEEP_SECONDS;
	return (at_end && !own) || log_seconds() - c->written >= wait;
}

void keep_timed(struct keep_clock *c, double begun)
{
	c->written = log_seconds(), c->cost = c->written - begun;
}

int keep_counter(const struct tns *t, const char *key, int max)
{
	int64_t v;
	const char *s = tns_meta_value(t, key);
	if (!s || !num_int(s, &v) || v < 0 || v > max)
		die("%s: META %s is missing or no count of at most %d: not a checkpoint of this program", t->name, key, max);
	return (int)v;
}

/* The command as it was given, with --resume, and without --fresh, which excludes it; to be freed. */
static char *command_that_resumes(void)
{
	char *c = xstrdup(opt_command()), *fresh = strstr(c, " --fresh"), *old = c;
	if (fresh && (!fresh[8] || fresh[8] == ' '))
		memmove(fresh, fresh + 8, strlen(fresh + 8) + 1);
	c = xprintf("%s%s", old, strstr(old, " --resume") ? "" : " --resume");
	free(old);
	return c;
}

void keep_written(const char *path, int layer, int epoch)
{
	char of[40] = "", *command = command_that_resumes();
	if (layer)
		snprintf(of, sizeof of, " of layer %d", layer);
	say(xprintf("\n%s: interrupted: epoch %d%s is kept in %s; this goes on: %s\n", err_program(), epoch, of, path, command));
	free(command);
}

void keep_close(struct keep *k)
{
	out_interrupted(NULL);
	if (k->own)
		unlink(k->path);
	free(k->path);
}
