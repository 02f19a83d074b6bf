/* JSON: json-c behind a strict door, and a writer for what we send.
 *
 * Parsing refuses what json-c lets pass: NaN, Infinity, single quotes, comments, duplicate keys,
 * trailing bytes, embedded NUL, depth over 16, integers beyond int64. Trees are json-c's own
 * (`struct json_object *`, put with json_object_put). Decimals are strings on our wire; numbers
 * from venues keep their text (flt_json_dec reads both). Threads: a tree belongs to one.
 */
#pragma once
#include <json-c/json.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "lib/amt.h"
#include "lib/attr.h"
#include "lib/dec.h"
#include "lib/fail.h"

#define FLT_JSON_DEPTH_MAX 16
#define FLT_JSON_BYTES_MAX ((size_t)16 * 1024 * 1024)

/* NULL on bad text; `error` (may be NULL) then says where and why. */
struct json_object *flt_json_parse(const char *text, size_t length, struct flt_error *error);
/* As above; the message starts with "name:line:column". */
struct json_object *flt_json_parse_named(const char *text, size_t length, const char *name,
                                         struct flt_error *error);
/* A whole file; `error` names path, line and column. */
struct json_object *flt_json_load(const char *path, struct flt_error *error);

/* Typed readers: false when the key is missing, null, or of another type or range; `out` is then
 * untouched. Strings are borrowed from the tree. Numbers may come as JSON strings of digits too:
 * our wire has decimals so, and a configuration in YAML has all that are not whole. */
bool flt_json_str(struct json_object *object, const char *key, const char **out);
bool flt_json_int(struct json_object *object, const char *key, int64_t *out);
bool flt_json_bool(struct json_object *object, const char *key, bool *out);
bool flt_json_double(struct json_object *object, const char *key, double *out); /* finite only */
bool flt_json_dec(struct json_object *object, const char *key, struct flt_dec *out);
bool flt_json_amt(struct json_object *object, const char *key, struct flt_amt *out);
struct json_object *flt_json_get(struct json_object *object, const char *key); /* NULL: missing */

/* A growing text buffer with a JSON writer on it. A failed allocation sets `failed`; check once at
 * the end. Commas and escaping are its work; nesting is the caller's. Keys are literals. */
struct flt_buf {
    char *data; /* always NUL-terminated once anything was written */
    size_t length, capacity;
    bool failed;
    bool comma; /* the next item needs one */
};

#define FLT_BUF_INIT ((struct flt_buf){ 0 })
void flt_buf_reset(struct flt_buf *buf);  /* empty, memory kept */
void flt_buf_finish(struct flt_buf *buf); /* frees */
void flt_buf_append(struct flt_buf *buf, const void *data, size_t length);
FLT_PRINTF(2, 3) void flt_buf_printf(struct flt_buf *buf, const char *format, ...);

/* `key` NULL: an array's item. A bad decimal or a non-finite double is written as null and sets
 * `failed`: a broken number never leaves the process unnoticed. */
void flt_jw_begin(struct flt_buf *buf, const char *key, char bracket);    /* '{' or '[' */
void flt_jw_end(struct flt_buf *buf, char bracket);                       /* '}' or ']' */
void flt_jw_str(struct flt_buf *buf, const char *key, const char *value); /* NULL: null */
void flt_jw_str_n(struct flt_buf *buf, const char *key, const char *value, size_t length);
void flt_jw_int(struct flt_buf *buf, const char *key, int64_t value);
void flt_jw_bool(struct flt_buf *buf, const char *key, bool value);
void flt_jw_double(struct flt_buf *buf, const char *key, double value);      /* 17 digits */
void flt_jw_dec(struct flt_buf *buf, const char *key, struct flt_dec value); /* as a string */
void flt_jw_amt(struct flt_buf *buf, const char *key, struct flt_amt value); /* as a string */
void flt_jw_null(struct flt_buf *buf, const char *key);
void flt_jw_raw(struct flt_buf *buf, const char *key, const char *json); /* well-formed text */
void flt_jw_tree(struct flt_buf *buf, const char *key, struct json_object *tree);
