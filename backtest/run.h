/* One backtest: the live engine on a simulated clock, over columns of candles.
 *
 * At bar i, in this order: orders placed at earlier closes are matched against bar i; equity is
 * cash
 * + position * close[i]; the strategy sees bars 0..i and may order. Nothing is decided at bar 0.
 * The strategy, its orders, risk and ledger are those of a live bot (engine/bot.h); this is its
 * host. Bars that can neither fill an order nor wake the strategy are skipped, with the same result
 * (`every_bar` does not skip; a test compares). Threads: one a run; runs share the data. */
#pragma once
#include <signal.h>
#include "backtest/book.h"
#include "backtest/data.h"
#include "engine/bot.h"

/* What a fill model alone does not charge. Zero: off. */
struct run_costs {
    bool own_fees; /* the two rates below stand in place of run_config's */
    struct flt_dec fee_maker, fee_taker;
    struct flt_dec slip_rate; /* of the price, against us, on what takes; rounded up to a tick */
    int64_t slip_ticks;       /* in addition */
    int64_t latency_ms;       /* orders and cancels take effect so much later */
    int64_t share_ppm;        /* of a bar's or trade's volume at most, in millionths */
    bool own_queue;           /* of an order whose queue no quote says; else it is never served */
    int64_t queue_lots;       /* so much is ahead of it */
};

struct run_config { /* borrowed for the call */
    const struct strategy_ops *strategy;
    struct json_object *params; /* NULL: defaults; `budget` and `timeframe` are filled in */
    struct json_object *risk;   /* NULL: no rule at all */
    const struct data *data;
    const struct fill_model *fill;
    const char *instrument; /* "BTC-USDT"; NULL: "BASE-QUOTE" */
    struct flt_dec fee;     /* rate of quote, on each fill */
    struct flt_dec lot;
    struct flt_amt cash;
    struct run_costs costs; /* all zero: none */
    int64_t strategy_ms; /* length of the strategy's bars; 0: as `timeframe` says, else the rows' */
    struct flt_amt budget; /* of strategies that have one and were not given it; zero: cash */
    bool every_bar;
    size_t until; /* above 0: simulate bars before this one only, though the data go on */
    const volatile sig_atomic_t
        *stop; /* set: end early with what is there; NULL: nobody stops it */
};

struct run_fill {
    size_t bar;
    enum side side;
    uint32_t tag; /* index into result->tags */
    bool taker;
    int64_t ts_ms; /* of the bar, or of the trade or quote that filled it */
    int64_t price_ticks, qty_lots, position_lots;
    struct flt_amt fee, cash;
};

struct run_order {       /* each that was placed, in this order */
    size_t bar, end_bar; /* at whose close; end_bar is valid unless it is open */
    int64_t ts_ms;       /* when it was placed */
    uint32_t tag;
    enum side side;
    enum order_type type;
    enum order_status status;
    int64_t price_ticks, qty_lots, filled_lots; /* price: 0 for market orders */
};

struct run_segment { /* from `bar` on, until the next one */
    size_t bar;
    struct flt_amt cash, cost; /* cost: of the position, at its average price */
    int64_t position_lots;
};

struct run_result {
    struct instrument instrument;
    struct run_fill *fills;
    size_t fill_count, fill_cap;
    struct run_order *log;
    size_t log_count, log_cap;
    struct run_segment *segments; /* the first is of bar 0 */
    size_t segment_count, segment_cap;
    char (*tags)[48];
    size_t tag_count, tag_cap;
    size_t bars;          /* simulated: all, unless stopped */
    size_t strategy_bars; /* the rows, or the longer bars made of them */
    int64_t strategy_ms;
    size_t ready_bars; /* until every indicator line has its first value */
    bool stopped;
    size_t cut_orders;         /* that would have been larger than LOTS_MAX lots */
    struct book_order *orders; /* that still rest at the end, in order of placement */
    size_t order_count;
    struct bot_counters counters;
    char params[2048]; /* as the strategy has them, JSON */
    char trouble[256]; /* "": none; why the bot stopped, or the last rule that refused */
};

/* -EINVAL with `error`: parameters, risk; -ENOMEM. `out` is to be freed on success only. */
FLT_MUST_USE int run_backtest(const struct run_config *config, struct run_result *out,
                              struct flt_error *error);
void run_free(struct run_result *result); /* twice is fine */

/* cash + position * close of the bar, exactly. `segment` is the one that holds at the bar. */
struct flt_amt run_equity(const struct run_result *result, const struct run_segment *segment,
                          int64_t close_ticks);
