/* Rows by number, id and condition. */
#include <stdlib.h>

#include "lib/base/err.h"
#include "lib/base/ranges.h"
#include "lib/filter/expr.h"
#include "lib/filter/row_filter.h"

struct row_filter {
	struct ranges rows, ids;
	struct expr *where;
	struct row_value *value; /* of the condition's names */
	double *number;
	int id; /* tensor, or -1 */
};

static void parse_list(struct ranges *r, const char *option, const char *text, uint64_t least)
{
	char *why = text ? ranges_parse(r, text, least) : NULL;
	if (why)
		die_usage("--%s: %s", option, why);
}

struct row_filter *row_filter_new(const char *rows, const char *id, const char *where)
{
	struct row_filter *f = xcalloc(1, sizeof *f);
	char why[EXPR_WHY];
	parse_list(&f->rows, "rows", rows, 1);
	parse_list(&f->ids, "id", id, 0);
	if (where && !(f->where = expr_parse(where, why)))
		die_usage("--where '%s': %s", where, why);
	f->id = -1;
	return f;
}

void row_filter_begin(struct row_filter *f, const struct tns *t)
{
	if (f->ids.n)
		f->id = dataset_stream_require(t, "id", TNS_U32, 1);
	if (!f->where)
		return;
	f->value = xcalloc((size_t)f->where->nnames, sizeof *f->value);
	f->number = xcalloc((size_t)f->where->nnames, sizeof *f->number);
	for (int i = 0; i < f->where->nnames; i++) {
		char *option = xprintf("--where: at %d", f->where->name[i].at);
		row_value_find(&f->value[i], t, f->where->name[i].name, option);
		free(option);
	}
}

int row_filter_take(struct row_filter *f, const struct row_ref *r)
{
	if (f->rows.n && !ranges_take(&f->rows, r->number + 1))
		return 0;
	if (f->id >= 0 && !ranges_take(&f->ids, *(const uint32_t *)row_tensor(r, f->id)))
		return 0;
	for (int i = 0; f->where && i < f->where->nnames; i++)
		f->number[i] = row_value_get(&f->value[i], r);
	return !f->where || expr_true(f->where, f->number);
}

char *row_filter_end(struct row_filter *f, const struct tns *t, uint64_t rows)
{
	const struct range *over = ranges_over(&f->rows, rows);
	if (over)
		die("%s: --rows: %s: there are %llu rows", t->name, range_text(over), (unsigned long long)rows);
	return ranges_unmet(&f->ids, "id");
}

void row_filter_free(struct row_filter *f)
{
	for (int i = 0; f->value && i < f->where->nnames; i++)
		row_value_free(&f->value[i]);
	ranges_free(&f->rows), ranges_free(&f->ids);
	expr_free(f->where);
	free(f->value), free(f->number), free(f);
}
