/* Ranks: how many there are, exchanges between two of them, and what is made of these. */
#include "lib/ranks/ranks.h"

#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/base/err.h"
#include "lib/base/num.h"
#include "lib/base/out.h"
#include "lib/ranks/ranks_link.h"

static int64_t number(const char *variable)
{
	int64_t v;
	const char *s = getenv(variable);
	return s && num_int(s, &v) ? v : 0;
}

/* Machines' names, and which ranks share processors: those that mpirun or Slurm binds to the same, and those of a machine that it doesn't.
 */
static void name_hosts(struct ranks *r)
{
	cpu_set_t *set = xcalloc((size_t)r->size, sizeof *set);
	r->host = xcalloc((size_t)r->size, sizeof *r->host);
	if (gethostname(r->host[r->rank], sizeof *r->host - 1))
		strcpy(r->host[r->rank], "?");
	ranks_allreduce_or(r, r->host, (size_t)r->size * sizeof *r->host);
	sched_getaffinity(0, sizeof *set, &set[r->rank]); /* else none: those of all */
	ranks_allreduce_or(r, set, (size_t)r->size * sizeof *set);
	for (int i = 0; i < r->rank; i++)
		r->place += !strcmp(r->host[i], r->host[r->rank]);
	for (int i = 0; i < r->size; i++)
		r->local += !strcmp(r->host[i], r->host[r->rank]) && CPU_EQUAL(&set[i], &set[r->rank]);
	free(set);
}

/* Until the watch is there rank 0 alone speaks, whose reason is the others', too; their end would have mpirun end it before it does. */
static void linger(const char *reason)
{
	(void)reason;
	sleep(1);
}

static struct ranks *opened; /* until it is closed */

/* Of --help and all that ends early and well: a process that goes without MPI's end is a failure. */
static void close_at_exit(void)
{
	ranks_close(opened);
}

static void *drain(void *arg)
{
	static char dropped[1 << 14];
	ssize_t n;
	(void)arg;
	while ((n = read(STDIN_FILENO, dropped, sizeof dropped)) > 0 || (n < 0 && errno == EINTR))
		;
	return NULL;
}

/* Rank 0 alone uses stdin, but srun gives every rank all of it and waits until each has taken it, even where one has closed it. */
static void drain_stdin(void)
{
	struct stat st;
	pthread_t t;
	if (fstat(STDIN_FILENO, &st) || !S_ISFIFO(st.st_mode))
		return;
	int e = pthread_create(&t, NULL, drain, NULL);
	if (e)
		die("a thread can't be started: %s", strerror(e));
	pthread_detach(t);
}

struct ranks *ranks_open(void)
{
	sigset_t ends, before;
	int64_t by_mpirun = number("OMPI_COMM_WORLD_SIZE"), by_srun = number("SLURM_STEP_NUM_TASKS");
	int64_t started = by_mpirun ? by_mpirun : by_srun > 1 ? by_srun : 0;
	if (!started)
		return NULL;
	err_name(program_invocation_short_name); /* opt_parse comes later */
	if (number(by_mpirun ? "OMPI_COMM_WORLD_RANK" : "SLURM_PROCID"))
		err_instead(linger);
	if (!ranks_mpi_open)
		die("it was started as one of %lld ranks, but this build has no MPI (make builds with it where Debian's libopenmpi-dev is)",
			(long long)started);
	struct ranks *r = xcalloc(1, sizeof *r);
	ranks_watch_signals(&ends), pthread_sigmask(SIG_BLOCK, &ends, &before);
	r->link = ranks_mpi_open();
	if (r->link->rank)
		drain_stdin();
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	r->rank = r->link->rank, r->size = r->link->size, r->transport = &ranks_allreduce_host;
	if (r->size != started)
		die("it was started as one of %lld ranks, but MPI sees %d: srun needs --mpi=pmix, or mpirun within salloc",
			(long long)started, r->size);
	if (r->rank)
		out_nothing();
	if (r->size & (r->size - 1) || r->size > RANKS_MOST)
		die_usage("it was started as %d ranks: their number must be a power of two, at most %d", r->size, RANKS_MOST);
	name_hosts(r);
	r->watch = r->size > 1 ? ranks_watch_open(r) : NULL;
	opened = r, atexit(close_at_exit);
	return r;
}

