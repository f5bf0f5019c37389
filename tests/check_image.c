/* Images that libjpeg and libpng write here, and what comes of them; by files, pipes, cut anywhere, and with sizes that lie. */
#include <check.h>
#include <math.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <jpeglib.h>
#include <png.h>
#include <zlib.h>

#include "lib/base/err.h"
#include "lib/image/image.h"
#include "lib/image/image_pnm.h"
#include "lib/image/recompress.h"

enum { W = 37, H = 21 }; /* odd, no multiple of a block */

struct bytes {
	uint8_t *p;
	size_t n;
};

static struct image im;
static char err[IMAGE_ERR];

/* Sample i of pixel (x, y): smooth, so that JPEG keeps it. */
static unsigned colour(int i, int x, int y)
{
	static const int at[4][3] = {{20, 4, 1}, {230, -3, -2}, {90, 1, 5}, {40, 2, 3}};
	return (unsigned)(at[i][0] + at[i][1] * x + at[i][2] * y);
}

static double luma(double r, double g, double b)
{
	return 0.299 * r + 0.587 * g + 0.114 * b;
}

static void near(int x, int y, int i, double want, double by)
{
	double got = im.pixels[(y * im.W + x) * im.channels + i];
	ck_assert_msg(fabs(got - want) <= by, "(%d, %d) %d: %g, not %g", x, y, i, got, want);
}

static void decodes(struct bytes b, int channels)
{
	ck_assert_msg(image_decode(&im, b.p, b.n, channels, err), "%s", err);
	ck_assert_int_eq(im.W, W);
	ck_assert_int_eq(im.H, H);
	ck_assert_int_eq(im.channels, channels);
}

static void refused(const void *p, size_t n, const char *text)
{
	for (int channels = 1; channels <= 3; channels += 2) {
		*err = 0;
		ck_assert(!image_decode(&im, p, n, channels, err));
		ck_assert_msg(strstr(err, text) && *err, "no '%s' in: %s", text, err);
	}
}

/* ---- JPEG ---- */

struct jpeg {
	J_COLOR_SPACE in, to;
	int n, progressive, unmarked; /* unmarked: without Adobe's marker */
	const uint8_t *exif;
	unsigned nexif;
};

/* inverted: samples are stored as 255 less. */
static struct bytes jpeg(struct jpeg how, int inverted)
{
	struct jpeg_compress_struct c;
	struct jpeg_error_mgr e;
	unsigned char *p = NULL, row[4 * W], *rows[1] = {row};
	unsigned long n = 0;
	c.err = jpeg_std_error(&e);
	jpeg_create_compress(&c);
	jpeg_mem_dest(&c, &p, &n);
	c.image_width = W, c.image_height = H, c.input_components = how.n, c.in_color_space = how.in;
	jpeg_set_defaults(&c);
	jpeg_set_colorspace(&c, how.to);
	jpeg_set_quality(&c, 100, TRUE);
	for (int i = 0; i < how.n; i++)
		c.comp_info[i].h_samp_factor = c.comp_info[i].v_samp_factor = 1;
	if (how.unmarked)
		c.write_Adobe_marker = FALSE;
	if (how.progressive)
		jpeg_simple_progression(&c);
	jpeg_start_compress(&c, TRUE);
	if (how.exif)
		jpeg_write_marker(&c, JPEG_APP0 + 1, how.exif, how.nexif);
	for (int y = 0; y < H; y++) {
		for (int x = 0; x < W; x++)
			for (int i = 0; i < how.n; i++)
				row[x * how.n + i] = (uint8_t)(inverted ? 255 - colour(i, x, y) : colour(i, x, y));
		jpeg_write_scanlines(&c, rows, 1);
	}
	jpeg_finish_compress(&c);
	jpeg_destroy_compress(&c);
	return (struct bytes){p, n};
}

