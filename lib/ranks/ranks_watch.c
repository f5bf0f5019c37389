/* The watch: each rank's process keeps a TCP connection with rank 0's, which the kernel closes however the process ends; a thread waits for
 * that, and for SIGTERM, by which mpirun ends the others, often before they were told why, and itself at SIGINT. Bytes on a connection:
 * BYE, the process ends as it should; ENDS and a reason, it ends with that. */
#include <arpa/inet.h>
#include <errno.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lib/base/err.h"
#include "lib/base/log.h"
#include "lib/base/out.h"
#include "lib/ranks/ranks_link.h"

enum { ADDRESSES = 16, BYE = 'b', ENDS = 'e', WAIT_MS = 2000, REASON = 1000 };

struct meeting { /* where rank 0 waits */
	uint64_t secret;
	uint16_t port;
	uint16_t n;
	uint32_t address[ADDRESSES]; /* IPv4, in network order, 127.0.0.1 first */
};

struct hello {
	uint64_t secret;
	uint32_t rank;
};

struct ranks_watch {
	struct ranks *r;
	int *peer; /* (size): connections; rank 0's with all others, another rank's with 0; -1: none */
	int term, quit[2];
	pthread_t thread;
	sigset_t old;
};

static struct ranks_watch *own; /* for tell_rank_0, which die calls */

static int ready(int fd, short what, int ms)
{
	struct pollfd p = {.fd = fd, .events = what};
	return poll(&p, 1, ms) == 1;
}

static int read_whole(int fd, void *to, size_t n, int ms)
{
	for (size_t at = 0; at < n;) {
		ssize_t got = ready(fd, POLLIN, ms) ? recv(fd, (char *)to + at, n - at, 0) : -1;
		if (got <= 0)
			return 0;
		at += (size_t)got;
	}
	return 1;
}

/* A machine that goes without a word is missed after some seconds. */
static void keep_alive(int fd)
{
	int yes = 1, idle = 2, every = 1, count = 4, ms = 6000;
	setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &yes, sizeof yes), setsockopt(fd, IPPROTO_TCP, TCP_KEEPIDLE, &idle, sizeof idle);
	setsockopt(fd, IPPROTO_TCP, TCP_KEEPINTVL, &every, sizeof every), setsockopt(fd, IPPROTO_TCP, TCP_KEEPCNT, &count, sizeof count);
	setsockopt(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &ms, sizeof ms);
}

static int listen_at(struct meeting *m)
{
	struct sockaddr_in a = {.sin_family = AF_INET};
	socklen_t len = sizeof a;
	struct ifaddrs *all = NULL;
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0 || bind(fd, (struct sockaddr *)&a, sizeof a) || listen(fd, RANKS_MOST) || getsockname(fd, (struct sockaddr *)&a, &len) ||
		getrandom(&m->secret, sizeof m->secret, 0) != sizeof m->secret)
		return fd;
	m->port = a.sin_port, m->address[m->n++] = htonl(INADDR_LOOPBACK);
	if (getifaddrs(&all))
		return fd;
	for (struct ifaddrs *i = all; i && m->n < ADDRESSES; i = i->ifa_next)
		if (i->ifa_addr && i->ifa_addr->sa_family == AF_INET && i->ifa_flags & IFF_UP && !(i->ifa_flags & IFF_LOOPBACK))
			m->address[m->n++] = ((struct sockaddr_in *)(void *)i->ifa_addr)->sin_addr.s_addr;
	freeifaddrs(all);
	return fd;
}

static void accept_all(struct ranks_watch *w, int fd, uint64_t secret)
{
	struct hello h;
	int left = w->r->size - 1;
	for (double until = log_seconds() + 10; left && log_seconds() < until;) {
		int peer = ready(fd, POLLIN, 1000) ? accept4(fd, NULL, NULL, SOCK_CLOEXEC) : -1;
		if (peer < 0)
			continue;
		if (read_whole(peer, &h, sizeof h, WAIT_MS) && h.secret == secret && h.rank && h.rank < (uint32_t)w->r->size &&
			w->peer[h.rank] < 0 && send(peer, &h, sizeof h, MSG_NOSIGNAL) == sizeof h)
			w->peer[h.rank] = peer, keep_alive(peer), left--;
		else
			close(peer);
	}
}

