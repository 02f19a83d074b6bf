#define FLT_MOD "report"
#include "backtest/report_data.h"
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include "backtest/report_rows.h"
#include "lib/config.h"

#define DAY_MS INT64_C(86400000)

static const char *const EQUITY[] = { "bar", "ts_ms", "equity", NULL };
static const char *const FILLS[] = { "bar", "ts_ms",          "side", "price", "qty",
                                     "fee", "position_after", "tag",  NULL };
static const char *const TRADES[] = { "tag",      "entry_bar",  "entry_ts_ms", "entry_price",
                                      "exit_bar", "exit_ts_ms", "exit_price",  "qty",
                                      "fees",     "pnl_net",    NULL };
static const char *const PRICE[] = { "bar", "open", "high", "low", "close", NULL };

enum { FILL_BAR, FILL_TS, FILL_SIDE, FILL_PRICE, FILL_QTY, FILL_FEE, FILL_POSITION, FILL_TAG };
enum { TRADE_EXIT_TS = 5 };

/* --- buckets -------------------------------------------------------------------------------------
 * Even, but the first is bar 0 alone: holding starts at its close. */

static size_t bucket_start(size_t bucket, size_t bars, size_t buckets)
{
    return bucket == 0 ? 0 : 1 + (bucket - 1) * (bars - 1) / (buckets - 1);
}

static size_t bucket_of(const struct report_data *data, size_t bar)
{
    size_t low = 0, high = data->bucket_count;

    while (high - low > 1) {
        const size_t middle = low + (high - low) / 2;

        if (data->buckets[middle].first <= bar)
            low = middle;
        else
            high = middle;
    }
    return low;
}

static int make_buckets(struct report_data *data)
{
    const size_t count = data->bars < REPORT_BUCKETS_MAX ? data->bars : REPORT_BUCKETS_MAX;

    data->buckets = calloc(count, sizeof *data->buckets);
    if (!data->buckets)
        return -ENOMEM;
    data->bucket_count = count;
    for (size_t i = 0; i < count; i++) {
        struct report_bucket *bucket = &data->buckets[i];
        const size_t next = i + 1 < count ? bucket_start(i + 1, data->bars, count) : data->bars;

        bucket->first = bucket_start(i, data->bars, count);
        bucket->bars = next - bucket->first;
        bucket->open = bucket->high = bucket->low = bucket->close = (double)NAN;
    }
    return 0;
}

/* --- months --------------------------------------------------------------------------------------
 */

static struct report_month *month_at(struct report_data *data, int64_t ts_ms, bool add)
{
    const time_t seconds = (time_t)(ts_ms / 1000);
    struct tm utc;

    gmtime_r(&seconds, &utc);
    for (size_t i = data->month_count; i > 0; i--)
        if (data->months[i - 1].year == utc.tm_year + 1900 &&
            data->months[i - 1].month == utc.tm_mon + 1)
            return &data->months[i - 1];
    if (!add)
        return NULL;
    struct report_month *more =
        realloc(data->months, (data->month_count + 1) * sizeof *data->months);

    if (!more)
        return NULL;
    data->months = more;
    more += data->month_count++;
    *more = (struct report_month){ .year = utc.tm_year + 1900, .month = utc.tm_mon + 1 };
    return more;
}

double report_month_return(const struct report_month *month)
{
    return month->first_value > 0 ? month->last_value / month->first_value - 1 : (double)NAN;
}

/* --- equity --------------------------------------------------------------------------------------
 */

static int count_bars(const char *dir, struct report_data *data, struct flt_error *error)
{
    struct report_rows rows;
    int err = report_rows_open(&rows, dir, "equity.csv", EQUITY, error);

    if (err == -ENOENT)
        return flt_error_set(error, FLT_NOT_FOUND, "dir", "see: flotilla backtest --help",
                             "%.180s has no equity.csv: it is no backtest's folder", dir);
    while (!err) {
        err = report_rows_next(&rows, error);
        data->bars += err == 0;
    }
    report_rows_close(&rows);
    if (err == FLT_CSV_END && data->bars == 0)
        return flt_error_set(error, FLT_INVALID_ARGUMENT, "dir", "",
                             "%.180s/equity.csv has no bars", dir);
    return err == FLT_CSV_END ? 0 : err;
}

