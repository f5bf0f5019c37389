/* A stream that was read to its end, told to people or scripts: each tensor's type, shape and range, METAs, fingerprint; of a model also
 * its parameters and the floating-point operations of an image's forward pass (2 a multiply-add of its products). */
#ifndef INFO_H
#define INFO_H

#include "lib/json.h"
#include "lib/out.h"
#include "lib/stat.h"
#include "lib/tns.h"

/* s: a range each tensor. json: keys and values into the object that is open. */
void info_text(struct out *to, const struct tns *t, const struct stat_range *s);
void info_json(struct json *j, const struct tns *t, const struct stat_range *s);

#endif
