/* What a training keeps of itself for the case that it is interrupted: a checkpoint in the file that the user names, which stays, or beside
 * its output, OUTPUT.last, which is gone once the output is there. Of a training to stdout nothing is kept. */
#ifndef KEEP_H
#define KEEP_H

#include "lib/stream/tns.h"

struct keep {
	char *path; /* of the checkpoint; NULL: none */
	int own;    /* 1: OUTPUT.last, first written after KEEP_SECONDS */
};

#define KEEP_SECONDS 1.0

/* 0: nothing has this name. Where that can't be told the program ends: a checkpoint that is there is not to be taken for none. */
int keep_is_there(const char *path);
/* Chooses the file. Ends the program where it holds a run that is not at its end and neither resume nor fresh (start over) is given, or is
 * no checkpoint at all; exit 2: resume without a file to resume from. From here on SIGINT says what is kept. */
void keep_open(struct keep *k, const char *checkpoint, const char *output, int resume, int fresh);
/* not_mine 1: another process writes the file and removes it. */
void keep_not_mine(struct keep *k, int not_mine);
/* When the last one was written, and how long that took, in seconds. */
struct keep_clock {
	double written, cost;
};

/* A clock as a run begins whose checkpoint is OUTPUT.last (own 1), or one that it was asked for, which has its first epoch. */
struct keep_clock keep_clock(int own);
/* Whether a checkpoint is due after an epoch, so that at most 1/20 of the time goes to them; at_end: after the last, whose checkpoint
 * stays. */
int keep_due(const struct keep_clock *c, int own, int at_end);
/* Around the writing: begun is log_seconds() before it. */
void keep_timed(struct keep_clock *c, double begun);
/* A META of a checkpoint, a count of at most max; else the program ends. */
int keep_counter(const struct tns *t, const char *key, int max);
/* After a checkpoint was written: epochs of that layer, from 1, are kept; 0: of the only one. */
void keep_written(const char *path, int layer, int epoch);
/* The output is there: removes OUTPUT.last; frees. */
void keep_close(struct keep *k);

#endif
