/* libFuzzer target of what decodes images: JPEG, PNG, PGM and PPM, with their EXIF turns, and crops of them. What is taken has the size
 * that it says and grey of the same kind as its colours; what is not has a reason. With FUZZ_SEEDS=DIR it writes seeds there and exits. */
#include <math.h>
#include <setjmp.h>
#include <stdio.h>

#include <jpeglib.h>
#include <png.h>

#include "lib/image/crop.h"
#include "lib/image/image.h"
#include "lib/image/image_pnm.h"
#include "tests/fuzz.h"

enum { W = 9, H = 7, BYTES = 2048 }; /* BYTES: of an input, whose images then have less than 20 million pixels */

static FILE *seed(const char *dir, const char *name)
{
	char path[1024];
	snprintf(path, sizeof path, "%s/%s", dir, name);
	FILE *f = fopen(path, "wb");
	if (!f)
		abort();
	return f;
}

static void seed_jpeg(const char *dir, const char *name, J_COLOR_SPACE space, int n, int progressive, int arithmetic)
{
	static const unsigned char exif[] = "Exif\0\0II*\0\10\0\0\0\1\0\22\1\3\0\1\0\0\0\6\0\0\0\0\0\0";
	struct jpeg_compress_struct c;
	struct jpeg_error_mgr e;
	unsigned char row[4 * W], *rows[1] = {row};
	FILE *f = seed(dir, name);
	c.err = jpeg_std_error(&e);
	jpeg_create_compress(&c);
	jpeg_stdio_dest(&c, f);
	c.image_width = W, c.image_height = H, c.input_components = n, c.in_color_space = space;
	jpeg_set_defaults(&c);
	c.arith_code = arithmetic;
	if (progressive)
		jpeg_simple_progression(&c);
	jpeg_start_compress(&c, TRUE);
	jpeg_write_marker(&c, JPEG_APP0 + 1, exif, sizeof exif - 1);
	for (int y = 0; y < H; y++) {
		for (int i = 0; i < W * n; i++)
			row[i] = (unsigned char)(i * 7 + y * 31);
		jpeg_write_scanlines(&c, rows, 1);
	}
	jpeg_finish_compress(&c);
	jpeg_destroy_compress(&c);
	if (fclose(f))
		abort();
}

static void seed_png(const char *dir, const char *name, int type, int depth, int interlaced)
{
	static unsigned char rows[H][8 * W];
	FILE *f = seed(dir, name);
	png_structp p = png_create_write_struct(PNG_LIBPNG_VER_STRING, NULL, NULL, NULL);
	png_infop info = png_create_info_struct(p);
	if (setjmp(png_jmpbuf(p)))
		abort();
	for (int y = 0; y < H; y++)
		for (int i = 0; i < 8 * W; i++)
			rows[y][i] = (unsigned char)(i * 5 + y * 17);
	png_init_io(p, f);
	png_set_IHDR(p, info, W, H, depth, type, interlaced, 0, 0);
	if (type == PNG_COLOR_TYPE_PALETTE)
		png_set_PLTE(p, info, (png_color[]){{1, 2, 3}, {200, 100, 0}, {0, 0, 9}, {9, 9, 9}}, 4);
	if (type == PNG_COLOR_TYPE_PALETTE)
		png_set_tRNS(p, info, (unsigned char[]){255, 0, 7}, 3, NULL);
	png_set_eXIf_1(p, info, 26, (unsigned char *)(uintptr_t) "MM\0*\0\0\0\10\0\1\1\22\0\3\0\0\0\1\0\5\0\0\0\0\0\0");
	png_write_info(p, info);
	for (int pass = png_set_interlace_handling(p); pass > 0; pass--)
		for (int y = 0; y < H; y++)
			png_write_row(p, rows[y]);
	png_write_end(p, NULL);
	png_destroy_write_struct(&p, &info);
	if (fclose(f))
		abort();
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	static const char *const texts[] = {"P2 2 3 255\n1 2 3 4 5 255", "P3\n# c\n1 2 9\n1 2 3 9 8 7\nP2 1 1 1 1 ",
		"P5 2 2 9\n\1\2\3\4P6 1 1 9\n\7\7\7", "P5 2 2 999\n\1\2\3\4\1\2\3\4"};
	const char *dir = fuzz_seeds_dir();
	(void)argc, (void)argv;
	if (!dir)
		return 0;
	for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
		FILE *f = seed(dir, (char[]){'p', 'n', 'm', (char)('0' + i), 0});
		if (fputs(texts[i], f) < 0 || fclose(f))
			abort();
	}
	seed_jpeg(dir, "grey", JCS_GRAYSCALE, 1, 0, 0);
	seed_jpeg(dir, "rgb", JCS_RGB, 3, 0, 0);
	seed_jpeg(dir, "progressive", JCS_RGB, 3, 1, 0);
	seed_jpeg(dir, "cmyk", JCS_CMYK, 4, 0, 0);
	seed_jpeg(dir, "arithmetic", JCS_RGB, 3, 0, 1);
	seed_png(dir, "png1", PNG_COLOR_TYPE_GRAY, 1, 0);
	seed_png(dir, "png16", PNG_COLOR_TYPE_RGB_ALPHA, 16, 0);
	seed_png(dir, "pngi", PNG_COLOR_TYPE_RGB, 8, 1);
	seed_png(dir, "pngp", PNG_COLOR_TYPE_PALETTE, 2, 1);
	exit(0);
}

