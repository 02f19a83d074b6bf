/* Frames of a tape, to bytes and back. One walk over the members does both, so that what is written
 * is what is read: struct io has a buffer to write to, or bytes to read from. */
#define FLT_MOD "tape"
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "engine/tape.h"

#define FRAME_HEAD 8
#define OWNED_MAX 5

struct io {
    struct flt_buf *out; /* NULL: reading */
    const uint8_t *at, *end;
    bool bad;
};

enum { /* members of a frame, in the order they are written */
       M_NUMBERS = 1,
       M_NAME = 2,
       M_COID = 4,
       M_ORDER_ID = 8,
       M_TEXT = 16,
       M_QUOTE = 32,
       M_TRADE = 64,
       M_FAILURE = 128,
       M_INTENT = 256,
       M_BARS = 512,
       M_ORDERS = 1024,
       M_FILLS = 2048,
       M_INSTRUMENTS = 4096
};

static const struct {
    const char *name;
    unsigned members;
} kinds[TAPE_KIND_COUNT] = {
    [TAPE_HEADER] = { "create", M_TEXT | M_INSTRUMENTS },
    [TAPE_RESTORE] = { "restore", M_TEXT },
    [TAPE_RESTORE_INTENT] = { "restore_intent", M_INTENT },
    [TAPE_RESTORE_FILL] = { "restore_fill", M_FILLS },
    [TAPE_START] = { "start", 0 },
    [TAPE_HISTORY] = { "history", M_NUMBERS | M_BARS },
    [TAPE_QUOTE] = { "quote", M_NUMBERS | M_QUOTE },
    [TAPE_TRADE] = { "trade", M_NUMBERS | M_TRADE },
    [TAPE_BAR] = { "bar", M_NUMBERS | M_BARS },
    [TAPE_ORDER] = { "order", M_ORDERS },
    [TAPE_FILL] = { "fill", M_FILLS },
    [TAPE_PLACE_RESULT] = { "place_result", M_COID | M_FAILURE | M_ORDERS },
    [TAPE_CANCEL_RESULT] = { "cancel_result", M_COID | M_FAILURE },
    [TAPE_QUERY_RESULT] = { "query_result", M_COID | M_FAILURE | M_ORDERS },
    [TAPE_FILLS_RESULT] = { "fills_result", M_COID | M_FAILURE | M_FILLS },
    [TAPE_OPEN_ORDERS] = { "open_orders", M_NUMBERS | M_FAILURE | M_ORDERS },
    [TAPE_AUDIT] = { "audit", M_NUMBERS | M_ORDERS },
    [TAPE_SECOND] = { "second", 0 },
    [TAPE_LINK] = { "link", M_NUMBERS | M_TEXT },
    [TAPE_DESIRED] = { "desired", M_NUMBERS },
    [TAPE_HALT] = { "halt", M_NUMBERS | M_TEXT },
    [TAPE_LEASE] = { "lease", M_NUMBERS },
    [TAPE_STORAGE] = { "storage", M_NUMBERS },
    [TAPE_PARAMS] = { "params", M_TEXT },
    [TAPE_CANCEL] = { "cancel_order", M_COID },
    [TAPE_OUT_INTEND] = { "intend", M_INTENT },
    [TAPE_OUT_PLACE] = { "place", M_ORDERS },
    [TAPE_OUT_CANCEL] = { "cancel", M_NAME | M_COID },
    [TAPE_OUT_QUERY] = { "query", M_NAME | M_COID },
    [TAPE_OUT_FILLS] = { "fetch_fills", M_NAME | M_COID | M_ORDER_ID },
    [TAPE_OUT_OPEN] = { "ask_open_orders", M_NUMBERS },
    [TAPE_OUT_RECORD] = { "record", M_NUMBERS | M_COID | M_TEXT | M_FILLS },
    [TAPE_FINAL] = { "final_state", M_TEXT },
    [TAPE_END] = { "end", M_TEXT },
    [TAPE_DISTRUST] = { "distrust", 0 },
    [TAPE_SWEPT] = { "swept", M_NUMBERS },
    [TAPE_DRIFT] = { "drift", M_NUMBERS | M_TEXT },
    [TAPE_ADJUST] = { "adjust", M_NUMBERS | M_TEXT },
    [TAPE_FRESH_FILL] = { "fresh_fill", M_FILLS },
};

