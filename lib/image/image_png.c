/* PNG by libpng, whose errors leave the decoder by longjmp. */
#include <setjmp.h>
#include <stdlib.h>
#include <string.h>

#include <png.h>

#include "lib/image/image_io.h"

enum { INFLATION = 1032, SIGNATURE = 8, AROUND = 12 }; /* of zlib, at most; bytes before chunks, and around the data of each */

struct png {
	png_structp png;
	png_infop info;
	const uint8_t *data;
	size_t n, at;
	uint8_t *rows; /* of a file's own channels: one, or all where they come interlaced */
	jmp_buf out;
	char *err;
};

NORETURN static void on_error(png_structp png, png_const_charp text)
{
	struct png *p = png_get_error_ptr(png);
	image_fault(p->err, "a broken PNG: %s", text);
	longjmp(p->out, 1);
}

static void on_warning(png_structp png, png_const_charp text)
{
	(void)png, (void)text;
}

static void take(png_structp png, png_bytep to, size_t n)
{
	struct png *p = png_get_io_ptr(png);
	if (n > p->n - p->at)
		png_error(png, "it ends too early");
	memcpy(to, p->data + p->at, n);
	p->at += n;
}

/* All chunks are there: libpng takes memory by what a chunk says that it holds. */
static int is_whole(const struct png *p)
{
	for (size_t at = SIGNATURE; at <= p->n && p->n - at >= AROUND;) {
		const uint8_t *c = p->data + at;
		size_t data = (size_t)c[0] << 24 | (size_t)c[1] << 16 | (size_t)c[2] << 8 | c[3];
		if (!memcmp(c + 4, "IEND", 4))
			return 1;
		if (data > p->n - at - AROUND)
			return 0;
		at += data + AROUND;
	}
	return 0;
}

static unsigned over_white(unsigned v, unsigned alpha)
{
	return (v * alpha + 255 * (255 - alpha) + 127) / 255;
}

/* A row of `from` channels: grey, or RGB, with alpha behind them or without. */
static void convert(const uint8_t *p, int from, uint8_t *to, int channels, int W)
{
	int colours = from >= 3 ? 3 : 1;
	for (int x = 0; x < W; x++, p += from) {
		unsigned v[3];
		for (int i = 0; i < 3; i++)
			v[i] = from == colours ? p[i % colours] : over_white(p[i % colours], p[colours]);
		if (channels == 1)
			*to++ = colours == 1 ? (uint8_t)v[0] : image_luma(v[0], v[1], v[2]);
		else
			for (int i = 0; i < 3; i++)
				*to++ = (uint8_t)v[i];
	}
}

static int decode(struct png *p, struct image *im, int channels)
{
	if (setjmp(p->out))
		return 0;
	png_set_read_fn(p->png, p, take);
	png_set_user_limits(p->png, 0x7fffffff, 0x7fffffff); /* image_room says what is too large, in its own words */
	png_read_info(p->png, p->info);
	png_uint_32 W = png_get_image_width(p->png, p->info), H = png_get_image_height(p->png, p->info);
	if (png_get_rowbytes(p->png, p->info) > INFLATION * p->n / H)
		return image_fault(p->err, "a broken PNG: %zu bytes can't hold %ux%u pixels", p->n, W, H);
	if (!image_room(im, W, H, channels, p->err))
		return 0;
	png_set_expand(p->png);
	png_set_scale_16(p->png);
	int passes = png_set_interlace_handling(p->png), from;
	png_read_update_info(p->png, p->info);
	from = png_get_channels(p->png, p->info);
	size_t stride = png_get_rowbytes(p->png, p->info);
	p->rows = xcalloc(passes > 1 ? H : 1, stride);
	for (int pass = 0; pass < passes; pass++)
		for (png_uint_32 y = 0; y < H; y++) {
			uint8_t *row = p->rows + (passes > 1 ? y * stride : 0);
			png_read_row(p->png, row, NULL);
			if (pass == passes - 1)
				convert(row, from, im->pixels + (size_t)y * W * (size_t)channels, channels, im->W);
		}
	png_read_end(p->png, p->info);
	png_uint_32 bytes;
	png_bytep exif;
	if (png_get_eXIf_1(p->png, p->info, &bytes, &exif) & PNG_INFO_eXIf)
		im->turn = image_exif(exif, bytes);
	return 1;
}

int image_png(struct image *im, const void *data, size_t n, int channels, char err[IMAGE_ERR])
{
	struct png p = {.data = data, .n = n, .err = err};
	if (!is_whole(&p))
		return image_fault(err, "a broken PNG: it is cut short");
	p.png = png_create_read_struct(PNG_LIBPNG_VER_STRING, &p, on_error, on_warning);
	p.info = p.png ? png_create_info_struct(p.png) : NULL;
	int good = p.info ? decode(&p, im, channels) : image_fault(err, "libpng can't be used");
	png_destroy_read_struct(&p.png, &p.info, NULL);
	free(p.rows);
	return good;
}
