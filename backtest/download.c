#define FLT_MOD "download"
#include "backtest/download.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "backtest/resample.h"
#include "exchanges/transport/rest.h"
#include "lib/http.h"

#define PAGE 1000
#define COMMIT_NS INT64_C(2000000000)
#define RETRIES_MAX 6 /* of one page, beside those of the transport */
#define NAMES_MAX 4096
#define THREE_DAYS_MS INT64_C(259200000)

struct work {
    struct store_download *ask;
    struct store_downloaded *out;
    struct flt_error *error;
    int err;
    struct flt_loop *loop;
    struct flt_http *http;
    struct rest *rest;
    struct flt_timer *timer;
    const struct codec *codec;
    struct instruments table;
    const struct instrument *instrument;
    struct store_writer *writer;
    int64_t step_ms, start_ms, next_ms;
    int64_t committed_ns;
    uint64_t wait_ms;
    unsigned retries;
    bool stopped;
};

static void finish(struct work *work, int err)
{
    if (!work->stopped)
        work->err = err;
    work->stopped = true;
    flt_loop_stop(work->loop);
}

static int64_t end_ms(const struct work *work)
{
    const int64_t closed_ms = rest_now_ms(work->rest) - work->step_ms + 1;

    return work->ask->until_ms >= 0 && work->ask->until_ms < closed_ms ? work->ask->until_ms
                                                                       : closed_ms;
}

/* --- writing -------------------------------------------------------------------------------------
 */

static int64_t units(struct flt_dec value, int scale)
{
    const struct flt_dec tick = { 1, (int8_t)scale };

    return flt_dec_ok(value) && flt_dec_is_multiple(value, tick)
               ? flt_dec_units(value, tick, FLT_ROUND_DOWN)
               : INT64_MIN;
}

static int decimals(const struct candle *candle)
{
    const struct flt_dec prices[] = { candle->open, candle->high, candle->low, candle->close };
    int most = 0;

    for (size_t i = 0; i < FLT_COUNT(prices); i++)
        most = prices[i].scale > most ? prices[i].scale : most;
    return most;
}

static int open_writer(struct work *work, int scale)
{
    const struct store_spec spec = { work->ask->id, scale, 0 };
    const char *const path = work->out->path;
    int err = work->ask->replace ? store_rewrite_begin(path, &spec, &work->writer, work->error)
                                 : store_writer_open(path, &spec, &work->writer, work->error);

    if (err == -ERANGE)
        err = store_rescale(path, scale, work->error);
    if (!err && !work->writer)
        err = store_writer_open(path, &spec, &work->writer, work->error);
    work->ask->replace = false;
    return err;
}

/* The venue has had a finer tick at some time: what is stored is scaled up. */
static int make_finer(struct work *work, int scale)
{
    const int err = store_writer_commit(work->writer, work->error);

    store_writer_close(work->writer);
    work->writer = NULL;
    return err ? err : open_writer(work, scale);
}

static int bad_candle(struct work *work, const struct candle *candle)
{
    return flt_error_set(work->error, FLT_VENUE_ERROR, "", "what came before it is stored",
                         "%s sent a candle at %lld that cannot be right", work->codec->name,
                         (long long)candle->ts_ms);
}

/* Binance lists a candle for each minute, traded or not: a hole there is the venue's. */
static int write_candle(struct work *work, const struct candle *candle)
{
    const int scale = store_writer_price_scale(work->writer);
    const struct flt_dec volume = flt_amt_to_dec(candle->volume, 9, FLT_ROUND_HALF_EVEN);
    const struct store_candle row = { candle->ts_ms,
                                      units(candle->open, scale),
                                      units(candle->high, scale),
                                      units(candle->low, scale),
                                      units(candle->close, scale),
                                      flt_amt_to_double(candle->volume) };
    const bool first = store_writer_count(work->writer) == 0;

    if (row.low <= 0 || row.low > row.open || row.low > row.close || row.high < row.open ||
        row.high < row.close || !flt_amt_ok(candle->volume) || flt_amt_sign(candle->volume) < 0)
        return bad_candle(work, candle);
    const int err = store_write_candle(
        work->writer, &row,
        strcmp(work->codec->name, "binance") == 0 ? STORE_VENUE_DOWN : STORE_UNKNOWN, work->error);

    if (!err && first && work->ask->since_ms >= 0)
        store_write_leading_gap(work->writer, work->start_ms, STORE_NOT_LISTED);
    if (!err && flt_dec_ok(volume))
        store_writer_volume_scale(work->writer, volume.scale);
    work->out->added += !err;
    return err;
}