const char *tape_kind_name(enum tape_kind kind)
{
    return kinds[kind].name;
}

/* --- values
 * ------------------------------------------------------------------------------------------ */

static void io_bytes(struct io *io, void *data, size_t size)
{
    if (io->out) {
        flt_buf_append(io->out, data, size);
    } else if (io->bad || (size_t)(io->end - io->at) < size) {
        io->bad = true;
        memset(data, 0, size);
    } else {
        memcpy(data, io->at, size);
        io->at += size;
    }
}

/* Zigzag and 7 bits a byte: most numbers are small, and deltas are of either sign. */
static void io_int(struct io *io, int64_t *value)
{
    uint64_t rest = ((uint64_t)*value << 1) ^ (*value < 0 ? UINT64_MAX : 0);
    uint8_t bytes[10], byte = 0;
    size_t used = 0;
    unsigned shift = 0;

    if (io->out) {
        do {
            bytes[used] = (uint8_t)((rest & 127) | (rest > 127 ? 128 : 0));
            used++;
        } while ((rest >>= 7) > 0);
        flt_buf_append(io->out, bytes, used);
        return;
    }
    rest = 0;
    do {
        io_bytes(io, &byte, 1);
        if (shift > 63 || (shift == 63 && byte > 1))
            io->bad = true;
        else
            rest |= (uint64_t)(byte & 127) << shift;
        shift += 7;
    } while (!io->bad && (byte & 128));
    *value = (int64_t)(rest >> 1) ^ -(int64_t)(rest & 1);
}

static int64_t io_range(struct io *io, int64_t value, int64_t min, int64_t max)
{
    io_int(io, &value);
    if (!io->out && (value < min || value > max)) {
        io->bad = true;
        return min;
    }
    return value;
}

#define IO_ENUM(io, member, last)                                                                  \
    ((member) = (__typeof__(member))io_range(io, (int64_t)(member), 0, (int64_t)(last)))
#define IO_BOOL(io, member) ((member) = io_range(io, (member) ? 1 : 0, 0, 1) != 0)

static void io_text(struct io *io, char *text, size_t size)
{
    const size_t length =
        (size_t)io_range(io, io->out ? (int64_t)strnlen(text, size - 1) : 0, 0, (int64_t)size - 1);

    io_bytes(io, text, length);
    if (!io->out)
        memset(text + length, 0, size - length);
}

static void io_dec(struct io *io, struct flt_dec *value)
{
    io_int(io, &value->coef);
    value->scale = (int8_t)io_range(io, value->scale, -1, FLT_DEC_SCALE_MAX);
}

static void io_amt(struct io *io, struct flt_amt *value)
{
    io_bytes(io, &value->units, sizeof value->units);
}

/* --- the plain types
 * --------------------------------------------------------------------------------- */

static void io_quote(struct io *io, struct quote *quote)
{
    io_int(io, &quote->ts_ms);
    io_int(io, &quote->bid_ticks);
    io_int(io, &quote->ask_ticks);
    io_int(io, &quote->bid_lots);
    io_int(io, &quote->ask_lots);
}

static void io_trade(struct io *io, struct trade *trade)
{
    io_int(io, &trade->ts_ms);
    io_int(io, &trade->trade_id);
    io_int(io, &trade->price_ticks);
    io_int(io, &trade->qty_lots);
    IO_ENUM(io, trade->aggressor, SIDE_SELL);
}

static void io_failure(struct io *io, struct exchange_failure *failure)
{
    IO_ENUM(io, failure->error, EXCHANGE_ERROR_COUNT - 1);
    failure->http_status = (int)io_range(io, failure->http_status, INT32_MIN, INT32_MAX);
    io_int(io, &failure->venue_code);
    io_int(io, &failure->retry_after_ms);
    io_text(io, failure->message, sizeof failure->message);
}

