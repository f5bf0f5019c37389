/* A slow line between two network namespaces, of which each has a TUN device: packets from one to the other, at RATE Mbit/s, DELAY ms after
 * the last bit. For tests/ranks_net.sh, where the kernel has no netem. usage: slow_line NAMESPACE DEVICE NAMESPACE DEVICE RATE DELAY */
#include <fcntl.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <poll.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

enum { PACKETS = 8192, MOST = 9216 };

struct way {
	double free; /* when the line is free again */
	unsigned long first, end;
	struct {
		double at;
		int n;
		char bytes[MOST];
	} packet[PACKETS];
};

static double now(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static int device(const char *ns, const char *name)
{
	char path[256];
	struct ifreq r = {.ifr_flags = IFF_TUN | IFF_NO_PI};
	snprintf(path, sizeof path, "/var/run/netns/%s", ns);
	int there = open(path, O_RDONLY), tun;
	if (there < 0 || setns(there, CLONE_NEWNET))
		return -1;
	tun = open("/dev/net/tun", O_RDWR | O_NONBLOCK);
	strncpy(r.ifr_name, name, IFNAMSIZ - 1);
	return tun < 0 || ioctl(tun, TUNSETIFF, &r) ? -1 : tun;
}

int main(int argc, char **argv)
{
	if (argc != 7)
		return 2;
	int fd[2] = {device(argv[1], argv[2]), device(argv[3], argv[4])};
	double rate = atof(argv[5]) * 1e6 / 8, delay = atof(argv[6]) / 1000;
	struct way *way = calloc(2, sizeof *way);
	if (fd[0] < 0 || fd[1] < 0 || !way)
		return perror("slow_line"), 1;
	printf("ready\n"), fflush(stdout);
	for (;;) {
		double t = now(), next = t + 1;
		for (int k = 0; k < 2; k++) {
			struct way *w = &way[k];
			while (w->first < w->end && w->packet[w->first % PACKETS].at <= t) {
				(void)!write(fd[!k], w->packet[w->first % PACKETS].bytes, (size_t)w->packet[w->first % PACKETS].n);
				w->first++;
			}
			if (w->first < w->end && w->packet[w->first % PACKETS].at < next)
				next = w->packet[w->first % PACKETS].at;
		}
		struct timespec wait = {(time_t)(next - t), (long)((next - t - (double)(time_t)(next - t)) * 1e9)};
		struct pollfd p[2] = {{.fd = fd[0], .events = POLLIN}, {.fd = fd[1], .events = POLLIN}};
		if (ppoll(p, 2, &wait, NULL) <= 0)
			continue;
		for (int k = 0; k < 2; k++) {
			struct way *w = &way[k];
			char bytes[MOST];
			ssize_t n;
			while ((n = read(fd[k], bytes, sizeof bytes)) > 0 && w->end - w->first < PACKETS) {
				double from = w->free > now() ? w->free : now();
				w->free = from + (double)n / rate;
				w->packet[w->end % PACKETS].at = w->free + delay, w->packet[w->end % PACKETS].n = (int)n;
				memcpy(w->packet[w->end % PACKETS].bytes, bytes, (size_t)n);
				w->end++;
			}
		}
	}
}