void ranks_close(struct ranks *r)
{
	if (!r)
		return;
	char all = 0;
	opened = NULL;
	ranks_allreduce_or(r, &all, 1); /* none is gone before all are here */
	ranks_allreduce_close(r), ranks_watch_close(r->watch);
	r->link->close();
	free(r->host), free(r);
}

int ranks_rank(const struct ranks *r)
{
	return r ? r->rank : 0;
}

int ranks_size(const struct ranks *r)
{
	return r ? r->size : 1;
}

void ranks_pause(int tries)
{
	if (tries < 200)
		sched_yield();
	else
		usleep(50);
}

void ranks_exchange(struct ranks *r, int peer, const void *out, size_t sent, void *in, size_t received)
{
	enum { PIECE = 1 << 30 };
	while (sent || received) {
		size_t s = sent < PIECE ? sent : PIECE, v = received < PIECE ? received : PIECE;
		void *to = v ? r->link->receive(peer, RANKS_TAG, in, v) : NULL, *from = s ? r->link->send(peer, RANKS_TAG, out, s) : NULL;
		for (int tries = 0; to || from; tries++) {
			to = to && r->link->done(to) ? NULL : to, from = from && r->link->done(from) ? NULL : from;
			if (to || from)
				ranks_pause(tries);
		}
		out = s ? (const char *)out + s : out, in = v ? (char *)in + v : in;
		sent -= s, received -= v, r->bytes += s;
	}
}

void ranks_allreduce(struct ranks *r, double *v, size_t n)
{
	double *other = ranks_size(r) > 1 ? xmalloc(n * sizeof *other) : NULL;
	for (int d = 1; d < ranks_size(r); d *= 2) {
		ranks_exchange(r, r->rank ^ d, v, n * sizeof *v, other, n * sizeof *v);
		for (size_t i = 0; i < n; i++)
			v[i] += other[i]; /* a + b is b + a */
	}
	free(other);
}

void ranks_allreduce_or(struct ranks *r, void *bytes, size_t n)
{
	unsigned char *v = bytes, *other = ranks_size(r) > 1 ? xmalloc(n) : NULL;
	for (int d = 1; d < ranks_size(r); d *= 2) {
		ranks_exchange(r, r->rank ^ d, v, n, other, n);
		for (size_t i = 0; i < n; i++)
			v[i] |= other[i];
	}
	free(other);
}

void ranks_broadcast(struct ranks *r, void *bytes, size_t n)
{
	int d = ranks_size(r) / 2;
	for (; d; d /= 2) /* those whose number is divisible by 2 d have them, and give them to those by d */
		if (r->rank % (2 * d) == 0)
			ranks_exchange(r, r->rank + d, bytes, n, NULL, 0);
		else if (r->rank % d == 0)
			ranks_exchange(r, r->rank - d, NULL, 0, bytes, n);
}

void ranks_send(struct ranks *r, int to, void *bytes, size_t n)
{
	if (ranks_rank(r) == 0 && to)
		ranks_exchange(r, to, bytes, n, NULL, 0);
	else if (to && ranks_rank(r) == to)
		ranks_exchange(r, 0, NULL, 0, bytes, n);
}

void ranks_compare(struct ranks *r, uint32_t value, const char *what)
{
	if (ranks_size(r) == 1)
		return;
	uint32_t *all = xcalloc((size_t)r->size, sizeof *all), most = 0;
	int count = 0;
	all[r->rank] = value;
	ranks_allreduce_or(r, all, (size_t)r->size * sizeof *all);
	for (int i = 0; i < r->size; i++) {
		int same = 0;
		for (int k = 0; k < r->size; k++)
			same += all[k] == all[i];
		if (same > count)
			count = same, most = all[i];
	}
	for (int i = 0; i < r->size; i++)
		if (all[i] != most)
			die("rank %d (%s) differs from %s: %s", i, r->host[i], count > 1 ? "most" : "rank 0", what);
	free(all);
}
