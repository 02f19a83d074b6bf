#include "lib/amt.h"
#include <assert.h>
#include <math.h>
#include <string.h>
#include "lib/dec_scan.h"

#define UNITS_MAX ((flt_i128)(~(flt_u128)0 >> 1))

static flt_u128 magnitude(flt_i128 units)
{
    return units < 0 ? 0 - (flt_u128)units : (flt_u128)units;
}

/* A magnitude and a sign as an amount; bad when it needs the 128th bit. */
static struct flt_amt with_sign(flt_u128 size, bool negative)
{
    if (size > (flt_u128)UNITS_MAX)
        return FLT_AMT_BAD;
    return (struct flt_amt){ negative ? -(flt_i128)size : (flt_i128)size };
}

/* Quotient and rest: in one step of the processor where both fit it, as they nearly always do. */
static flt_u128 divide(flt_u128 size, flt_u128 divisor, flt_u128 *rest)
{
    if (size <= UINT64_MAX && divisor <= UINT64_MAX) {
        *rest = (uint64_t)size % (uint64_t)divisor;
        return (uint64_t)size / (uint64_t)divisor;
    }
    const flt_u128 quotient = size / divisor;

    *rest = size - quotient * divisor;
    return quotient;
}

/* The quotient, moved one away from zero where the rest and the direction ask for it. */
static flt_u128 rounded(flt_u128 quotient, flt_u128 rest, flt_u128 divisor, enum flt_round round)
{
    const bool half_away = rest > divisor - rest || (rest == divisor - rest && quotient % 2 != 0);

    if (rest == 0)
        return quotient;
    return quotient + (round == FLT_ROUND_UP || (round == FLT_ROUND_HALF_EVEN && half_away));
}

struct flt_amt flt_amt_parse_n(const char *text, size_t length)
{
    struct flt_dec_text scanned;
    flt_u128 size;

    if (!text || !flt_dec_scan(text, length, FLT_AMT_SCALE, &scanned) ||
        __builtin_mul_overflow(scanned.coef, (flt_u128)flt_pow10[FLT_AMT_SCALE - scanned.scale],
                               &size))
        return FLT_AMT_BAD;
    return with_sign(size, scanned.negative);
}

struct flt_amt flt_amt_parse(const char *text)
{
    return text ? flt_amt_parse_n(text, strlen(text)) : FLT_AMT_BAD;
}

char *flt_amt_format(struct flt_amt value, char *out)
{
    const flt_u128 size = magnitude(value.units), one = flt_pow10[FLT_AMT_SCALE];
    uint64_t fraction = size < one ? (uint64_t)size : (uint64_t)(size % one);
    const flt_u128 whole = size < one ? 0 : size / one;
    int scale = FLT_AMT_SCALE;
    char *p = out;

    if (!flt_amt_ok(value))
        return memcpy(out, "bad", sizeof "bad");
    if (value.units < 0)
        *p++ = '-';
    if (whole > UINT64_MAX) { /* up to 1.7e20, so one or two digits above 10^19 */
        p = flt_dec_put_digits(p, (uint64_t)(whole / flt_pow10[19]), 1);
        p = flt_dec_put_digits(p, (uint64_t)(whole % flt_pow10[19]), 19);
    } else {
        p = flt_dec_put_digits(p, (uint64_t)whole, 1);
    }
    if (fraction != 0) {
        for (; fraction % 10 == 0; scale--)
            fraction /= 10;
        *p++ = '.';
        p = flt_dec_put_digits(p, fraction, scale);
    }
    *p = '\0';
    return out;
}

struct flt_amt flt_amt_from_dec(struct flt_dec value)
{
    if (!flt_dec_ok(value))
        return FLT_AMT_BAD;
    return (struct flt_amt){ (flt_i128)value.coef *
                             (flt_i128)flt_pow10[FLT_AMT_SCALE - value.scale] };
}

struct flt_amt flt_amt_from_int(int64_t value)
{
    return (struct flt_amt){ (flt_i128)value * (flt_i128)flt_pow10[FLT_AMT_SCALE] };
}

struct flt_amt flt_amt_from_double(double value)
{
    const long double units = rintl((long double)value * 1e18L);

    if (!isfinite(value) || fabsl(units) >= 0x1p127L)
        return FLT_AMT_BAD;
    return (struct flt_amt){ (flt_i128)units };
}

struct flt_dec flt_amt_to_dec(struct flt_amt value, int scale, enum flt_round round)
{
    if (!flt_amt_ok(value) || scale < 0 || scale > FLT_DEC_SCALE_MAX)
        return FLT_DEC_BAD;
    const flt_u128 size = magnitude(value.units), unit = flt_pow10[FLT_AMT_SCALE - scale];
    flt_u128 rest, coef = divide(size, unit, &rest);

    coef = rounded(coef, rest, unit, round);
    if (coef > INT64_MAX)
        return FLT_DEC_BAD;
    return (struct flt_dec){ value.units < 0 ? -(int64_t)coef : (int64_t)coef, (int8_t)scale };
}

double flt_amt_to_double(struct flt_amt value)
{
    if (!flt_amt_ok(value))
        return (double)NAN;
    const long double high = (long double)(int64_t)(value.units >> 64) * 0x1p64L;

    return (double)((high + (long double)(uint64_t)value.units) / 1e18L); /* the sum rounds once */
}

