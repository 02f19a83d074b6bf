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

/* How much a strategy buys at a time: exactly one of three. */
struct sizing {
    struct flt_dec amount, qty, budget;
    double stake_pct;
};

#define SIZING_FIELD(struct_, f, t)                                                                \
    .name = #f, .type = t, .offset = offsetof(struct_, sizing) + offsetof(struct sizing, f)
/* Rows of the parameter table of a struct that has a `struct sizing sizing`. */
#define SIZING_FIELDS(struct_)                                                                     \
    { SIZING_FIELD(struct_, amount, FIELD_DEC), .def = "0", .min = "0", .unit = "quote",           \
      .help = "Money for a position; or say qty or stake_pct." },                                  \
        { SIZING_FIELD(struct_, qty, FIELD_DEC), .def = "0", .min = "0", .unit = "base",           \
          .help = "Quantity to buy; in place of amount." },                                        \
        { SIZING_FIELD(struct_, stake_pct, FIELD_DOUBLE),                                          \
          .def = "0",                                                                              \
          .min = "0",                                                                              \
          .max = "100",                                                                            \
          .unit = "%",                                                                             \
          .help = "Part of the cash that is left of the budget; in place of amount." },            \
    {                                                                                              \
        SIZING_FIELD(struct_, budget, FIELD_DEC),                                                  \
            .def = "0", .min = "0", .unit = "quote",                                               \
            .help = "Money it starts with, for stake_pct; a backtest's cash."                      \
    }

static inline int sizing_check(const struct sizing *sizing, const struct instrument *instrument,
                               struct flt_error *error)
{
    const bool amount = sizing->amount.coef > 0, qty = sizing->qty.coef > 0;
    const bool stake = sizing->stake_pct > 0;

    if (!qty && !stake)
        return sizing_check_amount(sizing->amount, instrument, error);
    if (amount + qty + stake > 1)
        return flt_error_set(error, FLT_INVALID_ARGUMENT, amount ? "amount" : "stake_pct", "",
                             "say one of amount, qty and stake_pct");
    if (qty && (flt_dec_cmp(sizing->qty, instrument->lot) < 0 ||
                flt_dec_cmp(sizing->qty, instrument->qty_min) < 0))
        return flt_error_set(error, FLT_INVALID_ARGUMENT, "qty", "", "qty is too small for %s",
                             instrument->name);
    if (qty && qty_to_lots(instrument, sizing->qty, FLT_ROUND_UP) > LOTS_MAX)
        return flt_error_set(error, FLT_INVALID_ARGUMENT, "qty", "", "qty is too large for %s",
                             instrument->name);
    if (stake && sizing->budget.coef <= 0)
        return flt_error_set(error, FLT_INVALID_ARGUMENT, "budget", "for example budget=1000",
                             "stake_pct needs a budget to be a part of");
    return amount ? sizing_check_amount(sizing->amount, instrument, error) : 0;
}

/* Whole lots to buy now, rounded down; 0: no price yet, or the cash is spent. */
static inline int64_t sizing_buy_lots(const struct sizing *sizing, const struct leg_view *leg)
{
    const struct flt_dec lot = leg->instrument->lot;
    /* As if read from text, which a product with the tick is not: a whole quotient stays whole. */
    const double price = flt_dec_to_double(ticks_to_price(leg->instrument, leg->last_ticks));

    if (sizing->qty.coef > 0)
        return qty_to_lots(leg->instrument, sizing->qty, FLT_ROUND_DOWN);
    if (!(sizing->stake_pct > 0))
        return sizing_lots(leg, flt_dec_to_double(sizing->amount), leg->last_ticks);
    if (!(leg->cash > 0) || price <= 0)
        return 0;
    const double lots =
        sizing->stake_pct / 100 * leg->cash / price * pow(10, lot.scale) / (double)lot.coef;

    return (int64_t)floor(fmin(lots, (double)LOTS_MAX));
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
