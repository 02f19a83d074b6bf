/* Recorded trades and quotes, from a CSV file or a store: for the fill models `trades` and `book`,
 * and as the source of bars where there are none. */
#define FLT_MOD "data"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "backtest/data.h"
#include "backtest/import.h"
#include "backtest/import_rows.h"

struct raw { /* as read: a trade, or bid and ask */
    int64_t ts_ms;
    struct flt_dec price[2], qty[2];
    bool sold;
};

struct raw_tape {
    enum store_kind kind;
    struct raw *row;
    size_t count, cap;
    int price_scale; /* most decimals of a price; zeros at the end do not count */
    char name[128], sha256[65];
};

static int no_memory(struct flt_error *error)
{
    flt_error_set(error, FLT_INTERNAL, "data", "", "no memory for the recorded events");
    return -ENOMEM;
}

static int add(struct raw_tape *tape, const struct raw *row, struct flt_error *error)
{
    if (tape->count == tape->cap) {
        const size_t cap = tape->cap ? tape->cap * 2 : 4096;
        struct raw *more = realloc(tape->row, cap * sizeof *more);

        if (!more)
            return no_memory(error);
        tape->row = more;
        tape->cap = cap;
    }
    tape->row[tape->count++] = *row;
    return 0;
}

static int read_file(const char *path, struct raw_tape *tape, struct flt_error *error)
{
    const char *slash = strrchr(path, '/');
    struct store_id id = { .timeframe = "" };
    struct rows rows = { 0 };
    int price_scale = 0, qty_scale = 0;
    int err = rows_probe(path, &id, &price_scale, &qty_scale, error);

    if (!err)
        err = rows_open(&rows, path, &id, error);
    tape->kind = rows.kind;
    while (!err && rows.kind != STORE_CANDLES && !(err = rows_next(&rows, error)))
        err = add(tape,
                  &(struct raw){ rows.ts_ms,
                                 { rows.price[0], rows.price[1] },
                                 { rows.qty[0], rows.qty[1] },
                                 rows.buyer_maker },
                  error);
    tape->price_scale = rows.price_scale;
    rows_close(&rows);
    (void)snprintf(tape->name, sizeof tape->name, "%s", slash ? slash + 1 : path);
    if (err == FLT_CSV_END || !err)
        err = data_hash_file(path, tape->sha256, error);
    return err;
}

static int take_store(const struct store *store, struct raw_tape *tape, struct flt_error *error)
{
    const int8_t p = (int8_t)store->price_scale, q = (int8_t)store->qty_scale;
    int err = 0;

    tape->kind = store->kind;
    tape->price_scale = store->price_scale;
    for (size_t i = 0; !err && i < store->count; i++) {
        struct raw row = { .ts_ms = store->ts_ms[i] };

        if (store->kind == STORE_TRADES) {
            row.price[0] = (struct flt_dec){ store->price[i], p };
            row.qty[0] = (struct flt_dec){ store->qty[i], q };
            row.sold = store->buyer_maker[i];
        } else {
            row.price[0] = (struct flt_dec){ store->bid[i], p };
            row.qty[0] = (struct flt_dec){ store->bid_qty[i], q };
            row.price[1] = (struct flt_dec){ store->ask[i], p };
            row.qty[1] = (struct flt_dec){ store->ask_qty[i], q };
        }
        err = add(tape, &row, error);
    }
    return err;
}

static int read_store(const char *root, const char *name, const struct store_id *id,
                      struct raw_tape *tape, struct flt_error *error)
{
    struct store store = { 0 };
    char path[STORE_PATH_MAX];
    int err = store_path(root, id, path, sizeof path, error);

    if (!err)
        err = store_open(path, &store, error);
    if (err)
        return err;
    err = store_verify(&store, error);
    if (!err && store.kind != STORE_CANDLES)
        err = take_store(&store, tape, error);
    store_hash(&store, tape->sha256);
    (void)snprintf(tape->name, sizeof tape->name, "%s", name);
    store_close(&store);
    return err;
}

static int read_any(const char *root, const char *name, struct raw_tape *tape,
                    struct flt_error *error)
{
    struct store_id id;
    int err;

