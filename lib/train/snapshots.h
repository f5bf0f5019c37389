/* The model after some epochs of a run without labels, each in a file of its own: epoch (n). */
#ifndef SNAPSHOTS_H
#define SNAPSHOTS_H

/* dir/NAME.tns -> dir/NAME-EPOCH.tns; to be freed. */
char *snapshots_name(const char *output, int epoch);
int snapshots_has(const int *epoch, int n, int after); /* 1: one is due after that epoch */
/* Tells opt.h of their files. */
void snapshots_promise(const char *output, const int *epoch, int n);
/* Of a run that goes on after an epoch: a word of earlier ones that are not there. */
void snapshots_missed(const char *output, const int *epoch, int n, int after);

#endif
