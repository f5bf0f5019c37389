/* Models side by side, as a table and as JSON. */
#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "lib/base/json.h"
#include "lib/predict/compare.h"
#include "lib/stream/names.h"

static const struct bootstrap_result *result(const struct compare *c, int file, int measure)
{
	return &c->result[file * COMPARE_MEASURES + measure];
}

static void print_table(struct out *to, const struct compare *c)
{
	int width = 4;
	for (int f = 0; f < c->n; f++)
		width = (int)strlen(c->file[f].name) > width ? (int)strlen(c->file[f].name) : width;
	out_printf(to, "%-16s %-*s %9s %10s %10s %10s\n", "measure", width, "file", "value", "difference", "low", "high");
	for (int k = 0; k < COMPARE_MEASURES; k++)
		for (int f = 0; f < c->n; f++) {
			const struct bootstrap_result *r = result(c, f, k);
			if (isnan(r->value)) /* of no point, or no eyes' distance */
				continue;
			out_printf(to, "%-16s %-*s %9.5f", compare_measure(k), width, c->file[f].name, r->value);
			if (f)
				out_printf(to, " %+10.5f", r->difference);
			if (f && !isnan(r->low))
				out_printf(to, " %+10.5f %+10.5f", r->low, r->high);
			out_write(to, "\n", 1);
		}
}

/* The root of a mean; negative where the mean is, as of errors that are opposed. */
static double root_of(double sum, uint64_t n)
{
	double mean = n ? sum / (double)n : NAN;
	return mean < 0 ? -sqrt(-mean) : sqrt(mean);
}

static struct compare_shared all_points(const struct compare *c)
{
	struct compare_shared all = {0};
	for (int j = 0; c->names[j]; j++)
		all.coords += c->shared[j].coords, all.square += c->shared[j].square, all.product += c->shared[j].product;
	return all;
}

static void print_shared_line(struct out *to, const char *name, int width, const struct compare_shared *s)
{
	out_printf(to, "%-*s %11" PRIu64 " %9.5f %9.5f %9.5f\n", width, name, s->coords, root_of(s->square, s->coords),
		root_of(s->product, s->coords), root_of(s->square - s->product, s->coords));
}

static void print_shared(struct out *to, const struct compare *c)
{
	struct compare_shared all = all_points(c);
	int width = 5;
	for (int j = 0; c->names[j]; j++)
		width = (int)strlen(c->names[j]) > width ? (int)strlen(c->names[j]) : width;
	out_printf(to, "\n%-*s coordinates   rmse_px shared_px    own_px\n", width, "point");
	print_shared_line(to, "all", width, &all);
	for (int j = 0; c->names[j]; j++)
		if (c->shared[j].coords)
			print_shared_line(to, c->names[j], width, &c->shared[j]);
	out_printf(to,
		"rmse_px^2 = shared_px^2 + own_px^2: what the files err in common, as noise of labels, and what each errs by itself, "
		"which the average of many like them has not\n");
}

static void print_text(struct out *to, const struct compare *c)
{
	print_table(to, c);
	out_printf(to, "\nrows %" PRIu64 "\ncoordinates %" PRIu64 "\npoints %" PRIu64 "\ngroups %" PRIu32 ", by %s%s\n", c->rows, c->coords,
		c->points, c->groups, c->grouped,
		strcmp(c->grouped, "ids")
			? ""
			: ": rows of one person are alike, of which the intervals know nothing (--groups or --by tells who is one)");
	for (int f = 0; f < c->n; f++)
		score_about_print(to, &c->file[f].about, c->file[f].name);
	print_shared(to, c);
	out_printf(to,
		"difference: a file's value minus the first file's; low, high: its 95%% confidence interval, by %d resamples of the "
		"groups, the "
		"same for all files (seed %" PRIu64 ")\n",
		BOOTSTRAP_RESAMPLES, c->seed);
	score_print_units(to);
}

static void differences_json(struct json *j, const struct compare *c, int f)
{
	json_key(j, "minus_first"), json_open(j, '{');
	for (int k = 0; k < COMPARE_MEASURES; k++) {
		const struct bootstrap_result *r = result(c, f, k);
		json_key(j, compare_measure(k)), json_open(j, '{');
		json_key(j, "difference"), json_real(j, r->difference);
		json_key(j, "low"), json_real(j, r->low);
		json_key(j, "high"), json_real(j, r->high);
		json_close(j, '}');
	}
	json_close(j, '}');
}

static void print_json(struct out *to, const struct compare *c)
{
	int n;
	struct json j;
	json_begin(&j, to);
	json_key(&j, "rows"), json_uint(&j, c->rows);
	json_key(&j, "coordinates"), json_uint(&j, c->coords);
	json_key(&j, "points"), json_uint(&j, c->points);
	json_key(&j, "groups"), json_uint(&j, c->groups);
	json_key(&j, "grouped_by"), json_string(&j, c->grouped);
	json_key(&j, "resamples"), json_uint(&j, BOOTSTRAP_RESAMPLES);
	json_key(&j, "seed"), json_uint(&j, c->seed);
	json_key(&j, "confidence"), json_literal(&j, "0.95");
	json_key(&j, "left_out_points"), json_open(&j, '[');
	char **names = c->left_out ? names_split(c->left_out, &n) : NULL;
	for (int i = 0; names && names[i]; i++)
		json_string(&j, names[i]);
	names_free(names);
	json_close(&j, ']');
	json_key(&j, "shared_px"), json_open(&j, '{');
	struct compare_shared all = all_points(c);
	json_key(&j, "all"), json_real(&j, root_of(all.product, all.coords));
	for (int i = 0; c->names[i]; i++)
		json_key(&j, c->names[i]), json_real(&j, root_of(c->shared[i].product, c->shared[i].coords));
	json_close(&j, '}');
	json_key(&j, "files"), json_open(&j, '[');
	for (int f = 0; f < c->n; f++) {
		json_open(&j, '{');
		json_key(&j, "file"), json_string(&j, c->file[f].name);
		json_key(&j, "left_out_rows"), json_uint(&j, c->file[f].left_out);
		score_about_json(&j, &c->file[f].about);
		for (int k = 0; k < COMPARE_MEASURES; k++)
			json_key(&j, compare_measure(k)), json_real(&j, result(c, f, k)->value);
		if (f)
			differences_json(&j, c, f);
		json_close(&j, '}');
	}
	json_close(&j, ']');
	json_finish(&j);
}

void compare_print(struct out *to, const struct compare *c, int as_json)
{
	(as_json ? print_json : print_text)(to, c);
}
