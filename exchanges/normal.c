#include "exchanges/normal.h"
#include <string.h>

static void put_dec(struct flt_buf *out, const char *key, struct flt_dec value)
{
    if (flt_dec_ok(value))
        flt_jw_dec(out, key, value);
    else
        flt_jw_null(out, key);
}

static void put_amt(struct flt_buf *out, const char *key, struct flt_amt value)
{
    if (flt_amt_ok(value))
        flt_jw_amt(out, key, value);
    else
        flt_jw_null(out, key);
}

static void put_text(struct flt_buf *out, const char *key, const char *value)
{
    flt_jw_str(out, key, *value ? value : NULL);
}

static void put_time(struct flt_buf *out, const char *key, int64_t ts_ms)
{
    if (ts_ms > 0)
        flt_jw_int(out, key, ts_ms);
    else
        flt_jw_null(out, key);
}

static const char *const kinds[] = { [INSTRUMENT_SPOT] = "spot", [INSTRUMENT_PERP] = "perp" };
static const char *const statuses[] = { [INSTRUMENT_TRADING] = "trading",
                                        [INSTRUMENT_HALTED] = "halted",
                                        [INSTRUMENT_DELISTED] = "delisted" };

void normal_instrument(struct flt_buf *out, const char *key, const struct instrument *instrument)
{
    flt_jw_begin(out, key, '{');
    flt_jw_str(out, "name", instrument->name);
    flt_jw_str(out, "venue_symbol", instrument->venue_symbol);
    flt_jw_str(out, "kind", kinds[instrument->kind]);
    flt_jw_str(out, "base", instrument->base);
    flt_jw_str(out, "quote", instrument->quote);
    put_dec(out, "tick", instrument->tick);
    put_dec(out, "lot", instrument->lot);
    put_dec(out, "qty_min", instrument->qty_min);
    put_dec(out, "qty_max", instrument->qty_max);
    put_dec(out, "price_min", instrument->price_min);
    put_dec(out, "price_max", instrument->price_max);
    put_dec(out, "notional_min", instrument->notional_min);
    put_dec(out, "contract_size", instrument->contract_size);
    put_dec(out, "fee_maker", instrument->fee_maker);
    put_dec(out, "fee_taker", instrument->fee_taker);
    flt_jw_str(out, "status", statuses[instrument->status]);
    flt_jw_end(out, '}');
}

static void order_fields(struct flt_buf *out, const struct order *order)
{
    put_text(out, "instrument", order->instrument);
    put_text(out, "order_id", order->order_id);
    put_text(out, "client_order_id", order->client_order_id);
    flt_jw_str(out, "side", side_name(order->side));
    flt_jw_str(out, "type", order_type_name(order->type));
    flt_jw_str(out, "tif", tif_name(order->tif));
    flt_jw_bool(out, "post_only", order->post_only);
    flt_jw_bool(out, "reduce_only", order->reduce_only);
    put_dec(out, "price", order->price);
    put_dec(out, "qty", order->qty);
    put_dec(out, "filled_qty", order->filled_qty);
    put_dec(out, "average_price", order->average_price);
    flt_jw_str(out, "status", order_status_name(order->status));
    put_time(out, "ts_ms", order->ts_ms);
}

void normal_order(struct flt_buf *out, const char *key, const struct order *order)
{
    flt_jw_begin(out, key, '{');
    order_fields(out, order);
    flt_jw_end(out, '}');
}

static void fill_fields(struct flt_buf *out, const struct fill *fill)
{
    put_text(out, "instrument", fill->instrument);
    put_text(out, "trade_id", fill->trade_id);
    put_text(out, "order_id", fill->order_id);
    put_text(out, "client_order_id", fill->client_order_id);
    flt_jw_str(out, "side", side_name(fill->side));
    put_dec(out, "price", fill->price);
    put_dec(out, "qty", fill->qty);
    put_amt(out, "fee", fill->fee);
    put_text(out, "fee_asset", fill->fee_asset);
    flt_jw_str(out, "liquidity",
               fill->liquidity == LIQUIDITY_UNKNOWN ? NULL : liquidity_name(fill->liquidity));
    put_time(out, "ts_ms", fill->ts_ms);
}

void normal_fill(struct flt_buf *out, const char *key, const struct fill *fill)
{
    flt_jw_begin(out, key, '{');
    fill_fields(out, fill);
    flt_jw_end(out, '}');
}

