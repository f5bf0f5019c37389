#include "lib/import/stem_files.h"

#include <errno.h>
#include <fts.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>

#include "lib/base/err.h"
#include "lib/import/text.h"

struct entry {
	char *name;  /* within the folder */
	size_t stem; /* its length without suffix */
	int used;
};

struct listing {
	char *asked, *folder; /* as it was given; without slashes at the end */
	int deep;	      /* with the folders in it */
	int whole;	      /* all of it was meant: what is left has no annotations */
	char *head;	      /* put before names: "" or "FOLDER/" */
	size_t n;
	struct entry *v;
	size_t loops; /* links to a folder that they lie in */
	char *loop;   /* the first of them by name */
};

struct search {
	struct stem_files *to;
	const struct annotation_options *o;
	const char *suffix;
	size_t n;
	struct listing **v; /* of images */
};

/* Length without the suffix, which must be one of the list, "png|jpg"; 0: it is none. */
static size_t stem_of(const char *name, const char *suffixes)
{
	const char *slash = strrchr(name, '/'), *dot = strrchr(slash ? slash : name, '.');
	size_t n = dot ? strlen(dot + 1) : 0;
	if (!n || dot == name || dot[-1] == '/')
		return 0;
	for (const char *s = suffixes; *s; s += strcspn(s, "|"), s += *s == '|')
		if (strcspn(s, "|") == n && !strncasecmp(s, dot + 1, n))
			return (size_t)(dot - name);
	return 0;
}

static int by_stem(const void *a, const void *b)
{
	const struct entry *x = a, *y = b;
	int c = memcmp(x->name, y->name, x->stem < y->stem ? x->stem : y->stem);
	return c ? c : x->stem != y->stem ? (x->stem < y->stem ? -1 : 1) : strcmp(x->name, y->name);
}

static void add_loop(struct listing *l, const char *path)
{
	if (!l->loops++ || strcmp(path, l->loop) < 0) {
		free(l->loop);
		l->loop = xstrdup(path);
	}
}

/* Links are what they lead to: a folder behind one is a folder within. */
static struct listing *list(const char *folder, int deep, const char *suffixes)
{
	struct listing *l = xcalloc(1, sizeof *l);
	size_t room = 0, n = strlen(folder);
	while (n > 1 && folder[n - 1] == '/')
		n--;
	l->folder = xprintf("%.*s", (int)n, folder);
	l->asked = xstrdup(folder);
	l->deep = deep;
	l->head = xstrdup("");
	char *roots[] = {n ? l->folder : (char[]){"."}, NULL};
	size_t skip = strlen(roots[0]) + (roots[0][strlen(roots[0]) - 1] != '/');
	FTS *f = fts_open(roots, FTS_LOGICAL | FTS_NOCHDIR, NULL);
	if (!f)
		die_errno("%s", roots[0]);
	for (FTSENT *e; (errno = 0, e = fts_read(f));) {
		if (e->fts_info == FTS_DNR || e->fts_info == FTS_ERR || (e->fts_info == FTS_NS && !e->fts_level)) {
			errno = e->fts_errno;
			die_errno("%s", e->fts_path);
		}
		if (!e->fts_level)
			continue;
		if (e->fts_info == FTS_D && (!deep || e->fts_name[0] == '.'))
			fts_set(f, e, FTS_SKIP);
		if (e->fts_info == FTS_DC && deep && e->fts_name[0] != '.')
			add_loop(l, e->fts_path);
		size_t stem = e->fts_info == FTS_F || e->fts_info == FTS_SLNONE || e->fts_info == FTS_DEFAULT
				      ? stem_of(e->fts_path + skip, suffixes)
				      : 0;
		if (!stem || e->fts_name[0] == '.')
			continue;
		if (l->n == room)
			l->v = xrealloc(l->v, (room = 2 * room + 64) * sizeof *l->v);
		l->v[l->n++] = (struct entry){xstrdup(e->fts_path + skip), stem, 0};
	}
	if (errno)
		die_errno("%s", roots[0]);
	fts_close(f);
	if (l->n)
		qsort(l->v, l->n, sizeof *l->v, by_stem);
	return l;
}