static void io_intent(struct io *io, struct order_intent *intent)
{
    intent->id.owner = (uint64_t)io_range(io, (int64_t)intent->id.owner, 0, INT64_MAX);
    intent->id.epoch = (uint32_t)io_range(io, intent->id.epoch, 0, UINT32_MAX);
    intent->id.sequence = (uint32_t)io_range(io, intent->id.sequence, 0, UINT32_MAX);
    intent->id.key = (uint32_t)io_range(io, intent->id.key, 0, UINT32_MAX);
    intent->leg = (unsigned)io_range(io, intent->leg, 0, UINT32_MAX);
    IO_ENUM(io, intent->side, SIDE_SELL);
    IO_ENUM(io, intent->type, ORDER_MARKET);
    IO_ENUM(io, intent->tif, TIF_FOK);
    IO_BOOL(io, intent->post_only);
    IO_BOOL(io, intent->reduce_only);
    IO_BOOL(io, intent->exit);
    io_int(io, &intent->price_ticks);
    io_int(io, &intent->qty_lots);
    io_int(io, &intent->ts_ms);
}

static void io_bar(struct io *io, void *item)
{
    struct bar *bar = item;

    io_int(io, &bar->ts_ms);
    io_int(io, &bar->open_ticks);
    io_int(io, &bar->high_ticks);
    io_int(io, &bar->low_ticks);
    io_int(io, &bar->close_ticks);
    io_bytes(io, &bar->volume, sizeof bar->volume);
}

static void io_order(struct io *io, void *item)
{
    struct order *order = item;

    io_text(io, order->instrument, sizeof order->instrument);
    io_text(io, order->order_id, sizeof order->order_id);
    io_text(io, order->client_order_id, sizeof order->client_order_id);
    IO_ENUM(io, order->side, SIDE_SELL);
    IO_ENUM(io, order->type, ORDER_MARKET);
    IO_ENUM(io, order->tif, TIF_FOK);
    IO_BOOL(io, order->post_only);
    IO_BOOL(io, order->reduce_only);
    IO_ENUM(io, order->status, ORDER_STATUS_EXPIRED);
    io_dec(io, &order->price);
    io_dec(io, &order->qty);
    io_dec(io, &order->filled_qty);
    io_dec(io, &order->average_price);
    io_int(io, &order->ts_ms);
}

static void io_fill(struct io *io, void *item)
{
    struct fill *fill = item;

    io_text(io, fill->instrument, sizeof fill->instrument);
    io_text(io, fill->trade_id, sizeof fill->trade_id);
    io_text(io, fill->order_id, sizeof fill->order_id);
    io_text(io, fill->client_order_id, sizeof fill->client_order_id);
    IO_ENUM(io, fill->side, SIDE_SELL);
    io_dec(io, &fill->price);
    io_dec(io, &fill->qty);
    io_amt(io, &fill->fee);
    io_text(io, fill->fee_asset, sizeof fill->fee_asset);
    IO_ENUM(io, fill->liquidity, LIQUIDITY_TAKER);
    io_int(io, &fill->ts_ms);
}

static void io_instrument(struct io *io, void *item)
{
    struct instrument *i = item;
    struct flt_dec *const values[] = { &i->tick,         &i->lot,           &i->qty_min,
                                       &i->qty_max,      &i->price_min,     &i->price_max,
                                       &i->notional_min, &i->contract_size, &i->fee_maker,
                                       &i->fee_taker };

    io_text(io, i->name, sizeof i->name);
    io_text(io, i->venue_symbol, sizeof i->venue_symbol);
    IO_ENUM(io, i->kind, INSTRUMENT_PERP);
    IO_ENUM(io, i->status, INSTRUMENT_DELISTED);
    io_text(io, i->base, sizeof i->base);
    io_text(io, i->quote, sizeof i->quote);
    for (size_t k = 0; k < FLT_COUNT(values); k++) {
        io_dec(io, values[k]);
        if (!io->out && (values[k]->scale < 0 || values[k]->coef < (k < 2 ? 1 : 0)))
            io->bad = true;
    }
}

