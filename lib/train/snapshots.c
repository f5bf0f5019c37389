#include "lib/train/snapshots.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/base/err.h"
#include "lib/base/opt.h"

char *snapshots_name(const char *output, int epoch)
{
	size_t n = strlen(output);
	int suffix = n > 4 && !strcmp(output + n - 4, ".tns");
	return xprintf("%.*s-%d%s", (int)(n - (suffix ? 4 : 0)), output, epoch, suffix ? ".tns" : "");
}

int snapshots_has(const int *epoch, int n, int after)
{
	for (int i = 0; i < n; i++)
		if (epoch[i] == after)
			return 1;
	return 0;
}

void snapshots_promise(const char *output, const int *epoch, int n)
{
	for (int i = 0; i < n; i++) {
		char *path = snapshots_name(output, epoch[i]);
		opt_writes("snapshot", path);
		free(path);
	}
}

void snapshots_missed(const char *output, const int *epoch, int n, int after)
{
	for (int i = 0; i < n; i++) {
		char *path = snapshots_name(output, epoch[i]);
		if (epoch[i] < after && access(path, F_OK))
			warn("--snapshot %d: %s is not written, the checkpoint is of epoch %d", epoch[i], path, after);
		free(path);
	}
}
