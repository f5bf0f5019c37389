/* Summary, as text or JSON, of a stream that was read to its end: each tensor's type, shape and range, METAs, fingerprint, and further
 * integers of the caller's (of a model: parameters, operations). */
#ifndef INFO_H
#define INFO_H

#include "lib/base/json.h"
#include "lib/base/out.h"
#include "lib/stream/stat.h"
#include "lib/stream/tns.h"

struct info_fact {
	const char *name;
	double value; /* an integer below 2^53 */
};

/* s: a range for each tensor; facts ends with a name NULL, or is NULL. info_json writes keys and values into the open object. */
void info_text(struct out *to, const struct tns *t, const struct stat_range *s, const struct info_fact *facts);
void info_json(struct json *j, const struct tns *t, const struct stat_range *s, const struct info_fact *facts);

#endif