/* --- frames
 * ------------------------------------------------------------------------------------------ */

/* An array of `size` bytes each: from `*items`, or made and filled. An item takes a byte at least,
 * so that a count from outside cannot ask for more memory than a small multiple of the tape. */
static void io_array(struct io *io, const void **items, size_t *count, size_t size, void **owned,
                     void (*walk)(struct io *io, void *item))
{
    union {
        struct bar bar;
        struct order order;
        struct fill fill;
        struct instrument instrument;
    } copy;

    *count = (size_t)io_range(io, (int64_t)*count, 0, io->out ? INT64_MAX : io->end - io->at);
    if (!io->out && *count > 0) {
        *owned = calloc(*count, size);
        *items = *owned;
        io->bad = io->bad || !*owned;
    }
    for (size_t i = 0; !io->bad && i < *count; i++) {
        if (!io->out) {
            walk(io, (char *)*owned + i * size);
            continue;
        }
        memcpy(&copy, (const char *)*items + i * size, size);
        walk(io, &copy);
    }
    if (io->bad)
        *count = 0;
}

static void io_long_text(struct io *io, struct tape_frame *frame)
{
    const int64_t most = io->out ? (int64_t)TAPE_FRAME_MAX : io->end - io->at;
    const size_t length =
        (size_t)io_range(io, frame->text ? (int64_t)strlen(frame->text) : 0, 0, most);
    char *copy;

    if (io->out) {
        flt_buf_append(io->out, frame->text ? frame->text : "", length);
        return;
    }
    copy = io->bad ? NULL : malloc(length + 1);
    if (!copy) {
        io->bad = true;
        return;
    }
    io_bytes(io, copy, length);
    copy[length] = '\0';
    frame->owned[4] = copy;
    frame->text = copy;
}

#define IO_ARRAY(io, frame, member, count, slot, walk)                                             \
    do {                                                                                           \
        const void *items_ = (frame)->member;                                                      \
        io_array(io, &items_, &(frame)->count, sizeof *(frame)->member, &(frame)->owned[slot],     \
                 walk);                                                                            \
        (frame)->member = items_;                                                                  \
    } while (0)

static void io_body(struct io *io, struct tape_frame *frame)
{
    const unsigned members = kinds[frame->kind].members;

    for (size_t i = 0; (members & M_NUMBERS) && i < FLT_COUNT(frame->n); i++)
        io_int(io, &frame->n[i]);
    if (members & M_NAME)
        io_text(io, frame->name, sizeof frame->name);
    if (members & M_COID)
        io_text(io, frame->coid, sizeof frame->coid);
    if (members & M_ORDER_ID)
        io_text(io, frame->order_id, sizeof frame->order_id);
    if (members & M_TEXT)
        io_long_text(io, frame);
    if (members & M_QUOTE)
        io_quote(io, &frame->quote);
    if (members & M_TRADE)
        io_trade(io, &frame->trade);
    if (members & M_FAILURE)
        io_failure(io, &frame->failure);
    if (members & M_INTENT)
        io_intent(io, &frame->intent);
    if (members & M_BARS)
        IO_ARRAY(io, frame, bars, bar_count, 0, io_bar);
    if (members & M_ORDERS)
        IO_ARRAY(io, frame, orders, order_count, 1, io_order);
    if (members & M_FILLS)
        IO_ARRAY(io, frame, fills, fill_count, 2, io_fill);
    if (members & M_INSTRUMENTS)
        IO_ARRAY(io, frame, instruments, instrument_count, 3, io_instrument);
}

static void io_frame(struct io *io, struct tape_frame *frame)
{
    IO_ENUM(io, frame->kind, TAPE_KIND_COUNT - 1);
    if (tape_is_output(frame->kind)) {
        io_int(io, &frame->result);
    } else {
        io_int(io, &frame->wall_ms);
        io_int(io, &frame->mono_ns);
    }
    io_body(io, frame);
}

