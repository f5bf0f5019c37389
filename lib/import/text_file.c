#include "lib/import/text_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/base/err.h"
#include "lib/base/magic.h"
#include "lib/base/unpack.h"

struct text_file {
	int fd;
	const char *path;
	struct unpack *unpack; /* NULL: plain */
};

static int fault(const struct text_file *f, char err[ANNOTATION_ERR], const char *reason)
{
	snprintf(err, ANNOTATION_ERR, "%s: %s", f->path, reason);
	return -1;
}

/* XML may be UTF-16, and a page is told by its root element. */
static int is_form(const struct magic *m, const char *form)
{
	return !strcmp(m->what, form) || (!strcmp(form, "XML") && (!strcmp(m->what, "an HTML page") || !strcmp(m->what, "UTF-16 text")));
}

static int refuse(const struct text_file *f, const char *form, const struct magic *m, char err[ANNOTATION_ERR])
{
	char way[400] = "";
	if (m->kind == MAGIC_PACKED || m->kind == MAGIC_ZIP || strstr(m->what, "UTF-"))
		magic_way(way, sizeof way, m, NULL, f->path, ">FILE");
	snprintf(err, ANNOTATION_ERR, "%s: this is %s, not %s%s", f->path, m->what, form, way);
	return -1;
}

/* What kind of file it is. */
static int look(struct text_file *f, const char *form, char err[ANNOTATION_ERR])
{
	struct stat s;
	unsigned char head[MAGIC_BYTES];
	if (f->fd < 0 || fstat(f->fd, &s))
		return fault(f, err, strerror(errno));
	if (!S_ISREG(s.st_mode))
		return fault(f, err,
			S_ISDIR(s.st_mode) ? "it is a folder" : "it is read twice, which a pipe or a device can't be: a file is needed");
	long n = magic_read(f->fd, head);
	if (n < 0)
		return fault(f, err, strerror(errno));
	const struct magic *m = magic_find(head, (size_t)n);
	if (m && m->kind == MAGIC_GZIP) {
		f->unpack = unpack_fd(f->fd, f->path, ">FILE");
		unpack_any(f->unpack);
	} else if (m && !is_form(m, form)) {
		return refuse(f, form, m, err);
	}
	return 0;
}

struct text_file *text_file_open(const char *path, const char *form, char err[ANNOTATION_ERR])
{
	struct text_file *f = xcalloc(1, sizeof *f);
	f->path = path;
	f->fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (look(f, form, err) < 0) {
		text_file_free(f);
		return NULL;
	}
	return f;
}

long text_file_read(struct text_file *f, void *dst, size_t n, char err[ANNOTATION_ERR])
{
	char why[UNPACK_ERR];
	long got;
	if (f->unpack) {
		got = unpack_read(f->unpack, dst, n, why);
		return got < 0 ? fault(f, err, why) : got;
	}
	do
		got = read(f->fd, dst, n);
	while (got < 0 && errno == EINTR);
	return got < 0 ? fault(f, err, strerror(errno)) : got;
}

int text_file_rewind(struct text_file *f, char err[ANNOTATION_ERR])
{
	if (lseek(f->fd, 0, SEEK_SET) < 0)
		return fault(f, err, strerror(errno));
	if (f->unpack) {
		unpack_free(f->unpack);
		f->unpack = unpack_fd(f->fd, f->path, ">FILE");
		unpack_any(f->unpack);
	}
	return 0;
}

void text_file_free(struct text_file *f)
{
	if (!f)
		return;
	unpack_free(f->unpack);
	if (f->fd >= 0)
		close(f->fd);
	free(f);
}
