#include "lib/json_scan.h"
#include <stdint.h>
#include <string.h>
#include "lib/json.h"

#define NUMBER_MAX 64 /* characters; no venue sends more */
#define EXPONENT10_MAX 308
#define KEYS_MAX 512 /* looked at for naming a duplicate */

struct keys {
    const char *text[KEYS_MAX];
    size_t length[KEYS_MAX];
    unsigned char depth[KEYS_MAX];
    size_t count;
};

struct scanner {
    const char *p, *end;
    uint32_t objects; /* bit d: level d is an object, else an array */
    unsigned depth;
    size_t members;
    const char *why;
    struct keys *keys;     /* NULL: not looking */
    const char *duplicate; /* the first key seen twice */
    size_t duplicate_length;
};

size_t flt_utf8_size(const unsigned char *p, size_t left)
{
    const size_t size = p[0] < 0x80 ? 1 : p[0] < 0xc2 ? 0 : p[0] < 0xe0 ? 2 : p[0] < 0xf0 ? 3 : 4;

    if (size == 0 || size > left || p[0] > 0xf4)
        return 0;
    for (size_t i = 1; i < size; i++)
        if ((p[i] & 0xc0) != 0x80)
            return 0;
    if ((p[0] == 0xe0 && p[1] < 0xa0) || (p[0] == 0xed && p[1] > 0x9f) ||
        (p[0] == 0xf0 && p[1] < 0x90) || (p[0] == 0xf4 && p[1] > 0x8f))
        return 0;
    return size;
}

static bool wrong(struct scanner *s, const char *why)
{
    s->why = why;
    return false;
}

static void skip_space(struct scanner *s)
{
    while (s->p < s->end && (*s->p == ' ' || *s->p == '\n' || *s->p == '\r' || *s->p == '\t'))
        s->p++;
}

/* Four hex digits at p, or -1. */
static int hex4(const char *p, const char *end)
{
    int value = 0;

    if (end - p < 4)
        return -1;
    for (int i = 0; i < 4; i++) {
        const char c = p[i];
        const int digit = c >= '0' && c <= '9'   ? c - '0'
                          : c >= 'a' && c <= 'f' ? c - 'a' + 10
                          : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                                 : -1;
        if (digit < 0)
            return -1;
        value = value << 4 | digit;
    }
    return value;
}

/* After a backslash. */
static bool scan_escape(struct scanner *s)
{
    if (s->p == s->end)
        return wrong(s, "the string does not end");
    if (*s->p != 'u') {
        if (!memchr("\"\\/bfnrt", *s->p, 8))
            return wrong(s, "unknown escape");
        s->p++;
        return true;
    }
    const int unit = hex4(s->p + 1, s->end);

    if (unit < 0)
        return wrong(s, "\\u needs four hex digits");
    if (unit == 0)
        return wrong(s, "a NUL character");
    if (unit >= 0xd800 && unit < 0xe000) { /* a pair, high half first */
        const char *const next = s->p + 5;
        const int low =
            s->end - next >= 6 && next[0] == '\\' && next[1] == 'u' ? hex4(next + 2, s->end) : -1;

        if (unit >= 0xdc00 || low < 0xdc00 || low >= 0xe000)
            return wrong(s, "half of a surrogate pair");
        s->p += 6;
    }
    s->p += 5;
    return true;
}

/* At the opening quote. */
static bool scan_string(struct scanner *s)
{
    s->p++;
    while (s->p < s->end) {
        const unsigned char c = (unsigned char)*s->p;

        if (c == '"') {
            s->p++;
            return true;
        }
        if (c == '\\') {
            s->p++;
            if (!scan_escape(s))
                return false;
        } else if (c < 0x20) {
            return wrong(s, "a control character in a string");
        } else if (c < 0x80) {
            s->p++;
        } else {
            const size_t size = flt_utf8_size((const unsigned char *)s->p, (size_t)(s->end - s->p));

            if (size == 0)
                return wrong(s, "not UTF-8");
            s->p += size;
        }
    }
    return wrong(s, "the string does not end");
}

static size_t skip_digits(struct scanner *s)
{
    const char *const start = s->p;

    while (s->p < s->end && *s->p >= '0' && *s->p <= '9')
        s->p++;
    return (size_t)(s->p - start);
}

static bool int64_fits(const char *digits, size_t count, bool negative)
{
    const char *const limit = negative ? "9223372036854775808" : "9223372036854775807";

    return count < 19 || (count == 19 && memcmp(digits, limit, 19) <= 0);
}

/* After 'e' or 'E'. json-c makes 1e400 an infinity, so it is stopped here. */
static bool scan_exponent(struct scanner *s, size_t whole_digits)
{
    const bool negative = s->p < s->end && *s->p == '-';
    int value = 0;

    if (s->p < s->end && (*s->p == '-' || *s->p == '+'))
        s->p++;
    const char *const start = s->p;
    const size_t count = skip_digits(s);

    if (count == 0)
        return wrong(s, "digits must follow the exponent's sign");
    for (size_t i = 0; i < count && value < 10000; i++)
        value = value * 10 + (start[i] - '0');
    if (negative ? value > EXPONENT10_MAX : value + (int)whole_digits > EXPONENT10_MAX)
        return wrong(s, "the number is out of range");
    return true;
}

