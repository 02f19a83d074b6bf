#define FLT_MOD "store"
#include "backtest/import_rows.h"
#include <errno.h>
#include <string.h>

#define PROBE_ROWS 5000

static const char *const trade_names[] = { "ts_ms", "price", "qty", "is_buyer_maker" };
static const char *const quote_names[] = {
    "ts_ms", "update_id", "bid", "bid_qty", "ask", "ask_qty"
};

static size_t names_of(enum store_kind kind, const char *const **names)
{
    *names = kind == STORE_TRADES ? trade_names : quote_names;
    return kind == STORE_TRADES ? FLT_COUNT(trade_names) : FLT_COUNT(quote_names);
}

static int find_columns(struct rows *rows, struct flt_error *error)
{
    const char *const *names;
    const size_t count = names_of(rows->kind, &names);

    for (size_t i = 0; i < count; i++) {
        const int column = flt_csv_column(rows->csv, names[i]);

        if (column < 0)
            return flt_csv_refuse(rows->csv, error, "there is no column %s", names[i]);
        rows->column[i] = (uint8_t)column;
    }
    if (flt_csv_columns(rows->csv) != count)
        return flt_csv_refuse(rows->csv, error, "%zu columns instead of %zu",
                              flt_csv_columns(rows->csv), count);
    return 0;
}

static enum store_kind kind_of(const struct flt_csv *csv)
{
    if (flt_csv_column(csv, "bid") >= 0)
        return STORE_QUOTES;
    return flt_csv_column(csv, "price") >= 0 ? STORE_TRADES : STORE_CANDLES;
}

static int open_any(struct rows *rows, const char *file, struct flt_error *error)
{
    *rows = (struct rows){ .ts_ms = -1 };
    const int err = flt_csv_open(file, &rows->csv, error);

    if (err)
        return err;
    rows->kind = kind_of(rows->csv);
    return rows->kind == STORE_CANDLES ? flt_candles_open(&rows->candles, rows->csv, error)
                                       : find_columns(rows, error);
}

int rows_open(struct rows *rows, const char *file, const struct store_id *id,
              struct flt_error *error)
{
    enum store_kind kind;
    int64_t step_ms;
    const int err = open_any(rows, file, error);

    if (err)
        return err;
    if (!store_timeframe(id->timeframe, &kind, &step_ms) || kind != rows->kind)
        return flt_csv_refuse(rows->csv, error, "the columns are those of %s, not of %s",
                              store_kind_name(rows->kind),
                              id->timeframe[0] ? id->timeframe : "candles");
    rows->step_ms = step_ms;
    return 0;
}

void rows_close(struct rows *rows)
{
    flt_csv_close(rows->csv);
    *rows = (struct rows){ 0 };
}

/* --- trades and quotes ---------------------------------------------------------------------------
 */

static int refuse_field(const struct rows *rows, const char *name, struct flt_csv_field field,
                        const char *what, struct flt_error *error)
{
    return flt_csv_refuse(rows->csv, error, "%s is %s: %.*s", name, what,
                          field.size < 40 ? (int)field.size : 40, field.text);
}

static int whole(const struct rows *rows, const char *name, struct flt_csv_field field,
                 int64_t *out, struct flt_error *error)
{
    const struct flt_dec value = flt_dec_parse_n(field.text, field.size);

    if (!flt_dec_ok(value) || value.scale != 0 || value.coef < 0)
        return refuse_field(rows, name, field, "not a whole number", error);
    *out = value.coef;
    return 0;
}

static int number(struct rows *rows, const char *name, struct flt_csv_field field, bool price,
                  struct flt_dec *out, struct flt_error *error)
{
    int *const most = price ? &rows->price_scale : &rows->qty_scale;

    *out = flt_dec_parse_n(field.text, field.size);
    if (!flt_dec_ok(*out))
        return refuse_field(rows, name, field, "not a number", error);
    if (out->coef <= 0)
        return refuse_field(rows, name, field, out->coef < 0 ? "negative" : "zero", error);
    *most = out->scale > *most ? out->scale : *most;
    return 0;
}

static int time_of(struct rows *rows, struct flt_csv_field field, struct flt_error *error)
{
    int64_t ts_ms = 0;
    const int err = whole(rows, "ts_ms", field, &ts_ms, error);

    if (err)
        return err;
    if (ts_ms > INT64_C(100000000000000))
        return refuse_field(rows, "ts_ms", field, "not in milliseconds", error);
    if (ts_ms < rows->ts_ms)
        return flt_csv_refuse(rows->csv, error,
                              "ts_ms goes back: %lld after %lld (sort the file by time)",
                              (long long)ts_ms, (long long)rows->ts_ms);
    rows->ts_ms = ts_ms;
    return 0;
}

