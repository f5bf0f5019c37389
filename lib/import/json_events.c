/* A scan in front of yajl knows strings from the rest: it hands over pieces that end behind each '}' and replaces the words that are not
 * JSON. */
#include "lib/import/json_events.h"

#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <yajl/yajl_parse.h>

#include "lib/base/buffers.h"
#include "lib/base/err.h"
#include "lib/base/num.h"
#include "lib/import/text_file.h"

enum { BUFFER = BUFFER_KIB(256), DEPTH = 128, WORD = 9 /* of -Infinity */ };
#define TOKEN_MAX BUFFER_KIB(4096u) /* yajl reads a token from its beginning again with every piece */

struct json_events {
	const char *path;
	json_event_fn *fn;
	void *arg;
	struct text_file *file;
	yajl_handle yajl;
	int depth;
	int ended;		/* the file is read to its end */
	int in_string, escaped; /* at buffer[at] */
	size_t at, end;		/* [at, end) is not yet handed over */
	uint64_t offset, lines; /* of buffer[0]: bytes and line ends before it */
	uint64_t token;		/* offset of the last byte that ended a token */
	char fault[ANNOTATION_ERR];
	unsigned char buffer[BUFFER];
};

/* ---- values ---- */

int json_event_real(const struct json_event *e, double *v)
{
	char text[512];
	if (e->kind == JSON_NULL) {
		*v = NAN;
		return 1;
	}
	if (e->kind != JSON_NUMBER || e->n >= sizeof text)
		return 0;
	memcpy(text, e->text, e->n);
	text[e->n] = 0;
	return num_real(text, v);
}

int json_event_whole(const struct json_event *e, double max, int *v)
{
	double d;
	if (!json_event_real(e, &d) || !(d >= 0 && d <= max) || d != floor(d))
		return 0;
	*v = (int)d;
	return 1;
}

const char *json_event_text(const struct json_event *e, char to[96])
{
	int n = e->n < 60 ? (int)e->n : 60;
	const char *quote = e->kind == JSON_STRING ? "'" : "";
	snprintf(to, 96, "%s%.*s%s%s", quote, n, e->text,
		e->n > 60		 ? "..."
		: e->kind == JSON_LIST	 ? "...]"
		: e->kind == JSON_OBJECT ? "...}"
					 : "",
		quote);
	return to;
}

/* ---- events of yajl ---- */

static int report(struct json_events *j, enum json_kind kind, const void *text, size_t n)
{
	struct json_event e = {kind, j->depth, text, n};
	return j->fn(j->arg, &e, j->fault);
}

static int on_null(void *arg)
{
	return report(arg, JSON_NULL, "null", 4);
}

static int on_boolean(void *arg, int v)
{
	return report(arg, v ? JSON_TRUE : JSON_FALSE, v ? "true" : "false", v ? 4 : 5);
}

static int on_number(void *arg, const char *s, size_t n)
{
	return report(arg, JSON_NUMBER, s, n);
}

static int on_string(void *arg, const unsigned char *s, size_t n)
{
	return report(arg, JSON_STRING, s, n);
}

static int on_key(void *arg, const unsigned char *s, size_t n)
{
	return report(arg, JSON_KEY, s, n);
}

static int open_level(struct json_events *j, enum json_kind kind)
{
	if (j->depth == DEPTH) {
		snprintf(j->fault, sizeof j->fault, "objects and lists are more than %d deep", DEPTH);
		return 0;
	}
	int ok = report(j, kind, kind == JSON_LIST ? "[" : "{", 1);
	j->depth++;
	return ok;
}

static int on_object(void *arg)
{
	return open_level(arg, JSON_OBJECT);
}

static int on_list(void *arg)
{
	return open_level(arg, JSON_LIST);
}

static int on_close(void *arg)
{
	struct json_events *j = arg;
	j->depth--;
	return report(j, JSON_CLOSE, "", 0);
}

static const yajl_callbacks callbacks = {
	on_null, on_boolean, NULL, NULL, on_number, on_string, on_object, on_key, on_close, on_list, on_close};

static void *get(void *ctx, size_t n)
{
	(void)ctx;
	return xmalloc(n);
}

static void *get_more(void *ctx, void *p, size_t n)
{
	(void)ctx;
	return xrealloc(p, n);
}

static void give_back(void *ctx, void *p)
{
	(void)ctx;
	free(p);
}

/* ---- the scan ---- */

static void begin(struct json_events *j)
{
	static yajl_alloc_funcs memory = {get, get_more, give_back, NULL};
	if (j->yajl)
		yajl_free(j->yajl);
	j->yajl = yajl_alloc(&callbacks, &memory, j);
	j->depth = j->ended = j->in_string = j->escaped = 0;
	j->at = j->end = 0;
	j->offset = j->lines = j->token = 0;
	*j->fault = 0;
}

static uint64_t line_ends(const unsigned char *p, size_t n)
{
	uint64_t count = 0;
	for (const unsigned char *e = p + n; (p = memchr(p, '\n', (size_t)(e - p))); p++)
		count++;
	return count;
}

