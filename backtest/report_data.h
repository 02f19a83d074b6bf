/* The files of a backtest's folder, read for drawing: numbers stay text where they are shown as
 * they are, and become doubles where they are only drawn. Strict: a row that is not what the runner
 * writes is refused with file and line. */
#pragma once
#include <json-c/json.h>
#include "backtest/report.h"
#include "lib/json.h"

#define REPORT_BUCKETS_MAX 4000
#define REPORT_LIST_MAX 2000 /* fills and trades that are listed one by one */
#define REPORT_NUMBER_MAX 48

struct report_bucket { /* bars first .. first + bars - 1 */
    size_t first, bars;
    int64_t ts_ms;                  /* of the first */
    char equity[REPORT_NUMBER_MAX]; /* at the last, as in equity.csv */
    double equity_last, equity_min, equity_max;
    double drawdown; /* the deepest, <= 0 */
    double position_min, position_max, position_last;
    double open, high, low, close; /* NAN: no price known */
    uint32_t fills[2];             /* buys, sells */
    double value[2], qty[2];       /* their sums, for a mean price */
};

struct report_month {
    int year, month;                                        /* UTC; 1..12 */
    char first[REPORT_NUMBER_MAX], last[REPORT_NUMBER_MAX]; /* equity before it and at its end */
    double first_value, last_value;
    uint32_t fills, trades; /* trades that ended in it */
};

struct report_data {
    struct json_object *summary;
    struct report_bucket *buckets;
    size_t bucket_count;
    size_t bars;
    int64_t last_ts_ms;
    double equity_first;
    struct report_month *months;
    size_t month_count;
    size_t fill_count, trade_count;
    struct flt_buf fills, trades; /* items of JSON arrays, the first REPORT_LIST_MAX */
    bool priced;
};

FLT_MUST_USE int report_data_read(const char *dir, const struct report_candles *candles,
                                  struct report_data *out, struct flt_error *error);
void report_data_free(struct report_data *data); /* twice is fine */
/* Return of the month; NAN from nothing or less. */
double report_month_return(const struct report_month *month);
