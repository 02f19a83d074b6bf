/* The venue "paper": another venue's market, our own matching, invented money.
 *
 * Its market is the source venue's own object, so that live and paper bots share one connection;
 * an account may be opened on any venue's market. Orders meet the live quotes and trades in a match
 * of their own, so accounts do not meet each other. Everything an account knows lives in memory: it
 * begins anew with the process, and its ids say in which run they were made. */
#define FLT_MOD "paper"
#include "exchanges/paper/paper_account.h"
#include <errno.h>

static const struct exchange_ops *source_of(struct exchange_market *market)
{
    return market_base(market)->ops;
}

static int paper_market_open(const struct exchange_env *env, const struct exchange_urls *urls,
                             const struct exchange_market_events *events,
                             struct exchange_market **out)
{
    const char *name = urls && urls->source ? urls->source : "binance";
    const struct exchange_ops *source = exchange_find(name);

    if (!source || source == &exchange_paper)
        return FLT_FAIL(-EINVAL, "source=%s why=\"no such venue to take the market from\"", name);
    return source->market_open(env, urls, events, out);
}

static void paper_market_close(struct exchange_market *market)
{
    if (market)
        source_of(market)->market_close(market);
}

static const struct instrument *const *paper_instruments(struct exchange_market *market,
                                                         size_t *count)
{
    return source_of(market)->instruments(market, count);
}

static int paper_subscribe(struct exchange_market *market, const struct instrument *instrument,
                           unsigned feeds)
{
    return source_of(market)->subscribe(market, instrument, feeds);
}

static void paper_unsubscribe(struct exchange_market *market, const struct instrument *instrument,
                              unsigned feeds)
{
    source_of(market)->unsubscribe(market, instrument, feeds);
}

static int paper_bars(struct exchange_market *market, const struct instrument *instrument,
                      const char *timeframe, int64_t since_ms, int limit, exchange_bars_fn *fn,
                      void *ctx)
{
    return source_of(market)->bars(market, instrument, timeframe, since_ms, limit, fn, ctx);
}

static int64_t paper_clock_offset_ms(struct exchange_market *market)
{
    return source_of(market)->clock_offset_ms(market);
}

const struct exchange_ops exchange_paper = {
    .name = "paper",
    .market_open = paper_market_open,
    .market_close = paper_market_close,
    .instruments = paper_instruments,
    .subscribe = paper_subscribe,
    .unsubscribe = paper_unsubscribe,
    .bars = paper_bars,
    .clock_offset_ms = paper_clock_offset_ms,
    .account_open = paper_account_open,
    .account_close = paper_account_close,
    .place = paper_place,
    .cancel = paper_cancel,
    .query_order = paper_query_order,
    .query_order_id = paper_query_order_id,
    .open_orders = paper_open_orders,
    .fills = paper_fills,
    .balances = paper_balances,
    .request_life_ms = paper_request_life_ms,
};
