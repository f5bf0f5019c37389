/* A libnccl.so.2 for tests, on CUDA's runtime on the host (kernels/cuda/host_runtime.h): messages are files of a directory, which the
 * unique id names. What it is asked to do it puts into the stream, where it runs as late as the stream lets it. Wrong use ends the program:
 * calls outside of a group, messages of other sizes than are waited for. NCCL_FAKE: `init`: rank 1 can't start, which the others see, or
 * (`alone`) not, and wait for it; `old`: another version; `fails`: rank 1's 5th message does not go, and an error is only told to who asks
 * for it; `hangs`: no abort comes to an end; NCCL_FAKE_LOG=FILE: how each rank's communicator ended. */
#include <fcntl.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { RANKS = 8, OPS = 16, SUCCESS = 0, SYSTEM_ERROR = 2, INVALID_USAGE = 5, REMOTE_ERROR = 6, FLOAT = 7, VERSION = 22703 };

struct id {
	char internal[128];
};

struct comm {
	int rank, size;
	volatile int aborted, error;
	char dir[128];
	unsigned sent[RANKS], received[RANKS], messages;
};

enum kind { SEND, RECEIVE, SUM };

struct op {
	enum kind kind;
	struct comm *comm;
	float *v;
	size_t n;
	int peer;
};

struct group {
	int n;
	struct op op[OPS];
};

int cudaLaunchHostFunc(void *stream, void (*fn)(void *), void *arg);

static struct group open_group;
static void *open_stream;
static int depth;

static void wrong(const char *what)
{
	fprintf(stderr, "nccl_fake: %s\n", what);
	_exit(70);
}

static int is(const char *fault)
{
	const char *s = getenv("NCCL_FAKE");
	return s && strstr(s, fault) != NULL;
}

static void tell(const struct comm *c, const char *what)
{
	FILE *f = getenv("NCCL_FAKE_LOG") ? fopen(getenv("NCCL_FAKE_LOG"), "a") : NULL;
	if (f)
		fprintf(f, "rank %d of %d: %s\n", c->rank, c->size, what), fclose(f);
}

/* Appears whole. */
static void put(struct comm *c, int to, const float *v, size_t n)
{
	char path[200], whole[200];
	if (is("fails") && c->rank == 1 && ++c->messages >= 5) {
		c->error = SYSTEM_ERROR;
		return;
	}
	snprintf(path, sizeof path, "%s/part-%d-%d", c->dir, c->rank, to);
	snprintf(whole, sizeof whole, "%s/%d-%d-%u", c->dir, c->rank, to, c->sent[to]++);
	FILE *f = fopen(path, "w");
	if (!f || fwrite(v, sizeof *v, n, f) != n || fclose(f) || rename(path, whole))
		wrong("a message can't be written");
}

static void take(struct comm *c, int from, float *v, size_t n)
{
	char path[200];
	struct stat s;
	snprintf(path, sizeof path, "%s/%d-%d-%u", c->dir, from, c->rank, c->received[from]++);
	for (size_t i = 0; i < n; i++)
		v[i] = NAN;
	while (stat(path, &s)) {  /* as a kernel that waits: for ever */
		if (c->aborted) { /* what is there then is no sum, and nothing says so */
			memset(v, 0, n * sizeof *v);
			return;
		}
		usleep(200);
	}
	FILE *f = fopen(path, "r");
	if (!f || (size_t)s.st_size != n * sizeof *v || fread(v, sizeof *v, n, f) != n)
		wrong("a message has another size than is waited for");
	fclose(f), unlink(path);
}

/* Not in the tree's order. */
static void sum(struct comm *c, float *v, size_t n)
{
	float *all = calloc((size_t)c->size * n, sizeof *all);
	for (int i = 0; i < c->size; i++)
		if (i != c->rank)
			put(c, i, v, n);
	for (int i = 0; i < c->size; i++)
		if (i != c->rank)
			take(c, i, all + (size_t)i * n, n);
	memcpy(all + (size_t)c->rank * n, v, n * sizeof *v);
	for (size_t k = 0; k < n; k++) {
		v[k] = all[k];
		for (int i = 1; i < c->size; i++)
			v[k] += all[(size_t)i * n + k];
	}
	free(all);
}

static void run(void *arg)
{
	struct group *g = arg;
	for (int i = 0; i < g->n; i++)
		if (g->op[i].kind == SEND)
			put(g->op[i].comm, g->op[i].peer, g->op[i].v, g->op[i].n);
	for (int i = 0; i < g->n; i++)
		if (g->op[i].kind == RECEIVE)
			take(g->op[i].comm, g->op[i].peer, g->op[i].v, g->op[i].n);
		else if (g->op[i].kind == SUM)
			sum(g->op[i].comm, g->op[i].v, g->op[i].n);
	free(g);
}

