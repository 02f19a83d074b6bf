/* report_tool DIR [CANDLES.csv]: makes a backtest's report and prints its summary, so that pages
 * can be tested without a run. Its exit code is 1 with the error on standard error. */
#define FLT_MOD "report_tool"
#include <stdlib.h>
#include <string.h>
#include "backtest/report.h"
#include "lib/csv.h"

struct columns {
    int64_t *value[4];
    size_t count, cap;
};

static int add_candle(struct columns *columns, const struct flt_candle *candle, struct flt_dec tick)
{
    const struct flt_dec prices[] = { candle->open, candle->high, candle->low, candle->close };

    if (columns->count == columns->cap) {
        columns->cap = columns->cap ? columns->cap * 2 : 4096;
        for (int i = 0; i < 4; i++) {
            int64_t *more = realloc(columns->value[i], columns->cap * sizeof *more);

            if (!more)
                abort();
            columns->value[i] = more;
        }
    }
    for (int i = 0; i < 4; i++)
        columns->value[i][columns->count] = flt_dec_units(prices[i], tick, FLT_ROUND_DOWN);
    columns->count++;
    return 0;
}

static int load(const char *path, struct flt_dec tick, struct columns *columns,
                struct flt_error *error)
{
    struct flt_candles candles = { 0 };
    struct flt_candle candle;
    struct flt_csv *csv = NULL;
    int err = flt_csv_open(path, &csv, error);

    if (!err)
        err = flt_candles_open(&candles, csv, error);
    while (!err) {
        err = flt_candles_next(&candles, &candle, error);
        if (!err)
            err = add_candle(columns, &candle, tick);
    }
    flt_candles_close(&candles);
    return err == FLT_CSV_END ? 0 : err;
}

int main(int argc, char **argv)
{
    const struct flt_dec tick = { 1, 2 };
    struct columns columns = { 0 };
    struct flt_error error = { 0 };
    int err = argc < 2 || argc > 3;

    if (!err && argc == 3)
        err = load(argv[2], tick, &columns, &error);
    const struct report_candles candles = { .open_ticks = columns.value[0],
                                            .high_ticks = columns.value[1],
                                            .low_ticks = columns.value[2],
                                            .close_ticks = columns.value[3],
                                            .count = columns.count,
                                            .tick = flt_dec_to_double(tick) };
    const struct report_style style = { .color = getenv("REPORT_COLOR") != NULL };

    if (!err)
        err = report_write(argv[1], argc == 3 ? &candles : NULL, &error);
    if (!err)
        err = report_print(stdout, argv[1], &style, &error);
    for (int i = 0; i < 4; i++)
        free(columns.value[i]);
    if (err)
        fprintf(stderr, "error: %s\n", error.message);
    return err != 0;
}
