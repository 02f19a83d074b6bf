#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include "exchanges/sim/rest.h"
#include "exchanges/sim/streams.h"

#define DAY_MS ((int64_t)86400000)

int sim_call_market(struct sim_call *call, struct sim_market **out)
{
    const char *symbol = sim_param(call->params, "symbol");

    if (!symbol)
        return sim_param_missing(&call->error, "symbol");
    *out = sim_market_find(call->sim, symbol);
    return *out ? 0 : sim_fail(&call->error, 400, -1121, "Invalid symbol.");
}

static int run_ping(struct sim_call *call)
{
    flt_buf_append(&call->out, "{}", 2);
    return 0;
}

static int run_time(struct sim_call *call)
{
    flt_buf_printf(&call->out, "{\"serverTime\":%" PRId64 "}", sim_now(call->sim));
    return 0;
}

/* Runs `each` for `symbol` (an object), for `symbols` or for all (an array). */
typedef void each_fn(struct sim_call *call, const struct sim_market *market);

static int for_symbols(struct sim_call *call, each_fn *each, bool always_list)
{
    const char *one = sim_param(call->params, "symbol"), *many = sim_param(call->params, "symbols");
    struct sim_market *market;

    if (one && many)
        return sim_fail(&call->error, 400, -1128,
                        "Combination of optional parameters invalid. Recommendation: 'symbol' or "
                        "'symbols'.");
    if (one) {
        if (sim_call_market(call, &market) != 0)
            return -1;
        if (always_list)
            flt_jw_begin(&call->out, "symbols", '[');
        each(call, market);
        if (always_list)
            flt_jw_end(&call->out, ']');
        return 0;
    }
    struct json_object *names = many ? flt_json_parse(many, strlen(many), NULL) : NULL;

    if (many && (!names || !json_object_is_type(names, json_type_array))) {
        json_object_put(names);
        return sim_fail(&call->error, 400, -1100,
                        "Illegal characters found in parameter 'symbols'.");
    }
    int err = 0;

    flt_jw_begin(&call->out, always_list ? "symbols" : NULL, '[');
    const size_t count = names ? json_object_array_length(names) : call->sim->market_count;
    for (size_t i = 0; i < count && !err; i++) {
        market = names ? sim_market_find(
                             call->sim, json_object_get_string(json_object_array_get_idx(names, i)))
                       : call->sim->markets[i];
        if (market)
            each(call, market);
        else
            err = sim_fail(&call->error, 400, -1121, "Invalid symbol.");
    }
    flt_jw_end(&call->out, ']');
    json_object_put(names);
    return err;
}

static void filter(struct flt_buf *buf, const char *type, const char *min_key, struct flt_dec min,
                   const char *max_key, struct flt_dec max, const char *step_key,
                   struct flt_dec step)
{
    flt_jw_begin(buf, NULL, '{');
    flt_jw_str(buf, "filterType", type);
    sim_jw_amt(buf, min_key, flt_amt_from_dec(min));
    sim_jw_amt(buf, max_key, flt_amt_from_dec(max));
    sim_jw_amt(buf, step_key, flt_amt_from_dec(step));
    flt_jw_end(buf, '}');
}

static void jw_filters(struct flt_buf *buf, const struct instrument *i)
{
    char notional[SIM_NUM_MAX];

    flt_jw_begin(buf, "filters", '[');
    filter(buf, "PRICE_FILTER", "minPrice", i->price_min, "maxPrice", i->price_max, "tickSize",
           i->tick);
    filter(buf, "LOT_SIZE", "minQty", i->qty_min, "maxQty", i->qty_max, "stepSize", i->lot);
    flt_jw_raw(buf, NULL, "{\"filterType\":\"ICEBERG_PARTS\",\"limit\":100}");
    filter(buf, "MARKET_LOT_SIZE", "minQty", FLT_DEC_ZERO, "maxQty", i->qty_max, "stepSize",
           FLT_DEC_ZERO);
    flt_jw_begin(buf, NULL, '{');
    flt_jw_str(buf, "filterType", "NOTIONAL");
    flt_jw_str(buf, "minNotional", sim_num(flt_amt_from_dec(i->notional_min), notional));
    flt_jw_bool(buf, "applyMinToMarket", true);
    flt_jw_str(buf, "maxNotional", "9000000.00000000");
    flt_jw_bool(buf, "applyMaxToMarket", false);
    flt_jw_int(buf, "avgPriceMins", 5);
    flt_jw_end(buf, '}');
    flt_jw_raw(buf, NULL, "{\"filterType\":\"MAX_NUM_ORDERS\",\"maxNumOrders\":4000}");
    flt_jw_raw(buf, NULL, "{\"filterType\":\"MAX_NUM_ALGO_ORDERS\",\"maxNumAlgoOrders\":5}");
    flt_jw_end(buf, ']');
}

