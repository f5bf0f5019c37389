#include "lib/convert/zip.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/bytes.h"

enum { LOCAL = 30, ENTRY = 46, END = 22, LOCATOR64 = 20, END64 = 56 }; /* bytes of the fixed parts */
enum { ENCRYPTED = 1, UTF8 = 0x800 };				       /* flags */
enum { STORED = 0, DEFLATED = 8 };
enum { EXTRA64 = 1, VERSION64 = 45, YEAR_1980 = 0x21 };
enum { RATIO = 1032 }; /* deflate packs no better */
#define SIGN_LOCAL 0x04034b50u
#define SIGN_ENTRY 0x02014b50u
#define SIGN_END 0x06054b50u
#define SIGN_END64 0x06064b50u
#define SIGN_LOCATOR64 0x07064b50u
#define ALL_ONES 0xffffffffu

static int fault(char err[ZIP_ERR], const char *fmt, ...) PRINTF(2, 3);
static int fault(char err[ZIP_ERR], const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	vsnprintf(err, ZIP_ERR, fmt, ap);
	va_end(ap);
	return -1;
}

/* ---- reading ---- */

struct directory {
	uint64_t at, size, members;
};

static int is_sign(const unsigned char *p, uint64_t sign)
{
	return bytes_get(p, 4) == sign;
}

/* Where the directory is: from the end, behind which only a comment may stand. */
static int find_directory(struct directory *d, const unsigned char *p, size_t n, char err[ZIP_ERR])
{
	size_t end = n < END ? n : n - END, first = n < END + 65535u ? 0 : n - END - 65535u;
	while (n >= END && end > first && !(is_sign(p + end, SIGN_END) && bytes_get(p + end + 20, 2) == n - END - end))
		end--;
	if (n < END || !is_sign(p + end, SIGN_END) || bytes_get(p + end + 20, 2) != n - END - end)
		return fault(err, "the zip has no end: it is cut, or something follows it");
	const unsigned char *e = p + end;
	*d = (struct directory){bytes_get(e + 16, 4), bytes_get(e + 12, 4), bytes_get(e + 10, 2)};
	size_t limit = end;
	if (end >= LOCATOR64 && is_sign(e - LOCATOR64, SIGN_LOCATOR64)) {
		uint64_t at = bytes_get(e - LOCATOR64 + 8, 8);
		if (end < LOCATOR64 + END64 || at > end - LOCATOR64 - END64 || !is_sign(p + at, SIGN_END64))
			return fault(err, "the zip's directory of 64 bits is not where it says");
		*d = (struct directory){bytes_get(p + at + 48, 8), bytes_get(p + at + 40, 8), bytes_get(p + at + 32, 8)};
		limit = (size_t)at;
	}
	if (d->at > limit || d->size != limit - d->at)
		return fault(err, "the zip's directory of %llu bytes from byte %llu is not what stands there", (unsigned long long)d->size,
			(unsigned long long)d->at);
	if (d->members > d->size / ENTRY || d->members > ZIP_MEMBERS)
		return fault(err, "the zip's directory of %llu bytes would have %llu members", (unsigned long long)d->size,
			(unsigned long long)d->members);
	return 0;
}

/* Sizes of 64 bits, where those of the entry are all ones, in a fixed order. */
static int read_extra(const unsigned char *p, size_t n, uint64_t *size, uint64_t *packed, uint64_t *at)
{
	uint64_t *wanted[] = {size, packed, at};
	while (n >= 4) {
		uint64_t id = bytes_get(p, 2), len = bytes_get(p + 2, 2);
		if (len > n - 4)
			return -1;
		const unsigned char *field = p + 4, *end = field + len;
		for (int i = 0; i < 3 && id == EXTRA64; i++)
			if (*wanted[i] == ALL_ONES) {
				if (end - field < 8)
					return -1;
				*wanted[i] = bytes_get(field, 8);
				field += 8;
			}
		p = end, n -= 4 + (size_t)len;
	}
	return 0;
}

