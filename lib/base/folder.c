#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#include "lib/base/err.h"
#include "lib/base/folder.h"

void folder_make(const char *path)
{
	struct stat st;
	if (!mkdir(path, 0777))
		return;
	if (errno != EEXIST || stat(path, &st))
		die_errno("%s", path);
	if (!S_ISDIR(st.st_mode))
		die("%s: is no folder", path);
}

void folder_make_above(char *path, size_t from)
{
	for (char *slash = path + from; (slash = strchr(slash, '/')); *slash++ = '/') {
		*slash = 0;
		folder_make(path);
	}
}
