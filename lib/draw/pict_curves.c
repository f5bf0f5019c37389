#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/err.h"
#include "lib/base/nearest.h"
#include "lib/draw/pict_axis.h"
#include "lib/draw/pict_curves.h"
#include "lib/draw/pict_log.h"

enum { LOGS_MAX = 500, MARGIN = 18, PANELS_MAX = 4, PANEL_GAP = 22 };

/* A line of the picture, in data units: over its logs, the mean, smallest and largest y at each x. */
struct curve {
	int group, column; /* indices of legend name and drawn column */
	int logs;	   /* number of logs that it was made from */
	int n;
	double *x, *y, *lo, *hi;
	int *count; /* at each x, how many logs have a value */
};

struct chart {
	int nlogs, ngroups, ncolumns, ncurves;
	struct pict_log **log;
	int *group_of; /* log -> legend name */
	char **group;  /* legend names */
	char **column; /* names of drawn columns */
	struct curve *curve;
	struct pict_axis x, y[PANELS_MAX]; /* panels one above the other, a y axis for each quantity */
	int npanels;
	char **title;  /* of the panels' y axes */
	int *panel_of; /* drawn column -> panel */
};

/* ---- names ---- */

static int index_of(char **names, int n, const char *name)
{
	for (int i = 0; i < n; i++)
		if (!strcmp(names[i], name))
			return i;
	return -1;
}

/* Adds name if it is new; returns its index. */
static int find_or_add(char ***names, int *n, const char *name)
{
	int i = index_of(*names, *n, name);
	if (i >= 0)
		return i;
	*names = xrealloc(*names, ((size_t)*n + 1) * sizeof **names);
	(*names)[*n] = xstrdup(name);
	return (*n)++;
}

/* The next word of a comma-separated list, or NULL at its end. */
static const char *next_word(char **rest, const char *option)
{
	char *word = strsep(rest, ",");
	if (word && !*word)
		die_usage("--%s: an empty name", option);
	return word;
}

/* File name without suffix, with_dir: with its directory, to distinguish equal names. The caller frees. */
static char *short_name(const char *path, int with_dir)
{
	const char *slash = strrchr(path, '/');
	char *name = xstrdup(slash && !with_dir ? slash + 1 : path), *base = strrchr(name, '/'),
	     *dot = strrchr(base ? base + 1 : name, '.');
	if (dot && dot != name && dot != base + 1)
		*dot = 0;
	return name;
}

static void name_logs(struct chart *h, const struct pict_curves *c)
{
	char *list = c->names ? xstrdup(c->names) : NULL, *rest = list;
	h->group_of = xcalloc((size_t)h->nlogs, sizeof *h->group_of);
	for (int i = 0; i < h->nlogs; i++) {
		const char *name = list ? next_word(&rest, "legend") : NULL;
		if (list && !name)
			die_usage("--legend: %d names for %d logs", i, h->nlogs);
		char *own = short_name(h->log[i]->name, 0);
		for (int j = 0; j < h->nlogs; j++) {
			char *other = short_name(h->log[j]->name, 0);
			if (j != i && !strcmp(own, other)) {
				free(own);
				own = short_name(h->log[i]->name, 1);
				j = h->nlogs;
			}
			free(other);
		}
		h->group_of[i] = find_or_add(&h->group, &h->ngroups, name ? name : own);
		free(own);
	}
	if (rest)
		die_usage("--legend: more names than the %d logs", h->nlogs);
	free(list);
}

static int starts_with(const char *s, const char *with)
{
	return !strncmp(s, with, strlen(with));
}

/* Columns of times and speeds are not drawn by default. */
static int is_timing(const char *s)
{
	return starts_with(s, "time") || starts_with(s, "rate") || starts_with(s, "wall") || starts_with(s, "seconds") ||
	       strstr(s, "_per_s");
}

