#include "lib/import/yolo_names.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "lib/base/err.h"
#include "lib/import/text.h"

struct yaml {
	const char *path;
	long line;
	enum { OTHER, SHAPE, NAMES, FLIP } key;
	int classes; /* keys of the map of classes so far */
	int numbers; /* of kpt_shape so far */
};

static void add(struct yolo_names *y, struct span s, const char *where)
{
	char *name = xprintf("%.*s", (int)(s.e - s.p), (const char *)s.p);
	if (!*name || strlen(name) != (size_t)(s.e - s.p))
		die("%s: a name of a point is empty", where);
	for (int i = 0; i < y->n; i++)
		if (!strcmp(y->v[i], name))
			die("%s: two points are named '%.80s'", where, name);
	if (y->n == ANNOTATION_POINTS)
		die("%s: more than %d names", where, ANNOTATION_POINTS);
	y->v = xrealloc(y->v, ((size_t)y->n + 2) * sizeof *y->v);
	y->v[y->n++] = name;
	y->v[y->n] = NULL;
}

/* Without a comment: # at the line's start or behind a blank. */
static struct span uncommented(struct span s)
{
	for (const unsigned char *c = s.p; c < s.e; c++)
		if (*c == '#' && (c == s.p || c[-1] == ' ' || c[-1] == '\t'))
			s.e = c;
	return s;
}

/* An item of a list. */
static void item(struct yaml *t, struct yolo_names *y, struct span s)
{
	char show[TEXT_SHOWN];
	double v;
	s = csv_trimmed(s);
	if (s.e - s.p > 1 && (*s.p == '"' || *s.p == '\'') && s.e[-1] == *s.p)
		s.p++, s.e--;
	if (s.p == s.e)
		return;
	if (t->key == NAMES) {
		add(y, s, t->path);
		return;
	}
	if (t->key == FLIP) {
		if (!text_real(s, &v) || v < 0 || v >= ANNOTATION_POINTS || v != (int)v || y->nflip == ANNOTATION_POINTS)
			die("%s: line %ld: flip_idx: '%s' where the number of a point is expected, from 0", t->path, t->line,
				text_show(show, s));
		y->flip = xrealloc(y->flip, ((size_t)y->nflip + 1) * sizeof *y->flip);
		y->flip[y->nflip++] = (int)v;
		return;
	}
	if (!text_real(s, &v) || t->numbers > 1 || (t->numbers ? v != 2 && v != 3 : v < 1 || v > ANNOTATION_POINTS || v != (int)v))
		die("%s: line %ld: kpt_shape: '%s' where [1 to %d points, 2 or 3 numbers] is expected", t->path, t->line,
			text_show(show, s), ANNOTATION_POINTS);
	*(t->numbers++ ? &y->dims : &y->K) = (int)v;
}

/* Of a map in braces the list of its first class. */
static struct span first_of_map(const struct yaml *t, struct span s)
{
	char show[TEXT_SHOWN];
	const unsigned char *colon = memchr(s.p, ':', (size_t)(s.e - s.p)), *end = NULL;
	struct span list = {colon ? colon + 1 : s.e, s.e};
	list = csv_trimmed(list);
	if (s.e[-1] == '}' && list.p < list.e && *list.p == '[')
		end = memchr(list.p, ']', (size_t)(list.e - list.p));
	if (!end)
		die("%s: line %ld: kpt_names: '%s' where {CLASS: [NAME, ...]} on one line is expected", t->path, t->line,
			text_show(show, s));
	return (struct span){list.p, end + 1};
}

/* What stands behind the key, or on lines of its own below it. */
static void value(struct yaml *t, struct yolo_names *y, struct span s)
{
	s = csv_trimmed(s);
	if (t->key == NAMES && s.p < s.e && *s.p == '{')
		s = first_of_map(t, s);
	const unsigned char *colon = memchr(s.p, ':', (size_t)(s.e - s.p));
	if (t->key == NAMES && colon && *s.p != '-' && *s.p != '[' && *s.p != '"' && *s.p != '\'') { /* a class of the map */
		t->classes++;
		s.p = colon + 1;
	}
	if (t->key == OTHER || t->classes > 1)
		return;
	s = csv_trimmed(s);
	if (s.p < s.e && *s.p == '-')
		s.p++;
	while (s.p < s.e) {
		const unsigned char *end = s.p;
		while (end < s.e && *end != ',' && *end != '[' && *end != ']')
			end++;
		item(t, y, (struct span){s.p, end});
		s.p = end + (end < s.e);
	}
}

static void check_flip(const struct yolo_names *y, const char *path)
{
	int K = y->K ? y->K : y->n;
	if (y->nflip && y->nflip != K)
		die("%s: flip_idx has %d points, %s %d", path, y->nflip, y->K ? "kpt_shape" : "kpt_names", K);
	for (int i = 0; i < y->nflip; i++)
		if (y->flip[i] >= K || y->flip[y->flip[i]] != i)
			die("%s: flip_idx: %d is at %d, so %d must be at %d", path, y->flip[i], i, i, y->flip[i]);
}

static void read_yaml(struct yolo_names *y, const char *path)
{
	char err[ANNOTATION_ERR];
	struct yaml t = {.path = path};
	int r;
	struct lines *l = text_open(path, 0, err);
	if (!l)
		die("%s", err);
	while ((r = lines_next(l)) == LINES_ONE) {
		struct span s = uncommented(l->line);
		t.line++;
		if (s.p == s.e)
			continue;
		const unsigned char *colon = memchr(s.p, ':', (size_t)(s.e - s.p));
		if (*s.p == ' ' || *s.p == '\t' || *s.p == '-' || *s.p == ']' || !colon) {
			value(&t, y, s);
			continue;
		}
		struct span key = csv_trimmed((struct span){s.p, colon});
		t.key = text_is(key, "kpt_shape") ? SHAPE : text_is(key, "kpt_names") ? NAMES : text_is(key, "flip_idx") ? FLIP : OTHER;
		t.classes = 0;
		value(&t, y, (struct span){colon + 1, s.e});
	}
	if (r == LINES_ERR)
		die("%s: after line %ld: %s", path, t.line, l->err);
	lines_free(l);
	if (!y->K && !y->n)
		die("%s: neither kpt_shape nor kpt_names", path);
	if (y->K && y->n && y->K != y->n)
		die("%s: kpt_shape has %d points, kpt_names %d", path, y->K, y->n);
	check_flip(y, path);
}

void yolo_names_read(struct yolo_names *y, const char *text)
{
	*y = (struct yolo_names){0};
	size_t n = text ? strlen(text) : 0;
	if (!text)
		return;
	if ((n > 5 && !strcasecmp(text + n - 5, ".yaml")) || (n > 4 && !strcasecmp(text + n - 4, ".yml"))) {
		read_yaml(y, text);
		return;
	}
	for (const char *s = text;; s++) {
		const char *end = s + strcspn(s, ",");
		add(y, csv_trimmed((struct span){(const unsigned char *)s, (const unsigned char *)end}), "--point-names");
		s = end;
		if (!*s)
			return;
	}
}