    *tape = (struct raw_tape){ 0 };
    if (access(name, F_OK) != 0 && store_id_parse(&id, name, true, NULL) == 0)
        err = read_store(root, name, &id, tape, error);
    else
        err = read_file(name, tape, error);
    if (!err && tape->kind == STORE_CANDLES)
        err = flt_error_set(error, FLT_INVALID_ARGUMENT, "data", "columns: docs/data.md",
                            "%s holds candles, not trades or quotes", name);
    if (!err && tape->count == 0)
        err = flt_error_set(error, FLT_INVALID_ARGUMENT, "data", "", "%s is empty", name);
    if (err)
        free(tape->row);
    return err;
}

/* --- columns
 * ----------------------------------------------------------------------------------------- */

static int to_ticks(const struct raw_tape *tape, size_t i, int side, struct flt_dec tick,
                    int64_t *out, struct flt_error *error)
{
    const struct flt_dec price = tape->row[i].price[side];
    char text[FLT_DEC_TEXT_MAX], step[FLT_DEC_TEXT_MAX];

    *out = flt_dec_units(price, tick, FLT_ROUND_DOWN);
    if (*out != INT64_MIN && flt_dec_is_multiple(price, tick))
        return 0;
    return flt_error_set(error, FLT_INVALID_ARGUMENT, "tick", "use a smaller --tick",
                         "%s: the price %s in row %zu is no multiple of the tick %s", tape->name,
                         flt_dec_format(price, text), i + 1, flt_dec_format(tick, step));
}

static int64_t *column(const struct raw_tape *tape)
{
    return calloc(tape->count + 1, sizeof(int64_t));
}

static int take_trades(const struct raw_tape *tape, struct flt_dec lot, struct data *data,
                       struct flt_error *error)
{
    struct tape_trades *to = &data->trades;
    int err = 0;

    data_free_trades(to);
    *to = (struct tape_trades){ column(tape), column(tape), column(tape),
                                calloc(tape->count + 1, sizeof(bool)), tape->count };
    if (!to->ts_ms || !to->price_ticks || !to->qty_lots || !to->sold)
        return no_memory(error);
    for (size_t i = 0; !err && i < tape->count; i++) {
        to->ts_ms[i] = tape->row[i].ts_ms;
        to->qty_lots[i] = flt_dec_units(tape->row[i].qty[0], lot, FLT_ROUND_DOWN);
        to->sold[i] = tape->row[i].sold;
        err = to_ticks(tape, i, 0, data->tick, &to->price_ticks[i], error);
    }
    memcpy(data->trades_name, tape->name, sizeof data->trades_name);
    memcpy(data->trades_sha256, tape->sha256, sizeof data->trades_sha256);
    return err;
}

static int take_quotes(const struct raw_tape *tape, struct flt_dec lot, struct data *data,
                       struct flt_error *error)
{
    struct tape_quotes *to = &data->quotes;
    int err = 0;

    data_free_quotes(to);
    *to = (struct tape_quotes){ column(tape), column(tape), column(tape),
                                column(tape), column(tape), tape->count };
    if (!to->ts_ms || !to->bid_ticks || !to->bid_lots || !to->ask_ticks || !to->ask_lots)
        return no_memory(error);
    for (size_t i = 0; !err && i < tape->count; i++) {
        to->ts_ms[i] = tape->row[i].ts_ms;
        to->bid_lots[i] = flt_dec_units(tape->row[i].qty[0], lot, FLT_ROUND_DOWN);
        to->ask_lots[i] = flt_dec_units(tape->row[i].qty[1], lot, FLT_ROUND_DOWN);
        err = to_ticks(tape, i, 0, data->tick, &to->bid_ticks[i], error);
        if (!err)
            err = to_ticks(tape, i, 1, data->tick, &to->ask_ticks[i], error);
    }
    memcpy(data->quotes_name, tape->name, sizeof data->quotes_name);
    memcpy(data->quotes_sha256, tape->sha256, sizeof data->quotes_sha256);
    return err;
}