static int connect_to(const struct meeting *m, int k, uint32_t rank)
{
	struct sockaddr_in a = {.sin_family = AF_INET, .sin_port = m->port, .sin_addr.s_addr = m->address[k]};
	struct hello h = {m->secret, rank};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	struct hello back;
	if (fd >= 0 && (!connect(fd, (struct sockaddr *)&a, sizeof a) || errno == EINPROGRESS) && ready(fd, POLLOUT, WAIT_MS) &&
		send(fd, &h, sizeof h, MSG_NOSIGNAL) == sizeof h && read_whole(fd, &back, sizeof back, WAIT_MS) &&
		back.secret == h.secret &&
		back.rank == h.rank) { /* what else listens there, on a machine of that address, can't say that */
		keep_alive(fd);
		return fd;
	}
	if (fd >= 0)
		close(fd);
	return -1;
}

/* What is kept, of the line for SIGINT: "epoch 3 is kept in ..."; else that nothing is. */
static const char *kept(void)
{
	const char *line = out_interruption(), *said = line ? strstr(line, ": interrupted: ") : NULL;
	return said ? said + strlen(": interrupted: ") : "nothing is kept";
}

static NORETURN void is_lost(const struct ranks_watch *w, int rank)
{
	char text[REASON];
	strncpy(text, kept(), sizeof text - 1), text[sizeof text - 1] = 0;
	text[strcspn(text, "\n")] = 0;
	err_instead(NULL);
	die("rank %d of %d, on %s, is lost, so the run ends: %s", rank, w->r->size, w->r->host[rank], text);
}

