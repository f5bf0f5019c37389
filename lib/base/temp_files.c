#include "lib/base/temp_files.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/base/err.h"

enum { TEMPS = 64 };

/* Temporary files to remove when the process ends early. The signal handler reads it, hence a fixed table of atomic pointers. */
static char *volatile temps[TEMPS];
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pid_t owner; /* process that wrote them: a forked child removes none */

static const char *volatile interrupted; /* a line for SIGINT */
static const int fatal_signals[] = {SIGTERM, SIGINT, SIGHUP, SIGPIPE};

static void unlink_temps(void)
{
	if (owner != getpid())
		return;
	for (int i = 0; i < TEMPS; i++) {
		char *name = __atomic_load_n(&temps[i], __ATOMIC_ACQUIRE);
		if (name)
			unlink(name);
	}
}

static void on_death(void *arg, const char *reason)
{
	(void)arg, (void)reason;
	unlink_temps();
}

/* SA_RESETHAND has restored the default action: the raised signal ends the process as soon as the handler returns. */
static void on_signal(int sig)
{
	const char *line = __atomic_load_n(&interrupted, __ATOMIC_ACQUIRE);
	unlink_temps();
	if (sig == SIGINT && line)
		(void)!write(STDERR_FILENO, line, strlen(line));
	raise(sig);
}

static void install_handlers(void)
{
	if (owner == getpid())
		return;
	for (int i = 0; i < TEMPS; i++)
		temps[i] = NULL;
	err_remove_hook((void *)temps);
	err_add_hook(on_death, (void *)temps);
	owner = getpid();
	for (size_t i = 0; i < sizeof fatal_signals / sizeof *fatal_signals; i++) {
		struct sigaction old, new = {.sa_handler = on_signal, .sa_flags = (int)SA_RESETHAND};
		sigfillset(&new.sa_mask);
		if (!sigaction(fatal_signals[i], NULL, &old) && old.sa_handler != SIG_IGN)
			sigaction(fatal_signals[i], &new, NULL);
	}
	signal(SIGXFSZ, SIG_IGN); /* a file size limit is then an error of write (EFBIG) */
}

int temp_files_add(char *temp, const char *name)
{
	pthread_mutex_lock(&lock);
	install_handlers();
	int i = 0;
	while (i < TEMPS && temps[i])
		i++;
	if (i < TEMPS)
		__atomic_store_n(&temps[i], temp, __ATOMIC_RELEASE);
	pthread_mutex_unlock(&lock);
	if (i == TEMPS) {
		unlink(temp);
		die("%s: more than %d files are being written at once", name, TEMPS);
	}
	return i;
}

void temp_files_block_signals(sigset_t *old)
{
	sigset_t set;
	sigemptyset(&set);
	for (size_t i = 0; i < sizeof fatal_signals / sizeof *fatal_signals; i++)
		sigaddset(&set, fatal_signals[i]);
	pthread_sigmask(SIG_BLOCK, &set, old);
}

void temp_files_restore_signals(const sigset_t *old)
{
	pthread_sigmask(SIG_SETMASK, old, NULL);
}

void temp_files_remove(int slot)
{
	__atomic_store_n(&temps[slot], NULL, __ATOMIC_RELEASE);
}

int temp_files_mine(void)
{
	return owner == getpid();
}

const char *temp_files_interruption(void)
{
	return __atomic_load_n(&interrupted, __ATOMIC_ACQUIRE);
}

void temp_files_interrupted(const char *line)
{
	pthread_mutex_lock(&lock);
	install_handlers();
	pthread_mutex_unlock(&lock);
	__atomic_store_n(&interrupted, line, __ATOMIC_RELEASE);
}
