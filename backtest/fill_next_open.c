/* next-open: an order placed at a close works from the next bar on. Market orders fill at its open.
 * A limit order fills when the bar reaches its price: at the price, or at the open when that is
 * better. No slippage, no spread, no limit of volume. */
#include "backtest/book.h"

static int64_t price(const struct book_order *order, const struct indicator_columns *columns,
                     size_t bar)
{
    const int64_t open = columns->open_ticks[bar], limit = order->price_ticks;
    const bool buy = order->side == SIDE_BUY;

    if (order->type == ORDER_MARKET)
        return open;
    if (order->tif != TIF_GTC) /* now or never: the open is now */
        return (buy ? open <= limit : open >= limit) ? open : NO_FILL;
    if (buy)
        return columns->low_ticks[bar] > limit ? NO_FILL : open < limit ? open : limit;
    return columns->high_ticks[bar] < limit ? NO_FILL : open > limit ? open : limit;
}

const struct fill_model fill_next_open = {
    .name = "next-open",
    .help = "at the next bar's open, or at the limit once a bar touches it",
    .price = price,
};