NORETURN static void die_none(const struct chart *h, const char *name)
{
	struct nearest near = nearest_of(name);
	for (int i = 0; i < h->nlogs; i++)
		for (int k = 1; k < h->log[i]->columns; k++)
			nearest_add(&near, h->log[i]->column[k].name);
	die("%s: no column '%s' to draw%s", h->log[0]->name, name, nearest_or_all(&near));
}

static void choose_columns(struct chart *h, const struct pict_curves *c)
{
	if (c->y) {
		char *list = xstrdup(c->y), *rest = list;
		const char *word;
		while ((word = next_word(&rest, "y"))) {
			int found = 0;
			for (int i = 0; i < h->nlogs; i++)
				found |= pict_log_find(h->log[i], word) > 0;
			if (!found)
				die_none(h, word);
			find_or_add(&h->column, &h->ncolumns, word);
		}
		free(list);
		return;
	}
	for (int pass = 0; pass < 2 && !h->ncolumns; pass++)
		for (int i = 0; i < h->nlogs; i++)
			for (int k = 1; k < h->log[i]->columns; k++) {
				const struct pict_log_column *l = &h->log[i]->column[k];
				if (pass ? l->numbers && !is_timing(l->name)
					 : starts_with(l->name, "valid_") || starts_with(l->name, "train_"))
					find_or_add(&h->column, &h->ncolumns, l->name);
			}
	if (!h->ncolumns)
		die("%s: no column of numbers to draw", h->log[0]->name);
}

/* ---- curves ---- */

struct point {
	double x, y;
};

static int by_x(const void *a, const void *b)
{
	const struct point *p = a, *q = b;
	return p->x != q->x ? (p->x < q->x ? -1 : 1) : (p->y > q->y) - (p->y < q->y);
}

/* Adds a curve of all values of the column in logs first..last of the group; none if there are no values. */
static void add_curve(struct chart *h, const struct pict_curves *c, int group, int column, int first, int last, int *dropped)
{
	struct point *points = NULL;
	size_t n = 0;
	struct curve u = {.group = group, .column = column};
	for (int i = first; i <= last; i++) {
		const struct pict_log *l = h->log[i];
		int k = h->group_of[i] == group ? pict_log_find(l, h->column[column]) : -1;
		if (k < 1)
			continue;
		pict_log_check(l, k);
		u.logs += l->column[k].numbers > 0;
		points = xrealloc(points, (n + l->column[k].numbers) * sizeof *points);
		for (size_t r = 0; r < l->rows; r++) {
			double x = l->v[r * (size_t)l->columns], y = l->v[r * (size_t)l->columns + (size_t)k];
			if (isnan(y))
				continue;
			if ((c->logx && x <= 0) || (c->logy && y <= 0) || fabs(x) > 1e300 || fabs(y) > 1e300)
				++*dropped;
			else
				points[n++] = (struct point){x, y};
		}
	}
	if (n) {
		qsort(points, n, sizeof *points, by_x); /* by y as well, so that the sums do not depend on the order of logs */
		double *v = xmalloc(4 * n * sizeof *v);
		u.x = v, u.y = v + n, u.lo = v + 2 * n, u.hi = v + 3 * n;
		u.count = xcalloc(n, sizeof *u.count);
		for (size_t i = 0, j; i < n; i = j, u.n++) {
			double sum = 0;
			for (j = i; j < n && points[j].x == points[i].x; j++)
				sum += points[j].y / 1e3;
			u.x[u.n] = points[i].x, u.lo[u.n] = points[i].y, u.hi[u.n] = points[j - 1].y;
			u.count[u.n] = (int)(j - i);
			u.y[u.n] = j - i == 1 ? points[i].y : sum / (double)(j - i) * 1e3;
		}
		h->curve = xrealloc(h->curve, ((size_t)h->ncurves + 1) * sizeof *h->curve);
		h->curve[h->ncurves++] = u;
	}
	free(points);
}