/* What a member's own header says, and where its bytes begin. file: of which the directory begins at `limit`. */
static int read_local(struct zip_member *m, const unsigned char *file, uint64_t at, uint64_t limit, char err[ZIP_ERR])
{
	size_t name = strlen(m->name);
	if (at > limit || limit - at < LOCAL || !is_sign(file + at, SIGN_LOCAL))
		return fault(err, "%s: it is not where the zip's directory says", m->name);
	const unsigned char *p = file + at;
	uint64_t head = LOCAL + bytes_get(p + 26, 2) + bytes_get(p + 28, 2);
	if (bytes_get(p + 26, 2) != name || head > limit - at || memcmp(p + LOCAL, m->name, name))
		return fault(err, "%s: the zip's directory has it under another name than its header", m->name);
	if (m->packed > limit - at - head)
		return fault(err, "%s: it would have %llu bytes, %llu are there", m->name, (unsigned long long)m->packed,
			(unsigned long long)(limit - at - head));
	m->p = p + head;
	return 0;
}

/* The directory's next entry, at *p, before e; its place in the file: *at. */
static int read_entry(struct zip_member *m, const unsigned char **p, const unsigned char *e, uint64_t *at, char err[ZIP_ERR])
{
	const unsigned char *h = *p;
	if (e - h < ENTRY || !is_sign(h, SIGN_ENTRY))
		return fault(err, "the zip's directory has no entry where one belongs");
	size_t name = (size_t)bytes_get(h + 28, 2), extra = (size_t)bytes_get(h + 30, 2), all = name + extra + (size_t)bytes_get(h + 32, 2);
	uint64_t flags = bytes_get(h + 8, 2), method = bytes_get(h + 10, 2);
	if ((size_t)(e - h) - ENTRY < all)
		return fault(err, "the zip's directory is cut");
	m->name = xcalloc(name + 1, 1);
	memcpy(m->name, h + ENTRY, name);
	if (!name || strlen(m->name) != name)
		return fault(err, "'%s': a member's name is empty or holds a zero byte", m->name);
	m->crc = (uint32_t)bytes_get(h + 16, 4), m->checked = 1;
	m->packed = bytes_get(h + 20, 4), m->size = bytes_get(h + 24, 4), *at = bytes_get(h + 42, 4);
	if (read_extra(h + ENTRY + name, extra, &m->size, &m->packed, at))
		return fault(err, "%s: its extra field in the zip's directory does not add up", m->name);
	if (flags & ENCRYPTED)
		return fault(err, "%s: it is encrypted", m->name);
	if (method != STORED && method != DEFLATED)
		return fault(err, "%s: its compression (method %llu) is not read here", m->name, (unsigned long long)method);
	m->deflated = method == DEFLATED;
	if (m->deflated ? m->size / RATIO > m->packed : m->size != m->packed)
		return fault(err, "%s: %llu bytes can't be what %llu packed ones hold", m->name, (unsigned long long)m->size,
			(unsigned long long)m->packed);
	*p = h + ENTRY + all;
	return 0;
}

static int by_name(const void *a, const void *b)
{
	const struct zip_member *const *x = a, *const *y = b;
	return strcmp((*x)->name, (*y)->name);
}

static int by_place(const void *a, const void *b)
{
	const struct zip_member *const *x = a, *const *y = b;
	return (*x)->p < (*y)->p ? -1 : (*x)->p > (*y)->p;
}

/* No name twice, and no byte in two members, with which a small file would hold a large one. */
static int check_all(const struct zip *z, char err[ZIP_ERR])
{
	const struct zip_member **m = xcalloc((size_t)z->n + 1, sizeof *m);
	int bad = 0;
	for (int i = 0; i < z->n; i++)
		m[i] = &z->member[i];
	qsort(m, (size_t)z->n, sizeof *m, by_name);
	for (int i = 1; i < z->n && !bad; i++)
		if (!strcmp(m[i - 1]->name, m[i]->name))
			bad = fault(err, "two members are named %s", m[i]->name);
	qsort(m, (size_t)z->n, sizeof *m, by_place);
	for (int i = 1; i < z->n && !bad; i++)
		if ((uint64_t)(m[i]->p - m[i - 1]->p) < m[i - 1]->packed + LOCAL + strlen(m[i]->name))
			bad = fault(err, "%s and %s lie in the same bytes", m[i - 1]->name, m[i]->name);
	free(m);
	return bad;
}

