#include "engine/risk.h"
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define DAY_MS INT64_C(86400000)
#define LIMIT(limit, kind, min_, max_, unit_, help_)                                               \
    {                                                                                              \
        .name = #limit, .type = kind, .offset = offsetof(struct risk_limits, limit), .def = "0",   \
        .min = min_, .max = max_, .unit = unit_, .help = help_, .hot = true                        \
    }

const struct field risk_fields[] = {
    LIMIT(max_order_notional, FIELD_DEC, "0", NULL, "quote", "Largest order, in quote."),
    LIMIT(max_position, FIELD_DEC, "0", NULL, "base", "Largest position either way, in base."),
    LIMIT(max_position_notional, FIELD_DEC, "0", NULL, "quote",
          "Largest position either way, in quote at the mark price."),
    LIMIT(max_open_orders, FIELD_INT, "0", "10000", "", "Resting orders at most."),
    { .name = "max_orders_per_minute",
      .type = FIELD_INT,
      .offset = offsetof(struct risk_limits, max_orders_per_minute),
      .def = "600",
      .min = "0",
      .max = "100000",
      .unit = "",
      .help = "Placements in any 60 s.",
      .hot = true },
    LIMIT(price_band_pct, FIELD_DOUBLE, "0", "100", "%",
          "How far from the market an order may be priced."),
    { .name = "stale_ms",
      .type = FIELD_DURATION,
      .offset = offsetof(struct risk_limits, stale_ms),
      .def = "10000",
      .min = "0",
      .max = "3600000",
      .unit = "ms",
      .help = "No new orders on prices older than this.",
      .hot = true },
    LIMIT(max_daily_loss, FIELD_DEC, "0", NULL, "quote",
          "Net loss since 00:00 UTC at which the bot pauses, in quote."),
    LIMIT(max_drawdown_pct, FIELD_DOUBLE, "0", "100", "%",
          "Fall of equity from its peak at which the bot pauses."),
    LIMIT(price_stop_low, FIELD_DEC, "0", NULL, "quote", "The bot pauses at or below this price."),
    LIMIT(price_stop_high, FIELD_DEC, "0", NULL, "quote", "The bot pauses at or above this price."),
    LIMIT(time_stop_ms, FIELD_DURATION, "0", NULL, "ms", "The bot pauses after this time."),
    FIELD_END,
};

/* price * quantity of so many ticks and lots, in quote. */
static struct flt_amt notional(const struct risk_order *order, int64_t ticks, int64_t lots)
{
    return flt_amt_product(ticks_to_price(order->instrument, ticks),
                           lots_to_qty(order->instrument, lots), FLT_ROUND_UP);
}

/* The larger position, either way, if this and all resting orders of its side traded. */
static int64_t position_after(const struct risk_order *order)
{
    const int64_t more = order->qty_lots + order->resting_lots;
    const int64_t after =
        order->side == SIDE_BUY ? order->position_lots + more : order->position_lots - more;

    return after < 0 ? -after : after;
}

static bool above(struct flt_amt value, struct flt_dec limit, const char *what, char *why,
                  size_t size)
{
    char a[FLT_AMT_TEXT_MAX], b[FLT_DEC_TEXT_MAX];

    if (flt_amt_ok(value) && flt_amt_cmp(value, flt_amt_from_dec(limit)) <= 0)
        return false;
    (void)snprintf(why, size, "%s of %s is above %s", what, flt_amt_format(value, a),
                   flt_dec_format(limit, b));
    return true;
}

static bool refuses_stale_price(const struct risk *risk, const struct risk_order *order, char *why,
                                size_t size)
{
    if (risk->limits.stale_ms == 0)
        return false;
    if (order->price_age_ms < 0 || order->mark_ticks <= 0) {
        (void)snprintf(why, size, "no price has arrived yet");
        return true;
    }
    if (order->price_age_ms <= risk->limits.stale_ms)
        return false;
    (void)snprintf(why, size, "the newest price is %" PRId64 " ms old, over %" PRId64,
                   order->price_age_ms, risk->limits.stale_ms);
    return true;
}

