/* Stream frames of Binance spot (web-socket-streams.md, user-data-stream.md, 2026-07-17).
 *
 * Nearly every key is one letter, so a frame is read in one pass into a table by letter. */
#define FLT_MOD "binance"
#include "exchanges/binance/binance.h"
#include "exchanges/scan.h"
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LETTERS ('z' - 'A' + 1)
#define NESTING_MAX 3 /* of what wraps an event */

struct frame {
    struct span letter[LETTERS];
    struct span stream, data, event, result, error, id, sequence, bids, asks, code, msg;
    bool has_result;
};

struct reader {
    const struct instruments *table;
    struct stream_scratch *scratch;
    stream_event_fn *emit;
    void *ctx;
};

static struct span at(const struct frame *frame, char letter)
{
    return frame->letter[letter - 'A'];
}

static void keep_word(struct frame *frame, struct span key, struct span value)
{
    const struct {
        const char *name;
        struct span *slot;
    } words[] = {
        { "stream", &frame->stream }, { "data", &frame->data },
        { "event", &frame->event },   { "error", &frame->error },
        { "id", &frame->id },         { "lastUpdateId", &frame->sequence },
        { "bids", &frame->bids },     { "asks", &frame->asks },
        { "code", &frame->code },     { "msg", &frame->msg },
    };

    if (span_is(key, "result"))
        frame->has_result = true;
    for (size_t i = 0; i < FLT_COUNT(words); i++)
        if (span_is(key, words[i].name))
            *words[i].slot = value;
}

/* Nulls are left out. False: not an object, or broken. */
static bool read_frame(const char *data, size_t size, struct frame *frame)
{
    struct scan scan = scan_object(data, size);
    struct span key, value;

    memset(frame, 0, sizeof *frame);
    while (scan_member(&scan, &key, &value)) {
        if (!value.is_string && value.size == 4 && memcmp(value.text, "null", 4) == 0)
            value = (struct span){ 0 };
        if (key.size == 1 && key.text[0] >= 'A' && key.text[0] <= 'z')
            frame->letter[key.text[0] - 'A'] = value;
        else
            keep_word(frame, key, value);
    }
    return !scan.failed;
}

static struct stream_event *begin(struct reader *reader, enum stream_kind kind)
{
    struct stream_event *event = &reader->scratch->event;

    memset(event, 0, sizeof *event);
    event->kind = kind;
    return event;
}

static void begin_symbol(struct reader *reader, struct stream_event *event, struct span symbol)
{
    event->symbol = symbol.text;
    event->symbol_size = symbol.size;
    event->instrument =
        symbol.text ? instruments_by_symbol(reader->table, symbol.text, symbol.size) : NULL;
}

static void unknown(struct reader *reader, const char *why)
{
    begin(reader, STREAM_UNKNOWN)->text = why;
    reader->emit(reader->ctx, &reader->scratch->event);
}

static void done(struct reader *reader, bool good)
{
    if (good)
        reader->emit(reader->ctx, &reader->scratch->event);
    else
        unknown(reader, "a field is missing or not a number");
}

static int64_t time_at(const struct frame *frame, char letter)
{
    int64_t ts_ms = 0;

    return span_int(at(frame, letter), &ts_ms) ? ts_ms : 0;
}

/* trade and aggTrade; `m`: the buyer was the maker, so the taker sold. */
static void on_trade(struct reader *reader, const struct frame *frame, bool aggregate)
{
    struct stream_event *event = begin(reader, STREAM_TRADE);
    struct market_trade *trade = &event->trade;

    begin_symbol(reader, event, at(frame, 's'));
    event->ts_ms = trade->ts_ms = time_at(frame, 'T');
    trade->price = span_dec(at(frame, 'p'));
    trade->qty = span_dec(at(frame, 'q'));
    trade->aggressor = span_bool(at(frame, 'm')) ? SIDE_SELL : SIDE_BUY;
    const bool id_ok =
        span_copy(at(frame, aggregate ? 'a' : 't'), trade->trade_id, sizeof trade->trade_id);

    done(reader, id_ok && flt_dec_ok(trade->price) && flt_dec_ok(trade->qty));
}

