#include "lib/import/coco_index.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/err.h"
#include "lib/base/hash.h"
#include "lib/base/num.h"

int coco_id_set(struct coco_id *id, const struct json_event *e)
{
	double v;
	id->kind = COCO_NO_ID;
	if ((e->kind != JSON_NUMBER && e->kind != JSON_STRING) || !e->n || e->n >= COCO_ID || memchr(e->text, 0, e->n))
		return 0;
	memcpy(id->text, e->text, e->n);
	id->text[e->n] = 0;
	id->kind = COCO_TEXT;
	const char *digits = id->text + (id->text[0] == '-');
	int leading = digits[0] == '0' && digits[1]; /* "007" is a text */
	if (!leading && num_int(id->text, &id->number)) {
		id->kind = COCO_NUMBER;
	} else if (e->kind == JSON_NUMBER && json_event_real(e, &v) && v == floor(v) && fabs(v) < 9e15) {
		id->kind = COCO_NUMBER;
		id->number = (int64_t)v;
	}
	return 1;
}

int coco_id_equal(const struct coco_id *a, const struct coco_id *b)
{
	return a->kind == b->kind && a->kind != COCO_NO_ID && (a->kind == COCO_NUMBER ? a->number == b->number : !strcmp(a->text, b->text));
}

const char *coco_id_show(const struct coco_id *id, char to[COCO_ID + 2])
{
	if (id->kind == COCO_NUMBER)
		snprintf(to, COCO_ID + 2, "%lld", (long long)id->number);
	else
		snprintf(to, COCO_ID + 2, "'%s'", id->kind == COCO_TEXT ? id->text : "");
	return to;
}

/* The number itself of a number. */
static uint64_t key_of(int is_text, int64_t number, const char *text)
{
	uint64_t h = (uint64_t)number;
	if (is_text)
		hash_bytes(text, strlen(text), &h, NULL);
	return h;
}

uint64_t coco_id_key(const struct coco_id *id)
{
	return key_of(id->kind == COCO_TEXT, id->number, id->text);
}

static const char *id_text(const struct coco_index *x, const struct coco_entry *e)
{
	return x->texts + e->text;
}

static int same_id(const struct coco_index *x, const struct coco_entry *a, const struct coco_entry *b)
{
	return a->is_text == b->is_text && (a->is_text ? !strcmp(id_text(x, a), id_text(x, b)) : a->number == b->number);
}

struct coco_entry *coco_index_add(struct coco_index *x, const struct coco_id *id, const char *name, size_t n)
{
	size_t id_n = id->kind == COCO_TEXT ? strlen(id->text) + 1 : 1, need = id_n + n + 1;
	if (x->n == x->room) {
		x->room = x->room ? x->room + x->room / 2 : 64;
		x->entry = xrealloc(x->entry, x->room * sizeof *x->entry);
	}
	if (x->text_room - x->text_n < need) {
		x->text_room += x->text_room / 2 + need + 256;
		x->texts = xrealloc(x->texts, x->text_room);
	}
	struct coco_entry *e = &x->entry[x->n++];
	*e = (struct coco_entry){.number = id->number, .text = x->text_n, .is_text = id->kind == COCO_TEXT, .name = (uint32_t)id_n};
	char *to = x->texts + x->text_n;
	memcpy(to, e->is_text ? id->text : "", id_n);
	if (n)
		memcpy(to + id_n, name, n);
	to[id_n + n] = 0;
	x->text_n += need;
	return e;
}

const struct coco_entry *coco_index_sort(struct coco_index *x)
{
	uint64_t *key = xmalloc(x->n * sizeof *key);
	for (size_t i = 0; i < x->n; i++)
		key[i] = key_of(x->entry[i].is_text, x->entry[i].number, id_text(x, &x->entry[i]));
	lookup_make(&x->by, key, x->n);
	free(key);
	for (size_t i = 1; i < x->n; i++) {
		struct coco_entry *a = &x->entry[x->by.by[i - 1].row], *b = &x->entry[x->by.by[i].row];
		if (!same_id(x, a, b))
			continue;
		if (strcmp(coco_entry_name(x, a), coco_entry_name(x, b)))
			return b;
		b->seen = 1;
	}
	return NULL;
}

struct coco_entry *coco_index_find(const struct coco_index *x, const struct coco_id *id)
{
	if (id->kind == COCO_NO_ID)
		return NULL;
	uint64_t key = coco_id_key(id);
	for (size_t i = lookup_first(&x->by, key); i < x->n && x->by.by[i].key == key; i++) {
		struct coco_entry *e = &x->entry[x->by.by[i].row];
		if (e->is_text ? id->kind == COCO_TEXT && !strcmp(id_text(x, e), id->text) : id->kind == COCO_NUMBER)
			return e;
	}
	return NULL;
}

const char *coco_entry_name(const struct coco_index *x, const struct coco_entry *e)
{
	return id_text(x, e) + e->name;
}

void coco_entry_id(const struct coco_index *x, const struct coco_entry *e, struct coco_id *id)
{
	id->kind = e->is_text ? COCO_TEXT : COCO_NUMBER;
	id->number = e->number;
	snprintf(id->text, sizeof id->text, "%s", id_text(x, e));
}

void coco_index_free(struct coco_index *x)
{
	free(x->entry);
	free(x->texts);
	lookup_free(&x->by);
	*x = (struct coco_index){0};
}