START_TEST(jpegs)
{
	struct bytes grey = jpeg((struct jpeg){.in = JCS_GRAYSCALE, .to = JCS_GRAYSCALE, .n = 1, .progressive = _i}, 0);
	struct bytes ycc = jpeg((struct jpeg){.in = JCS_RGB, .to = JCS_YCbCr, .n = 3, .progressive = _i}, 0);
	struct bytes rgb = jpeg((struct jpeg){.in = JCS_RGB, .to = JCS_RGB, .n = 3, .progressive = _i}, 0);
	for (int channels = 1; channels <= 3; channels += 2)
		for (int k = 0; k < 3; k++) {
			decodes(k == 0 ? grey : k == 1 ? ycc : rgb, channels);
			ck_assert_int_eq(im.turn, 1);
			for (int y = 0; y < H; y++)
				for (int x = 0; x < W; x++)
					for (int i = 0; i < channels; i++)
						near(x, y, i,
							k == 0		? colour(0, x, y)
							: channels == 3 ? colour(i, x, y)
									: luma(colour(0, x, y), colour(1, x, y), colour(2, x, y)),
							3);
		}
	free(grey.p), free(ycc.p), free(rgb.p);
}
END_TEST

/* Light is what neither its ink nor black takes away. Adobe's files are inverted, and so are those with its marker. */
START_TEST(cmyk)
{
	struct bytes f[] = {jpeg((struct jpeg){.in = JCS_CMYK, .to = JCS_CMYK, .n = 4}, 1),
		jpeg((struct jpeg){.in = JCS_CMYK, .to = JCS_YCCK, .n = 4}, 1),
		jpeg((struct jpeg){.in = JCS_CMYK, .to = JCS_CMYK, .n = 4, .unmarked = 1}, 0)};
	for (int k = 0; k < 3; k++)
		for (int channels = 1; channels <= 3; channels += 2) {
			decodes(f[k], channels);
			for (int y = 0; y < H; y++)
				for (int x = 0; x < W; x++) {
					double v[3];
					for (int i = 0; i < 3; i++)
						v[i] = (255.0 - colour(i, x, y)) * (255.0 - colour(3, x, y)) / 255;
					for (int i = 0; i < channels; i++)
						near(x, y, i, channels == 3 ? v[i] : luma(v[0], v[1], v[2]), 3);
				}
		}
	for (int k = 0; k < 3; k++)
		free(f[k].p);
}
END_TEST

/* ---- PNG ---- */

struct sink {
	struct bytes b;
	size_t room;
};

static void put(png_structp png, png_bytep p, size_t n)
{
	struct sink *s = png_get_io_ptr(png);
	if (s->b.n + n > s->room)
		s->b.p = xrealloc(s->b.p, s->room = 2 * (s->b.n + n));
	memcpy(s->b.p + s->b.n, p, n);
	s->b.n += n;
}

static void flush(png_structp png)
{
	(void)png;
}

/* rows: as PNG stores them (width w, height h). alpha: of palette entries, or NULL. */
static struct bytes png(int w, int h, int type, int depth, int interlaced, const uint8_t *rows, size_t stride, const png_color *palette,
	const uint8_t *alpha, const uint8_t *exif, unsigned nexif)
{
	struct sink s = {{NULL, 0}, 0};
	png_structp p = png_create_write_struct(PNG_LIBPNG_VER_STRING, NULL, NULL, NULL);
	png_infop info = png_create_info_struct(p);
	if (setjmp(png_jmpbuf(p)))
		abort();
	png_set_write_fn(p, &s, put, flush);
	png_set_IHDR(p, info, (png_uint_32)w, (png_uint_32)h, depth, type, interlaced ? PNG_INTERLACE_ADAM7 : PNG_INTERLACE_NONE, 0, 0);
	if (palette)
		png_set_PLTE(p, info, palette, 4);
	if (alpha)
		png_set_tRNS(p, info, alpha, 3, NULL);
	if (exif)
		png_set_eXIf_1(p, info, nexif, (png_bytep)(uintptr_t)exif);
	png_write_info(p, info);
	for (int pass = png_set_interlace_handling(p); pass > 0; pass--)
		for (int y = 0; y < h; y++)
			png_write_row(p, rows + (size_t)y * stride);
	png_write_end(p, NULL);
	png_destroy_write_struct(&p, &info);
	return s.b;
}

