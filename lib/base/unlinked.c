#include "lib/base/unlinked.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/err.h"

FILE *unlinked_open(const char *near, const char *what)
{
	const char *slash = near ? strrchr(near, '/') : NULL;
	char *dir = slash ? xstrdup(near) : xstrdup(near ? "." : P_tmpdir);
	if (slash)
		dir[slash - near + (slash == near)] = 0;
	int fd = open(dir, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
	free(dir);
	FILE *f = fd < 0 ? tmpfile() : fdopen(fd, "w+");
	if (!f)
		die_errno("%s", what);
	return f;
}
