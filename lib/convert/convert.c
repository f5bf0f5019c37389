/* The file, its form, and the forms that are written as one piece after the other; streams are in convert_stream.c. */
#include "lib/convert/convert.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#include "lib/base/crc.h"
#include "lib/base/err.h"
#include "lib/base/magic.h"
#include "lib/base/nearest.h"
#include "lib/base/out.h"
#include "lib/base/utf8.h"
#include "lib/base/bytes.h"
#include "lib/convert/convert_io.h"
#include "lib/convert/metas.h"
#include "lib/convert/npy.h"
#include "lib/convert/safetensors.h"

#define METAS_ARRAY "__meta__"
#define METAS_KEY "__metadata__"

const char *const convert_forms[] = {"npy", "npz", "safetensors", "tns"};

int convert_form(const char *word)
{
	for (int i = 0; i < 4; i++)
		if (!strcasecmp(word, convert_forms[i]))
			return i;
	return -1;
}

int convert_suffix(const char *path)
{
	const char *dot = strrchr(path, '.');
	return dot ? convert_form(dot + 1) : -1;
}

/* ---- the file ---- */

static void read_pipe(struct convert *c, int fd)
{
	size_t room = 0;
	unsigned char *p = NULL;
	for (ssize_t got = 1; got;) {
		if (c->size == room)
			p = xrealloc(p, room = 2 * room + (1 << 16));
		got = read(fd, p + c->size, room - c->size);
		if (got < 0 && errno != EINTR)
			die_errno("%s", c->a.name);
		c->size += got > 0 ? (size_t)got : 0;
	}
	c->p = p;
}

static void read_file(struct convert *c, const char *path)
{
	struct stat st;
	int is_stdin = !path || !strcmp(path, "-"), fd = is_stdin ? 0 : open(path, O_RDONLY | O_CLOEXEC);
	c->a.name = is_stdin ? "stdin" : path;
	if (fd < 0)
		die_errno("%s", path);
	if (isatty(fd))
		die_usage("%s is a terminal: name a file", c->a.name);
	if (!fstat(fd, &st) && S_ISREG(st.st_mode) && st.st_size > 0 && lseek(fd, 0, SEEK_CUR) == 0) {
		void *map = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
		if (map != MAP_FAILED)
			c->p = map, c->size = (size_t)st.st_size, c->mapped = 1;
	}
	if (!c->mapped)
		read_pipe(c, fd);
	if (!is_stdin)
		close(fd);
}

static enum convert_form find_form(const struct convert *c)
{
	const struct magic *m = magic_find(c->p, c->size < MAGIC_BYTES ? c->size : MAGIC_BYTES);
	if (npy_is(c->p, c->size))
		return CONVERT_NPY;
	if (c->size >= 4 && (!memcmp(c->p, "PK\3\4", 4) || !memcmp(c->p, "PK\5\6", 4)))
		return CONVERT_NPZ;
	if (safetensors_is(c->p, c->size))
		return CONVERT_SAFETENSORS;
	if (c->size >= 4 && (!memcmp(c->p, "\x89TNS", 4) || (m && m->kind == MAGIC_GZIP)))
		return CONVERT_TNS;
	if (!c->size)
		die("%s: is empty", c->a.name);
	die("%s: is %s: tensor streams, npy, npz and safetensors are read", c->a.name, m ? m->what : "none of these");
}

static void read_npy(struct convert *c, const char *name)
{
	struct arrays *s = &c->a;
	struct array *a = array_add(s, xstrdup(name));
	a->member = (struct zip_member){.p = c->p, .packed = c->size, .size = c->size};
	if (npy_parse(a, c->p, c->size < NPY_HEADER ? c->size : NPY_HEADER, c->size, s->err))
		die("%s: %s", s->name, s->err);
}