static int take(const struct raw_tape *tape, struct flt_dec lot, struct data *data,
                struct flt_error *error)
{
    return tape->kind == STORE_TRADES ? take_trades(tape, lot, data, error)
                                      : take_quotes(tape, lot, data, error);
}

int data_add_tape(const char *root, const char *name, struct flt_dec lot, struct data *data,
                  struct flt_error *error)
{
    struct raw_tape tape;
    int err = read_any(root, name, &tape, error);

    if (err)
        return err;
    err = take(&tape, lot, data, error);
    free(tape.row);
    return err;
}

/* --- bars
 * -------------------------------------------------------------------------------------------- */

struct bar_maker {
    int64_t *at[5]; /* ts_ms, open, high, low, close */
    double *volume;
    size_t count;
    int64_t step_ms, lots; /* of the bar under way */
    double lot;
};

static void add_price(struct bar_maker *maker, int64_t ts_ms, int64_t price, int64_t lots)
{
    const int64_t start = store_candle_start(ts_ms, maker->step_ms);
    size_t i = maker->count - 1;

    if (maker->count == 0 || maker->at[0][i] != start) {
        i = maker->count++;
        maker->at[0][i] = start;
        maker->at[1][i] = maker->at[2][i] = maker->at[3][i] = price;
        maker->lots = 0;
    }
    if (price > maker->at[2][i])
        maker->at[2][i] = price;
    if (price < maker->at[3][i])
        maker->at[3][i] = price;
    maker->at[4][i] = price;
    maker->lots += lots;
    maker->volume[i] = (double)maker->lots * maker->lot;
}

static int make_bars(struct data *data, int64_t step_ms, struct flt_dec lot)
{
    const bool trades = data->trades.count > 0;
    const size_t count = trades ? data->trades.count : data->quotes.count;
    struct bar_maker maker = { .step_ms = step_ms, .lot = flt_dec_to_double(lot) };

    for (size_t i = 0; i < FLT_COUNT(data->owned); i++)
        if (!(data->owned[i] = calloc(count + 1, sizeof(int64_t))))
            return -ENOMEM;
    for (size_t i = 0; i < FLT_COUNT(maker.at); i++)
        maker.at[i] = data->owned[i];
    maker.volume = data->owned[5];
    for (size_t i = 0; i < count; i++)
        if (trades)
            add_price(&maker, data->trades.ts_ms[i], data->trades.price_ticks[i],
                      data->trades.qty_lots[i]);
        else
            add_price(&maker, data->quotes.ts_ms[i],
                      (data->quotes.bid_ticks[i] + data->quotes.ask_ticks[i]) / 2, 0);
    data->columns = (struct indicator_columns){ maker.at[0], maker.at[1], maker.at[2],
                                                maker.at[3], maker.at[4], maker.volume };
    data->count = maker.count;
    data->bar_ms = step_ms;
    return 0;
}

int data_load_tape(const char *root, const char *name, struct flt_dec tick, struct flt_dec lot,
                   int64_t step_ms, struct data *out, struct flt_error *error)
{
    struct data data = { 0 };
    struct raw_tape tape;
    int err = read_any(root, name, &tape, error);

    if (err)
        return err;
    data.tick = tick.coef > 0 ? tick : (struct flt_dec){ 1, (int8_t)tape.price_scale };
    memcpy(data.name, tape.name, sizeof data.name);
    memcpy(data.sha256, tape.sha256, sizeof data.sha256);
    err = take(&tape, lot, &data, error);
    free(tape.row);
    if (!err && make_bars(&data, step_ms, lot))
        err = no_memory(error);
    if (err)
        data_free(&data);
    else
        *out = data;
    return err;
}

bool data_is_tape(const char *name)
{
    struct store_id id;
    struct flt_csv *csv = NULL;

    if (access(name, F_OK) != 0)
        return store_id_parse(&id, name, true, NULL) == 0 &&
               (!strcmp(id.timeframe, "trades") || !strcmp(id.timeframe, "quotes"));
    if (flt_csv_open(name, &csv, NULL))
        return false;
    const bool is = flt_csv_column(csv, "bid") >= 0 || flt_csv_column(csv, "price") >= 0;

    flt_csv_close(csv);
    return is;
}
