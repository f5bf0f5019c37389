/* Memory as CUDA on the host knows it (host_stream.cc): device memory and pinned host memory, both between guard pages and NaN until they
 * are written; all other memory is pageable. */
#ifndef HOST_MEMORY_H
#define HOST_MEMORY_H

#include <stddef.h>

enum host_memory_kind { MEMORY_PAGEABLE, MEMORY_PINNED, MEMORY_DEVICE };

/* New memory of a kind, or NULL where there is none left. */
void *host_memory_new(enum host_memory_kind kind, size_t bytes);
/* Gives back memory that host_memory_new returned, after a check that nothing was written just outside of it; 0 where p is none of that
 * kind. */
int host_memory_free(enum host_memory_kind kind, void *p);
/* Bytes of the memory that begins at p; 0 where none does. */
size_t host_memory_size(const void *p);
/* The kind of the bytes from p on; `what` is said where they are only partly in device or pinned memory, which ends the program. */
enum host_memory_kind host_memory_kind(const void *p, size_t bytes, const char *what);
/* Bytes of device memory: used, and all (KEYPIPE_GPU_BYTES). */
size_t host_memory_used(void);
size_t host_memory_total(void);

#endif
