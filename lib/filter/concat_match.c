/* What of the inputs' tensors belongs together. */
#include <stdlib.h>
#include <string.h>

#include "lib/base/err.h"
#include "lib/filter/concat_io.h"
#include "lib/filter/point_order.h"
#include "lib/stream/names.h"
#include "lib/stream/point_tensors.h"

static const struct {
	const char *tensor, *meta;
	int dtype;
} tables[CONCAT_TABLES] = {{"label", "classes", TNS_U8}, {"file", "sources", TNS_U32}};

int concat_add_name(char ***names, int *n, const char *name)
{
	int at = *names ? names_index(*names, name) : -1;
	if (at >= 0)
		return at;
	*names = xrealloc(*names, ((size_t)*n + 2) * sizeof **names);
	(*names)[*n] = xstrdup(name);
	(*names)[*n + 1] = NULL;
	return (*n)++;
}

static int is_table(const struct tns_def *d, int table)
{
	return !strcmp(d->name, tables[table].tensor) && d->dtype == tables[table].dtype && d->row_bytes == tns_size(d->dtype);
}

/* ---- tensors by name ---- */

/* 1: the result has it from the inputs; `file` is made by --source. */
static int from_inputs(const struct concat *c, const char *name)
{
	return !c->o.source || strcmp(name, tables[CONCAT_FILE].tensor);
}

/* Ends the program where b has a tensor that a has not. */
static void check_all_there(const struct concat *c, const struct concat_input *a, const struct concat_input *b)
{
	for (int i = 0; i < b->head.ntensors; i++)
		if (from_inputs(c, b->head.def[i].name) && tns_find(&a->head, b->head.def[i].name) < 0)
			die("%s: there is no tensor %s, which %s has (--common takes those that all have)", a->head.name,
				b->head.def[i].name, b->head.name);
}

static void match_names(struct concat *c)
{
	const struct tns *first = &c->in[0].head;
	c->tensor = xcalloc((size_t)first->ntensors + 1, sizeof *c->tensor);
	for (int k = 1; k < c->n && !c->o.common; k++)
		check_all_there(c, &c->in[k], &c->in[0]), check_all_there(c, &c->in[0], &c->in[k]);
	for (int i = 0; i < first->ntensors; i++) {
		int all = from_inputs(c, first->def[i].name);
		for (int k = 1; k < c->n; k++)
			all &= tns_find(&c->in[k].head, first->def[i].name) >= 0;
		if (all)
			c->tensor[c->ntensors++] = (struct concat_tensor){.def = first->def[i], .table = -1};
	}
	if (!c->ntensors)
		die("%s: there is no tensor that all have", first->name);
	for (int k = 0; k < c->n; k++) {
		c->in[k].tensor = xcalloc((size_t)c->ntensors + 1, sizeof *c->in[k].tensor);
		for (int i = 0; i < c->ntensors; i++)
			c->in[k].tensor[i] = tns_find(&c->in[k].head, c->tensor[i].def.name);
	}
	if (!c->o.source)
		return;
	struct concat_tensor file = {.def = {.dtype = TNS_U32, .ndim = 1, .row_bytes = 4}, .table = CONCAT_FILE};
	strcpy(file.def.name, tables[CONCAT_FILE].tensor);
	for (int k = 0; k < c->n; k++)
		c->in[k].tensor[c->ntensors] = tns_find(&c->in[k].head, file.def.name);
	c->tensor[c->ntensors++] = file;
}

/* ---- points ---- */

static void read_points(struct concat_input *in)
{
	const char *list = tns_meta_value(&in->head, "points");
	if (!list)
		return;
	in->points = names_split(list, &in->k);
	for (int i = 0; i < in->k; i++)
		if (names_index(in->points, in->points[i]) != i)
			die("%s: META points: two are named %s", in->head.name, in->points[i]);
}