static bool refuses_order_notional(const struct risk *risk, const struct risk_order *order,
                                   char *why, size_t size)
{
    return risk->limits.max_order_notional.coef != 0 &&
           above(notional(order, order->price_ticks, order->qty_lots),
                 risk->limits.max_order_notional, "an order", why, size);
}

static bool refuses_position(const struct risk *risk, const struct risk_order *order, char *why,
                             size_t size)
{
    return risk->limits.max_position.coef != 0 &&
           above(flt_amt_from_dec(lots_to_qty(order->instrument, position_after(order))),
                 risk->limits.max_position, "a position", why, size);
}

static bool refuses_position_notional(const struct risk *risk, const struct risk_order *order,
                                      char *why, size_t size)
{
    return risk->limits.max_position_notional.coef != 0 &&
           above(notional(order, order->mark_ticks, position_after(order)),
                 risk->limits.max_position_notional, "a position worth", why, size);
}

static bool refuses_open_orders(const struct risk *risk, const struct risk_order *order, char *why,
                                size_t size)
{
    if (risk->limits.max_open_orders == 0 ||
        (int64_t)order->open_orders < risk->limits.max_open_orders)
        return false;
    (void)snprintf(why, size, "%zu orders rest, the limit is %" PRId64, order->open_orders,
                   risk->limits.max_open_orders);
    return true;
}

static bool refuses_price_band(const struct risk *risk, const struct risk_order *order, char *why,
                               size_t size)
{
    const int64_t away = order->price_ticks - order->mark_ticks;
    const double pct = order->mark_ticks > 0
                           ? 100.0 * (double)(away < 0 ? -away : away) / (double)order->mark_ticks
                           : 0;

    if (risk->limits.price_band_pct <= 0 || pct <= risk->limits.price_band_pct)
        return false;
    (void)snprintf(why, size, "a price %.2f%% from the market, over %.2f%%", pct,
                   risk->limits.price_band_pct);
    return true;
}

static double tokens_at(const struct risk *risk, int64_t now_ms)
{
    const double rate = (double)risk->limits.max_orders_per_minute;
    const double tokens = risk->tokens + (double)(now_ms - risk->tokens_ms) * rate / 60000.0;

    return tokens > rate ? rate : tokens;
}

static bool refuses_order_rate(const struct risk *risk, const struct risk_order *order, char *why,
                               size_t size)
{
    if (risk->limits.max_orders_per_minute == 0 || tokens_at(risk, order->now_ms) >= 1)
        return false;
    (void)snprintf(why, size, "%" PRId64 " orders in a minute are used up",
                   risk->limits.max_orders_per_minute);
    return true;
}

static bool refuses_kill_switch(const struct risk *risk, const struct risk_order *order, char *why,
                                size_t size)
{
    (void)order;
    if (!risk->tripped)
        return false;
    (void)snprintf(why, size, "%s", risk->message);
    return true;
}

const struct risk_rule risk_rules[] = {
    { "kill_switch", refuses_kill_switch },
    { "stale_price", refuses_stale_price },
    { "price_band", refuses_price_band },
    { "max_order_notional", refuses_order_notional },
    { "max_position", refuses_position },
    { "max_position_notional", refuses_position_notional },
    { "max_open_orders", refuses_open_orders },
    { "max_orders_per_minute", refuses_order_rate },
};
const size_t risk_rule_count = FLT_COUNT(risk_rules);

void risk_start(struct risk *risk, int64_t wall_ms, int64_t mono_ms)
{
    risk->tokens = (double)risk->limits.max_orders_per_minute;
    risk->tokens_ms = mono_ms;
    if (risk->started_ms == 0)
        risk->started_ms = wall_ms;
}

const char *risk_check(struct risk *risk, const struct risk_order *order, char *why, size_t size)
{
    for (size_t i = 0; i < FLT_COUNT(risk_rules); i++)
        if (risk_rules[i].refuses(risk, order, why, size)) {
            risk->refusals++;
            return risk_rules[i].code;
        }
    return NULL;
}