/* FNV-1a: each step can be undone, so no single changed byte goes unseen. */
static uint32_t check_of(uint64_t number, const void *data, size_t size)
{
    const uint8_t *byte = data;
    uint32_t hash = UINT32_C(2166136261);

    for (size_t i = 0; i < sizeof number; i++)
        hash = (hash ^ (uint8_t)(number >> (8 * i))) * UINT32_C(16777619);
    for (size_t i = 0; i < size; i++)
        hash = (hash ^ byte[i]) * UINT32_C(16777619);
    return hash;
}

static void put_u32(uint8_t *out, uint32_t value)
{
    for (int i = 0; i < 4; i++)
        out[i] = (uint8_t)(value >> (8 * i));
}

static uint32_t get_u32(const uint8_t *data)
{
    return data[0] | (uint32_t)data[1] << 8 | (uint32_t)data[2] << 16 | (uint32_t)data[3] << 24;
}

void tape_frame_write(struct flt_buf *buf, uint64_t number, const struct tape_frame *frame)
{
    struct tape_frame copy = *frame;
    struct io io = { .out = buf };
    const size_t start = buf->length;
    uint8_t head[FRAME_HEAD] = { 0 };

    flt_buf_append(buf, head, sizeof head);
    io_frame(&io, &copy);
    if (buf->failed)
        return;
    const size_t size = buf->length - start - FRAME_HEAD;
    put_u32(head, (uint32_t)size);
    put_u32(head + 4, check_of(number, buf->data + start + FRAME_HEAD, size));
    memcpy(buf->data + start, head, sizeof head);
    buf->failed = size > TAPE_FRAME_MAX;
}

void tape_frame_body(struct flt_buf *buf, const struct tape_frame *frame)
{
    struct tape_frame copy = *frame;
    struct io io = { .out = buf };

    IO_ENUM(&io, copy.kind, TAPE_KIND_COUNT - 1);
    io_body(&io, &copy);
}

void tape_frame_finish(struct tape_frame *frame)
{
    for (size_t i = 0; i < OWNED_MAX; i++)
        free(frame->owned[i]);
    *frame = (struct tape_frame){ 0 };
}

/* --- reading
 * ------------------------------------------------------------------------------------------ */

int tape_open(struct tape_reader *reader, const void *data, size_t size, struct flt_error *error)
{
    *reader = (struct tape_reader){ .data = data, .size = size, .at = TAPE_MAGIC_SIZE };
    if (size < TAPE_MAGIC_SIZE || memcmp(data, TAPE_MAGIC, TAPE_MAGIC_SIZE) != 0)
        return flt_error_set(error, FLT_INVALID_ARGUMENT, "file",
                             "flotilla bot parity BOT makes one", "it is not a recording of a bot");
    return 0;
}

bool tape_at_end(const struct tape_reader *reader)
{
    return reader->at == reader->size;
}

static int damaged(const struct tape_reader *reader, struct flt_error *error, const char *why)
{
    return flt_error_set(error, FLT_INVALID_ARGUMENT, "file", "record it again",
                         "the recording is damaged at byte %zu (frame %" PRIu64 "): %s", reader->at,
                         reader->number, why);
}

int tape_next(struct tape_reader *reader, struct tape_frame *out, struct flt_error *error)
{
    const size_t left = reader->size - reader->at;
    const uint8_t *head = reader->data + reader->at;
    struct io io = { 0 };

    if (left == 0)
        return flt_error_set(error, FLT_INVALID_ARGUMENT, "file",
                             "it is still being written, or its node was killed: record it again",
                             "the recording has no end");
    if (left < FRAME_HEAD || get_u32(head) > left - FRAME_HEAD)
        return flt_error_set(error, FLT_INVALID_ARGUMENT, "file",
                             "it is still being written, or its node was killed: record it again",
                             "the recording is cut off at byte %zu of frame %" PRIu64, reader->size,
                             reader->number);
    const size_t size = get_u32(head);
    if (size > TAPE_FRAME_MAX ||
        get_u32(head + 4) != check_of(reader->number, head + FRAME_HEAD, size))
        return damaged(reader, error, "its checksum is wrong");
    io.at = head + FRAME_HEAD;
    io.end = io.at + size;
    *out = (struct tape_frame){ .wall_ms = reader->wall_ms, .mono_ns = reader->mono_ns };
    io_frame(&io, out);
    if (io.bad || io.at != io.end) {
        tape_frame_finish(out);
        return damaged(reader, error, "it holds what this version does not know");
    }
    reader->wall_ms = out->wall_ms;
    reader->mono_ns = out->mono_ns;
    reader->at += FRAME_HEAD + size;
    reader->number++;
    return 0;
}

