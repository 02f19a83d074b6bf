#define FLT_MOD "market"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "exchanges/sim/ledger.h"
#include "exchanges/sim/sim.h"
#include "exchanges/sim/streams.h"

#define MINUTES_KEPT 10080
#define SECONDS_KEPT 3600
#define ORDERS_MAX 8200
#define DEPTH_LEVELS 50

/* --- instruments -------------------------------------------------------------------------------
 */

static const struct {
    const char *base, *tick, *lot;
} defaults[] = {
    { "BTC", "0.01", "0.00001" },  { "ETH", "0.01", "0.0001" }, { "BNB", "0.01", "0.001" },
    { "SOL", "0.01", "0.001" },    { "XRP", "0.0001", "0.1" },  { "ADA", "0.0001", "0.1" },
    { "DOGE", "0.00001", "1" },    { "LTC", "0.01", "0.001" },  { "LINK", "0.01", "0.01" },
    { "DOT", "0.001", "0.01" },    { "AVAX", "0.01", "0.01" },  { "TRX", "0.0001", "0.1" },
    { "SHIB", "0.00000001", "1" }, { "UNI", "0.001", "0.01" },  { "ATOM", "0.001", "0.01" },
};

static void set_defaults(struct instrument *instrument)
{
    const bool to_btc =
        strcmp(instrument->quote, "BTC") == 0 || strcmp(instrument->quote, "ETH") == 0;

    instrument->tick = flt_dec_parse(to_btc ? "0.00000001" : "0.01");
    instrument->lot = flt_dec_parse(to_btc ? "0.001" : "0.0001");
    for (size_t i = 0; i < FLT_COUNT(defaults) && !to_btc; i++)
        if (strcmp(defaults[i].base, instrument->base) == 0) {
            instrument->tick = flt_dec_parse(defaults[i].tick);
            instrument->lot = flt_dec_parse(defaults[i].lot);
        }
    instrument->qty_min = instrument->lot;
    instrument->qty_max = flt_dec_parse("9000000");
    instrument->price_min = instrument->tick;
    instrument->price_max = flt_dec_parse("1000000");
    instrument->notional_min = flt_dec_parse(to_btc ? "0.0001" : "5");
    instrument->contract_size = flt_dec_from_int(1);
}

static void read_filter(struct json_object *filter, struct instrument *instrument)
{
    const char *type = "";

    (void)flt_json_str(filter, "filterType", &type);
    if (strcmp(type, "PRICE_FILTER") == 0) {
        (void)flt_json_dec(filter, "tickSize", &instrument->tick);
        (void)flt_json_dec(filter, "minPrice", &instrument->price_min);
        (void)flt_json_dec(filter, "maxPrice", &instrument->price_max);
    } else if (strcmp(type, "LOT_SIZE") == 0) {
        (void)flt_json_dec(filter, "stepSize", &instrument->lot);
        (void)flt_json_dec(filter, "minQty", &instrument->qty_min);
        (void)flt_json_dec(filter, "maxQty", &instrument->qty_max);
    } else if (strcmp(type, "NOTIONAL") == 0 || strcmp(type, "MIN_NOTIONAL") == 0) {
        (void)flt_json_dec(filter, "minNotional", &instrument->notional_min);
    }
}

/* An exchangeInfo reply: the filters of our symbol, if it is in there. */
static int read_instruments(const char *path, struct instrument *instrument,
                            struct flt_error *error)
{
    struct json_object *root = flt_json_load(path, error), *symbols, *filters;

    if (!root)
        return -EINVAL;
    symbols = flt_json_get(root, "symbols");
    for (size_t i = 0; symbols && json_object_is_type(symbols, json_type_array) &&
                       i < json_object_array_length(symbols);
         i++) {
        struct json_object *row = json_object_array_get_idx(symbols, i);
        const char *symbol = "";

        (void)flt_json_str(row, "symbol", &symbol);
        filters = flt_json_get(row, "filters");
        if (strcmp(symbol, instrument->venue_symbol) != 0 || !filters ||
            !json_object_is_type(filters, json_type_array))
            continue;
        for (size_t k = 0; k < json_object_array_length(filters); k++)
            read_filter(json_object_array_get_idx(filters, k), instrument);
    }
    json_object_put(root);
    return 0;
}

