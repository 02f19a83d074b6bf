/* CSV files into stores and out of them, plain or gzip; the columns say what is in a file:
 *
 *   candles  ts_ms,open,high,low,close,volume       ts_ms: opening time, UTC
 *   trades   ts_ms,price,qty,is_buyer_maker
 *   quotes   ts_ms,update_id,bid,bid_qty,ask,ask_qty
 *
 * A file is read in one stream of any size and is taken whole or not at all: a bad row refuses it
 * with file, line and reason, and the store is as it was. Failures: negative errno with `error`. */
#pragma once
#include "backtest/store.h"

struct store_import {   /* what to do */
    const char *root;   /* the fleet's DIR */
    struct store_id id; /* timeframe "": found out from the file */
    bool replace;       /* rows that differ from stored ones win; trades, quotes: instead of all */
    enum store_reason gap;                    /* of holes in the file */
    int price_scale;                          /* at least so many decimals */
    void (*progress)(void *ctx, size_t rows); /* now and then; may be NULL */
    void *ctx;
};

struct store_imported { /* what was done */
    size_t rows;        /* in the file */
    size_t added, same, replaced;
    size_t passes; /* over the file: more than one when finer prices or older rows turned up */
    bool rewritten;
    char path[STORE_PATH_MAX];
};

/* -EEXIST: rows differ from stored ones and `replace` is off. */
FLT_MUST_USE int store_import(struct store_import *import, const char *file,
                              struct store_imported *out, struct flt_error *error);

/* "binance/BTC-USDT/1m", or without the timeframe when that may be missing. */
FLT_MUST_USE int store_id_parse(struct store_id *id, const char *text, bool whole,
                                struct flt_error *error);

/* Rows that open in [from_ms, to_ms) as CSV; file NULL: standard output; "x.gz": gzip. Slots
 * without a candle are left out. Existing files are replaced whole or not at all. */
FLT_MUST_USE int store_export(const struct store *store, const char *file, int64_t from_ms,
                              int64_t to_ms, size_t *rows, struct flt_error *error);

/* --- repair --------------------------------------------------------------------------------------
 */

typedef void store_repair_fn(void *ctx, size_t line, const char *reason);

struct store_repaired {
    size_t rows, kept, dropped, moved;
};

/* Writes a copy that can be imported: rows sorted by time, of candles with one time the last, rows
 * that cannot be right left out; nothing is made up. `fn` gets each change. -EINVAL: the columns
 * are wrong, or nothing is left. */
FLT_MUST_USE int store_repair(const char *file, const char *copy, store_repair_fn *fn, void *ctx,
                              struct store_repaired *out, struct flt_error *error);
