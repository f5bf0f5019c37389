#include "lib/image/image_pnm.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/base/buffers.h"
#include "lib/image/image_io.h"

enum { BUFFER = BUFFER_KIB(256), END = -1 };

struct image_pnm {
	int fd; /* -1: memory */
	const uint8_t *p;
	size_t at, end; /* p[at, end) was not taken yet */
	uint8_t *buffer, *row;
	size_t row_size;
	int failed;	    /* errno of read, or 0 */
	int W, H, channels; /* of frames without headers; W 0: they have some */
};

struct header {
	int plain, channels;
	unsigned W, H, maxval;
};

/* ---- bytes ---- */

/* 0: there are no more. */
static int fill(struct image_pnm *s)
{
	ssize_t got = 0;
	if (s->at < s->end)
		return 1;
	if (s->fd < 0 || s->failed)
		return 0;
	do
		got = read(s->fd, s->buffer, BUFFER);
	while (got < 0 && errno == EINTR);
	s->failed = got < 0 ? errno : 0;
	s->at = 0, s->end = got > 0 ? (size_t)got : 0;
	return got > 0;
}

static int peek(struct image_pnm *s)
{
	return fill(s) ? s->p[s->at] : END;
}

/* How many of n bytes there were. */
static size_t take(struct image_pnm *s, uint8_t *to, size_t n)
{
	size_t done = 0;
	while (done < n && fill(s)) {
		size_t k = s->end - s->at < n - done ? s->end - s->at : n - done;
		memcpy(to + done, s->p + s->at, k);
		s->at += k, done += k;
	}
	return done;
}

static int fault_end(const struct image_pnm *s, char err[IMAGE_ERR], const char *where)
{
	return s->failed ? image_fault(err, "%s", strerror(s->failed)) : image_fault(err, "it is cut short in %s", where);
}

/* ---- header ---- */

static int is_space(int c)
{
	return c == ' ' || (c >= '\t' && c <= '\r');
}

static void skip_space(struct image_pnm *s)
{
	for (int c = peek(s), comment = 0; comment ? c != END : c == '#' || is_space(c); c = peek(s)) {
		comment = c == '#' || (comment && c != '\n' && c != '\r');
		s->at++;
	}
}

/* A number from 0 to max behind blanks and comments, which ends at a byte that is no digit. */
static int number(struct image_pnm *s, unsigned max, unsigned *to, const char *what, char err[IMAGE_ERR])
{
	unsigned v = 0;
	int c;
	skip_space(s);
	c = peek(s);
	if (c == END)
		return fault_end(s, err, what);
	if (c < '0' || c > '9')
		return image_fault(err, "%s is no number, but begins with byte 0x%02x", what, c);
	for (; c >= '0' && c <= '9'; s->at++, c = peek(s)) {
		v = v * 10 + (unsigned)(c - '0');
		if (v > max)
			return image_fault(err, "%s is over %u", what, max);
	}
	*to = v;
	return 1;
}

static int header(struct image_pnm *s, struct header *h, char err[IMAGE_ERR])
{
	uint8_t magic[2];
	if (take(s, magic, 2) < 2)
		return fault_end(s, err, "its first bytes");
	if (magic[0] != 'P' || !memchr("2356", magic[1], 4))
		return !memcmp(magic, "\xff\xd8", 2) ? image_fault(err, "is a JPEG picture, no PGM or PPM (ffmpeg writes PGM by -c:v pgm)")
						     : image_fault(err, "begins with bytes 0x%02x%02x, no PGM or PPM", magic[0], magic[1]);
	*h = (struct header){.plain = magic[1] < '5', .channels = magic[1] == '3' || magic[1] == '6' ? 3 : 1};
	if (!number(s, 999999, &h->W, "the width", err) || !number(s, 999999, &h->H, "the height", err) ||
		!number(s, 65535, &h->maxval, "the largest value", err))
		return 0;
	if (!h->maxval)
		return image_fault(err, "the largest value is 0");
	int c = peek(s);
	if (c == END)
		return fault_end(s, err, "its header");
	if (!is_space(c))
		return image_fault(err, "byte 0x%02x follows the header, no blank", c);
	s->at++;
	return 1;
}

/* ---- pixels ---- */

