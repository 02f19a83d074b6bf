/* One market's candles: the last seconds and minutes, from which longer ones are summed. */
#pragma once
#include "lib/market.h"

struct sim_kline {
    int64_t ts_ms;                     /* open time */
    int64_t open, high, low, close;    /* ticks */
    int64_t lots, buy_lots;            /* volume, and what takers bought of it */
    flt_i128 cost, buy_cost;           /* the same in ticks * lots */
    int64_t trades, first_id, last_id; /* first_id -1: none */
};

struct sim_candles {
    struct sim_kline *klines;     /* a ring */
    size_t capacity, count, head; /* head: where the next goes */
    int64_t step_ms;
};

FLT_MUST_USE int sim_candles_init(struct sim_candles *candles, int64_t step_ms, size_t capacity);
void sim_candles_finish(struct sim_candles *candles);
/* Times without a trade get flat candles. `closed` (may be NULL) gets the candle that ended by it.
 */
bool sim_candles_trade(struct sim_candles *candles, int64_t ts_ms, const struct trade *trade,
                       struct sim_kline *closed);
/* The clock passed: true when a candle ended without a trade having done it. */
bool sim_candles_advance(struct sim_candles *candles, int64_t ts_ms, struct sim_kline *closed);
/* Candle `back` steps ago, 0 is the newest; NULL: not kept. */
const struct sim_kline *sim_candles_back(const struct sim_candles *candles, size_t back);
/* Adds `more` (later) to `sum`; the first one is a copy. */
void sim_kline_merge(struct sim_kline *sum, const struct sim_kline *more);
/* Open time of the candle of length `step_ms` that holds ts_ms; weeks begin on Monday. */
int64_t sim_kline_open(int64_t ts_ms, int64_t step_ms);