static void each_info(struct sim_call *call, const struct sim_market *market)
{
    const struct instrument *i = &market->instrument;
    struct flt_buf *buf = &call->out;

    flt_jw_begin(buf, NULL, '{');
    flt_jw_str(buf, "symbol", i->venue_symbol);
    flt_jw_str(buf, "status", "TRADING");
    flt_jw_str(buf, "baseAsset", i->base);
    flt_jw_int(buf, "baseAssetPrecision", 8);
    flt_jw_str(buf, "quoteAsset", i->quote);
    flt_jw_int(buf, "quotePrecision", 8);
    flt_jw_int(buf, "quoteAssetPrecision", 8);
    flt_jw_int(buf, "baseCommissionPrecision", 8);
    flt_jw_int(buf, "quoteCommissionPrecision", 8);
    flt_jw_raw(buf, "orderTypes", "[\"LIMIT\",\"LIMIT_MAKER\",\"MARKET\"]");
    flt_jw_bool(buf, "icebergAllowed", false);
    flt_jw_bool(buf, "ocoAllowed", false);
    flt_jw_bool(buf, "otoAllowed", false);
    flt_jw_bool(buf, "quoteOrderQtyMarketAllowed", true);
    flt_jw_bool(buf, "allowTrailingStop", false);
    flt_jw_bool(buf, "cancelReplaceAllowed", true);
    flt_jw_bool(buf, "amendAllowed", false);
    flt_jw_bool(buf, "isSpotTradingAllowed", true);
    flt_jw_bool(buf, "isMarginTradingAllowed", false);
    jw_filters(buf, i);
    flt_jw_raw(buf, "permissions", "[]");
    flt_jw_raw(buf, "permissionSets", "[[\"SPOT\"]]");
    flt_jw_str(buf, "defaultSelfTradePreventionMode", "EXPIRE_MAKER");
    flt_jw_raw(buf, "allowedSelfTradePreventionModes",
               "[\"NONE\",\"EXPIRE_TAKER\",\"EXPIRE_MAKER\",\"EXPIRE_BOTH\"]");
    flt_jw_end(buf, '}');
}

static int run_info(struct sim_call *call)
{
    flt_jw_begin(&call->out, NULL, '{');
    flt_jw_str(&call->out, "timezone", "UTC");
    flt_jw_int(&call->out, "serverTime", sim_now(call->sim));
    sim_jw_rate_limits(&call->out, "rateLimits", call->sim, false, call->ip, NULL);
    flt_jw_raw(&call->out, "exchangeFilters", "[]");
    if (for_symbols(call, each_info, true) != 0)
        return -1;
    flt_jw_end(&call->out, '}');
    return 0;
}

static int get_limit(struct sim_call *call, int64_t otherwise, int64_t max, int64_t *out)
{
    *out = otherwise;
    if (sim_param_int(call->params, "limit", false, out, &call->error) != 0)
        return -1;
    if (*out < 1)
        return sim_fail(&call->error, 400, -1130, "Data sent for parameter 'limit' is not valid.");
    if (*out > max)
        *out = max;
    return 0;
}

static void jw_kline(struct flt_buf *buf, const struct sim_market *market, int interval,
                     const struct sim_kline *k)
{
    flt_jw_begin(buf, NULL, '[');
    flt_jw_int(buf, NULL, k->ts_ms);
    sim_jw_price(buf, NULL, market, k->open);
    sim_jw_price(buf, NULL, market, k->high);
    sim_jw_price(buf, NULL, market, k->low);
    sim_jw_price(buf, NULL, market, k->close);
    sim_jw_qty(buf, NULL, market, k->lots);
    flt_jw_int(buf, NULL, sim_interval_close(interval, k->ts_ms));
    sim_jw_cost(buf, NULL, market, k->cost);
    flt_jw_int(buf, NULL, k->trades);
    sim_jw_qty(buf, NULL, market, k->buy_lots);
    sim_jw_cost(buf, NULL, market, k->buy_cost);
    flt_jw_str(buf, NULL, "0");
    flt_jw_end(buf, ']');
}

