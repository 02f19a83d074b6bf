/* Market data files (lib/csv.h) into rows of ticks and lots.
 *
 *   trades      ts_ms,price,qty,is_buyer_maker
 *   bookticker  ts_ms,update_id,bid,bid_qty,ask,ask_qty
 *   candles     ts_ms,open,high,low,close,volume      (ts_ms: open time; 1m or 1h)
 * Columns go by name. A malformed row, or one whose time goes back, refuses the file with its line
 * number. */
#pragma once
#include "lib/fail.h"
#include "lib/market.h"

enum sim_rows_kind { SIM_ROWS_TRADES, SIM_ROWS_QUOTES, SIM_ROWS_CANDLES };

struct sim_candle {
    int64_t ts_ms, open, high, low, close; /* ticks */
    int64_t volume_lots;
};

struct sim_rows {
    enum sim_rows_kind kind;
    size_t count, capacity;
    struct trade *trades; /* the one that `kind` names; the others are NULL */
    struct quote *quotes;
    struct sim_candle *candles;
};

/* -EINVAL: `error` names line and reason. `out` is to be finished in any case. */
FLT_MUST_USE int sim_rows_parse(enum sim_rows_kind kind, const struct instrument *instrument,
                                const char *text, size_t size, struct sim_rows *out,
                                struct flt_error *error);
FLT_MUST_USE int sim_rows_load(enum sim_rows_kind kind, const struct instrument *instrument,
                               const char *path, struct sim_rows *out, struct flt_error *error);
void sim_rows_finish(struct sim_rows *rows);
