/* The way of a trade: the bytes of a market event arrive, the bytes of an order are ready to be
 * written. Everything of ours between the two sockets is in it: frame parser, engine, strategy,
 * risk, the journaled intent, the request built and signed. libcurl and the kernel are not.
 *
 * The strategy is the simplest that orders on each event, beside `levels` orders that rest and that
 * it names each time; its order of the event before is cancelled, and the venue's words to it are
 * taken, outside the measured time. On a machine with other work the instructions of an event,
 * counted by the processor, are the steadier figure. */
#define FLT_MOD "bench"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <linux/perf_event.h>
#include <sys/syscall.h>
#include <unistd.h>
#include "bench/bench.h"
#include "engine/journal.h"
#include "exchanges/codec.h"

#define EVENTS 20000
#define LEVELS_MAX 200
#define LEVEL_KEY 1000000 /* keys of the resting levels; the orders of events count from 1 */

static uint32_t levels; /* of this run */
static bool quiet;      /* the strategy wants what it wanted */

struct follow_state {
    int64_t key, price_ticks;
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
    needs->orders_max = 2 + levels;
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
    for (uint32_t i = 0; i < levels; i++)
        wants_limit(wants, 0, LEVEL_KEY + i, SIDE_BUY, 5000000 - i * 100, 200, WANT_POST_ONLY);
    if (!quiet)
        follow->price_ticks = view->leg[0].quote.bid_ticks - 100;
    wants_limit(wants, 0, (uint32_t)(quiet ? follow->key : ++follow->key), SIDE_BUY,
                follow->price_ticks, 200, WANT_POST_ONLY);
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
    char placed[LEVELS_MAX + 1][FLT_COID_MAX]; /* the orders of this event */
    size_t placed_count;
    char cancelled[FLT_COID_MAX]; /* the one it took away */
    int64_t received_ns, written_ns;
    int counter; /* of instructions; -1: the kernel gives none */
    uint64_t instructions;
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
    memcpy(path->placed[path->placed_count++ % (LEVELS_MAX + 1)], request->client_order_id,
           FLT_COID_MAX);
    return err;
}

