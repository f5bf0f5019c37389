/* The difference of two lines of META history, without a program that is parsed: its options come as arguments. */
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

/* All values of an option in the line, with blanks between; "given" for a flag; NULL: it is not there. To be freed. */
static char *value_in(const char *line, const char *name, size_t len)
{
	const char *s = options(line), *its, *value;
	char *all = NULL;
	for (size_t its_len, n; next_option(&s, &its, &its_len, &value, &n);)
		if (its_len == len && !memcmp(its, name, len)) {
			char *one = n ? xprintf("%.*s", (int)n, value) : xstrdup("given");
			all = opt_join(all, " ", one);
			free(one);
		}
	return all;
}

/* Whether the option at name, in the line, is there before that too. */
static int is_repeated(const char *line, const char *name, size_t len)
{
	const char *s = options(line), *its, *value;
	for (size_t its_len, n; next_option(&s, &its, &its_len, &value, &n) && its < name;)
		if (its_len == len && !memcmp(its, name, len))
			return 1;
	return 0;
}

/* "32, the default"; "default" where it is not known (opts NULL), none or empty, which --help does not show either. To be freed. */
static char *default_of(const struct opt *opts, char *const *defaults, const char *name, size_t len)
{
	for (const struct opt *o = opts; o && o->name; o++) {
		const char *text = defaults[o - opts];
		if (strlen(o->name) + 2 != len || memcmp(o->name, name + 2, len - 2) || !text || !*text)
			continue;
		char *value = opt_quote(text), *is = xprintf("%s, the default", value);
		free(value);
		return is;
	}
	return xstrdup("default");
}

static char *append(char *text, char *more)
{
	char *all = opt_join(text, "; ", more);
	free(more);
	return all;
}

/* Whether both lines are of one program and version. */
static int is_same_program(const char *a, const char *b)
{
	const char *end = word_end(a);
	end = *end ? word_end(end + 1) : end;
	size_t n = (size_t)(end - a);
	return !strncmp(a, b, n) && (!b[n] || b[n] == ' ');
}

char *opt_difference(const char *was, const char *is, const struct opt *opts, char *const *defaults)
{
	char *text = NULL;
	/* another version may have had other defaults */
	const struct opt *was_opts = is_same_program(was, is) ? opts : NULL;
	for (int k = 0; k < 2; k++) { /* 0: what differs or is new; 1: what is gone */
		const char *line = k ? was : is, *s = options(line), *name, *value;
		for (size_t len, n; next_option(&s, &name, &len, &value, &n);) {
			char *is_value = value_in(is, name, len), *was_value = value_in(was, name, len);
			int told = is_repeated(line, name, len) || (is_value && was_value && (k || !strcmp(is_value, was_value)));
			if (!is_value)
				is_value = default_of(opts, defaults, name, len);
			if (!was_value)
				was_value = default_of(was_opts, defaults, name, len);
			if (!told)
				text = append(text, xprintf("%.*s is %s, was %s", (int)len, name, is_value, was_value));
			free(is_value), free(was_value);
		}
	}
	const char *a = strstr(was, " < "), *b = strstr(is, " < ");
	if (word_end(was) - was != word_end(is) - is || strncmp(was, is, (size_t)(word_end(is) - is)))
		text = append(text, xprintf("it is of %.*s", (int)(word_end(was) - was), was));
	if (a && b && strcmp(a, b))
		text = append(text, xstrdup("other data"));
	return text ? text : xstrdup("another version");
}