static int run_klines(struct sim_call *call)
{
    struct sim_market *market;
    int64_t limit, from = -1, to = INT64_MAX;
    const char *name = sim_param(call->params, "interval");

    if (sim_call_market(call, &market) != 0)
        return -1;
    if (!name)
        return sim_param_missing(&call->error, "interval");
    const int interval = sim_interval_find(name);

    if (interval < 0)
        return sim_fail(&call->error, 400, -1120, "Invalid interval.");
    if (get_limit(call, 500, 1000, &limit) != 0 ||
        sim_param_int(call->params, "startTime", false, &from, &call->error) != 0 ||
        sim_param_int(call->params, "endTime", false, &to, &call->error) != 0)
        return -1;
    struct sim_kline *klines = calloc((size_t)limit, sizeof *klines);

    if (!klines)
        return sim_fail(&call->error, 500, -1000, "Out of memory.");
    const size_t count = sim_klines(market, interval, from, to, klines, (size_t)limit);

    flt_jw_begin(&call->out, NULL, '[');
    for (size_t i = 0; i < count; i++)
        jw_kline(&call->out, market, interval, &klines[i]);
    flt_jw_end(&call->out, ']');
    free(klines);
    return 0;
}

static int run_depth(struct sim_call *call)
{
    struct sim_market *market;
    int64_t limit;

    if (sim_call_market(call, &market) != 0 || get_limit(call, 100, 5000, &limit) != 0)
        return -1;
    struct match_level *levels = calloc((size_t)limit, sizeof *levels);

    if (!levels)
        return sim_fail(&call->error, 500, -1000, "Out of memory.");
    sim_streams_diff(market);
    flt_jw_begin(&call->out, NULL, '{');
    flt_jw_int(&call->out, "lastUpdateId", market->update_id);
    size_t count = match_depth(market->match, SIDE_BUY, levels, (size_t)limit);

    sim_jw_levels(&call->out, "bids", market, levels, count);
    count = match_depth(market->match, SIDE_SELL, levels, (size_t)limit);
    sim_jw_levels(&call->out, "asks", market, levels, count);
    flt_jw_end(&call->out, '}');
    free(levels);
    return 0;
}

static void each_ticker(struct sim_call *call, const struct sim_market *market)
{
    const char *type = sim_param(call->params, "type");

    sim_jw_ticker(&call->out, market, type && strcmp(type, "MINI") == 0, false, DAY_MS);
}

static int run_ticker(struct sim_call *call)
{
    return for_symbols(call, each_ticker, false);
}

static void each_price(struct sim_call *call, const struct sim_market *market)
{
    flt_jw_begin(&call->out, NULL, '{');
    flt_jw_str(&call->out, "symbol", market->instrument.venue_symbol);
    sim_jw_price(&call->out, "price", market, market->last_ticks);
    flt_jw_end(&call->out, '}');
}

static int run_price(struct sim_call *call)
{
    return for_symbols(call, each_price, false);
}

static void each_book(struct sim_call *call, const struct sim_market *market)
{
    struct match_level bid = { 0, 0 }, ask = { 0, 0 };

    (void)match_depth(market->match, SIDE_BUY, &bid, 1);
    (void)match_depth(market->match, SIDE_SELL, &ask, 1);
    flt_jw_begin(&call->out, NULL, '{');
    flt_jw_str(&call->out, "symbol", market->instrument.venue_symbol);
    sim_jw_price(&call->out, "bidPrice", market, bid.price_ticks);
    sim_jw_qty(&call->out, "bidQty", market, bid.qty_lots);
    sim_jw_price(&call->out, "askPrice", market, ask.price_ticks);
    sim_jw_qty(&call->out, "askQty", market, ask.qty_lots);
    flt_jw_end(&call->out, '}');
}

static int run_book(struct sim_call *call)
{
    return for_symbols(call, each_book, false);
}

static void jw_trade(struct flt_buf *buf, const struct sim_market *market,
                     const struct trade *trade, bool aggregate)
{
    flt_jw_begin(buf, NULL, '{');
    flt_jw_int(buf, aggregate ? "a" : "id", trade->trade_id);
    sim_jw_price(buf, aggregate ? "p" : "price", market, trade->price_ticks);
    sim_jw_qty(buf, aggregate ? "q" : "qty", market, trade->qty_lots);
    if (aggregate) {
        flt_jw_int(buf, "f", trade->trade_id);
        flt_jw_int(buf, "l", trade->trade_id);
    } else {
        sim_jw_cost(buf, "quoteQty", market, (flt_i128)trade->price_ticks * trade->qty_lots);
    }
    flt_jw_int(buf, aggregate ? "T" : "time", trade->ts_ms);
    flt_jw_bool(buf, aggregate ? "m" : "isBuyerMaker", trade->aggressor == SIDE_SELL);
    flt_jw_bool(buf, aggregate ? "M" : "isBestMatch", true);
    flt_jw_end(buf, '}');
}

