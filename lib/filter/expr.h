/* Conditions on a row's values, as text: "error>5 && (labels>=4 || !(nose_tip.x < 40))".
 *
 *   condition   one with `&&` or `and` between (binds closer), with `||` or `or` between, `!` or `not` before it, or in parentheses
 *   comparison  VALUE < <= > >= == != VALUE; false where either is NaN, also of !=
 *   VALUE       a number (-1.5e3), or a name: of letters, digits and . _ / -, begun by a letter or _; others in '' or ""
 */
#ifndef EXPR_H
#define EXPR_H

enum { EXPR_WHY = 200, EXPR_NODES = 4096, EXPR_DEPTH = 100 };

struct expr_name {
	char *name;
	int at; /* where it stands first in the text, from 1 */
};

struct expr {
	int nnames, nnodes, root;
	struct expr_name *name; /* each once */
	struct expr_node *node; /* private */
};

/* NULL and the reason, "at 7: ...", in why, if the text is no condition. Freed with expr_free. */
struct expr *expr_parse(const char *text, char why[EXPR_WHY]);
/* value (nnames): of the names, in their order. */
int expr_true(const struct expr *e, const double *value);
void expr_free(struct expr *e);

#endif
