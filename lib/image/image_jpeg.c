/* JPEG by libjpeg-turbo. Its errors, and those of its warnings that mean damage, leave the decoder by longjmp. */
#include <setjmp.h>
#include <stdio.h>
#include <string.h>

#include <jpeglib.h>

#include <jerror.h>

#include "lib/image/image_io.h"

enum { SCANS_MAX = 200, ARITHMETIC = 64 }; /* of a progressive file: each passes over all pixels, whatever it holds; see blocks() */

struct jpeg {
	struct jpeg_decompress_struct c;
	struct jpeg_error_mgr errors;
	struct jpeg_progress_mgr progress;
	jmp_buf out;
	char *err;
};

NORETURN static void on_error(j_common_ptr c)
{
	struct jpeg *j = c->client_data;
	char text[JMSG_LENGTH_MAX];
	c->err->format_message(c, text);
	image_fault(j->err, "a broken JPEG: %s", text);
	longjmp(j->out, 1);
}

/* level -1: a warning. What is passed by: bytes between markers, as some cameras leave them, and labels that contradict each other. */
static void on_message(j_common_ptr c, int level)
{
	int code = c->err->msg_code;
	if (level < 0 && code != JWRN_EXTRANEOUS_DATA && code != JWRN_ADOBE_XFORM && code != JWRN_JFIF_MAJOR && code != JWRN_BOGUS_ICC)
		on_error(c);
}

static void on_progress(j_common_ptr c)
{
	struct jpeg *j = c->client_data;
	if (j->c.input_scan_number <= SCANS_MAX)
		return;
	image_fault(j->err, "a JPEG of more than %d scans", SCANS_MAX);
	longjmp(j->out, 1);
}

static void find_turn(const struct jpeg *j, struct image *im)
{
	for (jpeg_saved_marker_ptr m = j->c.marker_list; m; m = m->next)
		if (m->data_length >= 6 && !memcmp(m->data, "Exif\0", 6)) {
			im->turn = image_exif(m->data, m->data_length);
			return;
		}
}

/* Blocks of all components: Huffman's code takes a bit at least for each of them, arithmetic code less, where all are alike. */
static uint64_t blocks(const struct jpeg *j)
{
	uint64_t n = 0;
	for (int i = 0; i < j->c.num_components; i++)
		n += (uint64_t)j->c.comp_info[i].width_in_blocks * j->c.comp_info[i].height_in_blocks;
	return n;
}

/* Ink to light: Adobe's programs, which leave a marker, store both inverted. */
static void from_cmyk(const struct jpeg *j, const uint8_t *p, uint8_t *to, int W, int channels)
{
	unsigned flip = j->c.saw_Adobe_marker ? 0 : 255;
	for (int x = 0; x < W; x++, p += 4) {
		unsigned k = p[3] ^ flip, rgb[3];
		for (int i = 0; i < 3; i++)
			rgb[i] = ((p[i] ^ flip) * k + 127) / 255;
		if (channels == 1)
			*to++ = image_luma(rgb[0], rgb[1], rgb[2]);
		else
			for (int i = 0; i < 3; i++)
				*to++ = (uint8_t)rgb[i];
	}
}

static int decode(struct jpeg *j, struct image *im, const void *data, size_t n, int channels)
{
	if (setjmp(j->out))
		return 0;
	jpeg_create_decompress(&j->c);
	j->c.client_data = j;
	jpeg_mem_src(&j->c, data, n);
	jpeg_save_markers(&j->c, JPEG_APP0 + 1, 0xFFFF);
	jpeg_read_header(&j->c, TRUE);
	j->progress.progress_monitor = on_progress;
	j->c.progress = &j->progress;
	int cmyk = j->c.jpeg_color_space == JCS_CMYK || j->c.jpeg_color_space == JCS_YCCK;
	if (!cmyk && j->c.num_components != 1 && j->c.num_components != 3)
		return image_fault(j->err, "a JPEG of %d components", j->c.num_components);
	if (blocks(j) / (j->c.arith_code ? 8 * ARITHMETIC : 8) > n)
		return image_fault(j->err, "a broken JPEG: %zu bytes can't hold %ux%u pixels", n, j->c.image_width, j->c.image_height);
	if (!image_room(im, j->c.image_width, j->c.image_height, channels, j->err))
		return 0;
	find_turn(j, im);
	j->c.out_color_space = cmyk ? JCS_CMYK : channels == 1 ? JCS_GRAYSCALE : JCS_RGB;
	jpeg_start_decompress(&j->c);
	JSAMPARRAY ink = cmyk ? j->c.mem->alloc_sarray((j_common_ptr)&j->c, JPOOL_IMAGE, 4 * j->c.output_width, 1) : NULL;
	while (j->c.output_scanline < j->c.output_height) {
		uint8_t *row = im->pixels + (size_t)j->c.output_scanline * (size_t)im->W * (size_t)channels;
		jpeg_read_scanlines(&j->c, cmyk ? ink : &row, 1);
		if (cmyk)
			from_cmyk(j, ink[0], row, im->W, channels);
	}
	jpeg_finish_decompress(&j->c);
	return 1;
}

int image_jpeg(struct image *im, const void *data, size_t n, int channels, char err[IMAGE_ERR])
{
	struct jpeg j = {.err = err};
	j.c.err = jpeg_std_error(&j.errors);
	j.errors.error_exit = on_error;
	j.errors.emit_message = on_message;
	j.c.client_data = &j;
	int good = decode(&j, im, data, n, channels);
	jpeg_destroy_decompress(&j.c);
	return good;
}
