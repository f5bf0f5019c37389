/* Images and categories of a COCO file by id. An id is a whole number of 64 bits or a text; "7", 7 and 7.0 are the same. */
#ifndef COCO_INDEX_H
#define COCO_INDEX_H

#include "lib/base/lookup.h"
#include "lib/import/json_events.h"

enum { COCO_ID = 128 };
enum coco_id_kind { COCO_NO_ID, COCO_NUMBER, COCO_TEXT };

struct coco_id {
	enum coco_id_kind kind;
	int64_t number;
	char text[COCO_ID]; /* a longer one is none */
};

/* 1, or 0: the value is no id. */
int coco_id_set(struct coco_id *id, const struct json_event *e);
int coco_id_equal(const struct coco_id *a, const struct coco_id *b);
uint64_t coco_id_key(const struct coco_id *id); /* the same for equal ids, seldom for others */
/* For messages: 7 or 'seven'. */
const char *coco_id_show(const struct coco_id *id, char to[COCO_ID + 2]);

struct coco_entry { /* 32 bytes, and its texts */
	int64_t number;
	size_t text; /* in texts: of the id, "" for a number, then the name */
	int W, H;    /* 0: not told */
	unsigned is_text : 1, seen : 1;
	uint32_t name; /* offset of the name from that of the id */
};

struct coco_index { /* zeroed at first */
	size_t n, room;
	struct coco_entry *entry; /* (n) as they came */
	char *texts;
	size_t text_n, text_room;
	struct lookup by; /* after coco_index_sort */
};

/* Adds an entry; name is copied: n bytes without a zero. */
struct coco_entry *coco_index_add(struct coco_index *x, const struct coco_id *id, const char *name, size_t n);
/* Before the first find. Of entries with the same id and name the first is found, others are marked as seen. NULL, or one whose id has
 * another name elsewhere. */
const struct coco_entry *coco_index_sort(struct coco_index *x);
struct coco_entry *coco_index_find(const struct coco_index *x, const struct coco_id *id); /* or NULL */
const char *coco_entry_name(const struct coco_index *x, const struct coco_entry *e);
void coco_entry_id(const struct coco_index *x, const struct coco_entry *e, struct coco_id *id);
void coco_index_free(struct coco_index *x);

#endif