static int take_page(struct work *work, const struct result *result)
{
    const struct candle *const candles = RESULT_ITEMS(result, const struct candle);
    int err = 0;

    for (size_t i = 0; !err && i < result->items.count; i++) {
        const struct candle *const candle = &candles[i];

        if (candle->ts_ms < work->next_ms)
            continue;
        if (candle->ts_ms >= end_ms(work))
            break;
        if (decimals(candle) > store_writer_price_scale(work->writer))
            err = make_finer(work, decimals(candle));
        if (!err)
            err = write_candle(work, candle);
        if (!err)
            work->next_ms = candle->ts_ms + work->step_ms;
    }
    return err;
}

static int commit_now_and_then(struct work *work)
{
    const int64_t now_ns = flt_mono_ns(flt_loop_clock(work->loop));

    if (now_ns - work->committed_ns < COMMIT_NS)
        return 0;
    work->committed_ns = now_ns;
    return store_writer_commit(work->writer, work->error);
}

/* --- asking --------------------------------------------------------------------------------------
 */

static void next_page(void *ctx);

static bool may_pass(enum exchange_error error)
{
    return error == EXCHANGE_RATE_LIMIT || error == EXCHANGE_IP_BANNED ||
           error == EXCHANGE_VENUE_BUSY || error == EXCHANGE_MAINTENANCE ||
           error == EXCHANGE_UNKNOWN_OUTCOME;
}

/* True: it will be asked again. */
static bool retry(struct work *work, const struct exchange_failure *failure)
{
    if (!may_pass(failure->error) || work->retries++ >= RETRIES_MAX) {
        finish(work, flt_error_set(work->error, FLT_VENUE_ERROR, "",
                                   "what came is stored; the same command goes on from there",
                                   "%s: %s %s", work->codec->name,
                                   exchange_error_name(failure->error), failure->message));
        return false;
    }
    work->wait_ms = flt_backoff_ms(work->wait_ms, 250, 5000);
    if (failure->retry_after_ms > (int64_t)work->wait_ms)
        work->wait_ms = (uint64_t)failure->retry_after_ms;
    flt_timer_start(work->timer, work->wait_ms, 0);
    return true;
}

static void on_page(void *ctx, const struct result *result)
{
    struct work *const work = ctx;
    const int64_t before_ms = work->next_ms;

    if (work->stopped)
        return;
    if (result->failure.error != EXCHANGE_OK) {
        (void)retry(work, &result->failure);
        return;
    }
    work->retries = 0;
    work->wait_ms = 0;
    work->out->pages++;
    int err = take_page(work, result);

    if (!err)
        err = commit_now_and_then(work);
    if (work->ask->progress)
        work->ask->progress(work->ask->ctx, work->next_ms - work->start_ms,
                            end_ms(work) - work->start_ms, work->out->added);
    if (err || work->next_ms == before_ms)
        finish(work, err); /* a page without anything new: the venue has no more */
    else
        next_page(work);
}

static void next_page(void *ctx)
{
    struct work *const work = ctx;
    const struct op_args args = { .instrument = work->instrument,
                                  .interval = work->ask->id.timeframe,
                                  .since_ms = work->next_ms,
                                  .limit = work->ask->page ? work->ask->page : PAGE };

    if (work->stopped)
        return;
    if (work->next_ms >= end_ms(work)) {
        finish(work, 0);
        return;
    }
    const int err = rest_send(work->rest, NULL, OP_KLINES, &args, on_page, work);

    if (err == EXCHANGE_BUSY)
        flt_timer_start(work->timer, 1000, 0);
    else if (err)
        finish(work, err);
}

/* --- start ---------------------------------------------------------------------------------------
 */

static int unknown_instrument(struct work *work)
{
    const char *names[NAMES_MAX];
    const size_t count = work->table.count < NAMES_MAX ? work->table.count : NAMES_MAX;
    char hint[128] = "";

    for (size_t i = 0; i < count; i++)
        names[i] = work->table.items[i]->name;
    const char *const near = flt_nearest(work->ask->id.instrument, names, count);

    if (near)
        snprintf(hint, sizeof hint, "did you mean %s?", near);
    return flt_error_set(work->error, FLT_NOT_FOUND, "instrument", hint, "%s does not list %s",
                         work->codec->name, work->ask->id.instrument);
}

