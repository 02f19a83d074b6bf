/* Exact amounts: money, fees, cash, positions and every sum of them.
 *
 * A 128-bit integer at a fixed scale of 18, so up to 1.7e20 in either direction; sums and products
 * of prices and quantities are exact or bad, never rounded unless the caller names a direction.
 * Errors and threads as in lib/dec.h: a bad value stays bad; check once with flt_amt_ok().
 */
#pragma once
#include "lib/dec.h"

#define FLT_AMT_SCALE 18
#define FLT_AMT_TEXT_MAX 44

__extension__ typedef __int128 flt_i128;
__extension__ typedef unsigned __int128 flt_u128;

struct flt_amt {
    flt_i128 units; /* value * 10^18; the most negative value marks FLT_AMT_BAD */
};

#define FLT_AMT_BAD_UNITS ((flt_i128)((flt_u128)1 << 127))
#define FLT_AMT_BAD ((struct flt_amt){ FLT_AMT_BAD_UNITS })
#define FLT_AMT_ZERO ((struct flt_amt){ 0 })

struct flt_amt flt_amt_parse(const char *text); /* bad text, or more than 18 decimals: bad */
struct flt_amt flt_amt_parse_n(const char *text, size_t length);
char *flt_amt_format(struct flt_amt value, char *out); /* canonical, FLT_AMT_TEXT_MAX bytes */
struct flt_amt flt_amt_from_dec(struct flt_dec value);
struct flt_amt flt_amt_from_int(int64_t value);
struct flt_amt flt_amt_from_double(double value); /* for tests and statistics, not for books */
/* To `scale` decimals, as a price or quantity; bad when it does not fit. */
struct flt_dec flt_amt_to_dec(struct flt_amt value, int scale, enum flt_round round);
double flt_amt_to_double(struct flt_amt value); /* NaN for a bad value */

struct flt_amt flt_amt_add(struct flt_amt a, struct flt_amt b);
struct flt_amt flt_amt_sub(struct flt_amt a, struct flt_amt b);
struct flt_amt flt_amt_neg(struct flt_amt a);
/* price * quantity, straight into an amount; a rest below 1e-18 goes where the caller says. */
struct flt_amt flt_amt_product(struct flt_dec a, struct flt_dec b, enum flt_round round);
/* amount * factor, as in fee = notional * rate. */
struct flt_amt flt_amt_mul(struct flt_amt a, struct flt_dec b, enum flt_round round);
/* a / b to 18 decimals, as in average price = cost / quantity; by 0: bad. */
struct flt_amt flt_amt_div(struct flt_amt a, struct flt_amt b, enum flt_round round);
int flt_amt_cmp(struct flt_amt a, struct flt_amt b); /* bad values: assert */
/* Whole units (lots) in the amount, rounded as asked; INT64_MIN: bad. */
int64_t flt_amt_units(struct flt_amt value, struct flt_dec unit, enum flt_round round);

static inline bool flt_amt_ok(struct flt_amt a)
{
    return a.units != FLT_AMT_BAD_UNITS;
}

static inline int flt_amt_sign(struct flt_amt a)
{
    return a.units > 0 ? 1 : a.units < 0 ? -1 : 0;
}