/* "tick=0.1" and "lot=0.01" in the specification go before the table. */
static int read_steps(const char *spec, struct instrument *instrument, struct flt_error *error)
{
    const char *tick = strstr(spec, ",tick="), *lot = strstr(spec, ",lot=");

    if (tick)
        instrument->tick = flt_dec_parse_n(tick + 6, strcspn(tick + 6, ","));
    if (lot)
        instrument->lot = flt_dec_parse_n(lot + 5, strcspn(lot + 5, ","));
    if (tick)
        instrument->price_min = instrument->tick;
    if (lot)
        instrument->qty_min = instrument->lot;
    if (!flt_dec_ok(instrument->tick) || !flt_dec_ok(instrument->lot) ||
        instrument->tick.coef <= 0 || instrument->lot.coef <= 0 || instrument->tick.scale > 9 ||
        instrument->lot.scale > 9)
        return flt_error_set(error, FLT_INVALID_ARGUMENT, "market",
                             "Steps are above zero, with up to 9 decimals.",
                             "Tick or lot of %s is bad.", instrument->name);
    return 0;
}

static int name_it(const char *spec, struct instrument *instrument, struct flt_error *error)
{
    const char *dash = strchr(spec, '-'), *equals = strchr(spec, '=');

    if (!dash || !equals || dash > equals || dash == spec || equals - dash < 2 ||
        equals - spec >= INSTRUMENT_NAME_MAX || dash - spec >= ASSET_MAX ||
        equals - dash > ASSET_MAX)
        return flt_error_set(error, FLT_INVALID_ARGUMENT, "market",
                             "Like BTC-USDT=candles:FILE.csv", "A market begins with its name: %s.",
                             spec);
    snprintf(instrument->name, sizeof instrument->name, "%.*s", (int)(equals - spec), spec);
    snprintf(instrument->base, sizeof instrument->base, "%.*s", (int)(dash - spec), spec);
    snprintf(instrument->quote, sizeof instrument->quote, "%.*s", (int)(equals - dash - 1),
             dash + 1);
    snprintf(instrument->venue_symbol, sizeof instrument->venue_symbol, "%s%s", instrument->base,
             instrument->quote);
    return 0;
}

/* --- what happens in it --------------------------------------------------------------------------
 */

const struct trade *sim_market_trade(const struct sim_market *market, int64_t trade_id)
{
    if (trade_id < 1 || trade_id > market->trade_count ||
        trade_id <= market->trade_count - SIM_TRADES_KEPT)
        return NULL;
    const struct trade *trade = &market->trades[(trade_id - 1) % SIM_TRADES_KEPT];

    return trade->trade_id == trade_id ? trade : NULL; /* ids jump after a restart */
}

static struct trade *keep_trade(struct sim_market *market, int64_t ts_ms, int64_t price,
                                int64_t lots, enum side aggressor)
{
    struct trade *trade = &market->trades[market->trade_count++ % SIM_TRADES_KEPT];

    *trade = (struct trade){ ts_ms, market->trade_count, price, lots, aggressor };
    market->last_ticks = price;
    return trade;
}

int64_t sim_market_publish_trade(struct sim_market *market, int64_t price, int64_t lots,
                                 enum side aggressor)
{
    const struct trade *trade = keep_trade(market, sim_now(market->sim), price, lots, aggressor);
    struct sim_kline closed;

    if (sim_candles_trade(&market->minutes, trade->ts_ms, trade, &closed))
        sim_streams_kline_closed(market, &closed);
    (void)sim_candles_trade(&market->seconds, trade->ts_ms, trade, NULL);
    sim_streams_trade(market, trade);
    return trade->trade_id;
}

void sim_market_changed(struct sim_market *market)
{
    market->update_id++;
    if (!market->in_trade)
        sim_streams_book(market);
}

static void apply(struct sim_market *market, const struct sim_event *event)
{
    const int64_t now = sim_now(market->sim);

    market->sim->events++;
    market->in_trade = true;
    if (event->is_trade) {
        struct trade trade = event->trade;

        trade.ts_ms = now;
        const int64_t ours = match_trade(market->match, &trade);

        if (trade.qty_lots > ours)
            sim_market_publish_trade(market, trade.price_ticks, trade.qty_lots - ours,
                                     trade.aggressor);
        if (ours > 0)
            market->update_id++;
    } else {
        struct quote quote = event->quote;

        quote.ts_ms = now;
        match_quote(market->match, &quote);
        market->update_id++;
    }
    market->in_trade = false;
    sim_streams_book(market);
}

void sim_market_play(struct sim_market *market, int64_t clock_ms)
{
    const int64_t source_ms = market->begin_ms + clock_ms;
    struct sim_kline closed;

    while (market->has_next && market->next.at_ms <= source_ms) {
        const struct sim_event event = market->next;

        market->has_next = sim_source_next(market->source, &market->next);
        apply(market, &event);
    }
    if (sim_candles_advance(&market->minutes, sim_now(market->sim), &closed))
        sim_streams_kline_closed(market, &closed);
    (void)sim_candles_advance(&market->seconds, sim_now(market->sim), NULL);
}