/* Something came from a peer, or its end. */
static void hear(struct ranks_watch *w, int rank)
{
	char what, reason[REASON];
	size_t n = 0;
	ssize_t got = recv(w->peer[rank], &what, 1, MSG_DONTWAIT);
	if (got < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (got == 1 && what == BYE) {
		close(w->peer[rank]), w->peer[rank] = -1;
		return;
	}
	if (got == 1 && what == ENDS) {
		while (n < sizeof reason - 1 && ready(w->peer[rank], POLLIN, 200) && recv(w->peer[rank], reason + n, 1, 0) == 1)
			n++;
		reason[n] = 0;
		if (w->r->rank) /* rank 0 has said it; the run's status is that of the first that ends */
			ready(w->peer[rank], POLLIN, WAIT_MS), usleep(100000), _exit(1);
		die("rank %d: %s", rank, reason);
	}
	if (w->r->rank > 1)
		_exit(1); /* rank 1 says it */
	is_lost(w, rank);
}

static int hear_all(struct ranks_watch *w, int ms)
{
	int n = 0, size = w->r->rank ? 1 : w->r->size, heard;
	struct pollfd *p = xcalloc((size_t)size + 2, sizeof *p);
	int *rank = xcalloc((size_t)size, sizeof *rank);
	for (int i = 0; i < size; i++)
		if (w->peer[i] >= 0)
			p[n].fd = w->peer[i], p[n].events = POLLIN, rank[n++] = i;
	p[n] = (struct pollfd){.fd = w->quit[0], .events = POLLIN}, p[n + 1] = (struct pollfd){.fd = w->term, .events = POLLIN};
	heard = poll(p, (nfds_t)n + 2, ms);
	int end = heard > 0 && p[n].revents, term = heard > 0 && p[n + 1].revents;
	for (int i = 0; heard > 0 && i < n; i++)
		if (p[i].revents)
			hear(w, rank[i]);
	free(p), free(rank);
	return end ? 1 : term && ms ? 2 : 0;
}

/* Of rank 0: it has said its reason. */
static void tell_all(void *arg, const char *reason)
{
	struct ranks_watch *w = arg;
	(void)reason;
	for (int i = 1; i < w->r->size; i++)
		if (w->peer[i] >= 0)
			(void)!send(w->peer[i], (char[]){ENDS}, 1, MSG_NOSIGNAL);
}

/* A signal came and nobody was lost before: rank 0 says what is kept, and the others say nothing. */
static NORETURN void end_by(struct ranks_watch *w, int number)
{
	const char *line = w->r->rank ? NULL : out_interruption();
	sigset_t set;
	if (w->r->rank)
		signal(number, SIG_DFL);
	else
		tell_all(w, NULL);
	if (line && number == SIGTERM) /* SIGINT's handler says it */
		(void)!write(STDERR_FILENO, line + 1, strlen(line + 1));
	sigemptyset(&set), sigaddset(&set, number);
	pthread_sigmask(SIG_UNBLOCK, &set, NULL);
	raise(number);
	_exit(1);
}

/* Sends and receives wait for ever, and so does who waits for them. */
static NORETURN void end_by_nccl(struct ranks_watch *w, const char *why)
{
	for (int i = 0; i < 20; i++) /* why? by the loss of a rank, if by anything */
		hear_all(w, 0), usleep(100000);
	die("NCCL: %s", why);
}

static void *watch(void *arg)
{
	struct ranks_watch *w = arg;
	struct signalfd_siginfo s;
	const char *failed;
	int what;
	while (!(what = hear_all(w, 1000)))
		if ((failed = ranks_nccl_failed()))
			end_by_nccl(w, failed);
	if (what == 1 || read(w->term, &s, sizeof s) != sizeof s)
		return NULL;
	for (int i = 0; i < (w->r->rank ? 40 : 20); i++) /* why? by the loss of one of them, if by anything; rank 0 speaks first */
		hear_all(w, 0), usleep(10000);
	end_by(w, (int)s.ssi_signo);
}

/* Of a rank above 0: rank 0 says the reason, or has its own, the same, and ends this process. */
static void tell_rank_0(const char *reason)
{
	if (!own || own->peer[0] < 0)
		return;
	sleep(1);
	char text[REASON + 1] = {ENDS};
	strncpy(text + 1, reason, sizeof text - 2);
	(void)!send(own->peer[0], text, strlen(text), MSG_NOSIGNAL);
	usleep(700000);
}

void ranks_watch_signals(sigset_t *set)
{
	struct sigaction now;
	sigemptyset(set), sigaddset(set, SIGTERM);
	if (!sigaction(SIGINT, NULL, &now) && now.sa_handler != SIG_IGN)
		sigaddset(set, SIGINT);
}

struct ranks_watch *ranks_watch_open(struct ranks *r)
{
	struct ranks_watch *w = xcalloc(1, sizeof *w);
	struct meeting m = {0};
	sigset_t ends, all, before;
	int door = r->rank ? -1 : listen_at(&m), missing = 0;
	w->r = r, w->peer = xcalloc((size_t)r->size, sizeof *w->peer);
	for (int i = 0; i < r->size; i++)
		w->peer[i] = -1;
	ranks_broadcast(r, &m, sizeof m);
	for (int k = 0; r->rank && k < m.n && w->peer[0] < 0; k++)
		w->peer[0] = connect_to(&m, k, (uint32_t)r->rank);
	if (!r->rank && door >= 0)
		accept_all(w, door, m.secret), close(door);
	for (int i = 1; !r->rank && i < r->size; i++)
		missing += w->peer[i] < 0;
	if (missing)
		warn("%d of %d ranks can't be reached by TCP: where one of them is lost, the run ends only if mpirun or srun ends it",
			missing, r->size);
	ranks_watch_signals(&ends), sigfillset(&all);
	pthread_sigmask(SIG_BLOCK, &ends, &w->old);
	w->term = signalfd(-1, &ends, SFD_CLOEXEC);
	own = w;
	if (r->rank)
		err_instead(tell_rank_0);
	else
		err_add_hook(tell_all, w);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	if (w->term < 0 || pipe(w->quit) || pthread_create(&w->thread, NULL, watch, w))
		die("the watch over the ranks can't be started");
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return w;
}

void ranks_watch_close(struct ranks_watch *w)
{
	if (!w)
		return;
	(void)!write(w->quit[1], "", 1);
	pthread_join(w->thread, NULL);
	for (int i = 0; i < w->r->size; i++)
		if (w->peer[i] >= 0)
			(void)!send(w->peer[i], (char[]){BYE}, 1, MSG_NOSIGNAL), close(w->peer[i]);
	err_remove_hook(w), err_instead(NULL), own = NULL;
	pthread_sigmask(SIG_SETMASK, &w->old, NULL);
	close(w->term), close(w->quit[0]), close(w->quit[1]);
	free(w->peer), free(w);
}
