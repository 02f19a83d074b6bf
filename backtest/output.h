/* What a backtest leaves in its folder: fills.csv, trades.csv, equity.csv and summary.json
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
