/* What one bot costs: a quote that changes nothing, a fill with the order that follows it, the
 * snapshot, an intent in the ring, and its memory. Baseline: a call of the clock, which an event
 * cannot do without. */
#include <malloc.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "bench/bench.h"
#include "engine/bot.h"
#include "engine/journal.h"

#define LEVELS 40

struct bench {
    struct bot *bot;
    struct journal *journal;
    struct instrument instrument;
    struct flt_buf buf;
    char coid[FLT_COID_MAX];
    uint32_t sequence;
    long fills;
    size_t last; /* where the newest order was found */
    bool keep_records;
};

static int intend(void *ctx, struct bot *bot, struct order_intent *intent)
{
    struct bench *b = ctx;

    (void)bot;
    intent->id.sequence = ++b->sequence;
    return 0;
}

static int place(void *ctx, struct bot *bot, const struct order_request *request)
{
    struct bench *b = ctx;

    (void)bot;
    memcpy(b->coid, request->client_order_id, sizeof b->coid);
    return 0;
}

static int cancel(void *ctx, struct bot *bot, const struct instrument *instrument,
                  const char *client_order_id)
{
    (void)ctx;
    (void)bot;
    (void)instrument;
    (void)client_order_id;
    return 0;
}

static int fetch(void *ctx, struct bot *bot, const struct instrument *instrument,
                 const char *order_id, const char *client_order_id)
{
    (void)order_id;
    return cancel(ctx, bot, instrument, client_order_id);
}

static int open_orders(void *ctx, struct bot *bot, unsigned leg)
{
    (void)ctx;
    (void)bot;
    (void)leg;
    return 0;
}

static int record(void *ctx, struct bot *bot, const struct bot_record *record_)
{
    struct bench *b = ctx;

    (void)record_;
    if (!b->keep_records)
        return 0;
    flt_buf_reset(&b->buf);
    bot_save(bot, &b->buf);
    return 0;
}

static void create(struct bench *b)
{
    static const char params[] =
        "{\"lower\":80,\"upper\":120,\"levels\":40,\"budget\":4000,\"initial_buy\":false}";
    const struct instrument *instruments[] = { &b->instrument };
    const struct engine_port port = { b,           intend, place, cancel, cancel, fetch,
                                      open_orders, record, NULL,  false,  NULL };
    struct json_object *tree = json_tokener_parse(params);
    struct json_object *risk = json_tokener_parse("{\"max_orders_per_minute\":0}");
    const struct bot_config config = {
        .fleet = "bench",
        .name = "grid",
        .epoch = 1,
        .strategy = strategy_find("grid"),
        .params = tree,
        .risk = risk,
        .instruments = instruments,
        .leg_count = 1,
        .clock = flt_clock_system(),
        .request_life_ms = 2000,
    };
    const struct exchange_failure ok = { .error = EXCHANGE_OK };
    struct flt_error error = { 0 };

    if (bot_create(&config, &port, &error, &b->bot)) {
        (void)fprintf(stderr, "%s\n", error.message);
        exit(1);
    }
    json_object_put(tree);
    json_object_put(risk);
    bot_set_halt(b->bot, BOT_HALT_NONE, "");
    bot_set_desired(b->bot, BOT_RUN_RUNNING, BOT_STOP_CANCEL);
    bot_start(b->bot);
    bot_on_link(b->bot, true, "");
    bot_on_open_orders(b->bot, 0, &ok, NULL, 0);
}

static void quote(struct bench *b, int64_t bid)
{
    const struct quote q = { flt_wall_ms(flt_clock_system()), bid, bid + 2, 1000, 1000 };

    bot_on_quote(b->bot, 0, &q, flt_mono_ns(flt_clock_system()));
}

static void acknowledge(struct bench *b)
{
    const struct exchange_failure ok = { .error = EXCHANGE_OK };
    struct bot_order order;

    for (size_t i = 0; bot_order_at(b->bot, i, &order); i++)
        if (order.state == ORDER_SENT)
            bot_on_place_result(b->bot, order.client_order_id, &ok, NULL);
}

static void quotes(void *ctx, long rounds)
{
    struct bench *b = ctx;
    struct quote q = { 1, 9990, 9992, 1000, 1000 };

    for (long i = 0; i < rounds; i++) {
        q.bid_ticks = 9990 + (i & 15);
        q.ask_ticks = q.bid_ticks + 2;
        bot_on_quote(b->bot, 0, &q, i + 1);
    }
}

static void clocks(void *ctx, long rounds)
{
    int64_t *sum = ctx;

    for (long i = 0; i < rounds; i++)
        *sum += flt_mono_ns(flt_clock_system());
}