static void make_curves(struct chart *h, const struct pict_curves *c)
{
	int dropped = 0;
	for (int g = 0; g < h->ngroups; g++)
		for (int k = 0; k < h->ncolumns; k++)
			for (int i = 0; i < (c->mean ? 1 : h->nlogs); i++)
				add_curve(h, c, g, k, i, c->mean ? h->nlogs - 1 : i, &dropped);
	if (dropped && !c->quiet)
		warn("%d value%s left out: not over 0 on a log axis, or beyond 1e300", dropped, dropped == 1 ? "" : "s");
	if (!h->ncurves)
		die("%s: no value to draw", h->log[0]->name);
}

/* The column's name as an axis title: without valid_ and train_, a unit in parentheses. The caller frees. */
static char *title_of(const char *column)
{
	const char *s = starts_with(column, "valid_") || starts_with(column, "train_") ? column + 6 : column;
	size_t n = strlen(s);
	char *t = n > 3 && !strcmp(s + n - 3, "_px")  ? xprintf("%.*s (px)", (int)n - 3, s)
		  : n > 2 && !strcmp(s + n - 2, "_s") ? xprintf("%.*s (s)", (int)n - 2, s)
						      : xstrdup(s);
	for (char *b = t; *b; b++)
		if (*b == '_')
			*b = ' ';
	return t;
}

/* A panel for each quantity, since a loss and an error in pixels differ in scale; one for all where there are too many, or a ylabel. */
static void make_panels(struct chart *h, const struct pict_curves *c)
{
	h->panel_of = xcalloc((size_t)h->ncolumns, sizeof *h->panel_of);
	for (int i = 0; i < h->ncurves && !c->ylabel; i++) {
		char *t = title_of(h->column[h->curve[i].column]);
		h->panel_of[h->curve[i].column] = find_or_add(&h->title, &h->npanels, t);
		free(t);
	}
	if (h->npanels > 0 && h->npanels <= PANELS_MAX)
		return;
	char *all = xstrdup(c->ylabel ? c->ylabel : "value");
	for (int i = 0; i < h->npanels; i++)
		free(h->title[i]);
	h->title = xrealloc(h->title, sizeof *h->title);
	h->title[0] = all;
	h->npanels = 1;
	memset(h->panel_of, 0, (size_t)h->ncolumns * sizeof *h->panel_of);
}

static void fit_axes(struct chart *h, const struct pict_curves *c)
{
	double x0 = INFINITY, x1 = -INFINITY, y0[PANELS_MAX], y1[PANELS_MAX];
	int integer = 1;
	for (int p = 0; p < h->npanels; p++)
		y0[p] = INFINITY, y1[p] = -INFINITY;
	for (int i = 0; i < h->ncurves; i++) {
		const struct curve *u = &h->curve[i];
		int p = h->panel_of[u->column];
		x0 = fmin(x0, u->x[0]), x1 = fmax(x1, u->x[u->n - 1]);
		for (int k = 0; k < u->n; k++) {
			y0[p] = fmin(y0[p], u->lo[k]), y1[p] = fmax(y1[p], u->hi[k]);
			integer &= u->x[k] == floor(u->x[k]);
		}
	}
	if (x0 > 0 && x0 < 0.1 * x1 && !c->logx)
		x0 = 0; /* epochs count from 1: the axis begins with a tick at 0 */
	pict_axis_fit(&h->x, x0, x1, c->logx, 0, integer, c->size.w / 90 + 1);
	for (int p = 0; p < h->npanels; p++)
		pict_axis_fit(&h->y[p], y0[p], y1[p], c->logy, 1, 0, c->size.h / (60 * h->npanels) + 1);
}

/* ---- drawing ---- */

static uint32_t curve_colour(const struct chart *h, const struct curve *u)
{
	return pict_colour(h->ngroups > 1 ? u->group : u->column);
}

