/* Summary, as text or JSON, of a stream that was read to its end: each tensor's type, shape and range, and METAs. */
#ifndef INFO_H
#define INFO_H

#include "lib/base/json.h"
#include "lib/base/out.h"
#include "lib/stream/stat.h"
#include "lib/stream/tns.h"

/* s: a range for each tensor; only: the tensor to be shown, or -1: all. info_*_json write keys and values into the open object. */
void info_tensors_text(struct out *to, const struct tns *t, const struct stat_range *s, int only);
void info_tensors_json(struct json *j, const struct tns *t, const struct stat_range *s, int only);
/* A META a line, those of several lines indented; control characters escaped. history: what is shown in place of META history, or NULL. */
void info_metas_text(struct out *to, const struct tns *t, const char *history);
void info_metas_json(struct json *j, const struct tns *t);

#endif
