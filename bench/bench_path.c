/* The way of a trade: the bytes of a market event arrive, the bytes of an order are ready to be
 * written. Everything of ours between the two sockets is in it: frame parser, engine, strategy, risk,
 * the journaled intent, the request built and signed. libcurl and the kernel are not.
 *
 * The strategy is the simplest that orders on each event; its order of the event before is cancelled
 * and acknowledged outside the measured time. */
#define FLT_MOD "bench"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "bench/bench.h"
#include "engine/journal.h"
#include "exchanges/codec.h"

#define EVENTS 50000

struct follow_state {
    int64_t key;
};

static const struct field no_fields[] = { FIELD_END };

static size_t follow_state_size(const void *params)
{
    (void)params;
    return sizeof(struct follow_state);
}

static int follow_declare(const void *params, struct needs *needs)
{
    (void)params;
    needs->legs = 1;
    needs->feeds = FEED_QUOTE;
    needs->orders_max = 2;
    return 0;
}

static void follow_on_event(void *state, const void *params, const struct event *event,
                            const struct view *view, struct wants *wants)
{
    struct follow_state *follow = state;

    (void)params;
    if (event->kind != EVENT_QUOTE)
        return;
    wants_begin(wants);
    wants_limit(wants, 0, (uint32_t)++follow->key, SIDE_BUY, view->leg[0].quote.bid_ticks - 100, 200,
                WANT_POST_ONLY);
}

static const char *follow_key_name(const void *params, uint32_t key, char *out, size_t size)
{
    (void)params;
    snprintf(out, size, "%u", key);
    return out;
}

static const struct strategy_ops follow = {
    .name = "follow",
    .help = "Orders on each quote.",
    .params = no_fields,
    .params_size = 1,
    .state = no_fields,
    .state_size = follow_state_size,
    .declare = follow_declare,
    .on_event = follow_on_event,
    .key_name = follow_key_name,
};

struct path {
    struct instruments table;
    struct stream_scratch scratch;
    const struct codec *codec;
    struct signer *signer;
    struct wire wire;
    struct journal *journal;
    struct bot *bot;
    char placed[FLT_COID_MAX];    /* the order of this event */
    char cancelled[FLT_COID_MAX]; /* the one it took away */
    int64_t received_ns, written_ns;
    int64_t bytes;
};

static int port_intend(void *ctx, struct bot *bot, struct order_intent *intent)
{
    struct path *path = ctx;

    (void)bot;
    return journal_intend(path->journal, intent);
}

static int port_place(void *ctx, struct bot *bot, const struct order_request *request)
{
    struct path *path = ctx;
    const struct codec_env env = { "https://api.binance.com", path->signer,
                                   flt_wall_ms(flt_clock_system()), 2000 };
    const struct op_args args = {
        .instrument = request->instrument,
        .client_order_id = request->client_order_id,
        .side = request->side,
        .type = request->type,
        .tif = request->tif,
        .post_only = request->post_only,
        .qty = request->qty,
        .price = request->price,
    };
    const int err = path->codec->build(&env, OP_PLACE_ORDER, &args, &path->wire, NULL);

    (void)bot;
    path->written_ns = flt_mono_ns(flt_clock_system());
    snprintf(path->placed, sizeof path->placed, "%s", request->client_order_id);
    path->bytes++;
    return err;
}

static int port_cancel(void *ctx, struct bot *bot, const struct instrument *instrument,
                       const char *client_order_id)
{
    struct path *path = ctx;

    (void)bot;
    (void)instrument;
    snprintf(path->cancelled, sizeof path->cancelled, "%s", client_order_id);
    return 0;
}

static int port_query(void *ctx, struct bot *bot, const struct instrument *instrument,
                      const char *client_order_id)
{
    (void)ctx;
    (void)bot;
    (void)instrument;
    (void)client_order_id;
    return 0;
}

static int port_fills(void *ctx, struct bot *bot, const struct instrument *instrument,
                      const char *order_id, const char *client_order_id)
{
    (void)order_id;
    return port_query(ctx, bot, instrument, client_order_id);
}

static int port_open_orders(void *ctx, struct bot *bot, unsigned leg)
{
    (void)ctx;
    (void)bot;
    (void)leg;
    return 0;
}

static void on_event(void *ctx, const struct stream_event *event)
{
    struct path *path = ctx;
    const struct ticker *ticker = &event->ticker;
    const struct quote quote = {
        .ts_ms = event->ts_ms,
        .bid_ticks = price_to_ticks(event->instrument, ticker->bid, FLT_ROUND_HALF_EVEN),
        .ask_ticks = price_to_ticks(event->instrument, ticker->ask, FLT_ROUND_HALF_EVEN),
        .bid_lots = qty_to_lots(event->instrument, ticker->bid_qty, FLT_ROUND_DOWN),
        .ask_lots = qty_to_lots(event->instrument, ticker->ask_qty, FLT_ROUND_DOWN),
    };

    bot_on_quote(path->bot, 0, &quote, path->received_ns);
}

static void order_says(const struct path *path, const char *client_order_id,
                       enum order_status status)
{
    struct order order = {
        .instrument = "BTC-USDT",
        .side = SIDE_BUY,
        .status = status,
        .post_only = true,
        .price = { 5999900, 2 },
        .qty = { 200, 5 },
        .ts_ms = flt_wall_ms(flt_clock_system()),
    };