/* Every type and depth, interlaced and not: samples are drawn at random, and what must come of them computed from them. */
START_TEST(pngs)
{
	static const struct {
		int type, n;
	} kinds[] = {{PNG_COLOR_TYPE_GRAY, 1}, {PNG_COLOR_TYPE_GRAY_ALPHA, 2}, {PNG_COLOR_TYPE_RGB, 3}, {PNG_COLOR_TYPE_RGB_ALPHA, 4},
		{PNG_COLOR_TYPE_PALETTE, 1}};
	static const png_color palette[4] = {{200, 10, 30}, {0, 0, 0}, {255, 254, 253}, {1, 128, 99}};
	static const uint8_t alpha[3] = {255, 0, 100};
	int tried = 0;
	for (int k = 0; k < 5; k++)
		for (int depth = 1; depth <= 16; depth *= 2)
			for (int interlaced = 0; interlaced < 2; interlaced++) {
				int n = kinds[k].n, bytes = depth == 16 ? 2 : 1, pal = kinds[k].type == PNG_COLOR_TYPE_PALETTE;
				if (pal ? depth < 2 || depth > 8 : n > 1 && depth < 8)
					continue;
				static uint8_t rows[H * W * 8];
				static double v[H][W][4];
				size_t stride = ((size_t)(W * n * depth) + 7) / 8;
				memset(rows, 0, sizeof rows);
				for (int y = 0; y < H; y++)
					for (int x = 0; x < W; x++)
						for (int i = 0; i < n; i++) {
							unsigned m = (1u << depth) - 1, s = (unsigned)rand() % (pal ? 4 : m + 1);
							uint8_t *at = rows + (size_t)y * stride + (size_t)((x * n + i) * depth) / 8;
							v[y][x][i] = pal ? s : 255.0 * s / m;
							if (bytes == 2)
								at[0] = (uint8_t)(s >> 8), at[1] = (uint8_t)s;
							else
								*at = (uint8_t)(*at | s << (8 - depth - (x * n + i) * depth % 8));
						}
				struct bytes b = png(W, H, kinds[k].type, depth, interlaced, rows, stride, pal ? palette : NULL,
					pal ? alpha : NULL, NULL, 0);
				for (int channels = 1; channels <= 3; channels += 2) {
					decodes(b, channels);
					for (int y = 0; y < H; y++)
						for (int x = 0; x < W; x++) {
							double *p = v[y][x], rgb[3], a = n % 2 ? 1 : p[n - 1] / 255;
							int entry = (int)p[0];
							for (int i = 0; i < 3; i++)
								rgb[i] = n < 3 ? p[0] : p[i];
							if (pal) {
								rgb[0] = palette[entry].red, rgb[1] = palette[entry].green;
								rgb[2] = palette[entry].blue, a = entry < 3 ? alpha[entry] / 255.0 : 1;
							}
							for (int i = 0; i < 3; i++)
								rgb[i] = rgb[i] * a + 255 * (1 - a);
							/* half a step for each time that something is rounded */
							double by =
								0.501 + (depth == 16 && !(n % 2)) + 0.5 * (channels == 1 && (n > 2 || pal));
							for (int i = 0; i < channels; i++)
								near(x, y, i, channels == 3 ? rgb[i] : luma(rgb[0], rgb[1], rgb[2]), by);
						}
				}
				free(b.p);
				tried++;
			}
	ck_assert_int_eq(tried, 2 * (5 + 2 + 2 + 2 + 3));
}
END_TEST

/* ---- PGM and PPM ---- */

