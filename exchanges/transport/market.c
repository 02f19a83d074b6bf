/* Market data of a venue: instruments, streams turned into ticks and lots, history. */
#define FLT_MOD "market"
#include "exchanges/market_base.h"
#include "exchanges/transport/channels.h"
#include "exchanges/transport/rest.h"
#include "exchanges/transport/transport.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define RELOAD_MS 3600000

struct exchange_market {
    struct market_base base; /* first */
    const struct codec *codec;
    struct exchange_market_events events;
    struct exchange_urls urls; /* into `text` */
    char text[4][256];
    struct instruments table;
    struct rest *rest;
    struct channels *channels;
    struct flt_timer *load_timer;
    uint64_t load_wait_ms;
    bool closing;
};

void transport_link(struct exchange_market *market, struct transport_link *out)
{
    *out = (struct transport_link){ market->codec, &market->base.env, &market->urls, &market->table,
                                    market->rest };
}

/* --- instruments --- */

static void load(void *ctx);

static void on_instruments(void *ctx, const struct result *result)
{
    struct exchange_market *market = ctx;

    if (market->closing)
        return;
    int err = result->failure.error == EXCHANGE_OK && result->items.count > 0 ? 0 : -EIO;

    if (err == 0)
        err = instruments_load(&market->table, result->items.items, result->items.count);
    if (err != 0) {
        market->load_wait_ms = flt_backoff_ms(market->load_wait_ms, 250, 30000);
        FLT_LOG(WARN, "instruments_missing", "venue=%s class=%s why=\"%s\" retry_ms=%llu",
                market->codec->name, exchange_error_name(result->failure.error),
                result->failure.message, (unsigned long long)market->load_wait_ms);
        flt_timer_start(market->load_timer, market->load_wait_ms, 0);
        return;
    }
    market->load_wait_ms = 0;
    rest_learn_limits(market->rest, result);
    FLT_LOG(INFO, "instruments_loaded", "venue=%s count=%zu", market->codec->name,
            market->table.count);
    flt_timer_start(market->load_timer, RELOAD_MS, 0);
    if (market->events.on_instruments)
        market->events.on_instruments(market->events.ctx);
}

static void load(void *ctx)
{
    struct exchange_market *market = ctx;
    const struct op_args args = { 0 };

    if (rest_send(market->rest, NULL, OP_INSTRUMENTS, &args, on_instruments, market) != 0)
        flt_timer_start(market->load_timer, 1000, 0);
}

const struct instrument *const *transport_instruments(struct exchange_market *market, size_t *count)
{
    *count = market->table.count;
    return (const struct instrument *const *)market->table.items;
}

/* --- streams --- */

static int64_t ticks(const struct instrument *instrument, struct flt_dec price)
{
    return price_to_ticks(instrument, price, FLT_ROUND_HALF_EVEN);
}

static int64_t lots(const struct instrument *instrument, struct flt_dec qty)
{
    return qty_to_lots(instrument, qty, FLT_ROUND_DOWN);
}

static bool to_bar(const struct instrument *instrument, const struct candle *candle,
                   struct bar *out)
{
    *out = (struct bar){ .ts_ms = candle->ts_ms,
                         .open_ticks = ticks(instrument, candle->open),
                         .high_ticks = ticks(instrument, candle->high),
                         .low_ticks = ticks(instrument, candle->low),
                         .close_ticks = ticks(instrument, candle->close),
                         .volume = flt_amt_to_double(candle->volume) };
    return out->open_ticks > 0 && out->low_ticks > 0 && out->high_ticks >= out->low_ticks &&
           out->close_ticks > 0;
}

static void on_quote(struct exchange_market *market, const struct stream_event *event,
                     int64_t received_ns)
{
    const struct ticker *ticker = &event->ticker;
    const struct quote quote = {
        .ts_ms = event->ts_ms ? event->ts_ms : rest_now_ms(market->rest),
        .bid_ticks = ticks(event->instrument, ticker->bid),
        .ask_ticks = ticks(event->instrument, ticker->ask),
        .bid_lots = lots(event->instrument, ticker->bid_qty),
        .ask_lots = lots(event->instrument, ticker->ask_qty),
    };

    if (quote.bid_ticks < 0 || quote.ask_ticks < 0 || quote.bid_lots < 0 || quote.ask_lots < 0)
        return;
    for (struct market_tap *tap = market->base.taps, *next; tap; tap = next) {
        next = tap->next;
        tap->on_quote(tap->ctx, event->instrument, &quote);
    }
    if (market->events.on_quote)
        market->events.on_quote(market->events.ctx, event->instrument, &quote, received_ns);
}

