/* Where our own programs and the demo's data are, from where this executable is: beside it when
 * installed, else in the build folder's layout. */
#pragma once
#include <stddef.h>
#include "lib/attr.h"
#include "lib/fail.h"

/* "flotilla-node" and so on; FLT_UNAVAILABLE with a sentence when it is not built or installed. */
FLT_MUST_USE int program_find(const char *name, char *out, size_t size, struct flt_error *error);
FLT_MUST_USE int program_demo_dir(char *out, size_t size, struct flt_error *error);
