/* Replies of Binance spot. Numbers may be strings and strings numbers: proxies and recorders quote
 * them at will, and ids outgrow doubles. */
#define FLT_MOD "binance"
#include "exchanges/binance/binance.h"
#include <errno.h>
#include <stdio.h>
#include <string.h>

/* The text of a string or number; NULL when missing. */
static const char *text_of(struct json_object *value)
{
    if (!value || json_object_is_type(value, json_type_object) ||
        json_object_is_type(value, json_type_array) ||
        json_object_is_type(value, json_type_boolean))
        return NULL;
    return json_object_get_string(value);
}

static const char *text(struct json_object *object, const char *key)
{
    return text_of(flt_json_get(object, key));
}

static struct flt_dec dec_of(struct json_object *value)
{
    const char *digits = text_of(value);

    return digits ? flt_dec_parse(digits) : FLT_DEC_BAD;
}

static struct flt_dec dec(struct json_object *object, const char *key)
{
    return dec_of(flt_json_get(object, key));
}

static struct flt_amt amt_of(struct json_object *value)
{
    const char *digits = text_of(value);

    return digits ? flt_amt_parse(digits) : FLT_AMT_BAD;
}

static int64_t integer_of(struct json_object *value)
{
    const char *digits = text_of(value);
    const struct flt_dec number = digits ? flt_dec_parse(digits) : FLT_DEC_BAD;

    return flt_dec_ok(number) ? flt_dec_units(number, flt_dec_from_int(1), FLT_ROUND_DOWN) : 0;
}

static int64_t integer(struct json_object *object, const char *key)
{
    return integer_of(flt_json_get(object, key));
}

/* true, or "true" as a recorder quotes it. */
static bool flag(struct json_object *object, const char *key, bool missing)
{
    struct json_object *value = flt_json_get(object, key);

    return value ? strcmp(json_object_get_string(value), "true") == 0 : missing;
}

static void copy(char *out, size_t size, const char *value)
{
    snprintf(out, size, "%s", value ? value : "");
}

static void set_name(char out[INSTRUMENT_NAME_MAX], const struct instruments *table,
                     const char *symbol, const struct op_args *args)
{
    const struct instrument *found =
        symbol ? instruments_by_symbol(table, symbol, strlen(symbol)) : NULL;

    if (!symbol && args)
        found = args->instrument;
    copy(out, INSTRUMENT_NAME_MAX, found ? found->name : symbol);
}

struct reading {
    const struct instruments *table;
    const struct op_args *args;
    enum op op;
    struct result *out;
};

/* --- orders and fills --- */

enum order_status binance_status(const char *word)
{
    static const struct {
        const char *word;
        enum order_status status;
    } words[] = {
        { "NEW", ORDER_STATUS_OPEN },
        { "PENDING_NEW", ORDER_STATUS_OPEN },
        { "PARTIALLY_FILLED", ORDER_STATUS_PARTLY_FILLED },
        { "FILLED", ORDER_STATUS_FILLED },
        { "CANCELED", ORDER_STATUS_CANCELLED },
        { "PENDING_CANCEL", ORDER_STATUS_OPEN },
        { "REJECTED", ORDER_STATUS_REJECTED },
        { "EXPIRED", ORDER_STATUS_EXPIRED },
        { "EXPIRED_IN_MATCH", ORDER_STATUS_EXPIRED },
    };

    for (size_t i = 0; i < FLT_COUNT(words); i++)
        if (strcmp(words[i].word, word) == 0)
            return words[i].status;
    return ORDER_STATUS_OPEN; /* an acknowledgement has no status */
}

enum tif binance_tif(const char *word)
{
    return strcmp(word, "IOC") == 0 ? TIF_IOC : strcmp(word, "FOK") == 0 ? TIF_FOK : TIF_GTC;
}

struct flt_dec binance_average(struct flt_amt quote, struct flt_dec filled)
{
    if (!flt_amt_ok(quote) || quote.units <= 0 || !flt_dec_ok(filled) || flt_dec_is_zero(filled))
        return FLT_DEC_ZERO; /* Binance sends a negative sum for old orders: not known */
    const struct flt_amt average =
        flt_amt_div(quote, flt_amt_from_dec(filled), FLT_ROUND_HALF_EVEN);

    for (int scale = 12; scale >= 0; scale -= 2) {
        const struct flt_dec value = flt_amt_to_dec(average, scale, FLT_ROUND_HALF_EVEN);

        if (flt_dec_ok(value))
            return value;
    }
    return FLT_DEC_BAD;
}

