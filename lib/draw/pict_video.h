/* A data set as a film: a frame a row, its image with the points on it, written as a stream of PPM (P6), one picture after another, each
 * flushed as soon as it is drawn. Markers are those of pict_faces; they are drawn here, since cairo costs more than the nets that predict.
 */
#ifndef PICT_VIDEO_H
#define PICT_VIDEO_H

struct pict_video {
	const char *path; /* NULL: stdout */
	double zoom;	  /* pixels of a frame for one of an image; 0: chosen, at least 1, sides even */
};

/* Reads the data set (NULL: stdin) row by row, in constant memory, to its verified end: `image` u8 [N,H,W] is required, `keypoints` and
 * `predicted` f32 [N,K,2] are optional. Frames are W x H times zoom, rounded, at least 1x1; more than 16384 a side, or no rows at all, end
 * the program. */
void pict_video(const char *data, const struct pict_video *v);

#endif