static void on_trade(struct exchange_market *market, const struct stream_event *event,
                     int64_t received_ns)
{
    const struct trade trade = {
        .ts_ms = event->ts_ms,
        .trade_id = strtoll(event->trade.trade_id, NULL, 10),
        .price_ticks = ticks(event->instrument, event->trade.price),
        .qty_lots = lots(event->instrument, event->trade.qty),
        .aggressor = event->trade.aggressor,
    };

    if (trade.price_ticks <= 0 || trade.qty_lots < 0)
        return;
    for (struct market_tap *tap = market->base.taps, *next; tap; tap = next) {
        next = tap->next;
        tap->on_trade(tap->ctx, event->instrument, &trade);
    }
    if (market->events.on_trade)
        market->events.on_trade(market->events.ctx, event->instrument, &trade, received_ns);
}

static void on_bar(struct exchange_market *market, const struct stream_event *event,
                   int64_t received_ns)
{
    struct bar bar;

    if (strcmp(event->bar.interval, "1m") == 0 &&
        to_bar(event->instrument, &event->bar.candle, &bar) && market->events.on_bar)
        market->events.on_bar(market->events.ctx, event->instrument, &bar, event->bar.closed,
                              received_ns);
}

static void on_event(void *ctx, const struct stream_event *event, int64_t received_ns)
{
    struct exchange_market *market = ctx;

    if (event->kind == STREAM_QUOTE)
        on_quote(market, event, received_ns);
    else if (event->kind == STREAM_TRADE)
        on_trade(market, event, received_ns);
    else if (event->kind == STREAM_CANDLE)
        on_bar(market, event, received_ns);
}

static void on_link(void *ctx, bool up, const char *reason)
{
    struct exchange_market *market = ctx;

    market->base.up = up;
    for (struct market_tap *tap = market->base.taps, *next; tap; tap = next) {
        next = tap->next;
        tap->on_link(tap->ctx, up, reason);
    }
    if (market->events.on_link)
        market->events.on_link(market->events.ctx, up, reason);
}

static const enum feed feeds_served[] = { FEED_QUOTE, FEED_TRADE, FEED_BAR_1M };

int transport_subscribe(struct exchange_market *market, const struct instrument *instrument,
                        unsigned feeds)
{
    if (feeds & ~(unsigned)(FEED_QUOTE | FEED_TRADE | FEED_BAR_1M))
        return FLT_FAIL(-ENOTSUP, "venue=%s feeds=%u why=\"only quotes, trades and 1m bars\"",
                        market->codec->name, feeds);
    for (size_t i = 0; i < FLT_COUNT(feeds_served); i++) {
        const int err = feeds & (unsigned)feeds_served[i]
                            ? channels_add(market->channels, instrument, feeds_served[i])
                            : 0;

        if (err != 0) {
            while (i-- > 0)
                if (feeds & (unsigned)feeds_served[i])
                    channels_remove(market->channels, instrument, feeds_served[i]);
            return err;
        }
    }
    return 0;
}

void transport_unsubscribe(struct exchange_market *market, const struct instrument *instrument,
                           unsigned feeds)
{
    for (size_t i = 0; i < FLT_COUNT(feeds_served); i++)
        if (feeds & (unsigned)feeds_served[i])
            channels_remove(market->channels, instrument, feeds_served[i]);
}

/* --- history --- */

struct bars_query {
    struct exchange_market *market;
    const struct instrument *instrument;
    int64_t timeframe_ms;
    exchange_bars_fn *fn;
    void *ctx;
};

/* Oldest first, and only those that are closed by the venue's clock. */
static size_t closed_bars(const struct bars_query *query, const struct result *result,
                          struct bar *out)
{
    const struct candle *candles = RESULT_ITEMS(result, struct candle);
    const int64_t now_ms = rest_now_ms(query->market->rest);
    size_t count = 0;

