/* Lead bytes, and the second byte's range where a lead byte narrows it. */
#include "lib/base/utf8.h"

size_t utf8_length(const unsigned char *s, size_t n)
{
	size_t len = s[0] < 0x80 ? 1 : s[0] < 0xC2 ? 0 : s[0] < 0xE0 ? 2 : s[0] < 0xF0 ? 3 : s[0] < 0xF5 ? 4 : 0;
	if (len > n)
		return 0;
	for (size_t i = 1; i < len; i++)
		if ((s[i] & 0xC0) != 0x80)
			return 0;
	if ((s[0] == 0xE0 && s[1] < 0xA0) || (s[0] == 0xED && s[1] > 0x9F) || (s[0] == 0xF0 && s[1] < 0x90) ||
		(s[0] == 0xF4 && s[1] > 0x8F))
		return 0;
	return len;
}

int utf8_valid(const unsigned char *s, size_t n)
{
	for (size_t len; n; s += len, n -= len)
		if (!(len = utf8_length(s, n)))
			return 0;
	return 1;
}
