#include "lib/dec.h"
#include <assert.h>
#include <math.h>
#include <string.h>
#include "lib/dec_scan.h"

typedef flt_i128 i128; /* a product of two coefficients needs up to 126 bits */

static inline i128 pow10_i128(int exponent)
{
    return (i128)flt_pow10[exponent];
}

static bool fits(i128 coef)
{
    return coef <= INT64_MAX && coef >= -INT64_MAX;
}

/* Drops decimals until the coefficient fits, rounding once, as the caller said. */
static struct flt_dec fit(i128 coef, int scale, enum flt_round round)
{
    i128 unit = 1;

    if (scale <= FLT_DEC_SCALE_MAX && fits(coef))
        return (struct flt_dec){ (int64_t)coef, (int8_t)scale };
    while (scale > FLT_DEC_SCALE_MAX || coef / unit >= INT64_MAX || coef / unit <= -INT64_MAX) {
        if (scale == 0)
            return FLT_DEC_BAD;
        unit *= 10;
        scale--;
    }
    i128 quotient = coef / unit;
    const i128 rest = coef % unit < 0 ? -(coef % unit) : coef % unit;
    const bool half_away = rest * 2 > unit || (rest * 2 == unit && quotient % 2 != 0);

    if (round == FLT_ROUND_UP ? rest != 0 : round == FLT_ROUND_HALF_EVEN && half_away)
        quotient += coef < 0 ? -1 : 1;
    return (struct flt_dec){ (int64_t)quotient, (int8_t)scale };
}

/* As fit(), for sums: only zeros may be dropped. */
static struct flt_dec fit_exact(i128 coef, int scale)
{
    while (!fits(coef) && scale > 0 && coef % 10 == 0) {
        coef /= 10;
        scale--;
    }
    if (!fits(coef))
        return FLT_DEC_BAD;
    return (struct flt_dec){ (int64_t)coef, (int8_t)scale };
}

struct flt_dec flt_dec_parse_n(const char *text, size_t length)
{
    struct flt_dec_text scanned;

    if (!text || !flt_dec_scan(text, length, FLT_DEC_SCALE_MAX, &scanned) ||
        scanned.coef > INT64_MAX)
        return FLT_DEC_BAD;
    const int64_t coef = (int64_t)scanned.coef;

    return (struct flt_dec){ scanned.negative ? -coef : coef, (int8_t)scanned.scale };
}

struct flt_dec flt_dec_parse(const char *text)
{
    return text ? flt_dec_parse_n(text, strlen(text)) : FLT_DEC_BAD;
}

char *flt_dec_format(struct flt_dec value, char *out)
{
    uint64_t size = value.coef < 0 ? 0 - (uint64_t)value.coef : (uint64_t)value.coef;
    int scale = value.scale;
    char *p = out;

    if (!flt_dec_ok(value))
        return memcpy(out, "bad", sizeof "bad");
    while (scale > 0 && size % 10 == 0) {
        size /= 10;
        scale--;
    }
    if (value.coef < 0)
        *p++ = '-';
    p = flt_dec_put_digits(p, size / flt_pow10[scale], 1);
    if (scale > 0) {
        *p++ = '.';
        p = flt_dec_put_digits(p, size % flt_pow10[scale], scale);
    }
    *p = '\0';
    return out;
}

struct flt_dec flt_dec_from_int(int64_t value)
{
    return value == INT64_MIN ? FLT_DEC_BAD : (struct flt_dec){ value, 0 };
}

/* A double is off its decimal by up to half a unit in its last place: 0.29 is a little below 29
 * hundredths. Within two such units of a whole number that number is meant, whatever the direction.
 */
static long double round_double(long double value, enum flt_round round)
{
    const long double nearest = rintl(value); /* ties to even, the default mode */

    if (round == FLT_ROUND_HALF_EVEN || fabsl(value - nearest) <= fabsl(value) * 0x1p-52L)
        return nearest;
    if (round == FLT_ROUND_DOWN)
        return truncl(value);
    return value < 0 ? floorl(value) : ceill(value);
}

struct flt_dec flt_dec_from_double(double value, int scale, enum flt_round round)
{
    if (!isfinite(value) || scale < 0 || scale > FLT_DEC_SCALE_MAX)
        return FLT_DEC_BAD;
    const long double coef =
        round_double((long double)value * (long double)flt_pow10[scale], round);

    if (fabsl(coef) >= 0x1p63L)
        return FLT_DEC_BAD;
    return (struct flt_dec){ (int64_t)coef, (int8_t)scale };
}

double flt_dec_to_double(struct flt_dec value)
{
    if (!flt_dec_ok(value))
        return (double)NAN;
    if (value.coef < (INT64_C(1) << 53) && value.coef > -(INT64_C(1) << 53))
        return (double)value.coef / (double)flt_pow10[value.scale]; /* both exact: rounds once */
    return (double)((long double)value.coef / (long double)flt_pow10[value.scale]);
}

struct flt_dec flt_dec_add(struct flt_dec a, struct flt_dec b)
{
    int64_t sum;

    if (!flt_dec_ok(a) || !flt_dec_ok(b))
        return FLT_DEC_BAD;
    if (a.scale == b.scale && !__builtin_add_overflow(a.coef, b.coef, &sum) && sum != INT64_MIN)
        return (struct flt_dec){ sum, a.scale };
    if (a.scale < b.scale)
        return fit_exact(a.coef * pow10_i128(b.scale - a.scale) + b.coef, b.scale);
    return fit_exact(b.coef * pow10_i128(a.scale - b.scale) + a.coef, a.scale);
}

