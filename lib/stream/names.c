/* Comma-separated lists of names. */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/err.h"
#include "lib/stream/names.h"

char **names_points(const struct tns *t, int k)
{
	int n;
	const char *list = tns_meta_value(t, "points");
	if (!list)
		die("%s: there is no META points, the names of its points (tns-convert --help: how arrays have it)", t->name);
	if (!*list || *list == ',' || list[strlen(list) - 1] == ',' || strstr(list, ",,"))
		die("%s: META points '%s' has an empty name", t->name, list);
	char **names = names_split(list, &n);
	if (n != k)
		die("%s: META points names %d, but there are %d", t->name, n, k);
	for (int i = 0; i < n; i++)
		if (names_index(names, names[i]) != i)
			die("%s: META points: two are named %s", t->name, names[i]);
	return names;
}

char **names_split(const char *list, int *n)
{
	size_t capacity = 2;
	for (const char *s = list; *s; s++)
		capacity += *s == ',';
	char **names = xcalloc(capacity, sizeof *names);
	*n = 0;
	for (const char *s = list;; s++) {
		size_t len = strcspn(s, ",");
		if (!len)
			die("'%s': an empty name", list);
		names[*n] = xcalloc(len + 1, 1);
		memcpy(names[(*n)++], s, len);
		s += len;
		if (!*s)
			return names;
	}
}

void names_free(char **names)
{
	for (int i = 0; names && names[i]; i++)
		free(names[i]);
	free(names);
}

char *names_append(char *list, const char *name)
{
	char *longer = list ? xprintf("%s,%s", list, name) : xstrdup(name);
	free(list);
	return longer;
}

int names_are_numbers(char **names)
{
	char number[16];
	int k = 0;
	for (; names[k]; k++) {
		snprintf(number, sizeof number, "%d", k);
		if (strcmp(names[k], number))
			return 0;
	}
	return k > 0;
}

int names_index(char **names, const char *name)
{
	for (int i = 0; names[i]; i++)
		if (!strcmp(names[i], name))
			return i;
	return -1;
}

struct nearest names_nearest(char **names, const char *word)
{
	struct nearest n = nearest_of(word);
	for (int i = 0; names[i]; i++)
		nearest_add(&n, names[i]);
	return n;
}

char *names_marks(const struct tns *t, const char *key, int k)
{
	const char *list = tns_meta_value(t, key);
	char *mark = xcalloc((size_t)k + 1, 1);
	if (!list || !tns_meta_value(t, "points"))
		return mark;
	int n;
	char **names = names_points(t, k), **marked = names_split(list, &n);
	for (int i = 0; i < n; i++) {
		int at = names_index(names, marked[i]);
		if (at < 0)
			die("%s: META %s: '%s' is none of the points", t->name, key, marked[i]);
		mark[at] = 1;
	}
	names_free(names), names_free(marked);
	return mark;
}

int *names_order(char **from, char **to)
{
	size_t n = 0;
	while (from[n] && to[n])
		n++;
	int *order = xcalloc(n + 1, sizeof *order), same = !from[n] && !to[n];
	for (size_t i = 0; same && i < n; i++)
		same = (order[i] = names_index(from, to[i])) >= 0;
	if (same)
		return order;
	free(order);
	return NULL;
}

static int ends_word(const char *s, size_t at)
{
	unsigned char c = (unsigned char)s[at], next = (unsigned char)s[at + 1];
	return !next || !isalpha(next) || (islower(c) && isupper(next));
}

/* The word at s[at], of len bytes, with its side changed over, in its case; 0: it is no side. letter: l and r count. */
static const char *other_side(const char *s, size_t len, int letter)
{
	static const char *const words[][2] = {{"left", "right"}, {"Left", "Right"}, {"LEFT", "RIGHT"}, {"l", "r"}, {"L", "R"}};
	for (size_t i = 0; i < (letter ? 5 : 3); i++)
		for (int k = 0; k < 2; k++)
			if (strlen(words[i][k]) == len && !memcmp(words[i][k], s, len))
				return words[i][!k];
	return NULL;
}

/* The name with its sides changed over (to be freed), or NULL where it has none; *side: of its first. */
static char *mirrored_name(const char *name, int letter, int *side)
{
	char *other = xcalloc(2 * strlen(name) + 1, 1), *to = other;
	*side = 0;
	for (size_t at = 0; name[at];) {
		size_t len = 1;
		if (isalpha((unsigned char)name[at])) {
			while (!ends_word(name, at + len - 1))
				len++;
			const char *swap = other_side(name + at, len, letter);
			if (swap) {
				*side = *side ? *side : tolower((unsigned char)name[at]) == 'l' ? 1 : 2;
				to = stpcpy(to, swap), at += len;
				continue;
			}
		}
		memcpy(to, name + at, len);
		to += len, at += len;
	}
	if (*side)
		return other;
	free(other);
	return NULL;
}

/* The name with left and right changed over wherever they stand, also within words (leftmost); to be freed. */
static char *inside_words(const char *name)
{
	char *other = xcalloc(2 * strlen(name) + 1, 1), *to = other;
	while (*name)
		if (!strncmp(name, "left", 4))
			to = stpcpy(to, "right"), name += 4;
		else if (!strncmp(name, "right", 5))
			to = stpcpy(to, "left"), name += 5;
		else
			*to++ = *name++;
	return other;
}

