/* Names of points, gathered while a file is read that has no list of them. */
#ifndef PART_NAMES_H
#define PART_NAMES_H

struct part_names { /* zeroed at first */
	int n;
	char **name; /* (n), NULL behind the last; in order of appearance, or as part_names_sort has it */
	int *by;     /* private: (n) indices, sorted by strcmp */
};

/* Index of a name, or -1. guess: the index that it probably has. */
int part_names_find(const struct part_names *p, const char *name, int guess);
/* The same, added where it is new; -1: there are max already. */
int part_names_add(struct part_names *p, const char *name, int guess, int max);
/* A copy of the names, NULL-terminated, to be freed one by one. */
char **part_names_copy(const struct part_names *p);
/* By number where all names are whole numbers (8, 9, 10 and 08, 09, 10), else as they are. */
void part_names_sort(struct part_names *p);
void part_names_free(struct part_names *p); /* the names, too */

#endif