    snprintf(order.client_order_id, sizeof order.client_order_id, "%s", client_order_id);
    memcpy(order.order_id, client_order_id + 1, FLT_COID_MAX - 1); /* any id, one an order */
    bot_on_order(path->bot, &order);
}

/* One event and what the venue answers to it; nanoseconds from bytes to bytes, or -1. */
static int64_t one(struct path *path, long i)
{
    char frame[200];
    const int size = snprintf(frame, sizeof frame,
                              "{\"u\":%ld,\"s\":\"BTCUSDT\",\"b\":\"%ld.00000000\",\"B\":\"1.20000000\","
                              "\"a\":\"%ld.01000000\",\"A\":\"0.80000000\"}",
                              i, 60000 + i % 50, 60000 + i % 50);

    *path->placed = *path->cancelled = '\0';
    path->written_ns = 0;
    path->received_ns = flt_mono_ns(flt_clock_system());
    path->codec->frame(&path->table, frame, (size_t)size, &path->scratch, on_event, path);
    const int64_t taken_ns = path->written_ns ? path->written_ns - path->received_ns : -1;

    if (*path->placed)
        order_says(path, path->placed, ORDER_STATUS_OPEN);
    if (*path->cancelled)
        order_says(path, path->cancelled, ORDER_STATUS_CANCELLED);
    return taken_ns;
}

static int by_value(const void *a, const void *b)
{
    const int64_t left = *(const int64_t *)a, right = *(const int64_t *)b;

    return left < right ? -1 : left > right;
}

static int make_bot(struct path *path)
{
    static const struct engine_port ops = { .intend = port_intend,
                                            .place = port_place,
                                            .cancel = port_cancel,
                                            .query_order = port_query,
                                            .fetch_fills = port_fills,
                                            .open_orders = port_open_orders };
    struct engine_port port = ops;
    const struct instrument *legs[] = { path->table.items[0] };
    struct bot_config config = {
        .fleet = "bench",
        .name = "follow",
        .epoch = 1,
        .mode = BOT_MODE_LIVE,
        .strategy = &follow,
        .instruments = legs,
        .leg_count = 1,
        .clock = flt_clock_system(),
        .request_life_ms = 4000,
    };
    const struct exchange_failure none = { 0 };
    struct flt_error error = { 0 };
    int err;

    /* The default budget of 600 orders a minute is what a venue bears, not what is measured; 0: no limit. */
    config.risk = json_object_new_object();
    json_object_object_add(config.risk, "max_orders_per_minute", json_object_new_int(0));
    port.ctx = path;
    err = bot_create(&config, &port, &error, &path->bot);
    json_object_put(config.risk);
    if (err) {
        fprintf(stderr, "%s\n", error.message);
        return -1;
    }
    bot_set_halt(path->bot, BOT_HALT_NONE, "");
    bot_set_lease(path->bot, true, true);
    bot_set_storage(path->bot, true);
    bot_set_desired(path->bot, BOT_RUN_RUNNING, BOT_STOP_CANCEL);
    bot_start(path->bot);
    bot_on_link(path->bot, true, "");
    bot_on_open_orders(path->bot, 0, &none, NULL, 0);
    return 0;
}

int main(void)
{
    static struct path path;
    static int64_t taken[EVENTS];
    const struct instrument btc = {
        .name = "BTC-USDT", .venue_symbol = "BTCUSDT", .base = "BTC", .quote = "USDT",
        .tick = { 1, 2 },   .lot = { 1, 5 }
    };
    const struct exchange_credentials keys = { .key = "key", .secret = "secret" };
    char dir[] = "/tmp/flotilla-bench-XXXXXX", command[64];
    struct flt_loop *loop;
    long count = 0;

    if (!mkdtemp(dir) || flt_loop_create(flt_clock_system(), &loop))
        return 1;
    const struct journal_options options = { .dir = dir, .loop = loop };

    path.codec = codec_find("binance");
    instruments_init(&path.table);
    if (instruments_load(&path.table, &btc, 1) || signer_create(&keys, &path.signer) ||
        journal_open(&options, NULL, &path.journal) || make_bot(&path))
        return 1;
    for (long i = 0; i < EVENTS; i++) {
        const int64_t ns = one(&path, i);

        if (ns >= 0)
            taken[count++] = ns;
        uv_run(flt_loop_uv(loop), UV_RUN_NOWAIT); /* the journal's blocks of sequences */
    }
    if (count < EVENTS / 2) {
        fprintf(stderr, "only %ld of %d events led to an order\n", count, EVENTS);
        return 1;
    }
    qsort(taken, (size_t)count, sizeof *taken, by_value);
    bench_row("path: event bytes to order bytes, p50", (double)taken[count / 2] / 1000, "us",
              "aim: under 20");
    bench_row("path: event bytes to order bytes, p99", (double)taken[count * 99 / 100] / 1000, "us",
              "aim: under 100");
    bench_row("path: event bytes to order bytes, p99.9", (double)taken[count * 999 / 1000] / 1000,
              "us", "");
    bot_destroy(path.bot);
    journal_close(path.journal);
    wire_finish(&path.wire);
    signer_destroy(path.signer);
    stream_scratch_finish(&path.scratch);
    instruments_finish(&path.table);
    flt_loop_destroy(loop);
    snprintf(command, sizeof command, "rm -r %s", dir);
    return system(command) != 0;
}
