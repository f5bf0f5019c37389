/* A zip's files as they come (PKWARE, APPNOTE.TXT, 4.3): local headers, deflated or stored data, data descriptors, then the directory,
 * which is counted, and the end. */
#include "lib/base/unpack_io.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "lib/base/crc.h"
#include "lib/base/magic.h"

enum { ENCRYPTED = 1, DESCRIPTOR = 8 }; /* flags */
enum { STORED = 0, DEFLATED = 8, DEFLATE64 = 9, BZIP2 = 12 };
#define SIGN_LOCAL 0x04034b50u
#define SIGN_DESCRIPTOR 0x08074b50u
#define SIGN_DIRECTORY 0x02014b50u
#define SIGN_END 0x06054b50u
#define SIGN_END64 0x06064b50u
#define SIGN_LOCATOR64 0x07064b50u

/* Another program's command, which gives the file that stands here as text. */
static int other_way(struct unpack *u, const char *what, const char *command)
{
	char word[300], quoted[300];
	magic_word(word, sizeof word, u->name);
	magic_word(quoted, sizeof quoted, u->zip.name);
	return unpack_fault(u, "%s: %s %s %s %s", what, command, word, quoted, u->then);
}

/* Adds the file's name to the list for messages. */
static void add_name(struct unpack_zip *z)
{
	size_t n = strlen(z->names);
	if (n >= 3 && !strcmp(z->names + n - 3, "..."))
		return;
	int fits = n + strlen(z->name) + sizeof ", , ..." <= sizeof z->names;
	sprintf(z->names + n, "%s%s", n ? ", " : "", fits ? z->name : "...");
}

static const char *base_of(const char *name)
{
	const char *slash = strrchr(name, '/');
	return slash ? slash + 1 : name;
}

/* A directory, or what file managers add. */
static int is_noise(const char *name)
{
	const char *base = base_of(name);
	return !*base || *base == '.' || !strncmp(name, "__MACOSX/", 9) || !strcasecmp(base, "Thumbs.db") ||
	       !strcasecmp(base, "desktop.ini");
}

/* By its suffix; packed ones are not read, but meant. */
static int is_csv(const char *name)
{
	static const char *const suffixes[] = {".csv", ".tsv", ".txt", ".zip", ".gz"};
	const char *dot = strrchr(base_of(name), '.');
	int is = !dot;
	for (size_t i = 0; !is && i < sizeof suffixes / sizeof *suffixes; i++)
		is = !strcasecmp(dot, suffixes[i]);
	return is;
}

/* Sizes of 64 bits, where those of the header are all ones. */
static int read_extra(struct unpack *u, size_t n)
{
	struct unpack_zip *z = &u->zip;
	while (n) {
		unsigned char h[4], b[16];
		if (n < 4)
			return unpack_damaged(u, "an extra field that does not add up");
		if (unpack_bytes(u, 4, h, 4))
			return -1;
		size_t len = unpack_le16(h + 2), want = 0;
		if (len > n - 4)
			return unpack_damaged(u, "an extra field that does not add up");
		if (unpack_bytes(u, len, b, sizeof b))
			return -1;
		n -= 4 + len;
		if (unpack_le16(h) != 1)
			continue;
		z->big = 1;
		if (z->size == UINT32_MAX && (want += 8) <= len)
			z->size = unpack_le64(b);
		if (z->packed == UINT32_MAX && (want += 8) <= len)
			z->packed = unpack_le64(b + want - 8);
		if (want > len)
			return unpack_damaged(u, "an extra field that does not add up");
	}
	return 0;
}

/* 0, or -1 and why the file's data can't be read. */
static int check_readable(struct unpack *u)
{
	struct unpack_zip *z = &u->zip;
	const char *unzip = z->method <= DEFLATE64 || z->method == BZIP2 ? "unzip -p" : "7z x -so";
	char what[120];
	if (z->flags & ENCRYPTED)
		return other_way(u, "the zip is encrypted, this command asks for the password", unzip);
	snprintf(what, sizeof what, "the zip's compression (method %u) is not read here", z->method);
	if (z->method != STORED && z->method != DEFLATED)
		return other_way(u, what, unzip);
	return 0;
}

/* Local header of a file, behind its signature. */
static int read_header(struct unpack *u)
{
	struct unpack_zip *z = &u->zip;
	unsigned char h[26];
	if (unpack_bytes(u, sizeof h, h, sizeof h))
		return -1;
	z->flags = unpack_le16(h + 2), z->method = unpack_le16(h + 4);
	z->crc = unpack_le32(h + 10), z->packed = unpack_le32(h + 14), z->size = unpack_le32(h + 18);
	z->big = 0;
	z->in = z->out = 0;
	memset(z->name, 0, sizeof z->name);
	if (unpack_bytes(u, unpack_le16(h + 22), (unsigned char *)z->name, sizeof z->name - 1) || read_extra(u, unpack_le16(h + 24)))
		return -1;
	z->files++;
	if (!is_noise(z->name))
		add_name(z);
	z->passed = is_noise(z->name) || !is_csv(z->name) || z->found++;
	if (z->passed && !(z->flags & DESCRIPTOR)) /* its length is known */
		return unpack_bytes(u, z->packed, NULL, 0);
	if (check_readable(u))
		return -1;
	inflateReset(&u->z);
	u->crc = 0;
	u->at = UNPACK_BODY;
	return 0;
}

