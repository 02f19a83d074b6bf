#define FLT_MOD "store"
#include "backtest/resample.h"
#include <errno.h>
#include <math.h>
#include <string.h>

static const double powers[] = { 1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,  1e8, 1e9,
                                 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18 };

#define EXACT_MAX 9007199254740992.0 /* 2^53 */

void resample_init(struct resample *resample, int64_t step_ms, int volume_scale)
{
    *resample = (struct resample){ .step_ms = step_ms, .volume_scale = volume_scale };
}

/* Both below 2^53 and a power up to 10^18: the quotient is the double nearest to the decimal sum.
 */
static double volume_of(const struct resample *resample)
{
    return (double)resample->units / powers[resample->volume_scale] + resample->rest;
}

bool resample_take(struct resample *resample, int64_t now_ms, struct store_candle *out)
{
    if (!resample->open || now_ms < resample->candle.ts_ms + resample->step_ms)
        return false;
    resample->candle.volume = volume_of(resample);
    *out = resample->candle;
    resample->open = false;
    return true;
}

static void begin(struct resample *resample, int64_t ts_ms, int64_t open)
{
    if (resample->open)
        return;
    resample->open = true;
    resample->candle = (struct store_candle){
        store_candle_start(ts_ms, resample->step_ms), open, open, open, open, 0
    };
    resample->units = 0;
    resample->rest = 0;
}

static void reach(struct resample *resample, int64_t high, int64_t low, int64_t close)
{
    struct store_candle *const candle = &resample->candle;

    candle->high = high > candle->high ? high : candle->high;
    candle->low = low < candle->low ? low : candle->low;
    candle->close = close;
}

void resample_add(struct resample *resample, const struct store_candle *candle)
{
    const double power = powers[resample->volume_scale];
    const double units = nearbyint(candle->volume * power);
    const double back = units / power;

    begin(resample, candle->ts_ms, candle->open);
    reach(resample, candle->high, candle->low, candle->close);
    if (units < EXACT_MAX && !(back < candle->volume) && !(back > candle->volume))
        resample->units += (int64_t)units;
    else
        resample->rest += candle->volume;
}

void resample_add_trade(struct resample *resample, int64_t ts_ms, int64_t price, int64_t qty)
{
    begin(resample, ts_ms, price);
    reach(resample, price, price, price);
    resample->units += qty;
}

/* --- whole stores --------------------------------------------------------------------------------
 */

struct work {
    const struct store *from;
    struct store_writer *to;
    struct resample state;
    size_t gap_at;    /* the next of from->gaps to look at */
    int64_t first_ms; /* where `from` begins: what opens before is not whole */
    struct resampled *out;
};

/* The reason of what is missing between the last candle written and `ts_ms`. */
static enum store_reason reason_before(struct work *work, int64_t ts_ms)
{
    const struct store *const from = work->from;
    const int64_t last_ms = store_writer_last_ms(work->to);
    enum store_reason reason = STORE_NO_TRADES;

    if (from->kind != STORE_CANDLES)
        return reason;
    while (work->gap_at < from->gap_count && from->gaps[work->gap_at].from_ms < ts_ms) {
        const struct store_gap *const gap = &from->gaps[work->gap_at++];

        if (gap->from_ms + gap->slots * from->step_ms > last_ms + work->state.step_ms)
            reason = (enum store_reason)gap->reason;
    }
    return reason;
}

static int emit(struct work *work, const struct store_candle *candle, struct flt_error *error)
{
    if (candle->ts_ms < work->first_ms) {
        work->out->left_out++;
        return 0;
    }
    work->out->candles++;
    return store_write_candle(work->to, candle, reason_before(work, candle->ts_ms), error);
}

static int take(struct work *work, int64_t now_ms, struct flt_error *error)
{
    struct store_candle candle;

    return resample_take(&work->state, now_ms, &candle) ? emit(work, &candle, error) : 0;
}

static int from_candles(struct work *work, struct flt_error *error)
{
    const struct store *const from = work->from;
    int err = 0;

    for (size_t i = 0; !err && i < from->count; i++) {
        const struct store_candle candle = {
            store_ts_ms(from, i), from->open[i],  from->high[i],
            from->low[i],         from->close[i], from->volume[i]
        };

        if (store_is_valid(from, i)) {
            err = take(work, candle.ts_ms, error);
            resample_add(&work->state, &candle);
        }
        if (!err)
            err = take(work, candle.ts_ms + from->step_ms, error);
    }
    return err;
}

/* Nobody knows whether trades before the first row belong to its candle, unless it is at its very
 * start: the first candle is taken as whole, the last one is not. */