/* From where: the end of what is stored, else where the caller says. */
static int choose_start(struct work *work)
{
    const int64_t last_ms = store_writer_last_ms(work->writer);
    const int64_t since_ms = work->ask->since_ms;

    work->out->resumed = last_ms != INT64_MIN;
    if (!work->out->resumed && since_ms < 0)
        return flt_error_set(work->error, FLT_INVALID_ARGUMENT, "since",
                             "for example --since 2026-01-01", "nothing is stored yet: from when?");
    work->next_ms = work->out->resumed ? last_ms + work->step_ms
                    : work->step_ms == THREE_DAYS_MS /* where those begin is the venue's to say */
                        ? since_ms
                        : store_candle_start(since_ms + work->step_ms - 1, work->step_ms);
    work->start_ms = work->next_ms;
    return 0;
}

static void on_instruments(void *ctx, const struct result *result)
{
    struct work *const work = ctx;

    if (work->stopped)
        return;
    if (result->failure.error != EXCHANGE_OK) {
        (void)retry(work, &result->failure);
        return;
    }
    int err = instruments_load(&work->table, result->items.items, result->items.count);

    rest_learn_limits(work->rest, result);
    if (!err && !(work->instrument = instruments_find(&work->table, work->ask->id.instrument)))
        err = unknown_instrument(work);
    if (!err)
        err = open_writer(work, work->instrument->tick.scale);
    if (!err)
        err = choose_start(work);
    if (err)
        finish(work, err);
    else
        next_page(work);
}

static void begin(void *ctx)
{
    struct work *const work = ctx;
    const struct op_args args = { 0 };

    if (work->instrument) {
        next_page(work);
        return;
    }
    if (rest_send(work->rest, NULL, OP_INSTRUMENTS, &args, on_instruments, work) != 0)
        finish(work, -EIO);
}

static void on_signal(void *ctx, int signal)
{
    struct work *const work = ctx;

    (void)signal;
    work->out->interrupted = true;
    finish(work, 0);
}

static int check(struct work *work)
{
    struct store_download *const ask = work->ask;
    enum store_kind kind;
    struct store old;
    bool before = false;

    work->codec = codec_find(ask->id.venue);
    if (!work->codec)
        return flt_error_set(work->error, FLT_NOT_FOUND, "venue", "see: flotilla exchange --help",
                             "no such venue: %s", ask->id.venue);
    if (!store_timeframe(ask->id.timeframe, &kind, &work->step_ms) || kind != STORE_CANDLES)
        return flt_error_set(work->error, FLT_INVALID_ARGUMENT, "timeframe", "for example 1m",
                             "only candles can be downloaded");
    if (!ask->replace && store_open(work->out->path, &old, NULL) == 0) {
        const int64_t known_ms =
            old.gap_count && old.gaps[0].from_ms < old.base_ms ? old.gaps[0].from_ms : old.base_ms;

        before = old.count > 0 && ask->since_ms >= 0 && ask->since_ms <= known_ms - work->step_ms;
        store_close(&old);
    }
    if (before)
        return flt_error_set(work->error, FLT_CONFLICT, "since", "--replace downloads all anew",
                             "what is stored begins later than --since");
    return 0;
}

static int start(struct work *work)
{
    const struct flt_http_config config = { 0 };
    int err = flt_loop_create(flt_clock_system(), &work->loop);

    instruments_init(&work->table);
    if (!err)
        err = flt_http_create(work->loop, &config, &work->http);
    if (!err)
        err = flt_timer_create(work->loop, begin, work, &work->timer);
    if (!err)
        err = flt_loop_on_signal(work->loop, on_signal, work);
    if (!err) {
        const struct exchange_env env = { .loop = work->loop, .http = work->http };

        err = rest_open(&env, work->codec, work->ask->url ? work->ask->url : work->codec->live.rest,
                        &work->table, &work->rest);
    }
    if (!err)
        flt_timer_start(work->timer, 0, 0);
    return err;
}

static void stop(struct work *work)
{
    work->stopped = true;
    rest_close(work->rest);
    flt_timer_destroy(work->timer);
    if (work->http)
        flt_http_destroy(work->http);
    if (work->loop)
        flt_loop_destroy(work->loop);
    instruments_finish(&work->table);
}

int store_download(struct store_download *download, struct store_downloaded *out,
                   struct flt_error *error)
{
    struct work work = { .ask = download, .out = out, .error = error };

    *out = (struct store_downloaded){ 0 };
    int err = store_path(download->root, &download->id, out->path, sizeof out->path, error);

    if (!err)
        err = check(&work);
    if (err)
        return err;
    err = start(&work);
    if (!err) {
        (void)flt_loop_run(work.loop);
        err = work.err;
    }
    stop(&work);
    /* what came before a failure is good; a new store of nothing at all is not made */
    if (work.writer && store_writer_count(work.writer) > 0) {
        const int kept = store_writer_commit(work.writer, error);

        err = err ? err : kept;
    }
    store_writer_close(work.writer);
    return err;
}
