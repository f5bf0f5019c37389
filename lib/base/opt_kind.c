#include <string.h>

#include "lib/base/err.h"
#include "lib/base/nearest.h"
#include "lib/base/opt_kind.h"

NORETURN static void die_kind(const struct opt_prog *prog, int at, const char *words, const char *missing, int argc, char **argv)
{
	int n, asked = !at;
	for (int i = 1; i < argc; i++)
		asked |= !strcmp(argv[i], "-h") || !strcmp(argv[i], "--help") || !strcmp(argv[i], "-V") || !strcmp(argv[i], "--version");
	if (asked)
		opt_parse(prog, argc, argv, &n);
	err_name(prog->name);
	if (!at)
		die_usage("%s", missing);
	struct nearest near = nearest_of(argv[at]);
	nearest_add_choices(&near, words);
	die_usage("'%s' is not one of %s%s", argv[at], near.list, nearest_hint(&near));
}

int opt_kind(const struct opt_prog *prog, const struct opt_prog *const *kinds, int n, const char *words, const char *missing, int argc,
	char **argv)
{
	for (int kind = 0; kind < n; kind++) {
		int at = opt_first_operand(kinds[kind]->opts, argc, argv);
		if (at && !strcmp(argv[at], strchr(kinds[kind]->name, ' ') + 1)) {
			memmove(argv + at, argv + at + 1, (size_t)(argc - at) * sizeof *argv);
			return kind;
		}
	}
	die_kind(prog, opt_first_operand(kinds[0]->opts, argc, argv), words, missing, argc, argv);
}
