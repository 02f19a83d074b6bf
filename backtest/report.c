#define FLT_MOD "report"
#include "backtest/report.h"
#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include "backtest/report_data.h"
#include "backtest/report_metrics.h"
#include "backtest/report_page.h"
#include "lib/config.h"

/* --- series --------------------------------------------------------------------------------------
 * What is only drawn has 10 digits, more than any screen has pixels; prices are read too. */

#define DRAWN 10
#define READ 15

static void put_number(struct flt_buf *buf, double value, int digits)
{
    if (isfinite(value))
        flt_buf_printf(buf, "%.*g", digits, value);
    else
        flt_buf_append(buf, "null", 4);
}

enum series {
    SERIES_BAR,
    SERIES_TS,
    SERIES_OPEN,
    SERIES_HIGH,
    SERIES_LOW,
    SERIES_CLOSE,
    SERIES_EQUITY,
    SERIES_EQUITY_MIN,
    SERIES_EQUITY_MAX,
    SERIES_DRAWDOWN,
    SERIES_POSITION_MIN,
    SERIES_POSITION_MAX,
    SERIES_COUNT
};

static const char *const series_names[SERIES_COUNT] = {
    "bar",    "ts",        "open",      "high",     "low",         "close",
    "equity", "equityMin", "equityMax", "drawdown", "positionMin", "positionMax",
};

static double series_value(const struct report_bucket *bucket, enum series series)
{
    switch (series) {
    case SERIES_OPEN:
        return bucket->open;
    case SERIES_HIGH:
        return bucket->high;
    case SERIES_LOW:
        return bucket->low;
    case SERIES_CLOSE:
        return bucket->close;
    case SERIES_EQUITY_MIN:
        return bucket->equity_min;
    case SERIES_EQUITY_MAX:
        return bucket->equity_max;
    case SERIES_DRAWDOWN:
        return bucket->drawdown;
    case SERIES_POSITION_MIN:
        return bucket->position_min;
    case SERIES_POSITION_MAX:
        return bucket->position_max;
    case SERIES_BAR:
    case SERIES_TS:
    case SERIES_EQUITY:
    case SERIES_COUNT:
        break;
    }
    return (double)NAN;
}

static void put_series(struct flt_buf *buf, const struct report_data *data, enum series series)
{
    flt_jw_begin(buf, series_names[series], '[');
    for (size_t i = 0; i < data->bucket_count; i++) {
        const struct report_bucket *bucket = &data->buckets[i];

        if (i > 0)
            flt_buf_append(buf, ",", 1);
        if (series == SERIES_BAR)
            flt_buf_printf(buf, "%zu", bucket->first);
        else if (series == SERIES_TS)
            flt_buf_printf(buf, "%" PRId64, bucket->ts_ms);
        else if (series == SERIES_EQUITY)
            flt_buf_printf(buf, "\"%s\"", bucket->equity); /* digits: report_data.c checked */
        else
            put_number(buf, series_value(bucket, series),
                       series >= SERIES_OPEN && series <= SERIES_CLOSE ? READ : DRAWN);
    }
    flt_jw_end(buf, ']');
}

/* --- the page's data -----------------------------------------------------------------------------
 */

static void put_metrics(struct flt_buf *buf, struct json_object *summary)
{
    flt_jw_begin(buf, "metrics", '[');
    for (size_t i = 0; i < report_metric_count; i++) {
        const struct report_metric *metric = &report_metrics[i];
        const char *text = report_metric_text(summary, metric->name);

        if (!text)
            continue;
        flt_jw_begin(buf, NULL, '{');
        flt_jw_str(buf, "group", metric->group);
        flt_jw_str(buf, "name", metric->name);
        flt_jw_str(buf, "label", metric->label);
        flt_jw_str(buf, "kind", metric->kind);
        flt_jw_str(buf, "formula", metric->formula);
        flt_jw_str(buf, "value", text);
        flt_jw_end(buf, '}');
    }
    flt_jw_end(buf, ']');
}

static void put_months(struct flt_buf *buf, const struct report_data *data)
{
    flt_jw_begin(buf, "months", '[');
    for (size_t i = 0; i < data->month_count; i++) {
        const struct report_month *month = &data->months[i];
        const double change = report_month_return(month);

        flt_jw_begin(buf, NULL, '{');
        flt_jw_int(buf, "year", month->year);
        flt_jw_int(buf, "month", month->month);
        flt_jw_str(buf, "first", month->first);
        flt_jw_str(buf, "last", month->last);
        if (isfinite(change))
            flt_jw_double(buf, "return", change);
        else
            flt_jw_null(buf, "return");
        flt_jw_int(buf, "fills", month->fills);
        flt_jw_int(buf, "trades", month->trades);
        flt_jw_end(buf, '}');
    }
    flt_jw_end(buf, ']');
}

/* Too many to list: per bucket and side their number and mean price. */
static void put_marks(struct flt_buf *buf, const struct report_data *data)
{
    flt_jw_begin(buf, "marks", '[');
    for (size_t i = 0; i < data->bucket_count; i++)
        for (int side = 0; side < 2; side++) {
            const struct report_bucket *bucket = &data->buckets[i];

            if (bucket->fills[side] == 0)
                continue;
            flt_jw_begin(buf, NULL, '[');
            flt_jw_int(buf, NULL, (int64_t)i);
            flt_jw_str(buf, NULL, side ? "sell" : "buy");
            flt_jw_int(buf, NULL, bucket->fills[side]);
            flt_buf_append(buf, ",", 1);
            put_number(buf, bucket->value[side] / bucket->qty[side], DRAWN);
            flt_jw_end(buf, ']');
        }
    flt_jw_end(buf, ']');
}

