/* A model: a net's description, parameters, input and output scaling, as one tensor stream: META net, target, input, scale, points or
 * classes; tensors N.weight (dense [out,in], convolution [out,in,kh,kw], bn [c]), N.bias, and a bn's N.mean, N.var; N: layer, from 0. */
#ifndef MODEL_H
#define MODEL_H

#include "lib/nn/netdesc.h"
#include "lib/nn/netdesc_text.h"
#include "lib/nn/sources.h"
#include "lib/nn/trained.h"
#include "lib/stream/tns.h"

enum target {
	TARGET_LABEL,
	TARGET_COORDS,	/* two coordinates a point */
	TARGET_HEATMAP, /* a map a point, of the net's output size where it ends with maps, else half the image's */
	TARGET_MAP,	/* one map of all points, a logit a pixel */
	TARGET_IMAGE
};

enum { MODEL_PRIOR = 3 }; /* Gaussian prior of a point: mean x, mean y, standard deviation (root mean square of x's and y's), pixels */

struct model {
	struct netdesc d;
	char *net; /* its description */
	enum target target;
	int W, H;	 /* input, one channel */
	int outputs;	 /* of the net: label: 1 for two classes, else their number; coords: 2 a point; image, map: W x H */
	int points;	 /* 0 for targets without points */
	int MH, MW;	 /* heatmap: a map's size; map: the image's */
	char *names;	 /* points or classes, comma-joined */
	char *pairs;	 /* of points: META pairs; NULL: not known, by names */
	char *crop;	 /* how its faces were cut out of photographs, "box 0.2": META crop (lib/import/face_crop.h); NULL: not known */
	char *unlearned; /* points without a label in training, comma-joined: META unlearned; NULL: none */
	char *ranks;	 /* over how many ranks AllReduce summed its gradients, which its bits depend on: META ranks; NULL: none did */
	float mul, add;	 /* input = byte * mul + add */
	float sx, ox, sy, oy; /* coordinate * s + o: coords: the net's output; heatmap, map: in cells, 0 the centre of the first, which
			 lie as map_scale in model.c says */
	double rmse;	      /* of a coordinate on the validation set, pixels; 0: not known */
	double offset[2];     /* pixels: labels minus coordinates from the first pixel's centre; included in ox, oy; see targets.h */
	real *prior;	      /* host, map: (points, MODEL_PRIOR); else NULL */
	real *param, *stat;   /* host */
	uint32_t fingerprint;
	char *history;
	double *mean; /* (points, 2): META mean_face (lib/stream/named_points.h), NaN: not known; NULL: no points */
	/* (points, 2): META asymmetry, pixels: what is added to the estimate of a point, from an image or, mirrored back, its mirror image;
	 * see lib/train/targets.h; NULL: nothing */
	double *asymmetry;
	struct sources *sources; /* of points, where labels of several were told apart in training; NULL: none */
	struct trained *trained; /* the images it was trained on: tensor `trained`; NULL: not known */
};

/* A new model, parameters 0; dies with the parser's line and the layer's place (exit 2: the description is the user's). A line on stderr
 * for what can't be meant: a relu after a relu, and an output without negative numbers where coordinates or a label need them. net and
 * names are copied. values: classes (1 for two), 2 a point, or W x H. */
struct model *model_new_from(const struct netdesc_text *net, enum target target, int W, int H, int values, const char *names);
/* The same of a description itself: words and single blanks, never "@FILE". */
struct model *model_new(const char *net, enum target target, int W, int H, int values, const char *names);
struct model *model_load(const char *path);
struct model *model_from_table(const struct tns_table *b); /* of a loaded stream, which stays the caller's */
/* Its net alone, without parameters and scales, from its stream's METAs; NULL where that can't be: *why, to be freed. */
struct model *model_read_net(const struct tns *t, char **why);
/* A model without parameters, from its stream's METAs. Dies where one is missing or malformed, or they contradict each other. */
struct model *model_read_meta(const struct tns *t);
/* 1 if a loaded stream holds a model (META net). */
int model_is(const struct tns *t);
void model_free(struct model *m);
char *model_learned(const struct model *m); /* (points) 0: among the unlearned; to be freed */
/* Mirror partners of its points (names_partners); to be freed. */
int *model_partners(const struct model *m);
/* Ends the program (exit 2) where a point has no partner, so that images can't be mirrored; option: who asks, in the message. */
void model_require_partners(const struct model *m, const char *option);
/* Sets offset, and ox and oy from it. */
void model_set_offset(struct model *m, double x, double y);
/* Copies asymmetry (points, 2); NULL: nothing. */
void model_set_asymmetry(struct model *m, const double *asymmetry);
/* Adds the asymmetry, and the offsets of the source that is chosen, if any, to points xy (B, points, 2) of images, not of mirror images. */
void model_add_asymmetry(const struct model *m, float *xy, int B);
int model_finite(const struct model *m); /* 1 if every parameter and statistic is a finite number */
int model_has_points(enum target t);	 /* coords, heatmap, map */
const char *model_target_name(enum target t);
int model_target(const char *name); /* or -1 */

void model_scale_text(const struct model *m, char text[256]); /* META scale: input and coordinates */

/* Writes a file of one model; its history is history_put's of in (n) and more. */
void model_save(const struct model *m, const char *path, const struct tns *const *in, int n, const char *more);
/* The same in steps, for files that hold more: METAs, tensor definitions (returns the first id), values. prefix: of the tensors' names, ""
 * or "opt/m/". stats 0, stat NULL: without the statistics. */
void model_put_meta(const struct model *m, struct tns_writer *w);
int model_define(const struct netdesc *d, struct tns_writer *w, const char *prefix, int stats);
void model_write(const struct netdesc *d, struct tns_writer *w, int id, const real *param, const real *stat);
/* Fills param and stat (NULL: not wanted) from a loaded stream; dies, naming tensor and shapes, where one is missing or differs. */
void model_read(const struct netdesc *d, const struct tns_table *t, const char *prefix, real *param, real *stat);
/* Copies the weights of t's model's first layers that have any, each into this net's next that has any, up to the first that differs in its
 * rows or in what these look at (a dense layer's input, a convolution's window: channels, height, width), and batch norms' running
 * statistics with them; returns how many were copied. */
int model_init_from(const struct netdesc *d, const struct tns_table *t, real *param, real *stat);
int model_layers(const struct netdesc *d); /* how many layers have weights */
/* Why that copied nothing, for a message; the caller frees it. */
char *model_init_why(const struct netdesc *d, const struct tns *t);

/* The same of m's, which is told on stderr unless quiet; dies where none fits. offsets: where all are copied, of a model of the same
 * target, input and points, its labels' offset too, and those of its sources, if these have the same names; not its asymmetry, which is
 * found anew where images are mirrored, and else learned. */
int model_start_from(struct model *m, const struct tns_table *t, int offsets, int quiet);

#endif
