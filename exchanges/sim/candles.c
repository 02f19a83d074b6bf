#include "exchanges/sim/candles.h"
#include <errno.h>
#include <stdlib.h>

#define WEEK_MS ((int64_t)7 * 86400000)
#define MONDAY_MS ((int64_t)4 * 86400000) /* 1970-01-05 */

int sim_candles_init(struct sim_candles *candles, int64_t step_ms, size_t capacity)
{
    *candles = (struct sim_candles){ .capacity = capacity, .step_ms = step_ms };
    candles->klines = calloc(capacity, sizeof *candles->klines);
    return candles->klines ? 0 : -ENOMEM;
}

void sim_candles_finish(struct sim_candles *candles)
{
    free(candles->klines);
    candles->klines = NULL;
}

int64_t sim_kline_open(int64_t ts_ms, int64_t step_ms)
{
    if (step_ms == WEEK_MS)
        return ts_ms - (ts_ms - MONDAY_MS) % WEEK_MS;
    return ts_ms - ts_ms % step_ms;
}

const struct sim_kline *sim_candles_back(const struct sim_candles *candles, size_t back)
{
    if (back >= candles->count)
        return NULL;
    return &candles->klines[(candles->head + candles->capacity - 1 - back) % candles->capacity];
}

static struct sim_kline *push(struct sim_candles *candles, int64_t ts_ms, int64_t price)
{
    struct sim_kline *kline = &candles->klines[candles->head];

    *kline = (struct sim_kline){ .ts_ms = ts_ms,
                                 .open = price,
                                 .high = price,
                                 .low = price,
                                 .close = price,
                                 .first_id = -1,
                                 .last_id = -1 };
    candles->head = (candles->head + 1) % candles->capacity;
    if (candles->count < candles->capacity)
        candles->count++;
    return kline;
}

bool sim_candles_advance(struct sim_candles *candles, int64_t ts_ms, struct sim_kline *closed)
{
    const struct sim_kline *last = sim_candles_back(candles, 0);
    const int64_t open = sim_kline_open(ts_ms, candles->step_ms);

    if (!last || last->ts_ms >= open)
        return false;
    const struct sim_kline ended = *last;

    if (closed)
        *closed = ended;
    int64_t from = ended.ts_ms + candles->step_ms;
    const int64_t span = (int64_t)candles->capacity * candles->step_ms;

    if (open - from > span)
        from = open - span; /* more would only push itself out */
    for (; from <= open; from += candles->step_ms)
        push(candles, from, ended.close);
    return true;
}

bool sim_candles_trade(struct sim_candles *candles, int64_t ts_ms, const struct trade *trade,
                       struct sim_kline *closed)
{
    const bool ended = sim_candles_advance(candles, ts_ms, closed);
    struct sim_kline *kline;

    if (candles->count == 0)
        push(candles, sim_kline_open(ts_ms, candles->step_ms), trade->price_ticks);
    kline = &candles->klines[(candles->head + candles->capacity - 1) % candles->capacity];
    const flt_i128 cost = (flt_i128)trade->price_ticks * trade->qty_lots;

    if (kline->trades == 0) {
        kline->open = kline->high = kline->low = trade->price_ticks;
        kline->first_id = trade->trade_id;
    }
    kline->high = trade->price_ticks > kline->high ? trade->price_ticks : kline->high;
    kline->low = trade->price_ticks < kline->low ? trade->price_ticks : kline->low;
    kline->close = trade->price_ticks;
    kline->last_id = trade->trade_id;
    kline->trades++;
    kline->lots += trade->qty_lots;
    kline->cost += cost;
    if (trade->aggressor == SIDE_BUY) {
        kline->buy_lots += trade->qty_lots;
        kline->buy_cost += cost;
    }
    return ended;
}

void sim_kline_merge(struct sim_kline *sum, const struct sim_kline *more)
{
    sum->high = more->high > sum->high ? more->high : sum->high;
    sum->low = more->low < sum->low ? more->low : sum->low;
    sum->close = more->close;
    sum->lots += more->lots;
    sum->buy_lots += more->buy_lots;
    sum->cost += more->cost;
    sum->buy_cost += more->buy_cost;
    sum->trades += more->trades;
    if (sum->first_id < 0)
        sum->first_id = more->first_id;
    if (more->last_id >= 0)
        sum->last_id = more->last_id;
}
