/* A stream that was read to its end, told to people or scripts: each tensor's type, shape and range, METAs, fingerprint, and what else the
 * caller knows of it in whole numbers (of a model: parameters, operations). */
#ifndef INFO_H
#define INFO_H

#include "lib/base/json.h"
#include "lib/base/out.h"
#include "lib/stream/stat.h"
#include "lib/stream/tns.h"

struct info_fact {
	const char *name;
	double value; /* a whole number below 2^53 */
};

/* s: a range each tensor; facts end with a name NULL, or are NULL. json: keys and values into the object that is open. */
void info_text(struct out *to, const struct tns *t, const struct stat_range *s, const struct info_fact *facts);
void info_json(struct json *j, const struct tns *t, const struct stat_range *s, const struct info_fact *facts);

#endif
