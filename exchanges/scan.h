/* A reader for the small JSON objects of market streams, in place and without memory.
 *
 * For the frames that come thousands of times a second: one pass over the bytes finds the value of
 * each key. It checks structure only as far as it reads (a nested value is passed over by its
 * brackets) and never reads outside [data, data + size). Whatever must be read strictly goes
 * through lib/json.h instead. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "lib/amt.h"
#include "lib/dec.h"

struct span { /* text NULL: not there. Strings without their quotes, escapes left as they are. */
    const char *text;
    size_t size;
    bool is_string;
};

struct scan {
    const char *at, *end;
    bool failed;
};

struct scan scan_object(const char *data, size_t size); /* at an object's first key */
struct scan scan_array(const char *data, size_t size);
/* The next member or item; false at the end, or with `failed` set on bad text. */
bool scan_member(struct scan *scan, struct span *key, struct span *value);
bool scan_item(struct scan *scan, struct span *value);

bool span_is(struct span span, const char *text);
bool span_int(struct span span, int64_t *out); /* a number, or a string of one */
bool span_bool(struct span span);              /* false unless it says true */
struct flt_dec span_dec(struct span span);     /* FLT_DEC_BAD when missing or bad */
struct flt_amt span_amt(struct span span);
bool span_copy(struct span span, char *out, size_t size); /* false: missing or too long; out "" */
