/* A file, plain or gzip, read in one stream; gzip is unpacked on a thread of its own some buffers
 * ahead, so that who reads it has a core for the rows. A file that one buffer holds, or that is not
 * packed, is read in place.
 *
 * Not for loops that serve others: reading waits. Threads: one a reader. */
#pragma once
#include <stddef.h>
#include <sys/types.h>
#include "lib/attr.h"

struct flt_ahead;

/* Negative errno: the file cannot be opened. */
FLT_MUST_USE int flt_ahead_open(const char *path, struct flt_ahead **out);
/* Bytes read into `data`, at least one of up to `size`; 0: the end; negative: it cannot be read on,
 * -EPIPE when a gzip file ends too early. `why` (borrowed) is then a reason in words. */
FLT_MUST_USE ssize_t flt_ahead_read(struct flt_ahead *ahead, void *data, size_t size,
                                    const char **why);
void flt_ahead_close(struct flt_ahead *ahead); /* at any time; NULL is fine */
