/* A model: a net's parameters with what makes them usable: META net, target, input, scale, points or classes; tensors N.weight (dense
 * [out,in], convolution [out,in,kh,kw]; bn [c]), N.bias, and a bn's N.mean, N.var; N is the layer from 0. */
#ifndef MODEL_H
#define MODEL_H

#include "lib/nn/netdesc.h"
#include "lib/stream/tns.h"

enum target {
	TARGET_LABEL,
	TARGET_COORDS,	/* two coordinates a point */
	TARGET_HEATMAP, /* a map a point, of any size: of half the image's where the net does not say */
	TARGET_MAP,	/* one map of all points, a value a pixel */
	TARGET_IMAGE
};

enum { MODEL_PRIOR = 3 }; /* where a point usually is: mean x, mean y, deviation (of x and of y, root mean square), pixels */

struct model {
	struct netdesc d;
	char *net; /* its text */
	enum target target;
	int W, H;	      /* input, one channel */
	int outputs;	      /* of the net: label: 1 for two classes, else their number; coords: 2 a point; image, map: W x H */
	int points;	      /* of targets that have any */
	int MH, MW;	      /* heatmap: a map's size; map: the image's */
	char *names;	      /* points or classes, comma-joined */
	float mul, add;	      /* input = byte * mul + add */
	float sx, ox, sy, oy; /* coordinate * s + o: coords: output; heatmap, map: place, 0 the centre of the first value */
	double rmse;	      /* of points on the faces it was validated on, pixels; 0: not known */
	double offset[2];     /* pixels: what labels count further than from the first pixel's centre; in o; see targets.h */
	real *prior;	      /* host, map: (points, MODEL_PRIOR); else NULL */
	real *param, *stat;   /* host */
	uint32_t fingerprint;
	char *history;
};

/* Build from what is wanted; dies with the parser's line (exit 2: the description is the user's). net is the description itself, as
 * netdesc_text gives it, never "@FILE"; it and names are copied. values: classes (1 for two), 2 a point, or W x H. */
struct model *model_new(const char *net, enum target target, int W, int H, int values, const char *names);
struct model *model_load(const char *path);
/* What the METAs of a stream that holds a model tell of it; no parameters. Dies where they don't hold together. */
struct model *model_head(const struct tns *t);
/* 1 if a loaded stream holds a model (META net). */
int model_is(const struct tns *t);
void model_free(struct model *m);
/* Set offset, and ox and oy with it. */
void model_set_offset(struct model *m, double x, double y);
int model_finite(const struct model *m); /* 1 if every parameter and statistic is a finite number */
int model_has_points(enum target t);	 /* 1: it learns where points are */
const char *model_target_name(enum target t);
int model_target(const char *name); /* or -1 */

/* A file of one model. history as history_put makes it from these inputs. */
void model_save(const struct model *m, const char *path, const struct tns *const *in, int n, const char *more);
/* The same piece by piece, for files that hold more: METAs, definitions (returns the first id), rows. prefix "" or "opt/m/". stat NULL:
 * without the statistics. */
void model_put_meta(const struct model *m, struct tns_writer *w);
int model_define(const struct netdesc *d, struct tns_writer *w, const char *prefix, int stats);
void model_write(const struct netdesc *d, struct tns_writer *w, int id, const real *param, const real *stat);
/* Fill param and stat (NULL: not wanted) from a loaded stream; dies, naming tensor and shapes, where something is absent or differs. */
void model_read(const struct netdesc *d, const struct tns_table *t, const char *prefix, real *param, real *stat);
/* Copy layers 0, 1, ... of t as long as their weights have as many rows of as many values; returns how many layers with weights were taken.
 */
int model_init_from(const struct netdesc *d, const struct tns_table *t, real *param);

#endif