static void on_quote(struct reader *reader, const struct frame *frame)
{
    struct stream_event *event = begin(reader, STREAM_QUOTE);
    struct ticker *ticker = &event->ticker;

    begin_symbol(reader, event, at(frame, 's'));
    if (!span_int(at(frame, 'u'), &event->sequence))
        event->sequence = 0;
    event->ts_ms = ticker->ts_ms = time_at(frame, 'E');
    ticker->bid = span_dec(at(frame, 'b'));
    ticker->bid_qty = span_dec(at(frame, 'B'));
    ticker->ask = span_dec(at(frame, 'a'));
    ticker->ask_qty = span_dec(at(frame, 'A'));
    ticker->last = FLT_DEC_BAD;
    done(reader, flt_dec_ok(ticker->bid) && flt_dec_ok(ticker->bid_qty) &&
                     flt_dec_ok(ticker->ask) && flt_dec_ok(ticker->ask_qty));
}

static void on_ticker(struct reader *reader, const struct frame *frame)
{
    struct stream_event *event = begin(reader, STREAM_TICKER);
    struct ticker *ticker = &event->ticker;

    begin_symbol(reader, event, at(frame, 's'));
    event->ts_ms = ticker->ts_ms = time_at(frame, 'E');
    ticker->last = span_dec(at(frame, 'c'));
    ticker->bid = span_dec(at(frame, 'b')); /* a miniTicker has none of the four */
    ticker->bid_qty = span_dec(at(frame, 'B'));
    ticker->ask = span_dec(at(frame, 'a'));
    ticker->ask_qty = span_dec(at(frame, 'A'));
    done(reader, flt_dec_ok(ticker->last));
}

static void on_kline(struct reader *reader, const struct frame *frame)
{
    struct stream_event *event = begin(reader, STREAM_CANDLE);
    struct candle *candle = &event->bar.candle;
    const struct span body = at(frame, 'k');
    struct frame kline;

    begin_symbol(reader, event, at(frame, 's'));
    event->ts_ms = time_at(frame, 'E');
    if (!body.text || !read_frame(body.text, body.size, &kline)) {
        unknown(reader, "a kline without its candle");
        return;
    }
    candle->ts_ms = time_at(&kline, 't');
    candle->open = span_dec(at(&kline, 'o'));
    candle->high = span_dec(at(&kline, 'h'));
    candle->low = span_dec(at(&kline, 'l'));
    candle->close = span_dec(at(&kline, 'c'));
    candle->volume = span_amt(at(&kline, 'v'));
    event->bar.closed = span_bool(at(&kline, 'x'));
    done(reader, span_copy(at(&kline, 'i'), event->bar.interval, sizeof event->bar.interval) &&
                     flt_dec_ok(candle->open) && flt_dec_ok(candle->high) &&
                     flt_dec_ok(candle->low) && flt_dec_ok(candle->close) &&
                     flt_amt_ok(candle->volume));
}

static bool read_levels(struct span from, struct list *out)
{
    struct scan rows = scan_array(from.text ? from.text : "", from.size);
    struct span row, price, qty;

    out->count = 0;
    while (scan_item(&rows, &row)) {
        struct scan pair = scan_array(row.text, row.size);
        struct level *level = list_add(out, sizeof *level);

        if (!level || !scan_item(&pair, &price) || !scan_item(&pair, &qty))
            return false;
        level->price = span_dec(price);
        level->qty = span_dec(qty);
        if (!flt_dec_ok(level->price) || !flt_dec_ok(level->qty))
            return false;
    }
    return !rows.failed;
}

static void book_done(struct reader *reader, struct stream_event *event, struct span bids,
                      struct span asks)
{
    struct stream_scratch *scratch = reader->scratch;
    const bool good = read_levels(bids, &scratch->bids) && read_levels(asks, &scratch->asks);

    event->book.bids = scratch->bids.items;
    event->book.bid_count = scratch->bids.count;
    event->book.asks = scratch->asks.items;
    event->book.ask_count = scratch->asks.count;
    done(reader, good && event->book.sequence > 0);
}

static void on_depth_update(struct reader *reader, const struct frame *frame)
{
    struct stream_event *event = begin(reader, STREAM_BOOK_DELTA);

    begin_symbol(reader, event, at(frame, 's'));
    event->ts_ms = event->book.ts_ms = time_at(frame, 'E');
    event->book.first_sequence = time_at(frame, 'U');
    event->book.sequence = time_at(frame, 'u');
    book_done(reader, event, at(frame, 'b'), at(frame, 'a'));
}

