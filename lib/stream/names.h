/* Names of points and classes: META `points` and `classes` hold them comma-separated; in memory they are a NULL-terminated array. */
#ifndef NAMES_H
#define NAMES_H

#include "lib/base/nearest.h"
#include "lib/stream/tns.h"

/* The k names of META points; NULL-terminated, freed with names_free. Ends the program if it is absent or its number of names is not k. */
char **names_points(const struct tns *t, int k);
char **names_split(const char *list, int *n); /* "a,b,c"; an empty name ends the program */
void names_free(char **names);
/* The list with one more name, "a,b" and "c": "a,b,c"; list NULL: begins one. list is freed; the result is to be freed. */
char *names_append(char *list, const char *name);
int names_are_numbers(char **names);		 /* 1: they are 0, 1, ..., as classes without names are called */
int names_index(char **names, const char *name); /* or -1 */
/* What may have been meant by a word that is none of the names, for messages. */
struct nearest names_nearest(char **names, const char *word);
/* (k) 1: the point of META points is in the comma-joined list of META key. k zeros where there is no such META or no META points. To be
 * freed. */
char *names_marks(const struct tns *t, const char *key, int k);
/* Where the names of to stand in from: to[i] is from[order[i]]; NULL unless both hold the same names, in any order. To be freed. */
int *names_order(char **from, char **to);

enum { NAMES_NO_PARTNER = -1 };

/* 1 left, 2 right, 0 neither, by the words of a name: parted by _ - . / digits and capitals, left and right in any case, and l and r as
 * words of their own, or left and right within words, where the name with the other one is there too (names may be NULL). bright_left is
 * left, bright is neither. */
int names_side(const char *name, char **names);
/* Mirror partners of the K points: partner[k] is the point that takes k's place when the image is flipped, k itself where it lies on the
 * axis, NAMES_NO_PARTNER where a side's partner is not there. pairs: META pairs, "a:b,c:d,nose" (pairs, and points on the axis; who is not
 * named has no partner), or NULL: by names_side; where none of several names has a side, as of numbers, none has a partner. Dies where
 * pairs names no point, a point with itself, or one with two partners. K entries, to be freed. */
int *names_partners(char **names, const char *pairs);
/* Ends the program, exit 2, where the option --pairs holds what names_partners dies over; of: what has the points. */
void names_check_pairs(char **names, const char *pairs, const char *of);
/* META pairs of partners; to be freed. */
char *names_pairs_text(char **names, const int *partner);
/* The first point without a partner, or -1. */
int names_unpaired(char **names, const int *partner);
/* names_partners where all have one; where one hasn't, the program ends, exit 2: option needs it. */
int *names_require_partners(char **names, const char *pairs, const char *option);

#endif