struct equity_walk { /* along equity.csv */
    double peak;
    int64_t day;
    struct report_month *month;
    size_t bar, bucket;
    char text[REPORT_NUMBER_MAX];
};

static void into_bucket(struct report_bucket *bucket, const struct equity_walk *walk, double equity,
                        int64_t ts_ms)
{
    const double drawdown = walk->peak > 0 ? equity / walk->peak - 1 : 0;

    if (walk->bar == bucket->first) {
        bucket->ts_ms = ts_ms;
        bucket->equity_min = bucket->equity_max = equity;
    }
    bucket->equity_min = fmin(bucket->equity_min, equity);
    bucket->equity_max = fmax(bucket->equity_max, equity);
    bucket->drawdown = fmin(bucket->drawdown, drawdown);
    bucket->equity_last = equity;
    if (walk->bar + 1 == bucket->first + bucket->bars)
        memcpy(bucket->equity, walk->text, sizeof bucket->equity);
}

static int into_month(struct report_data *data, struct equity_walk *walk, const char *before,
                      double before_value, double equity, int64_t ts_ms)
{
    if (!walk->month || ts_ms / DAY_MS != walk->day) {
        const size_t count = data->month_count;

        walk->day = ts_ms / DAY_MS;
        walk->month = month_at(data, ts_ms, true);
        if (!walk->month)
            return -ENOMEM;
        if (data->month_count > count) {
            memcpy(walk->month->first, before, sizeof walk->month->first);
            walk->month->first_value = before_value;
        }
    }
    memcpy(walk->month->last, walk->text, sizeof walk->month->last);
    walk->month->last_value = equity;
    return 0;
}

static int equity_row(struct report_data *data, struct report_rows *rows, struct equity_walk *walk,
                      struct flt_error *error)
{
    char before[REPORT_NUMBER_MAX];
    const double before_value = walk->bar > 0 ? data->buckets[walk->bucket].equity_last : 0;
    double equity = 0;
    int64_t ts_ms = 0;

    memcpy(before, walk->text, sizeof before);
    int err = report_rows_int(rows, 1, &ts_ms, error);

    if (!err)
        err = report_rows_text(rows, 2, walk->text, sizeof walk->text, error);
    if (!err)
        err = report_rows_number(rows, 2, &equity, error);
    if (err)
        return err;
    if (walk->bar == 0)
        data->equity_first = equity;
    while (walk->bar >= data->buckets[walk->bucket].first + data->buckets[walk->bucket].bars)
        walk->bucket++;
    walk->peak = walk->bar == 0 ? equity : fmax(walk->peak, equity);
    into_bucket(&data->buckets[walk->bucket], walk, equity, ts_ms);
    data->last_ts_ms = ts_ms;
    err = into_month(data, walk, walk->bar ? before : walk->text, walk->bar ? before_value : equity,
                     equity, ts_ms);
    walk->bar++;
    return err;
}

static int read_equity(const char *dir, struct report_data *data, struct flt_error *error)
{
    struct equity_walk walk = { 0 };
    struct report_rows rows;
    int err = report_rows_open(&rows, dir, "equity.csv", EQUITY, error);

    while (!err && walk.bar < data->bars) {
        err = report_rows_next(&rows, error);
        if (!err)
            err = equity_row(data, &rows, &walk, error);
    }
    report_rows_close(&rows);
    return err;
}

/* --- price ---------------------------------------------------------------------------------------
 */

