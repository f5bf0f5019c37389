/* METAs in forms that have none: a JSON object of texts, safetensors' `__metadata__`, or the bytes of array `__meta__` of an npz, in the
 * order of the stream. With it, under METAS_NOTE, what is needed to make the same stream again, its last byte included:
 *
 *   CONTENT FINGERPRINT ROWS PLACES     crc32 of names, types, shapes, values and METAs; the stream's fingerprint; a letter for each
 * tensor: o, its rows were open (TNS_UNLIMITED), or g, given; - where there are no tensors; for each META how many tensors were defined
 * before it, or `late`, comma-joined; - where there are none
 */
#ifndef METAS_H
#define METAS_H

#include "lib/convert/array.h"
#include "lib/convert/json_in.h"

#define METAS_NOTE "keypipe.stream"

/* The object of s's METAs and the note (NULL: none). */
void metas_text(struct buffer *t, const struct arrays *s, const char *note);
/* Adds METAs from an object of texts; the note goes to s->noted. 0, or -1 and s->err. */
int metas_parse(struct arrays *s, struct json_in *j);
/* The note of an untouched stream, to be freed. */
char *metas_note(const struct arrays *s, uint32_t content);
/* What a note says of s: 1: all of it fits, content (as it says) is set, fingerprint, open (n) and s->place too; 0. */
int metas_read_note(struct arrays *s, uint32_t *content, uint32_t *fingerprint, char *open);

#endif
