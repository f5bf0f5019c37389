/* A reader of JSON in memory for those headers whose form is known beforehand: the caller asks for what belongs next. Objects, lists, texts
 * and whole numbers (RFC 8259); the first fault stays in err, with its byte, and ends all that follows. */
#ifndef JSON_IN_H
#define JSON_IN_H

#include <stddef.h>
#include <stdint.h>

#include "lib/base/err.h"

enum { JSON_IN_ERR = 200 };

struct json_in {
	const char *begin, *p, *e;
	char err[JSON_IN_ERR];
};

void json_in_begin(struct json_in *j, const void *text, size_t n); /* not copied */
/* 1: the next sign, blanks aside, is c, and was taken; 0: it is another. */
int json_in_is(struct json_in *j, char c);
int json_in_need(struct json_in *j, char c); /* 0, or -1: it is another */
/* Behind an item of an object or a list that ends with `end`: 1: another one follows; 0: it ended; -1. */
int json_in_more(struct json_in *j, char end);
/* The text in quotes, its escapes resolved, zero-terminated, n bytes, to be freed; NULL: none, or no UTF-8. */
char *json_in_text(struct json_in *j, size_t *n);
int json_in_uint(struct json_in *j, uint64_t *to); /* 0 or -1 */
int json_in_end(struct json_in *j);		   /* 0: nothing follows; or -1 */
/* Puts "byte N: ..." into err, if nothing is there yet; returns -1. */
int json_in_fault(struct json_in *j, const char *fmt, ...) PRINTF(2, 3);

#endif
