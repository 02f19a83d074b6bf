#include "engine/ledger.h"
#include <errno.h>
#include <string.h>

#define FLT_MOD "ledger"

/* The sum kept for a fee asset; a new row at first sight. NULL: no room. */
static struct ledger_fee *fee_row(struct ledger *ledger, const char *asset)
{
    for (size_t i = 0; i < ledger->fee_count; i++)
        if (!strcmp(ledger->fees[i].asset, asset))
            return &ledger->fees[i];
    if (ledger->fee_count == LEDGER_FEES_MAX || strlen(asset) >= ASSET_MAX)
        return NULL;
    struct ledger_fee *row = &ledger->fees[ledger->fee_count++];
    memset(row, 0, sizeof *row);
    memcpy(row->asset, asset, strlen(asset));
    return row;
}

static struct flt_amt magnitude(struct flt_amt a)
{
    return flt_amt_sign(a) < 0 ? flt_amt_neg(a) : a;
}

/* Ten zeros that two quantities share, as all of lots from 1e-8 up do, in two divisions. */
static void cut_zeros(flt_i128 *a, flt_i128 *b)
{
    const uint64_t unit = UINT64_C(10000000000), x = (uint64_t)*a, y = (uint64_t)*b;

    if (*a >> 64 == 0 && *b >> 64 == 0 && x % unit == 0 && y % unit == 0) {
        *a = x / unit;
        *b = y / unit;
    }
}

/* part / whole of `cost`, towards zero; what the rounding leaves stays in the cost, so nothing is
 * lost. Quantities are whole lots but for fees in base: without their common zeros the product
 * nearly always fits and the share is exact; else it goes through an 18-digit fraction. How many
 * zeros are cut does not change a share that is exact. */
static struct flt_amt share(struct flt_amt cost, struct flt_amt part, struct flt_amt whole)
{
    flt_i128 a = part.units, b = whole.units, product;

    cut_zeros(&a, &b);
    if (!__builtin_mul_overflow(cost.units, a, &product))
        return (struct flt_amt){ product / b };
    while (a % 10 == 0 && b % 10 == 0) {
        a /= 10;
        b /= 10;
    }
    if (!__builtin_mul_overflow(cost.units, a, &product))
        return (struct flt_amt){ product / b };
    const struct flt_amt fraction = flt_amt_div(part, whole, FLT_ROUND_DOWN);
    const struct flt_dec factor = flt_amt_to_dec(fraction, FLT_DEC_SCALE_MAX, FLT_ROUND_DOWN);

    return flt_amt_mul(cost, factor, FLT_ROUND_DOWN);
}

/* The cost after `qty` (signed) traded for `value` (signed the same): what closes takes its share
 * of the cost away, what opens adds its own. A trade through zero does both. */
static struct flt_amt cost_after(const struct ledger *ledger, struct flt_amt qty,
                                 struct flt_amt value)
{
    const int held = flt_amt_sign(ledger->position);
    const struct flt_amt size = magnitude(qty), have = magnitude(ledger->position);

    if (held == 0 || held == flt_amt_sign(qty))
        return flt_amt_add(ledger->cost, value);
    if (flt_amt_cmp(size, have) < 0)
        return flt_amt_sub(ledger->cost, share(ledger->cost, size, have));
    if (flt_amt_cmp(size, have) == 0)
        return FLT_AMT_ZERO;
    return share(value, flt_amt_sub(size, have), size);
}

static int apply_fee(struct ledger *next, const struct instrument *instrument,
                     const struct fill *fill, bool opens)
{
    if (flt_amt_sign(fill->fee) == 0)
        return 0;
    struct ledger_fee *row = fee_row(next, fill->fee_asset);

    if (!row)
        return FLT_FAIL(-ERANGE, "trade_id=%s why=\"no room for another fee asset\"",
                        fill->trade_id);
    row->sum = flt_amt_add(row->sum, fill->fee);
    if (!strcmp(fill->fee_asset, instrument->quote)) {
        next->cash = flt_amt_sub(next->cash, fill->fee);
        if (opens)
            next->cost = flt_amt_add(next->cost, fill->fee);
    } else if (!strcmp(fill->fee_asset, instrument->base)) {
        next->position = flt_amt_sub(next->position, fill->fee);
    }
    return 0;
}

