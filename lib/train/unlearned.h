/* What a training set cannot teach: points without a label, or with so few that they are guesses, and labels beyond a heat map's cells. */
#ifndef UNLEARNED_H
#define UNLEARNED_H

#include "lib/nn/model.h"
#include "lib/train/dataset.h"

#define UNLEARNED_FEW 10 /* labels below which a point is named in a warning */

/* Sets m->unlearned: the points without a label in train, or of no weight (points; NULL: all 1); with flip a mirror partner's labels count,
 * and of a model that all of m's weights start from, init (or NULL), whatever that one learned, if its points have these names. Blanks the
 * labels of such points in valid (or NULL), where nothing could be measured but chance. A line on stderr for each kind. */
void unlearned_set(
	struct model *m, const struct dataset *train, struct dataset *valid, int flip, const float *weight, const struct tns *init);

#endif
