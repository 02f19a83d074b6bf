/* Public data of the venues that the configuration names; each is opened at start. */
#define FLT_MOD "market"
#include "controller/market.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "exchanges/exchange.h"
#include "lib/http.h"
#include "lib/log.h"
#include "lib/ws.h"

#define BARS_MS 10000

struct venue {
    const char *name;
    const struct exchange_ops *ops;
    struct exchange_market *handle; /* NULL: not configured */
};

struct bars_call {
    market_bars_fn *fn;
    void *ctx;
};

struct market {
    struct flt_http *http;
    struct flt_ws_context *ws;
    struct exchange_env env;
    struct venue venues[1]; /* as config/venues has them */
    size_t count;
};

static const char *or_null(bool has, const char *text)
{
    return has ? text : NULL;
}

static void on_instruments(void *ctx)
{
    const struct venue *venue = ctx;
    size_t count = 0;

    (void)venue->ops->instruments(venue->handle, &count);
    FLT_LOG(INFO, "instruments", "venue=%s count=%zu", venue->name, count);
}

static int open_venue(struct market *market, const char *name,
                      const struct msg_config_venue *config)
{
    struct venue *venue = &market->venues[market->count];
    const struct exchange_urls urls = { .rest = or_null(config->has_rest_url, config->rest_url),
                                        .stream =
                                            or_null(config->has_stream_url, config->stream_url),
                                        .ws_api =
                                            or_null(config->has_ws_api_url, config->ws_api_url),
                                        .ca_file = or_null(config->has_ca_file, config->ca_file) };
    const struct exchange_market_events events = { .ctx = venue, .on_instruments = on_instruments };

    venue->name = name;
    venue->ops = exchange_find(name);
    if (!venue->ops)
        return FLT_FAIL(-ENOENT, "venue=%s", name);
    market->count++;
    return venue->ops->market_open(&market->env, &urls, &events, &venue->handle);
}

int market_create(struct controller *controller, struct market **out)
{
    struct market *market = calloc(1, sizeof *market);
    const struct flt_http_config http = { 0 };
    int err = market ? 0 : -ENOMEM;

    *out = market;
    if (!err)
        err = flt_http_create(controller->loop, &http, &market->http);
    if (!err)
        err = flt_ws_context_create(controller->loop, &market->ws);
    if (err)
        return err;
    market->env =
        (struct exchange_env){ .loop = controller->loop, .http = market->http, .ws = market->ws };
    if (controller->config.has_venues && controller->config.venues.has_binance)
        err = open_venue(market, "binance", &controller->config.venues.binance);
    return err;
}

void market_destroy(struct market *market)
{
    if (!market)
        return;
    for (size_t i = 0; i < market->count; i++)
        if (market->venues[i].handle)
            market->venues[i].ops->market_close(market->venues[i].handle);
    if (market->http)
        flt_http_destroy(market->http);
    if (market->ws)
        flt_ws_context_destroy(market->ws);
    free(market);
}

static struct venue *find_venue(const struct market *market, const char *name)
{
    for (size_t i = 0; i < market->count; i++)
        if (strcmp(market->venues[i].name, name) == 0 && market->venues[i].handle)
            return (struct venue *)(uintptr_t)&market->venues[i];
    return NULL;
}

bool market_knows(const struct market *market, const char *venue)
{
    return find_venue(market, venue) != NULL;
}

const struct instrument *const *market_instruments(struct market *market, const char *venue,
                                                   size_t *count)
{
    const struct venue *found = find_venue(market, venue);

    *count = 0;
    return found ? found->ops->instruments(found->handle, count) : NULL;
}

const struct instrument *market_find(struct market *market, const char *venue, const char *name)
{
    size_t count = 0;
    const struct instrument *const *list = market_instruments(market, venue, &count);

    for (size_t i = 0; i < count; i++)
        if (strcmp(list[i]->name, name) == 0)
            return list[i];
    return NULL;
}

static void on_bars(void *ctx, const struct exchange_failure *failure,
                    const struct instrument *instrument, const struct bar *bars, size_t count)
{
    struct bars_call *call = ctx;
    const bool ok = failure->error == EXCHANGE_OK;

    call->fn(call->ctx,
             ok                    ? NULL
             : failure->message[0] ? failure->message
                                   : exchange_error_name(failure->error),
             instrument, bars, count);
    free(call);
}

int market_bars(struct market *market, const char *venue, const char *instrument,
                const char *timeframe, int64_t since_ms, int limit, market_bars_fn *fn, void *ctx,
                struct flt_error *error)
{
    const struct venue *found = find_venue(market, venue);
    const struct instrument *of = found ? market_find(market, venue, instrument) : NULL;
    struct bars_call *call;
    int err;

    if (!found)
        return flt_error_set(error, FLT_NOT_FOUND, "venue", "add it to the configuration",
                             "the controller knows no venue %s", venue);
    if (!of)
        return flt_error_set(error, FLT_NOT_FOUND, "instrument", "list them with instrument-ls",
                             "%s has no instrument %s", venue, instrument);
    if (timeframe_ms(timeframe) == 0)
        return flt_error_set(error, FLT_INVALID_ARGUMENT, "timeframe", "use 1m, 5m, 1h, 1d or such",
                             "%s is not a timeframe", timeframe);
    call = malloc(sizeof *call);
    if (!call)
        return -ENOMEM;
    *call = (struct bars_call){ fn, ctx };
    err = found->ops->bars(found->handle, of, timeframe, since_ms, limit, on_bars, call);
    if (err) {
        free(call);
        return flt_error_set(error, err == EXCHANGE_BUSY ? FLT_RATE_LIMITED : FLT_UNAVAILABLE, "",
                             "try again in a moment", "%s cannot be asked now", venue);
    }
    return 0;
}
