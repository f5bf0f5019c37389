#include "lib/import/text.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/base/num.h"

const char *text_input(const char *path)
{
	return strcmp(path, "-") ? path : "stdin";
}

struct lines *text_open(const char *path, int regular, char err[ANNOTATION_ERR])
{
	struct stat st;
	if (!regular && !strcmp(path, "-"))
		return lines_open_fd(0, text_input(path));
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | (regular ? O_NONBLOCK : 0));
	if (fd < 0 || fstat(fd, &st)) {
		text_bad(err, "%s: %s", path, strerror(errno));
	} else if (S_ISDIR(st.st_mode) || (regular && !S_ISREG(st.st_mode))) {
		text_bad(err, "%s: %s", path, S_ISDIR(st.st_mode) ? "is a folder" : "is no regular file");
	} else {
		return lines_open_fd(fd, path);
	}
	if (fd >= 0)
		close(fd);
	return NULL;
}

int text_line(struct lines *l, long *line, const char *name, char err[ANNOTATION_ERR])
{
	for (int r; (r = lines_next(l)) != LINES_DONE;) {
		if (r == LINES_ERR)
			return text_bad(err, "%s: after line %ld: %s", name, *line, l->err);
		++*line;
		struct span s = csv_trimmed(l->line);
		if (s.p < s.e)
			return 1;
	}
	return 0;
}

static int is_blank(unsigned char c)
{
	return c == ' ' || c == '\t';
}

int text_word(struct span *rest, struct span *word)
{
	while (rest->p < rest->e && is_blank(*rest->p))
		rest->p++;
	word->p = rest->p;
	while (rest->p < rest->e && !is_blank(*rest->p))
		rest->p++;
	word->e = rest->p;
	return word->p < word->e;
}

int text_is(struct span s, const char *word)
{
	size_t n = strlen(word);
	return (size_t)(s.e - s.p) == n && !memcmp(s.p, word, n);
}

int text_real(struct span s, double *v)
{
	char buf[64];
	size_t n = (size_t)(s.e - s.p);
	if (n && *s.p == '+' && n > 1 && s.p[1] != '-')
		s.p++, n--;
	if (!n || n >= sizeof buf || memchr(s.p, 0, n))
		return 0;
	memcpy(buf, s.p, n);
	buf[n] = 0;
	return num_real(buf, v);
}

int text_nan(struct span s)
{
	return s.e - s.p == 3 && !strncasecmp((const char *)s.p, "nan", 3);
}

const char *text_show(char buf[TEXT_SHOWN], struct span s)
{
	size_t n = (size_t)(s.e - s.p), most = TEXT_SHOWN - 4;
	if (n > most)
		for (n = most; n > most - 4 && (s.p[n] & 0xC0) == 0x80; n--) /* no UTF-8 character is split */
			;
	snprintf(buf, TEXT_SHOWN, "%.*s%s", (int)n, (const char *)s.p, s.p + n < s.e ? "..." : "");
	return buf;
}

int text_bad(char err[ANNOTATION_ERR], const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	vsnprintf(err, ANNOTATION_ERR, fmt, ap);
	va_end(ap);
	return -1;
}

char **text_numbered(int K)
{
	char **names = xcalloc((size_t)K + 1, sizeof *names);
	for (int k = 0; k < K; k++)
		names[k] = xprintf("%d", k + 1);
	return names;
}

char *text_field(struct span f)
{
	f = csv_trimmed(f);
	char *s = xmalloc((size_t)(f.e - f.p) + 1), *to = s;
	while (f.p < f.e) {
		f.p += *f.p == '"' && f.p + 1 < f.e && f.p[1] == '"';
		*to++ = (char)*f.p++;
	}
	*to = 0;
	return s;
}

void text_slashes(char *name)
{
	while ((name = strchr(name, '\\')))
		*name = '/';
}

char *text_image_name(struct span s)
{
	size_t n = (size_t)(s.e - s.p);
	if (!n || memchr(s.p, 0, n))
		return NULL;
	char *name = xmalloc(n + 1);
	memcpy(name, s.p, n);
	name[n] = 0;
	text_slashes(name);
	return name;
}

char *text_path(const char *folder, const char *name)
{
	size_t n = strlen(folder);
	return xprintf("%s%s%s", folder, n && folder[n - 1] != '/' ? "/" : "", name);
}

char *text_folder(const char *path)
{
	const char *slash = strrchr(path, '/');
	return !slash ? xstrdup("") : slash == path ? xstrdup("/") : xprintf("%.*s", (int)(slash - path), path);
}
