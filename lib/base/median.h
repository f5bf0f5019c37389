/* The median of numbers in memory. */
#ifndef MEDIAN_H
#define MEDIAN_H

#include <stddef.h>

/* Sorts v (n, none NaN); the mean of the two middle values where n is even. n at least 1. */
double median(float *v, size_t n);

#endif
