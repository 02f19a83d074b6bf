/* What a backtest of several instruments leaves: a folder for each, with the files of a run of its
 * own, and above them the portfolio's, whose rows name their instrument. There `bar` counts the
 * instants at which a bar closed (rows of the portfolio's equity.csv). */
#pragma once
#include "backtest/output.h"
#include "backtest/portfolio.h"

struct portfolio_output {
    const struct portfolio_result *result;
    struct output *outputs; /* of each instrument; with trades and metrics */
    struct trades *trades;
    struct metrics *metrics;
    struct metrics sum;
    int64_t *close_ms; /* of each row */
    struct flt_amt *equity;
    size_t rows;
    int64_t row_ms; /* the shortest bar's length: a row's ts_ms is its close less this */
    bool shared;
    uint64_t seed;
};

/* Trades and metrics of each and of all. -ENOMEM; to be freed also then. */
FLT_MUST_USE int portfolio_output_make(const struct portfolio_result *result, uint64_t seed,
                                       bool shared, struct portfolio_output *out);
void portfolio_output_free(struct portfolio_output *output);
FLT_MUST_USE int portfolio_output_write(const struct portfolio_output *output, const char *dir,
                                        struct flt_error *error);
void portfolio_output_summary(const struct portfolio_output *output, struct flt_buf *buf);