struct flt_dec flt_dec_sub(struct flt_dec a, struct flt_dec b)
{
    return flt_dec_add(a, flt_dec_neg(b));
}

struct flt_dec flt_dec_neg(struct flt_dec a)
{
    if (!flt_dec_ok(a) || a.coef == INT64_MIN)
        return FLT_DEC_BAD;
    return (struct flt_dec){ -a.coef, a.scale };
}

struct flt_dec flt_dec_mul(struct flt_dec a, struct flt_dec b, enum flt_round round)
{
    if (!flt_dec_ok(a) || !flt_dec_ok(b))
        return FLT_DEC_BAD;
    return fit((i128)a.coef * b.coef, a.scale + b.scale, round);
}

static uint64_t magnitude(int64_t value)
{
    return value < 0 ? 0 - (uint64_t)value : (uint64_t)value;
}

static bool rounds_away(i128 rest, i128 divisor, bool odd, enum flt_round round)
{
    if (round == FLT_ROUND_UP)
        return rest != 0;
    /* rest > divisor - rest, as twice the rest might not fit */
    return round == FLT_ROUND_HALF_EVEN &&
           (rest > divisor - rest || (rest == divisor - rest && odd));
}

/* Long division: digits are appended until the quotient is full, has 18 decimals, or is exact. */
struct flt_dec flt_dec_div(struct flt_dec a, struct flt_dec b, enum flt_round round)
{
    if (!flt_dec_ok(a) || !flt_dec_ok(b) || b.coef == 0)
        return FLT_DEC_BAD;
    const uint64_t divisor = magnitude(b.coef);
    uint64_t quotient = magnitude(a.coef) / divisor;
    uint64_t rest = magnitude(a.coef) % divisor;
    int scale = a.scale - b.scale;

    while (scale < 0 || (rest != 0 && scale < FLT_DEC_SCALE_MAX)) {
        if (quotient > (INT64_MAX - 10) / 10) {
            if (scale < 0)
                return FLT_DEC_BAD;
            break;
        }
        const flt_u128 next = (flt_u128)rest * 10;

        quotient = quotient * 10 + (uint64_t)(next / divisor);
        rest = (uint64_t)(next % divisor);
        scale++;
    }
    if (rounds_away(rest, divisor, quotient % 2 != 0, round))
        quotient++;
    if (quotient > INT64_MAX)
        return FLT_DEC_BAD;
    const int64_t coef = (int64_t)quotient;

    return (struct flt_dec){ (a.coef < 0) != (b.coef < 0) ? -coef : coef, (int8_t)scale };
}

int flt_dec_cmp(struct flt_dec a, struct flt_dec b)
{
    assert(flt_dec_ok(a) && flt_dec_ok(b));
    i128 left = a.coef, right = b.coef;

    if (a.scale < b.scale)
        left *= pow10_i128(b.scale - a.scale);
    else if (a.scale > b.scale)
        right *= pow10_i128(a.scale - b.scale);
    return left < right ? -1 : left > right;
}

/* value / unit as a fraction of two integers. */
static void as_fraction(struct flt_dec value, struct flt_dec unit, i128 *numerator,
                        i128 *denominator)
{
    *numerator = value.coef;
    *denominator = unit.coef;
    if (value.scale < unit.scale)
        *numerator *= pow10_i128(unit.scale - value.scale);
    else if (value.scale > unit.scale)
        *denominator *= pow10_i128(value.scale - unit.scale);
}

int64_t flt_dec_units(struct flt_dec value, struct flt_dec unit, enum flt_round round)
{
    i128 numerator, denominator, quotient, rest;

    if (!flt_dec_ok(value) || !flt_dec_ok(unit) || unit.coef <= 0)
        return INT64_MIN;
    if (value.scale == unit.scale && unit.coef == 1)
        return value.coef;
    as_fraction(value, unit, &numerator, &denominator);
    if (fits(numerator) &&
        fits(denominator)) { /* nearly always; a 64-bit division is far cheaper */
        quotient = (int64_t)numerator / (int64_t)denominator;
        rest = (int64_t)numerator % (int64_t)denominator;
    } else {
        quotient = numerator / denominator;
        rest = numerator % denominator;
    }
    if (rounds_away(rest < 0 ? -rest : rest, denominator, quotient % 2 != 0, round))
        quotient += numerator < 0 ? -1 : 1;
    return fits(quotient) ? (int64_t)quotient : INT64_MIN;
}

bool flt_dec_is_multiple(struct flt_dec value, struct flt_dec unit)
{
    i128 numerator, denominator;

    if (!flt_dec_ok(value) || !flt_dec_ok(unit) || unit.coef <= 0)
        return false;
    if (value.scale == unit.scale && unit.coef == 1)
        return true;
    as_fraction(value, unit, &numerator, &denominator);
    if (fits(numerator) && fits(denominator))
        return (int64_t)numerator % (int64_t)denominator == 0;
    return numerator % denominator == 0;
}

struct flt_dec flt_dec_times(struct flt_dec unit, int64_t count)
{
    if (!flt_dec_ok(unit))
        return FLT_DEC_BAD;
    return fit_exact((i128)unit.coef * count, unit.scale);
}