/* The axis of the tensor's points, in all inputs; 0: it has none, or they are not named. */
static int match_axis(const struct concat *c, int tensor)
{
	int axis = 0;
	for (int k = 0; k < c->n; k++) {
		const struct concat_input *in = &c->in[k];
		int own = in->points && in->tensor[tensor] >= 0 ? point_axis(&in->head, &in->head.def[in->tensor[tensor]], in->k) : 0;
		const struct concat_input *with = own ? in : &c->in[0], *without = own ? &c->in[0] : in;
		if (k && own != axis && !without->points)
			die("%s: there is no META points, which %s has, to match %s by", without->head.name, with->head.name,
				c->tensor[tensor].def.name);
		if (k && own != axis && !points_named(&c->tensor[tensor].def)) /* as many as points in some input, by chance */
			return 0;
		if (k && own != axis)
			die("%s: %s has a value or more a point, in %s it has one of all", with->head.name, c->tensor[tensor].def.name,
				without->head.name);
		axis = own;
	}
	return axis;
}

static void match_points(struct concat *c)
{
	int any = 0;
	for (int k = 0; k < c->n; k++)
		read_points(&c->in[k]);
	for (int i = 0; i < c->ntensors; i++)
		any |= c->tensor[i].axis = match_axis(c, i);
	if (!any)
		return;
	for (int k = 0; k < c->n; k++)
		for (int i = 0; i < c->in[k].k; i++)
			concat_add_name(&c->points, &c->npoints, c->in[k].points[i]);
	for (int k = 0; k < c->n; k++) {
		struct concat_input *in = &c->in[k];
		int same = in->k == c->npoints;
		in->order = xcalloc((size_t)c->npoints, sizeof *in->order);
		for (int i = 0; i < c->npoints; i++) {
			in->order[i] = names_index(in->points, c->points[i]);
			same &= in->order[i] == i;
		}
		for (int i = 0; i < c->ntensors && in->k < c->npoints; i++)
			if (c->tensor[i].axis && !point_has_nan(c->tensor[i].def.dtype))
				die("%s: %s is %s, which has no NaN for the points that it lacks", in->head.name, c->tensor[i].def.name,
					tns_dtype_name(c->tensor[i].def.dtype));
		if (same)
			free(in->order), in->order = NULL;
	}
}

/* ---- shapes ---- */

static char *shape(const struct tns_def *d)
{
	char *s = xprintf("%s (rows", tns_dtype_name(d->dtype)), *old;
	for (int i = 1; i < d->ndim; i++) {
		s = xprintf("%s, %llu", old = s, (unsigned long long)d->dim[i]);
		free(old);
	}
	s = xprintf("%s)", old = s);
	free(old);
	return s;
}

static void match_shapes(struct concat *c)
{
	for (int i = 0; i < c->ntensors; i++) {
		struct concat_tensor *x = &c->tensor[i];
		const struct tns_def *a = &c->in[0].head.def[c->in[0].tensor[i]];
		for (int k = 1; k < c->n && x->table != CONCAT_FILE; k++) {
			const struct tns_def *b = &c->in[k].head.def[c->in[k].tensor[i]];
			int same = a->dtype == b->dtype && a->ndim == b->ndim;
			for (int j = 1; j < a->ndim && same; j++)
				same = j == x->axis || a->dim[j] == b->dim[j];
			if (!same)
				die("%s: %s is %s, in %s it is %s", c->in[k].head.name, a->name, shape(b), c->in[0].head.name, shape(a));
		}
		if (x->axis) {
			x->def.dim[x->axis] = (uint64_t)c->npoints;
			x->def.row_bytes = point_row_bytes(a, x->axis, c->npoints);
		}
		x->def.dim[0] = TNS_UNLIMITED;
	}
}

/* ---- numbers into lists of names ---- */

/* An input's base name without commas. */
static char *base_name(const struct concat_input *in)
{
	const char *slash = strrchr(in->head.name, '/');
	char *name = xstrdup(slash && slash[1] ? slash + 1 : in->head.name);
	for (char *s = name; (s = strchr(s, ','));)
		*s = '_';
	return name;
}

