/* The difference of two lines of META history. */
#include <stdlib.h>
#include <string.h>

#include "lib/base/opt_io.h"

/* The end of the word at s, quotes ('...', $'...') heeded as opt_line writes them. */
static const char *word_end(const char *s)
{
	for (int quoted = 0; *s && (quoted || *s != ' '); s++) {
		if (*s == '\\' && s[1])
			s++;
		else if (*s == '\'')
			quoted = !quoted;
	}
	return s;
}

/* The next option at *s, with its value; *s moves behind it. 0: none is left before the inputs. */
static int next_option(const char **s, const char **name, size_t *len, const char **value, size_t *n)
{
	while (**s == ' ')
		++*s;
	if (strncmp(*s, "--", 2))
		return 0;
	const char *end = word_end(*s);
	*name = *s, *len = (size_t)(end - *s), *value = end, *n = 0;
	if (*end == ' ' && strncmp(end + 1, "--", 2) && end[1] != '<')
		*value = end + 1, *n = (size_t)(word_end(end + 1) - (end + 1));
	*s = *value + *n;
	return 1;
}

/* Behind the program and its version. */
static const char *options(const char *line)
{
	for (int i = 0; i < 2; i++)
		line = *word_end(line) ? word_end(line) + 1 : word_end(line);
	return line;
}

/* Whether line has this option with this value; *other: its value there, NULL where it has none. */
static int has_option(const char *line, const char *name, size_t len, const char *value, size_t n, const char **other, size_t *m)
{
	const char *s = options(line), *its;
	size_t its_len;
	*other = NULL;
	for (size_t k; next_option(&s, &its, &its_len, other, &k); *other = NULL)
		if (its_len == len && !memcmp(its, name, len)) {
			*m = k;
			return k == n && !memcmp(*other, value, n);
		}
	return 0;
}

static char *append(char *text, char *more)
{
	char *all = text ? opt_join(text, "; ", more) : xstrdup(more);
	free(more);
	return all;
}

char *opt_line_difference(const char *was, const char *is)
{
	char *text = NULL;
	for (int k = 0; k < 2; k++) { /* 0: what differs or is new; 1: what is gone */
		const char *s = options(k ? was : is), *name, *value, *other;
		for (size_t len, n, m = 0; next_option(&s, &name, &len, &value, &n);) {
			if (has_option(k ? is : was, name, len, value, n, &other, &m) || (k && other))
				continue;
			const char *is_value = n ? value : "given", *was_value = m ? other : "given";
			size_t is_len = n ? n : 5, was_len = m ? m : 5;
			if (!other)
				was_value = "default", was_len = 7;
			text = append(text,
				k ? xprintf("%.*s is default, was %.*s", (int)len, name, (int)is_len, is_value)
				  : xprintf("%.*s is %.*s, was %.*s", (int)len, name, (int)is_len, is_value, (int)was_len, was_value));
		}
	}
	const char *a = strstr(was, " < "), *b = strstr(is, " < ");
	if (word_end(was) - was != word_end(is) - is || strncmp(was, is, (size_t)(word_end(is) - is)))
		text = append(text, xprintf("it is of %.*s", (int)(word_end(was) - was), was));
	if (a && b && strcmp(a, b))
		text = append(text, xstrdup("other data"));
	return text ? text : xstrdup("another version");
}