int zip_read(struct zip *z, const unsigned char *p, size_t n, char err[ZIP_ERR])
{
	struct directory d = {0};
	*z = (struct zip){0};
	if (find_directory(&d, p, n, err))
		return -1;
	z->member = xcalloc((size_t)d.members + 1, sizeof *z->member);
	const unsigned char *at = p + d.at, *e = at + d.size;
	while ((uint64_t)z->n < d.members) {
		uint64_t place;
		struct zip_member *m = &z->member[z->n++];
		if (read_entry(m, &at, e, &place, err) || read_local(m, p, place, d.at, err))
			return -1;
	}
	return at == e ? check_all(z, err) : fault(err, "the zip's directory has more entries than it says");
}

void zip_free(struct zip *z)
{
	for (int i = 0; i < z->n; i++)
		free(z->member[i].name);
	free(z->member);
}

/* ---- writing ---- */

void zip_out_put(struct zip_out *z, const void *p, size_t n)
{
	out_write(z->to, p, n);
	z->at += n;
}

void zip_out_member(struct zip_out *z, const char *name, uint64_t size, uint32_t crc)
{
	unsigned char local[LOCAL], extra[28], entry[ENTRY], *p;
	size_t n = strlen(name);
	uint64_t flags = 0;
	/* what header and entry share, from the version needed to the lengths of name and extra field */
	p = bytes_set(entry, SIGN_ENTRY, 4);
	p = bytes_set(p, VERSION64, 2);
	p = bytes_set(p, VERSION64, 2);
	for (size_t i = 0; i < n; i++)
		flags |= (unsigned char)name[i] < 0x80 ? 0 : UTF8;
	p = bytes_set(p, flags, 2);
	p = bytes_set(p, STORED, 2);
	p = bytes_set(p, 0, 2);
	p = bytes_set(p, YEAR_1980, 2);
	p = bytes_set(p, crc, 4);
	p = bytes_set(p, ALL_ONES, 4);
	p = bytes_set(p, ALL_ONES, 4);
	p = bytes_set(p, n, 2);
	p = bytes_set(p, 4 + 24, 2);
	memset(p, 0, 10); /* comment, disk, attributes */
	bytes_set(p + 10, ALL_ONES, 4);
	bytes_set(local, SIGN_LOCAL, 4);
	memcpy(local + 4, entry + 6, 24);
	bytes_set(local + 28, 4 + 16, 2);
	p = bytes_set(extra, EXTRA64, 2);
	p = bytes_set(p, 24, 2);
	p = bytes_set(p, size, 8);
	p = bytes_set(p, size, 8);
	bytes_set(p, z->at, 8);
	buffer_add(&z->directory, entry, sizeof entry);
	buffer_add(&z->directory, name, n);
	buffer_add(&z->directory, extra, sizeof extra);
	z->members++;
	bytes_set(extra + 2, 16, 2);
	zip_out_put(z, local, sizeof local);
	zip_out_put(z, name, n);
	zip_out_put(z, extra, 4 + 16);
}

void zip_out_end(struct zip_out *z)
{
	unsigned char end[END64 + LOCATOR64 + END] = {0}, *p = end;
	uint64_t at = z->at, size = z->directory.n;
	if (size)
		zip_out_put(z, z->directory.p, size);
	p = bytes_set(p, SIGN_END64, 4);
	p = bytes_set(p, END64 - 12, 8);
	p = bytes_set(p, VERSION64, 2);
	p = bytes_set(p, VERSION64, 2);
	p = bytes_set(p, 0, 8); /* disks */
	p = bytes_set(p, z->members, 8);
	p = bytes_set(p, z->members, 8);
	p = bytes_set(p, size, 8);
	p = bytes_set(p, at, 8);
	p = bytes_set(p, SIGN_LOCATOR64, 4);
	p = bytes_set(p, 0, 4);
	p = bytes_set(p, at + size, 8);
	p = bytes_set(p, 1, 4);
	p = bytes_set(p, SIGN_END, 4);
	p = bytes_set(p, 0, 4);
	p = bytes_set(p, z->members < 0xffff ? z->members : 0xffff, 2);
	p = bytes_set(p, z->members < 0xffff ? z->members : 0xffff, 2);
	p = bytes_set(p, size < ALL_ONES ? size : ALL_ONES, 4);
	bytes_set(p, at < ALL_ONES ? at : ALL_ONES, 4);
	zip_out_put(z, end, sizeof end);
	buffer_free(&z->directory);
}