static int trades(struct sim_call *call, bool aggregate)
{
    struct sim_market *market;
    int64_t limit, from = 0, since = 0, until = INT64_MAX;

    if (sim_call_market(call, &market) != 0 || get_limit(call, 500, 1000, &limit) != 0 ||
        sim_param_int(call->params, "fromId", false, &from, &call->error) != 0 ||
        sim_param_int(call->params, "startTime", false, &since, &call->error) != 0 ||
        sim_param_int(call->params, "endTime", false, &until, &call->error) != 0)
        return -1;
    int64_t id = market->trade_count - SIM_TRADES_KEPT + 1, count = 0;

    if (from <= 0 && since == 0)
        id = market->trade_count - limit + 1;
    if (from > id)
        id = from;
    flt_jw_begin(&call->out, NULL, '[');
    for (; id <= market->trade_count && count < limit; id++) {
        const struct trade *trade = sim_market_trade(market, id);

        if (!trade || trade->ts_ms < since || trade->ts_ms > until)
            continue;
        jw_trade(&call->out, market, trade, aggregate);
        count++;
    }
    flt_jw_end(&call->out, ']');
    return 0;
}

static int run_trades(struct sim_call *call)
{
    return trades(call, false);
}

static int run_agg_trades(struct sim_call *call)
{
    return trades(call, true);
}

static int run_avg_price(struct sim_call *call)
{
    struct sim_market *market;
    struct sim_kline klines[5], sum;

    if (sim_call_market(call, &market) != 0)
        return -1;
    const size_t count = sim_klines(market, 1, -1, INT64_MAX, klines, 5);
    struct flt_amt price = sim_price_amt(market, market->last_ticks);

    sum = count ? klines[0] : (struct sim_kline){ 0 };
    for (size_t i = 1; i < count; i++)
        sim_kline_merge(&sum, &klines[i]);
    if (sum.lots > 0)
        price = flt_amt_div(sim_cost_amt(market, sum.cost), sim_qty_amt(market, sum.lots),
                            FLT_ROUND_HALF_EVEN);
    flt_jw_begin(&call->out, NULL, '{');
    flt_jw_int(&call->out, "mins", 5);
    sim_jw_amt(&call->out, "price", price);
    flt_jw_int(&call->out, "closeTime", sim_now(call->sim));
    flt_jw_end(&call->out, '}');
    return 0;
}

static int weigh_ticker(const struct sim_params *params)
{
    return sim_param(params, "symbol") ? 2 : sim_param(params, "symbols") ? 40 : 80;
}

static int weigh_book(const struct sim_params *params)
{
    return sim_param(params, "symbol") ? 2 : 4;
}

static int weigh_depth(const struct sim_params *params)
{
    const char *text = sim_param(params, "limit");
    const long limit = text ? strtol(text, NULL, 10) : 100;

    return limit <= 100 ? 5 : limit <= 500 ? 25 : limit <= 1000 ? 50 : 250;
}

const struct sim_route sim_public_routes[] = {
    { "GET", "/api/v3/ping", "ping", run_ping, false, false, 1, 0, NULL },
    { "GET", "/api/v3/time", "time", run_time, false, false, 1, 0, NULL },
    { "GET", "/api/v3/exchangeInfo", "exchangeInfo", run_info, false, false, 20, 0, NULL },
    { "GET", "/api/v3/klines", "klines", run_klines, false, false, 2, 0, NULL },
    { "GET", "/api/v3/uiKlines", "uiKlines", run_klines, false, false, 2, 0, NULL },
    { "GET", "/api/v3/depth", "depth", run_depth, false, false, 5, 0, weigh_depth },
    { "GET", "/api/v3/ticker/24hr", "ticker.24hr", run_ticker, false, false, 2, 0, weigh_ticker },
    { "GET", "/api/v3/ticker/price", "ticker.price", run_price, false, false, 2, 0, weigh_book },
    { "GET", "/api/v3/ticker/bookTicker", "ticker.book", run_book, false, false, 2, 0, weigh_book },
    { "GET", "/api/v3/trades", "trades.recent", run_trades, false, false, 25, 0, NULL },
    { "GET", "/api/v3/historicalTrades", "trades.historical", run_trades, false, false, 25, 0,
      NULL },
    { "GET", "/api/v3/aggTrades", "trades.aggregate", run_agg_trades, false, false, 4, 0, NULL },
    { "GET", "/api/v3/avgPrice", "avgPrice", run_avg_price, false, false, 2, 0, NULL },
};
const size_t sim_public_route_count = FLT_COUNT(sim_public_routes);
