/* Risk, between a want and its order: a table of rules, each with its own reason code. Rules are
 * for entries; an order that only reduces the position is never refused. The names of the limits
 * are those of schemas/types/risk.json. Zero is no limit. */
#pragma once
#include "lib/json.h"
#include "lib/market.h"
#include "strategies/strategy.h"

struct risk_limits {
    struct flt_dec max_order_notional, max_position, max_position_notional, max_daily_loss;
    struct flt_dec price_stop_low, price_stop_high;
    int64_t max_open_orders, max_orders_per_minute, stale_ms, time_stop_ms;
    double price_band_pct, max_drawdown_pct;
};

extern const struct field risk_fields[];

struct risk {
    struct risk_limits limits;
    double tokens; /* of max_orders_per_minute */
    int64_t tokens_ms;
    int64_t day;              /* UTC day number of day_start; 0: none yet */
    struct flt_amt day_start; /* pnl at its start */
    struct flt_amt peak;      /* highest pnl */
    int64_t started_ms;
    const char *tripped; /* the rule that pauses the bot; NULL: none */
    char message[160];   /* of the trip */
    uint64_t refusals;
    const char *last_rule;
    int64_t last_ms; /* wall: the last refusal reported */
};

struct risk_order { /* what an entry would do */
    const struct instrument *instrument;
    enum side side;
    int64_t price_ticks; /* of the order; market orders: the far side of the quote */
    int64_t qty_lots;
    int64_t position_lots; /* now */
    int64_t resting_lots;  /* of this side, already out */
    int64_t mark_ticks;
    int64_t price_age_ms; /* -1: never */
    size_t open_orders;
    int64_t now_ms; /* monotonic */
};

struct risk_rule {
    const char *code; /* "max_order_notional" */
    /* True: refused; a sentence in `why`. */
    bool (*refuses)(const struct risk *risk, const struct risk_order *order, char *why,
                    size_t size);
};

extern const struct risk_rule risk_rules[];
extern const size_t risk_rule_count;

void risk_start(struct risk *risk, int64_t wall_ms, int64_t mono_ms);
/* NULL: allowed. Else the code of the rule that refuses it. */
const char *risk_check(struct risk *risk, const struct risk_order *order, char *why, size_t size);
void risk_spend(struct risk *risk, int64_t now_ms); /* one order went out */
/* Once a second: daily loss, drawdown, price and time stops. Sets or clears `tripped`; true when it
 * changed. */
bool risk_watch(struct risk *risk, int64_t wall_ms, struct flt_amt pnl, struct flt_amt budget,
                struct flt_dec mark);
struct flt_amt risk_day_pnl(const struct risk *risk, struct flt_amt pnl);