    for (size_t i = 0; i < result->items.count; i++)
        if (candles[i].ts_ms + query->timeframe_ms <= now_ms &&
            to_bar(query->instrument, &candles[i], &out[count]))
            count++;
    return count;
}

static void on_bars(void *ctx, const struct result *result)
{
    struct bars_query query = *(struct bars_query *)ctx;
    struct bar *bars = calloc(result->items.count + 1, sizeof *bars);
    struct exchange_failure failure = result->failure;
    size_t count = 0;

    free(ctx);
    if (!bars)
        failure.error = EXCHANGE_VENUE_BUSY;
    else if (failure.error == EXCHANGE_OK)
        count = closed_bars(&query, result, bars);
    query.fn(query.ctx, &failure, query.instrument, bars, count);
    free(bars);
}

int transport_bars(struct exchange_market *market, const struct instrument *instrument,
                   const char *timeframe, int64_t since_ms, int limit, exchange_bars_fn *fn,
                   void *ctx)
{
    const struct op_args args = {
        .instrument = instrument, .interval = timeframe, .since_ms = since_ms, .limit = limit
    };
    struct bars_query *query = calloc(1, sizeof *query);

    if (!query)
        return -ENOMEM;
    *query = (struct bars_query){ market, instrument, timeframe_ms(timeframe), fn, ctx };
    const int err = query->timeframe_ms == 0
                        ? FLT_FAIL(-EINVAL, "timeframe=%s", timeframe)
                        : rest_send(market->rest, NULL, OP_KLINES, &args, on_bars, query);

    if (err != 0)
        free(query);
    return err;
}

int64_t transport_clock_offset_ms(struct exchange_market *market)
{
    return rest_clock_offset_ms(market->rest);
}

/* --- life --- */

static int keep_url(struct exchange_market *market, int index, const char *given, const char *live,
                    const char **out)
{
    const char *from = given ? given : live;

    if (from && snprintf(market->text[index], sizeof market->text[0], "%s", from) >=
                    (int)sizeof market->text[0])
        return FLT_FAIL(-EINVAL, "venue=%s why=\"address too long\"", market->codec->name);
    *out = from ? market->text[index] : NULL;
    return 0;
}

static int keep_urls(struct exchange_market *market, const struct exchange_urls *urls)
{
    const struct exchange_urls none = { 0 }, *live = &market->codec->live;

    if (!urls)
        urls = &none;
    int err = keep_url(market, 0, urls->rest, live->rest, &market->urls.rest);

    if (err == 0)
        err = keep_url(market, 1, urls->stream, live->stream, &market->urls.stream);
    if (err == 0)
        err = keep_url(market, 2, urls->ws_api, live->ws_api, &market->urls.ws_api);
    if (err == 0)
        err = keep_url(market, 3, urls->ca_file, NULL, &market->urls.ca_file);
    return err;
}

int transport_market_open(const struct exchange_ops *ops, const struct codec *codec,
                          const struct exchange_env *env, const struct exchange_urls *urls,
                          const struct exchange_market_events *events, struct exchange_market **out)
{
    struct exchange_market *market = calloc(1, sizeof *market);

    if (!market)
        return -ENOMEM;
    market->base.env = *env;
    market->base.ops = ops;
    market->codec = codec;
    market->events = *events;
    instruments_init(&market->table);
    const struct channels_events to = { market, on_event, on_link };
    int err = keep_urls(market, urls);

    if (err == 0)
        err = rest_open(&market->base.env, codec, market->urls.rest, &market->table, &market->rest);
    if (err == 0)
        err = channels_open(&market->base.env, codec, &market->urls, &market->table, &to,
                            &market->channels);
    if (err == 0)
        err = flt_timer_create(env->loop, load, market, &market->load_timer);
    if (err != 0) {
        transport_market_close(market);
        return err;
    }
    load(market);
    *out = market;
    return 0;
}

void transport_market_close(struct exchange_market *market)
{
    if (!market)
        return;
    market->closing = true;
    channels_close(market->channels);
    flt_timer_destroy(market->load_timer);
    rest_close(market->rest);
    instruments_finish(&market->table);
    free(market);
}