static int curve_dash(const struct chart *h, const struct curve *u)
{
	return h->ngroups > 1 ? u->column + h->ncolumns * (u->group / PICT_COLOURS) : u->column / PICT_COLOURS;
}

/* u's entry in the legend. The caller frees. */
static char *legend_text(const struct chart *h, const struct pict_curves *c, const struct curve *u)
{
	const char *g = h->group[u->group], *k = h->column[u->column];
	char *name = h->ngroups > 1 && h->ncolumns > 1 ? xprintf("%s: %s", g, k) : xstrdup(h->ngroups > 1 ? g : k);
	if (!c->mean || u->logs < 2)
		return name;
	char *more = xprintf("%s (mean and range of %d)", name, u->logs);
	free(name);
	return more;
}

/* Draws the entries, one for all curves that look alike, in rows from baseline y on down; returns the baseline of the last row. */
static double legend(struct pict *p, const struct chart *h, const struct pict_curves *c, double left, double right, double y)
{
	double x = left;
	for (int i = 0; i < h->ncurves; i++) {
		const struct curve *u = &h->curve[i], *before = u - 1;
		if (i && before->group == u->group && before->column == u->column)
			continue;
		char *text = legend_text(h, c, u);
		double w = 34 + pict_text_width(p, 12, 0, text) + 20;
		if (x > left && x + w - 20 > right)
			x = left, y += 19;
		pict_path(p, (double[]){x + 1, x + 26}, (double[]){y - 4, y - 4}, 2, 2.4, curve_colour(h, u), curve_dash(h, u));
		pict_text(p, x + 34, y, 12, PICT_LEFT, 0, PICT_INK, text);
		x += w;
		free(text);
	}
	return y;
}

static void draw_axes(struct pict *p, const struct chart *h, int panel)
{
	const struct pict_axis *x = &h->x, *y = &h->y[panel];
	for (int i = 0; i < y->n; i++) {
		double at = floor(pict_axis_at(y, y->tick[i])) + 0.5;
		pict_path(p, (double[]){x->from, x->to}, (double[]){at, at}, 2, 1, PICT_GRID, 0);
		pict_text(p, x->from - 8, at + 4, 11.5, PICT_RIGHT, 0, PICT_INK, y->label[i]);
	}
	double base = floor(y->from) + 0.5;
	for (int i = 0; i < x->n; i++) {
		double at = floor(pict_axis_at(x, x->tick[i])) + 0.5;
		pict_path(p, (double[]){at, at}, (double[]){base, base + 5}, 2, 1, PICT_PALE, 0);
		if (panel == h->npanels - 1)
			pict_text(p, at, base + 19, 11.5, PICT_CENTRE, 0, PICT_INK, x->label[i]);
	}
	pict_path(p, (double[]){x->from, x->to}, (double[]){base, base}, 2, 1, PICT_PALE, 0);
	pict_text(p, MARGIN + 8, (y->from + y->to) / 2, 12.5, PICT_CENTRE, PICT_UP, PICT_INK, h->title[panel]);
}

static void draw_curve(struct pict *p, const struct chart *h, const struct curve *u, int band)
{
	size_t n = (size_t)u->n;
	double *v = xmalloc(4 * n * sizeof *v), *x = v, *y = v + n, *a = v + 2 * n, *b = v + 3 * n;
	const struct pict_axis *axis = &h->y[h->panel_of[u->column]];
	uint32_t colour = curve_colour(h, u);
	int incomplete = 0;
	for (size_t i = 0; i < n; i++) {
		x[i] = pict_axis_at(&h->x, u->x[i]);
		a[i] = pict_axis_at(axis, u->lo[i]);
		b[i] = pict_axis_at(axis, u->hi[i]);
		y[i] = pict_axis_at(axis, u->y[i]);
		incomplete |= u->count[i] < u->logs;
	}
	if (band && u->logs > 1)
		pict_band(p, x, a, b, u->n, (colour & ~0xFFu) | 0x30);
	if (!band && incomplete)
		pict_path(p, x, y, u->n, 2, (colour & ~0xFFu) | 0x70, curve_dash(h, u));
	for (size_t i = 0; i < n; i++)
		if (u->count[i] < u->logs)
			y[i] = NAN;
	if (!band)
		pict_path(p, x, y, u->n, 2, colour, curve_dash(h, u));
	free(v);
}

