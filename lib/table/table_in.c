/* Lines of a table: notes, header, rows, notes. What a header means is table_in_header.c's. */
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/base/crc.h"
#include "lib/table/notes.h"
#include "lib/table/table_in_io.h"

int table_in_fault(struct table_in *t, const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	vsnprintf(t->err, sizeof t->err, fmt, ap);
	va_end(ap);
	return TABLE_IN_ERR;
}

const char *table_in_text(struct span f, char out[44])
{
	size_t n = (size_t)(f.e - f.p), i;
	for (i = 0; i < n && i < 40; i++)
		out[i] = f.p[i] < ' ' || f.p[i] == 127 ? '?' : (char)f.p[i];
	strcpy(out + i, n > 40 ? "..." : "");
	return out;
}

/* ---- notes ---- */

static int add_tensor(struct table_in *t, const struct tns_def *d)
{
	for (int i = 0; i < t->ntensors; i++)
		if (!strcmp(t->def[i].name, d->name))
			return table_in_fault(t, "two tensors are named %s", d->name);
	if (t->ntensors == TNS_TENSORS_MAX)
		return table_in_fault(t, "more than %d tensors", TNS_TENSORS_MAX);
	if (!(t->ntensors & (t->ntensors - 1)))
		t->def = xrealloc(t->def, (t->ntensors ? 2 * (size_t)t->ntensors : 1) * sizeof *t->def);
	t->def[t->ntensors++] = *d;
	return TABLE_IN_DONE;
}

/* Takes key and value over. */
static int add_meta(struct table_in *t, struct tns_meta m)
{
	struct table_in_source *s = t->src;
	const char *why = NULL;
	s->meta_bytes += m.key_len + m.value_len;
	if (s->meta_bytes > TNS_META_MAX || t->nmeta == TNS_TENSORS_MAX)
		why = "more METAs than a stream may have, at";
	for (int i = 0; i < t->nmeta && !why; i++)
		if (!strcmp(t->meta[i].key, m.key))
			why = "two METAs are named";
	if (why) {
		table_in_fault(t, "%s %.100s", why, m.key);
		free(m.key), free(m.value);
		return TABLE_IN_ERR;
	}
	if (!(t->nmeta & (t->nmeta - 1))) {
		size_t room = t->nmeta ? 2 * (size_t)t->nmeta : 1;
		t->meta = xrealloc(t->meta, room * sizeof *t->meta);
		t->place = xrealloc(t->place, room * sizeof *t->place);
	}
	t->place[t->nmeta] = t->ntensors;
	t->meta[t->nmeta++] = m;
	return TABLE_IN_DONE;
}

int table_in_note(struct table_in *t)
{
	struct table_in_source *s = t->src;
	struct notes_line l;
	int late = s->field != NULL;
	char text[44];
	enum notes_kind kind = notes_parse(&l, s->lines->line.p, s->lines->line.e);
	l.meta.late = late;
	switch (kind) {
	case NOTES_BAD:
		return table_in_fault(t, "a note with %s", l.err);
	case NOTES_META:
		return add_meta(t, l.meta);
	case NOTES_TENSOR:
		if (!late)
			return add_tensor(t, &l.def);
		break;
	case NOTES_END:
		if (late) {
			s->ended = 1, s->part = l.part, s->noted_text = l.text, t->stream = l.stream;
			return TABLE_IN_DONE;
		}
		break;
	default:
		break;
	}
	return table_in_fault(t, "'%s' is no note that belongs here", table_in_text(s->lines->line, text));
}

/* ---- rows ---- */

static int is_empty(struct span line)
{
	line = csv_trimmed(line);
	return line.p == line.e;
}

/* Behind the rows, at a line that is none: notes, comments and empty lines up to the end. */
static int read_end(struct table_in *t)
{
	struct table_in_source *s = t->src;
	int r;
	do {
		struct span line = s->lines->line;
		if (is_empty(line))
			continue;
		if (s->ended)
			return table_in_fault(t, "lines follow the last one, # end");
		if (*line.p != '#')
			return table_in_fault(t, "row %llu: before it is an empty line or a comment", (unsigned long long)t->row + 1);
		if (t->noted && table_in_note(t) < 0)
			return TABLE_IN_ERR;
	} while ((r = lines_next(s->lines)) == LINES_ONE);
	return r == LINES_ERR ? table_in_fault(t, "%s", s->lines->err) : TABLE_IN_DONE;
}

int table_in_step(struct table_in *t)
{
	struct table_in_source *s = t->src;
	int r = s->held ? LINES_ONE : lines_next(s->lines);
	s->held = 0;
	if (r == LINES_ERR)
		return table_in_fault(t, "row %llu: %s", (unsigned long long)t->row + 1, s->lines->err);
	struct span line = s->lines->line;
	if (r == LINES_ONE && !is_empty(line) && *line.p != '#') {
		t->row++;
		t->text = crc_add(crc_add(t->text, line.p, (size_t)(line.e - line.p)), "\n", 1);
		return table_in_row(t);
	}
	if (r == LINES_ONE && read_end(t) < 0)
		return TABLE_IN_ERR;
	if (t->noted && !s->ended)
		return table_in_fault(
			t, "the table was cut after row %llu: its last line, '# end: ...', is missing", (unsigned long long)t->row);
	t->same = t->noted && !s->part && s->noted_text == t->text;
	return TABLE_IN_DONE;
}

/* ---- opening ---- */

static struct table_in *new_table(struct lines *lines, const char *name)
{
	struct table_in *t = xcalloc(1, sizeof *t);
	t->src = xcalloc(1, sizeof *t->src);
	t->src->lines = lines;
	t->src->pixels = pixels_best(NULL);
	t->name = name;
	return t;
}

struct table_in *table_in_open_memory(const void *data, size_t n, const char *name)
{
	return new_table(lines_open_memory(data, n, name), name);
}

struct table_in *table_in_open(const char *path)
{
	int std = !path || !strcmp(path, "-"), fd = std ? 0 : open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		die_errno("%s", path);
	if (isatty(fd))
		die_usage("%s is a terminal: name a table", std ? "stdin" : path);
	return new_table(lines_open_fd(fd, std ? "stdin" : path), std ? "stdin" : path);
}

void table_in_free(struct table_in *t)
{
	struct table_in_source *s = t->src;
	for (int i = 0; i < t->nmeta; i++)
		free(t->meta[i].key), free(t->meta[i].value);
	for (int i = 0; t->value && i < t->ntensors; i++)
		free(t->value[i]);
	columns_free(&s->columns);
	lines_free(s->lines);
	free(s->field), free(s);
	free(t->def), free(t->meta), free(t->place), free(t->ignored), free(t->value), free(t);
}