/* Array __meta__ into METAs. */
static int read_metas(struct arrays *s, const struct array *a)
{
	struct json_in j;
	if (a->dtype != TNS_U8 || a->ndim != 1 || a->bytes > 8 * TNS_META_MAX)
		return array_fault(s, METAS_ARRAY " is no row of bytes of JSON");
	unsigned char *text = xmalloc(a->bytes);
	struct array_reader *r = array_open(s, a);
	if (array_read(r, text, a->bytes))
		die("%s: " METAS_ARRAY ": %s", s->name, array_why(r));
	array_close(r);
	json_in_begin(&j, text, a->bytes);
	int bad = metas_parse(s, &j) || (json_in_end(&j) && array_fault(s, METAS_ARRAY ": %s", j.err));
	json_in_free(&j), free(text);
	return bad;
}

static void read_npz(struct convert *c)
{
	struct arrays *s = &c->a;
	struct zip z;
	char err[ZIP_ERR], left[200] = "";
	unsigned char *head = xmalloc(NPY_HEADER);
	int others = 0;
	if (zip_read(&z, c->p, c->size, err))
		die("%s: %s", s->name, err);
	for (int i = 0; i < z.n; i++) {
		const struct zip_member *m = &z.member[i];
		size_t n = strlen(m->name);
		if (n < 4 || strcmp(m->name + n - 4, ".npy")) {
			if (n && m->name[n - 1] != '/' && !others++)
				snprintf(left, sizeof left, "%s", m->name);
			continue;
		}
		char *name = xprintf("%.*s", (int)n - 4, m->name);
		struct array metas = {0}, *a = strcmp(name, METAS_ARRAY) ? array_add(s, name) : &metas;
		if (!a)
			die("%s: %s", s->name, s->err);
		a->member = *m;
		n = array_peek(m, head, NPY_HEADER);
		if (n < NPY_HEADER && n < m->size)
			die("%s: %s: the zip data are damaged", s->name, m->name);
		if (npy_parse(a, head, n, m->size, s->err))
			die("%s: %s: %s", s->name, m->name, s->err);
		if (a == &metas) {
			free(name);
			if (read_metas(s, a))
				die("%s: %s", s->name, s->err);
		}
	}
	if (others && !s->n)
		die("%s: is a zip without arrays (.npy), of %s", s->name, left);
	if (others)
		warn("%s: left out: %s%s, no array (.npy)", s->name, left, others > 1 ? " and others" : "");
	zip_free(&z), free(head);
}

static void read_safetensors(struct convert *c)
{
	if (safetensors_parse(&c->a, c->p, c->size))
		die("%s: %s", c->a.name, c->a.err);
}

struct convert *convert_open(const char *path, const char *npy)
{
	struct convert *c = xcalloc(1, sizeof *c);
	read_file(c, path);
	c->form = find_form(c);
	switch (c->form) {
	case CONVERT_NPY:
		read_npy(c, npy);
		break;
	case CONVERT_NPZ:
		read_npz(c);
		break;
	case CONVERT_SAFETENSORS:
		read_safetensors(c);
		break;
	case CONVERT_TNS:
		convert_read_stream(c);
		break;
	}
	return c;
}

enum convert_form convert_what(const struct convert *c)
{
	return c->form;
}

const struct tns_table *convert_stream(const struct convert *c)
{
	return c->a.table;
}

/* ---- which arrays ---- */

void convert_keep(struct convert *c, int (*keep)(const char *name))
{
	int n = 0;
	for (int i = 0; i < c->a.n; i++)
		if (keep(c->a.array[i].name))
			c->a.array[n++] = c->a.array[i];
		else
			free(c->a.array[i].name);
	c->part |= n < c->a.n;
	c->a.n = n;
}

static struct nearest nearest_array(const struct convert *c, const char *name)
{
	struct nearest n = nearest_of(name);
	for (int i = 0; i < c->a.n; i++)
		nearest_add(&n, c->a.array[i].name);
	return n;
}

void convert_only(struct convert *c, const char *name)
{
	int at = 0;
	while (at < c->a.n && strcmp(c->a.array[at].name, name))
		at++;
	if (at == c->a.n) {
		struct nearest n = nearest_array(c, name);
		die("%s: there is no tensor %s%s", c->a.name, name, nearest_or_all(&n));
	}
	c->part |= c->a.n > 1;
	for (int i = 0; i < c->a.n; i++)
		if (i != at)
			free(c->a.array[i].name);
	c->a.array[0] = c->a.array[at];
	c->a.n = 1;
}

