/* Failures, and errors towards people and programs.
 *
 * A failure is a negative errno, logged once where it starts:
 *     return FLT_FAIL(-EIO, "path=%s why=\"%s\"", path, sqlite3_errmsg(db));
 * and passed up unchanged. What a person or a client program did wrong (or the fleet cannot do now)
 * is a struct flt_error: a code from one table, a sentence, a hint and the path of the field.
 */
#pragma once
#include "lib/attr.h"
#include "lib/log.h"

/* Logs `ev=failed` with the source's place and strerror, returns `err`. */
#define FLT_FAIL(err, ...) flt_fail_at(err, FLT_MOD, __FILE__, __LINE__, __VA_ARGS__)
FLT_PRINTF(5, 6)
int flt_fail_at(int err, const char *mod, const char *file, int line, const char *format, ...);

enum flt_error_code {
    FLT_OK,
    FLT_NOT_FOUND,
    FLT_INVALID_ARGUMENT,
    FLT_CONFLICT,
    FLT_DENIED,
    FLT_STALE,
    FLT_EXPIRED,
    FLT_INSUFFICIENT_FUNDS,
    FLT_RATE_LIMITED,
    FLT_VENUE_ERROR,
    FLT_UNAVAILABLE,
    FLT_INTERNAL,
    FLT_ERROR_CODE_COUNT
};

struct flt_error {
    enum flt_error_code code;
    char message[256]; /* a sentence: what is wrong */
    char hint[192];    /* what to do next; "" if nothing helps */
    char field[128];   /* "bots[2].params.levels"; "" if no field */
};

const char *flt_error_name(enum flt_error_code code);      /* "not_found" */
enum flt_error_code flt_error_from_name(const char *name); /* unknown: FLT_INTERNAL */
int flt_error_exit_code(enum flt_error_code code); /* the CLI's, docs/cli.md lists them; OK: 0 */
enum flt_error_code flt_error_from_errno(int err); /* -ENOENT: not_found, -EACCES: denied, ... */

/* Fills `error` unless it holds one already (the first one is the cause). Returns the negative
 * errno that fits the code, so that a check can end with `return flt_error_set(...)`. A NULL
 * `error` is fine. */
FLT_PRINTF(5, 6)
int flt_error_set(struct flt_error *error, enum flt_error_code code, const char *field,
                  const char *hint, const char *format, ...);
/* Puts `prefix` (and a dot where one is needed) before error->field. */
void flt_error_prefix(struct flt_error *error, const char *prefix);
/* The nearest of `names` by edit distance, for "did you mean"; NULL when none is near. */
const char *flt_nearest(const char *word, const char *const *names, size_t count);