/* A partial book says its symbol in the stream's name only: "btcusdt@depth20@100ms". */
static void on_partial_book(struct reader *reader, const struct frame *frame, struct span stream)
{
    struct stream_event *event = begin(reader, STREAM_BOOK);
    char symbol[INSTRUMENT_NAME_MAX] = "";
    const char *end = stream.text ? memchr(stream.text, '@', stream.size) : NULL;
    const size_t size = end ? (size_t)(end - stream.text) : 0;

    if (size > 0 && size < sizeof symbol) {
        for (size_t i = 0; i < size; i++)
            symbol[i] = stream.text[i] >= 'a' && stream.text[i] <= 'z'
                            ? (char)(stream.text[i] - 'a' + 'A')
                            : stream.text[i];
        event->instrument = instruments_by_symbol(reader->table, symbol, size);
        event->symbol = stream.text;
        event->symbol_size = size;
    }
    if (!span_int(frame->sequence, &event->book.sequence))
        event->book.sequence = 0;
    book_done(reader, event, frame->bids, frame->asks);
}

static void name_instrument(const struct stream_event *event, char out[INSTRUMENT_NAME_MAX])
{
    const struct span symbol = { event->symbol, event->symbol_size, true };

    if (event->instrument)
        memcpy(out, event->instrument->name, INSTRUMENT_NAME_MAX);
    else
        span_copy(symbol, out, INSTRUMENT_NAME_MAX);
}

/* After a cancel `c` is the cancel's own id and `C` the order's. */
static void order_ids(const struct frame *frame, char *order_id, char *client_order_id)
{
    const struct span original = at(frame, 'C');

    span_copy(at(frame, 'i'), order_id, ORDER_ID_MAX);
    span_copy(original.size > 0 ? original : at(frame, 'c'), client_order_id, FLT_COID_MAX);
}

static void on_fill(struct reader *reader, const struct frame *frame)
{
    struct stream_event *event = begin(reader, STREAM_FILL);
    struct fill *fill = &event->fill;

    begin_symbol(reader, event, at(frame, 's'));
    name_instrument(event, fill->instrument);
    order_ids(frame, fill->order_id, fill->client_order_id);
    const bool id_ok = span_copy(at(frame, 't'), fill->trade_id, sizeof fill->trade_id);

    fill->side = span_is(at(frame, 'S'), "SELL") ? SIDE_SELL : SIDE_BUY;
    fill->price = span_dec(at(frame, 'L'));
    fill->qty = span_dec(at(frame, 'l'));
    fill->fee = at(frame, 'n').text ? span_amt(at(frame, 'n')) : FLT_AMT_ZERO;
    span_copy(at(frame, 'N'), fill->fee_asset, sizeof fill->fee_asset);
    fill->liquidity = span_bool(at(frame, 'm')) ? LIQUIDITY_MAKER : LIQUIDITY_TAKER;
    event->ts_ms = fill->ts_ms = time_at(frame, 'T');
    done(reader, id_ok && fill->order_id[0] && flt_dec_ok(fill->price) && flt_dec_ok(fill->qty) &&
                     flt_amt_ok(fill->fee));
}

static void on_order(struct reader *reader, const struct frame *frame)
{
    struct stream_event *event = begin(reader, STREAM_ORDER);
    struct order *order = &event->order;
    char word[24];

    begin_symbol(reader, event, at(frame, 's'));
    name_instrument(event, order->instrument);
    order_ids(frame, order->order_id, order->client_order_id);
    order->side = span_is(at(frame, 'S'), "SELL") ? SIDE_SELL : SIDE_BUY;
    order->type = span_is(at(frame, 'o'), "MARKET") ? ORDER_MARKET : ORDER_LIMIT;
    order->post_only = span_is(at(frame, 'o'), "LIMIT_MAKER");
    span_copy(at(frame, 'f'), word, sizeof word);
    order->tif = binance_tif(word);
    span_copy(at(frame, 'X'), word, sizeof word);
    order->status = binance_status(word);
    order->price = span_dec(at(frame, 'p'));
    order->qty = span_dec(at(frame, 'q'));
    order->filled_qty = span_dec(at(frame, 'z'));
    order->average_price = binance_average(span_amt(at(frame, 'Z')), order->filled_qty);
    event->ts_ms = order->ts_ms = time_at(frame, 'T');
    done(reader, word[0] && order->order_id[0] && flt_dec_ok(order->price) &&
                     flt_dec_ok(order->qty) && flt_dec_ok(order->filled_qty));
}