/* The base name, numbered where the list has it already. */
static void add_own_name(struct concat_input *in, char ***names, int *n, int table)
{
	char *base = base_name(in), *name = xstrdup(base);
	for (int i = 2; *names && names_index(*names, name) >= 0; i++) {
		free(name);
		name = xprintf("%s (%d)", base, i);
	}
	in->number[table] = xcalloc(1, sizeof(uint32_t));
	in->number[table][0] = (uint32_t)concat_add_name(names, n, name);
	in->numbers[table] = 1;
	free(base), free(name);
}

static void add_names(struct concat_input *in, char ***names, int *n, int table)
{
	char **own = names_split(tns_meta_value(&in->head, tables[table].meta), &in->numbers[table]);
	in->number[table] = xcalloc((size_t)in->numbers[table], sizeof(uint32_t));
	for (int i = 0; i < in->numbers[table]; i++)
		in->number[table][i] = (uint32_t)concat_add_name(names, n, own[i]);
	names_free(own);
}

/* 1: of each input or of none; ends the program where only some have the META. made: `file` of --source, which they need not have. */
static int have_names(const struct concat *c, int table, int tensor, int made)
{
	const struct concat_input *with = NULL, *without = NULL;
	for (int k = 0; k < c->n; k++)
		*(tns_meta_value(&c->in[k].head, tables[table].meta) ? &with : &without) = &c->in[k];
	if (with && without && !made)
		die("%s: there is no META %s, which %s has, to match %s by", without->head.name, tables[table].meta, with->head.name,
			c->tensor[tensor].def.name);
	return with || made;
}

static void match_table(struct concat *c, int table, int tensor)
{
	int n = 0, made = table == CONCAT_FILE && c->o.source;
	int differ = 0;
	if (!made && !is_table(&c->tensor[tensor].def, table))
		return;
	if (!have_names(c, table, tensor, made))
		return;
	c->tensor[tensor].table = table;
	for (int k = 0; k < c->n; k++) {
		struct concat_input *in = &c->in[k];
		int id = in->tensor[tensor],
		    has = id >= 0 && is_table(&in->head.def[id], table) && tns_meta_value(&in->head, tables[table].meta);
		if (id >= 0 && !has)
			die("%s: tensor %s is not u32 with META %s: its place is taken", in->head.name, tables[table].tensor,
				tables[table].meta);
		if (has)
			add_names(in, &c->table[table], &n, table);
		else
			add_own_name(in, &c->table[table], &n, table);
	}
	for (int k = 0; k < c->n; k++) {
		differ |= c->in[k].numbers[table] != n;
		for (int i = 0; i < c->in[k].numbers[table]; i++)
			differ |= c->in[k].number[table][i] != (uint32_t)i;
		if (differ && table == CONCAT_LABEL)
			for (int i = 0; i < c->ntensors; i++)
				if (!strcmp(c->tensor[i].def.name, "score"))
					die("%s: META classes is not that of %s, and score is by classes", c->in[k].head.name,
						c->in[k ? 0 : 1].head.name);
	}
	if (table == CONCAT_LABEL && n > 256)
		die("%s: %d classes in all, but labels have 256 values", c->in[c->n - 1].head.name, n);
}

void concat_match(struct concat *c)
{
	match_names(c);
	match_points(c);
	match_shapes(c);
	for (int i = 0; i < c->ntensors; i++)
		for (int table = 0; table < CONCAT_TABLES; table++)
			if (!strcmp(c->tensor[i].def.name, tables[table].tensor))
				match_table(c, table, i);
	if (c->o.renumber) {
		int id = -1;
		for (int i = 0; i < c->ntensors; i++)
			if (!strcmp(c->tensor[i].def.name, "id") && c->tensor[i].def.dtype == TNS_U32 && c->tensor[i].def.row_bytes == 4)
				id = i;
		if (id < 0)
			die("%s: there is no tensor id, one u32 a row, to renumber", c->in[0].head.name);
	}
}
