/* A reader of JSON in memory for those headers whose form is known beforehand: the caller asks for what belongs next. Objects, lists, texts
 * and whole numbers (RFC 8259, parsed by libyajl); the first fault stays in err, with its byte, and ends all that follows. */
#ifndef JSON_IN_H
#define JSON_IN_H

#include <stddef.h>
#include <stdint.h>

#include "lib/base/err.h"

enum { JSON_IN_ERR = 200 };

struct json_in {
	char err[JSON_IN_ERR];
	/* private */
	const unsigned char *text;
	size_t n, fed, at; /* bytes: all; that yajl has seen; behind the last token taken */
	struct yajl_handle_t *yajl;
	struct json_token *token; /* [next, end) were not taken yet */
	size_t next, end, room;
};

/* text is not copied. json_in_free follows, faults or not. */
void json_in_begin(struct json_in *j, const void *text, size_t n);
/* 1: the next token is this bracket, and was taken; 0: it is another. */
int json_in_is(struct json_in *j, char bracket);
int json_in_need(struct json_in *j, char bracket); /* 0, or -1: it is another */
/* In an object or a list that closes with `bracket`: 1: an item follows; 0: it closed; -1. */
int json_in_more(struct json_in *j, char bracket);
/* The text, or an object's key, its escapes resolved, zero-terminated, n bytes, to be freed; NULL: none, or no UTF-8. */
char *json_in_text(struct json_in *j, size_t *n);
int json_in_uint(struct json_in *j, uint64_t *to); /* 0 or -1 */
int json_in_end(struct json_in *j);		   /* 0: nothing follows; or -1 */
/* Puts "byte N: ..." into err, if nothing is there yet; returns -1. */
int json_in_fault(struct json_in *j, const char *fmt, ...) PRINTF(2, 3);
void json_in_free(struct json_in *j); /* what it holds; err stays */

#endif
