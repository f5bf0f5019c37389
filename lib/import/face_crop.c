#include "lib/import/face_crop.h"

#include <math.h>
#include <stdio.h>

#include "lib/base/err.h"
#include "lib/image/crop.h"

#define ROUNDING 0.01 /* of boxes that were written as shares of the image */

int face_within(const struct annotation *face, int K, char *const *names, int W, int H, int outside, char why[FACE_WHY])
{
	const double *b = face->box;
	for (int k = 0; k < K && !outside; k++) {
		const double *p = face->points + 2 * k;
		if (p[0] < -1 || p[0] > W || p[1] < -1 || p[1] > H) { /* false for NaN */
			snprintf(why, FACE_WHY, "%.60s is at %.7g,%.7g, outside of its image of %dx%d", names[k], p[0], p[1], W, H);
			return 0;
		}
	}
	if (face->has_box && fmin(b[2], b[3]) < FACE_BOX_LEAST - ROUNDING) {
		int shares = fmax(fmax(fabs(b[0]), fabs(b[1])), fmax(b[2], b[3])) <= 1;
		snprintf(why, FACE_WHY, "its box has %g x %g pixels, under %d%s", b[2], b[3], FACE_BOX_LEAST,
			shares ? ": are they shares of the image's size?" : "");
		return 0;
	}
	if (face->has_box && (b[0] >= W || b[1] >= H || b[0] + b[2] <= 0 || b[1] + b[3] <= 0)) {
		snprintf(why, FACE_WHY, "its box at %.7g,%.7g, of %.7g x %.7g, lies outside of its image of %dx%d", b[0], b[1], b[2], b[3],
			W, H);
		return 0;
	}
	return 1;
}

/* The corner box around the centres of the points, with its larger side; -1: there are none. */
static double around(double box[4], const struct annotation *face, int K)
{
	double low[2] = {INFINITY, INFINITY}, high[2] = {-INFINITY, -INFINITY};
	for (int i = 0; i < 2 * K; i++) {
		low[i % 2] = fmin(low[i % 2], face->points[i]); /* of NaN and a number: the number */
		high[i % 2] = fmax(high[i % 2], face->points[i]);
	}
	for (int i = 0; i < 2; i++)
		box[i] = low[i] + 0.5, box[2 + i] = high[i] - low[i];
	return low[0] > high[0] ? -1 : fmax(box[2], box[3]);
}

char *face_crop_text(const struct face_frame *f, int has_box, int K)
{
	static const char *const name[] = {[FACE_BOX] = "box", [FACE_POINTS] = "points", [FACE_WHOLE] = "whole"};
	enum face_crop from = f->from == FACE_AUTO ? has_box ? FACE_BOX : K ? FACE_POINTS : FACE_WHOLE : f->from;
	return xprintf("%s %g", name[from], f->margin >= 0 ? f->margin : from == FACE_POINTS ? FACE_MARGIN : 0);
}

int face_crop(float crop[6], const struct annotation *face, int K, int W, int H, const struct face_frame *f, char why[FACE_WHY])
{
	double box[4], side = around(box, face, K), margin = f->margin < 0 ? 0 : f->margin;
	enum face_crop from = f->from;
	if (from == FACE_AUTO)
		from = face->has_box ? FACE_BOX : side > 0 ? FACE_POINTS : FACE_WHOLE;
	if (from == FACE_BOX && !face->has_box) {
		snprintf(why, FACE_WHY, "it has no box (--crop points and whole need none)");
		return 0;
	}
	if (from == FACE_POINTS && side > 0 && side < FACE_LEAST) {
		snprintf(why, FACE_WHY, "its points lie within %g pixels, under %g, which is no crop (--crop whole needs none)", side,
			FACE_LEAST);
		return 0;
	}
	if (from == FACE_POINTS && !(side > 0)) {
		snprintf(why, FACE_WHY,
			side < 0 ? "it has no points to crop by (--crop whole needs none)"
				 : "its points lie at one place, which is no crop (--crop whole needs none)");
		return 0;
	}
	if (from == FACE_BOX)
		crop_of_box(crop, face->box, margin, f->w, f->h);
	if (from == FACE_WHOLE)
		crop_of_box(crop, (double[]){0, 0, W, H}, margin, f->w, f->h);
	if (from == FACE_POINTS) {
		double by = side * (f->margin < 0 ? FACE_MARGIN : margin);
		crop_of_box(crop, (double[]){box[0] - by, box[1] - by, box[2] + 2 * by, box[3] + 2 * by}, 0, f->w, f->h);
	}
	return 1;
}