static bool scan_number(struct scanner *s)
{
    const char *const start = s->p;
    const bool negative = *s->p == '-';
    bool whole = true;

    s->p += negative;
    const char *const digits = s->p;
    const size_t count = skip_digits(s);

    if (count == 0)
        return wrong(s, negative ? "digits must follow the minus" : "a value is missing here");
    if (count > 1 && *digits == '0') {
        s->p = digits;
        return wrong(s, "a number cannot start with 0");
    }
    if (count > NUMBER_MAX)
        return wrong(s, "the number is too long");
    if (s->p < s->end && *s->p == '.') {
        whole = false;
        s->p++;
        if (skip_digits(s) == 0)
            return wrong(s, "digits must follow the point");
    }
    if (s->p < s->end && (*s->p == 'e' || *s->p == 'E')) {
        whole = false;
        s->p++;
        if (!scan_exponent(s, count))
            return false;
    }
    if (s->p - start > NUMBER_MAX)
        return wrong(s, "the number is too long");
    if (whole && !int64_fits(digits, count, negative)) {
        s->p = start;
        return wrong(s, "the integer needs more than 64 bits; send it as a string");
    }
    return true;
}

static bool scan_word(struct scanner *s, const char *word, size_t length)
{
    if ((size_t)(s->end - s->p) < length || memcmp(s->p, word, length) != 0)
        return wrong(s, "not a JSON value");
    s->p += length;
    return true;
}

static void note_key(struct scanner *s, const char *key, size_t length)
{
    struct keys *const keys = s->keys;

    for (size_t i = keys->count; i-- > 0 && keys->depth[i] >= s->depth && !s->duplicate;)
        if (keys->depth[i] == s->depth && keys->length[i] == length &&
            memcmp(keys->text[i], key, length) == 0) {
            s->duplicate = key;
            s->duplicate_length = length;
        }
    if (keys->count < KEYS_MAX) {
        keys->text[keys->count] = key;
        keys->length[keys->count] = length;
        keys->depth[keys->count++] = (unsigned char)s->depth;
    }
}

/* A key and its colon. */
static bool scan_key(struct scanner *s)
{
    if (s->p == s->end || *s->p != '"')
        return wrong(s, "a key in double quotes is missing here");
    const char *const key = s->p + 1;

    if (!scan_string(s))
        return false;
    s->members++;
    if (s->keys)
        note_key(s, key, (size_t)(s->p - key) - 1);
    skip_space(s);
    if (s->p == s->end || *s->p != ':')
        return wrong(s, "a colon is missing here");
    s->p++;
    return true;
}

static bool in_object(const struct scanner *s)
{
    return (s->objects >> s->depth & 1) != 0;
}

static void leave(struct scanner *s)
{
    if (s->keys) /* what a closed object had is no duplicate of what its sibling has */
        while (s->keys->count > 0 && s->keys->depth[s->keys->count - 1] >= s->depth)
            s->keys->count--;
    s->depth--;
    s->p++;
}

/* At { or [: goes one level down; `*closed` when the container was empty. */
static bool enter(struct scanner *s, bool *closed)
{
    const bool object = *s->p == '{';

    if (s->depth == FLT_JSON_DEPTH_MAX)
        return wrong(s, "nested too deep");
    s->depth++;
    s->objects = (s->objects & ~(1u << s->depth)) | (uint32_t)object << s->depth;
    s->p++;
    skip_space(s);
    *closed = s->p < s->end && *s->p == (object ? '}' : ']');
    if (*closed) {
        leave(s);
        return true;
    }
    return !object || scan_key(s);
}

/* After a value: commas and closing brackets until another value is due, or the text is complete.
 */
static bool after_value(struct scanner *s, bool *complete)
{
    for (;;) {
        skip_space(s);
        *complete = s->depth == 0;
        if (*complete)
            return s->p == s->end || wrong(s, "something follows the JSON text");
        if (s->p == s->end)
            return wrong(s, in_object(s) ? "the object does not end" : "the array does not end");
        if (*s->p == (in_object(s) ? '}' : ']')) {
            leave(s);
            continue;
        }
        if (*s->p != ',')
            return wrong(s, "a comma or a closing bracket is missing here");
        s->p++;
        skip_space(s);
        return !in_object(s) || scan_key(s);
    }
}

/* One value; a container is only entered, and `*due` says that a value must follow inside. */
static bool scan_value(struct scanner *s, bool *due)
{
    bool closed = true;

    skip_space(s);
    *due = false;
    if (s->p == s->end)
        return wrong(s, "the text ends too early");
    switch (*s->p) {
    case '{':
    case '[':
        if (!enter(s, &closed))
            return false;
        *due = !closed;
        return true;
    case '"':
        return scan_string(s);
    case 't':
        return scan_word(s, "true", 4);
    case 'f':
        return scan_word(s, "false", 5);
    case 'n':
        return scan_word(s, "null", 4);
    default:
        return scan_number(s);
    }
}

static bool scan(struct scanner *s)
{
    bool due, complete = false;

    while (!complete) {
        if (!scan_value(s, &due))
            return false;
        if (!due && !after_value(s, &complete))
            return false;
    }
    return true;
}

bool flt_json_scan(const char *text, size_t length, struct flt_json_scan *out)
{
    struct scanner s = { .p = text, .end = text + length };
    const bool ok = scan(&s);

    *out = (struct flt_json_scan){ .offset = (size_t)(s.p - text),
                                   .why = s.why,
                                   .members = s.members };
    return ok;
}

bool flt_json_scan_duplicate(const char *text, size_t length, struct flt_json_scan *out)
{
    struct keys keys;
    struct scanner s = { .p = text, .end = text + length, .keys = &keys };

    keys.count = 0;
    if (!scan(&s) || !s.duplicate)
        return false;
    out->key = s.duplicate;
    out->key_length = s.duplicate_length;
    return true;
}
