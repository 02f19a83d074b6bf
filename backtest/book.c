#define FLT_MOD "book"
#include "backtest/book.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>

int book_add(struct book *book, const struct book_order *order)
{
    if (book->count == book->cap) {
        const size_t cap = book->cap ? book->cap * 2 : 64;
        struct book_order *more = realloc(book->orders, cap * sizeof *more);

        if (!more)
            return -ENOMEM;
        book->orders = more;
        book->cap = cap;
    }
    book->orders[book->count++] = *order;
    book->stale = true;
    return 0;
}

struct book_order *book_find(struct book *book, const char *client_order_id)
{
    for (size_t i = book->count; i-- > 0;)
        if (!book->orders[i].gone && !strcmp(book->orders[i].client_order_id, client_order_id))
            return &book->orders[i];
    return NULL;
}

void book_remove(struct book *book, struct book_order *order)
{
    order->gone = true;
    book->gone++;
    book->stale = true;
}

void book_compact(struct book *book)
{
    size_t kept = 0;

    if (book->gone == 0)
        return;
    book->gone = 0;
    while (!book->orders[kept].gone)
        kept++;
    for (size_t i = kept; i < book->count; i++) {
        if (book->orders[i].gone)
            continue;
        book->orders[kept++] = book->orders[i];
    }
    book->count = kept;
}

void book_free(struct book *book)
{
    free(book->orders);
    memset(book, 0, sizeof *book);
}

void book_refresh(struct book *book)
{
    book->buy_ticks = INT64_MIN;
    book->sell_ticks = INT64_MAX;
    book->now = book->any = book->taking = false;
    for (size_t i = 0; i < book->count; i++) {
        const struct book_order *order = &book->orders[i];

        if (order->gone)
            continue;
        book->any = true;
        book->taking |= order->type == ORDER_MARKET || order->tif != TIF_GTC;
        if (order->type == ORDER_MARKET || order->tif != TIF_GTC || order->cancel_ms != 0)
            book->now = true;
        if (order->type == ORDER_MARKET || order->tif != TIF_GTC)
            continue;
        if (order->side == SIDE_BUY && order->price_ticks > book->buy_ticks)
            book->buy_ticks = order->price_ticks;
        else if (order->side == SIDE_SELL && order->price_ticks < book->sell_ticks)
            book->sell_ticks = order->price_ticks;
    }
    book->stale = false;
}

size_t book_next(struct book *book, const struct indicator_columns *columns, size_t from, size_t to)
{
    if (book->stale)
        book_refresh(book);
    if (book->now || (book->tape && book->any))
        return from;
    const int64_t buy = book->buy_ticks, sell = book->sell_ticks;
    const int64_t *low = columns->low_ticks, *high = columns->high_ticks;

    if (buy == INT64_MIN && sell == INT64_MAX)
        return to;
    while (from < to && low[from] > buy && high[from] < sell)
        from++;
    return from;
}
