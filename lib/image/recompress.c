#include "lib/image/recompress.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jpeglib.h>

#include "lib/base/err.h"

NORETURN static void on_error(j_common_ptr c)
{
	char text[JMSG_LENGTH_MAX];
	c->err->format_message(c, text);
	die("JPEG: %s", text);
}

void recompress(uint8_t *pixels, int W, int H, int quality, struct image *work)
{
	assert(W >= 1 && H >= 1 && W <= RECOMPRESS_SIDE_MAX && H <= RECOMPRESS_SIDE_MAX);
	struct jpeg_compress_struct c;
	struct jpeg_error_mgr errors;
	unsigned char *file = NULL;
	unsigned long bytes = 0;
	char why[IMAGE_ERR];
	c.err = jpeg_std_error(&errors);
	errors.error_exit = on_error;
	jpeg_create_compress(&c);
	jpeg_mem_dest(&c, &file, &bytes);
	c.image_width = (JDIMENSION)W, c.image_height = (JDIMENSION)H;
	c.input_components = 1, c.in_color_space = JCS_GRAYSCALE;
	jpeg_set_defaults(&c);
	jpeg_set_quality(&c, quality, TRUE);
	jpeg_start_compress(&c, TRUE);
	for (int y = 0; y < H; y++) {
		JSAMPROW row = pixels + (size_t)y * (size_t)W;
		jpeg_write_scanlines(&c, &row, 1);
	}
	jpeg_finish_compress(&c);
	jpeg_destroy_compress(&c);
	if (!image_decode(work, file, bytes, 1, why))
		die("JPEG: %s", why);
	memcpy(pixels, work->pixels, (size_t)W * (size_t)H);
	free(file);
}