static void take_candles(struct report_data *data, const struct report_candles *candles)
{
    for (size_t i = 0; i < data->bucket_count; i++) {
        struct report_bucket *bucket = &data->buckets[i];
        const size_t last = bucket->first + bucket->bars - 1;

        if (last >= candles->count)
            return;
        int64_t high = candles->high_ticks[last], low = candles->low_ticks[last];

        for (size_t k = bucket->first; k < last; k++) {
            high = candles->high_ticks[k] > high ? candles->high_ticks[k] : high;
            low = candles->low_ticks[k] < low ? candles->low_ticks[k] : low;
        }
        bucket->open = (double)candles->open_ticks[bucket->first] * candles->tick;
        bucket->high = (double)high * candles->tick;
        bucket->low = (double)low * candles->tick;
        bucket->close = (double)candles->close_ticks[last] * candles->tick;
    }
    data->priced = true;
}

static int read_price(const char *dir, struct report_data *data, struct flt_error *error)
{
    struct report_rows rows;
    int64_t bar = 0;
    size_t at = 0;
    int err = report_rows_open(&rows, dir, "price.csv", PRICE, error);

    if (err == -ENOENT)
        return 0;
    for (; !err; at++) {
        double value[4];

        err = report_rows_next(&rows, error);
        if (!err)
            err = report_rows_int(&rows, 0, &bar, error);
        for (int i = 0; !err && i < 4; i++)
            err = report_rows_number(&rows, i + 1, &value[i], error);
        if (!err && (at >= data->bucket_count || data->buckets[at].first != (size_t)bar))
            err = flt_csv_refuse(rows.csv, error, "it is not of this run's equity.csv");
        if (!err) {
            data->buckets[at].open = value[0];
            data->buckets[at].high = value[1];
            data->buckets[at].low = value[2];
            data->buckets[at].close = value[3];
        }
    }
    report_rows_close(&rows);
    data->priced = err == FLT_CSV_END && at > 1;
    return err == FLT_CSV_END ? 0 : err;
}

/* --- fills and trades ----------------------------------------------------------------------------
 */

struct fill_walk { /* the position between fills is carried from bucket to bucket */
    double position;
    size_t bucket;
};

static void carry_position(struct report_data *data, struct fill_walk *walk, size_t to)
{
    for (; walk->bucket < to; walk->bucket++) {
        struct report_bucket *next = &data->buckets[walk->bucket + 1];

        next->position_min = next->position_max = next->position_last = walk->position;
    }
}

/* Every column as it stands in the file, one JSON array. */
static int list_row(struct report_rows *rows, const char *const *names, struct flt_buf *out,
                    struct flt_error *error)
{
    double number;
    int err = 0;

    flt_jw_begin(out, NULL, '[');
    for (int i = 0; !err && names[i]; i++) {
        const struct flt_csv_field field = rows->fields[rows->at[i]];

        if (strcmp(names[i], "side") != 0 && strcmp(names[i], "tag") != 0)
            err = report_rows_number(rows, i, &number, error);
        flt_jw_str_n(out, NULL, field.text, field.size);
    }
    flt_jw_end(out, ']');
    return err ? err : out->failed ? -ENOMEM : 0;
}

static int fill_row(struct report_data *data, struct report_rows *rows, struct fill_walk *walk,
                    struct flt_error *error)
{
    double price = 0, qty = 0, position = 0;
    int64_t bar = 0, ts_ms = 0;
    char side[8];
    int err = report_rows_int(rows, FILL_BAR, &bar, error);

    if (!err)
        err = report_rows_int(rows, FILL_TS, &ts_ms, error);
    if (!err)
        err = report_rows_text(rows, FILL_SIDE, side, sizeof side, error);
    if (!err)
        err = report_rows_number(rows, FILL_PRICE, &price, error);
    if (!err)
        err = report_rows_number(rows, FILL_QTY, &qty, error);
    if (!err)
        err = report_rows_number(rows, FILL_POSITION, &position, error);
    if (err)
        return err;
    const bool sell = strcmp(side, "sell") == 0;
    const size_t to = (size_t)bar < data->bars ? bucket_of(data, (size_t)bar) : SIZE_MAX;

