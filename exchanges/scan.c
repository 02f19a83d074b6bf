#include "exchanges/scan.h"
#include <string.h>

static bool is_space(char c)
{
    return c == ' ' || c == '\n' || c == '\t' || c == '\r';
}

static void skip_space(struct scan *scan)
{
    while (scan->at < scan->end && is_space(*scan->at))
        scan->at++;
}

static struct scan open_at(const char *data, size_t size, char bracket)
{
    struct scan scan = { data, data + size, false };

    skip_space(&scan);
    if (scan.at == scan.end || *scan.at != bracket)
        scan.failed = true;
    else
        scan.at++;
    return scan;
}

struct scan scan_object(const char *data, size_t size)
{
    return open_at(data, size, '{');
}

struct scan scan_array(const char *data, size_t size)
{
    return open_at(data, size, '[');
}

static bool fail(struct scan *scan)
{
    scan->failed = true;
    return false;
}

/* At the opening quote; ends after the closing one. */
static bool read_string(struct scan *scan, struct span *out)
{
    const char *at = ++scan->at;

    while (at < scan->end && *at != '"') {
        if (*at == '\\' && at + 1 < scan->end)
            at++;
        at++;
    }
    if (at >= scan->end)
        return fail(scan);
    *out = (struct span){ scan->at, (size_t)(at - scan->at), true };
    scan->at = at + 1;
    return true;
}

/* An object or array as a whole, by its brackets. */
static bool read_nested(struct scan *scan, struct span *out)
{
    const char *start = scan->at;
    struct span inner;
    int depth = 0;

    while (scan->at < scan->end) {
        const char c = *scan->at;

        if (c == '"') {
            if (!read_string(scan, &inner))
                return false;
            continue;
        }
        scan->at++;
        if (c == '{' || c == '[')
            depth++;
        else if ((c == '}' || c == ']') && --depth == 0) {
            *out = (struct span){ start, (size_t)(scan->at - start), false };
            return true;
        }
    }
    return fail(scan);
}

static bool read_value(struct scan *scan, struct span *out)
{
    skip_space(scan);
    if (scan->at == scan->end)
        return fail(scan);
    if (*scan->at == '"')
        return read_string(scan, out);
    if (*scan->at == '{' || *scan->at == '[')
        return read_nested(scan, out);
    const char *start = scan->at;

    while (scan->at < scan->end && *scan->at != ',' && *scan->at != '}' && *scan->at != ']' &&
           !is_space(*scan->at))
        scan->at++;
    if (scan->at == start)
        return fail(scan);
    *out = (struct span){ start, (size_t)(scan->at - start), false };
    return true;
}

/* Past the separator; false at `bracket`, the end. */
static bool more(struct scan *scan, char bracket)
{
    if (scan->failed)
        return false;
    skip_space(scan);
    if (scan->at == scan->end)
        return fail(scan);
    if (*scan->at == bracket)
        return false;
    if (*scan->at == ',') {
        scan->at++;
        skip_space(scan);
    }
    return true;
}

bool scan_member(struct scan *scan, struct span *key, struct span *value)
{
    if (!more(scan, '}'))
        return false;
    if (scan->at == scan->end || *scan->at != '"' || !read_string(scan, key))
        return fail(scan);
    skip_space(scan);
    if (scan->at == scan->end || *scan->at != ':')
        return fail(scan);
    scan->at++;
    return read_value(scan, value);
}

bool scan_item(struct scan *scan, struct span *value)
{
    return more(scan, ']') && read_value(scan, value);
}

bool span_is(struct span span, const char *text)
{
    return span.text && strlen(text) == span.size && memcmp(span.text, text, span.size) == 0;
}

bool span_int(struct span span, int64_t *out)
{
    const bool negative = span.size > 0 && span.text[0] == '-';
    int64_t value = 0;

    if (!span.text || span.size <= (size_t)negative)
        return false;
    for (size_t i = negative; i < span.size; i++) {
        const int digit = span.text[i] - '0';

        if (digit < 0 || digit > 9 || __builtin_mul_overflow(value, 10, &value) ||
            __builtin_add_overflow(value, digit, &value))
            return false;
    }
    *out = negative ? -value : value;
    return true;
}

bool span_bool(struct span span)
{
    return span_is(span, "true");
}

struct flt_dec span_dec(struct span span)
{
    return span.text ? flt_dec_parse_n(span.text, span.size) : FLT_DEC_BAD;
}

struct flt_amt span_amt(struct span span)
{
    return span.text ? flt_amt_parse_n(span.text, span.size) : FLT_AMT_BAD;
}

bool span_copy(struct span span, char *out, size_t size)
{
    out[0] = '\0';
    if (!span.text || span.size >= size)
        return false;
    memcpy(out, span.text, span.size);
    out[span.size] = '\0';
    return true;
}
