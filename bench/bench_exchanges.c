/* What a venue costs: a stream frame to ticks and lots, an order built and signed. */
#define FLT_MOD "bench"
#include <string.h>
#include "bench/bench.h"
#include "exchanges/codec.h"

static const char quote_frame[] =
    "{\"u\":400900217,\"s\":\"BTCUSDT\",\"b\":\"60000.00000000\",\"B\":\"1.20000000\","
    "\"a\":\"60000.01000000\",\"A\":\"0.80000000\"}";
static const char trade_frame[] =
    "{\"e\":\"trade\",\"E\":1700000000002,\"s\":\"BTCUSDT\",\"t\":12345,\"p\":\"60000.00\",\"q\":"
    "\"0.00200000\",\"T\":1700000000001,\"m\":true,\"M\":true}";
static const char report_frame[] =
    "{\"subscriptionId\":0,\"event\":{\"e\":\"executionReport\",\"E\":1700000000030,\"s\":"
    "\"BTCUSDT\","
    "\"c\":\"flotilla0001\",\"S\":\"BUY\",\"o\":\"LIMIT\",\"f\":\"GTC\",\"q\":\"0.00200000\",\"p\":"
    "\"60000.00000000\",\"P\":\"0.00000000\",\"F\":\"0.00000000\",\"g\":-1,\"C\":\"\",\"x\":"
    "\"TRADE\","
    "\"X\":\"PARTIALLY_FILLED\",\"r\":\"NONE\",\"i\":28457,\"l\":\"0.00100000\",\"z\":\"0."
    "00100000\","
    "\"L\":\"60000.00000000\",\"n\":\"0.00000100\",\"N\":\"BTC\",\"T\":1700000000029,\"t\":57,"
    "\"w\":true,"
    "\"m\":true,\"O\":1700000000000,\"Z\":\"60.00000000\",\"Y\":\"60.00000000\",\"Q\":\"0."
    "00000000\"}}";

struct work {
    struct instruments table;
    struct stream_scratch scratch;
    const char *frame;
    struct signer *signer;
    struct wire wire;
    int64_t sum; /* so that nothing is optimised away */
};

static void on_event(void *ctx, const struct stream_event *event)
{
    struct work *work = ctx;

    if (event->kind == STREAM_QUOTE)
        work->sum += price_to_ticks(event->instrument, event->ticker.bid, FLT_ROUND_HALF_EVEN) +
                     price_to_ticks(event->instrument, event->ticker.ask, FLT_ROUND_HALF_EVEN) +
                     qty_to_lots(event->instrument, event->ticker.bid_qty, FLT_ROUND_DOWN) +
                     qty_to_lots(event->instrument, event->ticker.ask_qty, FLT_ROUND_DOWN);
    else if (event->kind == STREAM_TRADE)
        work->sum += price_to_ticks(event->instrument, event->trade.price, FLT_ROUND_HALF_EVEN) +
                     qty_to_lots(event->instrument, event->trade.qty, FLT_ROUND_DOWN);
    else
        work->sum += event->ts_ms;
}

static void frames(void *ctx, long rounds)
{
    struct work *work = ctx;
    const struct codec *codec = codec_find("binance");

    for (long i = 0; i < rounds; i++)
        codec->frame(&work->table, work->frame, strlen(work->frame), &work->scratch, on_event,
                     work);
}

static void orders(void *ctx, long rounds)
{
    struct work *work = ctx;
    const struct codec *codec = codec_find("binance");
    const struct codec_env env = { "https://api.binance.com", work->signer, 1700000000000, 2000 };
    const struct op_args args = { .instrument = work->table.items[0],
                                  .client_order_id = "f0123456789abcdefghjkmnpqrst",
                                  .qty = { 200, 5 },
                                  .price = { 6000000, 2 } };

    for (long i = 0; i < rounds; i++)
        work->sum += codec->build(&env, OP_PLACE_ORDER, &args, &work->wire, NULL);
}

static void json_c(void *ctx, long rounds)
{
    struct work *work = ctx;

    for (long i = 0; i < rounds; i++) {
        struct json_object *tree = flt_json_parse(work->frame, strlen(work->frame), NULL);

        work->sum += tree != NULL;
        json_object_put(tree);
    }
}

int main(void)
{
    static struct work work;
    const struct instrument btc = {
        .name = "BTC-USDT", .venue_symbol = "BTCUSDT", .tick = { 1, 2 }, .lot = { 1, 5 }
    };
    const struct exchange_credentials keys = { .key = "key", .secret = "secret" };

    instruments_init(&work.table);
    if (instruments_load(&work.table, &btc, 1) != 0 || signer_create(&keys, &work.signer) != 0)
        return 1;
    work.frame = quote_frame;
    bench_ratio("stream frame to quote in ticks", bench_ns(frames, &work, 100000), "ns",
                bench_ns(json_c, &work, 20000), "strict JSON into a tree");
    work.frame = trade_frame;
    bench_row("stream frame to trade in ticks", bench_ns(frames, &work, 100000), "ns", "");
    work.frame = report_frame;
    bench_row("execution report to fill and order", bench_ns(frames, &work, 50000), "ns", "");
    bench_row("order built and signed (HMAC)", bench_ns(orders, &work, 50000), "ns",
              "aim: under 10000");
    wire_finish(&work.wire);
    signer_destroy(work.signer);
    stream_scratch_finish(&work.scratch);
    instruments_finish(&work.table);
    return work.sum == 42;
}
