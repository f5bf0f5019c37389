/* Curves from one or more training logs, in one picture. */
#ifndef PICT_CURVES_H
#define PICT_CURVES_H

#include "lib/base/opt.h"
#include "lib/draw/pict.h"

struct pict_curves {
	struct pict_output to;
	const char *y; /* columns, comma-separated; NULL: all that begin with valid_ or train_, else all numeric ones but times and rates */
	const char *names; /* a legend name for each log, comma-separated; NULL: from the file names. Equal names: one colour */
	int mean;	   /* 1: of logs with equal names the mean, and a band from minimum to maximum */
	const char *title, *xlabel, *ylabel; /* NULL: no title, labels from the columns' names, a panel for each quantity */
	int logx, logy;
	struct opt_size size;
	int quiet; /* no warning about values left out */
};

/* Reads the logs (n = 0: stdin; format: lib/draw/pict_log.h), then writes the picture. With mean, the line is pale where not all logs of a
 * name have a value. On a log axis values that are not over 0 are left out, and counted in a warning. */
void pict_curves(char **logs, int n, const struct pict_curves *c);

#endif