static void on_balances(struct reader *reader, const struct frame *frame)
{
    const struct span list = at(frame, 'B');
    struct scan scan = scan_array(list.text ? list.text : "", list.size);
    struct span item;
    struct frame asset;

    while (scan_item(&scan, &item)) {
        struct stream_event *event = begin(reader, STREAM_BALANCE);

        if (!read_frame(item.text, item.size, &asset)) {
            unknown(reader, "a balance that is not an object");
            return;
        }
        event->ts_ms = time_at(frame, 'u');
        event->balance.free = span_amt(at(&asset, 'f'));
        event->balance.locked = span_amt(at(&asset, 'l'));
        done(reader, span_copy(at(&asset, 'a'), event->balance.asset, ASSET_MAX) &&
                         flt_amt_ok(event->balance.free) && flt_amt_ok(event->balance.locked));
    }
    if (scan.failed)
        unknown(reader, "balances that are not a list");
}

static void simple(struct reader *reader, enum stream_kind kind)
{
    begin(reader, kind);
    done(reader, true);
}

static void on_typed(struct reader *reader, const struct frame *frame)
{
    const struct span type = at(frame, 'e');

    if (span_is(type, "trade")) {
        on_trade(reader, frame, false);
    } else if (span_is(type, "bookTicker")) {
        on_quote(reader, frame);
    } else if (span_is(type, "kline")) {
        on_kline(reader, frame);
    } else if (span_is(type, "executionReport")) {
        if (span_is(at(frame, 'x'), "TRADE"))
            on_fill(reader, frame); /* before the order: its sum then has its parts */
        on_order(reader, frame);
    } else if (span_is(type, "aggTrade")) {
        on_trade(reader, frame, true);
    } else if (span_is(type, "depthUpdate")) {
        on_depth_update(reader, frame);
    } else if (span_is(type, "24hrTicker") || span_is(type, "24hrMiniTicker")) {
        on_ticker(reader, frame);
    } else if (span_is(type, "outboundAccountPosition")) {
        on_balances(reader, frame);
    } else if (span_is(type, "serverShutdown")) {
        simple(reader, STREAM_SHUTDOWN);
    } else if (span_is(type, "eventStreamTerminated")) {
        simple(reader, STREAM_END);
    } else {
        simple(reader, STREAM_IGNORED);
    }
}

static void on_answer(struct reader *reader, const struct frame *frame)
{
    const struct span nested = frame->error;
    struct span code = frame->code, msg = frame->msg;
    struct frame error;
    int64_t id = 0, number = 0;

    (void)span_int(frame->id, &id);
    if (nested.text && read_frame(nested.text, nested.size, &error)) {
        code = error.code;
        msg = error.msg;
    }
    struct stream_event *event = begin(reader, code.text ? STREAM_ERROR : STREAM_ACK);

    event->id = id;
    if (span_int(code, &number)) {
        binance_words(msg.text ? msg.text : "", msg.size, &event->failure);
        event->failure.venue_code = number;
        event->failure.error = binance_error_class(400, number, event->failure.message);
    }
    done(reader, true);
}

static void on_any(struct reader *reader, const char *data, size_t size, struct span stream,
                   int depth);

static void on_object(struct reader *reader, const char *data, size_t size, struct span stream,
                      int depth)
{
    struct frame frame;

    if (!read_frame(data, size, &frame)) {
        unknown(reader, "not a JSON object");
        return;
    }
    const struct span inner = frame.data.text ? frame.data : frame.event;

    if (at(&frame, 'e').text)
        on_typed(reader, &frame);
    else if (inner.text && !inner.is_string && depth < NESTING_MAX)
        on_any(reader, inner.text, inner.size, frame.stream.text ? frame.stream : stream,
               depth + 1);
    else if (at(&frame, 's').text && at(&frame, 'b').text && at(&frame, 'a').text)
        on_quote(reader, &frame); /* bookTicker has no type */
    else if (frame.sequence.text && frame.bids.text)
        on_partial_book(reader, &frame, stream);
    else if (frame.has_result || frame.error.text || frame.code.text)
        on_answer(reader, &frame);
    else
        unknown(reader, "no event that is known");
}

