#define FLT_MOD "data"
#include "backtest/data.h"
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include "backtest/store.h"
#include "lib/crypto.h"
#include "lib/csv.h"

#define ROWS_FIRST 4096

struct rows { /* as read, before the tick is known */
    struct flt_candle *row;
    size_t count, cap;
};

static int grow(struct rows *rows, struct flt_error *error)
{
    const size_t cap = rows->cap ? rows->cap * 2 : ROWS_FIRST;
    struct flt_candle *more = realloc(rows->row, cap * sizeof *more);

    if (!more) {
        flt_error_set(error, FLT_INTERNAL, "data", "", "no memory for %zu candles", cap);
        return -ENOMEM;
    }
    rows->row = more;
    rows->cap = cap;
    return 0;
}

static int read_rows(struct flt_candles *candles, struct rows *rows, struct flt_error *error)
{
    int err = 0;

    while (!err) {
        if (rows->count == rows->cap)
            err = grow(rows, error);
        if (!err)
            err = flt_candles_next(candles, &rows->row[rows->count], error);
        if (!err)
            rows->count++;
    }
    return err == FLT_CSV_END ? 0 : err;
}

int data_hash_file(const char *path, char out[65], struct flt_error *error)
{
    uint8_t hash[32];
    const int err = flt_sha256_file(path, hash, NULL);

    if (err)
        return flt_error_set(error, flt_error_from_errno(err), "data", "", "%s: %s", path,
                             strerror(-err));
    flt_hex(hash, sizeof hash, out);
    return 0;
}

static int allocate(struct data *data, size_t count)
{
    for (size_t i = 0; i < FLT_COUNT(data->owned); i++) {
        data->owned[i] = calloc(count + 1, sizeof(int64_t));
        if (!data->owned[i])
            return -ENOMEM;
    }
    data->columns = (struct indicator_columns){
        .ts_ms = data->owned[0],
        .open_ticks = data->owned[1],
        .high_ticks = data->owned[2],
        .low_ticks = data->owned[3],
        .close_ticks = data->owned[4],
        .volume = data->owned[5],
    };
    return 0;
}

/* The price as ticks; false: no multiple, or out of range. */
static bool to_ticks(struct flt_dec price, struct flt_dec tick, int64_t *out)
{
    *out = flt_dec_units(price, tick, FLT_ROUND_DOWN);
    return *out != INT64_MIN && flt_dec_is_multiple(price, tick) &&
           *out < INT64_C(1000000000000000);
}

static int fill_columns(struct data *data, const char *path, const struct rows *rows,
                        struct flt_error *error)
{
    int64_t *const ts_ms = data->owned[0];
    double *const volume = data->owned[5];
    char text[FLT_DEC_TEXT_MAX], tick[FLT_DEC_TEXT_MAX];

    data->bar_ms = 0;
    for (size_t i = 0; i < rows->count; i++) {
        const struct flt_candle *row = &rows->row[i];
        const struct flt_dec prices[] = { row->open, row->high, row->low, row->close };

        for (size_t k = 0; k < FLT_COUNT(prices); k++)
            if (!to_ticks(prices[k], data->tick, (int64_t *)data->owned[k + 1] + i))
                return flt_error_set(error, FLT_INVALID_ARGUMENT, "tick", "use a smaller --tick",
                                     "%s:%zu: the price %s is no multiple of the tick %s", path,
                                     i + 2, flt_dec_format(prices[k], text),
                                     flt_dec_format(data->tick, tick));
        ts_ms[i] = row->ts_ms;
        volume[i] = flt_dec_to_double(row->volume);
        if (i > 0 && (data->bar_ms == 0 || row->ts_ms - ts_ms[i - 1] < data->bar_ms))
            data->bar_ms = row->ts_ms - ts_ms[i - 1];
    }
    if (data->bar_ms == 0)
        data->bar_ms = 60000;
    data->count = rows->count;
    return 0;
}

static int take_rows(struct data *data, const char *path, const struct flt_candles *candles,
                     const struct rows *rows, struct flt_dec tick, struct flt_error *error)
{
    if (rows->count == 0)
        return flt_error_set(error, FLT_INVALID_ARGUMENT, "data", "", "%s has no candles", path);
    data->tick = tick.coef > 0 ? tick : (struct flt_dec){ 1, (int8_t)candles->price_decimals };
    const int err = allocate(data, rows->count);

    return err ? err : fill_columns(data, path, rows, error);
}

int data_load_csv(const char *path, struct flt_dec tick, struct data *out, struct flt_error *error)
{
    const char *slash = strrchr(path, '/');
    struct data data = { 0 };
    struct flt_candles candles = { 0 };
    struct flt_csv *csv = NULL;
    struct rows rows = { 0 };
    int err = flt_csv_open(path, &csv, error);

    if (!err)
        err = flt_candles_open(&candles, csv, error);
    if (!err)
        err = read_rows(&candles, &rows, error);
    if (!err)
        err = data_hash_file(path, data.sha256, error);
    data.unended = !err && flt_csv_unended(csv);
    if (!err)
        err = take_rows(&data, path, &candles, &rows, tick, error);
    flt_candles_close(&candles);
    free(rows.row);
    (void)snprintf(data.name, sizeof data.name, "%s", slash ? slash + 1 : path);
    if (err)
        data_free(&data);
    else
        *out = data;
    return err;
}

void data_free_trades(struct tape_trades *trades)
{
    free(trades->ts_ms);
    free(trades->price_ticks);
    free(trades->qty_lots);
    free(trades->sold);
    *trades = (struct tape_trades){ 0 };
}

void data_free_quotes(struct tape_quotes *quotes)
{
    free(quotes->ts_ms);
    free(quotes->bid_ticks);
    free(quotes->bid_lots);
    free(quotes->ask_ticks);
    free(quotes->ask_lots);
    *quotes = (struct tape_quotes){ 0 };
}

void data_free(struct data *data)
{
    data_free_trades(&data->trades);
    data_free_quotes(&data->quotes);
    for (size_t i = 0; i < FLT_COUNT(data->owned); i++)
        free(data->owned[i]);
    if (data->mapped)
        store_close(data->mapped);
    free(data->mapped);
    memset(data, 0, sizeof *data);
}
