/* What a person sees of a backtest: report.html, monthly.csv and a summary for the terminal, all
 * made from the files that the run left in its folder (summary.json, equity.csv, fills.csv,
 * trades.csv).
 *
 * report.html is one file without network or outside script: the data stand in it as JSON, with
 * every number as its file has it, and a short script draws. Bars are gathered into at most
 * REPORT_BUCKETS_MAX buckets of their extremes, so that its size does not grow with the run.
 * price.csv keeps the candles of those buckets: a report can be made again from the folder alone,
 * and is then equal byte for byte. Failures: negative errno with `error` filled. Threads: any. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include "lib/attr.h"
#include "lib/fail.h"

struct report_candles { /* borrowed; one for each row of equity.csv, or more */
    const int64_t *open_ticks, *high_ticks, *low_ticks, *close_ticks;
    size_t count;
    double tick;
};

struct report_style {
    bool color;
    unsigned columns; /* of the terminal; 0: 80 */
    FILE *notes;      /* where the run's notes go; NULL: with the rest */
};

/* Writes DIR/report.html, DIR/monthly.csv and, from `candles`, DIR/price.csv. `candles` NULL: what
 * an earlier report left in price.csv, else no price is drawn. */
FLT_MUST_USE int report_write(const char *dir, const struct report_candles *candles,
                              struct flt_error *error);
/* A table of the main figures with a line of the equity. */
FLT_MUST_USE int report_print(FILE *file, const char *dir, const struct report_style *style,
                              struct flt_error *error);