/* ---- values ---- */

void convert_read(const struct convert *c, struct array_reader *r, const struct array *a, void *dst, size_t n)
{
	if (array_read(r, dst, n))
		die("%s: %s: %s", c->a.name, a->name, array_why(r));
}

/* Calls put with all values, block after block. */
static void each_block(const struct convert *c, const struct array *a, void (*put)(void *to, const void *p, size_t n), void *to)
{
	struct array_reader *r = array_open(&c->a, a);
	unsigned char *block = xmalloc(CONVERT_BLOCK);
	uint64_t left = a->bytes;
	do {
		size_t n = left < CONVERT_BLOCK ? (size_t)left : CONVERT_BLOCK;
		convert_read(c, r, a, block, n);
		put(to, block, n);
		left -= n;
	} while (left);
	array_close(r);
	free(block);
}

static void add_crc(void *to, const void *p, size_t n)
{
	uint32_t *crc = to;
	*crc = crc_add(*crc, p, n);
}

/* (c->a.n) checksums of the arrays' values, which are read for them once. */
static const uint32_t *values_crc(struct convert *c)
{
	if (c->crc)
		return c->crc;
	c->crc = xcalloc((size_t)c->a.n + 1, sizeof *c->crc);
	for (int i = 0; i < c->a.n; i++)
		each_block(c, &c->a.array[i], add_crc, &c->crc[i]);
	return c->crc;
}

/* Names and texts with a zero behind them, numbers with 8 bytes. */
static uint32_t content_crc(struct convert *c)
{
	uint32_t crc = 0;
	unsigned char number[8];
	for (int i = 0; i < c->a.n; i++) {
		const struct array *a = &c->a.array[i];
		uint64_t head[2 + ARRAY_DIMS + 1] = {(uint64_t)a->dtype, (uint64_t)a->ndim};
		memcpy(head + 2, a->dim, (size_t)a->ndim * sizeof *a->dim);
		head[2 + a->ndim] = values_crc(c)[i];
		crc = crc_add(crc, a->name, strlen(a->name) + 1);
		for (int k = 0; k < 3 + a->ndim; k++, crc = crc_add(crc, number, sizeof number))
			bytes_set(number, head[k], sizeof number);
	}
	for (int i = 0; i < c->a.nmeta; i++) {
		crc = crc_add(crc, c->a.meta[i].key, c->a.meta[i].key_len + 1);
		crc = crc_add(crc, c->a.meta[i].value, c->a.meta[i].value_len + 1);
	}
	return crc;
}

/* Is the file's note true of what it holds now? */
static void check_note(struct convert *c)
{
	uint32_t content;
	c->open = xcalloc((size_t)c->a.n + 1, 1);
	c->same = !c->part && metas_read_note(&c->a, &content, &c->stream, c->open) && content == content_crc(c);
	for (int i = 0; i < c->a.nmeta && !c->same; i++)
		c->a.meta[i].late = !strcmp(c->a.meta[i].key, "history");
}

/* What goes with METAs in a file; NULL: nothing. To be freed. */
static char *new_note(struct convert *c)
{
	if (c->form == CONVERT_TNS)
		return c->part ? NULL : metas_note(&c->a, content_crc(c));
	return c->same ? xstrdup(c->a.noted) : NULL;
}

/* ---- writing ---- */

static void put_out(void *to, const void *p, size_t n)
{
	out_write(to, p, n);
}

static void put_zip(void *to, const void *p, size_t n)
{
	zip_out_put(to, p, n);
}

static void write_npy(const struct convert *c, struct out *to)
{
	struct buffer head = {0};
	npy_header(&head, &c->a.array[0]);
	out_write(to, head.p, head.n);
	each_block(c, &c->a.array[0], put_out, to);
	buffer_free(&head);
}

