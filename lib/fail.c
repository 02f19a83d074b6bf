#include "lib/fail.h"
#include <ctype.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* One row a code: its name on the wire, the command line's exit code (1 is for a bug of ours and 2
 * for a wrong use, as everywhere), and the errno that stands for it inside. */
static const struct {
    const char *name;
    int exit_code;
    int err;
} codes[FLT_ERROR_CODE_COUNT] = {
    [FLT_OK] = { "ok", 0, 0 },
    [FLT_NOT_FOUND] = { "not_found", 3, -ENOENT },
    [FLT_INVALID_ARGUMENT] = { "invalid_argument", 2, -EINVAL },
    [FLT_CONFLICT] = { "conflict", 4, -EEXIST },
    [FLT_DENIED] = { "denied", 5, -EACCES },
    [FLT_STALE] = { "stale", 6, -ESTALE },
    [FLT_EXPIRED] = { "expired", 7, -ETIME },
    [FLT_INSUFFICIENT_FUNDS] = { "insufficient_funds", 8, -EDQUOT },
    [FLT_RATE_LIMITED] = { "rate_limited", 9, -EAGAIN },
    [FLT_VENUE_ERROR] = { "venue_error", 10, -EREMOTEIO },
    [FLT_UNAVAILABLE] = { "unavailable", 11, -EHOSTDOWN },
    [FLT_INTERNAL] = { "internal", 1, -EIO },
};

int flt_fail_at(int err, const char *mod, const char *file, int line, const char *format, ...)
{
    char what[1024], why[128];
    va_list args;

    va_start(args, format);
    const int length = vsnprintf(what, sizeof what, format, args);
    va_end(args);
    const char *const text = strerror_r(err < 0 ? -err : err, why, sizeof why); /* GNU's */
    flt_log_write(FLT_LOG_ERROR, mod, "failed", "at=%s:%d err=%d errno=\"%s\" %s", file, line, err,
                  text, length < 0 ? "" : what);
    return err;
}

const char *flt_error_name(enum flt_error_code code)
{
    return code >= 0 && code < FLT_ERROR_CODE_COUNT ? codes[code].name : codes[FLT_INTERNAL].name;
}

enum flt_error_code flt_error_from_name(const char *name)
{
    for (int code = 0; name && code < FLT_ERROR_CODE_COUNT; code++)
        if (strcmp(name, codes[code].name) == 0)
            return (enum flt_error_code)code;
    return FLT_INTERNAL;
}

int flt_error_exit_code(enum flt_error_code code)
{
    return code >= 0 && code < FLT_ERROR_CODE_COUNT ? codes[code].exit_code : 1;
}

enum flt_error_code flt_error_from_errno(int err)
{
    static const struct {
        int err;
        enum flt_error_code code;
    } more[] = {
        { EPERM, FLT_DENIED },
        { EROFS, FLT_DENIED },
        { EBADMSG, FLT_INVALID_ARGUMENT },
        { EPROTO, FLT_INVALID_ARGUMENT },
        { ERANGE, FLT_INVALID_ARGUMENT },
        { EFBIG, FLT_INVALID_ARGUMENT },
        { EISDIR, FLT_INVALID_ARGUMENT },
        { ENOTDIR, FLT_INVALID_ARGUMENT },
        { ENAMETOOLONG, FLT_INVALID_ARGUMENT },
        { EBUSY, FLT_CONFLICT },
        { EADDRINUSE, FLT_CONFLICT },
        { ENOTCONN, FLT_UNAVAILABLE },
        { ECONNREFUSED, FLT_UNAVAILABLE },
        { ECONNRESET, FLT_UNAVAILABLE },
        { EPIPE, FLT_UNAVAILABLE },
        { EHOSTUNREACH, FLT_UNAVAILABLE },
        { ENETUNREACH, FLT_UNAVAILABLE },
        { ENOSPC, FLT_UNAVAILABLE },
        { ETIMEDOUT, FLT_UNAVAILABLE },
        { ENOBUFS, FLT_UNAVAILABLE },
    };

    for (int code = 0; code < FLT_ERROR_CODE_COUNT; code++)
        if (codes[code].err == (err < 0 ? err : -err))
            return (enum flt_error_code)code;
    for (size_t i = 0; i < FLT_COUNT(more); i++)
        if (more[i].err == (err < 0 ? -err : err))
            return more[i].code;
    return FLT_INTERNAL;
}

int flt_error_set(struct flt_error *error, enum flt_error_code code, const char *field,
                  const char *hint, const char *format, ...)
{
    if (error && error->code == FLT_OK) {
        va_list args;

        error->code = code;
        va_start(args, format);
        if (vsnprintf(error->message, sizeof error->message, format, args) < 0)
            error->message[0] = '\0';
        va_end(args);
        (void)snprintf(error->hint, sizeof error->hint, "%s", hint ? hint : "");
        (void)snprintf(error->field, sizeof error->field, "%s", field ? field : "");
    }
    return codes[code].err;
}

void flt_error_prefix(struct flt_error *error, const char *prefix)
{
    char field[sizeof error->field];

    if (!error || !prefix || !*prefix)
        return;
    const char *const dot = *error->field && *error->field != '[' ? "." : "";
    const int length = snprintf(field, sizeof field, "%s%s%s", prefix, dot, error->field);
    if (length >= 0)
        memcpy(error->field, field, sizeof field);
}

#define WORD_MAX 48

static size_t least(size_t a, size_t b)
{
    return a < b ? a : b;
}

/* Edits (insert, delete, replace, swap of neighbours) between two words, case aside. */
static size_t edit_distance(const char *a, size_t a_length, const char *b, size_t b_length)
{
    size_t rows[3][WORD_MAX + 1], *before = rows[0], *above = rows[1], *row = rows[2];

    for (size_t j = 0; j <= b_length; j++)
        above[j] = before[j] = j;
    for (size_t i = 1; i <= a_length; i++) {
        row[0] = i;
        for (size_t j = 1; j <= b_length; j++) {
            const int x = tolower((unsigned char)a[i - 1]), y = tolower((unsigned char)b[j - 1]);

            row[j] = least(above[j - 1] + (x != y), least(above[j], row[j - 1]) + 1);
            if (i > 1 && j > 1 && x == tolower((unsigned char)b[j - 2]) &&
                y == tolower((unsigned char)a[i - 2]))
                row[j] = least(row[j], before[j - 2] + 1);
        }
        size_t *const free_row = before;

        before = above;
        above = row;
        row = free_row;
    }
    return above[b_length];
}

const char *flt_nearest(const char *word, const char *const *names, size_t count)
{
    const size_t length = word ? strlen(word) : 0;
    size_t best = (length + 2) / 3 + 1; /* one edit in three letters is still near */
    const char *nearest = NULL;

    if (length == 0 || length > WORD_MAX)
        return NULL;
    for (size_t i = 0; i < count; i++) {
        const size_t name_length = strlen(names[i]);

        if (name_length > WORD_MAX)
            continue;
        const size_t distance = edit_distance(word, length, names[i], name_length);

        if (distance < best && distance < name_length) {
            best = distance;
            nearest = names[i];
        }
    }
    return nearest;
}
