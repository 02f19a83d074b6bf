/* A store as the candles of a backtest: its columns as they are mapped where it has no holes, so
 * that any number of runs share one copy; else its candles without the empty slots, as a file has
 * them. */
#define FLT_MOD "data"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "backtest/data.h"
#include "backtest/import.h"

static int no_memory(struct flt_error *error)
{
    flt_error_set(error, FLT_INTERNAL, "data", "", "no memory for the candles");
    return -ENOMEM;
}

static int set_times(struct data *data, const struct store *store)
{
    int64_t *const ts_ms = calloc(store->valid_count + 1, sizeof *ts_ms);
    size_t first, at = 0;

    if (!ts_ms)
        return -ENOMEM;
    for (size_t from = 0, run; (run = store_run(store, from, &first)); from = first + run)
        for (size_t i = first; i < first + run; i++)
            ts_ms[at++] = store_ts_ms(store, i);
    data->owned[0] = ts_ms;
    data->count = at;
    return 0;
}

/* Runs of candles behind each other. */
static int copy_column(struct data *data, const struct store *store, size_t index)
{
    char *const to = calloc(store->valid_count + 1, 8);
    size_t first, at = 0;

    if (!to)
        return -ENOMEM;
    for (size_t from = 0, run; (run = store_run(store, from, &first)); from = first + run) {
        memcpy(to + at * 8, (const char *)store->maps[index] + first * 8, run * 8);
        at += run;
    }
    data->owned[index + 1] = to;
    return 0;
}

/* In ticks of another size; -EINVAL: a price is no multiple of it. */
static int change_tick(struct data *data, int scale, struct flt_dec tick, struct flt_error *error)
{
    for (size_t k = 1; k <= 4; k++)
        for (size_t i = 0; i < data->count; i++) {
            int64_t *const at = (int64_t *)data->owned[k] + i;
            const struct flt_dec price = { *at, (int8_t)scale };
            char text[FLT_DEC_TEXT_MAX];

            if (!flt_dec_is_multiple(price, tick))
                return flt_error_set(error, FLT_INVALID_ARGUMENT, "tick", "use a smaller --tick",
                                     "the price %s is no multiple of the tick",
                                     flt_dec_format(price, text));
            *at = flt_dec_units(price, tick, FLT_ROUND_DOWN);
        }
    return 0;
}

static int take(struct data *data, struct flt_dec tick, struct flt_error *error)
{
    const struct store *const store = data->mapped;
    const struct flt_dec own = { 1, (int8_t)store->price_scale };
    const bool other = tick.coef > 0 && flt_dec_cmp(tick, own) != 0;
    const void *at[5];
    int err = set_times(data, store);

    for (size_t i = 0; !err && i < 5; i++) {
        if (other || store->valid_count < store->count)
            err = copy_column(data, store, i);
        at[i] = data->owned[i + 1] ? data->owned[i + 1] : store->maps[i];
    }
    if (err)
        return no_memory(error);
    data->columns = (struct indicator_columns){ .ts_ms = data->owned[0],
                                                .open_ticks = at[0],
                                                .high_ticks = at[1],
                                                .low_ticks = at[2],
                                                .close_ticks = at[3],
                                                .volume = at[4] };
    data->bar_ms = store->step_ms;
    data->tick = other ? tick : own;
    return other ? change_tick(data, store->price_scale, tick, error) : 0;
}

static int load_store(const char *root, const char *name, struct flt_dec tick, struct data *out,
                      struct flt_error *error)
{
    struct data data = { 0 };
    struct store_id id;
    char path[STORE_PATH_MAX];
    int err = store_id_parse(&id, name, true, error);

    if (!err)
        err = store_path(root, &id, path, sizeof path, error);
    if (!err && !(data.mapped = calloc(1, sizeof *data.mapped)))
        err = no_memory(error);
    if (!err)
        err = store_open(path, data.mapped, error);
    if (!err)
        err = store_verify(data.mapped, error);
    if (!err && (data.mapped->kind != STORE_CANDLES || data.mapped->count == 0))
        err = flt_error_set(error, FLT_INVALID_ARGUMENT, "data", "see: flotilla data resample",
                            "%s holds no candles", name);
    if (!err) {
        store_hash(data.mapped, data.sha256);
        snprintf(data.name, sizeof data.name, "%s", name);
        err = take(&data, tick, error);
    }
    if (err)
        data_free(&data);
    else
        *out = data;
    return err;
}

int data_load(const char *root, const char *name, struct flt_dec tick, struct data *out,
              struct flt_error *error)
{
    struct store_id id;

    return access(name, F_OK) != 0 && store_id_parse(&id, name, true, NULL) == 0
               ? load_store(root, name, tick, out, error)
               : data_load_csv(name, tick, out, error);
}
