/* What a loss of power may leave of a recorded run (record.c), at every moment of it.
 * usage: replay RECORD FOLDER OLD DEST
 * After each recorded call, and before the first, the folder's names are those of its last fsync, or those after any number of the calls
 * that have changed them since, in their order; a file has what was there at its last fsync, and of what was written since nothing, the
 * first writes, all, half of the last write, or as many zeros. All of these are formed in memory, so a rename may come before the data
 * and the data before the rename. A name that does not begin with a dot then holds what it held in OLD, or nothing if it was not there, or
 * what a file held when it got that name; after the last call, what it held last. Logs (NAME.tsv that no file is renamed to) are left out.
 * DEST gets each whole content that came to be, as NAME.1, NAME.2, ..., and up to 200 others of files with other names, as half.1, ....
 * Prints `CALLS STATES NAMES HALVES`, and to stderr what was wrong. */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { OPS = 4096, FILES = 1024, HALVES = 200 };

struct bytes {
	unsigned char *p;
	size_t n;
};

enum kind { OPEN, WRITE, TRUNCATE, SYNC, RENAME, UNLINK, KINDS };
static const char *const kind_name[KINDS] = {"open", "write", "truncate", "sync", "rename", "unlink"};

static struct op {
	enum kind kind;
	char *name, *to; /* without the folder; the folder itself is "" */
	int file;
	size_t at, n;
	const unsigned char *data;
} op[OPS];
static int ops;
static unsigned long inode[FILES];
static int files, wrong;
static const char *dest;

/* ---- contents of a name: old, and at each rename to it; whether they were seen ---- */
static struct whole {
	char *name;
	struct bytes is;
	int seen;
} whole[FILES * 8];
static int wholes;
static struct bytes half[HALVES];
static int halves;
static long names_checked;

static void *must(void *p)
{
	if (!p)
		abort();
	return p;
}

static struct bytes slurp(const char *path)
{
	struct bytes b = {must(malloc(1)), 0};
	FILE *f = fopen(path, "rb");
	if (!f)
		return b;
	for (size_t got; (b.p = must(realloc(b.p, b.n + 65536))) && (got = fread(b.p + b.n, 1, 65536, f)) > 0;)
		b.n += got;
	fclose(f);
	return b;
}

static void spill(const char *name, int k, struct bytes b)
{
	char path[4096];
	snprintf(path, sizeof path, "%s/%s.%d", dest, name, k);
	FILE *f = must(fopen(path, "wb"));
	if (fwrite(b.p, 1, b.n, f) != b.n || fclose(f))
		abort();
}

static int equal(struct bytes a, struct bytes b)
{
	return a.n == b.n && !memcmp(a.p, b.p, a.n);
}

static void add_whole(const char *name, struct bytes b)
{
	if (wholes == FILES * 8)
		abort();
	whole[wholes++] = (struct whole){must(strdup(name)), b, 0};
}

/* ---- a file after the first n calls: what is synced, or all but so much ---- */

static void apply(struct bytes *b, const struct op *o, size_t n, int zeros)
{
	size_t end = o->kind == TRUNCATE ? o->n : o->at + n;
	if (o->kind == TRUNCATE || end > b->n) {
		b->p = must(realloc(b->p, end + 1));
		if (end > b->n)
			memset(b->p + b->n, 0, end - b->n);
		b->n = end;
	}
	if (o->kind == WRITE && zeros)
		memset(b->p + o->at, 0, n);
	else if (o->kind == WRITE)
		memcpy(b->p + o->at, o->data, n);
}

static int last_sync(int file, int n)
{
	while (n > 0 && !(op[n - 1].kind == SYNC && op[n - 1].file == file))
		n--;
	return n;
}

enum { TORN = 1, ZEROS };