static bool is_word(struct flt_csv_field field, const char *word)
{
    return field.size == strlen(word) && strncasecmp(field.text, word, field.size) == 0;
}

static int next_trade(struct rows *rows, const struct flt_csv_field *fields,
                      struct flt_error *error)
{
    const struct flt_csv_field maker = fields[rows->column[3]];
    int err = number(rows, "price", fields[rows->column[1]], true, &rows->price[0], error);

    if (!err)
        err = number(rows, "qty", fields[rows->column[2]], false, &rows->qty[0], error);
    rows->buyer_maker = is_word(maker, "true");
    if (!err && !rows->buyer_maker && !is_word(maker, "false"))
        err = refuse_field(rows, "is_buyer_maker", maker, "neither true nor false", error);
    return err;
}

static int next_quote(struct rows *rows, const struct flt_csv_field *fields,
                      struct flt_error *error)
{
    int err = whole(rows, "update_id", fields[rows->column[1]], &rows->update_id, error);

    if (!err)
        err = number(rows, "bid", fields[rows->column[2]], true, &rows->price[0], error);
    if (!err)
        err = number(rows, "bid_qty", fields[rows->column[3]], false, &rows->qty[0], error);
    if (!err)
        err = number(rows, "ask", fields[rows->column[4]], true, &rows->price[1], error);
    if (!err)
        err = number(rows, "ask_qty", fields[rows->column[5]], false, &rows->qty[1], error);
    if (!err && flt_dec_cmp(rows->price[0], rows->price[1]) > 0)
        err = flt_csv_refuse(rows->csv, error, "bid is above ask");
    return err;
}

int rows_next(struct rows *rows, struct flt_error *error)
{
    struct flt_csv_field fields[FLT_CSV_COLUMNS_MAX];
    int err;

    if (rows->kind == STORE_CANDLES) {
        err = flt_candles_next(&rows->candles, &rows->candle, error);
        rows->price_scale = rows->candles.price_scale;
        rows->qty_scale = rows->candles.volume_scale;
        return err;
    }
    err = flt_csv_next(rows->csv, fields, error);
    if (!err)
        err = time_of(rows, fields[rows->column[0]], error);
    if (err)
        return err;
    return rows->kind == STORE_TRADES ? next_trade(rows, fields, error)
                                      : next_quote(rows, fields, error);
}

/* --- probe ---------------------------------------------------------------------------------------
 */

#define SECONDS_BELOW                                                                              \
    INT64_C(100000000000) /* March 1973 in milliseconds, the year 5138 in seconds */

/* The timeframe whose length is the smallest distance of two rows. */
static int name_timeframe(const struct rows *rows, int64_t distance_ms, struct store_id *id,
                          struct flt_error *error)
{
    static const char *const names[] = { "1s", "1m", "3m", "5m",  "15m", "30m", "1h", "2h",
                                         "4h", "6h", "8h", "12h", "1d",  "3d",  "1w" };

    if (rows->kind != STORE_CANDLES) {
        strcpy(id->timeframe, store_kind_name(rows->kind));
        return 0;
    }
    for (size_t i = 0; i < FLT_COUNT(names); i++)
        if (timeframe_ms(names[i]) == distance_ms) {
            strcpy(id->timeframe, names[i]);
            return 0;
        }
    if (distance_ms == INT64_MAX)
        flt_csv_refuse(rows->csv, error, "the timeframe is not clear: it takes two rows");
    else
        flt_csv_refuse(rows->csv, error,
                       "the timeframe is not clear: the nearest rows are %lld ms apart%s",
                       (long long)distance_ms,
                       rows->candle.ts_ms < SECONDS_BELOW ? ", is ts_ms in seconds?" : "");
    if (error)
        strcpy(error->hint, "name it: VENUE/INSTRUMENT/1m");
    return -EINVAL;
}

int rows_probe(const char *file, struct store_id *id, int *price_scale, int *qty_scale,
               struct flt_error *error)
{
    int64_t before_ms = 0, distance_ms = INT64_MAX;
    struct rows rows;
    int err = open_any(&rows, file, error);

    for (size_t i = 0; !err && i < PROBE_ROWS; i++) {
        err = rows_next(&rows, error);
        if (!err && rows.kind == STORE_CANDLES && i > 0 &&
            rows.candle.ts_ms - before_ms < distance_ms)
            distance_ms = rows.candle.ts_ms - before_ms;
        before_ms = rows.candle.ts_ms;
    }
    if (err == FLT_CSV_END)
        err = 0;
    if (!err && !id->timeframe[0])
        err = name_timeframe(&rows, distance_ms, id, error);
    *price_scale = rows.price_scale > *price_scale ? rows.price_scale : *price_scale;
    *qty_scale = rows.kind == STORE_CANDLES ? 0 : rows.qty_scale;
    rows_close(&rows);
    return err;
}