static int port_cancel(void *ctx, struct bot *bot, const struct instrument *instrument,
                       const char *client_order_id)
{
    struct path *path = ctx;

    (void)bot;
    (void)instrument;
    memcpy(path->cancelled, client_order_id, FLT_COID_MAX);
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

static int counter_open(void)
{
    struct perf_event_attr attr = { .type = PERF_TYPE_HARDWARE,
                                    .size = sizeof attr,
                                    .config = PERF_COUNT_HW_INSTRUCTIONS,
                                    .exclude_kernel = 1,
                                    .exclude_hv = 1 };

    return (int)syscall(SYS_perf_event_open, &attr, 0, -1, -1, 0);
}

static uint64_t instructions(const struct path *path)
{
    uint64_t count = 0;

    if (path->counter >= 0 && read(path->counter, &count, sizeof count) != sizeof count)
        return 0;
    return count;
}

/* One event and what the venue answers to it; nanoseconds from bytes to bytes, or -1. */
static int64_t one(struct path *path, long i)
{
    char frame[200];
    const int size =
        snprintf(frame, sizeof frame,
                 "{\"u\":%ld,\"s\":\"BTCUSDT\",\"b\":\"%ld.00000000\",\"B\":\"1.20000000\","
                 "\"a\":\"%ld.01000000\",\"A\":\"0.80000000\"}",
                 i, 60000 + i % 50, 60000 + i % 50);

    *path->cancelled = '\0';
    path->placed_count = 0;
    path->written_ns = 0;
    const uint64_t before = instructions(path);
    path->received_ns = flt_mono_ns(flt_clock_system());
    path->codec->frame(&path->table, frame, (size_t)size, &path->scratch, on_event, path);
    const int64_t taken_ns = path->written_ns ? path->written_ns - path->received_ns : -1;

    path->instructions += instructions(path) - before;
    for (size_t k = 0; k < path->placed_count; k++)
        order_says(path, path->placed[k], ORDER_STATUS_OPEN);
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

    /* The default budget of 600 orders a minute is what a venue bears, not what is measured; 0: no
     * limit. */
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

static void row(const char *what, double value, const char *unit, const char *aim)
{
    char name[96];

    snprintf(name, sizeof name, "path: event bytes to order bytes, %u levels, %s", levels, what);
    bench_row(name, value, unit, aim);
}

static void quotes(void *ctx, long rounds)
{
    struct path *path = ctx;
    struct quote quote = { .bid_lots = 1000, .ask_lots = 1000 };

    for (long i = 0; i < rounds; i++) {
        quote.bid_ticks = 6000000 + (i & 15);
        quote.ask_ticks = quote.bid_ticks + 1;
        bot_on_quote(path->bot, 0, &quote, i + 1);
    }
}

/* All events of one bot with so many resting levels. */
static int measure(struct path *path, struct flt_loop *loop, uint32_t level_count)
{
    static int64_t taken[EVENTS];
    char name[96];
    long count = 0;

    levels = level_count;
    quiet = false;
    if (make_bot(path))
        return 1;
    one(path, 0); /* the levels go out */
    path->instructions = 0;
    for (long i = 1; i <= EVENTS; i++) {
        const int64_t ns = one(path, i);

        if (ns >= 0)
            taken[count++] = ns;
        uv_run(flt_loop_uv(loop), UV_RUN_NOWAIT); /* the journal's blocks of sequences */
    }
    if (count < EVENTS / 2) {
        fprintf(stderr, "only %ld of %d events led to an order\n", count, EVENTS);
        return 1;
    }
    qsort(taken, (size_t)count, sizeof *taken, by_value);
    row("p50", (double)taken[count / 2] / 1000, "us", "aim: under 20");
    row("p99", (double)taken[count * 99 / 100] / 1000, "us", "aim: under 100");
    row("p99.9", (double)taken[count * 999 / 1000] / 1000, "us", "");
    if (path->counter >= 0)
        row("instructions", (double)path->instructions / EVENTS, "", "");
    quiet = true;
    snprintf(name, sizeof name, "path: strategy called, nothing changes, %u levels", levels);
    bench_row(name, bench_ns(quotes, path, 20000), "ns", "");
    bot_destroy(path->bot);
    return 0;
}

int main(void)
{
    static struct path path;
    const struct instrument btc = { .name = "BTC-USDT",
                                    .venue_symbol = "BTCUSDT",
                                    .base = "BTC",
                                    .quote = "USDT",
                                    .tick = { 1, 2 },
                                    .lot = { 1, 5 } };
    const struct exchange_credentials keys = { .key = "key", .secret = "secret" };
    char dir[] = "/tmp/flotilla-bench-XXXXXX", command[64];
    struct flt_loop *loop;
    int err;

    if (!mkdtemp(dir) || flt_loop_create(flt_clock_system(), &loop))
        return 1;
    const struct journal_options options = { .dir = dir, .loop = loop };

    path.counter = counter_open();
    path.codec = codec_find("binance");
    instruments_init(&path.table);
    if (instruments_load(&path.table, &btc, 1) || signer_create(&keys, &path.signer) ||
        journal_open(&options, NULL, &path.journal))
        return 1;
    err = measure(&path, loop, 0) || measure(&path, loop, 40) || measure(&path, loop, LEVELS_MAX);
    if (path.counter >= 0)
        close(path.counter);
    journal_close(path.journal);
    wire_finish(&path.wire);
    signer_destroy(path.signer);
    stream_scratch_finish(&path.scratch);
    instruments_finish(&path.table);
    flt_loop_destroy(loop);
    snprintf(command, sizeof command, "rm -r %s", dir);
    return system(command) != 0 || err;
}