static void put_list(struct flt_buf *buf, const char *key, const struct flt_buf *rows)
{
    flt_jw_begin(buf, key, '[');
    flt_buf_append(buf, rows->data ? rows->data : "", rows->length);
    flt_jw_end(buf, ']');
}

static void put_data(struct flt_buf *buf, const struct report_data *data)
{
    flt_jw_begin(buf, NULL, '{');
    flt_jw_int(buf, "bars", (int64_t)data->bars);
    flt_jw_int(buf, "lastTs", data->last_ts_ms);
    flt_jw_bool(buf, "priced", data->priced);
    flt_jw_tree(buf, "summary", data->summary);
    put_metrics(buf, data->summary);
    put_months(buf, data);
    flt_jw_int(buf, "fillCount", (int64_t)data->fill_count);
    flt_jw_int(buf, "tradeCount", (int64_t)data->trade_count);
    put_list(buf, "fills", &data->fills);
    put_list(buf, "trades", &data->trades);
    put_marks(buf, data);
    flt_jw_begin(buf, "series", '{');
    for (int i = 0; i < SERIES_COUNT; i++)
        put_series(buf, data, (enum series)i);
    flt_jw_end(buf, '}');
    flt_jw_end(buf, '}');
}

/* The same JSON without a character that could end the script element it stands in: outside of
 * strings JSON has none of them. */
static void escape_into(struct flt_buf *out, const struct flt_buf *json)
{
    size_t from = 0;

    for (size_t i = 0; i < json->length; i++) {
        const char c = json->data[i];

        if (c != '<' && c != '>' && c != '&')
            continue;
        flt_buf_append(out, json->data + from, i - from);
        flt_buf_printf(out, "\\u%04x", (unsigned)c);
        from = i + 1;
    }
    flt_buf_append(out, json->data + from, json->length - from);
}

/* --- files ---------------------------------------------------------------------------------------
 */

static int write_file(const char *dir, const char *name, struct flt_buf *buf,
                      struct flt_error *error)
{
    char path[4096];
    int err = buf->failed ? -ENOMEM : flt_path_join(path, sizeof path, dir, name);

    if (!err)
        err = flt_file_write(path, buf->data ? buf->data : "", buf->length, 0644);
    if (err)
        return flt_error_set(error, flt_error_from_errno(-err), "out", "", "%.120s/%s: %s", dir,
                             name, strerror(-err));
    return 0;
}

static int write_months(const char *dir, const struct report_data *data, struct flt_error *error)
{
    struct flt_buf buf = FLT_BUF_INIT;

    flt_buf_printf(&buf, "month,equity_first,equity_last,return,fills,trades\n");
    for (size_t i = 0; i < data->month_count; i++) {
        const struct report_month *month = &data->months[i];
        const double change = report_month_return(month);

        flt_buf_printf(&buf, "%04d-%02d,%s,%s,", month->year, month->month, month->first,
                       month->last);
        if (isfinite(change))
            flt_buf_printf(&buf, "%.17g", change);
        flt_buf_printf(&buf, ",%" PRIu32 ",%" PRIu32 "\n", month->fills, month->trades);
    }
    const int err = write_file(dir, "monthly.csv", &buf, error);

    flt_buf_finish(&buf);
    return err;
}

static int write_price(const char *dir, const struct report_data *data, struct flt_error *error)
{
    struct flt_buf buf = FLT_BUF_INIT;

    flt_buf_printf(&buf, "bar,bars,ts_ms,open,high,low,close\n");
    for (size_t i = 0; i < data->bucket_count; i++) {
        const struct report_bucket *bucket = &data->buckets[i];

        if (isfinite(bucket->close))
            flt_buf_printf(&buf, "%zu,%zu,%" PRId64 ",%.15g,%.15g,%.15g,%.15g\n", bucket->first,
                           bucket->bars, bucket->ts_ms, bucket->open, bucket->high, bucket->low,
                           bucket->close);
    }
    const int err = write_file(dir, "price.csv", &buf, error);

    flt_buf_finish(&buf);
    return err;
}

static int write_page(const char *dir, const struct report_data *data, struct flt_error *error)
{
    struct flt_buf json = FLT_BUF_INIT, page = FLT_BUF_INIT;

    put_data(&json, data);
    flt_buf_append(&page, report_page_head, report_page_head_size);
    if (!json.failed)
        escape_into(&page, &json);
    flt_buf_append(&page, report_page_tail, report_page_tail_size);
    page.failed = page.failed || json.failed;
    const int err = write_file(dir, "report.html", &page, error);

    flt_buf_finish(&json);
    flt_buf_finish(&page);
    return err;
}

int report_write(const char *dir, const struct report_candles *candles, struct flt_error *error)
{
    struct report_data data = { 0 };
    int err = report_data_read(dir, candles, &data, error);

    if (!err && candles && data.priced)
        err = write_price(dir, &data, error);
    if (!err)
        err = write_months(dir, &data, error);
    if (!err)
        err = write_page(dir, &data, error);
    report_data_free(&data);
    return err;
}