void sim_market_note(const struct sim_market *market)
{
    const struct sim *sim = market->sim;

    sim_ledger_source(sim->ledger, market->instrument.venue_symbol, market->spec,
                      market->begin_ms + sim->clock.source_ms - sim->options.history_min * 60000);
}

/* The source's first `history` minutes become the candles and trades of the time before now. After
 * a restart on the same ledger these are the minutes before it stopped, so that prices go on from
 * there and do not jump against the orders that rest. */
static void play_history(struct sim_market *market, int64_t history_ms)
{
    const int64_t skipped = market->begin_ms - history_ms;
    const int64_t begin = sim_now(market->sim) - history_ms;
    struct quote quote = { 0 };
    struct sim_event event;

    sim_source_skip(market->source, skipped);
    while (sim_source_next(market->source, &event)) {
        if (event.at_ms > market->begin_ms) {
            market->next = event;
            market->has_next = true;
            break;
        }
        if (event.at_ms < skipped)
            continue;
        event.at_ms -= skipped;
        if (!event.is_trade) {
            quote = event.quote;
            continue;
        }
        const struct trade *trade = keep_trade(market, begin + event.at_ms, event.trade.price_ticks,
                                               event.trade.qty_lots, event.trade.aggressor);

        (void)sim_candles_trade(&market->minutes, trade->ts_ms, trade, NULL);
        if (history_ms - event.at_ms < (int64_t)SECONDS_KEPT * 1000)
            (void)sim_candles_trade(&market->seconds, trade->ts_ms, trade, NULL);
    }
    if (quote.bid_ticks > 0)
        match_quote(market->match, &quote);
}

static int start(struct sim *sim, struct sim_market *market, const char *spec,
                 struct flt_error *error)
{
    int err = sim_source_open(strchr(spec, '=') + 1, &market->instrument, sim->options.seed,
                              sim->options.loop, &market->source, error);

    if (err)
        return err;
    const struct match_options options = { .orders_max = ORDERS_MAX,
                                           .depth_levels = DEPTH_LEVELS,
                                           .depth_lots = sim_source_depth_lots(market->source) };

    err = match_create(&options, sim_order_events(market), &market->match);
    if (!err)
        err = sim_candles_init(&market->minutes, 60000, MINUTES_KEPT);
    if (!err)
        err = sim_candles_init(&market->seconds, 1000, SECONDS_KEPT);
    if (err)
        return err;
    market->update_id = 1;
    market->spec = strdup(spec);
    if (!market->spec)
        return -ENOMEM;
    const int64_t history_ms = sim->options.history_min * 60000;

    market->begin_ms =
        history_ms + sim_ledger_position(sim->ledger, market->instrument.venue_symbol, spec);
    play_history(market, history_ms);
    return 0;
}

int sim_market_open(struct sim *sim, const char *spec, const char *instruments_path,
                    struct flt_error *error)
{
    struct sim_market *market = calloc(1, sizeof *market);
    struct sim_market **grown =
        realloc(sim->markets, (sim->market_count + 1) * sizeof(struct sim_market *));

    if (grown)
        sim->markets = grown;
    if (!market || !grown) {
        free(market);
        return -ENOMEM;
    }
    market->sim = sim;
    int err = name_it(spec, &market->instrument, error);

    if (!err && sim_market_find(sim, market->instrument.venue_symbol))
        err = flt_error_set(error, FLT_CONFLICT, "market", "", "%s is given twice.",
                            market->instrument.name);
    set_defaults(&market->instrument);
    market->instrument.fee_maker = sim->options.fees.maker;
    market->instrument.fee_taker = sim->options.fees.taker;
    if (!err && instruments_path)
        err = read_instruments(instruments_path, &market->instrument, error);
    if (!err)
        err = read_steps(spec, &market->instrument, error);
    if (!err)
        err = start(sim, market, spec, error);
    if (err) {
        sim_market_close(market);
        return err;
    }
    sim->markets[sim->market_count++] = market;
    return 0;
}

void sim_market_close(struct sim_market *market)
{
    if (!market)
        return;
    match_destroy(market->match);
    sim_source_close(market->source);
    sim_candles_finish(&market->minutes);
    sim_candles_finish(&market->seconds);
    free(market->spec);
    free(market);
}

struct sim_market *sim_market_find(const struct sim *sim, const char *symbol)
{
    for (size_t i = 0; symbol && i < sim->market_count; i++)
        if (strcmp(sim->markets[i]->instrument.venue_symbol, symbol) == 0)
            return sim->markets[i];
    return NULL;
}
