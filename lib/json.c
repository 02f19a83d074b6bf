#define FLT_MOD "json"
#include "lib/json.h"
#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "lib/config.h"
#include "lib/json_scan.h"

/* One tokener a thread: a new one costs as much as a short message (its stack of 17 levels). */
static pthread_key_t tokener_key;
static pthread_once_t tokener_once = PTHREAD_ONCE_INIT;
static _Thread_local struct json_tokener *thread_tokener;

static void tokener_destroy(void *tokener)
{
    json_tokener_free(tokener);
}

static void tokener_key_create(void)
{
    if (pthread_key_create(&tokener_key, tokener_destroy) != 0)
        abort(); /* out of thread keys at start: nothing can run */
}

static struct json_tokener *tokener_get(void)
{
    if (!thread_tokener) {
        pthread_once(&tokener_once, tokener_key_create);
        thread_tokener = json_tokener_new_ex(FLT_JSON_DEPTH_MAX + 1);
        if (thread_tokener)
            json_tokener_set_flags(thread_tokener, JSON_TOKENER_STRICT);
        (void)pthread_setspecific(tokener_key, thread_tokener);
    }
    return thread_tokener;
}

struct place {
    size_t line, column; /* from 1; columns in bytes */
};

static struct place place_of(const char *text, size_t offset)
{
    struct place place = { 1, 1 };

    for (size_t i = 0; i < offset; i++) {
        place.column = text[i] == '\n' ? 1 : place.column + 1;
        place.line += text[i] == '\n';
    }
    return place;
}

static void refuse(const char *text, size_t offset, const char *why, const char *name,
                   struct flt_error *error)
{
    const struct place at = place_of(text, offset);

    if (name)
        (void)flt_error_set(error, FLT_INVALID_ARGUMENT, NULL, NULL, "%s:%zu:%zu: %s", name,
                            at.line, at.column, why);
    else
        (void)flt_error_set(error, FLT_INVALID_ARGUMENT, NULL, NULL,
                            "not JSON at line %zu, column %zu: %s", at.line, at.column, why);
}

static void refuse_duplicate(const char *text, size_t length, const char *name,
                             struct flt_error *error)
{
    struct flt_json_scan found = { 0 };
    char why[128];

    if (flt_json_scan_duplicate(text, length, &found)) {
        (void)snprintf(why, sizeof why, "the key \"%.*s\" appears twice in one object",
                       found.key_length < 64 ? (int)found.key_length : 64, found.key);
        refuse(text, (size_t)(found.key - text), why, name, error);
    } else {
        refuse(text, 0, "a key appears twice in one object", name, error);
    }
}

static size_t count_members(struct json_object *tree)
{
    size_t count = 0;

    if (json_object_is_type(tree, json_type_array)) {
        const size_t length = json_object_array_length(tree);

        for (size_t i = 0; i < length; i++)
            count += count_members(json_object_array_get_idx(tree, i));
    } else if (json_object_is_type(tree, json_type_object)) {
        count = (size_t)json_object_object_length(tree);
        for (struct lh_entry *e = json_object_get_object(tree)->head; e; e = e->next)
            count += count_members((struct json_object *)lh_entry_v(e));
    }
    return count;
}

/* json-c on text that the scan let pass; false is memory, or a rule that json-c has and we do not.
 * A bare null gives NULL. */
static bool tokenize(const char *text, size_t length, struct json_object **tree)
{
    struct json_tokener *const tokener = tokener_get();

    *tree = NULL;
    if (!tokener)
        return false;
    json_tokener_reset(tokener);
    *tree = json_tokener_parse_ex(tokener, text, (int)length);
    if (json_tokener_get_error(tokener) == json_tokener_continue)
        *tree = json_tokener_parse_ex(tokener, "", 1); /* a bare number ends at its NUL */
    const bool ok = json_tokener_get_error(tokener) == json_tokener_success;

    if (!ok) {
        json_object_put(*tree);
        *tree = NULL;
    }
    json_tokener_reset(tokener);
    return ok;
}

struct json_object *flt_json_parse_named(const char *text, size_t length, const char *name,
                                         struct flt_error *error)
{
    struct flt_json_scan scan;

    if (length > FLT_JSON_BYTES_MAX) {
        refuse(text, 0, "over 16 MiB", name, error);
        return NULL;
    }
    if (!flt_json_scan(text, length, &scan)) {
        refuse(text, scan.offset, scan.why, name, error);
        return NULL;
    }
    struct json_object *tree;
    const bool ok = tokenize(text, length, &tree);

