/* Reads decimal text for lib/dec.c and lib/amt.c; nobody else includes it.
 *
 * Grammar: [+-] digits [. digits] [(e|E) [+-] digits]. Zeros at the end of the fraction are dropped
 * on the way, so that "64123.10000000" has scale 1. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "lib/amt.h"

struct flt_dec_text {
    flt_u128 coef;
    int scale; /* value = coef / 10^scale, 0..scale_max once scanned */
    bool negative;
};

/* False: not a number, or not exact with `scale_max` decimals in 128 bits. */
bool flt_dec_scan(const char *text, size_t length, int scale_max, struct flt_dec_text *out);

extern const uint64_t flt_pow10[20]; /* 10^0 .. 10^19 */

/* Writes the digits of `value` with at least `width` of them (zeros in front); returns the end. */
char *flt_dec_put_digits(char *out, uint64_t value, int width);