/* --- for people
 * --------------------------------------------------------------------------------------- */

static void describe_order(const struct order *order, char *out, size_t size)
{
    char price[FLT_DEC_TEXT_MAX], qty[FLT_DEC_TEXT_MAX];
    const bool priced = order->type != ORDER_MARKET;

    (void)snprintf(out, size, "place %s %s %s %s %s%s%s%s%s id=%s", side_name(order->side),
                   order_type_name(order->type), tif_name(order->tif),
                   flt_dec_ok(order->qty) ? flt_dec_format(order->qty, qty) : "bad",
                   order->instrument, priced ? " at " : "",
                   !priced                    ? ""
                   : flt_dec_ok(order->price) ? flt_dec_format(order->price, price)
                                              : "bad",
                   order->post_only ? " post-only" : "", order->reduce_only ? " reduce-only" : "",
                   order->client_order_id);
}

/* Of a fill the text holds "fill", the trade and the order's state without a space between. */
static void describe_record(const struct tape_frame *frame, char *out, size_t size)
{
    const struct fill *fill = frame->fill_count ? frame->fills : NULL;
    const char *text = frame->text ? frame->text : "";
    const char *trade = fill && *fill->trade_id ? strstr(text, fill->trade_id) : NULL;
    char price[FLT_DEC_TEXT_MAX], qty[FLT_DEC_TEXT_MAX];

    if (trade)
        (void)snprintf(out, size, "record fill %s %s at %s, trade %s, order then %s",
                       side_name(fill->side),
                       flt_dec_ok(fill->qty) ? flt_dec_format(fill->qty, qty) : "bad",
                       flt_dec_ok(fill->price) ? flt_dec_format(fill->price, price) : "bad",
                       fill->trade_id, trade + strlen(fill->trade_id));
    else
        (void)snprintf(out, size, "record %s", text);
    if (*frame->coid)
        (void)snprintf(out + strlen(out), size - strlen(out), " id=%s", frame->coid);
}

void tape_frame_describe(const struct tape_frame *frame, char *out, size_t size)
{
    const struct order_intent *intent = &frame->intent;
    const char *word = tape_kind_name(frame->kind);
    const unsigned members = kinds[frame->kind].members;

    if (frame->kind == TAPE_OUT_PLACE && frame->order_count == 1)
        describe_order(&frame->orders[0], out, size);
    else if (frame->kind == TAPE_OUT_INTEND)
        (void)snprintf(out, size,
                       "intend %s %s %s key=%" PRIu32 " leg=%u price_ticks=%" PRId64
                       " qty_lots=%" PRId64 " ts_ms=%" PRId64 "%s%s%s",
                       side_name(intent->side), order_type_name(intent->type),
                       tif_name(intent->tif), intent->id.key, intent->leg, intent->price_ticks,
                       intent->qty_lots, intent->ts_ms, intent->post_only ? " post-only" : "",
                       intent->reduce_only ? " reduce-only" : "", intent->exit ? " exit" : "");
    else if (frame->kind == TAPE_OUT_RECORD)
        describe_record(frame, out, size);
    else if (members & M_TEXT)
        (void)snprintf(out, size, "%s %s", word, frame->text ? frame->text : "");
    else if (members & M_COID)
        (void)snprintf(out, size, "%s id=%s", word, frame->coid);
    else if (members & M_NUMBERS)
        (void)snprintf(out, size, "%s leg=%" PRId64, word, frame->n[0]);
    else
        (void)snprintf(out, size, "%s", word);
}
