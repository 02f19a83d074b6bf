/* Rows of the three kinds of CSV files, checked, for import.c. */
#pragma once
#include "backtest/store.h"
#include "lib/csv.h"

struct rows { /* one at a time */
    enum store_kind kind;
    int64_t step_ms;
    struct flt_csv *csv; /* borrowed from `candles` for those */
    struct flt_candles candles;
    struct flt_candle candle;
    int64_t ts_ms, update_id;        /* trades and quotes */
    struct flt_dec price[2], qty[2]; /* the trade's; bid and ask */
    bool buyer_maker;
    int price_scale, qty_scale; /* most decimals so far */
    uint8_t column[6];
};

/* The kind is told by the columns and has to be that of the timeframe. */
FLT_MUST_USE int rows_open(struct rows *rows, const char *file, const struct store_id *id,
                           struct flt_error *error);
FLT_MUST_USE int rows_next(struct rows *rows, struct flt_error *error); /* 0, FLT_CSV_END */
void rows_close(struct rows *rows);
/* Looks at the first rows: the timeframe, when it is "", and the decimals so far. */
FLT_MUST_USE int rows_probe(const char *file, struct store_id *id, int *price_scale, int *qty_scale,
                            struct flt_error *error);
