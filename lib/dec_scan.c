#include "lib/dec_scan.h"

#define CHUNK_DIGITS 18 /* what a uint64_t takes without a look at overflow */
#define EXPONENT_MAX 9999

const uint64_t flt_pow10[20] = {
    1u,
    10u,
    100u,
    1000u,
    10000u,
    100000u,
    1000000u,
    10000000u,
    100000000u,
    1000000000u,
    10000000000u,
    100000000000u,
    1000000000000u,
    10000000000000u,
    100000000000000u,
    1000000000000000u,
    10000000000000000u,
    100000000000000000u,
    1000000000000000000u,
    10000000000000000000u,
};

/* Digits are gathered 18 at a time in a plain integer; the 128-bit one is touched once per chunk.
 */
struct digits {
    flt_u128 coef;
    uint64_t chunk;
    int chunk_digits;
    bool overflow;
};

static void digits_fold(struct digits *digits)
{
    flt_u128 product = 0;

    if (digits->coef != 0 &&
        __builtin_mul_overflow(digits->coef, (flt_u128)flt_pow10[digits->chunk_digits], &product))
        digits->overflow = true;
    if (__builtin_add_overflow(product, (flt_u128)digits->chunk, &digits->coef))
        digits->overflow = true;
    digits->chunk = 0;
    digits->chunk_digits = 0;
}

static inline void digits_push(struct digits *digits, unsigned digit)
{
    if (digits->chunk_digits == CHUNK_DIGITS)
        digits_fold(digits);
    digits->chunk = digits->chunk * 10 + digit;
    digits->chunk_digits++;
}

static inline unsigned digit_at(const char *p, const char *end)
{
    return p < end ? (unsigned)((unsigned char)*p - '0') : 10; /* over 9: not a digit */
}

static const char *scan_fraction(const char *p, const char *end, struct digits *digits, int *scale)
{
    int zeros = 0; /* seen, and counted only once another digit follows */
    unsigned digit = digit_at(p, end);

    if (digit > 9)
        return NULL;
    for (; digit <= 9; digit = digit_at(++p, end)) {
        if (digit == 0) {
            zeros++;
            continue;
        }
        *scale += zeros + 1;
        for (; zeros > 0; zeros--)
            digits_push(digits, 0);
        digits_push(digits, digit);
    }
    return p;
}

static const char *scan_exponent(const char *p, const char *end, int *exponent)
{
    const bool negative = p < end && *p == '-';
    int value = 0;

    if (p < end && (*p == '-' || *p == '+'))
        p++;
    if (digit_at(p, end) > 9)
        return NULL;
    for (unsigned digit; (digit = digit_at(p, end)) <= 9; p++)
        value = value < EXPONENT_MAX ? value * 10 + (int)digit : value;
    *exponent = negative ? -value : value;
    return p;
}

/* Brings the scale into 0..scale_max without changing the value. */
static bool settle(struct flt_dec_text *text, int scale_max, bool shortest)
{
    if (text->coef == 0) {
        text->scale = 0;
        return true;
    }
    for (; text->scale < 0; text->scale++)
        if (__builtin_mul_overflow(text->coef, (flt_u128)10, &text->coef))
            return false;
    while (text->scale > (shortest ? 0 : scale_max) && text->coef % 10 == 0) {
        text->coef /= 10;
        text->scale--;
    }
    return text->scale <= scale_max;
}

bool flt_dec_scan(const char *text, size_t length, int scale_max, struct flt_dec_text *out)
{
    const char *p = text, *const end = text + length;
    struct digits digits = { 0 };
    int scale = 0, exponent = 0;

    out->negative = p < end && *p == '-';
    if (p < end && (*p == '-' || *p == '+'))
        p++;
    if (digit_at(p, end) > 9)
        return false;
    for (unsigned digit; (digit = digit_at(p, end)) <= 9; p++)
        digits_push(&digits, digit);
    if (p < end && *p == '.' && !(p = scan_fraction(p + 1, end, &digits, &scale)))
        return false;
    if (p < end && (*p == 'e' || *p == 'E') && !(p = scan_exponent(p + 1, end, &exponent)))
        return false;
    digits_fold(&digits);
    if (p != end || digits.overflow)
        return false;
    out->coef = digits.coef;
    out->scale = scale - exponent;
    return settle(out, scale_max, exponent != 0);
}

char *flt_dec_put_digits(char *out, uint64_t value, int width)
{
    char reversed[20];
    int count = 0;

    do {
        reversed[count++] = (char)('0' + value % 10);
        value /= 10;
    } while (value != 0);
    while (width-- > count)
        *out++ = '0';
    while (count > 0)
        *out++ = reversed[--count];
    return out;
}
