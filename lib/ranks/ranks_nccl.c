/* NCCL, opened when sums are a GPU's: gradients go from GPU to GPU, and are added there. What is used of it is declared here, as in nccl.h
 * of NCCL 2.32 (https://docs.nvidia.com/deeplearning/nccl/user-guide/docs/api.html); libnccl.so.2 has had it since 2.7. */
#include <dlfcn.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "lib/base/err.h"
#include "lib/base/log.h"
#include "lib/ranks/ranks_link.h"

enum { NCCL_SUCCESS = 0, NCCL_REMOTE_ERROR = 6, NCCL_IN_PROGRESS = 7, NCCL_FLOAT = 7, NCCL_SUM = 0, REASON = 200, WAIT = 5 /* seconds */ };

struct nccl_id {
	char internal[128];
};

/* Results are ncclResult_t, communicators ncclComm_t, streams cudaStream_t. */
static struct {
	int (*GetVersion)(int *);
	int (*GetUniqueId)(struct nccl_id *);
	int (*CommInitRank)(void **, int, struct nccl_id, int);
	int (*CommDestroy)(void *);
	int (*CommAbort)(void *);
	int (*CommGetAsyncError)(void *, int *);
	const char *(*GetErrorString)(int);
	int (*GroupStart)(void);
	int (*GroupEnd)(void);
	int (*Send)(const void *, size_t, int, int, void *, void *);
	int (*Recv)(void *, size_t, int, int, void *, void *);
	int (*AllReduce)(const void *, void *, size_t, int, int, void *, void *);
} nccl;

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER; /* guards comm, which any thread may take away, and gives_up */
static void *comm;
static double gives_up; /* 0; or where it did not start, when others that wait for it are waited for no longer */
static char late[REASON];
static int version;
static char name[32];

const char *ranks_nccl_name(void)
{
	return name;
}

/* NULL, or why the library is done without. */
static const char *load(void)
{
	static const struct {
		const char *name;
		void *to;
	} functions[] = {{"ncclGetVersion", &nccl.GetVersion}, {"ncclGetUniqueId", &nccl.GetUniqueId},
		{"ncclCommInitRank", &nccl.CommInitRank}, {"ncclCommDestroy", &nccl.CommDestroy}, {"ncclCommAbort", &nccl.CommAbort},
		{"ncclCommGetAsyncError", &nccl.CommGetAsyncError}, {"ncclGetErrorString", &nccl.GetErrorString},
		{"ncclGroupStart", &nccl.GroupStart}, {"ncclGroupEnd", &nccl.GroupEnd}, {"ncclSend", &nccl.Send}, {"ncclRecv", &nccl.Recv},
		{"ncclAllReduce", &nccl.AllReduce}};
	const char *file = getenv("KEYPIPE_NCCL");
	if (file && !strcmp(file, "0"))
		return "KEYPIPE_NCCL is 0";
	void *library = dlopen(file ? file : "libnccl.so.2", RTLD_NOW | RTLD_LOCAL);
	if (!library)
		return dlerror();
	for (size_t i = 0; i < sizeof functions / sizeof *functions; i++) {
		void *p = dlsym(library, functions[i].name);
		if (!p)
			return dlerror();
		memcpy(functions[i].to, &p, sizeof p);
	}
	nccl.GetVersion(&version);
	int v = version, base = v < 10000 ? 1000 : 10000; /* up to 2.8 a version is 2803 */
	snprintf(name, sizeof name, "NCCL %d.%d.%d", v / base, v % base / 100, v % 100);
	return NULL;
}

/* Whether no rank has a reason why not; says the first that one has, of those that aren't another rank's the first. */
static int agreed(struct ranks *r, const char *why, int is_of_another)
{
	struct {
		char is_of_another, text[REASON];
	} *all = xcalloc((size_t)r->size, sizeof *all);
	int said = -1;
	if (why)
		snprintf(all[r->rank].text, sizeof all->text, "%s", why);
	all[r->rank].is_of_another = (char)is_of_another;
	ranks_allreduce_or(r, all, (size_t)r->size * sizeof *all);
	for (int i = 0; i < r->size; i++)
		if (all[i].text[0] && (said < 0 || (all[said].is_of_another && !all[i].is_of_another)))
			said = i;
	if (said >= 0)
		warn("NCCL is done without, and gradients go through the host's memory: rank %d (%s): %s", said, r->host[said],
			all[said].text);
	free(all);
	return said < 0;
}

/* Ranks of several versions don't find each other, or wait for ever. NULL, or what this one has. */
static const char *other_version(struct ranks *r)
{
	static char text[2 * sizeof name + 40];
	struct {
		int version;
		char name[sizeof name];
	} first = {.version = version};
	memcpy(first.name, name, sizeof name);
	ranks_broadcast(r, &first, sizeof first);
	snprintf(text, sizeof text, "it has %s, and rank 0 %s", name, first.name);
	return version && first.version && version != first.version ? text : NULL;
}