START_TEST(pnms)
{
	static const struct {
		const char *text;
		size_t n;
		int colours, want[6];
	} t[] = {{"P5 2 3 255\n\0\1\2\3\4\377", 17, 1, {0, 1, 2, 3, 4, 255}},
		{"P5\n# c\n2 # d\n3\n255\n\n\1\2\3\4\5", 26, 1, {10, 1, 2, 3, 4, 5}},
		{"P5 2 3 15\n\0\1\7\10\16\17", 16, 1, {0, 17, 119, 136, 238, 255}},
		{"P5 2 3 65535\n\0\0\0\200\0\201\1\201\177\377\377\377", 25, 1,
			{0, 0, 1, 1, 127, 255}}, /* 128/257 is below a half, 129/257 above */
		{"P2 2 3\n100 0 50#x\n100 1 2\r\n99", 31, 1, {0, 128, 255, 3, 5, 252}},
		{"P6 1 2 255 \12\24\36\377\200\0", 17, 3, {10, 20, 30, 255, 128, 0}},
		{"P3 1 2 10 1 2 3 10 5 0", 22, 3, {26, 51, 77, 255, 128, 0}}};
	for (size_t k = 0; k < sizeof t / sizeof *t; k++)
		for (int channels = 1; channels <= 3; channels += 2) {
			ck_assert_msg(image_decode(&im, t[k].text, t[k].n, channels, err), "%zu: %s", k, err);
			ck_assert_int_eq(im.W * im.H * t[k].colours, 6);
			for (int p = 0; p < im.W * im.H; p++)
				for (int i = 0; i < channels; i++) {
					const int *v = t[k].want + p * t[k].colours;
					double want = t[k].colours == 1 ? v[0] : channels == 3 ? v[i] : floor(luma(v[0], v[1], v[2]) + 0.5);
					ck_assert_msg(im.pixels[p * channels + i] == want, "%zu: pixel %d is %d, not %g", k, p,
						im.pixels[p * channels + i], want);
				}
		}
	static const struct {
		const char *text, *why;
	} bad[] = {{"P5 2 3 255\n12345", "cut short"}, {"P5 0 3 255\n", "0x3"}, {"P5 2 3 0\n123456", "largest value is 0"},
		{"P5 2 3 65536\n", "the largest value is over 65535"},
		{"P5 2 x 255\n", "the height is no number, but begins with byte 0x78"},
		{"P5 2 3 9\n\t\t\t\t\t:", "a value is 58, over the largest, 9"}, {"P5 70000 1 255\n", "can't hold 70000x1"},
		{"P5 60000 60000 255\n", "can't hold 60000x60000"}, {"P5 2 3 255", "cut short"}, {"P5 2 3 255x123456", "byte 0x78"},
		{"P2 2 3 9\n1 2 3 4 5 x", "a value is no number"}, {"P2 2 3 9\n1 2 3 4 5 10", "a value is 10, over"}, {"P4 8 1 1", "kind"}};
	for (size_t k = 0; k < sizeof bad / sizeof *bad; k++)
		refused(bad[k].text, strlen(bad[k].text), bad[k].why);
}
END_TEST

static struct image_pnm *piped(const void *p, size_t n, int fd[2])
{
	ck_assert(!pipe(fd) && write(fd[1], p, n) == (ssize_t)n);
	close(fd[1]);
	return image_pnm_fd(fd[0]);
}

START_TEST(streams)
{
	int fd[2];
	struct image_pnm *s = piped("P5 1 2 255\n12P6 2 1 255\n123456P2 1 1 9 9\n", 41, fd);
	static const int want[3][3] = {{1, 2, '2'}, {2, 1, '5'}, {1, 1, 255}};
	for (int i = 0; i < 3; i++) {
		ck_assert_int_eq(image_pnm_next(s, &im, 1, err), IMAGE_PNM_ONE);
		ck_assert(im.W == want[i][0] && im.H == want[i][1] && im.pixels[im.W * im.H - 1] == want[i][2]);
	}
	ck_assert_int_eq(image_pnm_next(s, &im, 1, err), IMAGE_PNM_DONE);
	image_pnm_free(s), close(fd[0]);
	s = piped("P5 1 2 255\n12P5 1 2 255\n1", 25, fd);
	ck_assert_int_eq(image_pnm_next(s, &im, 1, err), IMAGE_PNM_ONE);
	ck_assert_int_eq(image_pnm_next(s, &im, 1, err), IMAGE_PNM_ERR);
	ck_assert_str_eq(err, "it is cut short in its pixels");
	image_pnm_free(s), close(fd[0]);
	s = piped("P5 1 2 255\n12\n\nx", 16, fd);
	ck_assert_int_eq(image_pnm_next(s, &im, 1, err), IMAGE_PNM_ONE);
	ck_assert_int_eq(image_pnm_next(s, &im, 1, err), IMAGE_PNM_ERR);
	image_pnm_free(s), close(fd[0]);
	s = piped("abcdefABCDEFxyz", 15, fd);
	image_pnm_raw(s, 1, 2, 3);
	for (int i = 0; i < 2; i++) {
		ck_assert_int_eq(image_pnm_next(s, &im, 3, err), IMAGE_PNM_ONE);
		ck_assert(im.W == 1 && im.H == 2 && !memcmp(im.pixels, i ? "ABCDEF" : "abcdef", 6));
	}
	ck_assert_int_eq(image_pnm_next(s, &im, 3, err), IMAGE_PNM_ERR);
	ck_assert_str_eq(err, "it is cut short in its pixels");
	image_pnm_free(s), close(fd[0]);
	s = piped("P5", 2, fd);
	close(fd[0]); /* what can't be read is no end */
	ck_assert_int_eq(image_pnm_next(s, &im, 1, err), IMAGE_PNM_ERR);
	ck_assert_str_eq(err, "Bad file descriptor");
	image_pnm_free(s);
}
END_TEST