static void check(const struct image *im, int channels)
{
	if (im->W < 1 || im->H < 1 || im->channels != channels || im->turn < 1 || im->turn > 8)
		abort();
	if (im->size < (size_t)im->W * (size_t)im->H * (size_t)channels)
		abort();
}

static void crop(const struct image *im, const unsigned char *p)
{
	double box[4] = {p[0] - 128.0, p[1] * 256.0 + p[2] - 32768, ldexp(p[3] + 1, p[4] % 16 - 4), ldexp(p[5] + 1, p[6] % 16 - 4)};
	struct crop_buffer tmp = {0};
	unsigned char *to = malloc(5 * 3);
	float c[6];
	crop_of_box(c, box, p[7] / 100.0, 5, 3);
	crop_resample(to, 5, 3, im, c, &tmp);
	unsigned char low = 255, high = 0;
	for (size_t i = 0; i < (size_t)im->W * (size_t)im->H; i++) {
		low = im->pixels[i] < low ? im->pixels[i] : low;
		high = im->pixels[i] > high ? im->pixels[i] : high;
	}
	for (int i = 0; i < 15; i++) /* means of pixels */
		if (to[i] < low || to[i] > high)
			abort();
	crop_buffer_free(&tmp), free(to);
}

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size)
{
	char err[IMAGE_ERR];
	size = size < BYTES ? size : BYTES;
	int good[2];
	for (int i = 0; i < 2; i++) {
		struct image im = {0};
		*err = 0;
		good[i] = image_decode(&im, data, size, 1 + 2 * i, err);
		if (!good[i] == !*err)
			abort();
		if (good[i]) {
			check(&im, 1 + 2 * i);
			int W_ = im.W, turn = im.turn;
			image_upright(&im);
			if (im.turn != 1 || (turn < 5 ? im.W : im.H) != W_)
				abort();
			check(&im, 1 + 2 * i);
			if (!i && size > 8)
				crop(&im, data + size - 8);
		}
		image_free(&im);
	}
	if (good[0] != good[1])
		abort();
	if (size % 4 == 0) { /* from files */
		struct image im = {0};
		fuzz_file(data, size);
		need(image_read(&im, fuzz_path(), 1, err) == good[0]);
		struct image_pnm *s = image_pnm_fd(fuzz_fd());
		need(!lseek(fuzz_fd(), 0, SEEK_SET));
		while (image_pnm_next(s, &im, 3, err) == IMAGE_PNM_ONE)
			check(&im, 3);
		image_pnm_free(s), image_free(&im);
		need(!image_read(&im, "/", 1, err) && !image_read(&im, "/nosuch", 1, err) && *err);
	}
	struct image_pnm *s = image_pnm_memory(data, size);
	struct image im = {0};
	if (size && *data % 2)
		image_pnm_raw(s, 1 + data[0] % 8, 2, 3);
	while (image_pnm_next(s, &im, 1, err) == IMAGE_PNM_ONE)
		check(&im, 1);
	image_pnm_free(s);
	image_free(&im);
	return 0;
}
