/* The folders of stores, for the writer: locked, put in place, taken away. */
#pragma once
#include <stddef.h>
#include "lib/attr.h"
#include "lib/fail.h"

/* A hidden name beside `path`: "a/b/1m" and ".new" -> "a/b/.1m.new". */
FLT_MUST_USE int store_sibling(const char *path, const char *ending, char *out, size_t size);
/* The one writer's lock, held while `out` is open; folders above are made. -EBUSY. */
FLT_MUST_USE int store_lock(const char *path, int *out, struct flt_error *error);
FLT_MUST_USE int store_sync_parent(const char *path);
int store_remove(const char *path); /* none there: 0 */
/* Makes `fresh` the store at `path`, in one step; what was there is removed. */
FLT_MUST_USE int store_put_in_place(const char *fresh, const char *path);
