/* The candles of one backtest in memory: exact columns in ticks, and what they came from. */
#pragma once
#include "lib/fail.h"
#include "lib/market.h"
#include "strategies/indicators/indicator.h"

struct store;

/* Recorded trades and best bids and asks of the same instrument, in ticks and lots; none: NULL. */
struct tape_trades {
    int64_t *ts_ms, *price_ticks, *qty_lots;
    bool *sold; /* the aggressor sold */
    size_t count;
};
struct tape_quotes {
    int64_t *ts_ms, *bid_ticks, *bid_lots, *ask_ticks, *ask_lots;
    size_t count;
};

struct data {
    struct indicator_columns columns; /* borrowed from `owned` */
    size_t count;
    int64_t bar_ms; /* the smallest distance of two rows; holes are ignored */
    struct flt_dec tick;
    char name[128];       /* the file's, without its folder */
    char sha256[65];      /* of the file's bytes, in hex */
    bool unended;         /* the file's last line has no end: it may be cut */
    struct store *mapped; /* of a store: what columns may point into */
    void *owned[6];       /* ts_ms, open, high, low, close, volume */
    struct tape_trades trades;
    struct tape_quotes quotes;
    char trades_name[128], trades_sha256[65]; /* "": there are none */
    char quotes_name[128], quotes_sha256[65];
};

/* A CSV file `ts_ms,open,high,low,close,volume`, plain or gzip. `tick` zero: 10^-(most decimals of
 * a price in it). A price that is no multiple of the tick is refused. -EINVAL: `error` names file,
 * line and reason. */
FLT_MUST_USE int data_load_csv(const char *path, struct flt_dec tick, struct data *out,
                               struct flt_error *error);
/* A file, or else a store's name, VENUE/INSTRUMENT/TIMEFRAME, below DIR `root`: its hash is that of
 * the store, its tick the store's own. */
FLT_MUST_USE int data_load(const char *root, const char *name, struct flt_dec tick,
                           struct data *out, struct flt_error *error);
/* A file or store of trades or quotes beside the candles, in their tick: what it holds its columns
 * say. Quantities are rounded down to lots. */
FLT_MUST_USE int data_add_tape(const char *root, const char *name, struct flt_dec lot,
                               struct data *data, struct flt_error *error);
/* Trades or quotes alone: bars of `step_ms` are made of the trades' prices, or of the middle of bid
 * and ask; where nothing was recorded there is no bar. `tick` zero: by the most decimals. */
FLT_MUST_USE int data_load_tape(const char *root, const char *name, struct flt_dec tick,
                                struct flt_dec lot, int64_t step_ms, struct data *out,
                                struct flt_error *error);
bool data_is_tape(const char *name); /* and not candles */
/* The SHA-256 of a file's bytes, as a result names its data. */
FLT_MUST_USE int data_hash_file(const char *path, char out[65], struct flt_error *error);
void data_free_trades(struct tape_trades *trades);
void data_free_quotes(struct tape_quotes *quotes);
void data_free(struct data *data); /* twice is fine */