static int from_trades(struct work *work, struct flt_error *error)
{
    const struct store *const from = work->from;
    int err = 0;

    for (size_t i = 0; !err && i < from->count; i++) {
        err = take(work, from->ts_ms[i], error);
        resample_add_trade(&work->state, from->ts_ms[i], from->price[i], from->qty[i]);
    }
    return err;
}

static int check(const struct store *from, const char *timeframe, struct flt_error *error)
{
    const int64_t step_ms = timeframe_ms(timeframe);

    if (from->kind == STORE_QUOTES)
        return flt_error_set(error, FLT_INVALID_ARGUMENT, "from", "", "quotes make no candles");
    if (from->count == 0)
        return flt_error_set(error, FLT_INVALID_ARGUMENT, "from", "", "%.100s is empty",
                             from->path);
    if (step_ms == 0 ||
        (from->kind == STORE_CANDLES && (step_ms <= from->step_ms || step_ms % from->step_ms != 0)))
        return flt_error_set(error, FLT_INVALID_ARGUMENT, "to",
                             "1s 1m 3m 5m 15m 30m 1h 2h 4h 6h 8h 12h 1d 3d 1w",
                             "%.20s candles cannot be made of %s", timeframe, from->id.timeframe);
    return 0;
}

int store_resample(const char *root, const struct store *from, const char *timeframe, bool partial,
                   struct resampled *out, struct flt_error *error)
{
    struct store_spec spec = { .price_scale = from->price_scale, .qty_scale = from->qty_scale };
    struct work work = { .from = from, .out = out, .first_ms = INT64_MIN };
    int err = check(from, timeframe, error);

    *out = (struct resampled){ 0 };
    if (!err)
        err = store_id_set(&spec.id, from->id.venue, from->id.instrument, timeframe, error);
    if (!err)
        err = store_path(root, &spec.id, out->path, sizeof out->path, error);
    if (!err)
        err = store_rewrite_begin(out->path, &spec, &work.to, error);
    if (err)
        return err;
    resample_init(&work.state, timeframe_ms(timeframe), from->qty_scale);
    if (from->kind == STORE_CANDLES && !partial)
        work.first_ms = from->base_ms;
    err = from->kind == STORE_TRADES ? from_trades(&work, error) : from_candles(&work, error);
    if (!err && partial)
        err = take(&work, INT64_MAX, error);
    out->left_out += !err && work.state.open;
    if (!err && out->candles == 0)
        err = flt_error_set(error, FLT_INVALID_ARGUMENT, "to", "",
                            "there is not one whole %s candle in %.100s", timeframe, from->path);
    if (!err)
        err = store_writer_commit(work.to, error);
    store_writer_close(work.to);
    return err;
}

/* --- rescale -------------------------------------------------------------------------------------
 */

static int copy_scaled(const struct store *from, int64_t up, struct store_writer *to,
                       struct flt_error *error)
{
    size_t first, gap_at = from->gap_count && from->gaps[0].from_ms < from->base_ms;
    int err = 0;

    for (size_t at = 0, run; !err && (run = store_run(from, at, &first)); at = first + run) {
        const enum store_reason reason =
            at > 0 ? (enum store_reason)from->gaps[gap_at++].reason : STORE_UNKNOWN;

        for (size_t i = first; !err && i < first + run; i++) {
            const struct store_candle candle = { store_ts_ms(from, i), from->open[i] * up,
                                                 from->high[i] * up,   from->low[i] * up,
                                                 from->close[i] * up,  from->volume[i] };

            if (candle.high / up != from->high[i])
                return flt_error_set(error, FLT_INVALID_ARGUMENT, "price", "",
                                     "the prices do not fit 18 digits with the finer tick");
            err = store_write_candle(to, &candle, reason, error);
            if (!err && i == 0 && from->gap_count && from->gaps[0].from_ms < from->base_ms)
                store_write_leading_gap(to, from->gaps[0].from_ms,
                                        (enum store_reason)from->gaps[0].reason);
        }
    }
    return err;
}

int store_rescale(const char *path, int price_scale, struct flt_error *error)
{
    struct store_writer *writer = NULL;
    struct store from;
    int64_t up = 1;
    int err = store_open(path, &from, error);

    if (err)
        return err;
    const struct store_spec spec = { from.id, price_scale, from.qty_scale };

    for (int i = from.price_scale; i < price_scale; i++)
        up *= 10;
    err = store_verify(&from, error);
    if (!err)
        err = store_rewrite_begin(path, &spec, &writer, error);
    if (!err)
        err = copy_scaled(&from, up, writer, error);
    if (!err)
        err = store_writer_commit(writer, error);
    store_writer_close(writer);
    store_close(&from);
    return err;
}
