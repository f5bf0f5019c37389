#include "lib/convert/metas.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void metas_text(struct buffer *t, const struct arrays *s, const char *note)
{
	buffer_add(t, "{", 1);
	for (int i = 0; i < s->nmeta; i++) {
		buffer_add(t, ",", i > 0);
		buffer_json(t, s->meta[i].key, s->meta[i].key_len);
		buffer_add(t, ":", 1);
		buffer_json(t, s->meta[i].value, s->meta[i].value_len);
	}
	if (note) {
		buffer_printf(t, "%s\"" METAS_NOTE "\":", s->nmeta ? "," : "");
		buffer_json(t, note, strlen(note));
	}
	buffer_add(t, "}", 1);
}

int metas_parse(struct arrays *s, struct json_in *j)
{
	if (json_in_need(j, '{'))
		return array_fault(s, "METAs: %s", j->err);
	int more;
	while ((more = json_in_more(j, '}')) > 0) {
		struct tns_meta m = {0};
		m.key = json_in_text(j, &m.key_len);
		m.value = m.key ? json_in_text(j, &m.value_len) : NULL;
		if (!m.value) {
			free(m.key);
			break;
		}
		m.late = !strcmp(m.key, "history");
		if (!strcmp(m.key, METAS_NOTE)) {
			int twice = s->noted != NULL;
			free(m.key), free(s->noted);
			s->noted = m.value;
			if (twice) /* as a META it would be the note of what is made of the stream */
				return array_fault(s, "two METAs are named '" METAS_NOTE "'");
		} else if (array_add_meta(s, m, m.late ? -1 : 0)) {
			return -1;
		}
	}
	return *j->err || more < 0 ? array_fault(s, "METAs: %s", j->err) : 0;
}

char *metas_note(const struct arrays *s, uint32_t content)
{
	struct buffer t = {0};
	const struct tns *head = tns_table_head(s->table);
	buffer_printf(&t, "%08x %08x %s", content, head->fingerprint, s->n ? "" : "-");
	for (int i = 0; i < s->n; i++) {
		const struct tns_def *d = &head->def[s->array[i].id];
		buffer_add(&t, d->ndim && d->dim[0] == TNS_UNLIMITED ? "o" : "g", 1);
	}
	buffer_printf(&t, s->nmeta ? " " : " -");
	for (int i = 0; i < s->nmeta; i++) {
		buffer_add(&t, ",", i > 0);
		if (s->place[i] < 0)
			buffer_printf(&t, "late");
		else
			buffer_printf(&t, "%d", s->place[i]);
	}
	return t.p;
}

/* PLACES at p: each from 0 to n, none before the one before it; those behind the rows last. */
static int read_places(struct arrays *s, const char *p)
{
	int last = 0;
	if (!s->nmeta)
		return !strcmp(p, "-");
	for (int i = 0; i < s->nmeta; i++, p += i < s->nmeta) {
		if (!strncmp(p, "late", 4)) {
			s->place[i] = -1, s->meta[i].late = 1;
			p += 4;
		} else {
			char *end;
			long v = *p >= '0' && *p <= '9' ? strtol(p, &end, 10) : -1;
			if (v < last || v > s->n || (i && s->place[i - 1] < 0))
				return 0;
			s->place[i] = last = (int)v, s->meta[i].late = 0;
			p = end;
		}
		if (*p != (i + 1 < s->nmeta ? ',' : 0))
			return 0;
	}
	return 1;
}

int metas_read_note(struct arrays *s, uint32_t *content, uint32_t *fingerprint, char *open)
{
	int n = 0;
	const char *p = s->noted;
	if (!p || sscanf(p, "%8x %8x %n", content, fingerprint, &n) != 2 || !n)
		return 0;
	p += n;
	size_t tensors = strspn(p, "og"), want = (size_t)s->n;
	if (tensors != want || (!want && *p++ != '-') || p[tensors] != ' ')
		return 0;
	memcpy(open, p, tensors);
	return read_places(s, p + tensors + 1);
}
