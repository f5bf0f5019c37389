/* tns-join - two data sets into one: each row of the first with the tensors of the row of the second that has the same id */
#include <stdlib.h>
#include <string.h>

#include "lib/base/err.h"
#include "lib/base/opt.h"
#include "lib/base/out.h"
#include "lib/stream/join.h"
#include "lib/stream/tns.h"

static struct {
	const char *output, *by, *take, *prefix;
	int inner, left, quiet;
	int64_t threads;
} o;

static const struct opt opts[] = {
	{0, "by", OPT_STR, &o.by, 0, 0, "TENSOR",
		"rows belong together that have the same value of this tensor of whole numbers; row: the same position; without it: id", 0},
	{0, "take", OPT_STR, &o.take, 0, 0, "NAME,...", "only these tensors of B, instead of all that A lacks", 0},
	{0, "prefix", OPT_STR, &o.prefix, 0, 0, "P",
		"put P before the names of B's tensors that A has too; without it, these must be the same, row by row", 0},
	{0, "inner", OPT_FLAG, &o.inner, 0, 0, 0, "drop rows without a partner, of A and of B, and count them; else they are an error", 0},
	{0, "left", OPT_FLAG, &o.left, 0, 0, 0,
		"keep all rows of A, with NaN in B's tensors where there is no partner; drop such rows of B, and count both", 0},
	OPT_OUTPUT(&o.output),
	OPT_QUIET(&o.quiet),
	OPT_THREADS(&o.threads),
	OPT_END,
};

static const struct opt_prog prog = {
	"tns-join",
	"put the tensors of data set B beside those of A, row by row, by id; B is read to its end before A: of one tee's two outputs, B "
	"must be a file",
	"A B",
	2,
	2,
	opts,
	{
		"predict a.tns faces.tns | tns-join --take predicted,confidence faces.tns - -o predicted.tns",
		"predict b.tns faces.tns | tns-join --take predicted,confidence --prefix b/ predicted.tns - | tns-info",
		"tns-split -q faces.tns -o some.tns -o rest.tns && tns-join --inner faces.tns some.tns | tns-info",
		NULL,
	},
};

static int is_stdin(const char *path)
{
	return !strcmp(path, "-");
}

int main(int argc, char **argv)
{
	int n;
	char **args = opt_parse(&prog, argc, argv, &n);
	static const char valid[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._/-";
	if (o.inner && o.left)
		die_usage("--inner and --left exclude each other");
	if (o.prefix && (!*o.prefix || o.prefix[strspn(o.prefix, valid)]))
		die_usage("--prefix: '%s' is no beginning of a tensor's name (A-Z a-z 0-9 . _ / -)", o.prefix);
	if (is_stdin(args[0]) && is_stdin(args[1]))
		die_usage("A and B can't both be stdin");
	struct join_options how = {o.by, o.take, o.prefix, o.inner ? JOIN_INNER : o.left ? JOIN_LEFT : JOIN_ERROR};
	struct join *j = join_open(args[0], args[1], &how);
	struct tns_writer *w = tns_create(o.output);
	struct join_counts c = join_run(j, w);
	tns_close(w);
	if (!o.quiet && (o.inner || o.left))
		warn("%llu rows; without a partner: %llu of %s (%s), %llu of %s (dropped)", (unsigned long long)c.rows,
			(unsigned long long)c.a, args[0], o.left ? "NaN" : "dropped", (unsigned long long)c.b, args[1]);
	return finish();
}
