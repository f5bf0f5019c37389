/* Temporary files to remove when the process ends early, by die or by the signals TERM, INT, HUP and PIPE; out.h's own. */
#ifndef TEMP_FILES_H
#define TEMP_FILES_H

#include <signal.h>

/* Notes temp, which is not copied; returns its slot. Ends the program, and removes temp, where too many are being written; name: of the
 * file, for the message. */
int temp_files_add(char *temp, const char *name);
void temp_files_remove(int slot); /* from the notes */
/* 1: this process noted them, not a parent of it. */
int temp_files_mine(void);
/* Blocks the fatal signals: one between creating a temporary file and noting it would leave it behind; one between renaming it and
 * taking it out of the notes would remove what may already be another run's. */
void temp_files_block_signals(sigset_t *old);
void temp_files_restore_signals(const sigset_t *old);
/* What SIGINT prints, a whole line, or NULL. */
void temp_files_interrupted(const char *line);
const char *temp_files_interruption(void); /* that line */

#endif
