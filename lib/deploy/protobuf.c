/* Protobuf's wire format: a message's length is inserted once its bytes are there. */
#include <stdlib.h>
#include <string.h>

#include "lib/base/bytes.h"
#include "lib/base/err.h"
#include "lib/deploy/protobuf.h"

enum wire { WIRE_VARINT, WIRE_BYTES = 2, WIRE_FOUR = 5 };

/* Room for n more bytes, which the caller fills. */
static uint8_t *extend(struct protobuf *p, size_t n)
{
	if (p->n + n > p->size) {
		p->size = (p->n + n) + (p->n + n) / 2 + 256;
		p->data = xrealloc(p->data, p->size);
	}
	p->n += n;
	return p->data + p->n - n;
}

static size_t varint_bytes(uint8_t to[10], uint64_t v)
{
	size_t n = 0;
	for (; v > 127; v >>= 7)
		to[n++] = (uint8_t)(v | 128);
	to[n++] = (uint8_t)v;
	return n;
}

static void varint(struct protobuf *p, uint64_t v)
{
	uint8_t bytes[10];
	size_t n = varint_bytes(bytes, v);
	memcpy(extend(p, n), bytes, n);
}

static void tag(struct protobuf *p, int field, enum wire wire)
{
	varint(p, (uint64_t)field << 3 | (uint64_t)wire);
}

void protobuf_int(struct protobuf *p, int field, int64_t v)
{
	tag(p, field, WIRE_VARINT);
	varint(p, (uint64_t)v);
}

void protobuf_float(struct protobuf *p, int field, float v)
{
	uint32_t bits;
	memcpy(&bits, &v, sizeof bits);
	tag(p, field, WIRE_FOUR);
	bytes_set(extend(p, 4), bits, 4);
}

void protobuf_bytes(struct protobuf *p, int field, const void *data, size_t n)
{
	tag(p, field, WIRE_BYTES);
	varint(p, n);
	if (n)
		memcpy(extend(p, n), data, n);
}

void protobuf_string(struct protobuf *p, int field, const char *s)
{
	protobuf_bytes(p, field, s, strlen(s));
}

size_t protobuf_begin(struct protobuf *p, int field)
{
	tag(p, field, WIRE_BYTES);
	return p->n;
}

void protobuf_end(struct protobuf *p, size_t place)
{
	uint8_t bytes[10];
	size_t length = p->n - place, n = varint_bytes(bytes, length);
	extend(p, n);
	memmove(p->data + place + n, p->data + place, length);
	memcpy(p->data + place, bytes, n);
}

void protobuf_free(struct protobuf *p)
{
	free(p->data);
	*p = (struct protobuf){0};
}