static void draw(struct chart *h, const struct pict_curves *c, struct out *o)
{
	double width = c->size.w, height = c->size.h, top = MARGIN, label = 0;
	struct pict *p = pict_new(pict_format(&c->to), width, height);
	for (int k = 0; k < h->npanels; k++)
		for (int i = 0; i < h->y[k].n; i++)
			label = fmax(label, pict_text_width(p, 11.5, 0, h->y[k].label[i]));
	h->x.from = floor(MARGIN + 24 + label + 8);
	h->x.to = width - MARGIN - 10;
	if (c->title) {
		pict_text(p, h->x.from, top + 14, 15, PICT_LEFT, PICT_BOLD, PICT_INK, c->title);
		top += 28;
	}
	top = legend(p, h, c, h->x.from, h->x.to, top + 10) + 18;
	double pitch = (height - MARGIN - 40 - top + PANEL_GAP) / h->npanels;
	if (pitch - PANEL_GAP < 40 || h->x.to - h->x.from < 60)
		die("--size: %.0fx%.0f leaves no room for curves", width, height);
	for (int k = 0; k < h->npanels; k++) {
		h->y[k].to = top + k * pitch;
		h->y[k].from = h->y[k].to + pitch - PANEL_GAP;
		draw_axes(p, h, k);
		pict_clip(p, h->x.from - 4, h->y[k].to - 4, h->x.to - h->x.from + 8, h->y[k].from - h->y[k].to + 8);
		for (int band = 1; band >= 0; band--)
			for (int i = 0; i < h->ncurves; i++)
				if (h->panel_of[h->curve[i].column] == k)
					draw_curve(p, h, &h->curve[i], band);
		pict_unclip(p);
	}
	const char *xlabel = c->xlabel ? c->xlabel : h->log[0]->column->name;
	pict_text(p, (h->x.from + h->x.to) / 2, height - MARGIN + 2, 12.5, PICT_CENTRE, 0, PICT_INK, xlabel);
	pict_finish(p, o);
}

static void free_chart(struct chart *h)
{
	for (int i = 0; i < h->ncurves; i++) {
		free(h->curve[i].x); /* y, lo and hi are in the same allocation */
		free(h->curve[i].count);
	}
	for (int i = 0; i < h->nlogs; i++)
		pict_log_free(h->log[i]);
	for (int i = 0; i < h->ngroups; i++)
		free(h->group[i]);
	for (int i = 0; i < h->ncolumns; i++)
		free(h->column[i]);
	for (int i = 0; i < h->npanels; i++)
		free(h->title[i]);
	free(h->title);
	free(h->panel_of);
	free(h->curve);
	free(h->log);
	free(h->group_of);
	free(h->group);
	free(h->column);
}

void pict_curves(char **logs, int n, const struct pict_curves *c)
{
	struct chart h = {.nlogs = n ? n : 1};
	if (n > LOGS_MAX)
		die_usage("more than %d logs", LOGS_MAX);
	struct out *o = pict_open(&c->to);
	h.log = xcalloc((size_t)h.nlogs, sizeof *h.log);
	for (int i = 0; i < h.nlogs; i++)
		h.log[i] = pict_log_read(n ? logs[i] : NULL);
	name_logs(&h, c);
	choose_columns(&h, c);
	make_curves(&h, c);
	make_panels(&h, c);
	fit_axes(&h, c);
	draw(&h, c, o);
	free_chart(&h);
}