static void listing_free(struct listing *l)
{
	for (size_t i = 0; i < l->n; i++)
		free(l->v[i].name);
	free(l->v), free(l->asked), free(l->folder), free(l->head), free(l->loop), free(l);
}

/* The images of a folder, listed once. */
static struct listing *images_of(struct search *s, const char *folder, int deep)
{
	for (size_t i = s->n; i-- > 0;)
		if (!strcmp(s->v[i]->asked, folder) && s->v[i]->deep == deep)
			return s->v[i];
	s->v = xrealloc(s->v, (s->n + 1) * sizeof *s->v);
	return s->v[s->n++] = list(folder, deep, "png|jpg|jpeg|pgm|ppm");
}

/* Room for one more. */
static struct stem_file *next_file(struct stem_files *to)
{
	if ((to->n & (to->n - 1)) == 0)
		to->v = xrealloc(to->v, (to->n ? 2 * to->n : 1) * sizeof *to->v);
	to->v[to->n] = (struct stem_file){0};
	return &to->v[to->n++];
}

static void set_image(struct stem_files *to, struct stem_file *f, const struct listing *l, const struct entry *e)
{
	f->file = xprintf("%s%s", l->head, e->name);
	f->path = text_path(l->folder, e->name);
	to->longest = (int)strlen(f->file) > to->longest ? (int)strlen(f->file) : to->longest;
}

static int has_stem(const struct listing *l, size_t i, const char *name, size_t n)
{
	return i < l->n && l->v[i].stem == n && !memcmp(l->v[i].name, name, n);
}

/* The first image of l whose stem is the first n bytes of name; l->n: none. */
static size_t find(const struct listing *l, const char *name, size_t n)
{
	size_t low = 0, high = l->n;
	while (low < high) { /* the first whose stem is not less */
		size_t mid = low + (high - low) / 2;
		const struct entry *e = &l->v[mid];
		int c = memcmp(e->name, name, e->stem < n ? e->stem : n);
		if (c < 0 || (!c && e->stem < n))
			low = mid + 1;
		else
			high = mid;
	}
	return has_stem(l, low, name, n) ? low : l->n;
}

/* Length without a number behind a line, as of a further face's file, a_2. */
static size_t unnumbered(const char *name, size_t n)
{
	size_t at = n;
	while (at && name[at - 1] >= '0' && name[at - 1] <= '9')
		at--;
	return at < n && name[at] != '0' && at > 1 && name[at - 1] == '_' && name[at - 2] != '/' ? at - 1 : n;
}

/* A file of annotations, label, whose stem within l is the first n bytes of name. */
static void match(struct search *s, char *label, size_t within, struct listing *l, const char *name, size_t n)
{
	struct stem_file *f = next_file(s->to);
	size_t first = find(l, name, n);
	f->label = label;
	f->within = within;
	if (first == l->n && !strcmp(s->suffix, ".pts"))
		n = unnumbered(name, n), first = find(l, name, n);
	for (size_t i = first; has_stem(l, i, name, n); i++) {
		l->v[i].used = 1;
		if (i == first)
			set_image(s->to, f, l, &l->v[i]);
		else if (i == first + 1)
			f->other = xprintf("%s%s", l->head, l->v[i].name);
	}
}

static void match_within(struct search *s, const struct listing *labels, const struct entry *e, struct listing *images)
{
	char *label = text_path(labels->folder, e->name);
	match(s, label, s->o->noperands == 1 ? strlen(label) - strlen(e->name) : 0, images, e->name, e->stem);
}