int ncclGetVersion(int *version)
{
	*version = is("old") ? 2708 : VERSION;
	return SUCCESS;
}

const char *ncclGetErrorString(int result)
{
	return result == SYSTEM_ERROR	? "unhandled system error"
	       : result == REMOTE_ERROR ? "remote process exited or there was a network error"
					: "invalid usage";
}

int ncclGetUniqueId(struct id *id)
{
	snprintf(id->internal, sizeof id->internal, "%s/nccl.XXXXXX", getenv("TMPDIR") ? getenv("TMPDIR") : "/tmp");
	return mkdtemp(id->internal) ? SUCCESS : SYSTEM_ERROR;
}

/* Leaves word that this rank has begun or can't, and waits for the others' word: the communicator is begun by all together. */
static int meet(const char *dir, int size, int rank, int fails)
{
	char path[200];
	struct stat s;
	snprintf(path, sizeof path, "%s/%s-%d", dir, fails ? "fails" : "begins", rank);
	if ((!fails || !is("alone")) && mkdir(path, 0700))
		wrong("a rank can't leave word");
	for (int i = 0; i < size && !fails; i++) {
		snprintf(path, sizeof path, "%s/begins-%d", dir, i);
		while (stat(path, &s)) {
			char other[200];
			snprintf(other, sizeof other, "%s/fails-%d", dir, i);
			if (!stat(other, &s))
				return REMOTE_ERROR;
			usleep(1000);
		}
	}
	return fails ? SYSTEM_ERROR : SUCCESS;
}

int ncclCommInitRank(void **comm, int size, struct id id, int rank)
{
	if (size > RANKS)
		return INVALID_USAGE;
	int e = meet(id.internal, size, rank, is("init") && rank == 1);
	if (e)
		return e;
	struct comm *c = calloc(1, sizeof *c);
	c->rank = rank, c->size = size;
	memcpy(c->dir, id.internal, sizeof c->dir);
	*comm = c;
	return SUCCESS;
}

int ncclCommDestroy(void *comm)
{
	tell(comm, "destroyed");
	free(comm);
	return SUCCESS;
}

int ncclCommAbort(void *comm)
{
	struct comm *c = comm;
	tell(c, "aborted"); /* and is not freed: another thread may wait in it */
	c->aborted = 1;
	while (is("hangs"))
		sleep(1);
	return SUCCESS;
}

int ncclCommGetAsyncError(void *comm, int *error)
{
	*error = ((struct comm *)comm)->error;
	return SUCCESS;
}

int ncclGroupStart(void)
{
	depth++;
	return SUCCESS;
}

static void queue(struct group g, void *stream)
{
	struct group *copy = malloc(sizeof *copy);
	*copy = g;
	if (cudaLaunchHostFunc(stream, run, copy))
		wrong("the stream does not take a call");
}

int ncclGroupEnd(void)
{
	if (!depth)
		wrong("the end of a group that has no start");
	if (--depth)
		return SUCCESS;
	queue(open_group, open_stream);
	open_group = (struct group){0};
	return SUCCESS;
}

static int add(enum kind kind, const void *v, size_t n, int type, int peer, void *comm, void *stream)
{
	struct comm *c = comm;
	struct op op = {kind, c, (float *)v, n, peer};
	if (!c || type != FLOAT || (kind != SUM && (peer < 0 || peer >= c->size || peer == c->rank)))
		return INVALID_USAGE;
	if (kind == SUM) {
		queue((struct group){1, {op}}, stream);
		return SUCCESS;
	}
	if (!depth) /* two that send to each other, each before it receives, would wait for ever */
		wrong("a message outside of a group");
	if (open_group.n == OPS || (open_group.n && open_stream != stream))
		wrong("a group of too many messages, or of several streams");
	open_group.op[open_group.n++] = op, open_stream = stream;
	return SUCCESS;
}

int ncclSend(const void *v, size_t n, int type, int peer, void *comm, void *stream)
{
	return add(SEND, v, n, type, peer, comm, stream);
}

int ncclRecv(void *v, size_t n, int type, int peer, void *comm, void *stream)
{
	return add(RECEIVE, v, n, type, peer, comm, stream);
}

int ncclAllReduce(const void *from, void *to, size_t n, int type, int op, void *comm, void *stream)
{
	return from == to && op == 0 ? add(SUM, to, n, type, 0, comm, stream) : INVALID_USAGE;
}
