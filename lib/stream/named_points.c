/* Vectors by points' names as text. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/err.h"
#include "lib/base/num.h"
#include "lib/stream/named_points.h"
#include "lib/stream/names.h"

/* Cuts the last word off; 1 and *v: it is a number. */
static int last_number(char *s, double *v)
{
	char *blank = strrchr(s, ' ');
	if (!blank || blank == s || !num_real(blank + 1, v))
		return 0;
	*blank = 0;
	return 1;
}

double *named_points_read(const struct tns *t, const char *key, char **names, int k)
{
	const char *text = tns_meta_value(t, key);
	double *xy = xcalloc(2 * (size_t)k + 1, sizeof *xy);
	int n;
	for (int i = 0; i < 2 * k; i++)
		xy[i] = NAN;
	char **words = text ? names_split(text, &n) : NULL;
	for (int i = 0; words && words[i]; i++) {
		double x, y;
		char *word = xstrdup(words[i]);
		if (!last_number(word, &y) || !last_number(word, &x))
			die("%s: META %s: '%s' is not NAME X Y", t->name, key, words[i]);
		int at = names_index(names, word);
		if (at >= 0)
			xy[2 * at] = x, xy[2 * at + 1] = y;
		free(word);
	}
	names_free(words);
	return xy;
}

char *named_points_text(char **names, const double *xy, int k)
{
	char *text = NULL;
	for (int i = 0; i < k; i++) {
		if (isnan(xy[2 * i]) || isnan(xy[2 * i + 1]))
			continue;
		char *longer = xprintf("%s%s%s %.9g %.9g", text ? text : "", text ? "," : "", names[i], xy[2 * i], xy[2 * i + 1]);
		free(text);
		text = longer;
	}
	return text;
}

void named_points_put(struct tns_writer *w, const char *key, char **names, const double *xy, int k)
{
	char *text = named_points_text(names, xy, k);
	if (text)
		tns_put_meta(w, key, text);
	free(text);
}
