/* How much memory a program may ask for, so that what a file declares is refused before it is allocated: systems that promise more than
 * they have end a program, or others, only when it writes there. */
#ifndef MEMORY_H
#define MEMORY_H

/* Bytes: what the system has free without swapping (all of its memory where it does not say), or the limit of the process (ulimit -v, -d)
 * where that is less. */
double memory_available(void);
/* The same less what the process has already taken of its limit; where a control group (a container) limits it, at most that. */
double memory_left(void);
/* Ends the program where `bytes` are more than that, but for a 16th, at most MEMORY_ASIDE, which is left for stacks and what else is not
 * counted: "WHAT needs 12.3 GB of memory, 4.5 GB are free". */
#define MEMORY_ASIDE 0x1p24
void memory_require(double bytes, const char *what);

#endif
