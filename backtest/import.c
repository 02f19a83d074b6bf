/* One pass puts rows behind what is stored, and finds on its way whether that will do. Finer
 * prices, or rows before the end of what is stored, make it start again: with more decimals, or as
 * a merge of old and new into a fresh store that then takes the old one's place. */
#define FLT_MOD "store"
#include "backtest/import.h"
#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include "backtest/import_rows.h"

enum { AGAIN_FINER = 1, AGAIN_MERGED };

#define PROGRESS_ROWS 65536
#define PASSES_MAX 48 /* decimals grow at most 18 times on each of two scales */

struct pass {
    struct store_import *import;
    struct store_imported *out;
    struct rows rows;
    struct store old; /* what was stored before; count 0: nothing */
    struct store_writer *writer;
    bool fresh; /* into a new store that takes the old one's place */
    bool merge; /* with the rows of the old one */
    int price_scale, qty_scale;
    int64_t up;     /* old ticks to new ones */
    size_t old_at;  /* merge: the next old slot */
    int64_t old_ms; /* append: the last stored time, INT64_MIN: none */
};

static int64_t to_units(struct flt_dec value, int scale)
{
    static const int64_t powers[] = {
        1,
        10,
        100,
        1000,
        10000,
        100000,
        1000000,
        10000000,
        100000000,
        1000000000,
        10000000000,
        100000000000,
        1000000000000,
        10000000000000,
        100000000000000,
        INT64_C(1000000000000000),
        INT64_C(10000000000000000),
        INT64_C(100000000000000000),
        INT64_C(1000000000000000000),
    };
    int64_t units;

    if (value.scale > scale ||
        __builtin_mul_overflow(value.coef, powers[scale - value.scale], &units))
        return INT64_MIN;
    return units;
}

static int refuse_size(const struct pass *pass, struct flt_error *error)
{
    return flt_csv_refuse(pass->rows.csv, error, "a value with %d decimals does not fit 18 digits",
                          pass->price_scale);
}

/* --- candles -------------------------------------------------------------------------------------
 */

static int to_candle(const struct pass *pass, struct store_candle *out, struct flt_error *error)
{
    const struct flt_candle *const in = &pass->rows.candle;
    const int scale = pass->price_scale;

    *out = (struct store_candle){ in->ts_ms,
                                  to_units(in->open, scale),
                                  to_units(in->high, scale),
                                  to_units(in->low, scale),
                                  to_units(in->close, scale),
                                  flt_dec_to_double(in->volume) };
    if (out->open < 0 || out->high < 0 || out->low < 0 || out->close < 0)
        return refuse_size(pass, error);
    return 0;
}

static struct store_candle old_candle(const struct pass *pass, size_t slot)
{
    const struct store *const old = &pass->old;

    return (struct store_candle){ store_ts_ms(old, slot),      old->open[slot] * pass->up,
                                  old->high[slot] * pass->up,  old->low[slot] * pass->up,
                                  old->close[slot] * pass->up, old->volume[slot] };
}

static bool is_same(const struct store_candle *a, const struct store_candle *b)
{
    return a->open == b->open && a->high == b->high && a->low == b->low && a->close == b->close &&
           !(a->volume < b->volume) && !(a->volume > b->volume);
}

/* The stored slot of that time; SIZE_MAX: no candle there. */
static size_t stored_at(const struct store *old, int64_t ts_ms)
{
    if (old->count == 0 || ts_ms < old->base_ms || ts_ms > old->last_ms)
        return SIZE_MAX;
    const size_t slot = store_find(old, ts_ms);

    return store_ts_ms(old, slot) == ts_ms && store_is_valid(old, slot) ? slot : SIZE_MAX;
}

/* What the gap list of the old store says of a hole; else what the caller does of new ones. */
static enum store_reason reason_at(const struct pass *pass, int64_t ts_ms)
{
    for (size_t low = 0, high = pass->old.gap_count; low < high;) {
        const size_t middle = low + (high - low) / 2;
        const struct store_gap *const gap = &pass->old.gaps[middle];

        if (ts_ms < gap->from_ms)
            high = middle;
        else if (ts_ms >= gap->from_ms + gap->slots * pass->old.step_ms)
            low = middle + 1;
        else
            return (enum store_reason)gap->reason;
    }
    return pass->import->gap;
}

static int write_candle(struct pass *pass, const struct store_candle *candle,
                        struct flt_error *error)
{
    const int64_t last_ms = store_writer_last_ms(pass->writer);
    const int64_t step_ms = pass->rows.step_ms;
    const bool hole = last_ms != INT64_MIN && candle->ts_ms > last_ms + step_ms;
    const int err = store_write_candle(
        pass->writer, candle, hole ? reason_at(pass, last_ms + step_ms) : pass->import->gap, error);

    if (!err && last_ms == INT64_MIN && pass->old.gap_count > 0)
        store_write_leading_gap(pass->writer, pass->old.gaps[0].from_ms,
                                (enum store_reason)pass->old.gaps[0].reason);
    return err;
}