static int64_t order_time(struct json_object *from)
{
    static const char *const keys[] = { "updateTime", "transactTime", "workingTime", "time" };

    for (size_t i = 0; i < FLT_COUNT(keys); i++) {
        const int64_t ts_ms = integer(from, keys[i]);

        if (ts_ms > 0)
            return ts_ms;
    }
    return 0;
}

static bool has(const char *value)
{
    return value && *value;
}

/* An acknowledgement leaves out what the request said. */
static void complete(struct order *order, const struct op_args *args)
{
    if (!args || !args->instrument)
        return;
    if (!flt_dec_ok(order->qty))
        order->qty = args->qty;
    if (!flt_dec_ok(order->price))
        order->price = args->price;
    order->side = args->side;
    order->type = args->type;
    order->tif = args->tif;
    order->post_only = args->post_only;
}

/* Whoever reads an order compares its numbers, which a bad one does not survive. */
static void no_bad_numbers(struct order *order)
{
    struct flt_dec *const numbers[] = { &order->price, &order->qty, &order->filled_qty,
                                        &order->average_price };

    for (size_t i = 0; i < FLT_COUNT(numbers); i++)
        if (!flt_dec_ok(*numbers[i]))
            *numbers[i] = FLT_DEC_ZERO;
}

static bool read_order_into(const struct reading *reading, struct json_object *from,
                            struct order *order)
{
    const char *id = text(from, "orderId"), *type = text(from, "type"), *side = text(from, "side");
    const char *original = text(from, "origClientOrderId"), *tif = text(from, "timeInForce");
    const char *status = text(from, "status");

    if (!id)
        return false;
    set_name(order->instrument, reading->table, text(from, "symbol"), reading->args);
    copy(order->order_id, sizeof order->order_id, id);
    copy(order->client_order_id, sizeof order->client_order_id,
         has(original) ? original : text(from, "clientOrderId"));
    order->status = binance_status(status ? status : "");
    order->price = dec(from, "price");
    order->qty = dec(from, "origQty");
    order->filled_qty = dec(from, "executedQty");
    order->average_price =
        binance_average(amt_of(flt_json_get(from, "cummulativeQuoteQty")), order->filled_qty);
    order->ts_ms = order_time(from);
    if (!type || !side)
        complete(order, reading->args);
    no_bad_numbers(order);
    if (!type || !side)
        return true;
    order->side = strcmp(side, "SELL") == 0 ? SIDE_SELL : SIDE_BUY;
    order->type = strcmp(type, "MARKET") == 0 || strcmp(type, "STOP_LOSS") == 0 ||
                          strcmp(type, "TAKE_PROFIT") == 0
                      ? ORDER_MARKET
                      : ORDER_LIMIT;
    order->post_only = strcmp(type, "LIMIT_MAKER") == 0;
    order->tif = binance_tif(tif ? tif : "");
    return true;
}

/* The fills that a FULL reply carries. */
static bool read_reply_fills(const struct reading *reading, struct json_object *from,
                             const struct order *order)
{
    struct json_object *fills = flt_json_get(from, "fills");
    const size_t count =
        json_object_is_type(fills, json_type_array) ? json_object_array_length(fills) : 0;

    for (size_t i = 0; i < count; i++) {
        struct json_object *item = json_object_array_get_idx(fills, i);
        struct fill *fill = list_add(&reading->out->fills, sizeof *fill);

        if (!fill || !text(item, "tradeId"))
            return false;
        memcpy(fill->instrument, order->instrument, sizeof fill->instrument);
        memcpy(fill->order_id, order->order_id, sizeof fill->order_id);
        memcpy(fill->client_order_id, order->client_order_id, sizeof fill->client_order_id);
        copy(fill->trade_id, sizeof fill->trade_id, text(item, "tradeId"));
        fill->side = order->side;
        fill->price = dec(item, "price");
        fill->qty = dec(item, "qty");
        fill->fee = amt_of(flt_json_get(item, "commission"));
        copy(fill->fee_asset, sizeof fill->fee_asset, text(item, "commissionAsset"));
        fill->liquidity = LIQUIDITY_TAKER; /* what trades on arrival takes */
        fill->ts_ms = order->ts_ms;
        if (!flt_dec_ok(fill->price) || !flt_dec_ok(fill->qty) || !flt_amt_ok(fill->fee))
            return false;
    }
    return true;
}