/* After n calls, of which data later than the file's fsync are there up to call m. how: of the last of them, half; or zeros of all. */
static struct bytes content(int file, int n, int m, int how)
{
	struct bytes b = {must(malloc(1)), 0};
	int safe = last_sync(file, n), last = -1;
	for (int i = 0; i < (m > safe ? m : safe); i++)
		if (op[i].file == file && op[i].kind == WRITE)
			last = i;
	for (int i = 0; i < (m > safe ? m : safe); i++)
		if (op[i].file == file && (op[i].kind == WRITE || op[i].kind == TRUNCATE))
			apply(&b, &op[i], op[i].n / (i == last && i >= safe && how == TORN ? 2 : 1), how == ZEROS && i >= safe);
	return b;
}

/* ---- names after the first n calls ---- */
struct names {
	char *name[FILES];
	int file[FILES]; /* -1: the old one */
	int n;
};

static int find(struct names *d, const char *name)
{
	int i = 0;
	while (i < d->n && strcmp(d->name[i], name))
		i++;
	if (i == d->n) {
		if (d->n == FILES)
			abort();
		d->name[d->n] = (char *)name;
		d->file[d->n++] = -2; /* not there */
	}
	return i;
}

static struct names names_after(int n, const struct names *old)
{
	struct names d = *old;
	for (int i = 0; i < n; i++) {
		int at = op[i].kind == OPEN || op[i].kind == UNLINK || op[i].kind == RENAME ? find(&d, op[i].name) : 0;
		if (op[i].kind == OPEN)
			d.file[at] = op[i].file;
		if (op[i].kind == UNLINK)
			d.file[at] = -2;
		if (op[i].kind == RENAME) {
			d.file[find(&d, op[i].to)] = d.file[at];
			d.file[at] = -2;
		}
	}
	return d;
}

static int changes_names(enum kind k)
{
	return k == OPEN || k == RENAME || k == UNLINK;
}

static int is_renamed_to(const char *name)
{
	for (int i = 0; i < ops; i++)
		if (op[i].kind == RENAME && !strcmp(op[i].to, name))
			return 1;
	return 0;
}

static void note_half(struct bytes b)
{
	for (int i = 0; i < halves; i++)
		if (equal(half[i], b))
			return;
	if (halves == HALVES)
		return;
	half[halves] = (struct bytes){memcpy(must(malloc(b.n + 1)), b.p, b.n), b.n};
	spill("half", halves + 1, b);
	halves++;
}

static void judge(const struct names *d, int n, int m, int how, int end)
{
	for (int i = 0; i < d->n; i++) {
		const char *name = d->name[i];
		if (d->file[i] == -1) {
			if (end && is_renamed_to(name))
				fprintf(stderr, "%s: is still the old one in the end\n", name), wrong++;
			continue;
		}
		if (d->file[i] == -2)
			continue; /* judged below, where it had to be there */
		struct bytes b = content(d->file[i], n, m, how);
		if (*name == '.') {
			note_half(b);
		} else if (is_renamed_to(name)) {
			int k = wholes - 1;
			while (k >= 0 && (strcmp(whole[k].name, name) || !equal(whole[k].is, b)))
				k--;
			names_checked++;
			if (k >= 0)
				whole[k].seen = 1;
			if (k < 0)
				fprintf(stderr, "%s: %zu bytes, neither old nor new, after %d calls, data up to %d\n", name, b.n, n, m),
					wrong++;
			for (int j = k + 1; end && k >= 0 && j < wholes; j++)
				if (!strcmp(whole[j].name, name) && !equal(whole[j].is, b))
					fprintf(stderr, "%s: is not the last one in the end\n", name), wrong++;
		}
		free(b.p);
	}
}