/* A row's samples, 8 bits each, into to. */
static int samples(struct image_pnm *s, const struct header *h, uint8_t *to, size_t n, char err[IMAGE_ERR])
{
	size_t wide = h->maxval > 255 && !h->plain ? 2 : 1;
	if (!h->plain && wide == 1) {
		if (take(s, to, n) < n)
			return fault_end(s, err, "its pixels");
		if (h->maxval == 255)
			return 1;
	}
	for (size_t i = 0; i < n; i++) {
		unsigned v = to[i];
		uint8_t two[2];
		if (h->plain && !number(s, 65535, &v, "a value", err))
			return 0;
		if (wide == 2) {
			if (take(s, two, 2) < 2)
				return fault_end(s, err, "its pixels");
			v = (unsigned)two[0] << 8 | two[1];
		}
		if (v > h->maxval)
			return image_fault(err, "a value is %u, over the largest, %u", v, h->maxval);
		to[i] = (uint8_t)((v * 255 + h->maxval / 2) / h->maxval);
	}
	return 1;
}

static void convert(const uint8_t *p, int from, uint8_t *to, int channels, int W)
{
	for (int x = 0; x < W; x++, p += from)
		if (channels == 1)
			*to++ = image_luma(p[0], p[1], p[2]);
		else
			for (int i = 0; i < 3; i++)
				*to++ = *p;
}

/* Memory for the rows up to this one, more with each: a stream's header may say what never comes. */
static void room_for_row(struct image *im, unsigned y)
{
	enum { FIRST = 1 << 22 };
	size_t row = (size_t)im->W * (size_t)im->channels, end = (y + 1) * row, all = (size_t)im->H * row;
	if (end <= im->size)
		return;
	size_t more = 2 * im->size > FIRST ? 2 * im->size : FIRST;
	more = more < all ? more : all;
	im->size = more > end ? more : end;
	im->pixels = xrealloc(im->pixels, im->size);
}

int image_pnm_next(struct image_pnm *s, struct image *im, int channels, char err[IMAGE_ERR])
{
	struct header h = {0, s->channels, (unsigned)s->W, (unsigned)s->H, 255};
	*err = 0;
	if (!s->W)
		skip_space(s);
	if (peek(s) == END) {
		if (!s->failed && s->fd >= 0)
			return IMAGE_PNM_DONE;
		fault_end(s, err, "its first bytes");
		return IMAGE_PNM_ERR;
	}
	if (!s->W && !header(s, &h, err))
		return IMAGE_PNM_ERR;
	uint64_t bytes = (uint64_t)h.W * h.H * (uint64_t)h.channels;
	if (s->fd < 0 && bytes > s->end - s->at) { /* plain ones have more than a byte for each */
		image_fault(err, "it is cut short: %zu bytes can't hold %ux%u pixels", s->end, h.W, h.H);
		return IMAGE_PNM_ERR;
	}
	if (!image_shape(im, h.W, h.H, channels, err))
		return IMAGE_PNM_ERR;
	size_t n = (size_t)h.W * (size_t)h.channels;
	if (n > s->row_size)
		free(s->row), s->row = xmalloc(s->row_size = n);
	for (unsigned y = 0; y < h.H; y++) {
		room_for_row(im, y);
		uint8_t *to = im->pixels + (size_t)y * h.W * (size_t)channels, *row = h.channels == channels ? to : s->row;
		if (!samples(s, &h, row, n, err))
			return IMAGE_PNM_ERR;
		if (row != to)
			convert(row, h.channels, to, channels, im->W);
	}
	return IMAGE_PNM_ONE;
}

/* ---- opening ---- */

struct image_pnm *image_pnm_fd(int fd)
{
	struct image_pnm *s = xcalloc(1, sizeof *s);
	s->fd = fd;
	s->p = s->buffer = xmalloc(BUFFER);
	return s;
}

struct image_pnm *image_pnm_memory(const void *data, size_t n)
{
	struct image_pnm *s = xcalloc(1, sizeof *s);
	s->fd = -1;
	s->p = data, s->end = n;
	return s;
}

void image_pnm_raw(struct image_pnm *s, int W, int H, int channels)
{
	s->W = W, s->H = H, s->channels = channels;
}

void image_pnm_free(struct image_pnm *s)
{
	free(s->buffer), free(s->row), free(s);
}
