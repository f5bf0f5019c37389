#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "lib/synth/face.h"
#include "lib/synth/photo_labels.h"

struct photo_labels {
	struct out *to;
	char form; /* c, i, t */
	int w, h, points;
	uint64_t images, faces; /* so far */
	char **file;		/* coco: names of the images, which follow their annotations */
};

const char *photo_labels_suffix(const char *form)
{
	return *form == 'c' ? "json" : *form == 'i' ? "xml" : "csv";
}

struct photo_labels *photo_labels_begin(struct out *to, const char *form, int w, int h, int points)
{
	struct photo_labels *l = xcalloc(1, sizeof *l);
	char name[32];
	l->to = to, l->form = *form, l->w = w, l->h = h, l->points = points;
	switch (l->form) {
	case 'c':
		out_printf(to, "{\"categories\": [{\"id\": 1, \"name\": \"face\", \"skeleton\": [], \"keypoints\": [");
		for (int k = 0; k < points; k++)
			out_printf(to, "%s\"%s\"", k ? ", " : "", face_name(k, name));
		out_printf(to, "]}],\n\"annotations\": [");
		break;
	case 'i':
		out_printf(to, "<?xml version='1.0' encoding='UTF-8'?>\n<dataset>\n<name>faces of face-synth</name>\n<images>\n");
		break;
	default:
		out_printf(to, "filename,left,top,right,bottom");
		for (int k = 0; k < points; k++)
			out_printf(to, ",%s_x,%s_y", face_name(k, name), face_name(k, name));
		out_printf(to, "\n");
	}
	return l;
}

static void face_coco(struct photo_labels *l, const struct photo_face *f, const float *points)
{
	out_printf(l->to, "%s\n{\"id\": %" PRIu64 ", \"image_id\": %" PRIu64 ", \"category_id\": 1, \"iscrowd\": 0, \"area\": %d, ",
		l->faces ? "," : "", l->faces + 1, l->images + 1, f->width * f->height);
	out_printf(l->to, "\"bbox\": [%d, %d, %d, %d], \"num_keypoints\": %d, \"keypoints\": [", f->left, f->top, f->width, f->height,
		l->points);
	for (int k = 0; k < l->points; k++)
		out_printf(l->to, "%s%.3f, %.3f, 2", k ? ", " : "", points[2 * k], points[2 * k + 1]);
	out_printf(l->to, "]}");
}

static void face_imglab(struct photo_labels *l, const struct photo_face *f, const float *points)
{
	char name[32];
	out_printf(l->to, "    <box top='%d' left='%d' width='%d' height='%d'>\n", f->top, f->left, f->width, f->height);
	for (int k = 0; k < l->points; k++)
		out_printf(l->to, "      <part name='%s' x='%ld' y='%ld'/>\n", face_name(k, name), lroundf(points[2 * k]),
			lroundf(points[2 * k + 1]));
	out_printf(l->to, "    </box>\n");
}

static void face_table(struct photo_labels *l, const char *file, const struct photo_face *f, const float *points)
{
	out_printf(l->to, "%s,%d,%d,%d,%d", file, f->left, f->top, f->left + f->width, f->top + f->height);
	for (int k = 0; k < 2 * l->points; k++)
		out_printf(l->to, ",%.3f", points[k]);
	out_printf(l->to, "\n");
}

void photo_labels_image(struct photo_labels *l, const char *file, int n, const struct photo_face *faces, const float *points)
{
	if (l->form == 'c') {
		if (!(l->images & (l->images - 1)))
			l->file = xrealloc(l->file, (l->images ? 2 * l->images : 1) * sizeof *l->file);
		l->file[l->images] = xstrdup(file);
	}
	if (l->form == 'i')
		out_printf(l->to, "  <image file='%s' width='%d' height='%d'>\n", file, l->w, l->h);
	for (int i = 0; i < n; i++, l->faces++) {
		const float *p = points + 2 * (size_t)i * (size_t)l->points;
		switch (l->form) {
		case 'c':
			face_coco(l, &faces[i], p);
			break;
		case 'i':
			face_imglab(l, &faces[i], p);
			break;
		default:
			face_table(l, file, &faces[i], p);
		}
	}
	if (l->form == 'i')
		out_printf(l->to, "  </image>\n");
	l->images++;
}

void photo_labels_end(struct photo_labels *l)
{
	if (l->form == 'c') {
		out_printf(l->to, "],\n\"images\": [");
		for (uint64_t i = 0; i < l->images; i++) {
			out_printf(l->to, "%s\n{\"id\": %" PRIu64 ", \"file_name\": \"%s\", \"width\": %d, \"height\": %d}", i ? "," : "",
				i + 1, l->file[i], l->w, l->h);
			free(l->file[i]);
		}
		out_printf(l->to, "]}\n");
	} else if (l->form == 'i') {
		out_printf(l->to, "</images>\n</dataset>\n");
	}
	free(l->file);
	free(l);
}
