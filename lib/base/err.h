/* How a program ends: done (0), the data or the machine failed (1), wrong use (2). A failure is one line on stderr,
 * `program: reason`, and undoes what was begun: temporary files go, consumers of a stream are told. */
#ifndef ERR_H
#define ERR_H

#include <stddef.h>

#define NORETURN __attribute__((noreturn))
#define PRINTF(a, b) __attribute__((format(printf, a, b)))

/* Name used in messages; called first by opt_parse. The string is kept, not copied. */
void err_name(const char *program);
const char *err_program(void);

void die(const char *fmt, ...) PRINTF(1, 2) NORETURN;	    /* the world is wrong: exit 1 */
void die_errno(const char *fmt, ...) PRINTF(1, 2) NORETURN; /* the same, `: strerror(errno)` appended */
void die_usage(const char *fmt, ...) PRINTF(1, 2) NORETURN; /* wrong use: exit 2, points at --help */
void warn(const char *fmt, ...) PRINTF(1, 2);		    /* one line; callers count, and sum up */

/* fn(arg, reason) runs once when the program dies, last registered first; err_forget drops it. At most 64 at a time. */
void err_on_death(void (*fn)(void *arg, const char *reason), void *arg);
void err_forget(void *arg);

/* Memory or death; n may be 0. xcalloc checks the product. The caller frees with free(). */
void *xmalloc(size_t n);
void *xcalloc(size_t n, size_t size);
void *xrealloc(void *p, size_t n);
/* For what is large: in large pages where the system has them, not cleared; freed with free(). */
void *xlarge(size_t n);
char *xstrdup(const char *s);
char *xprintf(const char *fmt, ...) PRINTF(1, 2);

#endif
