/* How a program ends: success (0), bad data or a failed system call (1), usage error (2). A failure prints one line on stderr,
 * `program: reason`, and runs the registered hooks: temporary files are removed, the reader of an output pipe gets an ABRT record. */
#ifndef ERR_H
#define ERR_H

#include <stddef.h>

#define NORETURN __attribute__((noreturn))
#define PRINTF(a, b) __attribute__((format(printf, a, b)))

/* Name used in messages; called first by opt_parse. The string is kept, not copied. */
void err_name(const char *program);
const char *err_program(void);
/* In messages, how a shell's command that writes this program's input goes on: "| PROGRAM", or what a program sets once that needs options
 * or an operand to read a pipe (opt_piped), or reads none: ">OTHER". Kept, not copied. */
void err_set_then(const char *then);
const char *err_then(void);

void die(const char *fmt, ...) PRINTF(1, 2) NORETURN;	    /* I/O, memory, malformed input: exit 1 */
void die_errno(const char *fmt, ...) PRINTF(1, 2) NORETURN; /* the same, `: strerror(errno)` appended */
void die_usage(const char *fmt, ...) PRINTF(1, 2) NORETURN; /* usage error: exit 2, refers to --help */
void warn(const char *fmt, ...) PRINTF(1, 2);		    /* one line; callers count repeated ones and print the sum */

/* Hook: fn(arg, reason) runs once in die, die_errno or die_usage, last registered first; err_remove_hook removes those of arg. At most 64.
 */
void err_add_hook(void (*fn)(void *arg, const char *reason), void *arg);
void err_remove_hook(void *arg);

/* Does not return where another thread is ending the program by die: called before what can't be taken back, as a file's rename. */
void err_unless_ending(void);

/* Of a process that is one of several of a run (lib/ranks): warnings are not printed, and a reason is given to fn, once, before the
 * hooks; fn NULL: both are printed again. */
void err_instead(void (*fn)(const char *reason));

/* Never NULL: out of memory ends the program; n may be 0. xcalloc checks the product for overflow. The caller frees with free(). */
void *xmalloc(size_t n);
void *xcalloc(size_t n, size_t size);
void *xrealloc(void *p, size_t n);
/* For large arrays: in huge pages where the system has them, uninitialised; freed with free(). */
void *xlarge(size_t n);
char *xstrdup(const char *s);
char *xprintf(const char *fmt, ...) PRINTF(1, 2);

#endif