static void balance_fields(struct flt_buf *out, const struct balance *balance)
{
    flt_jw_str(out, "asset", balance->asset);
    put_amt(out, "free", balance->free);
    put_amt(out, "locked", balance->locked);
    put_amt(out, "total", flt_amt_add(balance->free, balance->locked));
}

void normal_balance(struct flt_buf *out, const char *key, const struct balance *balance)
{
    flt_jw_begin(out, key, '{');
    balance_fields(out, balance);
    flt_jw_end(out, '}');
}

void normal_failure(struct flt_buf *out, const char *key, const struct exchange_failure *failure)
{
    flt_jw_begin(out, key, '{');
    flt_jw_str(out, "class", exchange_error_name(failure->error));
    if (failure->venue_code)
        flt_jw_int(out, "code", failure->venue_code);
    else
        flt_jw_null(out, "code");
    put_time(out, "http_status", failure->http_status);
    flt_jw_str(out, "message", failure->message);
    put_time(out, "retry_after_ms", failure->retry_after_ms);
    flt_jw_end(out, '}');
}

static void candle_fields(struct flt_buf *out, const struct candle *candle)
{
    put_time(out, "ts_ms", candle->ts_ms);
    put_dec(out, "open", candle->open);
    put_dec(out, "high", candle->high);
    put_dec(out, "low", candle->low);
    put_dec(out, "close", candle->close);
    put_amt(out, "volume", candle->volume);
}

static void ticker_fields(struct flt_buf *out, const struct ticker *ticker)
{
    put_dec(out, "bid", ticker->bid);
    put_dec(out, "bid_qty", ticker->bid_qty);
    put_dec(out, "ask", ticker->ask);
    put_dec(out, "ask_qty", ticker->ask_qty);
    put_dec(out, "last", ticker->last);
    put_time(out, "ts_ms", ticker->ts_ms);
}

static void levels(struct flt_buf *out, const char *key, const struct level *items, size_t count)
{
    flt_jw_begin(out, key, '[');
    for (size_t i = 0; i < count; i++) {
        flt_jw_begin(out, NULL, '[');
        put_dec(out, NULL, items[i].price);
        put_dec(out, NULL, items[i].qty);
        flt_jw_end(out, ']');
    }
    flt_jw_end(out, ']');
}

static void book_fields(struct flt_buf *out, const struct book *book)
{
    levels(out, "bids", book->bids, book->bid_count);
    levels(out, "asks", book->asks, book->ask_count);
    flt_jw_int(out, "sequence", book->sequence);
    put_time(out, "ts_ms", book->ts_ms);
}

static void trade_fields(struct flt_buf *out, const struct market_trade *trade)
{
    put_text(out, "trade_id", trade->trade_id);
    put_dec(out, "price", trade->price);
    put_dec(out, "qty", trade->qty);
    flt_jw_str(out, "aggressor", side_name(trade->aggressor));
    put_time(out, "ts_ms", trade->ts_ms);
}

static void put_item(struct flt_buf *out, const struct result *result, size_t i)
{
    flt_jw_begin(out, NULL, '{');
    if (result->kind == RESULT_TICKERS) {
        put_text(out, "instrument", RESULT_ITEMS(result, struct ticker)[i].instrument);
        ticker_fields(out, &RESULT_ITEMS(result, struct ticker)[i]);
    } else if (result->kind == RESULT_TRADES) {
        put_text(out, "instrument", RESULT_ITEMS(result, struct market_trade)[i].instrument);
        trade_fields(out, &RESULT_ITEMS(result, struct market_trade)[i]);
    } else if (result->kind == RESULT_CANDLES) {
        candle_fields(out, &RESULT_ITEMS(result, struct candle)[i]);
    } else if (result->kind == RESULT_ORDERS) {
        order_fields(out, &RESULT_ITEMS(result, struct order)[i]);
    } else if (result->kind == RESULT_FILLS) {
        fill_fields(out, &RESULT_ITEMS(result, struct fill)[i]);
    } else if (result->kind == RESULT_BALANCES) {
        balance_fields(out, &RESULT_ITEMS(result, struct balance)[i]);
    } else if (result->kind == RESULT_FEES) {
        put_text(out, "instrument", RESULT_ITEMS(result, struct fee_rate)[i].instrument);
        put_dec(out, "maker", RESULT_ITEMS(result, struct fee_rate)[i].maker);
        put_dec(out, "taker", RESULT_ITEMS(result, struct fee_rate)[i].taker);
    } else if (result->kind == RESULT_RIGHTS) {
        flt_jw_bool(out, "trade", RESULT_ITEMS(result, struct key_rights)[i].trade);
        flt_jw_bool(out, "withdraw", RESULT_ITEMS(result, struct key_rights)[i].withdraw);
        flt_jw_bool(out, "bound", RESULT_ITEMS(result, struct key_rights)[i].bound);
    }
    flt_jw_end(out, '}');
}

