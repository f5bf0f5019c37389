/* JSON of any size, read in pieces (libyajl), as events to a function. Beyond JSON: the bare words NaN, Infinity and -Infinity, which
 * Python writes, are null. At most 128 deep; a string is at most 4 MiB, a number some 256 KiB. */
#ifndef JSON_EVENTS_H
#define JSON_EVENTS_H

#include <stddef.h>

#include "lib/import/annotation.h"

enum json_kind { JSON_NULL, JSON_FALSE, JSON_TRUE, JSON_NUMBER, JSON_STRING, JSON_KEY, JSON_OBJECT, JSON_LIST, JSON_CLOSE };

struct json_event {
	enum json_kind kind; /* JSON_OBJECT, JSON_LIST: it opens; JSON_CLOSE: the innermost closes */
	int depth;	     /* objects and lists around it: 0 for the whole, when it opens and when it closes */
	const char *text;    /* of strings and keys; of a number and of null, true, false as written; "[", "{": not zero-terminated */
	size_t n;
};

/* 1 and *v: a number, NaN for null; 0: something else, or a number out of a double's range. */
int json_event_real(const struct json_event *e, double *v);
/* The same for a whole number in [0, max], perhaps with a fraction of zeros; not for null. */
int json_event_whole(const struct json_event *e, double max, int *v);
/* The value for messages, shortened: a string in quotes. */
const char *json_event_text(const struct json_event *e, char to[96]);

/* Returns 1, or 0 to end the reading, with the reason (without the file) in err. */
typedef int json_event_fn(void *arg, const struct json_event *e, char err[ANNOTATION_ERR]);
struct json_events;

/* NULL: the reason is in err, ready to print. path is not copied. */
struct json_events *json_events_open(const char *path, json_event_fn *fn, void *arg, char err[ANNOTATION_ERR]);
/* Reads on until an object has closed, no further: 1; at the end 0; -1: not JSON, or fn ended it; err is ready to print. Events that come
 * before are reported, too. */
int json_events_step(struct json_events *j, char err[ANNOTATION_ERR]);
/* Back to the beginning. 0, or -1 and err. */
int json_events_rewind(struct json_events *j, char err[ANNOTATION_ERR]);
void json_events_free(struct json_events *j); /* j may be NULL */

#endif
