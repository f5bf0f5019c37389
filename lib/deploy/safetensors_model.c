#include "lib/deploy/safetensors_model.h"

#include <string.h>

#include "lib/base/err.h"
#include "lib/convert/convert.h"
#include "lib/nn/model.h"

static int is_of_net(const char *name)
{
	return (*name >= '0' && *name <= '9') || !strcmp(name, "prior");
}

void safetensors_model(const char *path, const char *output)
{
	struct convert *c = convert_open(path, "");
	if (!convert_stream(c))
		die("%s: a model is a tensor stream, which this is not", path ? path : "stdin");
	model_free(model_from_table(convert_stream(c))); /* it is whole */
	convert_keep(c, is_of_net);
	convert_write(c, CONVERT_SAFETENSORS, output);
	convert_free(c);
}
