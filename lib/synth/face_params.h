/* What a made face looks like, in numbers. face.c draws them by lot and places the points, paint.c turns them into grey; both follow
 * the curves below, so that a point and the edge that shows it come from the same numbers.
 * Lengths on the head are in eye distances: x to the person's left, y down, z towards the viewer, 0,0,0 between the eyes. */
#ifndef FACE_PARAMS_H
#define FACE_PARAMS_H

#include <stdint.h>

#define FACE_PARAMS_RIM 18 /* control points of the head's outline: 0 the chin, then up the left side, 9 the crown, down the right */

/* How the head is turned and where it lies in the picture. */
struct face_params_pose {
	float scale;		      /* pixels an eye distance */
	float x, y;		      /* picture point of 0,0,0 when the head isn't turned */
	float cr, sr, cy, sy, cp, sp; /* cosine and sine of roll, yaw (to the picture's right), pitch (down) */
};

struct face_params_eye {
	float in[3], out[3], up, low; /* corners; height of the lids' arches */
	float pupil[3];
};

enum face_params_hair { HAIR_BALD, HAIR_SHORT, HAIR_FRINGE, HAIR_LONG, HAIR_LONG_FRINGE, HAIR_HAT };
enum face_params_beard { BEARD_NONE, BEARD_STUBBLE, BEARD_MOUSTACHE, BEARD_GOATEE, BEARD_FULL };
enum face_params_glasses { GLASSES_NONE, GLASSES_THIN, GLASSES_THICK, GLASSES_SUN };

struct face_params {
	struct face_params_pose pose;
	/* greys before light */
	float skin, hair, iris, lip, brow, cloth, back[2];
	int style, beard, glasses; /* of the enums above */
	float age, makeup;	   /* 0 to 1 */
	float hairline, part, length, bulk, wave;
	float frame[2], rim; /* glasses: half width and height of a lens, width of the rim */
	/* anatomy */
	struct face_params_eye eye[2]; /* 0 left, 1 right */
	float iris_r;
	float brow_in[2][3], brow_mid[2][3], brow_out[2][3], brow_thick;
	float nose_tip[3], nose_wide, nose_deep;
	float mouth[2][3]; /* corners */
	float lip_top[3], lip_peak[2][3], lip_seam[3], lip_gap, lip_low[3];
	float teeth;		     /* how much of the gap they fill */
	float rim_at[FACE_PARAMS_RIM][2]; /* outline of the head, picture points */
	float smile;
	/* light and camera */
	float light[3], ambient, shine, slope[2], contrast, middle, bright, blur, noise;
	int thing; /* before the face: 0 nothing, 1 a microphone, 2 a hand */
	float thing_x, thing_y;
	uint32_t scene; /* what stands behind: its random numbers are words of Philox */
	uint64_t seed;
	uint32_t set, row;
};

/* Picture point of a point on the head (weak perspective: nearer isn't larger). */
void face_params_place(const struct face_params_pose *p, float x, float y, float z, float out[2]);
/* Curves as the painter draws them, in picture points; n points from the inner (the right) end to the outer (the left). */
void face_params_lid(const struct face_params *f, int side, int upper, int n, float (*out)[2]);
void face_params_brow(const struct face_params *f, int side, int n, float (*out)[2]);
enum face_params_lip { LIP_TOP, LIP_SEAM_UP, LIP_SEAM_LOW, LIP_LOW };
void face_params_lip(const struct face_params *f, enum face_params_lip which, int n, float (*out)[2]);
/* Point at t in [0, FACE_PARAMS_RIM) of the head's outline. */
void face_params_rim(const struct face_params *f, float t, float out[2]);

#endif
