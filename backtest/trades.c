#define FLT_MOD "trades"
#include "backtest/trades.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct open_lot {
    uint32_t tag;
    enum side side;
    size_t bar;
    int64_t ts_ms, price_ticks, qty_lots;
    struct flt_amt fee; /* of what is left */
};

struct pairing {
    const struct run_result *result;
    struct trades *trades;
    struct open_lot *open;
    size_t count, cap;
};

static int add_open(struct pairing *pairing, const struct run_fill *fill, int64_t lots,
                    struct flt_amt fee)
{
    if (pairing->count == pairing->cap) {
        const size_t cap = pairing->cap ? pairing->cap * 2 : 64;
        struct open_lot *more = realloc(pairing->open, cap * sizeof *more);

        if (!more)
            return -ENOMEM;
        pairing->open = more;
        pairing->cap = cap;
    }
    pairing->open[pairing->count++] =
        (struct open_lot){ fill->tag,         fill->side, fill->bar, fill->ts_ms,
                           fill->price_ticks, lots,       fee };
    return 0;
}

static int add_trade(struct trades *trades, const struct round_trip *trade)
{
    if (trades->count == trades->cap) {
        const size_t cap = trades->cap ? trades->cap * 2 : 256;
        struct round_trip *more = realloc(trades->trade, cap * sizeof *more);

        if (!more)
            return -ENOMEM;
        trades->trade = more;
        trades->cap = cap;
    }
    trades->trade[trades->count++] = *trade;
    return 0;
}

/* The entry that this exit closes next: of its tag, else the oldest. The list is never empty. */
static size_t choose(const struct pairing *pairing, uint32_t tag)
{
    for (size_t i = 0; i < pairing->count; i++)
        if (pairing->open[i].tag == tag)
            return i;
    return 0;
}

/* Takes `part` of `whole` out of a fee; all of it with the last part. */
static struct flt_amt take_fee(struct flt_amt *fee, int64_t part, int64_t whole)
{
    const struct flt_amt share =
        part == whole ? *fee
                      : flt_amt_mul(flt_amt_div(*fee, flt_amt_from_int(whole), FLT_ROUND_DOWN),
                                    flt_dec_from_int(part), FLT_ROUND_DOWN);

    *fee = flt_amt_sub(*fee, share);
    return share;
}

static struct flt_amt gross(const struct instrument *instrument, const struct round_trip *trade)
{
    const int64_t gain = trade->side == SIDE_BUY ? trade->exit_ticks - trade->entry_ticks
                                                 : trade->entry_ticks - trade->exit_ticks;

    return flt_amt_product(ticks_to_price(instrument, gain),
                           lots_to_qty(instrument, trade->qty_lots), FLT_ROUND_HALF_EVEN);
}

static int close_part(struct pairing *pairing, const struct run_fill *fill, int64_t *lots,
                      struct flt_amt *fee)
{
    const size_t at = choose(pairing, fill->tag);
    struct open_lot *open = &pairing->open[at];
    const int64_t part = open->qty_lots < *lots ? open->qty_lots : *lots;
    struct round_trip trade = {
        .tag = open->tag,
        .side = open->side,
        .entry_bar = open->bar,
        .exit_bar = fill->bar,
        .entry_ms = open->ts_ms,
        .exit_ms = fill->ts_ms,
        .entry_ticks = open->price_ticks,
        .exit_ticks = fill->price_ticks,
        .qty_lots = part,
    };

    trade.fees =
        flt_amt_add(take_fee(&open->fee, part, open->qty_lots), take_fee(fee, part, *lots));
    trade.pnl = flt_amt_sub(gross(&pairing->result->instrument, &trade), trade.fees);
    *lots -= part;
    open->qty_lots -= part;
    if (open->qty_lots == 0) {
        pairing->count--;
        memmove(open, open + 1, (pairing->count - at) * sizeof *open);
    }
    return add_trade(pairing->trades, &trade);
}

int trades_make(const struct run_result *result, struct trades *out)
{
    struct pairing pairing = { .result = result, .trades = out };
    int err = 0;

    *out = (struct trades){ 0 };
    for (size_t i = 0; i < result->fill_count && !err; i++) {
        const struct run_fill *fill = &result->fills[i];
        int64_t lots = fill->qty_lots;
        struct flt_amt fee = fill->fee;

        while (!err && lots > 0 && pairing.count > 0 && pairing.open[0].side != fill->side)
            err = close_part(&pairing, fill, &lots, &fee);
        if (!err && lots > 0)
            err = add_open(&pairing, fill, lots, fee);
    }
    free(pairing.open);
    if (err)
        trades_free(out);
    return err;
}

void trades_free(struct trades *trades)
{
    free(trades->trade);
    *trades = (struct trades){ 0 };
}
