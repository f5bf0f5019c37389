/* RFC 3629: shortest forms only, no surrogates. */
#include "lib/base/utf8.h"

int utf8_valid(const unsigned char *s, size_t n)
{
	for (size_t i = 0; i < n;) {
		int c = s[i++], more = c < 0x80		       ? 0
				       : c >= 0xC2 && c < 0xE0 ? 1
				       : c >= 0xE0 && c < 0xF0 ? 2
				       : c >= 0xF0 && c < 0xF5 ? 3
							       : -1;
		if (more < 0 || n - i < (size_t)more)
			return 0;
		if ((c == 0xE0 && s[i] < 0xA0) || (c == 0xED && s[i] > 0x9F) || (c == 0xF0 && s[i] < 0x90) || (c == 0xF4 && s[i] > 0x8F))
			return 0;
		for (; more; more--)
			if ((s[i++] & 0xC0) != 0x80)
				return 0;
	}
	return 1;
}
