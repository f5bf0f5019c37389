/* Runs a function that may end the program in a child process; returns its output and how it ended. */
#ifndef CHILD_H
#define CHILD_H

#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

struct child {
	int status; /* exit status, or -1 */
	int signal; /* the signal that ended it, or 0 */
	char out[16384], err[16384];
};

static void child_text(FILE *f, char *to, size_t size)
{
	rewind(f);
	to[fread(to, 1, size - 1, f)] = 0;
	fclose(f);
}

/* fn(arg) in a child, whose stdout and stderr are kept; a return from fn is exit status 99. */
static struct child child_run(void (*fn)(void *arg), void *arg)
{
	struct child c = {-1, 0, "", ""};
	int status = 0;
	FILE *out = tmpfile(), *err = tmpfile();
	if (!out || !err)
		abort();
	fflush(NULL);
	pid_t pid = fork();
	if (pid < 0)
		abort();
	if (!pid) {
		dup2(fileno(out), STDOUT_FILENO);
		dup2(fileno(err), STDERR_FILENO);
		fn(arg);
		_exit(99);
	}
	waitpid(pid, &status, 0);
	if (WIFEXITED(status))
		c.status = WEXITSTATUS(status);
	else
		c.signal = WTERMSIG(status);
	child_text(out, c.out, sizeof c.out);
	child_text(err, c.err, sizeof c.err);
	return c;
}

#endif