static void put_one(struct flt_buf *out, const struct result *result, size_t i)
{
    if (result->kind == RESULT_INSTRUMENTS)
        normal_instrument(out, NULL, &RESULT_ITEMS(result, struct instrument)[i]);
    else
        put_item(out, result, i);
}

static void put_failure(struct flt_buf *out, const struct result *result)
{
    flt_jw_begin(out, NULL, '{');
    normal_failure(out, "error", &result->failure);
    flt_jw_end(out, '}');
}

void normal_result(struct flt_buf *out, const struct result *result)
{
    if (result->failure.error != EXCHANGE_OK) {
        put_failure(out, result);
    } else if (result->kind == RESULT_TIME) {
        flt_jw_begin(out, NULL, '{');
        flt_jw_int(out, "ts_ms", result->server_time_ms);
        flt_jw_end(out, '}');
    } else if (result->kind == RESULT_BOOK) {
        flt_jw_begin(out, NULL, '{');
        put_text(out, "instrument", result->book.instrument);
        book_fields(out, &result->book);
        flt_jw_end(out, '}');
    } else if (result->single && result->items.count == 1) {
        put_one(out, result, 0);
    } else {
        flt_jw_begin(out, NULL, '[');
        for (size_t i = 0; i < result->items.count; i++)
            put_one(out, result, i);
        flt_jw_end(out, ']');
    }
}

static const char *const event_names[] = {
    [STREAM_TRADE] = "trade",    [STREAM_QUOTE] = "quote",     [STREAM_CANDLE] = "candle",
    [STREAM_TICKER] = "ticker",  [STREAM_BOOK] = "book",       [STREAM_BOOK_DELTA] = "book_delta",
    [STREAM_ORDER] = "order",    [STREAM_FILL] = "fill",       [STREAM_BALANCE] = "balance",
    [STREAM_ACK] = "ack",        [STREAM_ERROR] = "error",     [STREAM_SHUTDOWN] = "shutdown",
    [STREAM_END] = "stream_end", [STREAM_IGNORED] = "ignored", [STREAM_UNKNOWN] = "unknown",
};

static void event_instrument(struct flt_buf *out, const struct stream_event *event)
{
    if (event->instrument)
        flt_jw_str(out, "instrument", event->instrument->name);
    else if (event->symbol)
        flt_jw_str_n(out, "instrument", event->symbol, event->symbol_size);
    else
        flt_jw_null(out, "instrument");
}

static void market_event(struct flt_buf *out, const struct stream_event *event)
{
    event_instrument(out, event);
    if (event->kind == STREAM_TRADE) {
        trade_fields(out, &event->trade);
    } else if (event->kind == STREAM_QUOTE || event->kind == STREAM_TICKER) {
        ticker_fields(out, &event->ticker);
    } else if (event->kind == STREAM_CANDLE) {
        flt_jw_str(out, "interval", event->bar.interval);
        candle_fields(out, &event->bar.candle);
        flt_jw_bool(out, "closed", event->bar.closed);
    } else {
        if (event->kind == STREAM_BOOK_DELTA)
            flt_jw_int(out, "first_sequence", event->book.first_sequence);
        book_fields(out, &event->book);
    }
}

void normal_event(struct flt_buf *out, const struct stream_event *event)
{
    flt_jw_begin(out, NULL, '{');
    flt_jw_str(out, "event", event_names[event->kind]);
    if (event->kind <= STREAM_BOOK_DELTA) {
        market_event(out, event);
    } else if (event->kind == STREAM_ORDER) {
        order_fields(out, &event->order);
    } else if (event->kind == STREAM_FILL) {
        fill_fields(out, &event->fill);
    } else if (event->kind == STREAM_BALANCE) {
        balance_fields(out, &event->balance);
        put_time(out, "ts_ms", event->ts_ms);
    } else if (event->kind == STREAM_ERROR) {
        flt_jw_int(out, "id", event->id);
        normal_failure(out, "error", &event->failure);
    } else if (event->kind == STREAM_ACK) {
        flt_jw_int(out, "id", event->id);
    } else if (event->kind == STREAM_UNKNOWN) {
        flt_jw_str(out, "reason", event->text);
    }
    flt_jw_end(out, '}');
}