/* Takes over the loops of l. */
static void add_loops(struct stem_files *to, struct listing *l)
{
	if (l->loops && (!to->loops || strcmp(l->loop, to->loop) < 0)) {
		free(to->loop);
		to->loop = l->loop;
		l->loop = NULL;
	}
	to->loops += l->loops;
}

static void take_folder(struct search *s, const char *operand)
{
	struct listing *labels = list(operand, 1, s->suffix + 1);
	struct listing *images = images_of(s, s->o->images ? s->o->images : labels->folder, 1);
	images->whole = 1;
	if (!s->o->images && s->o->noperands > 1 && !*images->head) {
		free(images->head);
		images->head = text_path(images->folder, "");
	}
	for (size_t i = 0; i < labels->n; i++)
		match_within(s, labels, &labels->v[i], images);
	if (s->o->images) /* else its folder is among those of the images */
		add_loops(s->to, labels);
	listing_free(labels);
}

static void take_file(struct search *s, const char *operand)
{
	const char *slash = strrchr(operand, '/'), *name = slash ? slash + 1 : operand, *dot = strrchr(name, '.');
	char *folder = text_folder(operand);
	struct listing *images = images_of(s, s->o->images ? s->o->images : folder, s->o->images != NULL);
	if (!s->o->images && !*images->head) {
		free(images->head);
		images->head = xprintf("%.*s", (int)(name - operand), operand);
	}
	match(s, xstrdup(operand), s->o->noperands == 1 ? strlen(operand) : 0, images, name,
		dot && dot > name ? (size_t)(dot - name) : strlen(name));
	free(folder);
}

void stem_files_find(struct stem_files *to, const struct annotation_options *o, const char *suffix)
{
	struct search s = {to, o, suffix, 0, NULL};
	*to = (struct stem_files){0};
	for (int i = 0; i < o->noperands; i++) {
		struct stat st;
		if (stat(o->operands[i], &st))
			die_errno("%s", o->operands[i]);
		if (S_ISDIR(st.st_mode))
			take_folder(&s, o->operands[i]);
		else
			take_file(&s, o->operands[i]);
	}
	if (!to->n)
		die("%s: no file *%s is in it", o->operands[0], suffix);
	for (size_t i = 0; i < s.n; i++) {
		for (size_t j = 0; s.v[i]->whole && j < s.v[i]->n; j++)
			if (!s.v[i]->v[j].used)
				set_image(to, next_file(to), s.v[i], &s.v[i]->v[j]);
		add_loops(to, s.v[i]);
		listing_free(s.v[i]);
	}
	free(s.v);
}

void stem_files_free(struct stem_files *s)
{
	for (size_t i = 0; i < s->n; i++)
		free(s->v[i].label), free(s->v[i].file), free(s->v[i].path), free(s->v[i].other);
	free(s->v), free(s->loop);
}

char *stem_files_loops(const struct stem_files *s)
{
	return !s->loops ? NULL : s->loops == 1 ? xprintf("'%s'", s->loop) : xprintf("'%s' and %zu more", s->loop, s->loops - 1);
}

void stem_file_place(const struct stem_file *f, long line, char place[ANNOTATION_PLACE])
{
	const char *name = f->label ? f->label + f->within : f->path;
	char at[40] = "";
	if (line)
		snprintf(at, sizeof at, "%sline %ld", *name ? ", " : "", line);
	size_t n = strlen(name), room = ANNOTATION_PLACE - 4 - strlen(at); /* of a long one its end tells more */
	snprintf(place, ANNOTATION_PLACE, "%s%s%s", n > room ? "..." : "", n > room ? name + n - room : name, at);
}

int stem_file_fault(const struct stem_file *f, const char *name, char err[ANNOTATION_ERR])
{
	if (!f->file)
		return text_bad(err, "%s: no image has its name (png, jpg, jpeg, pgm, ppm)", name);
	return f->other ? text_bad(err, "%s: two images have its name: '%s' and '%s'", name, f->file, f->other) : 0;
}
