/* Element types; which names and texts are valid in a stream. */
#include <string.h>

#include "lib/stream/tns.h"
#include "lib/stream/tns_io.h"

static const struct {
	const char *name;
	size_t size;
} dtypes[] = {{"?", 0}, {"u8", 1}, {"i8", 1}, {"u16", 2}, {"i16", 2}, {"u32", 4}, {"i32", 4}, {"f32", 4}, {"u64", 8}, {"i64", 8},
	{"f64", 8}, {"f16", 2}, {"bf16", 2}, {"bool", 1}};
#define NDTYPES (int)(sizeof dtypes / sizeof *dtypes)

size_t tns_size(int dtype)
{
	return dtype > 0 && dtype < NDTYPES ? dtypes[dtype].size : 0;
}

const char *tns_dtype_name(int dtype)
{
	return dtypes[dtype > 0 && dtype < NDTYPES ? dtype : 0].name;
}

int tns_good_name(const unsigned char *s, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (!((s[i] >= 'A' && s[i] <= 'Z') || (s[i] >= 'a' && s[i] <= 'z') || (s[i] >= '0' && s[i] <= '9') ||
			    (s[i] && strchr("._/-", s[i]))))
			return 0;
	return n >= 1 && n <= 255;
}
