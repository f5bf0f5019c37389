/* Zip files as npz has them (PKWARE, APPNOTE.TXT, 4.3): members stored or deflated, sizes of 64 bits (Zip64). Read from their directory,
 * whose every member must lie where it says, with nothing overlapping; lib/base/unpack.h reads a zip from a pipe as it comes, but can't
 * pass over a member whose length stands behind it. Written with sizes of 64 bits always and without a clock: equal members, equal bytes.
 */
#ifndef ZIP_H
#define ZIP_H

#include <stddef.h>
#include <stdint.h>

#include "lib/base/out.h"
#include "lib/convert/buffer.h"

enum { ZIP_ERR = 400, ZIP_MEMBERS = 65536 };

/* A piece of a file that is in memory: a zip's member, or (deflated 0, checked 0) any other. */
struct zip_member {
	char *name;
	const unsigned char *p;
	uint64_t packed, size; /* bytes at p, and of what they hold; equal unless deflated */
	int deflated, checked; /* checked: crc is known */
	uint32_t crc;
};

struct zip {
	int n;
	struct zip_member *member; /* in the directory's order; names have no zero bytes, none stands twice */
};

/* The zip in n bytes at p, not copied. 0, or -1 and the reason in err. zip_free follows either. */
int zip_read(struct zip *z, const unsigned char *p, size_t n, char err[ZIP_ERR]);
void zip_free(struct zip *z);

struct zip_out {
	struct out *to;
	uint64_t at, members;
	struct buffer directory;
};

/* A stored member: its header; size bytes with this checksum follow by zip_out_put. */
void zip_out_member(struct zip_out *z, const char *name, uint64_t size, uint32_t crc);
void zip_out_put(struct zip_out *z, const void *p, size_t n);
void zip_out_end(struct zip_out *z); /* the directory */

#endif