static void parse(char *text, const char *folder, struct bytes data)
{
	size_t used = 0, len = strlen(folder);
	for (char *line = strtok(text, "\n"); line; line = strtok(NULL, "\n")) {
		char *field[5] = {line};
		for (int i = 1; i < 5; i++)
			if ((field[i] = strchr(field[i - 1], '\t')))
				*field[i]++ = 0;
			else
				break;
		struct op o = {.file = -1};
		while (o.kind < KINDS && strcmp(kind_name[o.kind], field[0]))
			o.kind++;
		if (o.kind == KINDS || ops == OPS || !field[1])
			abort();
		size_t n = o.kind == WRITE ? strtoul(field[4], NULL, 10) : o.kind == TRUNCATE ? strtoul(field[3], NULL, 10) : 0;
		o.n = n;
		if (o.kind == WRITE) {
			o.at = strtoul(field[3], NULL, 10), o.data = data.p + used;
			used += n;
		}
		if (strncmp(field[1], folder, len) || (field[1][len] && field[1][len] != '/'))
			continue;
		o.name = field[1] + len + (field[1][len] == '/');
		if (o.kind == RENAME) {
			o.to = field[2] + len + 1;
		} else if (o.kind != UNLINK && *o.name) {
			struct names d = names_after(ops, &(struct names){.n = 0});
			unsigned long number = strtoul(field[2], NULL, 10);
			int named = d.file[find(&d, o.name)];
			for (o.file = files - 1; o.file >= 0 && inode[o.file] != number; o.file--)
				;
			if (o.kind == OPEN && o.file != named && o.file >= 0) /* another file that had the number is gone */
				inode[o.file] = 0, o.file = -1;
			if (o.file < 0) {
				if (files == FILES)
					abort();
				inode[o.file = files++] = number;
			}
		}
		op[ops++] = o;
	}
	if (used != data.n)
		abort();
}

int main(int argc, char **argv)
{
	if (argc != 5)
		return 2;
	char path[4096];
	struct bytes text = slurp(argv[1]);
	snprintf(path, sizeof path, "%s.data", argv[1]);
	struct bytes data = slurp(path);
	dest = argv[4];
	text.p[text.n] = 0;
	parse((char *)text.p, argv[2], data);
	struct names old = {.n = 0};
	DIR *dir = must(opendir(argv[3]));
	for (struct dirent *e; (e = readdir(dir));)
		if (*e->d_name != '.') {
			snprintf(path, sizeof path, "%s/%s", argv[3], e->d_name);
			add_whole(e->d_name, slurp(path));
			old.file[find(&old, must(strdup(e->d_name)))] = -1;
		}
	closedir(dir);
	for (int i = 0; i < ops; i++) /* what a file held as it got its name */
		if (op[i].kind == RENAME) {
			struct names d = names_after(i, &old);
			int f = d.file[find(&d, op[i].name)];
			if (f < 0)
				abort();
			add_whole(op[i].to, content(f, i, i, 0));
		}
	long states = 0;
	for (int n = 0; n <= ops; n++) {
		int safe = n;
		while (safe > 0 && !(op[safe - 1].kind == SYNC && !*op[safe - 1].name))
			safe--;
		for (int j = safe; j <= n; j++) {
			if (j > safe && !changes_names(op[j - 1].kind))
				continue;
			struct names d = names_after(j, &old);
			for (int i = 0; i < old.n; i++) {
				int is = d.file[find(&d, old.name[i])];
				if (is == -2)
					fprintf(stderr, "%s: is gone after %d calls\n", old.name[i], n), wrong++;
			}
			for (int m = 0; m <= n; m++)
				for (int how = 0; how <= ZEROS; how++) {
					const struct op *o = &op[m - (m > 0)];
					if (m > 0 && ((o->kind != WRITE && o->kind != TRUNCATE) || last_sync(o->file, n) >= m))
						continue; /* nothing else is there than before it */
					if (m == 0 && how)
						continue;
					judge(&d, n, m, how, n == ops);
					states++;
				}
		}
	}
	for (int k = 0; k < wholes; k++)
		if (whole[k].seen)
			spill(whole[k].name, k + 1, whole[k].is);
	printf("%d %ld %ld %d\n", ops, states, names_checked, halves);
	return wrong != 0;
}