/* Reads on, keeping what is not yet handed over. 0, or -1 and err. */
static int fill(struct json_events *j, char err[ANNOTATION_ERR])
{
	size_t kept = j->end - j->at;
	int first = !j->offset && !j->end;
	j->lines += line_ends(j->buffer, j->at);
	j->offset += j->at;
	memmove(j->buffer, j->buffer + j->at, kept);
	j->at = 0, j->end = kept;
	if (!j->in_string && j->offset > j->token && j->offset - j->token > BUFFER) {
		snprintf(err, ANNOTATION_ERR, "%s: byte %llu: a number of more than %d KiB", j->path, (unsigned long long)j->token + 2,
			BUFFER >> 10);
		return -1;
	}
	if (j->offset - j->token > TOKEN_MAX && j->offset > j->token) {
		snprintf(err, ANNOTATION_ERR, "%s: byte %llu: a string of more than %u MiB", j->path, (unsigned long long)j->token + 1,
			TOKEN_MAX >> 20);
		return -1;
	}
	do { /* a byte order mark must come whole */
		long got = text_file_read(j->file, j->buffer + j->end, BUFFER - j->end, err);
		if (got < 0)
			return -1;
		j->ended = !got;
		j->end += (size_t)got;
	} while (first && !j->ended && j->end < 3);
	if (first && j->end >= 3 && !memcmp(j->buffer, "\xef\xbb\xbf", 3))
		j->at = 3;
	return 0;
}

/* Bytes of the word at p that stands for null, 0: there is none, -1: more must be read to know. */
static long word(const unsigned char *p, size_t n, int ended)
{
	static const char *const words[] = {"NaN", "Infinity", "-Infinity", "-NaN"};
	if (*p == '-' && n > 1 && p[1] != 'I' && p[1] != 'N')
		return 0;
	if (n < WORD && !ended)
		return -1;
	for (int i = 0; i < 4; i++) {
		size_t len = strlen(words[i]);
		if (n >= len && !memcmp(p, words[i], len))
			return (long)len;
	}
	return 0;
}

/* Walks on from buffer[at] to behind a '}' (CLOSED), in front of a word (its length, or MORE) or to the end (MORE); *to: where it is. */
enum { CLOSED = 0, MORE = -1 };
static long scan(struct json_events *j, size_t *to)
{
	const unsigned char *b = j->buffer;
	size_t i = j->at, token = SIZE_MAX;
	long found = MORE;
	for (; i < j->end; i++) {
		unsigned char c = b[i];
		if (j->in_string) {
			if (j->escaped)
				j->escaped = 0;
			else if (c == '\\')
				j->escaped = 1;
			else if (c == '"')
				j->in_string = 0;
		} else if (c == '"') {
			j->in_string = 1;
			token = i;
		} else if (c == '}') {
			token = i++;
			found = CLOSED;
			break;
		} else if (c <= ',' || c == ':' || c == '[' || c == ']' || c == '{') {
			token = i;
		} else if (c == 'N' || c == 'I' || c == '-') {
			long n = word(b + i, j->end - i, j->ended);
			if (n) {
				found = n;
				break;
			}
		}
	}
	if (token != SIZE_MAX)
		j->token = j->offset + token;
	*to = i;
	return found;
}

/* The reason why yajl stopped within the n bytes at p. */
static int stopped(struct json_events *j, size_t at, char err[ANNOTATION_ERR])
{
	if (*j->fault) {
		snprintf(err, ANNOTATION_ERR, "%s: %.*s", j->path, ANNOTATION_ERR / 2, j->fault);
		return -1;
	}
	char *text = (char *)yajl_get_error(j->yajl, 0, NULL, 0);
	text[strcspn(text, "\n")] = 0;
	if (at > j->end)
		at = j->end;
	unsigned long long byte = j->offset + at, line = j->lines + line_ends(j->buffer, at) + 1;
	if (strstr(text, "premature EOF"))
		snprintf(err, ANNOTATION_ERR, "%s: line %llu, byte %llu: the JSON ends too early", j->path, line, byte);
	else
		snprintf(err, ANNOTATION_ERR, "%s: line %llu, byte %llu: not JSON: %s", j->path, line, byte, text);
	yajl_free_error(j->yajl, (unsigned char *)text);
	return -1;
}

static int feed(struct json_events *j, size_t to, char err[ANNOTATION_ERR])
{
	size_t at = j->at, n = to - at;
	if (n && yajl_parse(j->yajl, j->buffer + at, n) != yajl_status_ok)
		return stopped(j, at + yajl_get_bytes_consumed(j->yajl), err);
	j->at = to;
	return 0;
}

int json_events_step(struct json_events *j, char err[ANNOTATION_ERR])
{
	for (;;) {
		size_t to;
		long found = scan(j, &to);
		if (feed(j, to, err) < 0)
			return -1;
		if (found == CLOSED)
			return 1;
		if (found > 0) {
			if (yajl_parse(j->yajl, (const unsigned char *)"null", 4) != yajl_status_ok)
				return stopped(j, j->at + 1, err);
			j->at += (size_t)found;
		} else if (!j->ended) {
			if (fill(j, err) < 0)
				return -1;
		} else {
			return yajl_complete_parse(j->yajl) == yajl_status_ok ? 0 : stopped(j, j->at, err);
		}
	}
}

struct json_events *json_events_open(const char *path, json_event_fn *fn, void *arg, char err[ANNOTATION_ERR])
{
	struct text_file *file = text_file_open(path, "JSON", err);
	if (!file)
		return NULL;
	struct json_events *j = xcalloc(1, sizeof *j);
	j->path = path, j->fn = fn, j->arg = arg;
	j->file = file;
	begin(j);
	return j;
}

int json_events_rewind(struct json_events *j, char err[ANNOTATION_ERR])
{
	begin(j);
	return text_file_rewind(j->file, err);
}

void json_events_free(struct json_events *j)
{
	if (!j)
		return;
	yajl_free(j->yajl);
	text_file_free(j->file);
	free(j);
}