void risk_spend(struct risk *risk, int64_t now_ms)
{
    risk->tokens = tokens_at(risk, now_ms) - 1;
    risk->tokens_ms = now_ms;
    if (risk->tokens < 0)
        risk->tokens = 0; /* exits go out without asking, and owe nothing */
}

struct flt_amt risk_day_pnl(const struct risk *risk, struct flt_amt pnl)
{
    return flt_amt_sub(pnl, risk->day_start);
}

/* --- rules that pause
 * ----------------------------------------------------------------------------- */

static const char *watch_daily_loss(struct risk *risk, struct flt_amt pnl)
{
    const struct flt_amt loss = flt_amt_neg(risk_day_pnl(risk, pnl));
    char a[FLT_AMT_TEXT_MAX], b[FLT_DEC_TEXT_MAX];

    if (risk->limits.max_daily_loss.coef == 0 || !flt_amt_ok(loss) ||
        flt_amt_cmp(loss, flt_amt_from_dec(risk->limits.max_daily_loss)) < 0)
        return NULL;
    (void)snprintf(risk->message, sizeof risk->message, "lost %s since 00:00 UTC, the limit is %s",
                   flt_amt_format(loss, a), flt_dec_format(risk->limits.max_daily_loss, b));
    return "daily_loss";
}

static const char *watch_drawdown(struct risk *risk, struct flt_amt pnl, struct flt_amt budget)
{
    const double peak = flt_amt_to_double(flt_amt_add(budget, risk->peak));
    const double fall = 100.0 * (peak - flt_amt_to_double(flt_amt_add(budget, pnl)));

    if (risk->limits.max_drawdown_pct <= 0 || peak <= 0 ||
        fall < risk->limits.max_drawdown_pct * peak)
        return NULL;
    (void)snprintf(risk->message, sizeof risk->message,
                   "equity fell %.2f%% from its peak, the limit is %.2f%%", fall / peak,
                   risk->limits.max_drawdown_pct);
    return "max_drawdown";
}

static const char *watch_price(struct risk *risk, struct flt_dec mark)
{
    const struct flt_dec low = risk->limits.price_stop_low, high = risk->limits.price_stop_high;
    char a[FLT_DEC_TEXT_MAX];

    if (mark.coef <= 0 || !((low.coef != 0 && flt_dec_cmp(mark, low) <= 0) ||
                            (high.coef != 0 && flt_dec_cmp(mark, high) >= 0)))
        return NULL;
    (void)snprintf(risk->message, sizeof risk->message, "the price %s reached the price stop",
                   flt_dec_format(mark, a));
    return "price_stop";
}

static const char *watch_time(struct risk *risk, int64_t wall_ms)
{
    if (risk->limits.time_stop_ms == 0 || wall_ms - risk->started_ms < risk->limits.time_stop_ms)
        return NULL;
    (void)snprintf(risk->message, sizeof risk->message, "the bot's time of %" PRId64 " s is over",
                   risk->limits.time_stop_ms / 1000);
    return "time_stop";
}

bool risk_watch(struct risk *risk, int64_t wall_ms, struct flt_amt pnl, struct flt_amt budget,
                struct flt_dec mark)
{
    const char *before = risk->tripped;
    const int64_t day = wall_ms / DAY_MS;

    if (!flt_amt_ok(pnl))
        return false;
    if (day != risk->day) {
        risk->day = day;
        risk->day_start = pnl;
        if (before && !strcmp(before, "daily_loss"))
            risk->tripped = NULL;
    }
    if (flt_amt_cmp(pnl, risk->peak) > 0)
        risk->peak = pnl;
    if (!risk->tripped)
        risk->tripped = watch_daily_loss(risk, pnl);
    if (!risk->tripped)
        risk->tripped = watch_drawdown(risk, pnl, budget);
    if (!risk->tripped)
        risk->tripped = watch_price(risk, mark);
    if (!risk->tripped)
        risk->tripped = watch_time(risk, wall_ms);
    return risk->tripped != before;
}
