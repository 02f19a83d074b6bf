/* What a backtest leaves in its folder: fills.csv, trades.csv, orders.csv, equity.csv, summary.json
 * (docs/backtest.md). Numbers are exact decimals; metrics have 17 significant digits. Equal inputs
 * give equal bytes. */
#pragma once
#include "backtest/metrics.h"
#include "backtest/trades.h"

struct output {
    const struct run_config *config;
    const struct run_result *result;
    const struct trades *trades;
    const struct metrics *metrics;
    uint64_t seed;
};

/* The metrics of a result: fills in `out`, which output->metrics points to. -ENOMEM. */
FLT_MUST_USE int output_metrics(const struct output *output, struct metrics *out);
/* Makes the folder; files are written whole or not at all. */
FLT_MUST_USE int output_write(const struct output *output, const char *dir,
                              struct flt_error *error);
void output_summary(const struct output *output, struct flt_buf *buf); /* summary.json's text */
/* The plain words about this result that a person should read; false: no more. */
bool output_note(const struct output *output, size_t index, char *out, size_t size);

/* --- shared with output_portfolio.c */

#define OUTPUT_FILLS "fill,bar,ts_ms,side,price,qty,fee,cash_after,position_after,tag"
#define OUTPUT_TRADES                                                                              \
    "tag,entry_bar,entry_ts_ms,entry_price,exit_bar,exit_ts_ms,exit_price,qty,fees,pnl_net"
#define OUTPUT_ORDERS "order,placed_bar,ts_ms,side,type,price,qty,filled,status,end_bar,tag"

struct output_place { /* of a row in its file */
    size_t number, bar, end_bar;
    struct flt_amt cash;
};

/* A row without its line end. */
void output_fill_row(const struct output *output, struct flt_buf *buf, size_t i,
                     const struct output_place *place);
void output_trade_row(const struct output *output, struct flt_buf *buf, size_t i,
                      const struct output_place *place);
void output_order_row(const struct output *output, struct flt_buf *buf, size_t i,
                      const struct output_place *place);
void output_data(const struct output *output, struct flt_buf *buf, const char *key);
void output_config(const struct output *output, struct flt_buf *buf, const char *key);
struct metric_trade *
output_metric_trades(const struct output *output); /* to be freed; NULL: no memory */
void output_add_fills(const struct output *output, struct metrics_input *input);
/* Writes and finishes `buf`. */
FLT_MUST_USE int output_folder(const char *dir, struct flt_error *error); /* made, and cleared */
FLT_MUST_USE int output_file(const char *dir, const char *name, struct flt_buf *buf,
                             struct flt_error *error);