struct flt_amt flt_amt_add(struct flt_amt a, struct flt_amt b)
{
    struct flt_amt sum;

    if (!flt_amt_ok(a) || !flt_amt_ok(b) || __builtin_add_overflow(a.units, b.units, &sum.units))
        return FLT_AMT_BAD;
    return sum;
}

struct flt_amt flt_amt_sub(struct flt_amt a, struct flt_amt b)
{
    return flt_amt_add(a, flt_amt_neg(b));
}

struct flt_amt flt_amt_neg(struct flt_amt a)
{
    return flt_amt_ok(a) ? (struct flt_amt){ -a.units } : FLT_AMT_BAD;
}

struct flt_amt flt_amt_product(struct flt_dec a, struct flt_dec b, enum flt_round round)
{
    if (!flt_dec_ok(a) || !flt_dec_ok(b))
        return FLT_AMT_BAD;
    const flt_i128 product = (flt_i128)a.coef * b.coef; /* at most 2^126 */
    const int scale = a.scale + b.scale;
    flt_u128 rest, size = magnitude(product);

    if (scale > FLT_AMT_SCALE) {
        const flt_u128 unit = flt_pow10[scale - FLT_AMT_SCALE];

        size = divide(size, unit, &rest);
        size = rounded(size, rest, unit, round);
    } else if (__builtin_mul_overflow(size, (flt_u128)flt_pow10[FLT_AMT_SCALE - scale], &size)) {
        return FLT_AMT_BAD;
    }
    return with_sign(size, product < 0);
}

/* a = whole * 10^scale + part, so a * b / 10^scale = whole * b + part * b / 10^scale: the second
 * product is below 2^123, and the first one overflows only when the result does. */
struct flt_amt flt_amt_mul(struct flt_amt a, struct flt_dec b, enum flt_round round)
{
    if (!flt_amt_ok(a) || !flt_dec_ok(b))
        return FLT_AMT_BAD;
    const flt_u128 unit = flt_pow10[b.scale], factor = magnitude(b.coef);
    flt_u128 part, rest, result;
    const flt_u128 whole = divide(magnitude(a.units), unit, &part);
    const flt_u128 more = divide(part * factor, unit, &rest);

    if (__builtin_mul_overflow(whole, factor, &result) ||
        __builtin_add_overflow(result, more, &result))
        return FLT_AMT_BAD;
    return with_sign(rounded(result, rest, unit, round), (a.units < 0) != (b.coef < 0));
}

/* rest * 10^18 / divisor, where rest < divisor <= 2^127. The product may need 187 bits, so when it
 * does it is kept in two halves and divided bit by bit. */
static flt_u128 scaled_quotient(flt_u128 rest, flt_u128 divisor, flt_u128 *rest_out)
{
    const flt_u128 one = flt_pow10[FLT_AMT_SCALE];
    flt_u128 low, quotient = 0;

    if (!__builtin_mul_overflow(rest, one, &low)) {
        *rest_out = low % divisor;
        return low / divisor;
    }
    const flt_u128 bottom = (flt_u128)(uint64_t)rest * one;
    const flt_u128 top = (rest >> 64) * one + (bottom >> 64);
    flt_u128 high = top >> 64; /* below 2^59, and below the divisor, as rest < divisor */

    low = top << 64 | (uint64_t)bottom;
    for (int bit = 127; bit >= 0; bit--) {
        high = high << 1 | (low >> bit & 1);
        quotient <<= 1;
        if (high >= divisor) {
            high -= divisor;
            quotient |= 1;
        }
    }
    *rest_out = high;
    return quotient;
}

struct flt_amt flt_amt_div(struct flt_amt a, struct flt_amt b, enum flt_round round)
{
    if (!flt_amt_ok(a) || !flt_amt_ok(b) || b.units == 0)
        return FLT_AMT_BAD;
    const flt_u128 size = magnitude(a.units), divisor = magnitude(b.units);
    flt_u128 whole, rest;
    const flt_u128 part = scaled_quotient(size % divisor, divisor, &rest);

    if (__builtin_mul_overflow(size / divisor, (flt_u128)flt_pow10[FLT_AMT_SCALE], &whole) ||
        __builtin_add_overflow(whole, part, &whole))
        return FLT_AMT_BAD;
    return with_sign(rounded(whole, rest, divisor, round), (a.units < 0) != (b.units < 0));
}

int flt_amt_cmp(struct flt_amt a, struct flt_amt b)
{
    assert(flt_amt_ok(a) && flt_amt_ok(b));
    return a.units < b.units ? -1 : a.units > b.units;
}

int64_t flt_amt_units(struct flt_amt value, struct flt_dec unit, enum flt_round round)
{
    if (!flt_amt_ok(value) || !flt_dec_ok(unit) || unit.coef <= 0)
        return INT64_MIN;
    const flt_u128 size = magnitude(value.units);
    const flt_u128 divisor = (flt_u128)flt_amt_from_dec(unit).units;
    flt_u128 rest, count = divide(size, divisor, &rest);

    count = rounded(count, rest, divisor, round);
    if (count > INT64_MAX)
        return INT64_MIN;
    return value.units < 0 ? -(int64_t)count : (int64_t)count;
}