int ledger_apply(struct ledger *ledger, const struct instrument *instrument,
                 const struct fill *fill)
{
    struct ledger next = *ledger;
    const struct flt_amt qty = flt_amt_from_dec(fill->qty);
    const struct flt_amt value = flt_amt_product(fill->price, fill->qty, FLT_ROUND_HALF_EVEN);

    if (!flt_amt_ok(qty) || !flt_amt_ok(value) || !flt_amt_ok(fill->fee) || flt_amt_sign(qty) <= 0)
        return FLT_FAIL(-ERANGE, "trade_id=%s why=\"bad number in a fill\"", fill->trade_id);
    const struct flt_amt signed_qty = fill->side == SIDE_BUY ? qty : flt_amt_neg(qty);
    const struct flt_amt signed_value = fill->side == SIDE_BUY ? value : flt_amt_neg(value);
    const int held = flt_amt_sign(ledger->position);

    next.cost = cost_after(ledger, signed_qty, signed_value);
    next.position = flt_amt_add(ledger->position, signed_qty);
    next.cash = flt_amt_sub(ledger->cash, signed_value);
    next.volume = flt_amt_add(ledger->volume, value);
    next.fill_count++;
    const int err =
        apply_fee(&next, instrument, fill, held == 0 || held == flt_amt_sign(signed_qty));

    if (err)
        return err;
    if (!flt_amt_ok(next.position) || !flt_amt_ok(next.cash) || !flt_amt_ok(next.cost) ||
        !flt_amt_ok(next.volume))
        return FLT_FAIL(-ERANGE, "trade_id=%s why=\"a sum does not fit\"", fill->trade_id);
    if (flt_amt_sign(next.position) == 0)
        next.cost = FLT_AMT_ZERO; /* a fee in base took the last of it: its cost is realised */
    *ledger = next;
    return 0;
}

int ledger_adjust(struct ledger *ledger, struct flt_amt qty)
{
    struct ledger next = *ledger;

    next.cost = cost_after(ledger, qty, FLT_AMT_ZERO);
    next.position = flt_amt_add(ledger->position, qty);
    if (!flt_amt_ok(next.position) || !flt_amt_ok(next.cost))
        return FLT_FAIL(-ERANGE, "why=\"an adjustment does not fit\"");
    if (flt_amt_sign(next.position) == 0)
        next.cost = FLT_AMT_ZERO;
    *ledger = next;
    return 0;
}

struct flt_amt ledger_realised(const struct ledger *ledger)
{
    return flt_amt_add(ledger->cash, ledger->cost);
}

static struct flt_amt position_value(const struct ledger *ledger, struct flt_dec mark)
{
    return flt_amt_mul(ledger->position, mark, FLT_ROUND_HALF_EVEN);
}

struct flt_amt ledger_unrealised(const struct ledger *ledger, struct flt_dec mark)
{
    return flt_amt_sub(position_value(ledger, mark), ledger->cost);
}

struct flt_amt ledger_pnl(const struct ledger *ledger, struct flt_dec mark)
{
    return flt_amt_add(ledger->cash, position_value(ledger, mark));
}

int64_t ledger_position_lots(const struct ledger *ledger, const struct instrument *instrument)
{
    const struct flt_amt size = magnitude(ledger->position);
    const int64_t lots = flt_amt_units(size, instrument->lot, FLT_ROUND_DOWN);

    return flt_amt_sign(ledger->position) < 0 ? -lots : lots;
}

struct flt_dec ledger_average_price(const struct ledger *ledger,
                                    const struct instrument *instrument)
{
    if (flt_amt_sign(ledger->position) == 0)
        return FLT_DEC_ZERO;
    const struct flt_amt price = flt_amt_div(ledger->cost, ledger->position, FLT_ROUND_HALF_EVEN);
    const int scale = instrument->tick.scale + 4 > FLT_DEC_SCALE_MAX ? FLT_DEC_SCALE_MAX
                                                                     : instrument->tick.scale + 4;

    return flt_amt_to_dec(price, scale, FLT_ROUND_HALF_EVEN);
}

void ledger_write(const struct ledger *ledger, struct flt_buf *buf, const char *key)
{
    flt_jw_begin(buf, key, '{');
    flt_jw_amt(buf, "position", ledger->position);
    flt_jw_amt(buf, "cash", ledger->cash);
    flt_jw_amt(buf, "cost", ledger->cost);
    flt_jw_amt(buf, "realised", ledger_realised(ledger));
    flt_jw_amt(buf, "volume", ledger->volume);
    flt_jw_int(buf, "fills", ledger->fill_count);
    flt_jw_begin(buf, "fees", '{');
    for (size_t i = 0; i < ledger->fee_count; i++)
        flt_jw_amt(buf, ledger->fees[i].asset, ledger->fees[i].sum);
    flt_jw_end(buf, '}');
    flt_jw_end(buf, '}');
}

int ledger_read(struct ledger *ledger, struct json_object *object)
{
    struct ledger next = { 0 };
    struct json_object *fees = flt_json_get(object, "fees");

    if (!flt_json_amt(object, "position", &next.position) ||
        !flt_json_amt(object, "cash", &next.cash) || !flt_json_amt(object, "cost", &next.cost) ||
        !flt_json_amt(object, "volume", &next.volume) ||
        !flt_json_int(object, "fills", &next.fill_count) ||
        !json_object_is_type(fees, json_type_object))
        return -EINVAL;
    json_object_object_foreach(fees, asset, value)
    {
        struct ledger_fee *row = fee_row(&next, asset);

        (void)value;
        if (!row || !flt_json_amt(fees, asset, &row->sum))
            return -EINVAL;
    }
    *ledger = next;
    return 0;
}