static bool read_order(const struct reading *reading, struct json_object *from)
{
    struct json_object *reports = flt_json_get(from, "orderReports"); /* of a cancelled list */

    if (json_object_is_type(reports, json_type_array)) {
        for (size_t i = 0; i < json_object_array_length(reports); i++)
            if (!read_order(reading, json_object_array_get_idx(reports, i)))
                return false;
        return true;
    }
    struct order order = { 0 };

    if (!read_order_into(reading, from, &order) || !read_reply_fills(reading, from, &order))
        return false;
    if (reading->op == OP_CLOSED_ORDERS && !order_status_is_final(order.status))
        return true;
    struct order *slot = list_add(&reading->out->items, sizeof *slot);

    if (slot)
        *slot = order;
    return slot != NULL;
}

static bool read_replaced(const struct reading *reading, struct json_object *from)
{
    struct json_object *order = flt_json_get(from, "newOrderResponse");

    return read_order(reading, order ? order : from);
}

static bool read_fill(const struct reading *reading, struct json_object *from)
{
    struct fill *fill = list_add(&reading->out->items, sizeof *fill);

    if (!fill || !text(from, "id"))
        return false;
    set_name(fill->instrument, reading->table, text(from, "symbol"), reading->args);
    copy(fill->trade_id, sizeof fill->trade_id, text(from, "id"));
    copy(fill->order_id, sizeof fill->order_id, text(from, "orderId"));
    fill->side = flag(from, "isBuyer", false) ? SIDE_BUY : SIDE_SELL;
    fill->price = dec(from, "price");
    fill->qty = dec(from, "qty");
    fill->fee = amt_of(flt_json_get(from, "commission"));
    copy(fill->fee_asset, sizeof fill->fee_asset, text(from, "commissionAsset"));
    fill->liquidity = flag(from, "isMaker", false) ? LIQUIDITY_MAKER : LIQUIDITY_TAKER;
    fill->ts_ms = integer(from, "time");
    if (!flt_amt_ok(fill->fee))
        fill->fee = FLT_AMT_ZERO;
    return flt_dec_ok(fill->price) && flt_dec_ok(fill->qty);
}

static bool read_balance(const struct reading *reading, struct json_object *from)
{
    struct balance *balance = list_add(&reading->out->items, sizeof *balance);

    if (!balance || !text(from, "asset"))
        return false;
    copy(balance->asset, sizeof balance->asset, text(from, "asset"));
    balance->free = amt_of(flt_json_get(from, "free"));
    balance->locked = amt_of(flt_json_get(from, "locked"));
    return flt_amt_ok(balance->free) && flt_amt_ok(balance->locked);
}

static bool read_fee(const struct reading *reading, struct json_object *from)
{
    struct fee_rate *fee = list_add(&reading->out->items, sizeof *fee);
    struct json_object *standard = flt_json_get(from, "standardCommission");

    if (!fee)
        return false;
    set_name(fee->instrument, reading->table, text(from, "symbol"), reading->args);
    fee->maker = standard ? dec(standard, "maker") : dec(from, "makerCommission");
    fee->taker = standard ? dec(standard, "taker") : dec(from, "takerCommission");
    return flt_dec_ok(fee->maker) && flt_dec_ok(fee->taker);
}

/* enableWithdrawals of the key, not canWithdraw of the account, which says little of it. A reply
 * without it says nothing that could calm anybody. */
static bool read_rights(const struct reading *reading, struct json_object *from)
{
    struct key_rights *rights = list_add(&reading->out->items, sizeof *rights);

    if (!rights || !flt_json_get(from, "enableWithdrawals"))
        return false;
    rights->withdraw = flag(from, "enableWithdrawals", true);
    rights->trade = flag(from, "enableSpotAndMarginTrading", false);
    rights->bound = flag(from, "ipRestrict", false);
    return true;
}

/* --- market data --- */

static bool read_ticker(const struct reading *reading, struct json_object *from)
{
    struct ticker *ticker = list_add(&reading->out->items, sizeof *ticker);

    if (!ticker || !text(from, "symbol"))
        return false;
    set_name(ticker->instrument, reading->table, text(from, "symbol"), reading->args);
    ticker->bid = dec(from, "bidPrice");
    ticker->bid_qty = dec(from, "bidQty");
    ticker->ask = dec(from, "askPrice");
    ticker->ask_qty = dec(from, "askQty");
    ticker->last = dec(from, flt_json_get(from, "lastPrice") ? "lastPrice" : "price");
    ticker->ts_ms = integer(from, "closeTime");
    return true;
}

