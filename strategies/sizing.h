/* What strategies share when they turn money into lots and percentages into ticks. */
#pragma once
#include <math.h>
#include <stdio.h>
#include "strategies/strategy.h"

/* Whole lots that `quote` buys at `price_ticks`, rounded down; 0 when there is no price. */
static inline int64_t sizing_lots(const struct leg_view *leg, double quote, int64_t price_ticks)
{
    const double price = (double)price_ticks * leg->tick;

    if (price <= 0 || quote <= 0)
        return 0;
    return (int64_t)floor(fmin(quote / price / leg->lot * (1 + 1e-12), (double)LOTS_MAX));
}

/* What the venue takes at least, at this price. */
static inline bool sizing_ok(const struct leg_view *leg, int64_t lots, int64_t price_ticks)
{
    const double qty = (double)lots * leg->lot;
    const double value = qty * (double)price_ticks * leg->tick;

    return lots > 0 && qty >= flt_dec_to_double(leg->instrument->qty_min) &&
           value >= flt_dec_to_double(leg->instrument->notional_min);
}

/* An amount of quote that an order is to have, against the venue's minimum (half as much again, for
 * the price may fall before it is sold). */
static inline int sizing_check_amount(struct flt_dec amount, const struct instrument *instrument,
                                      struct flt_error *error)
{
    const double least = flt_dec_to_double(instrument->notional_min) * 1.5;
    char hint[96];

    if (flt_dec_to_double(amount) > 0 && flt_dec_to_double(amount) >= least)
        return 0;
    (void)snprintf(hint, sizeof hint, "use at least %.8g %s", least, instrument->quote);
    return flt_error_set(error, FLT_INVALID_ARGUMENT, "amount", hint,
                         "the amount is too small for %s", instrument->name);
}

/* A buy price that trades at once, `slip_bps` beyond the ask (or the last price). */
static inline int64_t sizing_buy_now(const struct leg_view *leg, double slip_bps)
{
    const int64_t ask = leg->quote.ask_ticks > 0 ? leg->quote.ask_ticks : leg->last_ticks;

    return ask > 0 ? (int64_t)ceil((double)ask * (1 + slip_bps / 10000)) : 0;
}

static inline int64_t sizing_mid(const struct leg_view *leg)
{
    if (leg->quote.bid_ticks > 0 && leg->quote.ask_ticks > 0)
        return (leg->quote.bid_ticks + leg->quote.ask_ticks) / 2;
    return leg->last_ticks;
}
