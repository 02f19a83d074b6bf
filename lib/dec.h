/* Exact decimals: every price and quantity in Flotilla (sums and amounts of money: lib/amt.h).
 *
 * A value is coef / 10^scale, so 64123.1 is {641231, 1}. 18 digits hold every tick and supply that
 * venues list, from BTC-IDR to coins priced at 1e-13. Text goes in and out as the exact decimal
 * string that an exchange sends or a topic carries; no double comes between.
 *
 * Errors: a result that does not fit, or came from a bad value, is FLT_DEC_BAD, which stays bad
 * through any further arithmetic; check once, at the end, with flt_dec_ok(). Ledger and journal
 * refuse a bad value. Threads: pure functions, callable from any.
 */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "lib/attr.h"

#define FLT_DEC_SCALE_MAX 18
#define FLT_DEC_TEXT_MAX 24 /* "-" + 19 digits + "0." + NUL, rounded up */

struct flt_dec {
    int64_t coef;
    int8_t scale; /* 0..18; -1 marks FLT_DEC_BAD */
};

#define FLT_DEC_BAD ((struct flt_dec){ 0, -1 })
#define FLT_DEC_ZERO ((struct flt_dec){ 0, 0 })

enum flt_round { FLT_ROUND_DOWN, FLT_ROUND_UP, FLT_ROUND_HALF_EVEN }; /* DOWN: towards zero */

/* Parses "-12.5", "0.00000001" or "1e-8"; exchanges send all three. Bad text: FLT_DEC_BAD. */
struct flt_dec flt_dec_parse(const char *text);
struct flt_dec flt_dec_parse_n(const char *text, size_t length);

/* The canonical text: no exponent, no trailing zeros, "0" for zero; "bad" for a bad value.
 * `out` holds FLT_DEC_TEXT_MAX bytes. Returns `out`, so that it can stand in a printf. */
char *flt_dec_format(struct flt_dec value, char *out);

struct flt_dec flt_dec_from_int(int64_t value);
/* The value nearest to `value` that is a multiple of 10^-scale; NaN, infinities, overflow: bad. */
struct flt_dec flt_dec_from_double(double value, int scale, enum flt_round round);
double flt_dec_to_double(struct flt_dec value); /* NaN for a bad value */

struct flt_dec flt_dec_add(struct flt_dec a, struct flt_dec b);
struct flt_dec flt_dec_sub(struct flt_dec a, struct flt_dec b);
/* a * b, as in price * (1 + spread); exact while 18 digits hold it. The caller says where a rest
 * goes: what we pay rounds UP, what we receive DOWN, so an error never flatters the ledger. */
struct flt_dec flt_dec_mul(struct flt_dec a, struct flt_dec b, enum flt_round round);
struct flt_dec flt_dec_div(struct flt_dec a, struct flt_dec b,
                           enum flt_round round); /* by 0: bad */
struct flt_dec flt_dec_neg(struct flt_dec a);

/* -1, 0 or 1, exact across scales. Comparing a bad value is a broken invariant (assert). */
int flt_dec_cmp(struct flt_dec a, struct flt_dec b);

/* How many whole `unit`s (a tick, a lot) are in `value`, rounded as asked; `unit` is above zero.
 * INT64_MIN: bad input or overflow. flt_dec_units(x, tick, FLT_ROUND_DOWN) * tick == x exactly when
 * flt_dec_is_multiple(x, tick). */
int64_t flt_dec_units(struct flt_dec value, struct flt_dec unit, enum flt_round round);
bool flt_dec_is_multiple(struct flt_dec value, struct flt_dec unit);
/* count * unit, in the unit's scale (the text may still have trailing zeros cut by format). */
struct flt_dec flt_dec_times(struct flt_dec unit, int64_t count);

static inline bool flt_dec_ok(struct flt_dec a)
{
    return a.scale >= 0;
}

static inline bool flt_dec_is_zero(struct flt_dec a)
{
    return a.scale >= 0 && a.coef == 0;
}
