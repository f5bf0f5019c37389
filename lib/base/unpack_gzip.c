/* Headers and trailers of gzip members are parsed here, their deflate data by zlib's raw inflate. Error messages are zlib's. */
#include "lib/base/unpack_io.h"

static int skip_string(struct unpack *u)
{
	unsigned char c = 1;
	while (c)
		if (unpack_bytes(u, 1, &c, 1))
			return -1;
	return 0;
}

/* Header of a member (RFC 1952, 2.3). */
static int read_header(struct unpack *u)
{
	enum { HCRC = 2, EXTRA = 4, NAME = 8, COMMENT = 16, RESERVED = 0xe0 };
	unsigned char h[2], b[2];
	if (*u->z.next_in != 0x1f)
		return unpack_trailing(u);
	u->crc = 0;
	if (unpack_bytes(u, 2, h, 2))
		return -1;
	if (h[1] != 0x8b)
		return unpack_damaged(u, "incorrect header check");
	if (unpack_bytes(u, 2, h, 2))
		return -1;
	if (h[0] != Z_DEFLATED)
		return unpack_damaged(u, "unknown compression method");
	if (h[1] & RESERVED)
		return unpack_damaged(u, "unknown header flags set");
	if (unpack_bytes(u, 6, NULL, 0))
		return -1;
	if (h[1] & EXTRA && (unpack_bytes(u, 2, b, 2) || unpack_bytes(u, unpack_le16(b), NULL, 0)))
		return -1;
	if ((h[1] & NAME && skip_string(u)) || (h[1] & COMMENT && skip_string(u)))
		return -1;
	uint32_t crc = u->crc & 0xffff;
	if (h[1] & HCRC && unpack_bytes(u, 2, b, 2))
		return -1;
	if (h[1] & HCRC && crc != unpack_le16(b))
		return unpack_damaged(u, "header crc mismatch");
	inflateReset(&u->z);
	u->crc = 0;
	u->at = UNPACK_BODY;
	return 0;
}

/* Trailer of a member: CRC and length of its text. */
static int read_trailer(struct unpack *u)
{
	unsigned char b[8];
	uint32_t crc = u->crc;
	if (unpack_bytes(u, 8, b, 8))
		return -1;
	if (crc != unpack_le32(b))
		return unpack_damaged(u, "incorrect data check");
	if ((uint32_t)u->z.total_out != unpack_le32(b + 4))
		return unpack_damaged(u, "incorrect length check");
	u->at = UNPACK_BETWEEN;
	return 0;
}

long unpack_gzip_read(struct unpack *u, unsigned char *dst, size_t n)
{
	while (!*u->err) {
		if (u->at == UNPACK_TRAILER && read_trailer(u))
			return -1;
		if (u->at == UNPACK_BETWEEN && (!unpack_input(u) || read_header(u)))
			return *u->err ? -1 : 0;
		long got = unpack_inflate(u, dst, n);
		if (got)
			return got;
	}
	return -1;
}
