/* Sums of differences by pixel; the mean image's error is the pixels' variance. */
#include "lib/predict/score_images.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>

#include "lib/base/err.h"
#include "lib/base/json.h"

struct sums {
	size_t pixels;
	uint64_t rows, *value, *square; /* (pixels): of the images */
	uint64_t wrong, wrong_square;	/* of the differences */
};

static void add(struct sums *s, const uint8_t *image, const uint8_t *made)
{
	for (size_t i = 0; i < s->pixels; i++) {
		int v = image[i], off = v - made[i];
		s->value[i] += (uint64_t)v, s->square[i] += (uint64_t)(v * v);
		s->wrong += (uint64_t)abs(off), s->wrong_square += (uint64_t)(off * off);
	}
	s->rows++;
}

/* Mean over pixels of the variance over rows. */
static double variance(const struct sums *s)
{
	double sum = 0, n = (double)s->rows;
	for (size_t i = 0; i < s->pixels; i++)
		sum += (double)s->square[i] / n - pow((double)s->value[i] / n, 2);
	return sum > 0 ? sum / (double)s->pixels : 0;
}

void score_images(struct dataset_stream *d, struct out *to, int as_json)
{
	int image = dataset_stream_require(d->in, "image", TNS_U8, 3), made = dataset_stream_require(d->in, "reconstruction", TNS_U8, 3);
	const struct tns_def *a = &d->in->def[image], *b = &d->in->def[made];
	struct sums s = {.pixels = (size_t)(a->dim[1] * a->dim[2])};
	if (a->dim[1] != b->dim[1] || a->dim[2] != b->dim[2])
		die("%s: image is %" PRIu64 "x%" PRIu64 ", reconstruction %" PRIu64 "x%" PRIu64, d->in->name, a->dim[2], a->dim[1],
			b->dim[2], b->dim[1]);
	s.value = xcalloc(s.pixels, sizeof *s.value), s.square = xcalloc(s.pixels, sizeof *s.square);
	for (uint64_t n; (n = dataset_stream_next(d));)
		for (uint64_t i = 0; i < n; i++)
			add(&s, dataset_stream_at(d, image, i), dataset_stream_at(d, made, i));
	if (!s.rows)
		die("%s: no rows, so nothing can be scored", d->in->name);
	double n = (double)s.rows * (double)s.pixels, error = (double)s.wrong_square / n, all = variance(&s);
	double explained = all > 0 ? 1 - error / all : NAN;
	if (as_json) {
		struct json j;
		json_begin(&j, to);
		json_key(&j, "rmse_grey"), json_real(&j, sqrt(error));
		json_key(&j, "rows"), json_uint(&j, s.rows);
		json_key(&j, "mean_grey"), json_real(&j, (double)s.wrong / n);
		json_key(&j, "mean_image_rmse_grey"), json_real(&j, sqrt(all));
		json_key(&j, "explained"), json_real(&j, explained);
		json_finish(&j);
	} else {
		out_printf(to, "rmse_grey %.5f\nrows %" PRIu64 "\nmean_grey %.5f\n", sqrt(error), s.rows, (double)s.wrong / n);
		out_printf(to, "mean_image rmse_grey %.5f: if every image were answered with these images' mean\nexplained %.6f\n",
			sqrt(all), explained);
		out_printf(to,
			"rmse_grey, mean_grey: of pixels, the root of their mean squared error and their mean error, in grey levels, 0 to "
			"255\nexplained: share of the images' variance about their mean\n");
	}
	free(s.value), free(s.square);
}
