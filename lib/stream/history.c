/* META history: the inputs' lines without duplicates, then this program's. */
#include <stdlib.h>
#include <string.h>

#include "lib/base/err.h"
#include "lib/base/opt.h"
#include "lib/stream/history.h"

static int has_line(const char *text, const char *line, size_t n)
{
	for (; text && *text; text = strchr(text, '\n') ? strchr(text, '\n') + 1 : NULL)
		if (!strncmp(text, line, n) && (text[n] == '\n' || !text[n]))
			return 1;
	return 0;
}

void history_put(struct tns_writer *w, const struct tns *const *in, int n, const char *note)
{
	size_t size = 1, end = 0, lines = 0;
	for (int i = 0; i < n; i++) {
		const char *s = tns_meta_value(in[i], "history");
		size += s ? strlen(s) + 1 : 0;
	}
	char *all = xcalloc(size, 1), *sources = xstrdup(""), *old;
	for (int i = 0; i < n; i++) {
		const char *s = tns_meta_value(in[i], "history");
		for (size_t len; s && *s; s += len + (s[len] == '\n')) {
			len = strcspn(s, "\n");
			if (!len || has_line(all, s, len))
				continue;
			if (++lines > 10000) /* has_line makes this quadratic: a limit for hostile inputs */
				die("%s: a history of more than 10000 lines", in[i]->name);
			memcpy(all + end, s, len);
			all[end + len] = '\n';
			end += len + 1;
		}
		sources = xprintf("%s%s%08x", old = sources, i ? " " : " < ", in[i]->fingerprint);
		free(old);
	}
	char *line = xprintf("%s%s%s%s%s%s\n", all, opt_line(), note ? " [" : "", note ? note : "", note ? "]" : "", sources);
	tns_put_meta(w, "history", line);
	free(all), free(sources), free(line);
}