/* Streams of all symbols send lists. */
static void on_any(struct reader *reader, const char *data, size_t size, struct span stream,
                   int depth)
{
    struct scan list = scan_array(data, size);
    struct span item;

    if (list.failed) {
        on_object(reader, data, size, stream, depth);
        return;
    }
    while (scan_item(&list, &item))
        on_object(reader, item.text, item.size, stream, depth + 1);
    if (list.failed)
        unknown(reader, "a list that is cut");
}

void binance_frame(const struct instruments *table, const char *data, size_t size,
                   struct stream_scratch *scratch, stream_event_fn *emit, void *ctx)
{
    struct reader reader = { table, scratch, emit, ctx };

    on_any(&reader, data, size, (struct span){ 0 }, 0);
}

/* --- what we send --- */

/* The name of a channel: the symbol in lower case (ASCII; other letters have no case here). */
static int channel_name(const struct stream_channel *channel, char *out, size_t size)
{
    char symbol[INSTRUMENT_NAME_MAX];
    const char *suffix = NULL;
    size_t i = 0;

    for (const char *c = channel->instrument->venue_symbol; *c; c++)
        symbol[i++] = *c >= 'A' && *c <= 'Z' ? (char)(*c - 'A' + 'a') : *c;
    symbol[i] = '\0';
    switch (channel->feed) {
    case FEED_QUOTE:
        suffix = "bookTicker";
        break;
    case FEED_TRADE:
        suffix = "trade";
        break;
    case FEED_BAR_1M:
        suffix = "kline_1m";
        break;
    case FEED_BOOK:
        suffix = "depth@100ms";
        break;
    }
    return suffix && snprintf(out, size, "%s@%s", symbol, suffix) < (int)size ? 0 : -EINVAL;
}

int binance_subscribe(bool on, const struct stream_channel *channels, size_t count, int64_t id,
                      struct flt_buf *out)
{
    char name[INSTRUMENT_NAME_MAX + 16];

    flt_buf_reset(out);
    flt_jw_begin(out, NULL, '{');
    flt_jw_str(out, "method", on ? "SUBSCRIBE" : "UNSUBSCRIBE");
    flt_jw_begin(out, "params", '[');
    for (size_t i = 0; i < count; i++) {
        if (channel_name(&channels[i], name, sizeof name) != 0)
            return -EINVAL;
        flt_jw_str(out, NULL, name);
    }
    flt_jw_end(out, ']');
    flt_jw_int(out, "id", id);
    flt_jw_end(out, '}');
    return out->failed ? -ENOMEM : 0;
}

/* The account's stream is one signed request on the WebSocket API (listenKeys are gone since
 * 2026-02-20). Signed are the parameters sorted by name, not percent-encoded. */
int binance_login(const struct signer *signer, int64_t now_ms, unsigned step, struct flt_buf *out)
{
    char signature[SIGNATURE_SIZE];

    if (step > 0)
        return CODEC_LOGGED_IN;
    flt_buf_reset(out);
    flt_buf_printf(out, "apiKey=%s&timestamp=%" PRId64, signer_key(signer), now_ms);
    if (out->failed)
        return -ENOMEM;
    const int err = signer_sign(signer, out->data, out->length, SIGNATURE_HEX, signature);

    if (err != 0)
        return err;
    flt_buf_reset(out);
    flt_jw_begin(out, NULL, '{');
    flt_jw_str(out, "id", "u1");
    flt_jw_str(out, "method", "userDataStream.subscribe.signature");
    flt_jw_begin(out, "params", '{');
    flt_jw_str(out, "apiKey", signer_key(signer));
    flt_jw_int(out, "timestamp", now_ms);
    flt_jw_str(out, "signature", signature);
    flt_jw_end(out, '}');
    flt_jw_end(out, '}');
    return out->failed ? -ENOMEM : 0;
}

int binance_stream_url(const struct exchange_urls *urls, bool account, char *out, size_t size)
{
    const int length = account ? snprintf(out, size, "%s", urls->ws_api)
                               : snprintf(out, size, "%s/ws", urls->stream);

    return length > 0 && (size_t)length < size ? 0 : -EINVAL;
}
