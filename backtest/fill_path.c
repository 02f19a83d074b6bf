/* path: the price goes one way through each bar: open, low, high, close when it rises (or stays),
 * open, high, low, close when it falls. Orders fill in the order in which that way meets them, at
 * their own price, or at the open when the bar begins beyond it. What a strategy orders on a fill
 * works from the next bar on, so nothing is won twice within one bar. */
#include "backtest/book.h"

static bool at_open(const struct book_order *order, int64_t open)
{
    return order->type == ORDER_MARKET ||
           (order->side == SIDE_BUY ? open <= order->price_ticks : open >= order->price_ticks);
}

static int64_t price(const struct book_order *order, const struct indicator_columns *columns,
                     size_t bar)
{
    const int64_t open = columns->open_ticks[bar], limit = order->price_ticks;

    if (at_open(order, open))
        return open;
    if (order->tif != TIF_GTC)
        return NO_FILL;
    if (order->side == SIDE_BUY)
        return columns->low_ticks[bar] <= limit ? limit : NO_FILL;
    return columns->high_ticks[bar] >= limit ? limit : NO_FILL;
}

/* How far along the way: 0 at the open, then the ticks gone until the order's price. */
static int64_t distance(const struct book_order *order, const struct indicator_columns *columns,
                        size_t bar)
{
    const int64_t open = columns->open_ticks[bar], low = columns->low_ticks[bar];
    const int64_t high = columns->high_ticks[bar], limit = order->price_ticks;
    const bool low_first = columns->close_ticks[bar] >= open;

    if (at_open(order, open))
        return 0;
    if (order->side == SIDE_BUY)
        return low_first ? open - limit : (high - open) + (high - limit);
    return low_first ? (open - low) + (limit - low) : limit - open;
}

const struct fill_model fill_path = {
    .name = "path",
    .help = "in the order of open, low, high, close (falling: high first), at the limit",
    .price = price,
    .distance = distance,
};
