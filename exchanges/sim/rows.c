#include "exchanges/sim/rows.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "lib/csv.h"

#define FIELDS_MAX 6

/* The columns of each kind, in the order in which the parsers below take them. */
static const char *const columns[][FIELDS_MAX] = {
    [SIM_ROWS_TRADES] = { "ts_ms", "price", "qty", "is_buyer_maker" },
    [SIM_ROWS_QUOTES] = { "ts_ms", "update_id", "bid", "bid_qty", "ask", "ask_qty" },
    [SIM_ROWS_CANDLES] = { "ts_ms", "open", "high", "low", "close", "volume" },
};

static int64_t ticks(const struct instrument *instrument, struct flt_csv_field field)
{
    const int64_t value =
        price_to_ticks(instrument, flt_dec_parse_n(field.text, field.size), FLT_ROUND_HALF_EVEN);

    return value > 0 ? value : INT64_MIN;
}

/* At least one lot: a recorded size below the lot was still a trade. */
static int64_t lots(const struct instrument *instrument, struct flt_csv_field field)
{
    const int64_t value =
        qty_to_lots(instrument, flt_dec_parse_n(field.text, field.size), FLT_ROUND_HALF_EVEN);

    return value < 0 || value > INT64_MAX / 1024 ? INT64_MIN : value > 0 ? value : 1;
}

static int64_t stamp(struct flt_csv_field field)
{
    const struct flt_dec value = flt_dec_parse_n(field.text, field.size);

    return flt_dec_ok(value) && value.scale == 0 && value.coef >= 0 ? value.coef : -1;
}

static bool parse_trade(const struct instrument *instrument, const struct flt_csv_field *f,
                        struct trade *out)
{
    const bool sold = f[3].size == 4 && strncasecmp(f[3].text, "true", 4) == 0;
    const bool bought = f[3].size == 5 && strncasecmp(f[3].text, "false", 5) == 0;

    *out = (struct trade){ .ts_ms = stamp(f[0]),
                           .price_ticks = ticks(instrument, f[1]),
                           .qty_lots = lots(instrument, f[2]),
                           .aggressor = sold ? SIDE_SELL : SIDE_BUY };
    return (sold || bought) && out->ts_ms >= 0 && out->price_ticks > 0 && out->qty_lots > 0;
}

static bool parse_quote(const struct instrument *instrument, const struct flt_csv_field *f,
                        struct quote *out)
{
    *out = (struct quote){ .ts_ms = stamp(f[0]),
                           .bid_ticks = ticks(instrument, f[2]),
                           .bid_lots = lots(instrument, f[3]),
                           .ask_ticks = ticks(instrument, f[4]),
                           .ask_lots = lots(instrument, f[5]) };
    return out->ts_ms >= 0 && out->bid_ticks > 0 && out->ask_ticks >= out->bid_ticks &&
           out->bid_lots > 0 && out->ask_lots > 0;
}

static bool parse_candle(const struct instrument *instrument, const struct flt_csv_field *f,
                         struct sim_candle *out)
{
    *out = (struct sim_candle){ stamp(f[0]),
                                ticks(instrument, f[1]),
                                ticks(instrument, f[2]),
                                ticks(instrument, f[3]),
                                ticks(instrument, f[4]),
                                lots(instrument, f[5]) };
    return out->ts_ms >= 0 && out->low > 0 && out->low <= out->open && out->low <= out->close &&
           out->high >= out->open && out->high >= out->close && out->volume_lots > 0;
}

static int grow(struct sim_rows *rows)
{
    static const size_t sizes[] = { sizeof(struct trade), sizeof(struct quote),
                                    sizeof(struct sim_candle) };
    void **array = rows->kind == SIM_ROWS_TRADES   ? (void **)&rows->trades
                   : rows->kind == SIM_ROWS_QUOTES ? (void **)&rows->quotes
                                                   : (void **)&rows->candles;

    if (rows->count < rows->capacity)
        return 0;
    const size_t capacity = rows->capacity ? rows->capacity * 2 : 1024;
    void *grown = realloc(*array, capacity * sizes[rows->kind]);

    if (!grown)
        return -ENOMEM;
    *array = grown;
    rows->capacity = capacity;
    return 0;
}

