/* Fingerprints of the files of a directory, written into a history's lines. */
#include "lib/stream/history_names.h"

#include <dirent.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/base/err.h"
#include "lib/stream/tns.h"

struct named {
	char *name;
	int whole; /* a stream, read to its end */
	uint32_t fingerprint;
};

enum { PRINT = 8 }; /* digits of a fingerprint */

static int is_regular(const struct dirent *e)
{
	return e->d_type == DT_REG || e->d_type == DT_LNK || e->d_type == DT_UNKNOWN;
}

static void read_fingerprint(struct named *f, const char *dir)
{
	struct stat st;
	char *path = xprintf("%s/%s", dir, f->name);
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK), rc; /* not to wait for a pipe's writer */
	if (fd >= 0 && !fstat(fd, &st) && S_ISREG(st.st_mode)) {
		struct tns *t = tns_open_fd(fd, f->name);
		for (rc = tns_head(t); rc >= 0 && (rc = tns_step(t)) == TNS_DATA;)
			;
		f->whole = rc == TNS_DONE, f->fingerprint = t->fingerprint;
		tns_free(t);
	} else if (fd >= 0)
		close(fd);
	free(path);
}

/* The fingerprints at the end of a line of n bytes, " < 680ad3a0 6d7158cf": where they begin; or the line's end. */
static const char *prints_of(const char *line, size_t n)
{
	const char *end = line + n, *s = end;
	while (s - line > PRINT && strspn(s - PRINT, "0123456789abcdef") >= PRINT && s[-PRINT - 1] == ' ') {
		s -= PRINT;
		if (s - line > 3 && !strncmp(s - 3, " < ", 3))
			return s;
		s--;
	}
	return end;
}

static void append(char **text, const char *s, size_t n)
{
	char *longer = xprintf("%s%.*s", *text, (int)n, s);
	free(*text);
	*text = longer;
}

/* The names with this fingerprint, as " (a.tns, b.tns)". */
static void append_names(char **text, const char *print, const struct named *f, int n)
{
	uint32_t v = (uint32_t)strtoul(print, NULL, 16);
	int found = 0;
	for (int i = 0; i < n; i++)
		if (f[i].whole && f[i].fingerprint == v) {
			append(text, found++ ? ", " : " (", 2);
			append(text, f[i].name, strlen(f[i].name));
		}
	append(text, ")", found > 0);
}

char *history_names(const char *history, const char *dir)
{
	struct dirent **entry;
	int n = scandir(dir, &entry, is_regular, alphasort);
	if (n < 0)
		die_errno("%s", dir);
	struct named *f = xcalloc((size_t)n + 1, sizeof *f);
	for (int i = 0; i < n; i++) {
		f[i].name = xstrdup(entry[i]->d_name);
		read_fingerprint(&f[i], dir);
		free(entry[i]);
	}
	free(entry);
	char *text = xstrdup("");
	for (const char *line = history; *line;) {
		size_t len = strcspn(line, "\n");
		const char *end = line + len, *s = prints_of(line, len);
		append(&text, line, (size_t)(s - line));
		while (s < end) {
			append(&text, s, PRINT);
			append_names(&text, s, f, n);
			s += PRINT;
			append(&text, " ", s < end);
			s += s < end;
		}
		append(&text, "\n", *end == '\n');
		line = end + (*end == '\n');
	}
	for (int i = 0; i < n; i++)
		free(f[i].name);
	free(f);
	return text;
}