/* ---- orientation ---- */

/* EXIF with an entry before the orientation. */
static unsigned exif(uint8_t *to, int big, unsigned turn)
{
	static const unsigned entry[2][4] = {{0x10f, 2, 4, 0x61626300}, {0x112, 3, 1, 0}};
	uint8_t *p = to;
#define PUT(bytes, v)                                                                                                                      \
	for (int i_ = 0; i_ < (bytes); i_++)                                                                                               \
	*p++ = (uint8_t)((unsigned)(v) >> 8 * (big ? (bytes)-1 - i_ : i_))
	memcpy(p, "Exif\0\0", 6), p += 6;
	memcpy(p, big ? "MM" : "II", 2), p += 2;
	PUT(2, 42);
	PUT(4, 10);
	PUT(2, 0);
	PUT(2, 2);
	for (int i = 0; i < 2; i++) {
		PUT(2, entry[i][0]);
		PUT(2, entry[i][1]);
		PUT(4, entry[i][2]);
		if (i) {
			PUT(2, turn);
			PUT(2, 0);
		} else {
			PUT(4, entry[i][3]);
		}
	}
	PUT(4, 0);
	return (unsigned)(p - to);
}

/* EXIF 2.3, tag Orientation: which sides of the picture the first row and the first column as stored are. */
START_TEST(turns)
{
	static const char *const sides[9] = {"", "tl", "tr", "br", "bl", "lt", "rt", "rb", "lb"};
	uint8_t e[64], stored[15];
	for (int i = 0; i < 15; i++)
		stored[i] = (uint8_t)(10 * i);
	for (unsigned turn = 1; turn <= 8; turn++) {
		unsigned n = exif(e, turn & 1, turn);
		struct bytes b = png(5, 3, PNG_COLOR_TYPE_GRAY, 8, 0, stored, 5, NULL, NULL, e + 6, n - 6);
		struct bytes j = jpeg((struct jpeg){.in = JCS_GRAYSCALE, .to = JCS_GRAYSCALE, .n = 1, .exif = e, .nexif = n}, 0);
		decodes(j, 1);
		ck_assert_uint_eq((unsigned)im.turn, turn);
		for (int channels = 1; channels <= 3; channels += 2) {
			ck_assert_msg(image_decode(&im, b.p, b.n, channels, err), "%s", err);
			ck_assert_uint_eq((unsigned)im.turn, turn);
			ck_assert(im.W == 5 && im.H == 3);
			image_upright(&im);
			ck_assert_int_eq(im.turn, 1);
			ck_assert_int_eq(im.W, turn >= 5 ? 3 : 5);
			ck_assert_int_eq(im.H, turn >= 5 ? 5 : 3);
			for (int row = 0; row < 3; row++)
				for (int column = 0; column < 5; column++) {
					int x = 0, y = 0;
					for (int k = 0; k < 2; k++) {
						int i = k ? column : row;
						switch (sides[turn][k]) {
						case 't':
							y = i;
							break;
						case 'b':
							y = im.H - 1 - i;
							break;
						case 'l':
							x = i;
							break;
						case 'r':
							x = im.W - 1 - i;
							break;
						}
					}
					for (int i = 0; i < channels; i++)
						near(x, y, i, stored[row * 5 + column], 0);
				}
		}
		free(b.p), free(j.p);
	}
}
END_TEST