/* By spelling: the partner's number, or NAMES_NO_PARTNER; *side as of names_side. */
static int spelled_partner(const char *name, char **names, int *side)
{
	for (int letter = 0; letter < 2; letter++) {
		char *other = mirrored_name(name, letter, side);
		int k = other && names ? names_index(names, other) : -1;
		free(other);
		if (k >= 0 || (*side && !letter))
			return k >= 0 ? k : NAMES_NO_PARTNER;
	}
	char *other = inside_words(name);
	int k = names && strcmp(name, other) ? names_index(names, other) : NAMES_NO_PARTNER;
	free(other);
	*side = k < 0 ? 0 : strstr(name, "left") ? 1 : 2; /* a letter, or part of a word, without its other one is part of a name */
	return k;
}

int names_side(const char *name, char **names)
{
	int side;
	spelled_partner(name, names, &side);
	return side;
}

static int count_names(char **names)
{
	int n = 0;
	while (names[n])
		n++;
	return n;
}

/* "a" or "a:b" to numbers; names may hold colons too. */
static int find_pair(char **names, const char *item, int *a, int *b)
{
	if ((*a = *b = names_index(names, item)) >= 0)
		return 1;
	char *copy = xstrdup(item);
	int found = 0;
	for (char *c = copy; !found && (c = strchr(c, ':')); c++) {
		*c = 0;
		*a = names_index(names, copy), *b = names_index(names, c + 1);
		found = *a >= 0 && *b >= 0;
		*c = ':';
	}
	free(copy);
	return found;
}

/* "a:b" of which one is no point, or both are none. */
static char *no_pair(char **names, const char *item)
{
	char *copy = xstrdup(item), *second = strchr(copy, ':');
	if (second)
		*second++ = 0;
	struct nearest a = names_nearest(names, copy), b = names_nearest(names, second ? second : copy);
	int is_first = names_index(names, copy) < 0 || !second;
	char *why = xprintf("'%s' is no point and no two points%s", item, nearest_or_all(is_first ? &a : &b));
	free(copy);
	return why;
}

static int *spelled_partners(char **names, int k)
{
	int *partner = xcalloc((size_t)k + 1, sizeof *partner), *side = xcalloc((size_t)k + 1, sizeof *side), sides = 0;
	for (int i = 0; i < k; i++) {
		partner[i] = spelled_partner(names[i], names, &side[i]);
		sides |= side[i];
	}
	for (int i = 0; i < k; i++) /* names of which none has a side, as numbers, say of no point that it lies on the axis */
		if (partner[i] < 0 && !side[i] && (sides || k == 1))
			partner[i] = i;
	free(side);
	return partner;
}

/* Sets partner (K) as the list says; what is wrong with it, to be freed, or NULL. */
static char *read_pairs(char **names, const char *pairs, int *partner)
{
	int n = 0;
	char **items = *pairs ? names_split(pairs, &n) : NULL, *why = NULL;
	for (int i = 0; names[i]; i++)
		partner[i] = NAMES_NO_PARTNER;
	for (int i = 0, a, b; i < n && !why; i++) {
		if (!find_pair(names, items[i], &a, &b)) {
			why = no_pair(names, items[i]);
			break;
		}
		if (a == b && strcmp(items[i], names[a]))
			why = xprintf("'%s': a point on the axis, its own mirror image, stands alone: %s", items[i], names[a]);
		for (int d = 0; d < 2 && !why; d++) {
			int one = d ? b : a, other = d ? a : b;
			if (partner[one] >= 0 && partner[one] != other)
				why = xprintf("'%s' has two partners, '%s' and '%s'", names[one], names[partner[one]], names[other]);
		}
		partner[a] = b, partner[b] = a;
	}
	names_free(items);
	return why;
}

int *names_partners(char **names, const char *pairs)
{
	int k = count_names(names), *partner = pairs ? xmalloc(((size_t)k + 1) * sizeof *partner) : spelled_partners(names, k);
	char *why = pairs ? read_pairs(names, pairs, partner) : NULL;
	if (why)
		die("pairs: %s", why);
	return partner;
}

void names_check_pairs(char **names, const char *pairs, const char *of)
{
	int *partner = xmalloc(((size_t)count_names(names) + 1) * sizeof *partner);
	char *why = read_pairs(names, pairs, partner);
	if (why)
		die_usage("--pairs: %s: %s", of, why);
	free(partner);
}

char *names_pairs_text(char **names, const int *partner)
{
	char *text = xstrdup("");
	for (int i = 0; names[i]; i++) {
		int p = partner[i];
		if (p < i) /* written with its partner, or without one */
			continue;
		char *old = text;
		text = xprintf("%s%s%s%s%s", old, *old ? "," : "", names[i], p > i ? ":" : "", p > i ? names[p] : "");
		free(old);
	}
	return text;
}

int names_unpaired(char **names, const int *partner)
{
	for (int i = 0; names[i]; i++)
		if (partner[i] == NAMES_NO_PARTNER)
			return i;
	return -1;
}

int *names_require_partners(char **names, const char *pairs, const char *option)
{
	int *partner = names_partners(names, pairs), k = names_unpaired(names, partner);
	if (k >= 0)
		die_usage("%s: point '%s' has no partner on the other side (csv-clean, tns-import: --pairs)", option, names[k]);
	return partner;
}
