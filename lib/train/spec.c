/* Parsers of --augment and --schedule, and the learning rate schedules. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/err.h"
#include "lib/base/nearest.h"
#include "lib/base/num.h"
#include "lib/train/spec.h"

static const char words[] = "flip|squared|shift|rotate|scale|contrast|brightness|noise|blur|motion|cutout|elastic|late|last|default|robust";

NORETURN static void die_word(const char *word, size_t len)
{
	char *name = xprintf("%.*s", (int)len, word);
	struct nearest near = nearest_of(name);
	nearest_add_choices(&near, words);
	if (!strcmp(near.name, "flip") && !near.distance)
		die_usage("--augment: '%s' is not known: write flip or flip=alternate", word);
	if (near.distance)
		die_usage("--augment: '%s' is not known%s", word, nearest_or_all(&near));
	if (!strcmp(near.name, "default") || !strcmp(near.name, "robust"))
		die_usage("--augment: '%s' comes first, and what differs from it after it", near.name);
	die_usage("--augment: '%s' is not known: write %s", word, near.name);
}

char *spec_augment_text(const char *text)
{
	static const char *const sets[][2] = {{"default", SPEC_AUGMENT_DEFAULT}, {"robust", SPEC_AUGMENT_ROBUST}};
	for (size_t i = 0; i < sizeof sets / sizeof *sets; i++) {
		size_t n = strlen(sets[i][0]);
		if (!strncmp(text, sets[i][0], n) && (!text[n] || text[n] == ','))
			return xprintf("%s%s", sets[i][1], text + n);
	}
	return xstrdup(text);
}

void spec_augment(const char *text, struct augment *a)
{
	const struct {
		const char *name;
		float *to;
		double max;
	} known[] = {{"shift", &a->shift, 64}, {"rotate", &a->rotate, 180}, {"scale", &a->scale, 1}, {"contrast", &a->contrast, 2},
		{"brightness", &a->brightness, 1}, {"noise", &a->noise, 1}, {"blur", &a->blur, 5}, {"motion", &a->motion, 30},
		{"cutout", &a->cutout, 0.9}, {"elastic", &a->elastic, 64}, {"late", &a->late, 1}, {"last", &a->last, 1}};
	char *copy = spec_augment_text(text), *save = NULL;
	int late = 0, last = 0;
	for (char *word = strtok_r(copy, ",", &save); word; word = strtok_r(NULL, ",", &save)) {
		char *value = strchr(word, '=');
		if (!strcmp(word, "squared")) {
			a->squared = 1;
			continue;
		}
		if (!strcmp(word, "flip") || !strcmp(word, "flip=alternate")) {
			a->flip = value ? FLIP_ALTERNATE : FLIP_HALF;
			continue;
		}
		size_t i = 0, len = value ? (size_t)(value - word) : strlen(word), n = sizeof known / sizeof *known;
		double v;
		while (i < n && (strlen(known[i].name) != len || strncmp(word, known[i].name, len)))
			i++;
		if (i == n)
			die_word(word, len);
		if (!value || !num_real(value + 1, &v) || v < 0 || v > known[i].max)
			die_usage("--augment: '%s' needs a number from 0 to %g", word, known[i].max);
		*known[i].to = (float)v;
		late |= known[i].to == &a->late, last |= known[i].to == &a->last;
	}
	if (last && !late)
		die_usage("--augment: '%s' has last=F, the share of epochs at the end, but no late=F, which part of the amounts these have",
			text);
	if (late && !last)
		a->last = 0.1f;
	float most = 0;
	for (size_t i = 0; i < sizeof known / sizeof *known; i++)
		if (known[i].to != &a->late && known[i].to != &a->last)
			most = fmaxf(most, *known[i].to);
	if (most <= 0 && (a->squared || late || last))
		die_usage("--augment: '%s' says how amounts are drawn, and gives none", text);
	free(copy);
}

struct augment spec_augment_at(const struct augment *a, int epoch, int epochs)
{
	struct augment at = *a;
	float *amount[] = {
		&at.shift, &at.rotate, &at.scale, &at.contrast, &at.brightness, &at.noise, &at.blur, &at.motion, &at.cutout, &at.elastic};
	if (epoch > epochs - (int)lround((double)a->last * epochs))
		for (size_t i = 0; i < sizeof amount / sizeof *amount; i++)
			*amount[i] *= at.late;
	return at;
}

static int find(const char *const *names, const char *name)
{
	for (int i = 0; names[i]; i++)
		if (!strcmp(name, names[i]))
			return i;
	return -1;
}

int spec_schedule(const char *name)
{
	return find((const char *const[]){"constant", "linear", "cosine", "step", NULL}, name);
}

int spec_extend(const char *name)
{
	return find((const char *const[]){"no", "stretch", "hold", NULL}, name);
}

int spec_optimizer(const char *name)
{
	return find((const char *const[]){"sgd", "nesterov", "adam", NULL}, name);
}

int spec_loss(const char *name)
{
	static const struct {
		const char *name;
		enum loss_kind kind;
	} known[] = {{"squared", LOSS_SQUARED}, {"smooth", LOSS_SMOOTH}, {"wing", LOSS_WING}};
	for (size_t i = 0; i < sizeof known / sizeof *known; i++)
		if (!strcmp(name, known[i].name))
			return known[i].kind;
	return -1;
}

double spec_schedule_factor(enum schedule s, int e, int n)
{
	double t = (double)(e - 1) / n;
	switch (s) {
	case SCHEDULE_LINEAR:
		return 1 - t;
	case SCHEDULE_COSINE:
		return 0.5 * (1 + cos(3.141592653589793 * t));
	case SCHEDULE_STEP:
		return t < 0.5 ? 1 : t < 0.75 ? 0.1 : 0.01;
	default:
		return 1;
	}
}

double spec_length(double first, double last, int e, int n)
{
	return last > 0 && n > 1 ? first * pow(last / first, fmin((double)(e - 1) / (n - 1), 1)) : first;
}

double spec_warmup_factor(double epochs, double done)
{
	return done < epochs ? done / epochs : 1;
}

void spec_numbers(const char *option, const char *form, const char *text, double *to, int least, double min, double max, int all)
{
	char *copy = xstrdup(text), *comma = strchr(copy, ',');
	if (comma)
		*comma = 0;
	if ((!comma && least > 1) || !num_real(copy, &to[0]) || (comma && !num_real(comma + 1, &to[1])))
		die_usage("--%s: '%s' is not %s", option, text, form);
	for (int i = 0; i < (all ? 2 : 1); i++)
		if (to[i] < min || to[i] > max)
			die_usage("--%s: %g is outside %g to %g", option, to[i], min, max);
	free(copy);
}
