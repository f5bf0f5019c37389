/* Names of points for YOLO's labels, which hold none: "a,b,c", or what a data set's YAML file says: `kpt_shape: [K, 2 or 3]`, `kpt_names`
 * (of the first class, where it is a map of classes), `flip_idx` (of each point the one that it is in the mirror image, from 0), lists in
 * brackets or a dash a line, a map in braces on one line; `names` are those of classes, not of points. */
#ifndef YOLO_NAMES_H
#define YOLO_NAMES_H

struct yolo_names {
	int K, dims; /* kpt_shape; 0: not told */
	int n;
	char **v; /* (n), NULL-terminated; NULL: not told. The caller's to free */
	int nflip;
	int *flip; /* (nflip) 0 or K of them: each other's partners; NULL: not told. The caller's to free */
};

/* text: the option's value, a file if it ends in .yaml or .yml; NULL: nothing is told. Ends the program where the file can't be read, or
 * tells neither, or names are empty or doubled. */
void yolo_names_read(struct yolo_names *y, const char *text);

#endif