/* Behind the data: are checksum and lengths what the header, or the descriptor here, says? */
static int read_trailer(struct unpack *u)
{
	struct unpack_zip *z = &u->zip;
	uint32_t crc = u->crc;
	if (z->flags & DESCRIPTOR) {
		unsigned char b[20];
		if (unpack_bytes(u, 4, b, 4))
			return -1;
		if (z->method == STORED && unpack_le32(b) != SIGN_DESCRIPTOR)
			return other_way(u, "the zip does not say how long a stored file is", "unzip -p");
		if (unpack_le32(b) == SIGN_DESCRIPTOR && unpack_bytes(u, 4, b, 4))
			return -1;
		int big = z->big || z->in > UINT32_MAX || z->out > UINT32_MAX;
		if (unpack_bytes(u, big ? 16 : 8, b + 4, 16))
			return -1;
		z->crc = unpack_le32(b);
		z->packed = big ? unpack_le64(b + 4) : unpack_le32(b + 4);
		z->size = big ? unpack_le64(b + 12) : unpack_le32(b + 8);
	}
	if (z->crc != crc)
		return unpack_damaged(u, "incorrect data check");
	if (z->packed != z->in || z->size != z->out)
		return unpack_damaged(u, "incorrect length check");
	u->at = UNPACK_BETWEEN;
	return 0;
}

/* The end of the directory, behind its signature: nothing may follow, and all files were listed. 0, or -1 and err. */
static int read_end(struct unpack *u)
{
	struct unpack_zip *z = &u->zip;
	unsigned char h[18];
	char word[300];
	if (unpack_bytes(u, sizeof h, h, sizeof h) || unpack_bytes(u, unpack_le16(h + 16), NULL, 0))
		return -1;
	if (unpack_input(u))
		return unpack_trailing(u);
	if (*u->err)
		return -1;
	uint32_t files = unpack_le16(h + 6);
	if (z->listed != z->files || (files != z->files && files != UINT16_MAX))
		return unpack_damaged(u, "its directory lists other files than it has");
	u->at = UNPACK_END;
	if (z->found == 1)
		return 0;
	magic_word(word, sizeof word, u->name);
	if (!*z->names)
		return unpack_fault(u, "the zip holds no files");
	return unpack_fault(
		u, "the zip holds %s %s: unzip -p %s MEMBER %s", z->found ? "several files," : "no CSV but", z->names, word, u->then);
}

/* Reads headers, where they stand next, up to the next data. 1, or 0 behind the last, or -1 and err. */
static int next_file(struct unpack *u)
{
	struct unpack_zip *z = &u->zip;
	while (u->at == UNPACK_BETWEEN) {
		unsigned char sign[4], h[42], size[8];
		if (unpack_bytes(u, 4, sign, 4))
			return -1;
		switch (unpack_le32(sign)) {
		case SIGN_LOCAL:
			if (z->listed)
				return unpack_damaged(u, "a file behind the directory");
			if (read_header(u))
				return -1;
			break;
		case SIGN_DIRECTORY:
			z->listed++;
			if (unpack_bytes(u, sizeof h, h, sizeof h) ||
				unpack_bytes(u, unpack_le16(h + 24) + unpack_le16(h + 26) + unpack_le16(h + 28), NULL, 0))
				return -1;
			break;
		case SIGN_END64:
			if (unpack_bytes(u, 8, size, 8) || unpack_bytes(u, unpack_le64(size), NULL, 0))
				return -1;
			break;
		case SIGN_LOCATOR64:
			if (unpack_bytes(u, 16, NULL, 0))
				return -1;
			break;
		case SIGN_END:
			if (read_end(u))
				return -1;
			break;
		default:
			return unpack_damaged(u, "no header where one belongs");
		}
	}
	return u->at == UNPACK_BODY;
}

/* Up to n bytes of a stored file. */
static long copy_stored(struct unpack *u, unsigned char *dst, size_t n)
{
	struct unpack_zip *z = &u->zip;
	uint64_t left = z->packed - z->in;
	if (!left) {
		u->at = UNPACK_TRAILER;
		return 0;
	}
	if (!unpack_input(u))
		return unpack_truncated(u);
	n = n < left ? n : left;
	n = n < u->z.avail_in ? n : u->z.avail_in;
	memcpy(dst, u->z.next_in, n);
	u->z.next_in += n, u->z.avail_in -= (uInt)n;
	u->crc = crc_add(u->crc, dst, n);
	z->in += n, z->out += n;
	return (long)n;
}

long unpack_zip_read(struct unpack *u, unsigned char *dst, size_t n)
{
	struct unpack_zip *z = &u->zip;
	while (!*u->err) {
		if (u->at == UNPACK_TRAILER && read_trailer(u))
			return -1;
		int more = next_file(u);
		if (more <= 0)
			return more;
		long got = z->method == STORED ? copy_stored(u, dst, n) : unpack_inflate(u, dst, n);
		if (z->method != STORED)
			z->in = u->z.total_in, z->out = u->z.total_out;
		if (got < 0 || (got > 0 && !z->passed))
			return got;
	}
	return -1;
}
