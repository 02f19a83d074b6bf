/* The writing half of lib/json.h: a growing buffer, and JSON on it. */
#include <inttypes.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "lib/dec_scan.h"
#include "lib/json.h"
#include "lib/json_scan.h"

/* Room for `more` bytes and the NUL. */
static bool reserve(struct flt_buf *buf, size_t more)
{
    size_t capacity = buf->capacity ? buf->capacity : 256;

    if (buf->failed || more >= SIZE_MAX / 4 - buf->length) {
        buf->failed = true;
        return false;
    }
    if (buf->length + more < buf->capacity)
        return true;
    while (capacity <= buf->length + more)
        capacity *= 2;
    char *const data = realloc(buf->data, capacity);

    if (!data) {
        buf->failed = true;
        return false;
    }
    buf->data = data;
    buf->capacity = capacity;
    return true;
}

void flt_buf_reset(struct flt_buf *buf)
{
    buf->length = 0;
    buf->failed = buf->comma = false;
    if (buf->data)
        buf->data[0] = '\0';
}

void flt_buf_finish(struct flt_buf *buf)
{
    free(buf->data);
    *buf = FLT_BUF_INIT;
}

void flt_buf_append(struct flt_buf *buf, const void *data, size_t length)
{
    if (!reserve(buf, length))
        return;
    if (length > 0)
        memcpy(buf->data + buf->length, data, length);
    buf->length += length;
    buf->data[buf->length] = '\0';
}

void flt_buf_printf(struct flt_buf *buf, const char *format, ...)
{
    va_list args;

    if (!reserve(buf, 64))
        return;
    const size_t room = buf->capacity - buf->length;

    va_start(args, format);
    const int length = vsnprintf(buf->data + buf->length, room, format, args);
    va_end(args);
    if (length < 0 || !reserve(buf, (size_t)length)) {
        buf->failed = true;
        buf->data[buf->length] = '\0';
        return;
    }
    if ((size_t)length >= room) {
        va_start(args, format);
        (void)vsnprintf(buf->data + buf->length, (size_t)length + 1, format, args);
        va_end(args);
    }
    buf->length += (size_t)length;
}

static void append_char(struct flt_buf *buf, char c)
{
    if (!reserve(buf, 1))
        return;
    buf->data[buf->length++] = c;
    buf->data[buf->length] = '\0';
}

/* One byte or sequence that cannot stand as it is; returns the bytes of text used. */
static size_t append_escaped(struct flt_buf *buf, const unsigned char *p, size_t left)
{
    static const char names[] = "\"\"\\\\\bb\ff\nn\rr\tt";
    static const char hex[] = "0123456789abcdef";
    char escape[6] = { '\\', 'u', '0', '0', 0, 0 };

    if (*p >= 0x80) {
        const size_t size = flt_utf8_size(p, left);

        if (size > 0)
            flt_buf_append(buf, p, size);
        else
            flt_buf_append(buf, "\xef\xbf\xbd", 3); /* U+FFFD for the one bad byte */
        return size > 0 ? size : 1;
    }
    for (size_t i = 0; i + 1 < sizeof names; i += 2)
        if (names[i] == (char)*p) {
            escape[1] = names[i + 1];
            flt_buf_append(buf, escape, 2);
            return 1;
        }
    escape[4] = hex[*p >> 4];
    escape[5] = hex[*p & 15];
    flt_buf_append(buf, escape, 6);
    return 1;
}

static void append_string(struct flt_buf *buf, const char *text, size_t length)
{
    const unsigned char *p = (const unsigned char *)text, *const end = p + length;

    append_char(buf, '"');
    while (p < end) {
        const unsigned char *const run = p;

        while (p < end && *p >= 0x20 && *p < 0x80 && *p != '"' && *p != '\\')
            p++;
        if (p > run)
            flt_buf_append(buf, run, (size_t)(p - run));
        if (p < end)
            p += append_escaped(buf, p, (size_t)(end - p));
    }
    append_char(buf, '"');
}

/* The comma that is due, and the key. */
static void start_item(struct flt_buf *buf, const char *key)
{
    if (buf->comma)
        append_char(buf, ',');
    if (key) {
        append_string(buf, key, strlen(key));
        append_char(buf, ':');
    }
    buf->comma = true;
}

void flt_jw_begin(struct flt_buf *buf, const char *key, char bracket)
{
    start_item(buf, key);
    append_char(buf, bracket);
    buf->comma = false;
}

void flt_jw_end(struct flt_buf *buf, char bracket)
{
    append_char(buf, bracket);
    buf->comma = true;
}

void flt_jw_str_n(struct flt_buf *buf, const char *key, const char *value, size_t length)
{
    if (!value) {
        flt_jw_null(buf, key);
        return;
    }
    start_item(buf, key);
    append_string(buf, value, length);
}

void flt_jw_str(struct flt_buf *buf, const char *key, const char *value)
{
    flt_jw_str_n(buf, key, value, value ? strlen(value) : 0);
}

void flt_jw_int(struct flt_buf *buf, const char *key, int64_t value)
{
    char text[24], *p = text;

    if (value < 0)
        *p++ = '-';
    p = flt_dec_put_digits(p, value < 0 ? 0 - (uint64_t)value : (uint64_t)value, 1);
    start_item(buf, key);
    flt_buf_append(buf, text, (size_t)(p - text));
}

void flt_jw_bool(struct flt_buf *buf, const char *key, bool value)
{
    flt_jw_raw(buf, key, value ? "true" : "false");
}

void flt_jw_double(struct flt_buf *buf, const char *key, double value)
{
    if (!isfinite(value)) {
        flt_jw_null(buf, key);
        buf->failed = true;
        return;
    }
    start_item(buf, key);
    flt_buf_printf(buf, "%.17g", value);
}

void flt_jw_dec(struct flt_buf *buf, const char *key, struct flt_dec value)
{
    char text[FLT_DEC_TEXT_MAX];

    if (flt_dec_ok(value)) {
        flt_jw_str(buf, key, flt_dec_format(value, text));
        return;
    }
    flt_jw_null(buf, key);
    buf->failed = true;
}

void flt_jw_amt(struct flt_buf *buf, const char *key, struct flt_amt value)
{
    char text[FLT_AMT_TEXT_MAX];

    if (flt_amt_ok(value)) {
        flt_jw_str(buf, key, flt_amt_format(value, text));
        return;
    }
    flt_jw_null(buf, key);
    buf->failed = true;
}

void flt_jw_null(struct flt_buf *buf, const char *key)
{
    flt_jw_raw(buf, key, "null");
}

void flt_jw_raw(struct flt_buf *buf, const char *key, const char *json)
{
    start_item(buf, key);
    flt_buf_append(buf, json, strlen(json));
}

void flt_jw_tree(struct flt_buf *buf, const char *key, struct json_object *tree)
{
    size_t length = 0;
    const char *const text = json_object_to_json_string_length(
        tree, JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE, &length);

    start_item(buf, key);
    if (text)
        flt_buf_append(buf, text, length);
    else
        buf->failed = true;
}