    if ((!sell && strcmp(side, "buy") != 0) || to < walk->bucket || to == SIZE_MAX)
        return flt_csv_refuse(rows->csv, error, "the %s is not possible here",
                              to == SIZE_MAX || to < walk->bucket ? "bar" : "side");
    struct report_bucket *bucket = &data->buckets[to];

    carry_position(data, walk, to);
    walk->position = position;
    bucket->position_min = fmin(bucket->position_min, walk->position);
    bucket->position_max = fmax(bucket->position_max, walk->position);
    bucket->position_last = walk->position;
    bucket->fills[sell]++;
    bucket->value[sell] += price * qty;
    bucket->qty[sell] += qty;
    struct report_month *month = month_at(data, ts_ms, false);

    if (month)
        month->fills++;
    return 0;
}

static int read_fills(const char *dir, struct report_data *data, struct flt_error *error)
{
    struct fill_walk walk = { 0 };
    struct report_rows rows;
    int err = report_rows_open(&rows, dir, "fills.csv", FILLS, error);

    if (err == -ENOENT)
        return 0;
    while (!err) {
        err = report_rows_next(&rows, error);
        if (!err)
            err = fill_row(data, &rows, &walk, error);
        if (!err && data->fill_count++ < REPORT_LIST_MAX)
            err = list_row(&rows, FILLS, &data->fills, error);
    }
    carry_position(data, &walk, data->bucket_count - 1);
    report_rows_close(&rows);
    return err == FLT_CSV_END ? 0 : err;
}

static int read_trades(const char *dir, struct report_data *data, struct flt_error *error)
{
    struct report_rows rows;
    int64_t ts_ms = 0;
    int err = report_rows_open(&rows, dir, "trades.csv", TRADES, error);

    if (err == -ENOENT)
        return 0;
    while (!err) {
        err = report_rows_next(&rows, error);
        if (!err)
            err = report_rows_int(&rows, TRADE_EXIT_TS, &ts_ms, error);
        if (err)
            break;
        struct report_month *month = month_at(data, ts_ms, false);

        if (month)
            month->trades++;
        if (data->trade_count++ < REPORT_LIST_MAX)
            err = list_row(&rows, TRADES, &data->trades, error);
    }
    report_rows_close(&rows);
    return err == FLT_CSV_END ? 0 : err;
}

/* --- all of it -----------------------------------------------------------------------------------
 */

static int read_all(const char *dir, const struct report_candles *candles, struct report_data *data,
                    struct flt_error *error)
{
    char path[4096];
    int err = flt_path_join(path, sizeof path, dir, "summary.json");

    if (!err)
        err = count_bars(dir, data, error);
    if (!err)
        data->summary = flt_json_load(path, error);
    if (!err && !json_object_is_type(data->summary, json_type_object))
        err = flt_error_set(error, FLT_INVALID_ARGUMENT, "dir", "", "%.180s is no object", path);
    if (!err)
        err = make_buckets(data);
    if (!err)
        err = read_equity(dir, data, error);
    if (!err && candles)
        take_candles(data, candles);
    if (!err && !candles)
        err = read_price(dir, data, error);
    if (!err)
        err = read_fills(dir, data, error);
    return err ? err : read_trades(dir, data, error);
}

int report_data_read(const char *dir, const struct report_candles *candles, struct report_data *out,
                     struct flt_error *error)
{
    struct report_data data = { 0 };
    const int err = read_all(dir, candles, &data, error);

    if (err) {
        report_data_free(&data);
        return flt_error_set(error, flt_error_from_errno(-err), "dir", "", "cannot read %.180s: %s",
                             dir, strerror(-err));
    }
    *out = data;
    return 0;
}

void report_data_free(struct report_data *data)
{
    json_object_put(data->summary);
    free(data->buckets);
    free(data->months);
    flt_buf_finish(&data->fills);
    flt_buf_finish(&data->trades);
    memset(data, 0, sizeof *data);
}
