#include "lib/image/image_path.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/base/err.h"

void image_path_begin(struct image_path *p, const char *file, const char *images)
{
	const char *slash = file ? strrchr(file, '/') : NULL;
	*p = (struct image_path){.images = images ? xstrdup(*images ? images : ".") : NULL};
	p->own = slash ? xprintf("%.*s", (int)(slash > file ? slash - file : 1), file) : xstrdup(".");
}

/* Folder and name, "." and ".." resolved in the name (a link before a ".." would lead elsewhere). 0: the name climbs out of the folder. */
static int join(struct image_path *p, const char *folder, const char *name)
{
	size_t base = strcmp(folder, ".") ? strlen(folder) : 0, need = base + strlen(name) + 2;
	if (p->room < need)
		p->path = xrealloc(p->path, p->room = need + 256);
	memcpy(p->path, folder, base);
	if (base && folder[base - 1] != '/')
		p->path[base++] = '/';
	size_t at = base;
	for (const char *s = name; *s;) {
		size_t n = strcspn(s, "/");
		if (n == 2 && !memcmp(s, "..", 2)) {
			if (at == base)
				return 0;
			for (at--; at > base && p->path[at - 1] != '/'; at--)
				;
		} else if (n && !(n == 1 && *s == '.')) {
			memcpy(p->path + at, s, n);
			at += n;
			if (s[n])
				p->path[at++] = '/';
		}
		s += n + (s[n] != 0);
	}
	p->path[at] = 0;
	p->below = base;
	return at > base;
}

/* The path lies in the folder, both without links and dots. */
static int is_in(struct image_path *p, const char *folder)
{
	size_t n = strcmp(folder, "/") ? strlen(folder) : 0;
	p->below = n + 1;
	return !strncmp(p->path, folder, n) && p->path[n] == '/' && p->path[n + 1];
}

/* An absolute path, or one from the file's folder, that lies within the folder of --images; by the names of folders, or else where links
 * among them lead. */
static int within(struct image_path *p, const char *name)
{
	char own[PATH_MAX], images[PATH_MAX], folder[PATH_MAX];
	if (!p->images || !realpath(p->images, images) || !realpath(p->own, own))
		return 0;
	char *whole = *name == '/' ? xstrdup(name) : xprintf("%s/%s", own, name);
	int ok = join(p, "/", whole);
	free(whole);
	if (!ok || is_in(p, images))
		return ok;
	char *slash = strrchr(p->path, '/');
	*slash = 0;
	if (!slash[1] || !realpath(*p->path ? p->path : "/", folder))
		return 0;
	char *real = xprintf("%s/%s", strcmp(folder, "/") ? folder : "", slash + 1);
	free(p->path);
	p->path = real;
	p->room = strlen(real) + 1;
	return is_in(p, images);
}

const char *image_path(struct image_path *p, const char *name)
{
	if (*name != '/' && join(p, p->images ? p->images : p->own, name))
		return p->path;
	return *name && within(p, name) ? p->path : NULL;
}

static int hex(char c)
{
	const char *digits = "0123456789abcdef", *at = c ? strchr(digits, c | 0x20) : NULL;
	return at && ((c >= '0' && c <= '9') || (c | 0x20) >= 'a') ? (int)(at - digits) : -1;
}

/* The path without percent code, to be freed; NULL: it has none, or would lead into another folder. */
static char *percent_decoded(const char *path)
{
	char *decoded = xmalloc(strlen(path) + 1), *to = decoded;
	int changed = 0, good = 1;
	for (const char *s = path; *s; s++) {
		int high = *s == '%' ? hex(s[1]) : -1, low = high >= 0 ? hex(s[2]) : -1, c = 16 * high + low;
		if (low >= 0) {
			changed = 1, good &= c && c != '/';
			*to++ = (char)c;
			s += 2;
		} else {
			*to++ = *s;
		}
	}
	*to = 0;
	for (const char *s = decoded; changed && good && s; s = strchr(s, '/')) {
		s += *s == '/';
		good = strncmp(s, "..", 2) || (s[2] && s[2] != '/') || strstr(path, "..");
	}
	if (changed && good)
		return decoded;
	free(decoded);
	return NULL;
}

const char *image_path_there(struct image_path *p, const char *path)
{
	free(p->decoded);
	p->decoded = access(path, F_OK) ? percent_decoded(path) : NULL;
	return p->decoded && !access(p->decoded, F_OK) ? p->decoded : path;
}

void image_path_end(struct image_path *p)
{
	free(p->own);
	free(p->images);
	free(p->path);
	free(p->decoded);
	*p = (struct image_path){0};
}
