/* Lists of names with wildcards, "eye*,nose_tip": each a name, or a pattern of fnmatch(3) (* ? [...]) for whole names. */
#ifndef GLOBS_H
#define GLOBS_H

/* Ends the program (2) if an item of the list is empty; option: its name in the message. */
void globs_check(const char *option, const char *list);
/* Numbers of the n names that the list's items match, into to (n): in the order of the items, those of one item in the order of the names,
 * each once. Returns how many; *none (may be NULL) is the first item that matches no name, to be freed, or NULL. */
int globs_match(const char *list, char *const *names, int n, int *to, char **none);

#endif
