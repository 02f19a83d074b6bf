/* strict-cross: a resting limit order fills in full, at its own price, when a later bar trades
 * strictly through it; touching it is not enough, and a better open gives no better price. Market
 * orders fill at the next open. */
#include "backtest/book.h"

static int64_t price(const struct book_order *order, const struct indicator_columns *columns,
                     size_t bar)
{
    const int64_t open = columns->open_ticks[bar], limit = order->price_ticks;
    const bool buy = order->side == SIDE_BUY;

    if (order->type == ORDER_MARKET)
        return open;
    if (order->tif != TIF_GTC)
        return (buy ? open < limit : open > limit) ? limit : NO_FILL;
    if (buy)
        return columns->low_ticks[bar] < limit ? limit : NO_FILL;
    return columns->high_ticks[bar] > limit ? limit : NO_FILL;
}

const struct fill_model fill_strict_cross = {
    .name = "strict-cross",
    .help = "at the limit, only when a bar trades beyond it",
    .price = price,
};
