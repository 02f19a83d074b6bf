/* The matching core: one instrument's book of simulated orders against an outside market.
 *
 * The same code stands behind the exchange simulator, the paper venue and the backtester. Prices
 * are counts of the instrument's ticks, quantities of its lots; there is no I/O, no clock (time is
 * an argument) and no allocation after match_create(). Money is funds.h's business.
 *
 * Own orders meet by price, then time, whoever's they are. The outside market is what the events
 * say: quote   best bid and ask with sizes. A taker gets the displayed size at the touch (what it
 * took stays gone until the next quote), then walks `depth_levels` synthetic levels,
 *           `depth_step_ticks` apart, of `depth_lots` each times 0.5 to 1.5, fixed by the price. A
 *           quote beyond a resting order's price fills it whole; one that only touches it fills up
 *           to the displayed size. At one price the outside is served before our orders.
 *   trade   fills resting orders of a strictly better price up to its quantity; at its own price
 *           only after the quantity that was visible there when the order came (the queue ahead).
 *   candle  open, then low and high (a rising one) or high and low, then close; fills all it
 * passes.
 *
 * Callbacks run inside the call that causes them and must not call back into this match. A matched
 * order's pointer is valid until its on_done returns. Thread: the owner's.
 */
#pragma once
#include "lib/attr.h"
#include "lib/market.h"

#define MATCH_LEVELS_MAX 64
#define MATCH_NO_PRICE INT64_MIN

struct match;

/* When is a resting order filled that the market only touched? */
enum match_touch {
    MATCH_TOUCH_QUEUE, /* after the queue ahead of it (trades), up to the displayed size (quotes) */
    MATCH_TOUCH_STRICT, /* never: the market must go beyond its price */
    MATCH_TOUCH_FILL    /* at once, as if it stood first: optimistic */
};

/* Self-trade prevention: what happens when an account's order meets its own resting one. */
enum match_stp {
    MATCH_STP_EXPIRE_MAKER,
    MATCH_STP_EXPIRE_TAKER,
    MATCH_STP_EXPIRE_BOTH,
    MATCH_STP_NONE
};

struct match_options {     /* zero is a sensible default everywhere */
    size_t orders_max;     /* resting at one time; 0: 4096 */
    unsigned depth_levels; /* synthetic levels behind the touch; 0: 20; at most MATCH_LEVELS_MAX */
    int64_t depth_step_ticks; /* 0: 1 */
    int64_t depth_lots;       /* 0: the size displayed at the touch */
    enum match_touch touch;
    bool trades_only;            /* quotes move the touch but fill nothing that rests */
    int64_t candle_spread_ticks; /* between bid and ask made from candles; 0: 1 */
    int64_t candle_lots;         /* displayed by them; 0: no limit that matters */
};

enum match_kind { MATCH_LIMIT, MATCH_MARKET };

struct match_request {
    uint64_t id; /* the caller's, for its own use */
    void *user;  /* likewise */
    uint32_t account;
    enum side side;
    enum match_kind kind;
    enum tif tif; /* market orders: ignored, what is not filled expires */
    bool post_only;
    enum match_stp stp;
    int64_t price_ticks; /* limit: above zero */
    int64_t qty_lots; /* above zero; with a budget: the most that may be bought, or 0: no limit */
    flt_i128 budget;  /* market orders by quote amount, in ticks * lots; 0: by quantity */
};

struct match_order {
    struct match_request req;
    int64_t filled_lots;
    flt_i128 cost;      /* of what is filled, ticks * lots */
    int64_t queue_lots; /* outside quantity ahead of it at its price */
    int64_t placed_ms;
    uint64_t sequence; /* time priority */
};

struct match_fill {
    const struct match_order *order; /* already counts this fill */
    const struct match_order *other; /* the other side when it is ours too; NULL: the outside */
    int64_t ts_ms;
    int64_t price_ticks, qty_lots;
    enum liquidity liquidity;
    /* Both sides of a meeting of two own orders get the same number; counts from 1 at create. */
    uint64_t trade_number;
};

enum match_end {
    MATCH_FILLED,
    MATCH_CANCELLED,
    MATCH_EXPIRED,    /* the rest of an IOC or market order; a FOK that could not be filled */
    MATCH_EXPIRED_STP /* met an order of its own account */
};

struct match_events { /* any may be NULL */
    void *ctx;
    void (*on_ack)(void *ctx,
                   const struct match_order *order);           /* accepted, before its first fill */
    void (*on_fill)(void *ctx, const struct match_fill *fill); /* taker first, then maker */
    void (*on_done)(void *ctx, const struct match_order *order, enum match_end end);
};

/* Outcomes of match_place: nothing happened, no callback ran. */
enum { MATCH_WOULD_TAKE = 1, MATCH_FULL = 2 };

FLT_MUST_USE int match_create(const struct match_options *options,
                              const struct match_events *events,
                              struct match **out); /* -ENOMEM; options NULL: defaults */
void match_destroy(struct match *match);           /* NULL is fine; no callbacks */

/* `out` (may be NULL) is the order if it rests afterwards, else NULL. -EINVAL: a bad request. */
FLT_MUST_USE int match_place(struct match *match, int64_t ts_ms,
                             const struct match_request *request, struct match_order **out);
void match_cancel(struct match *match, int64_t ts_ms, struct match_order *order);
/* Smaller total quantity, same place in the queue. -EINVAL: not smaller, or already filled so far.
 */
FLT_MUST_USE int match_shrink(struct match *match, struct match_order *order, int64_t qty_lots);
/* Puts back an order after a restart without matching it and without on_ack: quantity, what is
 * filled, priority as called. It fills by the next event if the market has passed it. */
FLT_MUST_USE int match_restore(struct match *match, int64_t placed_ms,
                               const struct match_request *request, int64_t filled_lots,
                               flt_i128 cost, struct match_order **out);

void match_quote(struct match *match, const struct quote *quote);
/* Returns the lots that our resting orders took of it. */
int64_t match_trade(struct match *match, const struct trade *trade);
void match_candle(struct match *match, const struct bar *bar, int64_t timeframe_ms);

/* What a taker would get now, without anything happening: for reserving funds. */
struct match_preview {
    int64_t lots;
    flt_i128 cost;       /* ticks * lots */
    int64_t worst_ticks; /* last price touched; MATCH_NO_PRICE: nothing */
};
void match_preview(const struct match *match, const struct match_request *request,
                   struct match_preview *out);

/* The best price that a taker of `side` would meet, ours or outside; MATCH_NO_PRICE: none. */
int64_t match_best(const struct match *match, enum side taker_side);
const struct quote *
match_outside(const struct match *match); /* the last quote, sizes reduced by takers */

/* What people see: our orders and the outside merged, best first. Returns the number of levels. */
struct match_level {
    int64_t price_ticks, qty_lots;
};
size_t match_depth(const struct match *match, enum side side, struct match_level *out, size_t max);

/* Resting orders of a side, best first: index 0 .. count - 1. */
size_t match_count(const struct match *match, enum side side);
struct match_order *match_at(const struct match *match, enum side side, size_t index);
