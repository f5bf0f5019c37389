/* Sizes of the buffers that text and records pass through. Fuzzers are built with -DBUFFER_SHIFT=7, so that a file of a few KB fills a
 * buffer many times: what happens at its ends is tried at all places of the file, and no run clears 256 KiB. */
#ifndef BUFFERS_H
#define BUFFERS_H

#ifndef BUFFER_SHIFT
#define BUFFER_SHIFT 0
#endif
/* A buffer of so many KiB. */
#define BUFFER_KIB(n) (((n) << 10) >> BUFFER_SHIFT)

#endif