static bool read_candle(const struct reading *reading, struct json_object *from)
{
    if (!json_object_is_type(from, json_type_array) || json_object_array_length(from) < 6)
        return false;
    struct candle *candle = list_add(&reading->out->items, sizeof *candle);

    if (!candle)
        return false;
    candle->ts_ms = integer_of(json_object_array_get_idx(from, 0));
    candle->open = dec_of(json_object_array_get_idx(from, 1));
    candle->high = dec_of(json_object_array_get_idx(from, 2));
    candle->low = dec_of(json_object_array_get_idx(from, 3));
    candle->close = dec_of(json_object_array_get_idx(from, 4));
    candle->volume = amt_of(json_object_array_get_idx(from, 5));
    return flt_dec_ok(candle->open) && flt_dec_ok(candle->high) && flt_dec_ok(candle->low) &&
           flt_dec_ok(candle->close) && flt_amt_ok(candle->volume);
}

/* Of aggTrades (a, p, q, T, m) or trades (id, price, qty, time, isBuyerMaker). */
static bool read_trade(const struct reading *reading, struct json_object *from)
{
    const bool aggregate = flt_json_get(from, "a") != NULL;
    const char *id = text(from, aggregate ? "a" : "id");
    struct market_trade *trade = list_add(&reading->out->items, sizeof *trade);

    if (!trade || !id)
        return false;
    set_name(trade->instrument, reading->table, text(from, "symbol"), reading->args);
    copy(trade->trade_id, sizeof trade->trade_id, id);
    trade->price = dec(from, aggregate ? "p" : "price");
    trade->qty = dec(from, aggregate ? "q" : "qty");
    trade->ts_ms = integer(from, aggregate ? "T" : "time");
    /* The buyer was the maker, so the taker sold. */
    trade->aggressor = flag(from, aggregate ? "m" : "isBuyerMaker", false) ? SIDE_SELL : SIDE_BUY;
    return flt_dec_ok(trade->price) && flt_dec_ok(trade->qty);
}

static bool read_levels(struct json_object *from, struct list *out)
{
    if (!json_object_is_type(from, json_type_array))
        return false;
    for (size_t i = 0; i < json_object_array_length(from); i++) {
        struct json_object *pair = json_object_array_get_idx(from, i);
        struct level *level = list_add(out, sizeof *level);

        if (!level || !json_object_is_type(pair, json_type_array) ||
            json_object_array_length(pair) < 2)
            return false;
        level->price = dec_of(json_object_array_get_idx(pair, 0));
        level->qty = dec_of(json_object_array_get_idx(pair, 1));
        if (!flt_dec_ok(level->price) || !flt_dec_ok(level->qty))
            return false;
    }
    return true;
}

static bool read_book(const struct reading *reading, struct json_object *from)
{
    struct result *out = reading->out;

    if (!read_levels(flt_json_get(from, "bids"), &out->bids) ||
        !read_levels(flt_json_get(from, "asks"), &out->asks))
        return false;
    set_name(out->book.instrument, reading->table, text(from, "symbol"), reading->args);
    out->book.bids = out->bids.items;
    out->book.bid_count = out->bids.count;
    out->book.asks = out->asks.items;
    out->book.ask_count = out->asks.count;
    out->book.sequence = integer(from, "lastUpdateId");
    return true;
}

static bool read_time(const struct reading *reading, struct json_object *from)
{
    reading->out->server_time_ms = integer(from, "serverTime");
    return reading->out->server_time_ms > 0;
}

/* --- instruments --- */

static struct json_object *filter(struct json_object *symbol, const char *type)
{
    struct json_object *filters = flt_json_get(symbol, "filters");

    if (!json_object_is_type(filters, json_type_array))
        return NULL;
    for (size_t i = 0; i < json_object_array_length(filters); i++) {
        struct json_object *item = json_object_array_get_idx(filters, i);
        const char *name = text(item, "filterType");

        if (name && strcmp(name, type) == 0)
            return item;
    }
    return NULL;
}

static struct flt_dec limit_of(struct json_object *symbol, const char *type, const char *key)
{
    struct json_object *found = filter(symbol, type);
    const struct flt_dec value = found ? dec(found, key) : FLT_DEC_BAD;