static int copy_old_until(struct pass *pass, int64_t ts_ms, struct flt_error *error)
{
    int err = 0;

    for (; !err && pass->old_at < pass->old.count && store_ts_ms(&pass->old, pass->old_at) < ts_ms;
         pass->old_at++) {
        const struct store_candle candle = old_candle(pass, pass->old_at);

        if (store_is_valid(&pass->old, pass->old_at))
            err = write_candle(pass, &candle, error);
    }
    return err;
}

static int differs(const struct pass *pass, int64_t ts_ms, struct flt_error *error)
{
    flt_csv_refuse(pass->rows.csv, error, "the candle at %lld differs from the stored one",
                   (long long)ts_ms);
    if (error)
        snprintf(error->hint, sizeof error->hint,
                 "--replace takes the file's; flotilla data show tells what is stored");
    return -EEXIST;
}

/* A row that is not behind all that is stored. AGAIN_MERGED: this pass cannot take it. */
static int take_old_time(struct pass *pass, const struct store_candle *candle,
                         struct flt_error *error)
{
    const size_t slot = stored_at(&pass->old, candle->ts_ms);

    if (slot != SIZE_MAX) {
        const struct store_candle old = old_candle(pass, slot);

        if (is_same(&old, candle)) {
            pass->out->same++;
            return pass->merge ? write_candle(pass, candle, error) : 0;
        }
        if (!pass->import->replace)
            return differs(pass, candle->ts_ms, error);
    }
    if (!pass->merge)
        return AGAIN_MERGED;
    pass->out->replaced += slot != SIZE_MAX;
    pass->out->added += slot == SIZE_MAX;
    return write_candle(pass, candle, error);
}

static int take_candle(struct pass *pass, struct flt_error *error)
{
    struct store_candle candle;
    struct flt_error why = { 0 };
    int err = to_candle(pass, &candle, error);

    if (!err && pass->merge)
        err = copy_old_until(pass, candle.ts_ms, error);
    if (err)
        return err;
    if (pass->merge)
        while (pass->old_at < pass->old.count &&
               store_ts_ms(&pass->old, pass->old_at) == candle.ts_ms)
            pass->old_at++;
    if (candle.ts_ms <= pass->old_ms) {
        err = take_old_time(pass, &candle, &why);
    } else {
        pass->out->added++;
        err = write_candle(pass, &candle, &why);
    }
    if (err == -EINVAL) /* off the grid, or a hole too long: with the line */
        return flt_csv_refuse(pass->rows.csv, error, "%s", why.message);
    if (err < 0)
        flt_error_set(error, why.code, why.field, why.hint, "%s", why.message);
    return err;
}

/* --- trades and quotes ---------------------------------------------------------------------------
 */

static int take_other(struct pass *pass, struct flt_error *error)
{
    const struct rows *const rows = &pass->rows;
    const int64_t a = to_units(rows->price[0], pass->price_scale);
    const int64_t b = to_units(rows->price[1], pass->price_scale);
    const int64_t a_qty = to_units(rows->qty[0], pass->qty_scale);
    const int64_t b_qty = to_units(rows->qty[1], pass->qty_scale);

    if (a < 0 || b < 0 || a_qty < 0 || b_qty < 0)
        return refuse_size(pass, error);
    if (rows->ts_ms <= pass->old_ms) {
        flt_csv_refuse(rows->csv, error, "%s up to %lld are stored already",
                       store_kind_name(rows->kind), (long long)pass->old_ms);
        if (error)
            snprintf(error->hint, sizeof error->hint, "--replace puts the file in place of them");
        return -EEXIST;
    }
    pass->out->added++;
    if (rows->kind == STORE_TRADES)
        return store_write_trade(pass->writer, rows->ts_ms, a, a_qty, rows->buyer_maker, error);
    const struct quote quote = { rows->ts_ms, a, b, a_qty, b_qty };

    return store_write_quote(pass->writer, &quote, rows->update_id, error);
}

/* --- a pass --------------------------------------------------------------------------------------
 */

static int open_old(struct pass *pass, struct flt_error *error)
{
    struct flt_error why = { 0 };
    const int err = store_open(pass->out->path, &pass->old, &why);

    if (err && err != -ENOENT && !pass->import->replace) {
        flt_error_set(error, why.code, why.field, why.hint, "%s", why.message);
        return err;
    }
    pass->fresh = pass->fresh || (err && err != -ENOENT); /* damaged, and to be replaced */
    if (pass->old.kind != STORE_CANDLES && pass->import->replace)
        store_close(&pass->old);
    pass->old_ms = pass->old.count ? pass->old.last_ms : INT64_MIN;
    return 0;
}

