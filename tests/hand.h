/* The hand that a test is about: HAND of the environment, else cpu; so one test serves the hand for cards too. */
#ifndef HAND_OF_TESTS_H
#define HAND_OF_TESTS_H

#include <stdlib.h>

#include "kernels/ops.h"

static inline const char *hand_name(void)
{
	const char *h = getenv("HAND");
	return h ? h : "cpu";
}

static inline struct ops *hand_here(void)
{
	return ops_open(hand_name(), 1, PRECISION_FP32);
}

#endif
