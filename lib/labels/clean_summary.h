/* What csv-clean says on stderr at its end. */
#ifndef CLEAN_SUMMARY_H
#define CLEAN_SUMMARY_H

#include "lib/labels/clean.h"

/* After clean_end: a line of counts, the pairs of mirror images, and a line for each thing that its user should look at. */
void clean_summary(const struct csv *c, const struct clean *cl);

#endif
