/* Curves out of training logs, one picture for one or more of them. */
#ifndef PICT_CURVES_H
#define PICT_CURVES_H

#include "lib/base/opt.h"
#include "lib/draw/pict.h"

struct pict_curves {
	struct pict_to to;
	const char *y; /* columns to draw, comma-joined; NULL: all that begin with valid_ or train_, else all numbers but times and rates */
	const char *names; /* a legend name for each log, comma-joined; NULL: from the file names. Equal names: one colour */
	int mean;	   /* of logs with equal names the mean, and a band from the least to the largest */
	const char *title, *xlabel, *ylabel; /* NULL: no title, labels from the columns' names, a panel for each quantity */
	int logx, logy;
	struct opt_size size;
	int quiet; /* no warning about values left out */
};

/* Reads the logs (n = 0: stdin) as lib/draw/pict_log.h says, then writes the picture. With mean, where fewer than all logs of a name go
 * on, the line is pale. On a log axis what is not over 0 is left out, and counted in a warning. */
void pict_curves(char **logs, int n, const struct pict_curves *c);

#endif
