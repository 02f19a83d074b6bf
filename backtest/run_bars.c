/* Longer bars out of rows: each is seen at the first row's close at which it is over, never before.
 * One of which the data have only the end (the first, unless the data begin with it) is left out.
 */
#define FLT_MOD "run"
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "backtest/run_impl.h"
#include "backtest/store.h"

static int allocate(struct run_bars *bars, size_t count)
{
    for (size_t i = 0; i < FLT_COUNT(bars->owned); i++)
        if (!(bars->owned[i] = calloc(count + 1, sizeof(int64_t))))
            return -ENOMEM;
    bars->row = calloc(count + 1, sizeof *bars->row);
    bars->columns = (struct indicator_columns){
        .ts_ms = bars->owned[0],
        .open_ticks = bars->owned[1],
        .high_ticks = bars->owned[2],
        .low_ticks = bars->owned[3],
        .close_ticks = bars->owned[4],
        .volume = bars->owned[5],
    };
    return bars->row ? 0 : -ENOMEM;
}

static void begin_bar(struct run_bars *bars, const struct indicator_columns *rows, size_t i)
{
    const size_t at = bars->count++;

    ((int64_t *)bars->owned[0])[at] = store_candle_start(rows->ts_ms[i], bars->step_ms);
    ((int64_t *)bars->owned[1])[at] = rows->open_ticks[i];
    ((int64_t *)bars->owned[2])[at] = rows->high_ticks[i];
    ((int64_t *)bars->owned[3])[at] = rows->low_ticks[i];
    bars->row[at] = SIZE_MAX; /* it may never be over */
}

static void add_row(struct run_bars *bars, const struct indicator_columns *rows, size_t i)
{
    const size_t at = bars->count - 1;
    int64_t *const high = (int64_t *)bars->owned[2] + at, *const low =
                                                              (int64_t *)bars->owned[3] + at;

    if (rows->high_ticks[i] > *high)
        *high = rows->high_ticks[i];
    if (rows->low_ticks[i] < *low)
        *low = rows->low_ticks[i];
    ((int64_t *)bars->owned[4])[at] = rows->close_ticks[i];
    ((double *)bars->owned[5])[at] += rows->volume ? rows->volume[i] : 0;
}

/* Those that are over at the close of row i, which no bar before it was. */
static void show_bars(struct run_bars *bars, int64_t close_ms, size_t i, size_t *shown)
{
    while (*shown < bars->count && bars->columns.ts_ms[*shown] + bars->step_ms <= close_ms)
        bars->row[(*shown)++] = i;
}

int run_bars_make(const struct data *data, int64_t step_ms, struct run_bars *out)
{
    const struct indicator_columns *rows = &data->columns;
    size_t shown = 0;
    const int err = allocate(out, data->count);

    out->step_ms = step_ms;
    for (size_t i = 0; !err && i < data->count; i++) {
        const int64_t start = store_candle_start(rows->ts_ms[i], step_ms);
        const bool first = out->count == 0;

        if (first && start != rows->ts_ms[i] &&
            (i == 0 || start == store_candle_start(rows->ts_ms[0], step_ms)))
            continue;
        if (first || out->columns.ts_ms[out->count - 1] != start)
            begin_bar(out, rows, i);
        add_row(out, rows, i);
        show_bars(out, rows->ts_ms[i] + data->bar_ms, i, &shown);
    }
    out->count = shown; /* the last one, if it is not over, does not exist */
    return err;
}

void run_bars_free(struct run_bars *bars)
{
    for (size_t i = 0; i < FLT_COUNT(bars->owned); i++)
        free(bars->owned[i]);
    free(bars->row);
    memset(bars, 0, sizeof *bars);
}
