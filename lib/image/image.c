#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/base/magic.h"
#include "lib/image/image_io.h"
#include "lib/image/image_pnm.h"

int image_fault(char err[IMAGE_ERR], const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	vsnprintf(err, IMAGE_ERR, fmt, ap);
	va_end(ap);
	return 0;
}

int image_shape(struct image *im, uint64_t W, uint64_t H, int channels, char err[IMAGE_ERR])
{
	if (!W || !H)
		return image_fault(err, "an image of %llux%llu pixels", (unsigned long long)W, (unsigned long long)H);
	if (W > IMAGE_SIDE_MAX || H > IMAGE_SIDE_MAX || W * H > IMAGE_PIXELS_MAX)
		return image_fault(err, "an image of %llux%llu: over %d a side or %u pixels", (unsigned long long)W, (unsigned long long)H,
			IMAGE_SIDE_MAX, IMAGE_PIXELS_MAX);
	im->W = (int)W, im->H = (int)H, im->channels = channels, im->turn = 1;
	return 1;
}

int image_room(struct image *im, uint64_t W, uint64_t H, int channels, char err[IMAGE_ERR])
{
	if (!image_shape(im, W, H, channels, err))
		return 0;
	size_t need = (size_t)(W * H) * (size_t)channels;
	if (need > im->size) {
		free(im->pixels);
		im->pixels = xmalloc(need);
		im->size = need;
	}
	return 1;
}

/* ---- EXIF ---- */

static unsigned field(const uint8_t *p, int bytes, int big)
{
	unsigned v = 0;
	for (int i = 0; i < bytes; i++)
		v = v << 8 | p[big ? i : bytes - 1 - i];
	return v;
}

int image_exif(const uint8_t *p, size_t n)
{
	enum { HEADER = 8, ENTRY = 12, ORIENTATION = 0x112, SHORT = 3 };
	if (n >= 6 && !memcmp(p, "Exif\0", 6))
		p += 6, n -= 6;
	if (n < HEADER || (memcmp(p, "II*", 4) && memcmp(p, "MM\0*", 4)))
		return 1;
	int big = *p == 'M';
	size_t at = field(p + 4, 4, big);
	if (at > n || n - at < 2)
		return 1;
	unsigned entries = field(p + at, 2, big);
	at += 2;
	for (; entries && n - at >= ENTRY; entries--, at += ENTRY) {
		const uint8_t *e = p + at;
		if (field(e, 2, big) != ORIENTATION || field(e + 2, 2, big) != SHORT || field(e + 4, 4, big) != 1)
			continue;
		unsigned turn = field(e + 8, 2, big);
		return turn >= 1 && turn <= 8 ? (int)turn : 1;
	}
	return 1;
}

void image_upright(struct image *im)
{
	int quarter = im->turn >= 5, W = quarter ? im->H : im->W, H = quarter ? im->W : im->H, n = im->channels;
	if (im->turn == 1)
		return;
	uint8_t *turned = xmalloc(im->size), *to = turned;
	for (int y = 0; y < H; y++)
		for (int x = 0; x < W; x++, to += n) {
			/* which pixel as stored is seen at (x, y): bit 0 of the table's entry turns columns round, bit 1 rows */
			static const int round[9] = {0, 0, 1, 3, 2, 0, 2, 3, 1};
			int u = quarter ? y : x, v = quarter ? x : y;
			u = round[im->turn] & 1 ? im->W - 1 - u : u;
			v = round[im->turn] & 2 ? im->H - 1 - v : v;
			memcpy(to, im->pixels + ((size_t)v * (size_t)im->W + (size_t)u) * (size_t)n, (size_t)n);
		}
	free(im->pixels);
	im->pixels = turned;
	im->W = W, im->H = H, im->turn = 1;
}

/* ---- reading ---- */

static int is_pnm(const uint8_t *p, size_t n)
{
	return n > 2 && *p == 'P' && strchr("2356", p[1]) && p[1] && (p[2] == '#' || strchr(" \t\r\n", p[2]));
}

int image_decode(struct image *im, const void *data, size_t n, int channels, char err[IMAGE_ERR])
{
	const uint8_t *p = data;
	if (!n)
		return image_fault(err, "is empty");
	if (n >= 3 && !memcmp(p, "\xff\xd8\xff", 3))
		return image_jpeg(im, data, n, channels, err);
	if (n >= 4 && !memcmp(p, "\x89PNG", 4))
		return image_png(im, data, n, channels, err);
	if (is_pnm(p, n)) {
		struct image_pnm *s = image_pnm_memory(data, n);
		int good = image_pnm_next(s, im, channels, err) == IMAGE_PNM_ONE;
		image_pnm_free(s);
		return good;
	}
	const struct magic *m = magic_find(p, n);
	return image_fault(err, "is %s, no JPEG, PNG, PGM or PPM", m ? m->what : "of a kind that is not known here");
}

/* The whole file; NULL and the reason in err. */
static uint8_t *slurp(const char *path, size_t *n, char err[IMAGE_ERR])
{
	struct stat st;
	uint8_t *data = NULL;
	ssize_t got = 1;
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY); /* a FIFO that nobody writes doesn't hold the program */
	*n = 0;
	if (fd < 0 || fstat(fd, &st))
		image_fault(err, "%s", strerror(errno));
	else if (!S_ISREG(st.st_mode))
		image_fault(err, "is %s", S_ISDIR(st.st_mode) ? "a folder, no image" : "no regular file");
	else if ((uint64_t)st.st_size > IMAGE_BYTES_MAX)
		image_fault(err, "has %llu bytes, over %u", (unsigned long long)st.st_size, IMAGE_BYTES_MAX);
	else
		data = xmalloc((size_t)st.st_size + 1);
	while (data && *n < (size_t)st.st_size && got) {
		got = read(fd, data + *n, (size_t)st.st_size - *n);
		if (got < 0 && errno != EINTR) {
			image_fault(err, "%s", strerror(errno));
			free(data), data = NULL;
		}
		*n += got > 0 ? (size_t)got : 0;
	}
	if (fd >= 0)
		close(fd);
	return data;
}

int image_read(struct image *im, const char *path, int channels, char err[IMAGE_ERR])
{
	size_t n;
	uint8_t *data = slurp(path, &n, err);
	int good = data && image_decode(im, data, n, channels, err);
	free(data);
	return good;
}

void image_free(struct image *im)
{
	free(im->pixels);
	*im = (struct image){0};
}
