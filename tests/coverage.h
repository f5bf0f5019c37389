/* Included before every source of the build that counts (make coverage): what ends a process without exit() writes the counts first. */
#ifndef COVERAGE_H
#define COVERAGE_H

#include <signal.h>
#include <unistd.h>

#ifdef __cplusplus
extern "C" {
#endif

void __gcov_dump(void);

/* Where the tests run as root, the counts' folders are root's, whom a test that became another user must be again. */
__attribute__((noreturn)) static inline void coverage_exit(int status)
{
	(void)!seteuid(0);
	__gcov_dump();
	_exit(status);
}

static inline int coverage_raise(int sig)
{
	__gcov_dump();
	return raise(sig);
}

#ifdef __cplusplus
}
#endif

#define _exit coverage_exit
#define raise coverage_raise

#endif