    return flt_dec_ok(value) ? value : FLT_DEC_ZERO;
}

/* A filter may be off (step 0): then the asset's precision is the grid. */
static struct flt_dec step_of(struct json_object *symbol, const char *type, const char *key,
                              const char *precision)
{
    const struct flt_dec step = limit_of(symbol, type, key);
    const int64_t digits = flt_json_get(symbol, precision) ? integer(symbol, precision) : 8;

    if (!flt_dec_is_zero(step))
        return step;
    return (struct flt_dec){ 1, (int8_t)(digits < 0 || digits > 18 ? 8 : digits) };
}

bool binance_instrument(struct json_object *symbol, struct instrument *out)
{
    const char *base = text(symbol, "baseAsset"), *quote = text(symbol, "quoteAsset");
    const char *name = text(symbol, "symbol"), *status = text(symbol, "status");

    *out = (struct instrument){ .kind = INSTRUMENT_SPOT };
    if (!has(base) || !has(quote) || !has(name) || strlen(name) >= sizeof out->venue_symbol ||
        strlen(base) >= sizeof out->base || strlen(quote) >= sizeof out->quote ||
        snprintf(out->name, sizeof out->name, "%s-%s", base, quote) >= (int)sizeof out->name)
        return false;
    copy(out->venue_symbol, sizeof out->venue_symbol, name);
    copy(out->base, sizeof out->base, base);
    copy(out->quote, sizeof out->quote, quote);
    out->status =
        !status || strcmp(status, "TRADING") == 0 ? INSTRUMENT_TRADING : INSTRUMENT_HALTED;
    if (!flag(symbol, "isSpotTradingAllowed", true))
        out->status = INSTRUMENT_HALTED;
    out->tick = step_of(symbol, "PRICE_FILTER", "tickSize", "quotePrecision");
    out->lot = step_of(symbol, "LOT_SIZE", "stepSize", "baseAssetPrecision");
    out->price_min = limit_of(symbol, "PRICE_FILTER", "minPrice");
    out->price_max = limit_of(symbol, "PRICE_FILTER", "maxPrice");
    out->qty_min = limit_of(symbol, "LOT_SIZE", "minQty");
    out->qty_max = limit_of(symbol, "LOT_SIZE", "maxQty");
    out->notional_min =
        limit_of(symbol, filter(symbol, "NOTIONAL") ? "NOTIONAL" : "MIN_NOTIONAL", "minNotional");
    out->contract_size = flt_dec_from_int(1);
    out->fee_maker = out->fee_taker = flt_dec_parse("0.001"); /* the venue's entry level */
    return flt_dec_cmp(out->tick, FLT_DEC_ZERO) > 0 && flt_dec_cmp(out->lot, FLT_DEC_ZERO) > 0;
}

static bool read_instrument(const struct reading *reading, struct json_object *from)
{
    struct instrument instrument;

    if (!binance_instrument(from, &instrument))
        return true; /* one odd listing must not hide the others */
    struct instrument *slot = list_add(&reading->out->items, sizeof *slot);

    if (slot)
        *slot = instrument;
    return slot != NULL;
}

/* The limits of exchangeInfo, where they are of the kinds and intervals that we keep. */
static void read_limits(struct json_object *body, struct result *out)
{
    static const struct {
        const char *type, *interval;
        int64_t count;
        size_t index;
    } known[] = {
        { "REQUEST_WEIGHT", "MINUTE", 1, BINANCE_WEIGHT },
        { "ORDERS", "SECOND", 10, BINANCE_ORDERS_10S },
        { "ORDERS", "DAY", 1, BINANCE_ORDERS_DAY },
    };
    struct json_object *list = flt_json_get(body, "rateLimits");
    const size_t count =
        json_object_is_type(list, json_type_array) ? json_object_array_length(list) : 0;

    for (size_t i = 0; i < count; i++) {
        struct json_object *item = json_object_array_get_idx(list, i);
        const char *type = text(item, "rateLimitType"), *interval = text(item, "interval");
        const int64_t units = integer(item, "limit"), number = integer(item, "intervalNum");

        for (size_t k = 0; type && interval && k < FLT_COUNT(known); k++)
            if (strcmp(known[k].type, type) == 0 && strcmp(known[k].interval, interval) == 0 &&
                known[k].count == number && units > 0 && units < UINT32_MAX)
                out->limit_units[known[k].index] = (uint32_t)units;
    }
}