static int open_writer(struct pass *pass, struct flt_error *error)
{
    const struct store_spec spec = { pass->import->id, pass->price_scale, pass->qty_scale };
    int err =
        pass->fresh ? -ERANGE : store_writer_open(pass->out->path, &spec, &pass->writer, error);

    if (err == -ERANGE) { /* coarser than the file, or to be written anew */
        pass->merge = true;
        err = store_rewrite_begin(pass->out->path, &spec, &pass->writer, error);
    }
    if (err)
        return err;
    pass->out->rewritten = pass->merge && pass->old.count > 0;
    pass->price_scale = store_writer_price_scale(pass->writer);
    if (pass->rows.kind != STORE_CANDLES)
        pass->qty_scale = store_writer_qty_scale(pass->writer);
    pass->up = 1;
    for (int i = pass->old.price_scale; pass->old.count && i < pass->price_scale; i++)
        pass->up *= 10;
    return 0;
}

/* Ticks of the old store that would not fit after scaling up. */
static bool fits(const struct pass *pass)
{
    for (size_t i = 0; pass->up > 1 && pass->old.kind == STORE_CANDLES && i < pass->old.count; i++)
        if (pass->old.high[i] > INT64_MAX / pass->up)
            return false;
    return true;
}

static bool is_finer(struct pass *pass)
{
    const bool price = pass->rows.price_scale > pass->price_scale;
    const bool qty = pass->rows.kind != STORE_CANDLES && pass->rows.qty_scale > pass->qty_scale;

    if (price)
        pass->price_scale = pass->rows.price_scale;
    if (qty)
        pass->qty_scale = pass->rows.qty_scale;
    return price || qty;
}

static int read_all(struct pass *pass, struct flt_error *error)
{
    int err;

    while ((err = rows_next(&pass->rows, error)) == 0) {
        if (is_finer(pass))
            return AGAIN_FINER;
        err = pass->rows.kind == STORE_CANDLES ? take_candle(pass, error) : take_other(pass, error);
        if (err)
            return err;
        if (++pass->out->rows % PROGRESS_ROWS == 0 && pass->import->progress)
            pass->import->progress(pass->import->ctx, pass->out->rows);
    }
    if (err != FLT_CSV_END)
        return err;
    if (pass->out->rows == 0)
        return flt_csv_refuse(pass->rows.csv, error, "there is no row in it");
    return pass->merge && pass->rows.kind == STORE_CANDLES ? copy_old_until(pass, INT64_MAX, error)
                                                           : 0;
}

static int run_pass(struct pass *pass, const char *file, struct flt_error *error)
{
    pass->out->rows = pass->out->added = pass->out->same = pass->out->replaced = 0;
    pass->old_at = 0;
    pass->out->passes++;
    int err = rows_open(&pass->rows, file, &pass->import->id, error);

    if (!err)
        err = open_old(pass, error);
    if (!err)
        err = open_writer(pass, error);
    if (!err && !fits(pass))
        err = refuse_size(pass, error);
    if (!err)
        err = read_all(pass, error);
    if (!err)
        store_writer_volume_scale(pass->writer, pass->rows.qty_scale > pass->old.qty_scale
                                                    ? pass->rows.qty_scale
                                                    : pass->old.qty_scale);
    if (!err)
        err = store_writer_commit(pass->writer, error);
    store_writer_close(pass->writer);
    pass->writer = NULL;
    store_close(&pass->old);
    rows_close(&pass->rows);
    return err;
}

int store_import(struct store_import *import, const char *file, struct store_imported *out,
                 struct flt_error *error)
{
    struct pass pass = { .import = import, .out = out, .price_scale = import->price_scale };

    *out = (struct store_imported){ 0 };
    int err = rows_probe(file, &import->id, &pass.price_scale, &pass.qty_scale, error);

    if (!err)
        err = store_path(import->root, &import->id, out->path, sizeof out->path, error);
    if (err)
        return err;
    pass.fresh = import->replace && (strcmp(import->id.timeframe, "trades") == 0 ||
                                     strcmp(import->id.timeframe, "quotes") == 0);
    do {
        pass.merge = false;
        err = run_pass(&pass, file, error);
        pass.fresh = pass.fresh || err == AGAIN_MERGED;
    } while (err > 0 && out->passes < PASSES_MAX);
    assert(err <= 0); /* decimals end at 18, and a merge takes every row */
    return err;
}

int store_id_parse(struct store_id *id, const char *text, bool whole, struct flt_error *error)
{
    char words[96];
    char *parts[3] = { words, NULL, NULL };

    if (snprintf(words, sizeof words, "%s", text) < (int)sizeof words)
        for (size_t i = 1; i < 3 && parts[i - 1]; i++)
            if ((parts[i] = strchr(parts[i - 1], '/')))
                *parts[i]++ = 0;
    if (!parts[1] || (whole && !parts[2]))
        return flt_error_set(error, FLT_INVALID_ARGUMENT, "store",
                             "for example binance/BTC-USDT/1m; see: flotilla data ls",
                             "this is no VENUE/INSTRUMENT%s: %.64s",
                             whole ? "/TIMEFRAME" : "[/TIMEFRAME]", text);
    const int err = store_id_set(id, words, parts[1], parts[2] ? parts[2] : "1m", error);

    if (!parts[2])
        id->timeframe[0] = 0;
    return err;
}