static bool parse_row(struct sim_rows *rows, const struct instrument *instrument,
                      const struct flt_csv_field *fields)
{
    const size_t n = rows->count;

    if (rows->kind == SIM_ROWS_TRADES)
        return parse_trade(instrument, fields, &rows->trades[n]) &&
               (n == 0 || rows->trades[n].ts_ms >= rows->trades[n - 1].ts_ms);
    if (rows->kind == SIM_ROWS_QUOTES)
        return parse_quote(instrument, fields, &rows->quotes[n]) &&
               (n == 0 || rows->quotes[n].ts_ms >= rows->quotes[n - 1].ts_ms);
    return parse_candle(instrument, fields, &rows->candles[n]) &&
           (n == 0 || rows->candles[n].ts_ms > rows->candles[n - 1].ts_ms);
}

/* place[i]: where the file's column i stands in the row that we parse. */
static int place_columns(const struct flt_csv *csv, enum sim_rows_kind kind, size_t *place,
                         struct flt_error *error)
{
    size_t count = 0;

    for (; count < FIELDS_MAX && columns[kind][count]; count++) {
        const int at = flt_csv_column(csv, columns[kind][count]);

        if (at < 0 || at >= FIELDS_MAX)
            return flt_csv_refuse(csv, error, "column %s is not where it should be",
                                  columns[kind][count]);
        place[at] = count;
    }
    if (flt_csv_columns(csv) != count)
        return flt_csv_refuse(csv, error, "%zu columns instead of %zu", flt_csv_columns(csv),
                              count);
    return 0;
}

static int read_rows(struct flt_csv *csv, const struct instrument *instrument, struct sim_rows *out,
                     struct flt_error *error)
{
    struct flt_csv_field fields[FIELDS_MAX], row[FIELDS_MAX];
    size_t place[FIELDS_MAX] = { 0 };
    int err = place_columns(csv, out->kind, place, error);

    while (!err && (err = flt_csv_next(csv, fields, error)) == 0) {
        for (size_t i = 0; i < flt_csv_columns(csv); i++)
            row[place[i]] = fields[i];
        if (grow(out) != 0)
            return -ENOMEM;
        if (!parse_row(out, instrument, row))
            return flt_csv_refuse(csv, error, "malformed or out of order");
        out->count++;
    }
    if (err == FLT_CSV_END)
        return out->count ? 0 : flt_csv_refuse(csv, error, "there is no row in it");
    return err;
}

int sim_rows_parse(enum sim_rows_kind kind, const struct instrument *instrument, const char *text,
                   size_t size, struct sim_rows *out, struct flt_error *error)
{
    struct flt_csv *csv = NULL;

    *out = (struct sim_rows){ .kind = kind };
    int err = flt_csv_open_memory("rows", text, size, &csv, error);

    if (!err)
        err = read_rows(csv, instrument, out, error);
    flt_csv_close(csv);
    return err;
}

int sim_rows_load(enum sim_rows_kind kind, const struct instrument *instrument, const char *path,
                  struct sim_rows *out, struct flt_error *error)
{
    struct flt_csv *csv = NULL;

    *out = (struct sim_rows){ .kind = kind };
    int err = flt_csv_open(path, &csv, error);

    if (!err)
        err = read_rows(csv, instrument, out, error);
    flt_csv_close(csv);
    return err;
}

void sim_rows_finish(struct sim_rows *rows)
{
    free(rows->trades);
    free(rows->quotes);
    free(rows->candles);
    *rows = (struct sim_rows){ .kind = rows->kind };
}