/* NCCL takes no two ranks on a GPU, and says so late, in words of its own. */
static void one_gpu_each(struct ranks *r)
{
	char(*gpu)[64] = xcalloc((size_t)r->size, sizeof *gpu);
	snprintf(gpu[r->rank], sizeof *gpu, "%s", r->device->gpu);
	ranks_allreduce_or(r, gpu, (size_t)r->size * sizeof *gpu);
	for (int i = 0; i < r->size; i++)
		for (int k = 0; k < i; k++)
			if (!strcmp(gpu[i], gpu[k]) && !strcmp(r->host[i], r->host[k]))
				die("ranks %d and %d have the same GPU of %s, and NCCL takes one rank a GPU: start at most as many as "
				    "there are GPUs, or set KEYPIPE_NCCL=0: gradients then go through the host's memory",
					k, i, r->host[i]);
	free(gpu);
}

/* A rank that is lost makes calls fail here, too: whoever has seen that says it first. */
static void check(int result, const char *what)
{
	if (result == NCCL_SUCCESS)
		return;
	sleep(2);
	die("NCCL: %s: %s", what, nccl.GetErrorString(result));
}

static void *take(void)
{
	pthread_mutex_lock(&lock);
	void *c = comm;
	comm = NULL;
	pthread_mutex_unlock(&lock);
	return c;
}

static void *abort_it(void *c)
{
	nccl.CommAbort(c);
	return NULL;
}

/* The process ends, and what waits for other ranks is ended before; but NCCL is not waited for long. */
static void at_end(void *arg, const char *reason)
{
	(void)arg, (void)reason;
	void *c = take();
	pthread_t thread;
	struct timespec until;
	clock_gettime(CLOCK_REALTIME, &until);
	until.tv_sec += 2;
	if (c && !pthread_create(&thread, NULL, abort_it, c))
		pthread_timedjoin_np(thread, NULL, &until);
}

/* Others may see that it did not start here, or wait for it for ever. */
static void did_not_start(int e)
{
	pthread_mutex_lock(&lock);
	gives_up = e ? log_seconds() + WAIT : 0;
	if (e)
		snprintf(late, sizeof late, "it does not start here (%s), and other ranks wait for it; KEYPIPE_NCCL=0 does without",
			nccl.GetErrorString(e));
	pthread_mutex_unlock(&lock);
}

const char *ranks_nccl_failed(void)
{
	int e = NCCL_SUCCESS;
	pthread_mutex_lock(&lock);
	int waited = gives_up > 0 && log_seconds() > gives_up;
	if (comm)
		nccl.CommGetAsyncError(comm, &e);
	pthread_mutex_unlock(&lock);
	if (waited)
		return late;
	return e == NCCL_SUCCESS || e == NCCL_IN_PROGRESS ? NULL : nccl.GetErrorString(e);
}

/* What is put into the stream comes after all that is queued, and before what will be: nothing is to be waited for. */
static int done(struct ranks *r, struct ranks_request *q)
{
	(void)r, (void)q;
	return 1;
}

static void exchange(struct ranks *r, struct ranks_request *q, int peer, int tag, const float *out, size_t sent, float *in, size_t received)
{
	void *stream = r->device->stream(r->device->arg);
	(void)q, (void)tag;
	check(nccl.GroupStart(), "a group");
	check(nccl.Send(out, sent, NCCL_FLOAT, peer, comm, stream), "to send");
	check(nccl.Recv(in, received, NCCL_FLOAT, peer, comm, stream), "to receive");
	check(nccl.GroupEnd(), "to send and to receive");
}

static void sum(struct ranks *r, struct ranks_request *q, float *v, size_t n)
{
	(void)q;
	check(nccl.AllReduce(v, v, n, NCCL_FLOAT, NCCL_SUM, comm, r->device->stream(r->device->arg)), "AllReduce");
}

static void add(struct ranks *r, float *y, const float *x, size_t n)
{
	r->device->add(r->device->arg, y, x, n);
}

static float *alloc(struct ranks *r, size_t n)
{
	return r->device->alloc(r->device->arg, n * sizeof(float));
}

static void release(struct ranks *r, float *v)
{
	r->device->release(r->device->arg, v);
}

static void close_it(struct ranks *r)
{
	void *c = take();
	(void)r;
	err_remove_hook(&comm);
	if (c)
		check(nccl.CommDestroy(c), "its end");
}

const struct ranks_transport *ranks_nccl_open(struct ranks *r)
{
	/* a bucket costs a launch a step, and the next waits for it: larger ones than MPI's, one at a time */
	static const struct ranks_transport transport = {.floats = 16 * (RANKS_BUCKET / sizeof(float)),
		.flight = 1,
		.exchange = exchange,
		.sum = sum,
		.done = done,
		.add = add,
		.alloc = alloc,
		.release = release,
		.close = close_it};
	struct nccl_id id = {{0}};
	void *c = NULL;
	int e = 0;
	const char *why = load(), *other = other_version(r);
	if (!agreed(r, why ? why : other, 0))
		return NULL;
	one_gpu_each(r);
	e = r->rank ? 0 : nccl.GetUniqueId(&id);
	if (!agreed(r, e ? nccl.GetErrorString(e) : NULL, 0))
		return NULL;
	ranks_broadcast(r, &id, sizeof id);
	e = nccl.CommInitRank(&c, r->size, id, r->rank);
	did_not_start(e);
	int all = agreed(r, e ? nccl.GetErrorString(e) : NULL, e == NCCL_REMOTE_ERROR);
	did_not_start(0);
	if (!all) {
		if (!e)
			nccl.CommAbort(c);
		return NULL;
	}
	comm = c;
	err_add_hook(at_end, &comm);
	return &transport;
}