/* --- one row a kind of reply --- */

struct reply_row {
    enum result_kind kind;
    bool (*read)(const struct reading *reading, struct json_object *from);
    const char *inside; /* the items are an array under this key */
    bool single;
};

static const struct reply_row reply_rows[OP_COUNT] = {
    [OP_SERVER_TIME] = { RESULT_TIME, read_time, NULL, true },
    [OP_INSTRUMENTS] = { RESULT_INSTRUMENTS, read_instrument, "symbols", false },
    [OP_TICKER] = { RESULT_TICKERS, read_ticker, NULL, true },
    [OP_TICKERS] = { RESULT_TICKERS, read_ticker, NULL, false },
    [OP_LAST_PRICES] = { RESULT_TICKERS, read_ticker, NULL, false },
    [OP_BOOK_TICKER] = { RESULT_TICKERS, read_ticker, NULL, false },
    [OP_KLINES] = { RESULT_CANDLES, read_candle, NULL, false },
    [OP_DEPTH] = { RESULT_BOOK, read_book, NULL, true },
    [OP_PUBLIC_TRADES] = { RESULT_TRADES, read_trade, NULL, false },
    [OP_BALANCES] = { RESULT_BALANCES, read_balance, "balances", false },
    [OP_PLACE_ORDER] = { RESULT_ORDERS, read_order, NULL, true },
    [OP_AMEND_ORDER] = { RESULT_ORDERS, read_replaced, NULL, true },
    [OP_CANCEL] = { RESULT_ORDERS, read_order, NULL, true },
    [OP_CANCEL_ALL] = { RESULT_ORDERS, read_order, NULL, false },
    [OP_QUERY_ORDER] = { RESULT_ORDERS, read_order, NULL, true },
    [OP_OPEN_ORDERS] = { RESULT_ORDERS, read_order, NULL, false },
    [OP_CLOSED_ORDERS] = { RESULT_ORDERS, read_order, NULL, false },
    [OP_ALL_ORDERS] = { RESULT_ORDERS, read_order, NULL, false },
    [OP_MY_TRADES] = { RESULT_FILLS, read_fill, NULL, false },
    [OP_TRADING_FEE] = { RESULT_FEES, read_fee, NULL, true },
    [OP_KEY_RIGHTS] = { RESULT_RIGHTS, read_rights, NULL, true },
};

static bool read_all(const struct reading *reading, const struct reply_row *row,
                     struct json_object *body)
{
    struct json_object *items = row->inside && json_object_is_type(body, json_type_object)
                                    ? flt_json_get(body, row->inside)
                                    : body;

    if (!json_object_is_type(items, json_type_array)) {
        reading->out->single =
            row->single || reading->op == OP_BOOK_TICKER || reading->op == OP_TRADING_FEE;
        return !row->inside && json_object_is_type(items, json_type_object) &&
               row->read(reading, items);
    }
    const size_t count = json_object_array_length(items);

    for (size_t i = 0; i < count; i++) {
        struct json_object *item = json_object_array_get_idx(items, i);

        /* Rows are arrays for candles and objects for all else. */
        if (!json_object_is_type(item, row->kind == RESULT_CANDLES ? json_type_array
                                                                   : json_type_object) ||
            !row->read(reading, item))
            return false;
    }
    reading->out->single = row->single && count == 1;
    return true;
}

void binance_parse(const struct instruments *table, enum op op, const struct op_args *args,
                   const struct codec_reply *reply, struct result *out)
{
    const struct reply_row *row = &reply_rows[op];
    struct json_object *body = flt_json_parse(reply->body, reply->size, NULL);
    const struct reading reading = { table, args, op, out };

    result_finish(out);
    if (!row->read) {
        out->failure.error = EXCHANGE_BAD_REQUEST;
        binance_words("not an operation of this venue", 30, &out->failure);
    } else if (!binance_failure(op, reply, body, out)) {
        out->kind = row->kind;
        if (op == OP_INSTRUMENTS)
            read_limits(body, out);
        if (!read_all(&reading, row, body)) {
            result_finish(out); /* half a reply is none; what was asked may have happened */
            out->failure.error = EXCHANGE_UNKNOWN_OUTCOME;
            out->failure.http_status = reply->http_status;
            binance_words("the reply lacks fields or has bad numbers", 41, &out->failure);
        }
    }
    json_object_put(body);
}
