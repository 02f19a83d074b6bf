/* The strict reading of JSON (RFC 8259) that lib/json.c puts before json-c; nobody else includes
 * it. */
#pragma once
#include <stdbool.h>
#include <stddef.h>

struct flt_json_scan {
    size_t offset;   /* of the first wrong byte */
    const char *why; /* NULL: well-formed */
    size_t members;  /* of all objects together; fewer in the tree means a duplicate key */
    const char *key; /* set by flt_json_scan_duplicate */
    size_t key_length;
};

bool flt_json_scan(const char *text, size_t length, struct flt_json_scan *out);
/* Finds the key that is there twice in one object, for the message; false: did not find it. */
bool flt_json_scan_duplicate(const char *text, size_t length, struct flt_json_scan *out);
/* Bytes of the UTF-8 sequence at `p` (of `left` bytes), 0: not one (RFC 3629: no surrogates, no
 * overlong forms, nothing above U+10FFFF). */
size_t flt_utf8_size(const unsigned char *p, size_t left);
