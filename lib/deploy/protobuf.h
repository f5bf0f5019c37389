/* A writer of protobuf messages (developers.google.com/protocol-buffers: "Encoding") into memory: tag, then varint, four bytes, or length
 * and bytes. Only what an ONNX file needs, so that no compiler of .proto files and no runtime is: numbers, texts, and messages in messages.
 */
#ifndef PROTOBUF_H
#define PROTOBUF_H

#include <stddef.h>
#include <stdint.h>

struct protobuf {
	uint8_t *data; /* owned; NULL while n is 0 */
	size_t n, size;
};

void protobuf_int(struct protobuf *p, int field, int64_t v);
void protobuf_float(struct protobuf *p, int field, float v);
void protobuf_bytes(struct protobuf *p, int field, const void *data, size_t n);
void protobuf_string(struct protobuf *p, int field, const char *s);
/* What is written between them is a message of its own: begin returns a place for end. */
size_t protobuf_begin(struct protobuf *p, int field);
void protobuf_end(struct protobuf *p, size_t place);
void protobuf_free(struct protobuf *p);

#endif
