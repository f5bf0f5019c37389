/* Parameters of a synthetic face. face.c samples them and computes the points, paint.c renders them; both use the curves below, so that a
 * point and the edge that shows it come from the same numbers.
 * Head coordinates are in eye distances: x to the person's left, y down, z towards the viewer, 0,0,0 between the eyes. */
#ifndef FACE_PARAMS_H
#define FACE_PARAMS_H

#include <stdint.h>

#define FACE_PARAMS_CONTOUR 18 /* control points of the head's contour: 0 the chin, then up the left side, 9 the crown, down the right */

/* Rotation and position of the head in the image. */
struct face_params_pose {
	float scale;		      /* pixels an eye distance */
	float x, y;		      /* image point of 0,0,0 without rotation */
	float cr, sr, cy, sy, cp, sp; /* cosine and sine of roll, yaw (to the image's right), pitch (down) */
};

struct face_params_eye {
	float in[3], out[3], up, low; /* corners; heights of the upper and lower lid's arch */
	float pupil[3];
};

enum face_params_hair { HAIR_BALD, HAIR_SHORT, HAIR_FRINGE, HAIR_LONG, HAIR_LONG_FRINGE, HAIR_HAT };
enum face_params_beard { BEARD_NONE, BEARD_STUBBLE, BEARD_MOUSTACHE, BEARD_GOATEE, BEARD_FULL };
enum face_params_glasses { GLASSES_NONE, GLASSES_THIN, GLASSES_THICK, GLASSES_SUN };

struct face_params {
	struct face_params_pose pose;
	/* greys before shading; background: the ends of a gradient */
	float skin, hair, iris, lip, brow, cloth, background[2];
	int style, beard, glasses;		  /* of the enums above */
	float age, makeup;			  /* 0 to 1 */
	float hairline, part, length, bulk, wave; /* hair; part: x of the parting */
	float frame[2], rim;			  /* glasses: half width and height of a lens, width of the rim */
	/* anatomy */
	struct face_params_eye eye[2]; /* 0 left, 1 right */
	float iris_r;
	float brow_in[2][3], brow_mid[2][3], brow_out[2][3], brow_thick;
	float nose_tip[3], nose_wide, nose_deep;
	float mouth[2][3]; /* corners */
	float lip_top[3], lip_peak[2][3], lip_line[3], lip_gap, lip_low[3];
	float teeth;			       /* fraction of lip_gap that they fill */
	float contour[FACE_PARAMS_CONTOUR][2]; /* of the head, image points */
	float smile;
	/* light and camera */
	float light[3], ambient, shine, slope[2], contrast, middle, bright, blur, noise;
	int occluder; /* 0 none, 1 a microphone, 2 a hand */
	float occluder_x, occluder_y;
	float ground;	/* clothes reach down to this y of the image at least */
	uint32_t first; /* first row of the person: the Philox row of background and texture */
	uint64_t seed;
	uint32_t set, row;
};

/* Projects a point of the head into the image (scaled orthographic: depth does not change size). */
void face_params_project(const struct face_params_pose *p, float x, float y, float z, float out[2]);
/* Scales the face by k about the image's 0,0, then moves it by x, y. */
void face_params_move(struct face_params *f, float k, float x, float y);
/* Curves as paint.c draws them, in image points; n points from the inner (lips: the right) end to the outer (the left). */
void face_params_lid(const struct face_params *f, int side, int upper, int n, float (*out)[2]);
void face_params_brow(const struct face_params *f, int side, int n, float (*out)[2]);
enum face_params_lip { LIP_TOP, LIP_LINE_UP, LIP_LINE_LOW, LIP_LOW };
void face_params_lip(const struct face_params *f, enum face_params_lip which, int n, float (*out)[2]);
/* Point at t in [0, FACE_PARAMS_CONTOUR) of the head's contour, in control points. */
void face_params_contour(const struct face_params *f, float t, float out[2]);

#endif