    if (!tree) {
        refuse(text, 0, ok ? "a bare null means nothing" : "out of memory, or json-c refused", name,
               error);
        return NULL;
    }
    if (count_members(tree) != scan.members) {
        refuse_duplicate(text, length, name, error);
        json_object_put(tree);
        return NULL;
    }
    return tree;
}

struct json_object *flt_json_parse(const char *text, size_t length, struct flt_error *error)
{
    return flt_json_parse_named(text, length, NULL, error);
}

struct json_object *flt_json_load(const char *path, struct flt_error *error)
{
    size_t length = 0;
    char *const text = flt_file_read(path, FLT_JSON_BYTES_MAX, &length);

    if (!text) {
        (void)flt_error_set(error, flt_error_from_errno(errno), NULL, NULL, "cannot read %s: %s",
                            path, strerror(errno));
        return NULL;
    }
    struct json_object *const tree = flt_json_parse_named(text, length, path, error);

    free(text);
    return tree;
}

struct json_object *flt_json_get(struct json_object *object, const char *key)
{
    struct json_object *value = NULL;

    return json_object_object_get_ex(object, key, &value) ? value : NULL;
}

bool flt_json_str(struct json_object *object, const char *key, const char **out)
{
    struct json_object *const value = flt_json_get(object, key);

    if (!json_object_is_type(value, json_type_string))
        return false;
    *out = json_object_get_string(value);
    return true;
}

/* "-"? digits, within int64. */
static bool int_from_text(const char *text, size_t length, int64_t *out)
{
    const bool negative = length > 0 && *text == '-';
    int64_t value = 0;

    if (length == negative)
        return false;
    for (size_t i = negative; i < length; i++) {
        const int digit = text[i] - '0';

        if (digit < 0 || digit > 9 || __builtin_mul_overflow(value, 10, &value) ||
            __builtin_add_overflow(value, negative ? -digit : digit, &value))
            return false;
    }
    *out = value;
    return true;
}

bool flt_json_int(struct json_object *object, const char *key, int64_t *out)
{
    struct json_object *const value = flt_json_get(object, key);

    if (json_object_is_type(value, json_type_string))
        return int_from_text(json_object_get_string(value),
                             (size_t)json_object_get_string_len(value), out);
    if (!json_object_is_type(value, json_type_int))
        return false;
    *out = json_object_get_int64(value);
    return true;
}

bool flt_json_bool(struct json_object *object, const char *key, bool *out)
{
    struct json_object *const value = flt_json_get(object, key);

    if (!json_object_is_type(value, json_type_boolean))
        return false;
    *out = json_object_get_boolean(value) != 0;
    return true;
}

bool flt_json_double(struct json_object *object, const char *key, double *out)
{
    struct json_object *const value = flt_json_get(object, key);

    const enum json_type type = json_object_get_type(value);

    if (type != json_type_double && type != json_type_int && type != json_type_string)
        return false;
    const double number = type == json_type_string
                              ? flt_dec_to_double(flt_dec_parse(json_object_get_string(value)))
                              : json_object_get_double(value);

    if (!isfinite(number))
        return false;
    *out = number;
    return true;
}

/* The digits as they were sent; NULL: neither number nor string. json-c keeps a parsed double's
 * text as its user data, which saves printing it. */
static const char *number_text(struct json_object *value)
{
    if (json_object_is_type(value, json_type_double)) {
        const char *const text = json_object_get_userdata(value);

        return text ? text : json_object_get_string(value);
    }
    return json_object_is_type(value, json_type_string) || json_object_is_type(value, json_type_int)
               ? json_object_get_string(value)
               : NULL;
}

bool flt_json_dec(struct json_object *object, const char *key, struct flt_dec *out)
{
    struct json_object *const value = flt_json_get(object, key);
    const struct flt_dec dec = json_object_is_type(value, json_type_int)
                                   ? flt_dec_from_int(json_object_get_int64(value))
                                   : flt_dec_parse(number_text(value));

    if (flt_dec_ok(dec))
        *out = dec;
    return flt_dec_ok(dec);
}

bool flt_json_amt(struct json_object *object, const char *key, struct flt_amt *out)
{
    const struct flt_amt amt = flt_amt_parse(number_text(flt_json_get(object, key)));

    if (flt_amt_ok(amt))
        *out = amt;
    return flt_amt_ok(amt);
}
