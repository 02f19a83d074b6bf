/* The simulated venue of a backtest: orders in the order in which they were placed, and the fill
 * model that says which of them a bar fills, and at what price. Prices in ticks, quantities in
 * lots. */
#pragma once
#include "exchanges/exchange.h"
#include "lib/fail.h"
#include "lib/market.h"
#include "strategies/indicators/indicator.h"

struct book_order {
    char client_order_id[FLT_COID_MAX];
    enum side side;
    enum order_type type;
    enum tif tif;
    bool post_only;
    int64_t price_ticks, qty_lots;
    size_t bar;         /* at whose close it was placed: it works from the next one on */
    bool gone;          /* filled or cancelled while a bar is matched */
    size_t met;         /* the bar that has settled it last, of models that sort */
    bool works;         /* tape models: it has reached the venue */
    int64_t active_ms;  /* it works from here on (latency); 0: from the next bar */
    int64_t cancel_ms;  /* its cancel reaches the venue; 0: none is under way */
    int64_t queue_lots; /* tape models: ahead of it at its price; below 0: unknown */
    int64_t filled_lots;
    size_t number; /* in the run's list of orders */
};

static inline int64_t book_rest(const struct book_order *order)
{
    return order->qty_lots - order->filled_lots;
}

struct book {
    struct book_order *orders;
    size_t count, cap, gone;       /* gone: of count */
    int64_t buy_ticks, sell_ticks; /* a low at or below, a high at or above may fill one */
    bool now;                      /* one of them is settled by the very next bar */
    bool any, taking; /* there is one; one that waits for the market, not for a price */
    bool tape;        /* recorded events fill: any row may */
    bool stale;       /* all of these are of an older state */
};

/* How a bar fills orders. `price` is NO_FILL or the price of the whole order. */
#define NO_FILL INT64_MIN
enum fill_tape { TAPE_NONE, TAPE_TRADES, TAPE_QUOTES }; /* what it needs beside bars */
struct fill_model {
    const char *name; /* "next-open" */
    const char *help;
    enum fill_tape tape; /* not NONE: recorded trades or quotes fill (run_tape.c), no `price` */
    int64_t (*price)(const struct book_order *order, const struct indicator_columns *columns,
                     size_t bar);
    /* Of orders that one bar fills, the nearest first; equal, and NULL: in order of placement. */
    int64_t (*distance)(const struct book_order *order, const struct indicator_columns *columns,
                        size_t bar);
};

const struct fill_model *fill_model_find(const char *name); /* NULL: none */
const struct fill_model *const *fill_model_list(size_t *count);

FLT_MUST_USE int book_add(struct book *book, const struct book_order *order);
struct book_order *book_find(struct book *book, const char *client_order_id); /* NULL: none live */
void book_remove(struct book *book, struct book_order *order);
void book_refresh(struct book *book);
void book_compact(struct book *book); /* drops what is gone */
void book_free(struct book *book);
/* The first bar of [from, to) that may fill an order; `to`: none. */
size_t book_next(struct book *book, const struct indicator_columns *columns, size_t from,
                 size_t to);
