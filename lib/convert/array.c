#include "lib/convert/array.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int array_fault(struct arrays *s, const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	vsnprintf(s->err, sizeof s->err, fmt, ap);
	va_end(ap);
	return -1;
}

struct array *array_add(struct arrays *s, char *name)
{
	int taken = 0;
	for (int i = 0; i < s->n && !taken; i++)
		taken = !strcmp(s->array[i].name, name);
	if (taken || s->n == TNS_TENSORS_MAX) {
		array_fault(s, taken ? "two arrays are named %s" : "more arrays than a stream may have, at %s", name);
		free(name);
		return NULL;
	}
	if (!(s->n & (s->n - 1)))
		s->array = xrealloc(s->array, (s->n ? 2 * (size_t)s->n : 1) * sizeof *s->array);
	s->array[s->n] = (struct array){.name = name};
	return &s->array[s->n++];
}

int array_add_meta(struct arrays *s, struct tns_meta m, int place)
{
	size_t all = m.key_len + m.value_len;
	const char *why = !m.key_len || m.key_len > UINT16_MAX || strlen(m.key) != m.key_len ? "no key of a META:" : NULL;
	for (int i = 0; i < s->nmeta && !why; i++) {
		all += s->meta[i].key_len + s->meta[i].value_len;
		why = strcmp(s->meta[i].key, m.key) ? NULL : "two METAs are named";
	}
	if (!why && (all > TNS_META_MAX || s->nmeta == TNS_TENSORS_MAX))
		why = "more METAs than a stream may have, at";
	if (why) {
		array_fault(s, "%s '%.100s'", why, m.key);
		free(m.key), free(m.value);
		return -1;
	}
	if (!(s->nmeta & (s->nmeta - 1))) {
		size_t room = s->nmeta ? 2 * (size_t)s->nmeta : 1;
		s->meta = xrealloc(s->meta, room * sizeof *s->meta);
		s->place = xrealloc(s->place, room * sizeof *s->place);
	}
	s->place[s->nmeta] = place;
	s->meta[s->nmeta++] = m;
	return 0;
}

int array_measure(struct array *a)
{
	uint64_t n = tns_size(a->dtype);
	int none = 0, too_many = 0;
	for (int i = 0; i < a->ndim; i++) {
		none |= !a->dim[i];
		too_many |= __builtin_mul_overflow(n, a->dim[i], &n);
	}
	a->bytes = none ? 0 : n;
	return !none && (too_many || n > INT64_MAX) ? -1 : 0;
}

uint64_t array_row_bytes(const struct array *a)
{
	return a->ndim && a->dim[0] ? a->bytes / a->dim[0] : a->bytes;
}

void arrays_free(struct arrays *s)
{
	for (int i = 0; i < s->n; i++)
		free(s->array[i].name);
	for (int i = 0; i < s->nmeta; i++)
		free(s->meta[i].key), free(s->meta[i].value);
	free(s->array), free(s->meta), free(s->place), free(s->noted);
	if (s->table)
		tns_unload(s->table);
}