/* Each cut of it, and each byte changed: a turn from 1 to 8, no read beyond the end (SAN=1 sees one). */
START_TEST(hostile_exif)
{
	uint8_t e[64];
	for (int big = 0; big < 2; big++) {
		unsigned n = exif(e, big, 6);
		for (unsigned i = 0; i < 2 * n; i++) {
			uint8_t *copy = memcpy(xmalloc(n), e, n);
			unsigned cut = i < n ? i : n;
			if (i >= n)
				copy[i - n] = (uint8_t)(copy[i - n] ^ 0xff);
			struct bytes j =
				jpeg((struct jpeg){.in = JCS_GRAYSCALE, .to = JCS_GRAYSCALE, .n = 1, .exif = copy, .nexif = cut}, 0);
			decodes(j, 1);
			ck_assert(im.turn >= 1 && im.turn <= 8);
			free(copy), free(j.p);
		}
		n = exif(e, big, 9);
		struct bytes j = jpeg((struct jpeg){.in = JCS_GRAYSCALE, .to = JCS_GRAYSCALE, .n = 1, .exif = e, .nexif = n}, 0);
		decodes(j, 1);
		ck_assert_int_eq(im.turn, 1);
		free(j.p);
	}
}
END_TEST

/* ---- damage ---- */

START_TEST(cuts)
{
	static uint8_t rows[H * W];
	for (int i = 0; i < H * W; i++)
		rows[i] = (uint8_t)rand();
	struct bytes f[] = {jpeg((struct jpeg){.in = JCS_RGB, .to = JCS_YCbCr, .n = 3}, 0),
		jpeg((struct jpeg){.in = JCS_RGB, .to = JCS_YCbCr, .n = 3, .progressive = 1}, 0),
		png(W, H, PNG_COLOR_TYPE_GRAY, 8, 0, rows, W, NULL, NULL, NULL, 0),
		png(W, H, PNG_COLOR_TYPE_GRAY, 8, 1, rows, W, NULL, NULL, NULL, 0)};
	for (int k = 0; k < 4; k++) {
		decodes(f[k], 1);
		for (size_t n = 0; n < f[k].n; n++) {
			uint8_t *copy = memcpy(xmalloc(n + 1), f[k].p, n);
			refused(copy, n, "");
			free(copy);
		}
	}
	/* a PNG's checksums: of every byte that is changed */
	for (size_t n = 0; n < f[2].n; n++) {
		f[2].p[n] ^= 0x10;
		refused(f[2].p, f[2].n, "");
		f[2].p[n] ^= 0x10;
	}
	/* bytes between a JPEG's data and its end, as some cameras leave them, are no damage */
	uint8_t *more = xmalloc(f[0].n + 2);
	memcpy(more, f[0].p, f[0].n - 2);
	memcpy(more + f[0].n - 2, "\0\0\xff\xd9", 4);
	decodes((struct bytes){more, f[0].n + 2}, 3);
	free(more);
	for (int k = 0; k < 4; k++)
		free(f[k].p);
}
END_TEST

/* Sizes that the file's bytes can't hold are refused before memory is taken. */
START_TEST(sizes)
{
	static const uint8_t rows[8 * 8];
	struct bytes j = jpeg((struct jpeg){.in = JCS_GRAYSCALE, .to = JCS_GRAYSCALE, .n = 1}, 0);
	size_t at = 0;
	while (memcmp(j.p + at, "\xff\xc0", 2))
		at++;
	memcpy(j.p + at + 5, "\xfd\xe8\x40\x00", 4); /* height 65000, width 16384 */
	refused(j.p, j.n, "can't hold 16384x65000 pixels");
	free(j.p);
	struct bytes b = png(8, 8, PNG_COLOR_TYPE_GRAY, 8, 0, rows, 8, NULL, NULL, NULL, 0);
	memcpy(b.p + 16, "\0\0\x40\0\0\0\x40\0", 8);
	uint8_t crc[4];
	uLong c = crc32(0, b.p + 12, 17);
	for (int i = 0; i < 4; i++)
		crc[i] = (uint8_t)(c >> (24 - 8 * i));
	memcpy(b.p + 29, crc, 4);
	refused(b.p, b.n, "can't hold 16384x16384 pixels");
	free(b.p);
	static uint8_t wide[70000];
	b = png(70000, 1, PNG_COLOR_TYPE_GRAY, 8, 0, wide, 70000, NULL, NULL, NULL, 0);
	refused(b.p, b.n, "an image of 70000x1: over 65535 a side");
	free(b.p);
	refused("GIF89a......", 12, "is a GIF picture, no JPEG, PNG, PGM or PPM");
	refused("hello", 5, "is of a kind that is not known here");
	refused("", 0, "is empty");
}
END_TEST

