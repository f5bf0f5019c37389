/* What a training would be, as text: net, memory, rows, steps, the mean face's error, settings. Nothing is trained or written. */
#ifndef DRY_RUN_H
#define DRY_RUN_H

#include "lib/train/pretrain_run.h"
#include "lib/train/train.h"

/* To stdout. preset: its name, or "none"; the other arguments are train_new's. Settings are the program's options (opt_setting) as a
 * preset has completed them, of those that the target has. */
void dry_run(const char *preset, const struct backend *be, const struct model *m, const struct dataset *train, const struct dataset *valid,
	const struct train_options *a);
/* The same of a training without labels; the steps are of each layer of a stack. settings: options, NULL-terminated. */
void dry_run_pretrain(const struct pretrain_run *r, const char *const *settings);

#endif
