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
    int64_t price_ticks, qty_lots;
    size_t bar; /* at whose close it was placed: it works from the next one on */
    bool gone;  /* filled or cancelled while a bar is matched */
};

struct book {
    struct book_order *orders;
    size_t count, cap, gone;       /* gone: of count */
    int64_t buy_ticks, sell_ticks; /* a low at or below, a high at or above may fill one */
    bool now;                      /* one of them is settled by the very next bar */
    bool stale;                    /* the three above are of an older state */
};

/* How a bar fills orders. `price` is NO_FILL or the price of the whole order. */
#define NO_FILL INT64_MIN
struct fill_model {
    const char *name; /* "next-open" */
    const char *help;
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
/* The order that the model settles next of the first `count`: the nearest that fills, or one that
 * ends without a fill; `count`: none is left. */
size_t book_pick(const struct book *book, const struct fill_model *model,
                 const struct indicator_columns *columns, size_t bar, size_t count);
void book_compact(struct book *book); /* drops what is gone */
void book_free(struct book *book);
/* The first bar of [from, to) that may fill an order; `to`: none. */
size_t book_next(struct book *book, const struct indicator_columns *columns, size_t from,
                 size_t to);