/* ---- files ---- */

START_TEST(files)
{
	char dir[] = "/tmp/check_image.XXXXXX";
	ck_assert(mkdtemp(dir) && !chdir(dir));
	FILE *f = fopen("a", "wb");
	ck_assert(f && fputs("P5 1 1 255\nx", f) >= 0 && !fclose(f) && !symlink("a", "link") && !mkfifo("fifo", 0600));
	ck_assert(!symlink("/dev/zero", "device") && !mkdir("folder", 0700) && (f = fopen("empty", "wb")) && !fclose(f));
	ck_assert(image_read(&im, "a", 1, err) && image_read(&im, "link", 1, err) && *im.pixels == 'x');
	static const char *const bad[][2] = {{"fifo", "is no regular file"}, {"device", "is no regular file"},
		{"folder", "is a folder, no image"}, {"empty", "is empty"}, {"missing", "No such file or directory"}};
	for (int i = 0; i < 5; i++) {
		ck_assert(!image_read(&im, bad[i][0], 1, err));
		ck_assert_str_eq(err, bad[i][1]);
	}
	f = fopen("a", "wb");
	ck_assert(f && !ftruncate(fileno(f), (off_t)IMAGE_BYTES_MAX + 1) && !fclose(f));
	ck_assert(!image_read(&im, "a", 1, err) && strstr(err, "has 1073741825 bytes, over"));
	static const char *const made[] = {"a", "link", "fifo", "device", "empty"};
	for (int i = 0; i < 5; i++)
		ck_assert(!unlink(made[i]));
	ck_assert(!rmdir("folder") && !chdir("/") && !rmdir(dir));
}
END_TEST

static void teardown(void)
{
	image_free(&im);
	ck_assert_ptr_null(im.pixels);
}

/* A flat image has one coefficient a block, 8 (grey - 128), which is rounded to a multiple of its step: 16 at quality 50 (the table of
 * annex K), at others 16 times 50 / quality below, 2 - quality / 50 above, rounded. Sharp edges lose the more the lower the quality. */
START_TEST(recompressed)
{
	static const struct {
		int quality, grey, becomes;
	} flat[] = {
		{50, 132, 132}, {50, 100, 100}, {30, 150, 152}, {30, 138, 138}, {10, 150, 148}, {1, 150, 160}, {100, 77, 77}, {100, 0, 0}};
	uint8_t p[W * H];
	struct image work = {0};
	for (size_t k = 0; k < sizeof flat / sizeof *flat; k++) {
		memset(p, flat[k].grey, sizeof p);
		recompress(p, W, H, flat[k].quality, &work);
		for (int i = 0; i < W * H; i++)
			ck_assert_msg(p[i] == flat[k].becomes, "%zu: %d, not %d", k, p[i], flat[k].becomes);
	}
	double last = -1;
	for (int quality = 100; quality >= 10; quality -= 30) {
		double sum = 0;
		for (int i = 0; i < W * H; i++)
			p[i] = i % W / 3 % 2 ? 200 : 60;
		recompress(p, W, H, quality, &work);
		for (int i = 0; i < W * H; i++)
			sum += pow(p[i] - (i % W / 3 % 2 ? 200 : 60), 2);
		ck_assert_msg(sum > last && (quality < 100 || sum < W * H), "quality %d: %g, before %g", quality, sum, last);
		last = sum;
	}
	image_free(&work);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("image");
	TCase *t = tcase_create("image");
	tcase_add_checked_fixture(t, NULL, teardown);
	tcase_add_loop_test(t, jpegs, 0, 2);
	tcase_add_test(t, cmyk);
	tcase_add_test(t, pngs);
	tcase_add_test(t, pnms);
	tcase_add_test(t, streams);
	tcase_add_test(t, turns);
	tcase_add_test(t, hostile_exif);
	tcase_add_test(t, cuts);
	tcase_add_test(t, sizes);
	tcase_add_test(t, files);
	tcase_add_test(t, recompressed);
	suite_add_tcase(s, t);
	SRunner *r = srunner_create(s);
	srunner_run_all(r, CK_NORMAL);
	int failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed != 0;
}