static void write_npz(struct convert *c, struct out *to)
{
	struct zip_out z = {.to = to};
	struct buffer head = {0}, metas = {0};
	char *note = new_note(c);
	for (int i = 0; i < c->a.n; i++) {
		const struct array *a = &c->a.array[i];
		char *name = xprintf("%s.npy", a->name);
		head.n = 0;
		npy_header(&head, a);
		uint32_t crc = (uint32_t)crc32_combine(crc_add(0, head.p, head.n), values_crc(c)[i], (z_off_t)a->bytes);
		zip_out_member(&z, name, head.n + a->bytes, crc);
		zip_out_put(&z, head.p, head.n);
		each_block(c, a, put_zip, &z);
		free(name);
	}
	if (note || c->a.nmeta) {
		metas_text(&metas, &c->a, note);
		struct array a = {.dtype = TNS_U8, .ndim = 1, .dim = {metas.n}, .bytes = metas.n};
		head.n = 0;
		npy_header(&head, &a);
		zip_out_member(&z, METAS_ARRAY ".npy", head.n + metas.n, crc_add(crc_add(0, head.p, head.n), metas.p, metas.n));
		zip_out_put(&z, head.p, head.n);
		zip_out_put(&z, metas.p, metas.n);
	}
	zip_out_end(&z);
	buffer_free(&head), buffer_free(&metas), free(note);
}

static void write_safetensors(struct convert *c, struct out *to)
{
	struct buffer head = {0};
	char *note = new_note(c);
	int *order = xcalloc((size_t)c->a.n + 1, sizeof *order);
	safetensors_header(&head, &c->a, note, order);
	out_write(to, head.p, head.n);
	for (int i = 0; i < c->a.n; i++)
		each_block(c, &c->a.array[order[i]], put_out, to);
	buffer_free(&head), free(note), free(order);
}

/* Ends the program where the form lacks a type, a name or room. */
static void check(const struct convert *c, enum convert_form form)
{
	const char *taken = form == CONVERT_NPZ ? METAS_ARRAY : form == CONVERT_SAFETENSORS ? METAS_KEY : NULL;
	if (form == CONVERT_NPY && c->a.n != 1) {
		struct nearest n = nearest_array(c, "");
		die_usage(
			"%s has %d tensors, an npy holds one: --tensor tells which%s", c->a.name, c->a.n, c->a.n ? nearest_or_all(&n) : "");
	}
	for (int i = 0; i < c->a.n; i++) {
		const struct array *a = &c->a.array[i];
		if (!a->dtype && strchr(a->type, 'O'))
			die("%s: %s: it holds Python objects (type '%s', a pickle), which are not read", c->a.name, a->name, a->type);
		if (!a->dtype)
			die("%s: %s: its type, %s, is none of a tensor stream", c->a.name, a->name, a->type);
		if (form <= CONVERT_NPZ && !npy_has(a->dtype))
			die("%s: %s is %s, which NumPy lacks: safetensors holds it", c->a.name, a->name, tns_dtype_name(a->dtype));
		if (form == CONVERT_NPZ && strlen(a->name) > UINT16_MAX - 4)
			die("%s: %.40s...: a name of more than a zip's 64 KiB", c->a.name, a->name);
		if (form == CONVERT_SAFETENSORS && !utf8_valid((const unsigned char *)a->name, strlen(a->name)))
			die("%s: the name '%s' is not UTF-8", c->a.name, a->name);
		if (taken && !strcmp(a->name, taken))
			die("%s: the name %s is that of the METAs", c->a.name, taken);
	}
}

void convert_write(struct convert *c, enum convert_form form, const char *path)
{
	check(c, form);
	check_note(c);
	if (form == CONVERT_TNS) {
		convert_write_stream(c, path);
		return;
	}
	struct out *to = out_open(path, 1);
	if (form == CONVERT_NPY)
		write_npy(c, to);
	else if (form == CONVERT_NPZ)
		write_npz(c, to);
	else
		write_safetensors(c, to);
	out_close(to);
}

void convert_free(struct convert *c)
{
	arrays_free(&c->a);
	if (c->mapped)
		munmap((void *)c->p, c->size);
	else
		free((void *)c->p);
	free(c->open), free(c->crc);
	free(c);
}