/* The order placed last trades in full: book it, let the cell turn, place what follows. */
static void fills(void *ctx, long rounds)
{
    struct bench *b = ctx;
    const struct exchange_failure ok = { .error = EXCHANGE_OK };
    struct bot_order order;

    for (long i = 0; i < rounds; i++) {
        struct fill fill = { .instrument = "BTC-USDT", .fee_asset = "BNB" };
        size_t at = b->last;

        if (!bot_order_at(b->bot, b->last, &order) || strcmp(order.client_order_id, b->coid) != 0)
            for (at = 0; bot_order_at(b->bot, at, &order); at++)
                if (!strcmp(order.client_order_id, b->coid))
                    break;
        b->last = at;
        fill.side = order.side;
        fill.price = ticks_to_price(&b->instrument, order.price_ticks);
        fill.qty = lots_to_qty(&b->instrument, order.qty_lots);
        (void)snprintf(fill.trade_id, sizeof fill.trade_id, "%ld", ++b->fills);
        (void)snprintf(fill.order_id, sizeof fill.order_id, "%ld", b->fills);
        memcpy(fill.client_order_id, b->coid, sizeof fill.client_order_id);
        quote(b, fill.side == SIDE_BUY ? order.price_ticks - 1 : order.price_ticks - 1);
        bot_on_fill(b->bot, &fill);
        bot_on_place_result(b->bot, b->coid, &ok, NULL);
    }
}

static void saves(void *ctx, long rounds)
{
    struct bench *b = ctx;

    for (long i = 0; i < rounds; i++) {
        flt_buf_reset(&b->buf);
        bot_save(b->bot, &b->buf);
    }
}

static void intents(void *ctx, long rounds)
{
    struct bench *b = ctx;
    struct order_intent intent = { .id = { .owner = 1, .key = 1 }, .exit = true };

    for (long i = 0; i < rounds; i++)
        if (journal_intend(b->journal, &intent) && journal_flush(b->journal, 1000))
            exit(1);
}

static void bench_journal(struct bench *b, double baseline)
{
    char dir[] = "/tmp/flotilla-bench-XXXXXX", command[64];
    struct flt_loop *loop;
    struct flt_error error = { 0 };

    if (!mkdtemp(dir) || flt_loop_create(flt_clock_system(), &loop))
        exit(1);
    const struct journal_options options = { .dir = dir, .loop = loop };
    if (journal_open(&options, &error, &b->journal))
        exit(1);
    bench_ratio("engine: intent into the ring", bench_ns(intents, b, 2000), "ns", baseline,
                "read of the clock");
    journal_close(b->journal);
    flt_loop_destroy(loop);
    (void)snprintf(command, sizeof command, "rm -r %s", dir);
    if (system(command))
        exit(1);
}

static void begin(struct bench *b)
{
    create(b);
    quote(b, 9990);
    acknowledge(b);
}

static void bench_memory(const struct bench *b)
{
    enum { BOTS = 50 };
    static struct bench others[BOTS];
    const size_t before = mallinfo2().uordblks;

    for (size_t i = 0; i < BOTS; i++) {
        others[i].instrument = b->instrument;
        begin(&others[i]);
    }
    const size_t bytes = (mallinfo2().uordblks - before) / BOTS;
    for (size_t i = 0; i < BOTS; i++)
        bot_destroy(others[i].bot);
    bench_row("engine: memory of a bot with 40 cells", (double)bytes / 1024, "KiB", "");
}

int main(void)
{
    struct bench b = { .instrument = { .name = "BTC-USDT",
                                       .base = "BTC",
                                       .quote = "USDT",
                                       .tick = { 1, 2 },
                                       .lot = { 1, 4 },
                                       .notional_min = { 5, 0 },
                                       .contract_size = { 1, 0 },
                                       .fee_maker = { 1, 3 } } };
    int64_t sum = 0;
    const double clock_ns = bench_ns(clocks, &sum, 100000);

    begin(&b); /* what is allocated once is then there */
    bench_memory(&b);
    bench_ratio("engine: quote that changes nothing", bench_ns(quotes, &b, 1000000), "ns", clock_ns,
                "read of the clock");
    bench_ratio("engine: fill booked, next order placed", bench_ns(fills, &b, 2000), "ns", clock_ns,
                "read of the clock");
    b.keep_records = true;
    bench_ratio("engine: the same with its snapshots", bench_ns(fills, &b, 2000), "ns", clock_ns,
                "read of the clock");
    bench_ratio("engine: snapshot of 40 orders", bench_ns(saves, &b, 2000), "ns", clock_ns,
                "read of the clock");
    bench_journal(&b, clock_ns);
    bot_destroy(b.bot);
    flt_buf_finish(&b.buf);
    return 0;
}
